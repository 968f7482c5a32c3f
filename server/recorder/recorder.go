// Package recorder moves the journal into the store: in order, in large batches, each exactly once. It is the one way by which
// samples reach the store, in good times and in bad: when the store is away it waits, and the journal grows.
//
// How far it is, it learns from the store: at the start, before every batch, and now and then while there is nothing to do. Where
// the position is not what it left, it begins from the position that is there, so a batch whose answer was lost, a store that was
// put back to an older state and one that is empty are all the same to it. Positions are those of a journal's id; what other
// journals of the same node recorded does not count.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"halley"
	"halley/protocols"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/storage"
)

// decoderVersion is written into every batch. It grows when decoding changes what is stored.
const decoderVersion = 1

// Journal is what is recorded.
type Journal interface {
	Entries
	Identity
	// Waiting says how many uploads wait for an acknowledgement.
	Waiting() int
}

// Entries are what a journal holds; the methods are those of journal.Journal.
type Entries interface {
	First() uint64
	Last() uint64
	Wait(ctx context.Context, after uint64) error
	Read(ctx context.Context, after uint64, limit int) ([]journal.Entry, error)
	Hash(ctx context.Context, seq uint64) ([32]byte, error)
}

// Identity is the id by which the store knows a journal; the methods are those of journal.Journal.
type Identity interface {
	ID() string
	Renew(ctx context.Context, why string) (oldID, freshID string, err error)
}

// Store is where the journal goes; the methods are those of storage.Recorder.
type Store interface {
	Position(ctx context.Context, journalID string) (storage.Position, error)
	Append(ctx context.Context, b storage.Batch) (storage.Appended, error)
}

// Quarantine takes what is not trusted, and lets go of what was released and is recorded.
type Quarantine interface {
	Keep(ctx context.Context, uploads []quarantine.Upload) error
	Forget(ctx context.Context, uploads []quarantine.Upload) error
}

// Options configure a Recorder.
type Options struct {
	Node       string
	Journal    Journal
	Store      Store
	Quarantine Quarantine
	Families   protocols.Set
	// Decoded gives the upload that was decoded when it came in, if it is still at hand.
	Decoded func(seq uint64) (*halley.Upload, bool)
	// Every is how long an entry may wait to be recorded, Samples how many samples make a batch at most; where the store is slow
	// they are fewer. A batch goes beyond it by less than one upload.
	Every   time.Duration
	Samples int
	// Recorded is called after each batch, before the batch counts as recorded. Where the store's answer to a batch was lost it is
	// called once it is known that the batch is there, and says that anything may have changed.
	Recorded func(context.Context, Progress)
	// Memory remembers what was recorded; nil for a recorder that need not know that its store was set back.
	Memory Memory
	// SetBack is called where the store or the journal is found to be older than it was, before anything more is recorded; after an
	// error it is called again. Nil tells nobody.
	SetBack func(context.Context, SetBack) error
	Log     *slog.Logger
}

// Progress says what a batch did.
type Progress struct {
	storage.Appended
	// Seq is the last sequence number that is recorded.
	Seq uint64
	// Quarantined says that uploads went into quarantine.
	Quarantined bool
}

// Recorder records one journal. Run is called once, and Drain after it; the other methods may be called at any time.
type Recorder struct {
	opts Options
	// nudge holds a token when somebody wants a batch soon.
	nudge chan struct{}

	mu    sync.Mutex
	state State
	// answered says that the store has answered since the start.
	answered bool
	// asking counts the calls to the store, so that a call which is late in answering is told from the next.
	asking uint64
	// target is the sequence number up to which somebody waits; changed is closed and replaced when state changes.
	target  uint64
	changed chan struct{}

	// What follows is for Run and Drain alone.

	size sizing
	wait backoff
	// refusedInRow counts the entries parked one after the other at the end of what is recorded.
	refusedInRow int
	// unsure says that a batch failed in a way that leaves open whether it is stored.
	unsure bool
	// at is the store's position in this journal as it was last; zero where there is none.
	at storage.Position
	// moved counts how often since the last batch that was stored the position was found to be another.
	moved int
	// told is what was said last of a store that was set back.
	told told
	// freely is the sequence number up to which batches need not be those that are remembered: the store could not take one whole.
	freely uint64
}

// New makes a Recorder.
func New(opts Options) *Recorder {
	return &Recorder{
		opts:    opts,
		state:   State{Store: storage.OK, Since: halley.MillisOf(time.Now())},
		changed: make(chan struct{}),
		nudge:   make(chan struct{}, 1),
		size:    newSizing(opts.Samples),
		wait:    newBackoff(),
	}
}

// Hurry asks for a batch soon: a device is new and people wait to see it, or the store is known to be back.
func (r *Recorder) Hurry() {
	select {
	case r.nudge <- struct{}{}:
	default:
	}
}

// Flush waits until everything is recorded that is in the journal now. It is Unavailable at once where the recorder cannot go on
// for the time being.
func (r *Recorder) Flush(ctx context.Context) (recorded uint64, err error) {
	target := r.opts.Journal.Last()
	r.mu.Lock()
	r.target = max(r.target, target)
	r.mu.Unlock()
	r.Hurry()
	for {
		r.mu.Lock()
		s, changed := r.state, r.changed
		r.mu.Unlock()
		if s.Recorded >= target {
			return s.Recorded, nil
		}
		if !s.working() {
			return s.Recorded, &halley.Error{Kind: halley.Unavailable, Op: "record what waits", Code: s.refusal(), Message: s.Problem}
		}
		select {
		case <-ctx.Done():
			return s.Recorded, fmt.Errorf("waiting for the recorder: %w", ctx.Err())
		case <-changed:
		}
	}
}

// Run records until ctx ends. What is not recorded then waits in the journal for the next start.
func (r *Recorder) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		switch err := r.follow(ctx); {
		case ctx.Err() != nil || err == nil:
		case errors.Is(err, errStopped):
			<-ctx.Done()
		case hasMoved(err) && r.moved <= 1:
			r.opts.Log.Info("the store's position in the journal has moved and is read again", "err", err)
		default:
			r.away(err)
			r.wait.pause(ctx, r.nudge)
		}
	}
	return nil
}

// Drain records what is left at the end, after Run has ended and nothing more comes in, as far as ctx allows. What it leaves
// is recorded at the next start.
func (r *Recorder) Drain(ctx context.Context) {
	if s := r.State(); !s.working() {
		return
	}
	pos, err := r.position(ctx)
	for err == nil && pos < r.opts.Journal.Last() {
		pos, err = r.step(ctx, pos)
	}
	if err != nil && !errors.Is(err, errStopped) {
		r.opts.Log.Info("some uploads are recorded at the next start", "waiting", r.opts.Journal.Last()-r.State().Recorded, "err", err)
	}
}

// follow reads the position from the store and records from there until something fails, or until it is time to ask the store
// again because there was nothing to record.
func (r *Recorder) follow(ctx context.Context) error {
	pos, err := r.position(ctx)
	if err != nil {
		return err
	}
	r.found(ctx, pos)
	for {
		if r.opts.Journal.Last() <= pos {
			r.back(pos)
		}
		if !r.wait.failed() {
			if due, err := r.due(ctx, pos); err != nil || !due {
				return err
			}
		}
		next, err := r.step(ctx, pos)
		if err != nil {
			return err
		}
		r.wait.reset()
		pos = next
	}
}

// found takes over how far the store is. Where a batch was stored although its answer was lost, it is followed up now.
func (r *Recorder) found(ctx context.Context, pos uint64) {
	if r.unsure && pos > r.State().Recorded {
		r.opts.Log.Info("the store has the batch whose answer was lost", "recorded", pos)
		r.opts.Recorded(ctx, Progress{Seq: pos, Quarantined: true, Appended: storage.Appended{DevicesChanged: true}})
	}
	r.unsure = false
	r.update(func(s *State) { s.Recorded = pos })
}
