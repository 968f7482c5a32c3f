package sessions

import (
	"context"
	"time"

	"halley"
	"halley/storage"
)

// Run carries sessions into the database until ctx ends, and then writes the file.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(carryEvery)
	defer tick.Stop()
	failing := false
	for {
		check := false
		select {
		case <-ctx.Done():
			s.keep(&failing)
			return nil
		case <-tick.C:
			check = true
		case <-s.poke:
		}
		s.carry(ctx, check)
		if check {
			s.purge(halley.MillisOf(time.Now()))
			s.keep(&failing)
		}
	}
}

// keep writes the file where it is out of date. It says once that it cannot.
func (s *Store) keep(failing *bool) {
	s.mu.Lock()
	unsaved := s.unsaved
	s.mu.Unlock()
	if !unsaved {
		return
	}
	err := s.save()
	if err != nil && !*failing {
		s.opts.Log.Warn("the sessions of this server cannot be written; a restart may end or bring back some", "err", err)
	}
	*failing = err != nil
}

// carried is a session as it was when it was looked at.
type carried struct {
	hash string
	session
}

// carry gives the database what it has not got and, where check is set, asks it which sessions were ended elsewhere. It ends at the
// first failure; the next turn goes on.
func (s *Store) carry(ctx context.Context, check bool) {
	now := halley.MillisOf(time.Now())
	var err error
	if check {
		err = s.compare(ctx, now)
	}
	for _, c := range s.waiting() {
		if err != nil {
			break
		}
		if c.Ended {
			if err = s.opts.Remote.DeleteSession(ctx, c.hash); err == nil {
				s.settle(c, func(e *session) { e.Waiting, e.Stored = false, 0 })
			}
			continue
		}
		err = s.carryLive(ctx, c, now)
	}
	if err != nil && halley.KindOf(err) != halley.Unavailable && ctx.Err() == nil {
		s.opts.Log.Warn("a session could not be carried into the database", "err", err)
	}
}

// compare ends the sessions that the database had and has no more: somebody ended them on another server. Where its copy has expired
// there, that says nothing.
func (s *Store) compare(ctx context.Context, now halley.Millis) error {
	kept := s.kept(now)
	if len(kept) == 0 {
		return nil
	}
	list, err := s.opts.Remote.PersonSessions(ctx, 0, now)
	if err != nil {
		return err
	}
	there := make(map[string]struct{}, len(list))
	for i := range list {
		there[list[i].Hash] = struct{}{}
	}
	for _, c := range kept {
		if _, ok := there[c.hash]; !ok {
			s.settle(c, endedElsewhere)
		}
	}
	return nil
}

// endedElsewhere notes that the database has a session no more.
func endedElsewhere(e *session) { e.Data, e.Ended, e.Waiting, e.Stored = nil, true, false, 0 }

// carryLive brings a session that goes on into the database. One that the database had is only renewed there, so that it does not
// come back where somebody ends it at this moment.
func (s *Store) carryLive(ctx context.Context, c carried, now halley.Millis) error {
	err := s.opts.Remote.SaveSession(ctx, storage.Session{
		Hash: c.hash, PersonID: c.PersonID, Data: c.Data, ExpiresAt: c.Expires, Renews: c.Stored > now,
	})
	if halley.KindOf(err) == halley.NotFound {
		s.settle(c, endedElsewhere)
		return nil
	}
	if err == nil {
		s.settle(c, func(e *session) { e.Waiting, e.Stored = false, c.Expires })
	}
	return err
}

// CarryAnew has all sessions carried into the database again. It is called before another database takes the place of the present
// one, which has none of them, so that this ends none.
func (s *Store) CarryAnew() {
	s.mu.Lock()
	for _, e := range s.known {
		if !e.Ended {
			e.Waiting, e.Stored = true, 0
			e.change++
			s.unsaved = true
		}
	}
	s.mu.Unlock()
	s.hurry()
}

// waiting lists what the database has not got.
func (s *Store) waiting() []carried {
	return s.list(func(e *session) bool { return e.Waiting })
}

// kept lists the sessions of which the database has a copy that has not expired.
func (s *Store) kept(now halley.Millis) []carried {
	return s.list(func(e *session) bool { return !e.Ended && e.Stored > now })
}

func (s *Store) list(which func(*session) bool) []carried {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []carried
	for hash, e := range s.known {
		if which(e) {
			list = append(list, carried{hash: hash, session: *e})
		}
	}
	return list
}

// settle notes what the database has now. Of a session that was changed or ended meanwhile it notes only that the database may
// have a copy.
func (s *Store) settle(c carried, note func(*session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.known[c.hash]
	if e == nil {
		return
	}
	s.unsaved = true
	if e.change == c.change {
		note(e)
		return
	}
	e.Waiting = true
}
