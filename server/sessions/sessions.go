// Package sessions keeps the sessions of browsers on this server itself, so that people sign in, work and sign out while the
// database is away, also across a restart. A session that begins here is read here and nowhere else; it is carried into the
// database too, where another server under the same host name finds it. What ends one here or there ends it everywhere as soon as
// the database is there.
//
// Sessions are known by the hash of their cookie.
package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"halley"
)

const (
	// carryEvery is how often the database is asked whether sessions in use were ended elsewhere, and how long one that is only kept
	// alive waits to be written.
	carryEvery = 5 * time.Second
	// longest is longer than any session lives: so long it is remembered that one was ended.
	longest = 24 * halley.Hour
	// mostForeign bounds the sessions of other servers that are remembered as such.
	mostForeign = 4096
)

// Remote is the database as it keeps sessions; storage.Access has it. Its calls must not hang.
type Remote interface {
	Session(ctx context.Context, hash string, now halley.Millis) (data []byte, found bool, err error)
	SaveSession(ctx context.Context, hash string, data []byte, expires halley.Millis) error
	DeleteSession(ctx context.Context, hash string) error
}

// Options configure a Store.
type Options struct {
	// File is the path of the durable copy.
	File string
	// Write replaces that file atomically, readable by the owner alone, with what content writes.
	Write  func(content func(io.Writer) error) error
	Remote Remote
	Log    *slog.Logger
}

// Store keeps sessions. Its methods may be called at the same time; Run is called once.
type Store struct {
	opts Options
	poke chan struct{}

	mu    sync.Mutex
	known map[string]*session
	// foreign are sessions that began on another server and when they end; they are not kept here.
	foreign map[string]halley.Millis
	// unsaved says that the file is out of date.
	unsaved bool

	writing sync.Mutex
}

// session is one that began here, or one that was ended.
type session struct {
	Data    []byte
	Expires halley.Millis
	// Ended says that it was ended before its time; it stays here until nobody can bring it back.
	Ended bool
	// Waiting says that the database has not got this state.
	Waiting bool
	// Stored is when the database's copy ends; 0 where it has none.
	Stored halley.Millis

	// change counts the changes of it, used says that it was read since the database was asked about it.
	change int
	used   bool
}

// Open loads the sessions of the file. A file that cannot be read costs a new sign-in, not the start.
func Open(opts Options) *Store {
	s := &Store{opts: opts, poke: make(chan struct{}, 1), known: map[string]*session{}, foreign: map[string]halley.Millis{}}
	if err := s.load(); err != nil {
		opts.Log.Error("the sessions of this server cannot be read: people have to sign in again", "err", err)
		s.known = map[string]*session{}
	}
	s.purge(halley.MillisOf(time.Now()))
	return s
}

func (s *Store) load() error {
	data, err := os.ReadFile(s.opts.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, &s.known)
	}
	if err == nil {
		for _, e := range s.known {
			if e == nil {
				return errors.New("it holds an empty session")
			}
		}
	}
	return err
}

// Session gives a session that has not ended or expired. The database is asked only for one that did not begin here; while it is
// away there is none.
func (s *Store) Session(ctx context.Context, hash string, now halley.Millis) (data []byte, found bool, err error) {
	if data, found, here := s.here(hash, now); here {
		return data, found, nil
	}
	data, found, err = s.opts.Remote.Session(ctx, hash, now)
	if err != nil {
		if halley.KindOf(err) == halley.Unavailable {
			return nil, false, nil // nobody can say, and a person can sign in anew
		}
		return nil, false, err
	}
	if found {
		s.noteForeign(hash, now)
	}
	return data, found, nil
}

// here gives a session that is known here.
func (s *Store) here(hash string, now halley.Millis) (data []byte, found, here bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.known[hash]
	if e == nil {
		return nil, false, false
	}
	if e.Ended || now >= e.Expires {
		return nil, false, true
	}
	e.used = true
	return e.Data, true, true
}

func (s *Store) noteForeign(hash string, now halley.Millis) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.foreign) >= mostForeign {
		clear(s.foreign)
	}
	s.foreign[hash] = now + longest
}

// SaveSession keeps a session. A new one is durable afterwards; one that is only kept alive will be.
func (s *Store) SaveSession(ctx context.Context, hash string, data []byte, expires halley.Millis) error {
	s.mu.Lock()
	e := s.known[hash]
	_, foreign := s.foreign[hash]
	if e == nil && foreign {
		s.mu.Unlock()
		return s.opts.Remote.SaveSession(ctx, hash, data, expires)
	}
	if e != nil && e.Ended {
		s.mu.Unlock()
		return &halley.Error{
			Kind: halley.Unauthenticated, Op: "keep a session", Code: "session-not-valid", Message: "this session has ended: sign in again",
		}
	}
	begins := e == nil
	if begins {
		e = &session{}
		s.known[hash] = e
	}
	e.Data, e.Expires, e.Waiting = data, expires, true
	e.change++
	s.unsaved = true
	s.mu.Unlock()
	if !begins {
		return nil
	}
	err := s.save()
	if err != nil {
		s.mu.Lock()
		delete(s.known, hash)
		s.mu.Unlock()
	}
	s.hurry()
	return err
}

// DeleteSession ends a session, wherever it began. It is ended here when this returns, also after an error, which says that it
// may come back with a restart.
func (s *Store) DeleteSession(_ context.Context, hash string) error {
	s.mu.Lock()
	e := s.known[hash]
	if e == nil {
		e = &session{Expires: halley.MillisOf(time.Now()) + longest}
		s.known[hash] = e
	}
	delete(s.foreign, hash)
	e.Data, e.Ended, e.Waiting = nil, true, true
	e.change++
	s.unsaved = true
	s.mu.Unlock()
	s.hurry()
	return s.save()
}

// hurry asks Run to carry what waits now.
func (s *Store) hurry() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// save writes the file.
func (s *Store) save() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	data, err := json.Marshal(s.known)
	s.unsaved = false
	s.mu.Unlock()
	if err == nil {
		err = s.opts.Write(func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	}
	if err != nil {
		s.mu.Lock()
		s.unsaved = true
		s.mu.Unlock()
		return &halley.Error{
			Kind: halley.Unavailable, Op: "keep the sessions", Code: "sessions-not-kept",
			Message: "the data folder cannot be written: look at its disk", Err: fmt.Errorf("writing the sessions: %w", err),
		}
	}
	return nil
}

// purge forgets what has expired.
func (s *Store) purge(now halley.Millis) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, e := range s.known {
		if now >= e.Expires {
			delete(s.known, hash)
			s.unsaved = true
		}
	}
	for hash, expires := range s.foreign {
		if now >= expires {
			delete(s.foreign, hash)
		}
	}
}
