// Package outagetest is a store for tests of what happens while the database is away: it stands before another and lets calls
// through, refuses them or lets them hang, as a test says.
package outagetest

import (
	"context"
	"sync"

	"halley"
	"halley/storage"
)

// Mode is how the database stands.
type Mode int

// The modes.
const (
	// There lets all calls through.
	There Mode = iota
	// Refused answers each call at once that the database is away.
	Refused
	// Held does not answer until the call's context ends or the mode changes.
	Held
	// Stuck does not answer until the mode changes, like a driver that does not obey its context.
	Stuck
	// ReadOnly and Full refuse what writes.
	ReadOnly
	Full
)

// Store is a storage.Store before another. Its methods may be called at the same time.
type Store struct {
	store storage.Store

	mu      sync.Mutex
	mode    Mode
	changed chan struct{}
	calls   map[string]int
	info    *storage.Info
}

// New gives a Store before another, in the mode There.
func New(store storage.Store) *Store {
	return &Store{store: store, changed: make(chan struct{}), calls: map[string]int{}}
}

// Set changes the mode. Calls that hang go on in it.
func (s *Store) Set(m Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = m
	close(s.changed)
	s.changed = make(chan struct{})
}

// Describe has Info give i from now on.
func (s *Store) Describe(i storage.Info) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = &i
}

// Calls says how often a method was called, whatever came of it.
func (s *Store) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// pass lets a call through, or not.
func (s *Store) pass(ctx context.Context, method string, writes bool) error {
	s.mu.Lock()
	s.calls[method]++
	s.mu.Unlock()
	for {
		s.mu.Lock()
		mode, changed := s.mode, s.changed
		s.mu.Unlock()
		done := ctx.Done()
		switch {
		case mode == Refused:
			return away("", "the database server refused the connection")
		case mode == ReadOnly && writes:
			return away(storage.CodeReadOnly, "the database can only be read")
		case mode == Full && writes:
			return away(storage.CodeFull, "the disk of the database is full")
		case mode == Stuck:
			done = nil
		case mode != Held:
			return nil
		}
		select {
		case <-done:
			return ctx.Err()
		case <-changed:
		}
	}
}

func away(code, message string) error {
	return &halley.Error{Kind: halley.Unavailable, Op: "use the store", Code: code, Message: message}
}

// Info gives what Describe set, or what the store says; it never hangs.
func (s *Store) Info(ctx context.Context) (storage.Info, error) {
	s.mu.Lock()
	info := s.info
	s.mu.Unlock()
	if info != nil {
		return *info, nil
	}
	return s.store.Info(ctx)
}

// Close closes the store. Like a driver that waits for its calls it hangs while the mode is Stuck.
func (s *Store) Close() error {
	s.mu.Lock()
	mode, changed := s.mode, s.changed
	s.mu.Unlock()
	if mode == Stuck {
		<-changed
	}
	return s.store.Close()
}

var _ storage.Store = (*Store)(nil)
