package recorder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"halley"
	"halley/storage"
)

// silence is how long the store may take to answer before it counts as away, although it may still answer.
const silence = 10 * time.Second

// State says how the recorder stands.
type State struct {
	// Recorded is the last sequence number that is stored, a duplicate, in quarantine or parked. It falls when the store was put
	// back to an older state, and after the journal was renewed.
	Recorded uint64
	// Store says whether the store takes batches, as far as is known, and Since when that is so, whatever the problem was in the
	// meantime. From the start until the store has answered or failed for the first time it is OK, since the start; a store that
	// has not answered since the start is Away since the start.
	Store storage.State
	Since halley.Millis
	// Problem is a sentence in plain English on why nothing is recorded now, "" where that goes on; Code is its stable word, "" where
	// there is none. A Problem while the store is OK is one of this machine: the journal or the quarantine.
	Problem string
	Code    string
	// Stopped says that the recorder gave up and a person must act; Problem says why.
	Stopped bool
	// Parked counts the entries since the start that are set aside in quarantine because the store refused them for their content,
	// or because they are acts that this version cannot read.
	Parked int
	// Renewed is the last time since the start that the journal got a new identity; nil for never. It is not changed once it is set.
	Renewed *Renewal
	// Differs is the first batch since the start that was recorded again and did not come to what it came to before; nil for none. It
	// is not changed once it is set.
	Differs *Difference
}

// Renewal says that the journal got a new identity.
type Renewal struct {
	At halley.Millis
	// Why says in plain English what was found and what to do.
	Why string
	// OldID and NewID are the journal's ids.
	OldID, NewID string
}

// working says whether the recorder goes on without anything else having to change first.
func (s *State) working() bool { return !s.Stopped && s.Store == storage.OK && s.Problem == "" }

// refusal is the code with which callers are turned away.
func (s *State) refusal() string {
	switch {
	case s.Stopped:
		return "recorder-stopped"
	case s.Store != storage.OK:
		return "store-" + string(s.Store)
	}
	return s.Code
}

// State gives how the recorder stands. It never waits for the store.
func (r *Recorder) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

func (r *Recorder) update(change func(*State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.updateLocked(change)
}

// updateLocked changes the state and wakes all who wait for that. The caller holds mu.
func (r *Recorder) updateLocked(change func(*State)) {
	change(&r.state)
	close(r.changed)
	r.changed = make(chan struct{})
}

// ask calls the store. While the answer is long in coming the store counts as away.
func (r *Recorder) ask(call func() error) error {
	began := time.Now()
	r.mu.Lock()
	r.asking++
	mine := r.asking
	r.mu.Unlock()
	late := time.AfterFunc(silence, func() { r.silent(mine, began) })
	err := call()
	late.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asking++
	r.answered = r.answered || err == nil
	return err
}

// silent says that the call that began then has not been answered.
func (r *Recorder) silent(call uint64, began time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asking != call || r.state.Store != storage.OK {
		return
	}
	since := halley.MillisOf(began)
	if !r.answered {
		since = r.state.Since
	}
	r.opts.Log.Warn("the store does not answer; uploads wait in the journal", "since", since.String())
	r.updateLocked(func(s *State) {
		s.Store, s.Since, s.Code = storage.Away, since, "no-answer"
		s.Problem = fmt.Sprintf("The database has not answered for %d seconds.", int(silence/time.Second))
	})
}

func (r *Recorder) stop(problem string) error {
	r.opts.Log.Error("recording has stopped; uploads are still taken into the journal", "problem", problem)
	r.update(func(s *State) { s.Stopped, s.Problem, s.Code = true, problem, "too-many-refused" })
	return errStopped
}

// errStopped says that a person must act before anything more is recorded.
var errStopped = errors.New("the recorder has stopped")

// away takes note that nothing can be recorded for now.
func (r *Recorder) away(err error) {
	found := describe(err)
	was := r.State()
	if was.Store != found.Store || was.Problem != found.Problem {
		r.opts.Log.Warn("nothing can be recorded now; uploads wait in the journal", "state", string(found.Store), "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.updateLocked(func(s *State) {
		if s.Store != found.Store {
			s.Store = found.Store
			if r.answered || was.Store != storage.OK {
				s.Since = halley.MillisOf(time.Now())
			}
		}
		s.Problem, s.Code = found.Problem, found.Code
	})
}

// back says that recording goes on, where it did not.
func (r *Recorder) back(pos uint64) {
	s := r.State()
	if s.working() {
		return
	}
	r.opts.Log.Info("uploads are recorded again", "since", s.Since.String(), "waiting", r.opts.Journal.Last()-pos)
	r.update(func(s *State) {
		if s.Store != storage.OK {
			s.Store, s.Since = storage.OK, halley.MillisOf(time.Now())
		}
		s.Problem, s.Code = "", ""
	})
}

// localError is a failure of this machine, not of the store: no entry is at fault.
type localError struct {
	code, problem string
	err           error
}

func (e *localError) Error() string { return e.err.Error() }

func (e *localError) Unwrap() error { return e.err }

func journalError(err error) error {
	return &localError{
		code:    "journal-unreadable",
		problem: "The journal cannot be read, so nothing of it is recorded. The log names the file; look at the disk of the data folder.",
		err:     err,
	}
}

func quarantineError(err error) error {
	return &localError{
		code:    "quarantine-failing",
		problem: "The quarantine cannot be written, so nothing is recorded. Look at the disk of the data folder and its rights.",
		err:     err,
	}
}

// errMoved says that the store's position is not the one that the recorder left it at.
var errMoved = errors.New("the position in the store has moved")

// hasMoved says that the position has to be read again: the answer to a batch was lost, another copy of this server recorded, or
// the store was put back to an older state.
func hasMoved(err error) bool { return errors.Is(err, errMoved) || codeOf(err) == storage.CodeRecorded }

// describe says what a failure means for people: Store, Problem and Code are set.
func describe(err error) State {
	if e, ok := errors.AsType[*localError](err); ok {
		return State{Store: storage.OK, Problem: e.problem, Code: e.code}
	}
	e, ok := errors.AsType[*halley.Error](err)
	switch {
	case hasMoved(err):
		return State{
			Store: storage.Away, Code: storage.CodeRecorded,
			Problem: "Another program records the same journal. Make sure that only one copy of this server runs.",
		}
	case ok && e.Kind != halley.Internal && e.Message != "":
		s := State{Store: storage.Away, Problem: sentence(e.Message), Code: e.Code}
		switch e.Code {
		case storage.CodeFull:
			s.Store = storage.Full
		case storage.CodeReadOnly:
			s.Store = storage.ReadOnly
		}
		return s
	case errors.Is(err, context.DeadlineExceeded):
		return State{Store: storage.Away, Problem: "The database did not answer in time.", Code: "no-answer"}
	}
	return State{Store: storage.Away, Problem: "The database does not take batches now; the log says why.", Code: "store-failing"}
}

// sentence makes a message of an error, which begins small and has no full stop, one that stands by itself.
func sentence(message string) string {
	first, size := utf8.DecodeRuneInString(message)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(message[size:], ".") + "."
}

// codeOf gives the code of the first *halley.Error in err's chain.
func codeOf(err error) string {
	if e, ok := errors.AsType[*halley.Error](err); ok {
		return e.Code
	}
	return ""
}
