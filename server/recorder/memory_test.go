package recorder_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/protocols"
	"halley/server/journal"
	"halley/server/recorder"
	"halley/storage"
)

// remembering is a rig whose recorder remembers its batches in a folder.
type remembering struct {
	*rig
	dir string

	mu    sync.Mutex
	heard []recorder.SetBack
	// deaf is what telling of a store that was set back fails with.
	deaf error
}

func (r *remembering) hear(s recorder.SetBack) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deaf == nil {
		r.heard = append(r.heard, s)
	}
	return r.deaf
}

func (r *remembering) setDeaf(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf = err
}

// told gives what was told.
func (r *remembering) told() []recorder.SetBack {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heard)
}

func newRemembering(t *testing.T, dir string, j *memory, d *database) *remembering {
	t.Helper()
	m, err := journal.OpenMemory(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("opening the memory: %v", err)
	}
	r := &remembering{rig: &rig{journal: j, store: d, apart: &apart{}}, dir: dir}
	r.recorder = recorder.New(recorder.Options{
		Node: "node", Journal: j, Store: chained{d}, Quarantine: r.apart, Families: protocols.Set{plain{}},
		Decoded: func(uint64) (*halley.Upload, bool) { return nil, false },
		Every:   10 * time.Second, Samples: 20_000, Recorded: func(context.Context, recorder.Progress) {},
		Memory: m, Log: slog.New(slog.DiscardHandler),
		SetBack: func(_ context.Context, s recorder.SetBack) error { return r.hear(s) },
	})
	return r
}

// chained gives batches digests as a ledger would, over the batches before and what is in them.
type chained struct{ *database }

func (c chained) Append(ctx context.Context, b storage.Batch) (storage.Appended, error) {
	done, err := c.database.Append(ctx, b)
	c.mu.Lock()
	defer c.mu.Unlock()
	h := sha256.New()
	for _, b := range c.batches {
		_ = binary.Write(h, binary.BigEndian, []uint64{b.FirstSeq, b.Seq, uint64(len(b.Uploads))})
	}
	done.Digest = [32]byte(h.Sum(nil))
	return done, err
}

// keep puts the store back to its first batches.
func (d *database) keep(batches int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.batches = d.batches[:batches]
	d.positions = map[string]storage.Position{}
	for _, b := range d.batches {
		d.positions[b.JournalID] = b.Position
	}
}

func (d *database) ranges() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, b := range d.batches {
		all = append(all, fmt.Sprintf("%s %d-%d", b.JournalID, b.FirstSeq, b.Seq))
	}
	return all
}

// record runs the recorder for so long.
func (r *remembering) record(t *testing.T, d time.Duration) {
	t.Helper()
	stop := r.run(t.Context())
	pass(d)
	if err := stop(); err != nil {
		t.Errorf("Run ended with %v", err)
	}
}

// threeBatches records five entries in batches of 2, 1 and 2.
func threeBatches(t *testing.T, dir string) (*memory, *database) {
	t.Helper()
	j, d := newMemory(), newDatabase()
	r := newRemembering(t, dir, j, d)
	stop := r.run(t.Context())
	for _, serials := range [][]string{{"a", "b"}, {"c"}, {"d", "e"}} {
		for _, s := range serials {
			j.add(entry(s))
		}
		pass(11 * time.Second)
	}
	if err := stop(); err != nil {
		t.Fatalf("Run ended with %v", err)
	}
	if diff := cmp.Diff([]string{"journal 1-2", "journal 3-3", "journal 4-5"}, d.ranges()); diff != "" {
		t.Fatalf("batches (-want +got):\n%s", diff)
	}
	if len(r.told()) != 0 {
		t.Fatalf("told of %+v", r.told())
	}
	return j, d
}

func TestAStoreThatWasSetBackGetsTheSameBatchesAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kept int
		text string
		to   bool
	}{
		"by the last one": {2, "entry 5 was recorded in it", true},
		"by two":          {1, "set back to ", true},
		"to nothing":      {0, "or is another one", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				j, d := threeBatches(t, dir)
				d.keep(tc.kept)
				j.add(entry("f"))
				r := newRemembering(t, dir, j, d)
				r.record(t, time.Minute)
				if diff := cmp.Diff([]string{"journal 1-2", "journal 3-3", "journal 4-5", "journal 6-6"}, d.ranges()); diff != "" {
					t.Errorf("batches (-want +got):\n%s", diff)
				}
				if len(r.told()) != 1 || r.told()[0].What != "store" || !strings.Contains(r.told()[0].Text, tc.text) || (r.told()[0].To != 0) != tc.to {
					t.Errorf("told of %+v", r.told())
				}
				if s := r.recorder.State(); s.Differs != nil || s.Recorded != 6 {
					t.Errorf("state: %+v", s)
				}
				next := newRemembering(t, dir, j, d)
				next.record(t, time.Minute)
				if len(next.told()) != 0 {
					t.Errorf("told again after a start: %+v", next.told())
				}
			})
		})
	}
}

func TestAStoreThatIsSetBackWhileTheServerRunsIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j, d := threeBatches(t, dir)
		r := newRemembering(t, dir, j, d)
		stop := r.run(t.Context())
		pass(time.Second)
		d.keep(1)
		pass(time.Minute)
		if len(r.told()) != 1 || r.told()[0].What != "store" {
			t.Errorf("told of %+v", r.told())
		}
		if diff := cmp.Diff([]string{"journal 1-2", "journal 3-3", "journal 4-5"}, d.ranges()); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		_ = stop()
	})
}

func TestNothingIsRecordedBeforeItIsToldThatTheStoreWasSetBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j, d := threeBatches(t, dir)
		d.keep(1)
		r := newRemembering(t, dir, j, d)
		r.setDeaf(errors.New("no answer"))
		stop := r.run(t.Context())
		pass(time.Minute)
		if n := len(d.ranges()); n != 1 {
			t.Errorf("%d batches are in the store", n)
		}
		r.setDeaf(nil)
		pass(time.Minute)
		if n := len(d.ranges()); n != 3 || len(r.told()) != 1 {
			t.Errorf("%d batches are in the store, told of %+v", n, r.told())
		}
		_ = stop()
	})
}

func TestABatchThatComesToSomethingElseIsAFinding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j, d := threeBatches(t, dir)
		d.keep(2)
		d.batches[0].Uploads = nil // the database was changed before it was put back
		r := newRemembering(t, dir, j, d)
		r.record(t, time.Minute)
		got := r.recorder.State().Differs
		if got == nil {
			t.Fatal("nothing was found")
		}
		want := recorder.Difference{At: got.At, FirstSeq: 4, LastSeq: 5, Before: 3, After: 3}
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("difference (-want +got):\n%s", diff)
		}
	})
}

func TestARenewedJournalIsRecordedInTheSameBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j, d := threeBatches(t, dir)
		d.positions["journal"] = storage.Position{JournalID: "journal", Seq: 9}
		r := newRemembering(t, dir, j, d)
		r.record(t, time.Minute)
		want := []string{"journal 1-2", "journal 3-3", "journal 4-5", "journal+ 1-2", "journal+ 3-3", "journal+ 4-5", "journal+ 6-6"}
		if diff := cmp.Diff(want, d.ranges()); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		if len(r.told()) != 1 || r.told()[0].What != "journal" || !strings.Contains(r.told()[0].Text, "older copy") {
			t.Errorf("told of %+v", r.told())
		}
		if s := r.recorder.State(); s.Differs != nil {
			t.Errorf("what a journal of another id came to was compared: %+v", s.Differs)
		}
	})
}

func TestABatchThatIsTooLargeForTheStoreIsDivided(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j, d := newMemory(), newDatabase()
		for range 8 {
			j.add(heavy(5000))
		}
		first := newRemembering(t, dir, j, d)
		first.record(t, time.Minute)
		before := d.ranges()
		d.keep(0)
		d.setRefuse(func(b storage.Batch) error {
			if samplesOf(b) > 10_000 {
				return &halley.Error{Kind: halley.Unavailable, Code: storage.CodeBusy, Message: "busy"}
			}
			return nil
		})
		r := newRemembering(t, dir, j, d)
		r.record(t, 10*time.Minute)
		if s := r.recorder.State(); s.Recorded != 8 || len(d.ranges()) <= len(before) {
			t.Errorf("state %+v with the batches %v, before %v", s, d.ranges(), before)
		}
	})
}

func TestEntriesBetweenRememberedBatchesKeepToTheirBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j, d := newMemory(), newDatabase()
		d.lose = func(b storage.Batch) bool { return b.FirstSeq == 3 } // is stored and not remembered
		r := newRemembering(t, dir, j, d)
		stop := r.run(t.Context())
		for _, serials := range [][]string{{"a", "b"}, {"c", "d"}, {"e", "f"}} {
			for _, s := range serials {
				j.add(entry(s))
			}
			pass(20 * time.Second)
		}
		_ = stop()
		want := d.ranges()
		d.keep(0)
		d.set(func(d *database) { d.lose = nil })
		again := newRemembering(t, dir, j, d)
		again.record(t, time.Minute)
		if diff := cmp.Diff(want, d.ranges()); diff != "" || len(want) != 3 {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
	})
}
