package ledger_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley/server/ledger"
	"halley/storage"
	chains "halley/storage/ledger"
)

func TestCheckpointsAreSignedAndNameTheOneBefore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := newRig(t, folder, openStore(t, filepath.Join(folder, "halley.db")))
	r.checkpoint(t, "start", "hour")
	note(t, r.store, "something")
	r.checkpoint(t, "hour", "day", "stop")
	if diff := cmp.Diff([]string{"start", "hour", "day"}, kinds(t, r.store)); diff != "" {
		t.Errorf("checkpoints, where nothing changed before the first hour and the stop (-want +got):\n%s", diff)
	}
	list, err := r.store.Checkpoints(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var before chains.Digest
	for _, c := range list {
		s, err := c.Check(r.keys.Public().Public)
		if err != nil || s.Previous != before || s.Heads.Fact.ID == 0 {
			t.Errorf("checkpoint %d: %v, previous %s, heads %+v", c.ID, err, s.Previous, s.Heads)
		}
		before = c.BodySum()
	}
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint-line-2.txt"))
	if err != nil || !bytes.Equal(text, list[2].Text()) {
		t.Errorf("the copy is %q, %v", text, err)
	}
	known, err := r.store.LedgerKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]chains.Key{r.keys.Public()}, known); diff != "" {
		t.Errorf("keys in the store (-want +got):\n%s", diff)
	}
}

func TestANewKeyIsSaidPlainly(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store := openStore(t, filepath.Join(folder, "halley.db"))
	newRig(t, folder, store).checkpoint(t, "start")
	if err := os.Remove(filepath.Join(folder, "keys", "ledger-line-2.key")); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, folder, store)
	r.checkpoint(t, "start")
	if diff := cmp.Diff([]string{"ledger-key-lost"}, r.codes()); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	known, err := store.LedgerKeys(t.Context())
	if err != nil || len(known) != 2 {
		t.Errorf("%d keys in the store, %v", len(known), err)
	}
	audit, err := store.Audit(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if e := audit[0]; e.What != "ledger.key" || !strings.Contains(e.Change.Why, "was not in the keys folder") {
		t.Errorf("audit: %+v", e)
	}
}

func TestCheckpointsAreDueEachHourAndDay(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		every      time.Duration
		after      string
		want, kind string
	}{
		"the next hour":             {time.Hour, "2026-11-21T14:16:00Z", "2026-11-21T15:00:00Z", "hour"},
		"the day at midnight":       {time.Hour, "2026-11-21T23:00:00Z", "2026-11-22T00:00:00Z", "day"},
		"an hour behind it":         {time.Hour, "2026-11-22T00:00:00Z", "2026-11-22T01:00:00Z", "hour"},
		"the day where it is once":  {24 * time.Hour, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "day"},
		"the day between odd steps": {7 * time.Hour, "2026-11-21T22:00:00Z", "2026-11-22T00:00:00Z", "day"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, t.TempDir(), nil, func(o *ledger.Options) { o.Config.CheckpointEvery.Duration = tc.every })
			after, err := time.Parse(time.RFC3339, tc.after)
			if err != nil {
				t.Fatal(err)
			}
			at, kind := r.Due(after)
			if got := at.Format(time.RFC3339); got != tc.want || kind != tc.kind {
				t.Errorf("due at %s (%s), want %s (%s)", got, kind, tc.want, tc.kind)
			}
		})
	}
}

func TestAStoreThatLacksTheNewestCheckpointWasSetBack(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store := openStore(t, filepath.Join(folder, "halley.db"))
	r := newRig(t, folder, store)
	r.checkpoint(t, "start")
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint-line-2.txt"))
	if err != nil {
		t.Fatal(err)
	}
	other := openStore(t, filepath.Join(t.TempDir(), "halley.db"))
	r = newRig(t, folder, other)
	r.checkpoint(t, "start", "hour")
	if diff := cmp.Diff([]string{"store-set-back"}, r.codes()); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	kept, err := filepath.Glob(filepath.Join(folder, "checkpoint-line-2-*.txt"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept copies: %v, %v", kept, err)
	}
	if got, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(got, text) {
		t.Errorf("the kept copy is %q, %v", got, err)
	}
	again := newRig(t, folder, other)
	again.checkpoint(t, "start")
	if !again.Look(t.Context()) {
		t.Error("the results could not be read")
	}
	proofs, err := other.Proofs(t.Context(), storage.ProofSetBack, 0, 10)
	if err != nil || len(proofs) != 1 || len(again.codes()) != 1 {
		t.Errorf("%d results, findings %v, %v; want one, also after a start", len(proofs), again.codes(), err)
	}
}

func TestSettingBackIsKeptOnceWithTheEndsOfTheChains(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := newRig(t, folder, openStore(t, filepath.Join(folder, "halley.db")))
	note(t, r.store, "something")
	heads, err := r.store.LedgerHeads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.SetBack(t.Context(), "store", "It was set back.", 1_700_000_000_000); err != nil {
			t.Fatal(err)
		}
	}
	proofs, err := r.store.Proofs(t.Context(), storage.ProofSetBack, 0, 10)
	if err != nil || len(proofs) != 1 || proofs[0].OK {
		t.Fatalf("results: %+v, %v", proofs, err)
	}
	if want := heads.Fact.Digest; !strings.Contains(proofs[0].Summary, `"to":1700000000000`) || heads.Fact.ID == 0 || want.IsZero() {
		t.Errorf("summary %s with the heads %+v", proofs[0].Summary, heads)
	}
	if f := r.Findings(); len(f) != 1 || f[0].Code != "store-set-back" || !strings.HasPrefix(f[0].Text, "It was set back.") {
		t.Errorf("findings: %+v", f)
	}
}

func TestSettingBackIsNotKeptWithoutTheEndsOfTheChains(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store := openStore(t, filepath.Join(folder, "halley.db"))
	r := newRig(t, folder, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.SetBack(t.Context(), "store", "It was set back.", 0); err == nil {
		t.Error("it was taken for kept")
	}
	if f := r.Findings(); len(f) != 0 {
		t.Errorf("findings: %+v", f)
	}
}
