// Package sessions keeps the sessions of browsers on this server itself, so that people sign in, work and sign out while the
// database is away, also across a restart. A session that begins here is read here and nowhere else; it is carried into the
// database too, where another server under the same host name finds it. What ends one here or there ends it everywhere as soon as
// the database is there.
//
// Sessions are known by the hash of their cookie.
package sessions

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"halley"
	"halley/storage"
)

const (
	// carryEvery is how often the database is asked whether sessions were ended elsewhere, and how long one that is only kept alive
	// waits to be written.
	carryEvery = 5 * time.Second
	// longest is longer than any session lives: so long it is remembered that one was ended.
	longest = 24 * halley.Hour
	// mostForeign bounds the sessions of other servers that are remembered as such.
	mostForeign = 4096
	// format is the number of the file's format. In format 1, which had no number, sessions were of nobody's account.
	format = 2
)

// Remote is the database as it keeps sessions; storage.Store has it. Its calls must not hang.
type Remote interface {
	Session(ctx context.Context, hash string, now halley.Millis) (data []byte, found bool, err error)
	SaveSession(ctx context.Context, e storage.Session) error
	DeleteSession(ctx context.Context, hash string) error
	PersonSessions(ctx context.Context, person halley.PersonID, now halley.Millis) ([]storage.Session, error)
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
	// PersonID is whose it is; 0 for nobody's account, and for one that was ended without being known here.
	PersonID halley.PersonID
	Data     []byte
	Expires  halley.Millis
	// Ended says that it was ended before its time; it stays here until nobody can bring it back.
	Ended bool
	// Waiting says that the database has not got this state.
	Waiting bool
	// Stored is when the database's copy ends; 0 where it has none.
	Stored halley.Millis

	// change counts the changes of it.
	change int
}

// file is the durable copy.
type file struct {
	Format   int
	Sessions map[string]*session
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
	var f file
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	if err != nil || f.Format != format {
		// Sessions of another format are not taken over: they end, which is what an upgrade does to them in the database too.
		return err
	}
	for hash, e := range f.Sessions {
		if e == nil {
			return errors.New("it holds an empty session")
		}
		s.known[hash] = e
	}
	return nil
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

// PersonSessions lists the sessions of a person, of all people where it is 0, that have not ended or expired, by end, then hash: those
// that began here and those that the database has. While it is away, those that began here.
func (s *Store) PersonSessions(ctx context.Context, person halley.PersonID, now halley.Millis) ([]storage.Session, error) {
	elsewhere, err := s.opts.Remote.PersonSessions(ctx, person, now)
	if err != nil && halley.KindOf(err) != halley.Unavailable {
		return nil, err
	}
	s.mu.Lock()
	list := []storage.Session{}
	for hash, e := range s.known {
		if !e.Ended && now < e.Expires && (person == 0 || e.PersonID == person) {
			list = append(list, storage.Session{Hash: hash, PersonID: e.PersonID, Data: e.Data, ExpiresAt: e.Expires})
		}
	}
	for _, x := range elsewhere {
		if s.known[x.Hash] == nil {
			list = append(list, x)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b storage.Session) int {
		return cmp.Or(cmp.Compare(a.ExpiresAt, b.ExpiresAt), cmp.Compare(a.Hash, b.Hash))
	})
	return list, nil
}

// SaveSession keeps a session. A new one is durable afterwards; one that is only kept alive will be.
func (s *Store) SaveSession(ctx context.Context, x storage.Session) error {
	s.mu.Lock()
	e := s.known[x.Hash]
	_, foreign := s.foreign[x.Hash]
	if e == nil && (foreign || x.Renews) {
		s.mu.Unlock()
		return s.renewElsewhere(ctx, x)
	}
	if e != nil && e.Ended {
		s.mu.Unlock()
		return notValid(nil)
	}
	begins := e == nil
	if begins {
		e = &session{}
		s.known[x.Hash] = e
	}
	e.PersonID, e.Data, e.Expires, e.Waiting = x.PersonID, x.Data, x.ExpiresAt, true
	e.change++
	s.unsaved = true
	s.mu.Unlock()
	if !begins {
		return nil
	}
	err := s.save()
	if err != nil {
		s.mu.Lock()
		delete(s.known, x.Hash)
		s.mu.Unlock()
	}
	s.hurry()
	return err
}

// renewElsewhere keeps a session alive that began on another server. One that was ended meanwhile does not come back.
func (s *Store) renewElsewhere(ctx context.Context, x storage.Session) error {
	x.Renews = true
	err := s.opts.Remote.SaveSession(ctx, x)
	if halley.KindOf(err) == halley.NotFound {
		return notValid(err)
	}
	return err
}

func notValid(cause error) error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: "keep a session", Code: "session-not-valid", Message: "this session has ended: sign in again",
		Err: cause,
	}
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
	data, err := json.Marshal(file{Format: format, Sessions: s.known})
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
