package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/storage"
)

// bubble runs the test with fake time and ends the recorder.
func bubble(t *testing.T, samples int, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(samples)
		stop := r.run(t.Context())
		test(t, r)
		if err := stop(); err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // fake time inside a bubble
	synctest.Wait()
}

func TestABatchIsCommittedAfterItsTime(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.journal.add(entry("a"), entry("b"))
		pass(9 * time.Second)
		if got := r.store.serials(); len(got) != 0 {
			t.Errorf("recorded %v before ten seconds", got)
		}
		r.journal.add(entry("c"))
		pass(2 * time.Second)
		if diff := cmp.Diff([]string{"a", "b", "c"}, r.store.serials()); diff != "" {
			t.Errorf("recorded after ten seconds (-want +got):\n%s", diff)
		}
		if len(r.store.batches) != 1 {
			t.Errorf("%d batches, want one", len(r.store.batches))
		}
		if s := r.recorder.State(); s.Recorded != 3 {
			t.Errorf("recorded up to %d, want 3", s.Recorded)
		}
	})
}

func TestABatchIsCommittedWhenItIsFull(t *testing.T) {
	t.Parallel()
	bubble(t, 8, func(t *testing.T, r *rig) {
		r.journal.add(entry("a"), entry("b"), entry("c"))
		pass(time.Second)
		if diff := cmp.Diff([]string{"a", "b"}, r.store.serials()); diff != "" {
			t.Errorf("recorded at once (-want +got):\n%s", diff)
		}
		pass(11 * time.Second)
		if diff := cmp.Diff([]string{"a", "b", "c"}, r.store.serials()); diff != "" {
			t.Errorf("recorded in the end (-want +got):\n%s", diff)
		}
	})
}

func TestFlushRecordsWhatWaits(t *testing.T) {
	t.Parallel()
	bubble(t, 8, func(t *testing.T, r *rig) {
		for i := range 7 {
			r.journal.add(entry(strconv.Itoa(i)))
		}
		recorded, err := r.recorder.Flush(t.Context())
		if err != nil || recorded < 7 {
			t.Errorf("Flush = %d, %v; want 7", recorded, err)
		}
		if got := len(r.store.serials()); got != 7 {
			t.Errorf("%d entries recorded, want 7", got)
		}
	})
}

func TestFlushOfNothingReturns(t *testing.T) {
	t.Parallel()
	bubble(t, 8, func(t *testing.T, r *rig) {
		if n, err := r.recorder.Flush(t.Context()); n != 0 || err != nil {
			t.Errorf("Flush = %d, %v", n, err)
		}
	})
}

func TestTheBatchCarriesThePosition(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.journal.add(entry("a"), entry("b"))
		pass(11 * time.Second)
		b := r.store.batches[0]
		hash, _ := r.journal.Hash(t.Context(), 2)
		want := storage.Position{JournalID: "journal", Seq: 2, Hash: hash}
		if b.Position != want || b.FirstSeq != 1 || b.Node != "node" || b.Decoder != 1 {
			t.Errorf("batch of %q: %d to %+v with decoder %d, want node 1 to %+v with 1", b.Node, b.FirstSeq, b.Position, b.Decoder, want)
		}
		if got := b.Uploads[1].ReceivedAt; got != 2000 {
			t.Errorf("receive time of the second entry: got %d, want 2000", got)
		}
	})
}

func TestItGoesOnWhereTheStoreSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(20_000)
		r.journal.add(entry("a"), entry("b"), entry("c"))
		r.store.positions["journal"] = r.journal.position(2)
		stop := r.run(t.Context())
		pass(11 * time.Second)
		if diff := cmp.Diff([]string{"c"}, r.store.serials()); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
		_ = stop()
	})
}

func TestAnotherJournalIsRecordedFromItsBeginning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(20_000)
		r.journal.add(entry("a"))
		r.store.positions["former"] = storage.Position{JournalID: "former", Seq: 99}
		stop := r.run(t.Context())
		pass(11 * time.Second)
		if diff := cmp.Diff([]string{"a"}, r.store.serials()); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
		_ = stop()
	})
}

func TestAStoreThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.store.setRefuse(func(storage.Batch) error {
			return &halley.Error{Kind: halley.Unavailable, Op: "append", Code: "disk-full", Message: "the disk of the database is full"}
		})
		r.journal.add(entry("a"))
		pass(time.Minute)
		s := r.recorder.State()
		if s.Store != storage.Full || s.Problem != "The disk of the database is full." || s.Recorded != 0 {
			t.Errorf("state while the store is full: %+v", s)
		}
		if r.store.tries < 3 || r.store.tries > 30 {
			t.Errorf("%d tries within a minute, want some with growing waits", r.store.tries)
		}
		if _, err := r.recorder.Flush(t.Context()); halley.KindOf(err) != halley.Unavailable {
			t.Errorf("Flush while the store is full: %v, want Unavailable", err)
		}
		r.store.setRefuse(nil)
		r.journal.add(entry("b"))
		pass(30 * time.Second)
		if diff := cmp.Diff([]string{"a", "b"}, r.store.serials()); diff != "" {
			t.Errorf("recorded when the store was back (-want +got):\n%s", diff)
		}
		if s := r.recorder.State(); s.Store != storage.OK || s.Problem != "" {
			t.Errorf("state when the store was back: %+v", s)
		}
	})
}

func TestWhatIsNotTrustedGoesIntoQuarantine(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		held := entry("b")
		held.Quarantine = string(quarantine.NewDevice)
		broken := journal.Entry{Kind: journal.Upload, Family: halley.WiFi, Serial: "c", Body: []byte("broken")}
		foreign := journal.Entry{Kind: journal.Upload, Family: "other", Serial: "d", Body: []byte("x")}
		r.journal.add(entry("a"), held, broken, foreign, journal.Entry{Kind: journal.Event, Body: []byte("{}")})
		pass(11 * time.Second)
		want := map[string]quarantine.Reason{"b": quarantine.NewDevice, "c": quarantine.NotUnderstood, "d": quarantine.NotUnderstood}
		if diff := cmp.Diff(want, r.apart.reasons()); diff != "" {
			t.Errorf("in quarantine (-want +got):\n%s", diff)
		}
		var got []string
		for _, u := range r.store.batches[0].Uploads {
			got = append(got, fmt.Sprintf("%s %d", u.Serial, u.Admission))
		}
		if diff := cmp.Diff([]string{"a 0", "b 2", "c 2", "d 2"}, got); diff != "" {
			t.Errorf("serials and admissions in the batch (-want +got):\n%s", diff)
		}
		if s := r.recorder.State(); s.Recorded != 5 {
			t.Errorf("recorded up to %d, want 5", s.Recorded)
		}
	})
}

// refuseSerial makes the store refuse the content of one device's uploads.
func refuseSerial(serial string) func(storage.Batch) error {
	return func(b storage.Batch) error {
		for _, u := range b.Uploads {
			if u.Serial == serial {
				return fmt.Errorf("appending: %w", &storage.EntryError{Seq: u.Seq, Err: errors.New("year 2101")})
			}
		}
		return nil
	}
}

func TestAnEntryThatTheStoreRefusesBlocksNothing(t *testing.T) {
	t.Parallel()
	tests := map[string]func(storage.Batch) error{
		"named by the store": refuseSerial("b"),
		"found by halving": func(b storage.Batch) error {
			if refuseSerial("b")(b) != nil {
				return errors.New("no idea why")
			}
			return nil
		},
	}
	for name, refuse := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, 20_000, func(t *testing.T, r *rig) {
				r.store.setRefuse(refuse)
				r.journal.add(entry("a"), entry("b"), entry("c"), entry("d"))
				pass(11 * time.Second)
				if diff := cmp.Diff([]string{"a", "c", "d"}, r.store.serials()); diff != "" {
					t.Errorf("recorded (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(map[string]quarantine.Reason{"b": quarantine.RefusedByStore}, r.apart.reasons()); diff != "" {
					t.Errorf("in quarantine (-want +got):\n%s", diff)
				}
				if s := r.recorder.State(); s.Recorded != 4 || s.Parked != 1 || s.Store != storage.OK {
					t.Errorf("state: %+v", s)
				}
			})
		})
	}
}

func TestTenRefusalsInARowStopTheRecorder(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.store.setRefuse(func(b storage.Batch) error {
			if len(b.Uploads) > 0 {
				return &storage.EntryError{Seq: b.Uploads[0].Seq, Err: errors.New("broken table")}
			}
			return nil
		})
		for i := range 12 {
			r.journal.add(entry(strconv.Itoa(i)))
		}
		pass(time.Minute)
		if s := r.recorder.State(); !s.Stopped || !strings.Contains(s.Problem, "ten uploads") || s.Recorded != 0 {
			t.Errorf("state after ten refusals: %+v", s)
		}
	})
}

func TestReleasedUploadsKeepTheirFirstReceipt(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		e := entry("a")
		e.Kind, e.OriginalMicros, e.OriginalSeq = journal.Release, 555_000, 42
		r.journal.add(e)
		pass(11 * time.Second)
		u := r.store.batches[0].Uploads[0]
		if u.Seq != 42 || u.ReceivedAt != 555 {
			t.Errorf("released upload: seq %d received %d, want 42 and 555", u.Seq, u.ReceivedAt)
		}
	})
}

func TestTheRecorderYieldsToWaitingUploads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(4)
		r.journal.waiting = 1
		r.store.takes = func(storage.Batch) time.Duration { return 100 * time.Millisecond }
		for i := range 10 {
			r.journal.add(entry(strconv.Itoa(i)))
		}
		stop := r.run(t.Context())
		pass(2 * time.Second)
		if got := len(r.store.serials()); got < 2 || got > 3 {
			t.Errorf("%d batches of 100 ms within two busy seconds, want one in ten of the time", got)
		}
		r.journal.mu.Lock()
		r.journal.waiting = 0
		r.journal.mu.Unlock()
		pass(2 * time.Second)
		if got := len(r.store.serials()); got != 10 {
			t.Errorf("%d batches when it was calm again, want all ten", got)
		}
		_ = stop()
	})
}

func TestDrainRecordsWhatIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(8)
		stop := r.run(t.Context())
		for i := range 5 {
			r.journal.add(entry(strconv.Itoa(i)))
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		r.recorder.Drain(t.Context())
		if got := len(r.store.serials()); got != 5 {
			t.Errorf("%d entries recorded at the end, want 5", got)
		}
	})
}

func TestDrainLeavesAStoreThatIsAwayAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(8)
		r.store.setRefuse(func(storage.Batch) error { return &halley.Error{Kind: halley.Unavailable} })
		r.journal.add(entry("a"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r.recorder.Drain(ctx)
		if got := r.store.serials(); len(got) != 0 {
			t.Errorf("recorded %v", got)
		}
	})
}

func TestFlushEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(20_000) // never run
		r.journal.add(entry("a"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.recorder.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush without a recorder: %v, want the deadline", err)
		}
	})
}
