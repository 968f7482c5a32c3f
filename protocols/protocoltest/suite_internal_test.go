package protocoltest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"halley"
	"halley/protocols"
)

// witness keeps what a check objects to.
type witness struct {
	mu       sync.Mutex
	objected []string
}

func (*witness) Helper() {}

func (w *witness) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objected = append(w.objected, fmt.Sprintf(format, args...))
}

// Fatalf ends the check as a test would.
func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	panic(w)
}

func fakeSubject() *subject {
	return &subject{
		cases: []goldenCase{
			{name: "good", body: []byte("FAKE|12345678|secret-key|Cold room|END")},
			{name: "bad", body: []byte("FAKE|12345678|secret-key|Cold room|")},
		},
		options: Options{
			Generate:    generateFake,
			LooksStored: func(r protocols.Reply) bool { return r.Status == 200 },
			TooMany:     [][]byte{[]byte("FAKE|12345678||too many")},
		},
	}
}

func generateFake(t *rapid.T) halley.Upload {
	up, _ := decodeFake([]byte("FAKE|" + rapid.StringMatching("[0-9]{8}").Draw(t, "serial") + "|key|name|END"))
	return up
}

// objections runs one check of the suite on a protocol and gives what it objects to.
func objections(t *testing.T, p protocols.Protocol, name string) []string {
	t.Helper()
	w := &witness{}
	if name == roundTrip {
		up := fakeUpload(t)
		func() {
			defer func() {
				if v := recover(); v != nil && v != any(w) {
					panic(v)
				}
			}()
			checkRoundTrip(w, p, up)
		}()
		return w.objected
	}
	i := slices.IndexFunc(checks, func(c check) bool { return c.name == name })
	if i < 0 {
		t.Fatalf("the suite has no check %q", name)
	}
	checks[i].run(w, p, fakeSubject())
	return w.objected
}

func fakeUpload(t *testing.T) halley.Upload {
	t.Helper()
	up, err := decodeFake([]byte("FAKE|12345678|secret-key|Cold room|END"))
	if err != nil {
		t.Fatal(err)
	}
	return up
}

func TestSuitePassesAFamilyThatKeepsTheContract(t *testing.T) {
	t.Parallel()
	Run(t, func() protocols.Protocol { return fake{} }, Options{Generate: generateFake})
}

func TestChecksPassAFamilyThatKeepsTheContract(t *testing.T) {
	t.Parallel()
	for _, c := range checks {
		if found := objections(t, fake{}, c.name); len(found) > 0 {
			t.Errorf("check %q objects: %v", c.name, found)
		}
	}
}

// TestSuiteObjects breaks the family in one way each time.
func TestSuiteObjects(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	count := 0
	counter := func() int {
		mu.Lock()
		defer mu.Unlock()
		count++
		return count
	}
	for name, c := range map[string]struct {
		broken fake
		by     []string
	}{
		"panic on a cut body": {fake{decode: func(up halley.Upload, err error) (halley.Upload, error) {
			if up.Serial != "" && up.CustomerKey == "" && err != nil {
				panic("cut")
			}
			return up, err
		}}, []string{"truncated", "too many"}},
		"cut body read as something else": {fake{decode: func(up halley.Upload, err error) (halley.Upload, error) {
			if err != nil && up.Serial != "" {
				up.Messages, err = []halley.Message{message()}, nil
			}
			return up, err
		}}, []string{"truncated", "too many"}},
		"serial number lost in a cut body": {fake{decode: func(up halley.Upload, err error) (halley.Upload, error) {
			if err != nil && up.CustomerKey != "" {
				up.Serial = ""
			}
			return up, err
		}}, []string{"truncated"}},
		"serial number of another device": {fake{decode: func(up halley.Upload, err error) (halley.Upload, error) {
			if err != nil && up.Serial != "" {
				up.Serial = up.Serial[:3]
			}
			return up, err
		}}, []string{"truncated"}},
		"plain error": {fake{decode: func(up halley.Upload, err error) (halley.Upload, error) {
			if err != nil {
				err = fmt.Errorf("wrapped: %s", err.Error())
			}
			return up, err
		}}, []string{"cases", "truncated", "spoiled", "hostile names", "deep", "oversize"}},
		"secret in an error": {fake{decode: func(up halley.Upload, err error) (halley.Upload, error) {
			if err != nil {
				err = &protocols.DecodeError{At: halley.Unknown, Why: "bad key " + up.CustomerKey.Reveal()}
			}
			return up, err
		}}, []string{"cases", "truncated"}},
		"different the second time": {fake{decode: func(up halley.Upload, err error) (halley.Upload, error) {
			up.Model = strconv.Itoa(counter())
			return up, err
		}}, []string{"cases", "parallel"}},
		"text beyond its bound": {fake{decode: func(up halley.Upload, err error) (halley.Upload, error) {
			up.Name = strings.Repeat("n", MaxName+1)
			return up, err
		}}, []string{"cases"}},
		"everything recognized": {fake{recognizes: func([]byte) bool { return true }}, []string{"foreign bodies"}},
		"nothing recognized":    {fake{recognizes: func([]byte) bool { return false }}, []string{"sample", "round trip"}},
		"refusal that looks stored": {fake{reply: func(_ *halley.Upload, _ protocols.Outcome, r protocols.Reply) protocols.Reply {
			r.Status = 200
			return r
		}}, []string{"replies"}},
		"stored without 200": {fake{reply: func(_ *halley.Upload, _ protocols.Outcome, r protocols.Reply) protocols.Reply {
			r.Status = 204
			return r
		}}, []string{"replies"}},
		"quote in a reason": {fake{reply: func(_ *halley.Upload, _ protocols.Outcome, r protocols.Reply) protocols.Reply {
			r.Body = []byte(`a "quote"`)
			return r
		}}, []string{"replies"}},
		"long reason": {fake{reply: func(_ *halley.Upload, _ protocols.Outcome, r protocols.Reply) protocols.Reply {
			r.ContentType, r.Body = "application/json", []byte(`{"Message":"`+strings.Repeat("m", 101)+`"}`)
			return r
		}}, []string{"replies"}},
		"secret in a reply": {fake{reply: func(up *halley.Upload, _ protocols.Outcome, r protocols.Reply) protocols.Reply {
			if up != nil {
				r.Body = []byte("x" + up.CustomerKey.Reveal())
			}
			return r
		}}, []string{"replies"}},
		"no redaction":         {fake{redact: func(b []byte) []byte { return b }}, []string{"cases", "redacted cuts"}},
		"redaction that grows": {fake{redact: func(b []byte) []byte { return append(bytes.Clone(b), '*') }}, []string{"cases"}},
		"redaction that changes its argument": {fake{redact: func(b []byte) []byte {
			for i := range b {
				b[i] = '*'
			}
			return b
		}}, []string{"cases"}},
		"encoding that fails": {fake{encode: func(*halley.Upload, []byte, error) ([]byte, error) {
			return nil, fmt.Errorf("no")
		}}, []string{"round trip"}},
		"encoding that changes": {fake{encode: func(_ *halley.Upload, b []byte, err error) ([]byte, error) {
			return bytes.Replace(b, []byte("Cold"), []byte("Warm"), 1), err
		}}, []string{"round trip"}},
		"encoding that panics": {fake{encode: func(up *halley.Upload, b []byte, _ error) ([]byte, error) {
			return b, fmt.Errorf("%v", up.Messages[0].Order)
		}}, []string{"odd uploads"}},
		"encoding of nothing": {fake{encode: func(_ *halley.Upload, b []byte, _ error) ([]byte, error) { return b, nil }}, []string{"odd uploads"}},
		"sample that changes": {fake{sample: func() []byte { return fmt.Appendf(nil, "FAKE|%d|||END", counter()) }}, []string{"sample"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, by := range c.by {
				if found := objections(t, c.broken, by); len(found) == 0 {
					t.Errorf("check %q does not object", by)
				}
			}
		})
	}
}

func TestDecodingLeavesTheBodyAlone(t *testing.T) {
	t.Parallel()
	body := []byte("FAKE|12345678|secret-key|Cold room|END")
	want := bytes.Clone(body)
	if _, panicked := decode(fake{}, body); panicked != nil {
		t.Fatal(panicked)
	}
	if !bytes.Equal(body, want) {
		t.Errorf("decode changes the caller's body to %q", body)
	}
}

func TestTextsOfAnUpload(t *testing.T) {
	t.Parallel()
	d := decoded{up: fakeUpload(t)}
	want := []string{"12345678", "Cold room", "secret-key", halley.Temperature, "°C"}
	if got := textsOf(&d); !slices.Equal(got, want) {
		t.Errorf("textsOf gives %q, want %q", got, want)
	}
}

func TestCutsBeginBehindWhatEarlierCasesHave(t *testing.T) {
	t.Parallel()
	earlier := []goldenCase{{body: []byte("abcX")}, {body: []byte("abY")}}
	for body, want := range map[string]int{"abcd": 3, "abYZ": 3, "x": 0, "": 0, "abc": 3} {
		if got := known(earlier, []byte(body)); got != want {
			t.Errorf("known(%q) = %d, want %d", body, got, want)
		}
	}
}

func TestReasonOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, body, want string
	}{
		{"text/plain; charset=utf-8", "not stored\n", "not stored"},
		{"application/json", `{"Result":false,"Message":"not stored"}`, "not stored"},
		{"text/xml", "<a/>", ""},
	} {
		if got := reasonOf(protocols.Reply{ContentType: c.kind, Body: []byte(c.body)}); got != c.want {
			t.Errorf("reasonOf(%s %s) = %q, want %q", c.kind, c.body, got, c.want)
		}
	}
}
