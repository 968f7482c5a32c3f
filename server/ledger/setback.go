package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"halley"
	"halley/storage"
)

const (
	// shownFor is how long it is shown that something was set back.
	shownFor = 30 * 24 * time.Hour
	// headsWithin bounds the look at the chains as they were found.
	headsWithin = 3 * time.Second
)

// SetBack keeps that the store or the journal ("store", "journal") was found older than it was known to be, with text saying it in
// plain English and to saying to when, 0 where that is not known. It may take some seconds, in which nothing may be added to the
// store: the ends of the chains as they were found explain later what is not there. The error says that those could not be read;
// then nothing is kept, and the caller has to come again.
func (l *Ledger) SetBack(ctx context.Context, what, text string, to halley.Millis) error {
	asking, cancel := context.WithTimeout(ctx, headsWithin)
	heads, err := l.opts.Store.LedgerHeads(asking)
	cancel()
	if err != nil {
		return fmt.Errorf("reading the ends of the chains: %w", err)
	}
	l.mu.Lock()
	l.setBack = true
	l.mu.Unlock()
	if slices.ContainsFunc(l.setBacks(now()), func(o SetBack) bool { return o.What == what && o.Text == text }) {
		return nil // found again before anything was recorded anew
	}
	s := storage.SetBackSummary{What: what, Text: text, To: to, Heads: heads}
	l.results.add(storage.Proof{At: now(), Node: l.opts.Node, Kind: storage.ProofSetBack}, s, by(text))
	l.results.flush(ctx)
	// What says so counts once a checkpoint covers it.
	select {
	case l.soon <- struct{}{}:
	default:
	}
	return nil
}

// SetBack says that something was found older than it was known to be.
type SetBack struct {
	At         halley.Millis
	Node       string
	What, Text string
}

// setBacks gives those that are still to be shown, newest first.
func (l *Ledger) setBacks(at halley.Millis) []SetBack {
	var list []SetBack
	for _, p := range l.results.of(storage.ProofSetBack) {
		var s storage.SetBackSummary
		if at-p.At > halley.Millis(shownFor.Milliseconds()) || json.Unmarshal([]byte(p.Summary), &s) != nil {
			continue
		}
		list = append(list, SetBack{At: p.At, Node: p.Node, What: s.What, Text: s.Text})
	}
	return list
}
