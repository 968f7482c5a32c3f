package reach

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"halley"
	"halley/storage"
)

// grace is what a call is given to end by itself when its time is over: a driver that obeys its context does.
const grace = 250 * time.Millisecond

// Store is a database behind a Gate. It keeps the contract of package storage.
type Store struct {
	gate   *Gate
	within time.Duration
	// ask also asks a database that is known to be away, and gives its errors as they are.
	ask bool
	// probe takes a call that fails for a database that is away.
	probe bool
	// silent takes nothing that a call comes to for how the database stands.
	silent bool
}

// Within gives the database for callers that people wait for: each call takes at most so long, and fails at once while the
// database is known to be away. Errors say so in words for people.
func (g *Gate) Within(d time.Duration) *Store { return &Store{gate: g, within: d} }

// Asking gives the database for those that see for themselves how it stands: each call is made also while the database is known to
// be away and takes at most so long; 0 is as long as its context allows. Errors are the store's own.
func (g *Gate) Asking(d time.Duration) *Store { return &Store{gate: g, within: d, ask: true} }

// Probing is Asking for the call whose failure shows that the database is away: one that asks little, needs no rights but those that
// all need, and is made again and again.
func (g *Gate) Probing(d time.Duration) *Store {
	return &Store{gate: g, within: d, ask: true, probe: true}
}

// outcome is what a call came to.
type outcome[T any] struct {
	value T
	err   error
	// panicked is what the call panicked with and where; "" where it did not.
	panicked string
}

// call makes one call of the store. One that does not end when its time is over is left behind.
func call[T any](ctx context.Context, s *Store, op string, do func(context.Context) (T, error)) (T, error) {
	var none T
	if err := s.admit(op); err != nil {
		return none, err
	}
	began := time.Now()
	bounded, cancel := context.WithCancel(ctx)
	if s.within > 0 {
		bounded, cancel = context.WithTimeout(ctx, s.within)
	}
	defer cancel()
	done := make(chan outcome[T], 1)
	var parted atomic.Bool // the caller has gone on, or the call has ended: whichever comes first
	go func() {
		done <- attempt(bounded, do)
		if !parted.CompareAndSwap(false, true) {
			s.gate.stuck.Add(-1)
		}
	}()
	o, ended := await(bounded, done)
	if !ended && parted.CompareAndSwap(false, true) {
		s.gate.stuck.Add(1)
		return none, s.late(ctx, op, began)
	}
	if !ended {
		o = <-done
	}
	switch {
	case o.panicked != "":
		panic(o.panicked)
	case o.err != nil && ctx.Err() != nil:
		return none, o.err
	case o.err != nil && bounded.Err() != nil:
		return none, s.late(ctx, op, began)
	}
	s.learn(o.err, began)
	return o.value, s.explain(op, o.err)
}

// run is call for what gives nothing but an error.
func run(ctx context.Context, s *Store, op string, do func(context.Context) error) error {
	_, err := call(ctx, s, op, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

// both is call for what gives two values.
func both[A, B any](ctx context.Context, s *Store, op string, do func(context.Context) (A, B, error)) (A, B, error) {
	type values struct {
		a A
		b B
	}
	v, err := call(ctx, s, op, func(ctx context.Context) (v values, err error) {
		v.a, v.b, err = do(ctx)
		return v, err
	})
	return v.a, v.b, err
}

// attempt runs a call and catches its panic, so that it shows where the call was made.
func attempt[T any](ctx context.Context, do func(context.Context) (T, error)) (o outcome[T]) {
	defer func() {
		if p := recover(); p != nil {
			o.panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
	}()
	o.value, o.err = do(ctx)
	return o
}

// await gives the outcome of a call, or ended false where the call goes on beyond its time and the grace.
func await[T any](bounded context.Context, done <-chan outcome[T]) (o outcome[T], ended bool) {
	select {
	case o = <-done:
		return o, true
	case <-bounded.Done():
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case o = <-done:
		return o, true
	case <-t.C:
		return o, false
	}
}

// admit refuses a call that would only wait.
func (s *Store) admit(op string) error {
	if s.ask {
		return nil
	}
	if standing, away := s.gate.away(); away {
		return awayError(op, standing.Since, nil)
	}
	if s.gate.stuck.Load() >= mostStuck {
		return slowError(op, nil)
	}
	return nil
}

// learn takes the outcome of a call that began then for what it says of the database.
func (s *Store) learn(err error, began time.Time) {
	e, known := errors.AsType[*halley.Error](err)
	switch {
	case s.silent:
	case isAway(err):
		if s.probe {
			s.gate.fell(e.Message, e.Code, began)
		}
	case err == nil, known && e.Kind != halley.Internal:
		if s.gate.answered() {
			s.gate.back()
		}
	}
}

// late is the error of a call that did not end in time, or whose caller has gone.
func (s *Store) late(ctx context.Context, op string, began time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if s.probe {
		s.gate.fell("the database does not answer in time", "", began)
	}
	return slowError(op, context.DeadlineExceeded)
}

// explain gives an error of a database that is away the words for people.
func (s *Store) explain(op string, err error) error {
	if err == nil || s.ask || !isAway(err) {
		return err
	}
	if standing, away := s.gate.away(); away {
		return awayError(op, standing.Since, err)
	}
	e, _ := errors.AsType[*halley.Error](err)
	return &halley.Error{Kind: halley.Unavailable, Op: op, Code: CodeAway, Message: strings.TrimSuffix(e.Message, ".") + goesOn, Err: err}
}

// goesOn says what an outage means.
const goesOn = ": live values go on; history and changes come back with it"

// awayError says that the database is away since an instant.
func awayError(op string, since halley.Millis, cause error) error {
	at := since.Time()
	form := "15:04 UTC"
	if time.Since(at) > 12*time.Hour {
		form = "2006-01-02 15:04 UTC"
	}
	return &halley.Error{
		Kind: halley.Unavailable, Op: op, Code: CodeAway, Message: "the database is away since " + at.Format(form) + goesOn, Err: cause,
	}
}

// slowError says that the database did not answer in time.
func slowError(op string, cause error) error {
	return &halley.Error{
		Kind: halley.Unavailable, Op: op, Code: CodeAway,
		Message: "the database does not answer in time: live values go on; try again in a minute", Err: cause,
	}
}

var _ storage.Store = (*Store)(nil)
