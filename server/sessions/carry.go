package sessions

import (
	"context"
	"time"

	"halley"
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

// carry gives the database what it has not got and, where check is set, asks it about the sessions in use. It ends at the first
// failure; the next turn goes on.
func (s *Store) carry(ctx context.Context, check bool) {
	now := halley.MillisOf(time.Now())
	for _, c := range s.pending(check) {
		var err error
		switch {
		case c.Ended:
			if err = s.opts.Remote.DeleteSession(ctx, c.hash); err == nil {
				s.settle(c, func(e *session) { e.Waiting, e.Stored = false, 0 })
			}
		default:
			err = s.carryLive(ctx, c, now)
		}
		if err != nil {
			if halley.KindOf(err) != halley.Unavailable && ctx.Err() == nil {
				s.opts.Log.Warn("a session could not be carried into the database", "err", err)
			}
			return
		}
	}
}

// carryLive brings a session that goes on into step with the database. Where the database had it and has it no more, somebody
// ended it on another server; where its copy has expired there, that says nothing.
func (s *Store) carryLive(ctx context.Context, c carried, now halley.Millis) error {
	if c.Stored > now {
		_, found, err := s.opts.Remote.Session(ctx, c.hash, now)
		if err != nil {
			return err
		}
		if !found {
			s.settle(c, func(e *session) { e.Data, e.Ended, e.Waiting, e.Stored = nil, true, false, 0 })
			return nil
		}
	}
	if !c.Waiting {
		return nil
	}
	if err := s.opts.Remote.SaveSession(ctx, c.hash, c.Data, c.Expires); err != nil {
		return err
	}
	s.settle(c, func(e *session) { e.Waiting, e.Stored = false, c.Expires })
	return nil
}

// pending lists what waits and, where check is set, what is in use.
func (s *Store) pending(check bool) []carried {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []carried
	for hash, e := range s.known {
		if e.Waiting || check && e.used && !e.Ended {
			list = append(list, carried{hash: hash, session: *e})
		}
		if check {
			e.used = false
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
