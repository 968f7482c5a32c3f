package live_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/live"
)

// numbers tells of a message its Seq, -1 of a change of devices and -2 of what was missed.
func numbers(e live.Event) (int, bool) {
	switch {
	case e.Missed:
		return -2, true
	case e.Devices:
		return -1, true
	}
	return int(e.Message.Seq), e.Message.Seq != 13 // as of a device that nobody knows
}

// feeding begins a Feed that runs as long as the test.
func feeding[T any](t *testing.T, words func(live.Event) (T, bool)) (*live.Live, *live.Feed[T]) {
	t.Helper()
	l := live.New()
	f := live.NewFeed(l, words)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = f.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return l, f
}

// take says that messages came with these numbers.
func take(l *live.Live, from, to int) {
	for i := from; i < to; i++ {
		l.Take(upload(noon+halley.Millis(i)*halley.Second, 1), noon, uint64(i))
	}
}

func TestEveryReaderIsToldOfEverythingInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		words := 0
		l, f := feeding(t, func(e live.Event) (int, bool) { words++; return numbers(e) })
		var got [3][]int
		for i := range got {
			events := f.Subscribe(t.Context())
			go func() {
				for e := range events {
					got[i] = append(got[i], e)
				}
			}()
		}
		take(l, 12, 15)
		l.DevicesChanged()
		synctest.Wait()
		take(l, 15, 16)
		synctest.Wait()
		want := []int{12, 14, -1, 15}
		if diff := cmp.Diff([3][]int{want, want, want}, got); diff != "" {
			t.Errorf("readers were told (-want +got):\n%s", diff)
		}
		if words != 5 {
			t.Errorf("5 events were put into words %d times", words)
		}
	})
}

func TestReaderHearsNothingOfBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, f := feeding(t, numbers)
		early := f.Subscribe(t.Context())
		take(l, 1, 2)
		synctest.Wait()
		late := f.Subscribe(t.Context())
		take(l, 2, 3)
		synctest.Wait()
		if a, b, c := <-early, <-early, <-late; a != 1 || b != 2 || c != 2 {
			t.Errorf("the early reader got %d and %d, the late one %d; want 1 and 2, and 2", a, b, c)
		}
	})
}

// A reader who takes nothing harms nobody else, and learns once that it missed something.
func TestLaggingReaderMissesAndGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, f := feeding(t, numbers)
		slow, quick := f.Subscribe(t.Context()), f.Subscribe(t.Context())
		for i := 100; i < 5100; i += 100 {
			take(l, i, i+100)
			synctest.Wait()
			for n := range 100 {
				if got := <-quick; got != i+n {
					t.Fatalf("the quick reader got %d, want %d", got, i+n)
				}
				synctest.Wait()
			}
		}
		var got []int
		for {
			synctest.Wait()
			if len(slow) == 0 {
				break
			}
			got = append(got, <-slow)
		}
		missed := 0
		for i, n := range got[:len(got)-1] {
			if n == -2 {
				missed++
			} else if got[i+1] != n+1 && got[i+1] != -2 {
				t.Errorf("behind %d comes %d", n, got[i+1])
			}
		}
		if last := got[len(got)-1]; last == -2 {
			missed++
		}
		if missed != 1 {
			t.Errorf("the slow reader of 5000 events found %d words of missed ones among %d, want 1", missed, len(got))
		}
		take(l, 6000, 6001)
		synctest.Wait()
		if e := <-slow; e != 6000 {
			t.Errorf("having caught up the slow reader got %d, want what is new", e)
		}
	})
}

func TestReadersEndWithTheirContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, f := feeding(t, numbers)
		ctx, leave := context.WithCancel(t.Context())
		waits, full := f.Subscribe(ctx), f.Subscribe(ctx)
		take(l, 100, 300)
		synctest.Wait()
		for range 200 {
			<-waits
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		if _, open := <-waits; open {
			t.Error("the channel of a reader who waits stays open")
		}
		left := 0
		for range full {
			left++
		}
		if left > 20 {
			t.Errorf("%d events were handed ahead to a reader who took none", left)
		}
	})
}

// What a reader who waits takes does not grow with how many events may wait for it.
func TestReaderTakesLittleMemory(t *testing.T) {
	_, f := feeding(t, func(live.Event) ([16]int64, bool) { return [16]int64{}, true })
	taken := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	const readers = 1000
	before := taken()
	for range readers {
		f.Subscribe(t.Context())
	}
	// All that may wait for one reader would be feedKept events of 128 bytes.
	if each := int64(taken()-before) / readers; each > 1024*128/8 {
		t.Errorf("a reader takes %d bytes", each)
	}
}
