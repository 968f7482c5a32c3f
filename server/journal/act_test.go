package journal_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
)

func TestAnActComesBackAsItWas(t *testing.T) {
	t.Parallel()
	tests := map[string]halley.AuditEntry{
		"with everything": {
			Change: halley.Change{
				Actor: halley.Actor{Kind: "session", Name: "Žofie <b>", Session: "s1"}, At: 1_700_000_000_123, Why: "said \"so\"\n",
			},
			What: "device.accept", On: "device 12", Old: `{"a": 1.50}`, New: `{"b":"<\u0000>"}`,
		},
		"with its deed alone": {What: "x"},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := journal.EncodeAct(want)
			if err != nil {
				t.Fatalf("encode: %v", err)
			}
			got, err := journal.DecodeAct(body)
			if err != nil {
				t.Fatalf("decode %s: %v", body, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %s (-want +got):\n%s", body, diff)
			}
		})
	}
}

func TestTheFormOfAnActStays(t *testing.T) {
	t.Parallel()
	body, err := journal.EncodeAct(halley.AuditEntry{
		ID: 7, Change: halley.Change{Actor: halley.Actor{Kind: "token", Name: "n", Session: "s"}, At: 5, Why: "w"},
		What: "what", On: "<on>", Old: "1", New: "2",
	})
	want := `{"at":5,"actor":{"kind":"token","name":"n","session":"s"},"why":"w","what":"what","on":"<on>","old":"1","new":"2"}`
	if err != nil || string(body) != want {
		t.Errorf("EncodeAct = %s, %v; want %s", body, err, want)
	}
}

func TestWhatIsNoActIsRefused(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":         "",
		"no JSON":         "what",
		"no deed":         `{"at":5,"actor":{"kind":"token"}}`,
		"more than known": `{"at":5,"actor":{"kind":"token"},"what":"x","place":"here"}`,
		"a second one":    `{"what":"x"}{"what":"y"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := journal.DecodeAct([]byte(body)); err == nil {
				t.Errorf("DecodeAct(%q) = %+v, want an error", body, got)
			}
		})
	}
	for name, e := range map[string]halley.AuditEntry{
		"no deed":   {On: "x"},
		"no UTF-8":  {What: "x", New: "\xff"},
		"no name's": {What: "x", Change: halley.Change{Actor: halley.Actor{Name: "\xff"}}},
	} {
		t.Run("encoding "+name, func(t *testing.T) {
			t.Parallel()
			if body, err := journal.EncodeAct(e); halley.KindOf(err) != halley.Invalid {
				t.Errorf("EncodeAct = %s, %v; want Invalid", body, err)
			}
		})
	}
}
