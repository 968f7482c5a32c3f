// Package recorder moves the journal into the store: in order, in large batches, each exactly once. It is the one way by which
// samples reach the store, in good times and in bad: when the store is away it waits, and the journal grows.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
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
	ID() string
	Last() uint64
	Waiting() int
	Wait(ctx context.Context, after uint64) error
	Read(ctx context.Context, after uint64, limit int) ([]journal.Entry, error)
	Hash(ctx context.Context, seq uint64) ([32]byte, error)
}

// Quarantine takes what is not trusted.
type Quarantine interface {
	Keep(ctx context.Context, uploads []quarantine.Upload) error
}

// Options configure a Recorder.
type Options struct {
	Node       string
	Journal    Journal
	Store      storage.Recorder
	Quarantine Quarantine
	Families   protocols.Set
	// Decoded gives the upload that was decoded when it came in, if it is still at hand.
	Decoded func(seq uint64) (*halley.Upload, bool)
	// Every is how long an entry may wait to be recorded, Samples how many samples make a batch.
	Every   time.Duration
	Samples int
	// Recorded is called after each batch, before the batch counts as recorded.
	Recorded func(context.Context, Progress)
	Log      *slog.Logger
}

// Progress says what a batch did.
type Progress struct {
	storage.Appended
	// Seq is the last sequence number that is recorded.
	Seq uint64
	// Quarantined says that uploads went into quarantine.
	Quarantined bool
}

// State says how the recorder stands.
type State struct {
	// Recorded is the last sequence number that is stored, a duplicate, in quarantine or parked.
	Recorded uint64
	// Store says whether the store takes batches, Since when, and Problem what is wrong, in plain English.
	Store   storage.State
	Since   halley.Millis
	Problem string
	// Stopped says that the recorder gave up and a person must act.
	Stopped bool
	// Parked counts the entries since the start that the store refused for their content.
	Parked int
}

// Recorder records one journal. Run is called once; the other methods may be called at any time.
type Recorder struct {
	opts  Options
	mu    sync.Mutex
	state State
	// target is the sequence number up to which somebody waits; flushed wakes them.
	target  uint64
	changed chan struct{}
	nudge   chan struct{}
	// refusedInRow counts the entries parked one after the other.
	refusedInRow int
}

// New makes a Recorder.
func New(opts Options) *Recorder {
	return &Recorder{
		opts:    opts,
		state:   State{Store: storage.OK, Since: halley.MillisOf(time.Now())},
		changed: make(chan struct{}),
		nudge:   make(chan struct{}, 1),
	}
}

// State gives how the recorder stands.
func (r *Recorder) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Hurry asks for a batch soon: a device is new and people wait to see it.
func (r *Recorder) Hurry() {
	select {
	case r.nudge <- struct{}{}:
	default:
	}
}

// Flush waits until everything is recorded that is in the journal now.
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
		if s.Stopped || s.Store != storage.OK {
			return s.Recorded, &halley.Error{Kind: halley.Unavailable, Op: "record what waits", Code: "store-" + string(s.Store), Message: s.Problem}
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
	wait := newBackoff()
	for ctx.Err() == nil {
		switch err := r.follow(ctx, wait); {
		case ctx.Err() != nil:
		case errors.Is(err, errStopped):
			<-ctx.Done()
		default:
			r.away(err)
			wait.pause(ctx, r.nudge)
		}
	}
	return nil
}

// Drain records what is left at the end, after Run has ended and nothing more comes in, as far as ctx allows. What it leaves
// is recorded at the next start.
func (r *Recorder) Drain(ctx context.Context) {
	if s := r.State(); s.Stopped || s.Store != storage.OK {
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

// errStopped says that a person must act before anything more is recorded.
var errStopped = errors.New("the recorder has stopped")

// follow reads the position from the store, never from memory, and records from there until something fails.
func (r *Recorder) follow(ctx context.Context, wait *backoff) error {
	pos, err := r.position(ctx)
	if err != nil {
		return err
	}
	r.update(func(s *State) { s.Recorded = pos })
	for {
		if r.opts.Journal.Last() <= pos {
			r.back(pos)
		}
		if !wait.failed() {
			if err := r.due(ctx, pos); err != nil {
				return err
			}
		}
		next, err := r.step(ctx, pos)
		if err != nil {
			return err
		}
		wait.reset()
		pos = next
		if err := r.rollUp(ctx); err != nil {
			return err
		}
	}
}

// position gives where to go on. A store that knows another journal of this node, or none, gets this one from its beginning:
// what it has already is found by the identity of the messages.
func (r *Recorder) position(ctx context.Context) (uint64, error) {
	pos, err := r.opts.Store.Position(ctx, r.opts.Node)
	if err != nil {
		return 0, fmt.Errorf("reading the position from the store: %w", err)
	}
	if pos.JournalID != r.opts.Journal.ID() {
		return 0, nil
	}
	if pos.Seq > r.opts.Journal.Last() {
		return 0, r.stop(fmt.Sprintf("The database has recorded this journal up to entry %d, but the journal ends at %d: its files are an older copy. Bring the newer files back, or start with an empty journal folder.", pos.Seq, r.opts.Journal.Last()))
	}
	hash, err := r.opts.Journal.Hash(ctx, pos.Seq)
	if err != nil {
		return 0, fmt.Errorf("reading the journal at the recorded position: %w", err)
	}
	if hash != pos.Hash {
		return 0, r.stop(fmt.Sprintf("The journal differs from what the database has recorded of it at entry %d: its files or the database were replaced by a copy. Bring the right files back, or start with an empty journal folder.", pos.Seq))
	}
	return pos.Seq, nil
}

func (r *Recorder) stop(problem string) error {
	r.opts.Log.Error("recording has stopped; uploads are still taken into the journal", "problem", problem)
	r.update(func(s *State) { s.Stopped, s.Problem = true, problem })
	return errStopped
}

func (r *Recorder) away(err error) {
	state, problem := describe(err)
	was := r.State()
	if was.Store != state || was.Problem != problem {
		r.opts.Log.Warn("the store takes no batch now; uploads wait in the journal", "state", state, "err", err)
	}
	r.update(func(s *State) {
		if s.Store != state {
			s.Store, s.Since = state, halley.MillisOf(time.Now())
		}
		s.Problem = problem
	})
}

// back says that the store takes batches, where it did not.
func (r *Recorder) back(pos uint64) {
	s := r.State()
	if s.Store == storage.OK {
		return
	}
	r.opts.Log.Info("the store takes batches again", "away_since", s.Since.String(), "waiting", r.opts.Journal.Last()-pos)
	r.update(func(s *State) { s.Store, s.Since, s.Problem = storage.OK, halley.MillisOf(time.Now()), "" })
}

func (r *Recorder) update(change func(*State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.state)
	close(r.changed)
	r.changed = make(chan struct{})
}

// describe says what a store's failure means for people.
func describe(err error) (storage.State, string) {
	if e, ok := errors.AsType[*halley.Error](err); ok && e.Message != "" {
		switch e.Code {
		case "disk-full":
			return storage.Full, sentence(e.Message)
		case "read-only":
			return storage.ReadOnly, sentence(e.Message)
		}
		return storage.Away, sentence(e.Message)
	}
	return storage.Away, "The database does not take batches now; the log says why."
}

// sentence makes a message of an error, which begins small and has no full stop, one that stands by itself.
func sentence(message string) string {
	return strings.ToUpper(message[:1]) + strings.TrimSuffix(message[1:], ".") + "."
}

// backoff waits longer after each failure, with jitter so that several servers do not come at once.
type backoff struct{ next time.Duration }

// Bounds of the wait between two tries.
const (
	firstWait   = 250 * time.Millisecond
	longestWait = 15 * time.Second
)

func newBackoff() *backoff { return &backoff{next: firstWait} }

// failed says whether the last try failed, so that the next one need not wait for a batch to fill.
func (b *backoff) failed() bool { return b.next != firstWait }

func (b *backoff) reset() { b.next = firstWait }

func (b *backoff) pause(ctx context.Context, nudge <-chan struct{}) {
	d := b.next/2 + rand.N(b.next/2)
	b.next = min(2*b.next, longestWait)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-nudge:
	}
}
