package recorder

import (
	"context"
	"fmt"
	"math"
	"time"

	"halley"
	"halley/server/journal"
	"halley/storage"
)

// Memory is what is known of the batches that were recorded from the journal; the methods are those of journal.Memory.
type Memory interface {
	Last(node, journalID string) (r journal.Remembered, found bool, err error)
	Recall(ctx context.Context, seq uint64, node, journalID string) (r journal.Remembered, found bool, err error)
	Remember(r journal.Remembered, first uint64) error
}

// SetBack says that something is older than it was.
type SetBack struct {
	// What is "store" or "journal", Text says in plain English what was found.
	What, Text string
	// To is the instant to which it was set back, as far as that is known; else 0.
	To halley.Millis
}

// The things that can be set back.
const (
	setBackStore   = "store"
	setBackJournal = "journal"
)

// Difference is a batch that was recorded again and did not come to what it came to before.
type Difference struct {
	At halley.Millis
	// FirstSeq and LastSeq are its range, Before its number in the store as it was, After as it is.
	FirstSeq, LastSeq uint64
	Before, After     int64
}

// told is a state of the store that was said to be too old.
type told struct {
	pos  storage.Position
	last journal.Remembered
}

// compare finds out whether the store is behind what is remembered of it. Where it is, that is told, once.
func (r *Recorder) compare(ctx context.Context, pos storage.Position) (behind bool, err error) {
	if r.opts.Memory == nil {
		return false, nil
	}
	last, found, err := r.opts.Memory.Last(r.opts.Node, r.opts.Journal.ID())
	if err != nil {
		r.opts.Log.Warn("what was recorded cannot be compared with the store", "err", err)
		return false, nil
	}
	if !found || pos.Seq >= last.LastSeq {
		return false, nil
	}
	if now := (told{pos, last}); now != r.told {
		text, to := r.setBackTo(ctx, pos, last)
		if err := r.tell(ctx, setBackStore, text, to); err != nil {
			return true, err
		}
		r.told = now
	}
	return true, nil
}

// setBackTo says in plain English how old a store is that is behind what was recorded last.
func (r *Recorder) setBackTo(ctx context.Context, pos storage.Position, last journal.Remembered) (text string, to halley.Millis) {
	const again = "What this server's journal still holds is recorded again; what people changed in the database meanwhile is not in it."
	if pos.JournalID == "" {
		return fmt.Sprintf("This server's database was set back to a time before this server recorded anything in it, or is another one: nothing is in it of what was recorded until %s. %s",
			instant(last.At), again), 0
	}
	at := "an earlier time"
	if there, found, err := r.opts.Memory.Recall(ctx, pos.Seq, last.Node, last.JournalID); err == nil && found && there.LastSeq == pos.Seq {
		at, to = instant(there.At), there.At
	}
	return fmt.Sprintf("This server's database was set back to %s: it ends at entry %d of the journal, and entry %d was recorded in it at %s. %s",
		at, pos.Seq, last.LastSeq, instant(last.At), again), to
}

func instant(at halley.Millis) string { return at.Time().Format("2006-01-02 15:04:05 UTC") }

// older says what is older where the position cannot be one of the journal.
func (r *Recorder) older(pos storage.Position) string {
	if pos.Seq < r.opts.Journal.First()-1 {
		return setBackStore
	}
	return setBackJournal
}

// tell has it kept that something is older than it was.
func (r *Recorder) tell(ctx context.Context, what, text string, to halley.Millis) error {
	r.opts.Log.Error("the store or the journal is older than it was", "which", what, "found", text)
	if r.opts.SetBack == nil {
		return nil
	}
	if err := r.opts.SetBack(ctx, SetBack{What: what, Text: text, To: to}); err != nil {
		return fmt.Errorf("keeping that the %s is older than it was: %w", what, err)
	}
	return nil
}

// bound says how far a batch may reach: up to until, and where whole is set it has all entries up to there, so that a batch which
// is recorded again is the same as before.
type bound struct {
	until uint64
	whole bool
}

// again gives the bound of a batch that begins with an entry.
func (r *Recorder) again(ctx context.Context, seq uint64) bound {
	free := bound{until: math.MaxUint64}
	if r.opts.Memory == nil {
		return free
	}
	was, found, err := r.opts.Memory.Recall(ctx, seq, r.opts.Node, r.opts.Journal.ID())
	switch {
	case err != nil:
		r.opts.Log.Warn("what was recorded cannot be read; what is recorded again may be divided otherwise", "err", err)
		return free
	case !found:
		return free
	case was.FirstSeq > seq:
		return bound{until: was.FirstSeq - 1}
	}
	return bound{until: was.LastSeq, whole: seq > r.freely}
}

// read gives the entries behind pos, all of the batch where it must be whole. Where the journal does not hold all of it, the batch
// need not be whole any more.
func (r *Recorder) read(ctx context.Context, pos uint64, b *bound) ([]journal.Entry, error) {
	entries, err := r.opts.Journal.Read(ctx, pos, r.entries())
	for err == nil && b.whole && len(entries) > 0 && entries[len(entries)-1].Seq < b.until {
		var more []journal.Entry
		if more, err = r.opts.Journal.Read(ctx, entries[len(entries)-1].Seq, r.entries()); len(more) == 0 {
			b.whole = false
		}
		entries = append(entries, more...)
	}
	return entries, err
}

// tooLarge takes note of a batch that the store could not take in a short time: it may be divided otherwise than before.
func (r *Recorder) tooLarge(b *storage.Batch, err error, took time.Duration) {
	if codeOf(err) == storage.CodeBusy || took > slow {
		r.freely = max(r.freely, b.Seq)
	}
}

// remember notes a batch that is stored, and compares it with what it was before where it is recorded again.
func (r *Recorder) remember(ctx context.Context, b *storage.Batch, done storage.Appended) {
	if r.opts.Memory == nil {
		return
	}
	now := journal.Remembered{
		Node: b.Node, JournalID: b.JournalID, FirstSeq: b.FirstSeq, LastSeq: b.Seq, Batch: done.BatchID, Digest: done.Digest, At: b.RecordedAt,
	}
	was, found, err := r.opts.Memory.Recall(ctx, b.FirstSeq, b.Node, b.JournalID)
	if err == nil && found && differs(&was, &now) && r.State().Differs == nil {
		r.opts.Log.Error("a batch that was recorded again is not what it was", "first_seq", now.FirstSeq, "last_seq", now.LastSeq,
			"before", was.Batch, "after", now.Batch)
		d := &Difference{At: now.At, FirstSeq: now.FirstSeq, LastSeq: now.LastSeq, Before: was.Batch, After: now.Batch}
		r.update(func(s *State) { s.Differs = d })
	}
	if err = r.opts.Memory.Remember(now, r.opts.Journal.First()); err != nil {
		r.opts.Log.Warn("what was recorded is not remembered beside the journal", "err", err)
	}
}

// differs says whether two batches of the same range, recorded under the same names, came to something else.
func differs(was, now *journal.Remembered) bool {
	same := was.Node == now.Node && was.JournalID == now.JournalID && was.FirstSeq == now.FirstSeq && was.LastSeq == now.LastSeq
	var none [32]byte
	return same && was.Digest != none && now.Digest != none && was.Digest != now.Digest
}
