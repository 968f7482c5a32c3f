package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"halley/config"
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
	// ShownFindings is how many findings the kept result of a verification names.
	ShownFindings = 100
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
		Source: l.opts.Store, Keys: trusted, Remembered: Remembered(ctx, l.opts.Folder), Rollups: RollupFaults(l.opts.Store),
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
	return Summary(&r, ShownFindings), err
}

// fraction gives how far a verification is. Only where a step knows its end does it count: that is the samples, nearly all of it.
func fraction(p *verify.Progress) float64 {
	if p.Total <= 0 {
		return 0
	}
	return float64(p.Done) / float64(p.Total)
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
