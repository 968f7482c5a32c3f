package recorder

import (
	"context"
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
	// marksAtOnce is how many device-hours are rolled up between two looks at the journal.
	marksAtOnce = 64
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

// rollUp recomputes the rollups that late data marked, as long as nothing else is to do.
func (r *Recorder) rollUp(ctx context.Context) error {
	for {
		left, err := r.opts.Store.RollUp(ctx, marksAtOnce)
		if err != nil {
			return err
		}
		recorded := r.State().Recorded
		if left == 0 || r.opts.Journal.Last()-recorded >= uint64(r.entries()) || r.wanted() > recorded {
			return nil
		}
		if r.opts.Journal.Waiting() > 0 {
			r.yield(ctx, look)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
