package sqlserver_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
	"halley/storage/sqlserver"
	"halley/storage/storagetest"
)

// openAs opens a store and closes it when the test ends.
func openAs(t *testing.T, o sqlserver.Options) *sqlserver.Store {
	t.Helper()
	s, err := sqlserver.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestKeeperCarriesOutARetentionAndTheServiceDoesNot(t *testing.T) {
	t.Parallel()
	m := newMembership(t, "halley_keeper")
	service := openAs(t, m.ofOwner)
	f := storagetest.NewFeed(service)
	f.Seq = 1
	d := storagetest.WiFi("00000002", 10)
	for hour := 0; hour < 60; hour += 4 {
		at := storagetest.Start + halley.Millis(hour)*halley.Hour
		f.Append(t, d.Upload(0, d.Message(at, 20), d.Message(at+halley.Minute, 21)))
	}
	first := ledger.DayOf(storagetest.Start)
	now := storagetest.Start + 30*halley.Day
	stone := ledger.Tombstone{
		FromDay: first, ToDay: first + 2, At: now, ProposedBy: "anna", CarriedOutBy: "ben", Why: "as rule 17 says", KeyID: "0123456789abcdef",
		Body: []byte("body"), Signature: []byte("signature"),
	}
	change := halley.Change{Actor: halley.Actor{Kind: "command", Name: "ben"}, At: now}
	keeper := openAs(t, m.ofMember)
	if _, err := keeper.RemoveDay(t.Context(), first, 10); halley.KindOf(err) != halley.Conflict {
		t.Errorf("without a tombstone RemoveDay = %v, want a conflict", err)
	}
	if _, err := keeper.Append(t.Context(), storage.Batch{Node: "k", Position: storage.Position{JournalID: "k", Seq: 1}, FirstSeq: 1, RecordedAt: now, Decoder: 1}); err == nil {
		t.Error("the keeper may record")
	}
	before := lines(t, m.owner, "SELECT batch_id, day, count, digest FROM halley.part ORDER BY batch_id, day")
	if _, err := keeper.AddTombstone(t.Context(), stone, change); err != nil {
		t.Fatalf("AddTombstone: %v", err)
	}
	for day := first; day < first+2; day++ {
		for {
			n, err := keeper.RemoveDay(t.Context(), day, 17)
			if err != nil {
				t.Fatalf("RemoveDay: %v", err)
			}
			if n == 0 {
				break
			}
		}
	}
	rows, parts, err := keeper.CountDays(t.Context(), first, first+2)
	if err != nil || rows != 0 || parts == 0 {
		t.Errorf("CountDays of what was removed = %d, %d, %v, want no rows and the parts", rows, parts, err)
	}
	if rows, _, err = keeper.CountDays(t.Context(), first+2, first+3); err != nil || rows == 0 {
		t.Errorf("CountDays of the day after = %d, %v, want its rows", rows, err)
	}
	if diff := cmp.Diff(before, lines(t, m.owner, "SELECT batch_id, day, count, digest FROM halley.part ORDER BY batch_id, day")); diff != "" {
		t.Errorf("digests of parts (-before +after):\n%s", diff)
	}
	packs := lines(t, m.owner, "SELECT DISTINCT day FROM halley.part WHERE pack IS NOT NULL")
	want := lines(t, m.owner, "SELECT DISTINCT measured_at / 86400000 FROM halley.message")
	if diff := cmp.Diff(want, packs); diff != "" {
		t.Errorf("days that have packs (-those that have messages +got):\n%s", diff)
	}
}

func TestServiceMayNotRemoveAndTheKeeperMay(t *testing.T) {
	t.Parallel()
	if m := newMembership(t, "halley_keeper"); sqlserver.MayRemove(t.Context(), m.ofMember) != nil {
		t.Errorf("MayRemove of the keeper: %v", sqlserver.MayRemove(t.Context(), m.ofMember))
	}
	m := newMembership(t, "halley_service")
	if err := sqlserver.MayRemove(t.Context(), m.ofMember); halley.KindOf(err) != halley.Forbidden {
		t.Errorf("MayRemove of the service = %v, want forbidden", err)
	}
	s := openAs(t, m.ofMember)
	day := ledger.DayOf(storagetest.Start)
	at := storagetest.Start + 30*halley.Day
	_, err := s.AddTombstone(t.Context(), ledger.Tombstone{
		FromDay: day, ToDay: day + 1, At: at, ProposedBy: "anna", CarriedOutBy: "ben", Why: "x", KeyID: "0", Body: []byte("b"), Signature: []byte("s"),
	}, halley.Change{Actor: halley.Actor{Kind: "command", Name: "ben"}, At: at})
	if err == nil {
		t.Error("the service may write a tombstone")
	}
	if got := lines(t, m.owner, "SELECT COUNT(*) FROM halley.tombstone"); got[0] != "0" {
		t.Errorf("there are %s tombstones", got[0])
	}
}
