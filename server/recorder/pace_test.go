package recorder_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
	"halley/server/recorder"
	"halley/storage"
)

func TestBatchesFollowTheSpeedOfTheStore(t *testing.T) {
	t.Parallel()
	const most = 20_000
	type batch struct {
		samples int
		took    time.Duration
		failed  bool
		busy    bool
	}
	tests := map[string]struct {
		most    int
		batches []batch
		want    []int
	}{
		"fast ones stay at the bound":           {most, []batch{{most, time.Millisecond, false, false}}, []int{most}},
		"slow ones become smaller":              {most, []batch{{most, 3 * time.Second, false, false}, {10_000, 2100 * time.Millisecond, false, false}}, []int{10_000, 5000}},
		"neither slow nor fast ones stay":       {most, []batch{{most, 2 * time.Second, false, false}, {most, 500 * time.Millisecond, false, false}}, []int{most, most}},
		"full fast ones grow again":             {most, []batch{{most, 3 * time.Second, false, false}, {10_000, 499 * time.Millisecond, false, false}}, []int{10_000, most}},
		"what is not full says nothing":         {most, []batch{{most, 3 * time.Second, false, false}, {9999, time.Millisecond, false, false}}, []int{10_000, 10_000}},
		"one that meets a lock becomes smaller": {most, []batch{{most, time.Millisecond, true, true}}, []int{10_000}},
		"one that fails late becomes smaller":   {most, []batch{{most, 30 * time.Second, true, false}}, []int{10_000}},
		"one that fails at once stays":          {most, []batch{{most, time.Millisecond, true, false}}, []int{most}},
		"there is a least":                      {300, []batch{{300, time.Minute, false, false}, {200, time.Minute, false, false}}, []int{200, 200}},
		"the least is not above the bound":      {100, []batch{{100, time.Minute, false, false}}, []int{100}},
		"a bound of nothing is one":             {0, []batch{{1, time.Minute, true, true}}, []int{1}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := recorder.NewSizing(tc.most)
			var got []int
			for _, b := range tc.batches {
				if b.failed {
					got = append(got, s.Refused(b.took, b.busy))
				} else {
					got = append(got, s.Stored(b.samples, b.took))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("samples of the next batch (-want +got):\n%s", diff)
			}
		})
	}
}

// heavy is an entry whose upload holds so many samples.
func heavy(samples int) journal.Entry { return entry(fmt.Sprintf("heavy %d", samples)) }

// sizes gives how many samples each stored batch holds.
func (d *database) sizes() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []int
	for _, b := range d.batches {
		all = append(all, samplesOf(b))
	}
	return all
}

func samplesOf(b storage.Batch) int {
	n := 0
	for _, u := range b.Uploads {
		for _, m := range u.Messages {
			n += len(m.Readings)
		}
	}
	return n
}

func TestASlowStoreGetsSmallerBatchesAndLargerOnesLater(t *testing.T) {
	t.Parallel()
	bubble(t, 1600, func(t *testing.T, r *rig) {
		perSample := func(d time.Duration) func(*database) {
			return func(s *database) {
				s.takes = func(b storage.Batch) time.Duration { return time.Duration(samplesOf(b)) * d }
			}
		}
		r.store.set(perSample(4 * time.Millisecond))
		for range 32 {
			r.journal.add(heavy(100))
		}
		if _, err := r.recorder.Flush(t.Context()); err != nil {
			t.Fatalf("flush: %v", err)
		}
		if diff := cmp.Diff([]int{1600, 800, 400, 400}, r.store.sizes()); diff != "" {
			t.Errorf("samples a batch on a slow store (-want +got):\n%s", diff)
		}
		r.store.set(func(s *database) { s.batches = nil })
		r.store.set(perSample(time.Microsecond))
		for range 30 {
			r.journal.add(heavy(100))
		}
		if _, err := r.recorder.Flush(t.Context()); err != nil {
			t.Fatalf("flush: %v", err)
		}
		if diff := cmp.Diff([]int{400, 800, 1600, 200}, r.store.sizes()); diff != "" {
			t.Errorf("samples a batch when the store is fast again (-want +got):\n%s", diff)
		}
	})
}

func TestABatchThatMeetsALockIsTriedSmaller(t *testing.T) {
	t.Parallel()
	bubble(t, 1600, func(t *testing.T, r *rig) {
		r.store.setRefuse(func(b storage.Batch) error {
			if samplesOf(b) > 500 {
				return &halley.Error{Kind: halley.Unavailable, Code: storage.CodeBusy, Message: "another program holds the database"}
			}
			return nil
		})
		for range 8 {
			r.journal.add(heavy(200))
		}
		pass(time.Minute)
		if diff := cmp.Diff([]int{400, 400, 400, 400}, r.store.sizes()[:4]); diff != "" {
			t.Errorf("samples a batch (-want +got):\n%s", diff)
		}
		if s := r.recorder.State(); s.Recorded != 8 || s.Parked != 0 || s.Store != storage.OK {
			t.Errorf("state after a lock: %+v", s)
		}
	})
}
