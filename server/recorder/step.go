package recorder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"halley"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/storage"
)

// samplesPerMessage is what a message is taken to hold when entries are counted before they are decoded.
const samplesPerMessage = 4

// maxParked is how many entries may be refused one after the other before the recorder stops: so many cannot be the fault of
// the entries.
const maxParked = 10

// due waits until there is reason to record: enough entries, an entry that has waited long enough, or somebody who asks.
func (r *Recorder) due(ctx context.Context, pos uint64) error {
	j := r.opts.Journal
	if err := j.Wait(ctx, pos); err != nil {
		return err
	}
	if r.wanted() > pos || j.Last()-pos >= uint64(r.entries()) {
		return nil
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
	return ctx.Err()
}

func (r *Recorder) wanted() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.target
}

func (r *Recorder) entries() int { return max(r.opts.Samples/samplesPerMessage, 1) }

// step records the next entries behind pos and gives the new position.
func (r *Recorder) step(ctx context.Context, pos uint64) (uint64, error) {
	began := time.Now()
	entries, err := r.opts.Journal.Read(ctx, pos, r.entries())
	if err != nil {
		return pos, fmt.Errorf("reading the journal: %w", err)
	}
	if len(entries) == 0 {
		return pos, nil
	}
	if err := r.record(ctx, entries); err != nil {
		return pos, err
	}
	r.yield(ctx, time.Since(began))
	return entries[len(entries)-1].Seq, nil
}

// record stores entries in one batch; a batch that fails for good is halved until the entry at fault stands alone, and that one
// is parked.
func (r *Recorder) record(ctx context.Context, entries []journal.Entry) error {
	err := r.append(ctx, entries, nil)
	for parked := map[uint64]string{}; err != nil; err = r.append(ctx, entries, parked) {
		bad, ok := errors.AsType[*storage.EntryError](err)
		if !ok {
			break
		}
		if _, again := parked[bad.Seq]; again {
			break
		}
		parked[bad.Seq] = bad.Err.Error()
		if r.countParked(bad.Seq, bad.Err) {
			return r.stop("The database refused ten uploads one after the other. The log names the reason.")
		}
	}
	if err == nil || ctx.Err() != nil || halley.KindOf(err) == halley.Unavailable {
		return err
	}
	if len(entries) > 1 {
		half := len(entries) / 2
		if err := r.record(ctx, entries[:half]); err != nil {
			return err
		}
		return r.record(ctx, entries[half:])
	}
	if r.countParked(entries[0].Seq, err) {
		return r.stop("The database refused ten uploads one after the other. The log names the reason.")
	}
	return r.append(ctx, entries, map[uint64]string{entries[0].Identity(): err.Error()})
}

// countParked counts an entry that is set aside and says whether these are too many in a row.
func (r *Recorder) countParked(seq uint64, why error) bool {
	r.opts.Log.Error("the store refused an upload for its content; it is kept in quarantine", "seq", seq, "err", why)
	r.refusedInRow++
	r.update(func(s *State) { s.Parked++ })
	return r.refusedInRow >= maxParked
}

// append stores entries in one transaction with the position behind them. What is not trusted goes into the quarantine first:
// doing that twice changes nothing.
func (r *Recorder) append(ctx context.Context, entries []journal.Entry, parked map[uint64]string) error {
	last := entries[len(entries)-1].Seq
	hash, err := r.opts.Journal.Hash(ctx, last)
	if err != nil {
		return fmt.Errorf("reading the journal's hash: %w", err)
	}
	b := storage.Batch{
		Node:       r.opts.Node,
		Position:   storage.Position{JournalID: r.opts.Journal.ID(), Seq: last, Hash: hash},
		FirstSeq:   entries[0].Seq,
		RecordedAt: halley.MillisOf(time.Now()),
		Decoder:    decoderVersion,
		Uploads:    make([]storage.Upload, 0, len(entries)),
	}
	var apart []quarantine.Upload
	for i := range entries {
		apart = r.sort(&entries[i], parked, &b, apart)
	}
	if len(apart) > 0 {
		if err := r.opts.Quarantine.Keep(ctx, apart); err != nil {
			return err
		}
	}
	done, err := r.opts.Store.Append(ctx, b)
	if err != nil {
		return fmt.Errorf("storing the entries %d to %d: %w", b.FirstSeq, last, err)
	}
	if done.Messages > 0 {
		r.refusedInRow = 0
	}
	r.opts.Recorded(ctx, Progress{Appended: done, Seq: last, Quarantined: len(apart) > 0})
	// Who waits for these entries must find the store well when they are recorded.
	r.back(last)
	r.update(func(s *State) { s.Recorded = last })
	return nil
}

// sort puts an entry into the batch, the quarantine, or both.
func (r *Recorder) sort(e *journal.Entry, parked map[uint64]string, b *storage.Batch, apart []quarantine.Upload) []quarantine.Upload {
	if e.Kind != journal.Upload && e.Kind != journal.Release {
		return apart
	}
	why, note := quarantine.Reason(e.Quarantine), ""
	if text, ok := parked[e.Identity()]; ok {
		why, note = quarantine.RefusedByStore, text
	}
	up, err := r.decode(e)
	switch {
	case err != nil && why == "":
		why, note = quarantine.NotUnderstood, err.Error()
	case err != nil && note == "":
		note = err.Error()
	}
	if why != "" {
		apart = append(apart, quarantine.Upload{
			Key: halley.DeviceKey{Family: e.Family, Serial: e.Serial}, JournalID: b.JournalID, Seq: e.Seq,
			ReceivedMicros: int64(e.ReceivedAt()) * 1000, Reason: why, Note: note, Body: e.Body,
		})
		if why == quarantine.RefusedByStore {
			return apart
		}
	}
	u := storage.Upload{Upload: *up, Seq: e.Identity(), ReceivedAt: e.ReceivedAt(), Admission: storage.Admission(e.Admission)}
	if why != "" {
		u.Admission = storage.Announce
	}
	b.Uploads = append(b.Uploads, u)
	return apart
}

// decode gives the upload of an entry, as it was decoded when it came or decoded now. After an error it names the device at
// least.
func (r *Recorder) decode(e *journal.Entry) (*halley.Upload, error) {
	if e.Quarantine == "" {
		if up, ok := r.opts.Decoded(e.Seq); ok {
			return up, nil
		}
	}
	named := &halley.Upload{DeviceKey: halley.DeviceKey{Family: e.Family, Serial: e.Serial}}
	family := r.opts.Families.Family(e.Family)
	if family == nil {
		return named, fmt.Errorf("this version does not speak the family %q", e.Family)
	}
	up, err := family.Decode(e.Body)
	if err != nil {
		return named, err
	}
	return &up, nil
}
