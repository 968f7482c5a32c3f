package clock

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"halley"
)

const (
	// lookEvery is how often the two clocks of the machine are compared.
	lookEvery = time.Second
	// stepBeyond is how far the wall clock may depart from the monotonic one between two looks before that is a step. The journal
	// has the same rule.
	stepBeyond = 2 * time.Second
	// askEvery is how often the time source is asked, askAgain how soon where it did not answer.
	askEvery = 15 * time.Minute
	askAgain = time.Minute
	// noteEvery is how often a step is noted at most: a clock that jumps all the time must not fill the audit trail. Steps in
	// between are noted together.
	noteEvery = time.Minute
)

// State says how far the clock is to be trusted.
type State string

// The states of the clock.
const (
	// NotChecked is a clock without a configured time source, or one whose source was not asked yet.
	NotChecked State = "not-checked"
	// OK is a clock that was within the bound when it was checked last.
	OK State = "ok"
	// Wrong is one that was beyond it.
	Wrong State = "wrong"
	// Stepped is one that jumped after it was checked last.
	Stepped State = "stepped"
	// NoAnswer is one whose time source does not answer.
	NoAnswer State = "no-answer"
)

// Standing is what is known of the clock.
type Standing struct {
	State State
	// Offset is how far the clock lay ahead of the source when that answered last; negative for behind. It counts where CheckedAt
	// is not 0.
	Offset time.Duration
	// Source is the time source as it is configured, "" for none; CheckedAt is when it answered last.
	Source    string
	CheckedAt halley.Millis
	// Problem says why the source gave no answer; "" where it did. Since is when this state began.
	Problem string
	Since   halley.Millis
	// SteppedAt is when the clock jumped last, StepBy how far (negative for back); 0 where it did not since the start.
	SteppedAt halley.Millis
	StepBy    time.Duration
}

// Options are the parts of a Watch.
type Options struct {
	// Node is this server's name.
	Node string
	// Source is the time source, HOST or HOST:PORT; "" for none.
	Source string
	// WarnAt is how far the clock may be off.
	WarnAt time.Duration
	// Note keeps an act for the audit trail, also while the store is away.
	Note func(ctx context.Context, e halley.AuditEntry) error
	// Ask asks a time source; nil for AskNTP.
	Ask func(ctx context.Context, source string) (Answer, error)
	// Wall gives the wall clock; nil for time.Now. Time that passes is always measured by the monotonic clock.
	Wall func() time.Time
	Log  *slog.Logger
}

// Watch watches the clock. Run does the work; Standing may be asked at any time.
type Watch struct {
	opts   Options
	opened time.Time

	mu       sync.Mutex
	standing Standing
	answer   Answer
	answered time.Time // on the monotonic clock

	// The rest is Run's alone.
	before instant
	steps  steps
	// wrong says that the drift noted last was beyond the bound.
	wrong bool
}

// instant is one moment on both clocks.
type instant struct {
	wall time.Time
	mono time.Duration
}

// steps are those that are not noted yet.
type steps struct {
	from, to time.Time
	by       time.Duration
	count    int
	noted    time.Duration
	ever     bool
}

// New gives a Watch that has not looked yet.
func New(o Options) *Watch {
	if o.Ask == nil {
		o.Ask = AskNTP
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	w := &Watch{opts: o, opened: time.Now()}
	w.standing = Standing{State: NotChecked, Source: o.Source, Since: w.stamp()}
	w.before = w.now()
	return w
}

func (w *Watch) now() instant {
	return instant{wall: w.opts.Wall().Round(0), mono: time.Since(w.opened)}
}

func (w *Watch) stamp() halley.Millis { return halley.MillisOf(w.opts.Wall()) }

// Standing gives what is known of the clock now.
func (w *Watch) Standing() Standing {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.standing
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	ask := time.NewTimer(0)
	defer ask.Stop()
	if w.opts.Source == "" {
		ask.Stop()
	}
	for {
		select {
		case <-ctx.Done():
			w.noteSteps(context.WithoutCancel(ctx), true)
			return nil
		case <-look.C:
			if w.look() && w.opts.Source != "" {
				ask.Reset(0)
			}
			w.noteSteps(ctx, false)
		case <-ask.C:
			ask.Reset(w.check(ctx))
		}
	}
}

// look compares the two clocks and says whether the wall clock has stepped since the look before.
func (w *Watch) look() bool {
	now := w.now()
	should := w.before.wall.Add(now.mono - w.before.mono)
	by := now.wall.Sub(should)
	w.before = now
	if by <= stepBeyond && by >= -stepBeyond {
		return false
	}
	if w.steps.count == 0 {
		w.steps.from = should
	}
	w.steps.to, w.steps.by, w.steps.count = now.wall, w.steps.by+by, w.steps.count+1
	w.mu.Lock()
	defer w.mu.Unlock()
	w.standing.SteppedAt, w.standing.StepBy = halley.MillisOf(now.wall), by
	if w.opts.Source != "" {
		w.standing.State, w.standing.Since = Stepped, halley.MillisOf(now.wall)
	}
	return true
}

// noteSteps notes the steps that are not noted yet, not too often unless this is the last chance. A time that cannot be stored is
// noted once the clock shows one that can.
func (w *Watch) noteSteps(ctx context.Context, last bool) {
	s, now := &w.steps, w.now()
	if s.count == 0 || s.ever && !last && now.mono-s.noted < noteEvery {
		return
	}
	at := halley.MillisOf(now.wall)
	if !at.Storable() {
		return
	}
	w.note(ctx, at, act{
		what: "clock.step",
		from: map[string]any{"at": instantText(s.from)},
		to:   map[string]any{"at": instantText(s.to), "seconds": s.by.Seconds(), "steps": s.count},
	})
	w.opts.Log.Warn("the clock of this machine jumped, or the machine was suspended",
		"seconds", s.by.Seconds(), "steps", s.count, "shows", at.String())
	*s = steps{noted: now.mono, ever: true}
}

// check asks the time source and gives when to ask again.
func (w *Watch) check(ctx context.Context) time.Duration {
	answer, err := w.opts.Ask(ctx, w.opts.Source)
	if ctx.Err() != nil {
		return askAgain
	}
	before := w.Standing()
	now := w.stamp()
	if err != nil {
		w.update(func(st *Standing) {
			st.Problem = err.Error()
			if st.State != Wrong && st.State != Stepped {
				st.State = NoAnswer
			}
		}, now)
		if before.Problem == "" {
			w.opts.Log.Warn("the time source does not answer", "source", w.opts.Source, "err", err)
		}
		return askAgain
	}
	state := OK
	if answer.Offset.Abs() > w.opts.WarnAt {
		state = Wrong
	}
	w.update(func(st *Standing) {
		w.answer, w.answered = answer, time.Now()
		st.State, st.Offset, st.CheckedAt, st.Problem = state, answer.Offset, now, ""
	}, now)
	if wrong := state == Wrong; wrong != w.wrong {
		w.wrong = wrong
		w.drifted(ctx, now, before, state, answer.Offset)
	}
	return askEvery
}

// update changes the standing; where its state changes, that begins now.
func (w *Watch) update(change func(*Standing), now halley.Millis) {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := w.standing.State
	change(&w.standing)
	if w.standing.State != state {
		w.standing.Since = now
	}
}

// drifted notes that the clock left the bound, or is back within it.
func (w *Watch) drifted(ctx context.Context, now halley.Millis, before Standing, state State, offset time.Duration) {
	if state == Wrong {
		w.opts.Log.Warn("the clock of this machine is not right", "ahead_seconds", offset.Seconds(), "source", w.opts.Source)
	} else {
		w.opts.Log.Info("the clock of this machine is right again", "ahead_seconds", offset.Seconds(), "source", w.opts.Source)
	}
	if !now.Storable() {
		return
	}
	w.note(ctx, now, act{
		what: "clock.drift", from: map[string]any{"state": before.State},
		to: map[string]any{"state": state, "ahead_seconds": offset.Seconds(), "source": w.opts.Source, "bound_seconds": w.opts.WarnAt.Seconds()},
	})
}

// act is what a Watch notes.
type act struct {
	what     string
	from, to map[string]any
}

func (w *Watch) note(ctx context.Context, at halley.Millis, a act) {
	from, err := json.Marshal(a.from)
	if err != nil {
		w.opts.Log.Error("an event of the clock cannot be described", "err", err)
		return
	}
	to, err := json.Marshal(a.to)
	if err == nil {
		err = w.opts.Note(ctx, halley.AuditEntry{
			Change: halley.Change{Actor: halley.Actor{Kind: "program", Name: "clock"}, At: at},
			What:   a.what, On: "server " + w.opts.Node, Old: string(from), New: string(to),
		})
	}
	if err != nil {
		w.opts.Log.Error("an event of the clock could not be noted in the journal", "what", a.what, "err", fmt.Errorf("noting it: %w", err))
	}
}

// instantText gives an instant of any year.
func instantText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
