package recorder_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/storage"
)

func testLog(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatalf("copying %s: %v", from, err)
	}
}

// deed is an audit entry of an act with this name.
func deed(what string) halley.AuditEntry {
	return halley.AuditEntry{
		Change: halley.Change{Actor: halley.Actor{Kind: "session", Name: "anna", Session: "s1"}, At: 1_700_000_000_123, Why: "because"},
		What:   what, On: "device 12", Old: `{"a":1}`, New: `{"a":2}`,
	}
}

func act(t *testing.T, what string) journal.Entry {
	t.Helper()
	body, err := journal.EncodeAct(deed(what))
	if err != nil {
		t.Fatal(err)
	}
	return journal.Entry{Kind: journal.Act, Body: body}
}

func TestActsAreRecordedWithTheBatch(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.journal.add(entry("a"), act(t, "one"), entry("b"), act(t, "two"))
		pass(11 * time.Second)
		want := []storage.JournaledAct{{Seq: 2, AuditEntry: deed("one")}, {Seq: 4, AuditEntry: deed("two")}}
		if diff := cmp.Diff(want, r.store.batches[0].Audit); diff != "" {
			t.Errorf("acts in the batch (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"a", "b"}, r.store.serials()); diff != "" {
			t.Errorf("uploads in the batch (-want +got):\n%s", diff)
		}
	})
}

func TestAnActThatCannotBeRecordedIsSetAside(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		entry  journal.Entry
		refuse func(storage.Batch) error
	}{
		"because it cannot be read": {entry: journal.Entry{Kind: journal.Act, Body: []byte(`{"what":"x","future":1}`)}},
		"because the store names it": {
			act(t, "bad"),
			func(b storage.Batch) error {
				for _, a := range b.Audit {
					if a.What == "bad" {
						return fmt.Errorf("appending: %w", &storage.EntryError{Seq: a.Seq, Err: errors.New("too long")})
					}
				}
				return nil
			},
		},
		"because the store refuses it without a word": {
			act(t, "bad"),
			func(b storage.Batch) error {
				for _, a := range b.Audit {
					if a.What == "bad" {
						return errors.New("no idea why")
					}
				}
				return nil
			},
		},
		"because its kind is not known": {entry: journal.Entry{Kind: 99, Body: []byte("future")}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, 20_000, func(t *testing.T, r *rig) {
				r.store.setRefuse(tc.refuse)
				r.journal.add(entry("a"), act(t, "good"), tc.entry, entry("b"))
				pass(11 * time.Second)
				var acts []string
				for _, b := range r.store.batches {
					for _, a := range b.Audit {
						acts = append(acts, a.What)
					}
				}
				if diff := cmp.Diff([]string{"good"}, acts); diff != "" {
					t.Errorf("acts that are recorded (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{"a", "b"}, r.store.serials()); diff != "" {
					t.Errorf("uploads that are recorded (-want +got):\n%s", diff)
				}
				if len(r.apart.kept) == 0 {
					t.Fatal("nothing was set aside")
				}
				kept := r.apart.kept[0]
				if kept.Seq != 3 || kept.Reason != quarantine.RefusedByStore || kept.Note == "" || !bytes.Equal(kept.Body, tc.entry.Body) {
					t.Errorf("set aside: %+v", kept)
				}
				if s := r.recorder.State(); s.Parked != 1 || s.Recorded != 4 || s.Stopped {
					t.Errorf("state: %+v", s)
				}
			})
		})
	}
}

func TestActsThatCannotBeReadDoNotStopTheRecorder(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		for range 30 {
			r.journal.add(journal.Entry{Kind: journal.Act, Body: []byte("of another version")})
		}
		pass(11 * time.Second)
		if s := r.recorder.State(); s.Parked != 30 || s.Recorded != 30 || s.Stopped {
			t.Errorf("state: %+v", s)
		}
	})
}
