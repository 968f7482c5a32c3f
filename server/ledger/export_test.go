package ledger

import (
	"context"
	"time"

	"halley"
	"halley/storage"
	form "halley/storage/ledger"
	"halley/storage/ledger/verify"
)

// Checkpoint makes a checkpoint of a kind.
func (l *Ledger) Checkpoint(ctx context.Context, kind string) error { return l.checkpoint(ctx, kind) }

// SetEngine puts another engine in the place of verify.Run.
func (l *Ledger) SetEngine(run func(ctx context.Context, o verify.Options) (verify.Result, error)) {
	l.verify = run
}

// Due gives when the next checkpoint is due, and its kind.
func (l *Ledger) Due(after time.Time) (time.Time, string) { return l.due(after) }

// Offered gives what waits to be sent to each place.
func (l *Ledger) Offered() []*form.Checkpoint {
	var list []*form.Checkpoint
	for _, p := range l.places {
		list = append(list, p.next())
	}
	return list
}

// SendAll sends what waits to each place once.
func (l *Ledger) SendAll(ctx context.Context) {
	for _, p := range l.places {
		if c := p.next(); c != nil {
			p.note(c, p.send(ctx, c))
		}
	}
}

// Look reads the kept results again.
func (l *Ledger) Look(ctx context.Context) bool {
	return l.results.flush(ctx) && l.results.look(ctx) == nil
}

// Night verifies as at night.
func (l *Ledger) Night(ctx context.Context) {
	n := l.verifier.newNight()
	n.begin(ctx)
}

// Share gives the next share of all days behind a former one.
func Share(first, last int64, formerTo halley.Millis) (from, to int64) {
	return share(first, last, storage.VerifySummary{To: formerTo})
}

// OpenFindings gives the ids of results whose findings are open.
func OpenFindings(list []storage.Proof) []int64 {
	var ids []int64
	for _, p := range openFindings(list) {
		ids = append(ids, p.ID)
	}
	return ids
}

// NewestIn gives the newest checkpoint in a folder.
func NewestIn(folder string) (form.Checkpoint, bool, error) { return newestIn(folder) }
