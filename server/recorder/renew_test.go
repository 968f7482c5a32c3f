package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/protocols"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/server/recorder"
	"halley/storage"
)

func TestAForeignPositionRenewsTheJournal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		position func(*memory) storage.Position
		pruned   int
		want     []string
		why      string
	}{
		"where the files are an older copy": {
			func(m *memory) storage.Position { return storage.Position{JournalID: "journal", Seq: 9} },
			0,
			[]string{"a", "b", "c"},
			"older copy",
		},
		"where they differ at the position": {
			func(m *memory) storage.Position {
				return storage.Position{JournalID: "journal", Seq: 2, Hash: [32]byte{1}}
			},
			0,
			[]string{"a", "b", "c"},
			"differs",
		},
		"where they begin behind it": {
			func(m *memory) storage.Position { return storage.Position{JournalID: "journal", Seq: 1} },
			2,
			[]string{"c"},
			"older state",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(20_000)
				r.journal.add(entry("a"), entry("b"), entry("c"))
				r.journal.pruned = tc.pruned
				foreign := tc.position(r.journal)
				r.store.positions["journal"] = foreign
				stop := r.run(t.Context())
				pass(15 * time.Second)
				if diff := cmp.Diff(tc.want, r.store.serials()); diff != "" {
					t.Errorf("recorded under the new id (-want +got):\n%s", diff)
				}
				first := r.store.batches[0]
				if first.JournalID != "journal+" || first.FirstSeq != uint64(tc.pruned+1) || first.Seq != 4 {
					t.Errorf("the first batch is %s %d to %d", first.JournalID, first.FirstSeq, first.Seq)
				}
				if r.store.positions["journal"] != foreign {
					t.Error("the position of the other journal was touched")
				}
				s := r.recorder.State()
				if s.Stopped || s.Store != storage.OK || s.Problem != "" || s.Renewed == nil {
					t.Fatalf("state: %+v", s)
				}
				want := recorder.Renewal{At: s.Since, Why: s.Renewed.Why, OldID: "journal", NewID: "journal+"}
				if diff := cmp.Diff(want, *s.Renewed); diff != "" || !strings.Contains(s.Renewed.Why, tc.why) {
					t.Errorf("renewed for %q (-want +got):\n%s", s.Renewed.Why, diff)
				}
				if e := r.journal.entries[3]; e.Kind != journal.Event || string(e.Body) != s.Renewed.Why {
					t.Errorf("in the journal: %+v, want why it was renewed", e)
				}
				pass(time.Hour)
				if r.journal.ID() != "journal+" || len(r.store.batches) != 1 {
					t.Errorf("an hour later: %s, %d batches", r.journal.ID(), len(r.store.batches))
				}
				if err := stop(); err != nil {
					t.Errorf("Run ended with %v", err)
				}
			})
		})
	}
}

func TestAJournalThatCannotBeRenewedIsNotRecorded(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		pass(time.Second)
		r.journal.set(func(m *memory) { m.fixed = errors.New("disk full") })
		r.store.set(func(d *database) { d.positions["journal"] = storage.Position{JournalID: "journal", Seq: 9} })
		r.journal.add(entry("a"))
		pass(time.Minute)
		s := r.recorder.State()
		if s.Store != storage.OK || s.Code != "journal-identity" || s.Renewed != nil || len(r.store.batches) != 0 {
			t.Errorf("state: %+v after %d batches", s, len(r.store.batches))
		}
		r.journal.set(func(m *memory) { m.fixed = nil })
		pass(30 * time.Second)
		if s := r.recorder.State(); s.Renewed == nil || s.Problem != "" || len(r.store.batches) != 1 {
			t.Errorf("state when it could be: %+v after %d batches", s, len(r.store.batches))
		}
	})
}

func TestAPrunedJournalBeginsAtItsFirstEntry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(20_000)
		r.journal.add(entry("a"), entry("b"), entry("c"))
		r.journal.pruned = 2
		stop := r.run(t.Context())
		pass(time.Second)
		if s := r.recorder.State(); s.Recorded != 2 {
			t.Errorf("recorded up to %d before the first batch, want what is pruned left out", s.Recorded)
		}
		pass(10 * time.Second)
		if b := r.store.batches[0]; b.FirstSeq != 3 || b.Seq != 3 {
			t.Errorf("the first batch is %d to %d, want 3 to 3", b.FirstSeq, b.Seq)
		}
		_ = stop()
	})
}

func TestReleasedUploadsLeaveTheQuarantineOnceTheyAreRecorded(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		held := entry("a")
		held.Quarantine = string(quarantine.TwoSenders)
		r.journal.add(held)
		released := entry("a")
		released.Kind, released.OriginalSeq, released.OriginalMicros = journal.Release, 1, 1_000_000
		r.journal.add(released)
		pass(11 * time.Second)
		want := []quarantine.Upload{{
			Key: halley.DeviceKey{Family: halley.WiFi, Serial: "a"}, JournalID: "journal", Seq: 1, ReceivedMicros: 1_000_000, Body: []byte("a"),
		}}
		if diff := cmp.Diff(want, r.apart.forgotten); diff != "" {
			t.Errorf("taken out of quarantine (-want +got):\n%s", diff)
		}
	})
}

// known gives the uploads that were recorded, whichever journal they came from.
func (d *database) known() map[string]bool {
	all := map[string]bool{}
	for _, s := range d.serials() {
		all[s] = true
	}
	return all
}

// record runs a server on a journal on disk until everything is recorded.
func record(t *testing.T, store *database, j *journal.Journal) recorder.State {
	t.Helper()
	return runUntilRecorded(t, j, recorder.Options{
		Node: "node", Journal: j, Store: store, Quarantine: &apart{}, Families: protocols.Set{plain{}},
		Decoded: func(uint64) (*halley.Upload, bool) { return nil, false },
		Every:   time.Hour, Samples: 20_000, Recorded: func(context.Context, recorder.Progress) {}, Log: testLog(t),
	})
}

func runUntilRecorded(t *testing.T, j *journal.Journal, options recorder.Options) recorder.State {
	t.Helper()
	r := recorder.New(options)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for first := true; first || r.State().Recorded < j.Last(); first = false {
		if _, err := r.Flush(ctx); err != nil {
			t.Fatalf("flush: %v", err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatalf("run: %v", err)
	}
	return r.State()
}

func TestTwoClonesOfOneServerBothRecordEverythingAndPartForGood(t *testing.T) {
	t.Parallel()
	store := newDatabase()
	dir, copied := t.TempDir(), t.TempDir()
	first := openJournal(t, dir)
	appendAll(t, first, "shared 1", "shared 2", "shared 3")
	record(t, store, first)
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	copyFiles(t, dir, copied)

	servers := []*journal.Journal{openJournal(t, dir), openJournal(t, copied)}
	origin := servers[0].ID()
	renewed := 0
	for round := range 5 {
		for i, j := range servers {
			appendAll(t, j, fmt.Sprintf("server %d round %d", i, round), fmt.Sprintf("server %d round %d again", i, round))
			if s := record(t, store, j); s.Renewed != nil {
				renewed++
				if i == 0 || s.Renewed.OldID != origin || s.Renewed.NewID != j.ID() {
					t.Errorf("server %d was renewed in round %d: %+v", i, round, s.Renewed)
				}
			}
		}
	}
	if renewed != 1 {
		t.Errorf("journals were renewed %d times, want only the copy's, once", renewed)
	}
	if servers[0].ID() == servers[1].ID() {
		t.Error("both servers still use one journal id")
	}
	want := map[string]bool{"shared 1": true, "shared 2": true, "shared 3": true}
	for round := range 5 {
		for i := range servers {
			want["server "+strconv.Itoa(i)+" round "+strconv.Itoa(round)] = true
			want["server "+strconv.Itoa(i)+" round "+strconv.Itoa(round)+" again"] = true
		}
	}
	if diff := cmp.Diff(want, store.known()); diff != "" {
		t.Errorf("in the database (-want +got):\n%s", diff)
	}
	positions := map[string]bool{}
	for id := range store.positions {
		positions[id] = true
	}
	if diff := cmp.Diff(map[string]bool{servers[0].ID(): true, servers[1].ID(): true}, positions); diff != "" {
		t.Errorf("journals in the database (-want +got):\n%s", diff)
	}
}

func openJournal(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: dir, Log: testLog(t)})
	if err != nil {
		t.Fatalf("opening the journal: %v", err)
	}
	t.Cleanup(func() { _ = j.Close(context.WithoutCancel(t.Context())) })
	return j
}

func appendAll(t *testing.T, j *journal.Journal, serials ...string) {
	t.Helper()
	for _, s := range serials {
		if _, err := j.Append(t.Context(), entry(s)); err != nil {
			t.Fatalf("append: %v", err)
		}
	}
}

func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(from, "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("files to copy: %v, %v", paths, err)
	}
	for _, path := range paths {
		copyFile(t, path, filepath.Join(to, filepath.Base(path)))
	}
}
