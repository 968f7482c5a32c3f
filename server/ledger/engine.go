package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"time"

	"halley"
	"halley/config"
	"halley/server/journal"
	"halley/storage"
	form "halley/storage/ledger"
	"halley/storage/ledger/verify"
)

const (
	// slowdown is by how much verification becomes slower while uploads wait or the recorder has much to do; look is how often it
	// looks whether they still do, longestPause the longest pause after one piece of work.
	slowdown     = 10
	look         = 5 * time.Millisecond
	longestPause = 5 * time.Second
	// shownFindings is how many findings a kept result names.
	shownFindings = 100
)

// verifyStore verifies what a task says, and gives what was checked and found.
func (l *Ledger) verifyStore(ctx context.Context, t task, advance func(float64)) (storage.VerifySummary, error) {
	trusted, err := l.opts.Trusted()
	if err != nil {
		return storage.VerifySummary{}, err
	}
	if own := l.opts.Keys.Public(); !slices.ContainsFunc(trusted, func(k form.Key) bool { return k.ID == own.ID }) {
		trusted = append(trusted, own)
	}
	o := verify.Options{
		Source: l.opts.Store, Keys: trusted, Remembered: l.remembered(ctx), Rollups: l.rollupFaults,
		Tell: func(p verify.Progress) { advance(fraction(&p)) }, Pause: l.pauses(),
	}
	if t.to > 0 {
		o.From, o.To = form.DayOf(t.from), form.DayOf(t.to-1)+1
	}
	if own, found := l.copied(); found {
		o.Copies = append(o.Copies, own)
	}
	if c, found := l.outside(ctx); found {
		o.Anchors = append(o.Anchors, c)
	}
	r, err := l.verify(ctx, o)
	return summaryFrom(&r), err
}

func summaryFrom(r *verify.Result) storage.VerifySummary {
	s := storage.VerifySummary{
		Samples: r.Samples, Batches: r.Batches, Facts: r.Facts, Checkpoints: r.Checkpoints, FindingCount: r.Count,
		Outside: r.Outside, AnchorAt: r.AnchorAt,
		Findings: make([]storage.FindingSummary, 0, min(len(r.Findings), shownFindings)),
	}
	for _, f := range r.Findings[:min(len(r.Findings), shownFindings)] {
		s.Findings = append(s.Findings, storage.FindingSummary{What: string(f.What), Text: f.Text})
	}
	return s
}

// fraction gives how far a verification is. Only where a step knows its end does it count: that is the samples, nearly all of it.
func fraction(p *verify.Progress) float64 {
	if p.Total <= 0 {
		return 0
	}
	return float64(p.Done) / float64(p.Total)
}

// remembered gives what the journal beside this server knows of recorded batches.
func (l *Ledger) remembered(ctx context.Context) iter.Seq2[verify.Remembered, error] {
	return func(yield func(verify.Remembered, error) bool) {
		for r, err := range journal.ReadRemembered(ctx, l.opts.Folder) {
			v := verify.Remembered{
				Node: r.Node, JournalID: r.JournalID, FirstSeq: r.FirstSeq, LastSeq: r.LastSeq, Batch: r.Batch, Digest: r.Digest,
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// rollupFaults names the channels of rollups that do not follow from their samples.
func (l *Ledger) rollupFaults(ctx context.Context, d form.Device, day int64) ([]verify.RollupFault, error) {
	faults, err := l.opts.Store.RollupFaults(ctx, d.ID, day)
	if err != nil || len(faults) == 0 {
		return nil, err
	}
	channels, err := l.opts.Store.Channels(ctx, storage.ChannelFilter{Devices: []halley.DeviceID{d.ID}, Ended: true})
	if err != nil {
		return nil, fmt.Errorf("reading the channels of a device: %w", err)
	}
	list := make([]verify.RollupFault, 0, len(faults))
	for _, f := range faults {
		named := verify.RollupFault{From: f.From, To: f.To}
		for _, c := range channels {
			if c.ID == f.Channel {
				named.Channel = form.Channel{Number: c.Number, Quantity: c.Quantity, Unit: c.Unit}
			}
		}
		list = append(list, named)
	}
	return list, nil
}

// pauses gives a pause between pieces of work that lasts as long as uploads wait or the recorder has much to do, in proportion to
// the work.
func (l *Ledger) pauses() func(context.Context) error {
	began := time.Now()
	return func(ctx context.Context) error {
		until := time.Now().Add(min(time.Since(began)*(slowdown-1), longestPause))
		for (l.opts.Uploads() > 0 || l.opts.Busy()) && time.Now().Before(until) {
			if !sleep(ctx, look) {
				return fmt.Errorf("verifying: %w", ctx.Err())
			}
		}
		began = time.Now()
		return nil
	}
}

// copied gives the copy of the newest checkpoint beside the store.
func (l *Ledger) copied() (form.Checkpoint, bool) {
	text, err := os.ReadFile(l.copyPath())
	if errors.Is(err, fs.ErrNotExist) {
		return form.Checkpoint{}, false
	}
	var list []form.Checkpoint
	if err == nil {
		list, err = form.ParseCheckpoints(text)
	}
	if err != nil {
		l.opts.Log.Warn("the copy of the newest checkpoint in the data folder cannot be read", "err", err)
		return form.Checkpoint{}, false
	}
	return list[0], true
}

// outside gives the newest checkpoint of this node that can be read back from a folder outside.
func (l *Ledger) outside(ctx context.Context) (newest form.Checkpoint, found bool) {
	for _, p := range l.places {
		if p.Kind != config.PlaceFolder {
			continue
		}
		c, ok, err := p.read(ctx)
		if err != nil {
			l.opts.Log.Warn("the newest checkpoint outside could not be read, so it is not checked against", "place", p.Text, "err", err)
			continue
		}
		if ok && (!found || c.At > newest.At) {
			newest, found = c, true
		}
	}
	return newest, found
}

// read gives the newest checkpoint that lies in the folder. A share that hangs is left to itself after a while.
func (p *place) read(ctx context.Context) (form.Checkpoint, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	type answer struct {
		c     form.Checkpoint
		found bool
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		c, found, err := newestIn(p.folder())
		done <- answer{c, found, err}
	}()
	select {
	case a := <-done:
		return a.c, a.found, a.err
	case <-ctx.Done():
		return form.Checkpoint{}, false, fmt.Errorf("reading the folder: %w", ctx.Err())
	}
}
