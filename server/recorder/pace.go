package recorder

import (
	"context"
	"math/rand/v2"
	"time"
)

// How the recorder makes room for devices that wait for an acknowledgement.
const (
	// share is the part of its own speed that the recorder keeps while uploads wait: one in ten.
	share = 10
	// look is how often it looks whether uploads still wait.
	look = 5 * time.Millisecond
	// calm is how many looks without a waiting upload end the pause.
	calm = 4
	// longestYield bounds a pause, so that the journal is recorded even under a load that never ends.
	longestYield = 5 * time.Second
)

// yield pauses after a batch that took so long, while uploads wait.
func (r *Recorder) yield(ctx context.Context, took time.Duration) {
	until := time.Now().Add(min(took*(share-1), longestYield))
	quiet := 0
	t := time.NewTicker(look)
	defer t.Stop()
	for quiet < calm && time.Now().Before(until) {
		if r.opts.Journal.Waiting() > 0 {
			quiet = 0
		} else {
			quiet++
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Bounds of a batch.
const (
	// leastSamples is how small a batch may become on a slow store.
	leastSamples = 200
	// slow is how long a batch may take before the next ones are smaller; after a full one that took less than fast they grow.
	slow = 2 * time.Second
	fast = 500 * time.Millisecond
)

// sizing finds how many samples a batch takes: as many as the store takes in a short time, so that its locks are short and little is
// lost with a batch that fails.
type sizing struct {
	most, now int
}

func newSizing(most int) sizing {
	most = max(most, 1)
	return sizing{most: most, now: most}
}

// stored takes note of a batch of so many samples that was stored in so long.
func (s *sizing) stored(samples int, took time.Duration) {
	switch {
	case took > slow:
		s.halve()
	case took < fast && samples >= s.now:
		s.now = min(2*s.now, s.most)
	}
}

// refused takes note of a batch that failed after so long; busy says that others held what it needed.
func (s *sizing) refused(took time.Duration, busy bool) {
	if busy || took > slow {
		s.halve()
	}
}

func (s *sizing) halve() { s.now = max(s.now/2, min(leastSamples, s.most)) }

// backoff waits longer after each failure, with jitter so that several servers do not come at once.
type backoff struct{ next time.Duration }

// Bounds of the wait between two tries.
const (
	firstWait   = 250 * time.Millisecond
	longestWait = 15 * time.Second
	// soonest is when somebody who asks for a batch may end the wait, so that those who ask all the time do not keep a store busy
	// that is not well.
	soonest = time.Second
)

func newBackoff() backoff { return backoff{next: firstWait} }

// failed says whether the last try failed, so that the next one need not wait for a batch to fill.
func (b *backoff) failed() bool { return b.next != firstWait }

func (b *backoff) reset() { b.next = firstWait }

func (b *backoff) pause(ctx context.Context, nudge <-chan struct{}) {
	d := b.next/2 + rand.N(b.next/2)
	b.next = min(2*b.next, longestWait)
	if !pass(ctx, min(d, soonest), nil) {
		return
	}
	pass(ctx, d-soonest, nudge)
}

// pass waits so long, or until nudge; it gives false where ctx ended.
func pass(ctx context.Context, d time.Duration, nudge <-chan struct{}) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
	case <-nudge:
	}
	return true
}
