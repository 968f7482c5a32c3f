package retention_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	signing "halley/server/ledger"
	"halley/server/retention"
	"halley/storage/ledger"
	"halley/storage/ledger/verify"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// TestRemovalLeavesAStoreThatKeepsToItsLedger goes the whole way on a real store, with a real key.
func TestRemovalLeavesAStoreThatKeepsToItsLedger(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "halley.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	keys, err := signing.Open(filepath.Join(t.TempDir(), "keys"), "a")
	if err != nil {
		t.Fatal(err)
	}
	f := storagetest.NewFeed(s)
	d, other := storagetest.WiFi("00000001", 10), storagetest.WiFi("00000002", 1)
	for hour := 0; hour < 96; hour += 4 {
		at := storagetest.Start + halley.Millis(hour)*halley.Hour
		f.Append(t, d.Upload(0, d.Message(at, 20), d.Message(at+halley.Minute, 21)), other.Upload(0, other.Message(at, float64(hour))))
	}
	first := ledger.DayOf(storagetest.Start)
	at := storagetest.Start + 40*halley.Day
	change := func(name string) halley.Change {
		return halley.Change{Actor: halley.Actor{Kind: "command", Name: name}, At: at, Why: "as rule 17 says"}
	}
	r := retention.New(s)
	p, err := r.Plan(t.Context(), first+2, change("anna"))
	if err != nil {
		t.Fatal(err)
	}
	order := retention.Order{Plan: p.ID, Change: change("ben"), Sign: keys.SignRemoval}
	if _, err := r.CarryOut(t.Context(), order); halley.KindOf(err) != halley.Conflict {
		t.Fatalf("with a key that the store does not know CarryOut = %v, want a conflict", err)
	}
	if err := s.AddLedgerKey(t.Context(), keys.Public(), change("halley")); err != nil {
		t.Fatal(err)
	}
	got, err := r.CarryOut(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != p.Rows || got.Days != 2 || p.Rows == 0 {
		t.Errorf("CarryOut removed %d rows of %d days, want the %d of the plan", got.Rows, got.Days, p.Rows)
	}
	for day, want := range map[int64]bool{first: false, first + 1: false, first + 2: true} {
		rows, parts, err := s.CountDays(t.Context(), day, day+1)
		if err != nil {
			t.Fatal(err)
		}
		if (rows > 0) != want || parts == 0 {
			t.Errorf("day %d has %d rows and %d parts, want rows: %t, and its parts", day-first, rows, parts, want)
		}
	}
	stones, err := s.Tombstones(t.Context())
	if err != nil || len(stones) != 1 {
		t.Fatalf("Tombstones = %v, %v, want one", stones, err)
	}
	removal, err := ledger.ParseRemoval(stones[0].Body)
	if err != nil || !ledger.SignatureHolds(keys.Public().Public, stones[0].Body, stones[0].Signature) {
		t.Errorf("the tombstone cannot be checked: %v", err)
	}
	if removal.Rows != p.Rows || removal.Parts != p.Parts {
		t.Errorf("the tombstone counts %d rows and %d parts, want %d and %d", removal.Rows, removal.Parts, p.Rows, p.Parts)
	}
	plans, err := r.Plans(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	p.State = retention.Done
	if diff := cmp.Diff([]retention.Plan{p}, plans); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
	storagetest.CheckLedger(t, s)
	result, err := verify.Run(t.Context(), verify.Options{Source: s, Keys: []ledger.Key{keys.Public()}})
	if err != nil || result.Count != 0 || result.Batches != 24 || result.Samples == 0 {
		t.Errorf("after the removal verification gives %+v, %v", result, err)
	}
}
