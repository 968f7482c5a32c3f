// Package reach stands between the program and a database that may be away, slow or hanging: a call fails at once while the
// database is known to be away, takes no longer than its bound, and never holds up its caller beyond its context, whatever the
// driver does.
package reach

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"halley"
	"halley/storage"
)

// CodeAway is the code of the error that a caller gets while the database is away.
const CodeAway = "store-away"

// mostStuck is how many calls may hang in the driver at one time; beyond it no more are begun.
const mostStuck = 32

// Standing is how the database stands.
type Standing struct {
	State storage.State
	Since halley.Millis
	// Problem says in plain English what is wrong, Code is a code of package storage; both are "" where the state is storage.OK.
	Problem, Code string
}

// Gate is the one way to a database. Its methods may be called at the same time.
type Gate struct {
	store atomic.Pointer[storage.Store]
	// recorder says how the recorder finds the database.
	recorder func() Standing
	// back is called when the database answers after it did not.
	back func()
	// stuck counts the calls that were left behind and have not ended.
	stuck atomic.Int32

	mu sync.Mutex
	// answeredAt and failedAt are when the database answered and failed to answer last; silence is since when it has failed to,
	// and problem why.
	answeredAt, failedAt time.Time
	silence              Standing
	// shown is what Standing gave last.
	shown Standing
}

// New gives a Gate before a store. recorder says how the recorder finds the database; back is called when the database answers
// after it did not. Neither may wait.
func New(store storage.Store, recorder func() Standing, back func()) *Gate {
	g := &Gate{recorder: recorder, back: back}
	g.store.Store(&store)
	return g
}

// now gives the database that calls go to.
func (g *Gate) now() storage.Store { return *g.store.Load() }

// Replace lets calls from now on go to another database, and gives the former one, whose running calls go on.
func (g *Gate) Replace(store storage.Store) (former storage.Store) {
	former = *g.store.Swap(&store)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answeredAt, g.failedAt, g.silence = time.Time{}, time.Time{}, Standing{}
	return former
}

// Standing says how the database stands: as the recorder finds it or, where that has nothing to complain of, as the calls through
// the gate find it. One time away has one beginning, whoever found it first.
func (g *Gate) Standing() Standing {
	s := g.recorder()
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.State == storage.OK && g.silence.State == storage.Away {
		s = g.silence
	}
	if s.State == storage.Away && g.shown.State == storage.Away {
		s.Since = g.shown.Since
	}
	g.shown = s
	return s
}

// Reachable says whether a call is worth a try.
func (g *Gate) Reachable() bool {
	_, away := g.away()
	return !away
}

// away says whether the database is known to be away, and how it stands. A database that answers calls since the recorder failed
// is not away, whatever keeps the recorder from recording.
func (g *Gate) away() (Standing, bool) {
	s := g.Standing()
	if s.State != storage.Away {
		return s, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	answers := g.answeredAt.After(g.failedAt) && g.answeredAt.After(s.Since.Time())
	return s, !answers
}

// answered notes that the database answered, and says whether it did not before.
func (g *Gate) answered() (again bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	again = g.silence.State == storage.Away
	g.answeredAt, g.silence = time.Now(), Standing{}
	return again
}

// fell notes that the database did not answer a call that began then, and why.
func (g *Gate) fell(problem, code string, began time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failedAt = time.Now()
	if g.silence.State != storage.Away {
		g.silence.State, g.silence.Since = storage.Away, halley.MillisOf(began)
	}
	g.silence.Problem, g.silence.Code = sentence(problem), code
}

// sentence makes a message of an error, which begins small and has no full stop, one that stands by itself.
func sentence(message string) string {
	if message == "" {
		return "The database cannot be reached; the log says why."
	}
	return strings.ToUpper(message[:1]) + strings.TrimSuffix(message[1:], ".") + "."
}

// isAway says whether an error says that the database cannot be used. One that is full, busy or can only be read is there.
func isAway(err error) bool {
	e, ok := errors.AsType[*halley.Error](err)
	if !ok || e.Kind != halley.Unavailable {
		return false
	}
	switch e.Code {
	case storage.CodeFull, storage.CodeReadOnly, storage.CodeBusy:
		return false
	}
	return true
}

// Close closes the database. It waits for calls that still run as long as patience; closed false says that it left them behind, to
// end with the process.
func (g *Gate) Close(patience time.Duration) (closed bool, err error) {
	done := make(chan error, 1)
	go func() { done <- g.now().Close() }()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case err := <-done:
		return true, err
	case <-t.C:
		return false, nil
	}
}
