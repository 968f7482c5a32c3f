package recorder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"halley"
	"halley/server/journal"
	"halley/storage"
)

// samplesPerMessage is what a message is taken to hold when entries are counted before they are decoded.
const samplesPerMessage = 4

// lookAgain is how often the store is asked for the position while there is nothing to record, so that an outage, or a store that
// was put back, is noticed without a device having to send something.
const lookAgain = 15 * time.Second

const (
	// maxParked is how many entries may be refused one after the other before the recorder stops: so many cannot be the fault of
	// the entries.
	maxParked = 10
	// refusedAtOnce is how many entries the store may name in one batch, one at a time, before the batch is halved.
	refusedAtOnce = 2 * maxParked
)

// due waits until there is reason to record: enough entries, an entry that has waited long enough, or somebody who asks. It gives
// false where nothing came for a while.
func (r *Recorder) due(ctx context.Context, pos uint64) (bool, error) {
	j := r.opts.Journal
	idle, cancel := context.WithTimeout(ctx, lookAgain)
	err := j.Wait(idle, pos)
	expired := idle.Err() != nil
	cancel()
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil && expired:
		return false, nil
	case err != nil:
		return false, journalError(fmt.Errorf("waiting for the journal: %w", err))
	}
	if r.wanted() > pos || j.Last()-pos >= uint64(r.entries()) {
		return true, nil
	}
	full, cancel := context.WithTimeout(ctx, r.opts.Every)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = j.Wait(full, pos+uint64(r.entries())-1) // it filled, its time is over, or somebody asked: all are due
	}()
	select {
	case <-r.nudge:
		cancel()
		<-done
	case <-done:
	}
	return true, ctx.Err()
}

func (r *Recorder) wanted() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.target
}

// entries is how many journal entries are read at a time, and how many make it worth while to record before their time.
func (r *Recorder) entries() int { return max(r.opts.Samples/samplesPerMessage, 1) }

// step records the next entries behind pos, in as many batches as the store's speed asks for, and gives the new position.
func (r *Recorder) step(ctx context.Context, pos uint64) (uint64, error) {
	again := r.again(ctx, pos+1)
	entries, err := r.read(ctx, pos, &again)
	if err != nil {
		return pos, journalError(fmt.Errorf("reading the journal: %w", err))
	}
	for first := true; len(entries) > 0; first = false {
		if ctx.Err() != nil {
			return pos, ctx.Err()
		}
		if !first {
			if again = r.again(ctx, pos+1); again.whole && again.until > entries[len(entries)-1].Seq {
				return pos, nil // what was read does not hold all of that batch
			}
		}
		began := time.Now()
		items := r.fill(entries, again)
		if err := r.record(ctx, items, map[uint64]string{}); err != nil {
			return pos, err
		}
		entries = entries[len(items):]
		pos = items[len(items)-1].Seq
		r.yield(ctx, time.Since(began))
	}
	return pos, nil
}

// fill opens entries, at least one, until they hold the samples of a batch. Those of a batch that is recorded again are its own.
func (r *Recorder) fill(entries []journal.Entry, b bound) []item {
	var items []item
	for samples := 0; len(items) < len(entries) && (b.whole || samples < r.size.now); {
		if len(items) > 0 && entries[len(items)].Seq > b.until {
			break
		}
		it := r.open(&entries[len(items)])
		items = append(items, it)
		samples += it.samples()
	}
	return items
}

// record stores items in one batch. parked says which of them the store refused and why; it is added to. An entry that the store
// names as refused is set aside; a batch that fails for good without a name is halved until the entry at fault stands alone.
func (r *Recorder) record(ctx context.Context, items []item, parked map[uint64]string) error {
	for refused := 1; ; refused++ {
		err := r.append(ctx, items, parked)
		bad, ok := errors.AsType[*storage.EntryError](err)
		if ok {
			_, again := parked[bad.Seq]
			ok = !again && holds(items, bad.Seq)
		}
		if !ok {
			return r.divide(ctx, items, parked, err)
		}
		parked[bad.Seq] = bad.Err.Error()
		if r.tooMany(items, parked) {
			return r.giveUp(items, parked)
		}
		if refused >= refusedAtOnce && len(items) > 1 {
			return r.halves(ctx, items, parked)
		}
	}
}

// divide goes on after a batch that failed with err: it gives err back where no entry is at fault.
func (r *Recorder) divide(ctx context.Context, items []item, parked map[uint64]string, err error) error {
	if err == nil || ctx.Err() != nil || passing(err) {
		return err
	}
	if len(items) > 1 {
		return r.halves(ctx, items, parked)
	}
	seq := items[0].Identity()
	if _, again := parked[seq]; again || !items[0].counts() {
		return err
	}
	parked[seq] = err.Error()
	if r.tooMany(items, parked) {
		return r.giveUp(items, parked)
	}
	return r.append(ctx, items, parked)
}

func (r *Recorder) halves(ctx context.Context, items []item, parked map[uint64]string) error {
	half := len(items) / 2
	if err := r.record(ctx, items[:half], parked); err != nil {
		return err
	}
	return r.record(ctx, items[half:], parked)
}

// holds says whether one of the items goes to the store under this number.
func holds(items []item, seq uint64) bool {
	for i := range items {
		if items[i].Identity() == seq {
			return true
		}
	}
	return false
}

// run gives how many entries in a row are parked, at most and at the end, counting on from what is recorded.
func (r *Recorder) run(items []item, parked map[uint64]string) (longest, trailing int) {
	trailing = r.refusedInRow
	for i := range items {
		if !items[i].counts() {
			continue
		}
		trailing++
		if _, ok := parked[items[i].Identity()]; !ok {
			trailing = 0
		}
		longest = max(longest, trailing)
	}
	return longest, trailing
}

func (r *Recorder) tooMany(items []item, parked map[uint64]string) bool {
	longest, _ := r.run(items, parked)
	return longest >= maxParked
}

// giveUp stops the recorder for what these entries met.
func (r *Recorder) giveUp(items []item, parked map[uint64]string) error {
	for i := range items {
		if why, ok := parked[items[i].Identity()]; ok {
			r.opts.Log.Error("the store refuses an upload for its content", "seq", items[i].Seq, "err", why)
		}
	}
	return r.stop("The database refused ten uploads one after the other, so that they cannot be at fault. The log names the reason. Correct it and start the server again; everything waits in the journal.")
}

// passing says that a failure lies in no entry: it may go by, or the position has to be read again.
func passing(err error) bool {
	if _, local := errors.AsType[*localError](err); local || errors.Is(err, errStopped) {
		return true
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	return halley.KindOf(err) == halley.Unavailable || hasMoved(err)
}
