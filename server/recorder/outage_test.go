package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/server/recorder"
	"halley/storage"
)

func unavailable(code, message string) error {
	return &halley.Error{Kind: halley.Unavailable, Op: "append a batch", Code: code, Message: message}
}

func TestABatchWhoseAnswerWasLostIsRecordedOnce(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		lost := 0
		r.store.set(func(d *database) {
			d.lose = func(storage.Batch) bool { lost++; return lost == 1 }
		})
		held := entry("b")
		held.Quarantine = string(quarantine.NewDevice)
		r.journal.add(entry("a"), held)
		pass(15 * time.Second)
		r.journal.add(entry("c"))
		pass(15 * time.Second)
		if diff := cmp.Diff([]string{"a", "b", "c"}, r.store.serials()); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
		if s := r.recorder.State(); s.Recorded != 3 || s.Store != storage.OK || s.Problem != "" || s.Parked != 0 {
			t.Errorf("state: %+v", s)
		}
		want := []recorder.Progress{
			{Seq: 2, Quarantined: true, Appended: storage.Appended{DevicesChanged: true}},
			{Seq: 3, Appended: storage.Appended{BatchID: 2, Messages: 1}},
		}
		if diff := cmp.Diff(want, r.progress); diff != "" {
			t.Errorf("what others were told of the batches (-want +got):\n%s", diff)
		}
	})
}

func TestARangeThatIsRecordedAlreadyIsLeftOut(t *testing.T) {
	t.Parallel()
	tests := map[string]error{
		"the store says so":      &halley.Error{Kind: halley.Conflict, Code: storage.CodeRecorded, Message: "recorded already"},
		"the position has moved": nil,
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, 20_000, func(t *testing.T, r *rig) {
				start := r.recorder.State().Since
				r.journal.add(entry("a"))
				pass(11 * time.Second)
				r.journal.add(entry("b"), entry("c"))
				record := func(d *database) { d.positions["journal"] = r.journal.position(2) }
				if answer == nil {
					r.store.set(record)
				}
				once := false
				r.store.setRefuse(func(storage.Batch) error {
					if answer == nil || once {
						return nil
					}
					once = true
					record(r.store) // the fake holds its lock here
					return answer
				})
				pass(25 * time.Second)
				if diff := cmp.Diff([]string{"a", "c"}, r.store.serials()); diff != "" {
					t.Errorf("recorded by this one (-want +got):\n%s", diff)
				}
				if s := r.recorder.State(); s.Recorded != 3 || s.Parked != 0 || s.Store != storage.OK || s.Since != start || s.Renewed != nil {
					t.Errorf("state: %+v", s)
				}
				if len(r.apart.kept) != 0 {
					t.Errorf("in quarantine: %v", r.apart.kept)
				}
			})
		})
	}
}

func TestAConflictThatStaysIsAProblemAndNoEntryAtFault(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.store.setRefuse(func(storage.Batch) error {
			return &halley.Error{Kind: halley.Conflict, Code: storage.CodeRecorded, Message: "recorded already"}
		})
		r.journal.add(entry("a"), entry("b"))
		pass(time.Minute)
		s := r.recorder.State()
		if s.Store != storage.Away || s.Problem == "" || s.Parked != 0 || s.Stopped || len(r.apart.kept) != 0 {
			t.Errorf("state: %+v, in quarantine %v", s, r.apart.kept)
		}
		if r.store.tries > 30 {
			t.Errorf("%d tries within a minute, want growing waits", r.store.tries)
		}
	})
}

func TestAStorePutBackWhileRunningIsRecordedWithoutAGap(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		seq  uint64
		want []string
	}{
		"to an older state":  {1, []string{"a", "b", "c", "b", "c", "d"}},
		"to an empty one":    {0, []string{"a", "b", "c", "a", "b", "c", "d"}},
		"to what it was now": {3, []string{"a", "b", "c", "d"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, 20_000, func(t *testing.T, r *rig) {
				r.journal.add(entry("a"), entry("b"), entry("c"))
				pass(11 * time.Second)
				r.store.set(func(d *database) {
					delete(d.positions, "journal")
					if tc.seq > 0 {
						d.positions["journal"] = r.journal.position(tc.seq)
					}
				})
				r.journal.add(entry("d"))
				pass(25 * time.Second)
				if diff := cmp.Diff(tc.want, r.store.serials()); diff != "" {
					t.Errorf("recorded (-want +got):\n%s", diff)
				}
				if s := r.recorder.State(); s.Recorded != 4 || s.Renewed != nil || s.Store != storage.OK {
					t.Errorf("state: %+v", s)
				}
			})
		})
	}
}

func TestAStorePutBackIsNoticedWithoutAnUpload(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.journal.add(entry("a"))
		pass(11 * time.Second)
		r.store.set(func(d *database) { clear(d.positions) })
		pass(recorder.LookAgain + 11*time.Second)
		if diff := cmp.Diff([]string{"a", "a"}, r.store.serials()); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

func TestAnOutageIsNoticedWithoutAnUpload(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		pass(time.Second)
		r.store.set(func(d *database) { d.gone = unavailable("", "the server refuses connections") })
		pass(recorder.LookAgain)
		s := r.recorder.State()
		if s.Store != storage.Away || s.Problem != "The server refuses connections." || s.Since == 0 {
			t.Errorf("state in an outage: %+v", s)
		}
		r.store.set(func(d *database) { d.gone = nil })
		pass(16 * time.Second)
		if s := r.recorder.State(); s.Store != storage.OK || s.Problem != "" || s.Code != "" {
			t.Errorf("state after it: %+v", s)
		}
	})
}

func TestSinceIsTheBeginningOfTheState(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		start := r.recorder.State().Since
		r.journal.add(entry("a"))
		pass(11 * time.Second)
		if s := r.recorder.State(); s.Since != start || s.Store != storage.OK {
			t.Errorf("state at the beginning: %+v, want since %s", s, start)
		}
		r.store.setRefuse(func(storage.Batch) error { return unavailable("", "the server refuses connections") })
		r.journal.add(entry("b"))
		pass(11 * time.Second)
		away := r.recorder.State()
		if away.Store != storage.Away || away.Since <= start {
			t.Errorf("state in an outage: %+v", away)
		}
		r.store.setRefuse(func(storage.Batch) error { return unavailable("other", "the login fails") })
		pass(20 * time.Second)
		other := r.recorder.State()
		want := recorder.State{Recorded: 1, Store: storage.Away, Since: away.Since, Problem: "The login fails.", Code: "other"}
		if diff := cmp.Diff(want, other); diff != "" {
			t.Errorf("state when the problem changed (-want +got):\n%s", diff)
		}
		r.store.setRefuse(func(storage.Batch) error { return unavailable(storage.CodeReadOnly, "the database is read-only") })
		pass(20 * time.Second)
		if s := r.recorder.State(); s.Store != storage.ReadOnly || s.Since <= away.Since {
			t.Errorf("state when the store could be read: %+v", s)
		}
	})
}

func TestAStoreThatWasNeverReachedIsAwaySinceTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(20_000)
		start := recorder.Instant()
		r.store.set(func(d *database) { d.answers, d.gone = 7*time.Second, unavailable("", "the server cannot be reached") })
		stop := r.run(t.Context())
		pass(time.Second)
		if s := r.recorder.State(); s.Store != storage.OK || s.Problem != "" {
			t.Errorf("state before the first answer: %+v", s)
		}
		pass(time.Minute)
		want := recorder.State{Store: storage.Away, Since: start, Problem: "The server cannot be reached."}
		if diff := cmp.Diff(want, r.recorder.State()); diff != "" {
			t.Errorf("state (-want +got):\n%s", diff)
		}
		_ = stop()
	})
}

func TestAStoreThatDoesNotAnswerIsAwayAndBlocksNobody(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.journal.add(entry("a"))
		pass(11 * time.Second)
		r.store.set(func(d *database) { d.takes = func(storage.Batch) time.Duration { return 30 * time.Second } })
		r.journal.add(entry("b"))
		pass(10 * time.Second) // the batch is due and begins
		began := recorder.Instant()
		pass(recorder.Silence - time.Second)
		if s := r.recorder.State(); s.Store != storage.OK {
			t.Errorf("state of a store that may still answer: %+v", s)
		}
		pass(2 * time.Second)
		s := r.recorder.State()
		if s.Store != storage.Away || s.Problem == "" || s.Code != "no-answer" || s.Since != began {
			t.Errorf("state of a store that does not answer: %+v, want away since %s", s, began)
		}
		if _, err := r.recorder.Flush(t.Context()); halley.KindOf(err) != halley.Unavailable {
			t.Errorf("flush while the store does not answer: %v, want Unavailable", err)
		}
		pass(30 * time.Second)
		if s := r.recorder.State(); s.Store != storage.OK || s.Recorded != 2 {
			t.Errorf("state when it has answered: %+v", s)
		}
	})
}

func TestAnImpatientCallerDoesNotHammerAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.store.setRefuse(func(storage.Batch) error { return unavailable("", "the server refuses connections") })
		r.journal.add(entry("a"))
		pass(time.Minute)
		r.store.tries = 0
		for range 600 {
			r.recorder.Hurry()
			pass(100 * time.Millisecond)
		}
		if n := r.store.tries; n < 30 || n > 61 {
			t.Errorf("%d tries within a minute of asking ten times a second, want about one a second", n)
		}
		r.store.setRefuse(nil)
		r.recorder.Hurry()
		pass(2 * time.Second)
		if diff := cmp.Diff([]string{"a"}, r.store.serials()); diff != "" {
			t.Errorf("recorded when asked for (-want +got):\n%s", diff)
		}
	})
}

func TestAFaultOfThisMachineBlamesNoEntry(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code string
		on   func(*rig)
		off  func(*rig)
	}{
		"the quarantine cannot be written": {
			"quarantine-failing",
			func(r *rig) { r.apart.broken = errors.New("disk error") },
			func(r *rig) { r.apart.broken = nil },
		},
		"the journal cannot be read": {
			"journal-unreadable",
			func(r *rig) { r.journal.set(func(m *memory) { m.unreadable = errors.New("disk error") }) },
			func(r *rig) { r.journal.set(func(m *memory) { m.unreadable = nil }) },
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, 20_000, func(t *testing.T, r *rig) {
				r.apart.mu.Lock()
				tc.on(r)
				r.apart.mu.Unlock()
				for i := range 20 {
					held := entry(strconv.Itoa(i))
					held.Quarantine = string(quarantine.NewDevice)
					r.journal.add(held)
				}
				pass(time.Minute)
				s := r.recorder.State()
				if s.Store != storage.OK || s.Problem == "" || s.Code != tc.code || s.Parked != 0 || s.Stopped || s.Recorded != 0 {
					t.Errorf("state: %+v, want a problem of this machine", s)
				}
				e := new(halley.Error)
				if _, err := r.recorder.Flush(t.Context()); !errors.As(err, &e) || e.Kind != halley.Unavailable || e.Code != tc.code {
					t.Errorf("flush: %v, want Unavailable for the same reason", err)
				}
				r.apart.mu.Lock()
				tc.off(r)
				r.apart.mu.Unlock()
				pass(30 * time.Second)
				if s := r.recorder.State(); s.Recorded != 20 || s.Problem != "" {
					t.Errorf("state when it went by: %+v", s)
				}
			})
		})
	}
}

func TestFailuresAreToldInPlainEnglish(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want recorder.State
	}{
		"full":      {unavailable(storage.CodeFull, "the disk of the database is full"), recorder.State{Store: storage.Full, Problem: "The disk of the database is full.", Code: "disk-full"}},
		"read-only": {unavailable(storage.CodeReadOnly, "the database is read-only."), recorder.State{Store: storage.ReadOnly, Problem: "The database is read-only.", Code: "read-only"}},
		"older":     {unavailable(storage.CodeOlderSchema, `run "halley init"`), recorder.State{Store: storage.Away, Problem: `Run "halley init".`, Code: "older-schema"}},
		"locked":    {unavailable(storage.CodeBusy, "another program holds the database"), recorder.State{Store: storage.Away, Problem: "Another program holds the database.", Code: "busy"}},
		"no word":   {unavailable("", "élan"), recorder.State{Store: storage.Away, Problem: "Élan."}},
		"internal":  {&halley.Error{Message: "a text for the log"}, recorder.State{Store: storage.Away, Problem: "The database does not take batches now; the log says why.", Code: "store-failing"}},
		"unknown":   {errors.New("pq: no"), recorder.State{Store: storage.Away, Problem: "The database does not take batches now; the log says why.", Code: "store-failing"}},
		"deadline":  {context.DeadlineExceeded, recorder.State{Store: storage.Away, Problem: "The database did not answer in time.", Code: "no-answer"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, recorder.Describe(fmt.Errorf("storing: %w", tc.err))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestManyRefusalsBetweenGoodEntriesDoNotStopTheRecorder(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		offered := 0
		r.store.setRefuse(func(b storage.Batch) error {
			offered += len(b.Uploads)
			return refuseSerial("bad")(b)
		})
		var want []string
		for i := range 100 {
			r.journal.add(entry("bad"), entry(strconv.Itoa(i)))
			want = append(want, strconv.Itoa(i))
		}
		pass(time.Minute)
		if diff := cmp.Diff(want, r.store.serials()); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
		if s := r.recorder.State(); s.Recorded != 200 || s.Parked != 100 || s.Stopped {
			t.Errorf("state: %+v, want 100 entries parked", s)
		}
		if offered > 10_000 {
			t.Errorf("%d uploads were offered to find 100 bad ones among 200, want the batch divided on the way", offered)
		}
	})
}

func TestRefusalsInARowAreCountedAcrossBatches(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		r.store.setRefuse(refuseSerial("bad"))
		for i := range 9 {
			r.journal.add(entry("bad"), journal.Entry{Kind: journal.Event})
			pass(11 * time.Second)
			if s := r.recorder.State(); s.Parked != i+1 || s.Stopped {
				t.Fatalf("state after %d refusals: %+v", i+1, s)
			}
		}
		r.journal.add(entry("bad"))
		pass(11 * time.Second)
		if s := r.recorder.State(); !s.Stopped || s.Code != "too-many-refused" || s.Recorded != 18 {
			t.Errorf("state after ten refusals in a row: %+v", s)
		}
	})
}
