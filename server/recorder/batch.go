package recorder

import (
	"context"
	"fmt"
	"time"

	"halley"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/storage"
)

// item is a journal entry that was opened.
type item struct {
	*journal.Entry
	// upload is what an upload or release holds; where err says that it cannot be read, it names the device at least.
	upload *halley.Upload
	// act is what an act holds; nil where err says that it cannot be read.
	act *halley.AuditEntry
	err error
}

// counts says whether the store has a say about the item.
func (it *item) counts() bool { return it.upload != nil || it.act != nil }

// samples is what the item weighs in a batch: each message and each act at least one.
func (it *item) samples() int {
	n := 0
	if it.upload != nil {
		for i := range it.upload.Messages {
			n += max(len(it.upload.Messages[i].Readings), 1)
		}
	}
	return max(n, 1)
}

func samples(items []item) int {
	n := 0
	for i := range items {
		n += items[i].samples()
	}
	return n
}

// open decodes an entry, or takes what was decoded when it came.
func (r *Recorder) open(e *journal.Entry) item {
	it := item{Entry: e}
	switch e.Kind {
	case journal.Upload, journal.Release:
		it.upload, it.err = r.decode(e)
	case journal.Act:
		var act halley.AuditEntry
		if act, it.err = journal.DecodeAct(e.Body); it.err == nil {
			it.act = &act
		}
	case journal.Event:
	}
	return it
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

// sorted is what items come to.
type sorted struct {
	batch storage.Batch
	// apart goes into quarantine, released may leave it once the batch is stored.
	apart, released []quarantine.Upload
	// parked says why entries are set aside, by their number in the journal.
	parked map[uint64]string
}

// sort puts each item into the batch, the quarantine, or both.
func (r *Recorder) sort(ctx context.Context, items []item, parked map[uint64]string) (*sorted, error) {
	id, last := r.opts.Journal.ID(), items[len(items)-1].Seq
	hash, err := r.opts.Journal.Hash(ctx, last)
	if err != nil {
		return nil, journalError(fmt.Errorf("reading the journal's hash: %w", err))
	}
	s := &sorted{parked: map[uint64]string{}, batch: storage.Batch{
		Node:       r.opts.Node,
		Position:   storage.Position{JournalID: id, Seq: last, Hash: hash},
		FirstSeq:   items[0].Seq,
		RecordedAt: halley.MillisOf(time.Now()),
		Decoder:    decoderVersion,
		Uploads:    make([]storage.Upload, 0, len(items)),
	}}
	for i := range items {
		it := &items[i]
		why, refused := parked[it.Identity()]
		switch it.Kind {
		case journal.Upload, journal.Release:
			s.addUpload(it, why, refused)
		case journal.Act:
			s.addAct(it, why, refused)
		case journal.Event:
			s.addEvent(it)
		default:
			s.park(it, "this version does not know this kind of entry")
		}
	}
	return s, nil
}

// addUpload sorts in an upload; refused says that the store refused it, why says why.
func (s *sorted) addUpload(it *item, why string, refused bool) {
	if refused {
		s.park(it, why)
		return
	}
	reason, note := quarantine.Reason(it.Quarantine), ""
	if it.err != nil {
		note = it.err.Error()
		if reason == "" {
			reason = quarantine.NotUnderstood
		}
	}
	u := storage.Upload{Upload: *it.upload, Seq: it.Identity(), ReceivedAt: it.ReceivedAt(), Admission: storage.Admission(it.Admission)}
	if reason != "" {
		s.apart = append(s.apart, s.aside(it, reason, note))
		u.Admission = storage.Announce
	}
	if it.Kind == journal.Release {
		first := s.aside(it, "", "")
		first.Seq = it.OriginalSeq
		s.released = append(s.released, first)
	}
	s.batch.Uploads = append(s.batch.Uploads, u)
}

// addAct sorts in an act. One that cannot be read is set aside.
func (s *sorted) addAct(it *item, why string, refused bool) {
	switch {
	case refused:
		s.park(it, why)
	case it.err != nil:
		s.park(it, it.err.Error())
	default:
		s.batch.Audit = append(s.batch.Audit, storage.JournaledAct{Seq: it.Identity(), AuditEntry: *it.act})
	}
}

// park sets an entry aside for good.
func (s *sorted) park(it *item, why string) {
	s.parked[it.Seq] = why
	s.apart = append(s.apart, s.aside(it, quarantine.RefusedByStore, why))
}

// aside gives an entry as the quarantine takes it.
func (s *sorted) aside(it *item, reason quarantine.Reason, note string) quarantine.Upload {
	return quarantine.Upload{
		Key: halley.DeviceKey{Family: it.Family, Serial: it.Serial}, JournalID: s.batch.JournalID, Seq: it.Seq,
		ReceivedMicros: int64(it.ReceivedAt()) * 1000, Reason: reason, Note: note, Body: it.Body,
	}
}

// append stores items in one transaction with the position behind them. What is not trusted goes into the quarantine first:
// doing that twice changes nothing.
func (r *Recorder) append(ctx context.Context, items []item, parked map[uint64]string) error {
	s, err := r.sort(ctx, items, parked)
	if err != nil {
		return err
	}
	if len(s.apart) > 0 {
		if err := r.opts.Quarantine.Keep(ctx, s.apart); err != nil {
			return quarantineError(err)
		}
	}
	var done storage.Appended
	if err := r.unmoved(ctx); err != nil {
		return r.failed(err, 0)
	}
	began := time.Now()
	err = r.ask(func() (err error) {
		done, err = r.opts.Store.Append(ctx, s.batch)
		return err
	})
	took := time.Since(began)
	if err != nil {
		r.unsure = true
		r.tooLarge(&s.batch, err, took)
		return r.failed(fmt.Errorf("storing the entries %d to %d: %w", s.batch.FirstSeq, s.batch.Seq, err), took)
	}
	r.size.stored(samples(items), took)
	_, r.refusedInRow = r.run(items, parked)
	r.at, r.unsure, r.moved = s.batch.Position, false, 0
	r.wait.reset()
	r.remember(ctx, &s.batch, done)
	r.stored(ctx, s, done)
	return nil
}

// failed takes note of a batch that failed after so long, and gives err back.
func (r *Recorder) failed(err error, took time.Duration) error {
	r.size.refused(took, codeOf(err) == storage.CodeBusy)
	if hasMoved(err) {
		r.moved++
	}
	return err
}

// stored follows a batch that is stored.
func (r *Recorder) stored(ctx context.Context, s *sorted, done storage.Appended) {
	for seq, why := range s.parked {
		r.opts.Log.Error("an entry of the journal is set aside in quarantine: the store refused it, or it cannot be read", "seq", seq, "err", why)
	}
	if len(s.released) > 0 {
		if err := r.opts.Quarantine.Forget(ctx, s.released); err != nil {
			r.opts.Log.Warn("uploads that were released and are recorded are still in quarantine", "err", err)
		}
	}
	r.opts.Recorded(ctx, Progress{Appended: done, Seq: s.batch.Seq, Quarantined: len(s.apart) > 0})
	// Who waits for these entries must find the store well when they are recorded.
	r.back(s.batch.Seq)
	r.update(func(st *State) { st.Recorded, st.Parked = s.batch.Seq, st.Parked+len(s.parked) })
}
