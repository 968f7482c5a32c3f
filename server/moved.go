package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"halley/storage"
)

const (
	// movedEvery is how often the server looks whether the content of its store has moved to another.
	movedEvery = 2 * time.Second
	// movedPatience bounds the look into the other store, and the wait for calls to the former one.
	movedPatience = 10 * time.Second
)

// goOver waits until the content of the store has moved to another database, and then goes over to that one, so that no device is
// turned away by a restart.
func (s *Server) goOver(ctx context.Context) error {
	if s.opts.NextStore == nil {
		return nil
	}
	t := time.NewTicker(movedEvery)
	defer t.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if s.recorder.State().Code != storage.CodeMoved {
			continue
		}
		switch err := s.takeNext(ctx); {
		case err == nil:
			told = ""
		case ctx.Err() == nil && err.Error() != told:
			told = err.Error()
			s.opts.Log.Warn("cannot go over to the new store yet", "err", err)
		}
	}
}

// takeNext puts the store that the configuration names by now in the place of the present one, where it holds what has moved.
func (s *Server) takeNext(ctx context.Context) (err error) {
	next, err := s.opts.NextStore(ctx)
	if err != nil {
		return err
	}
	if next == nil {
		return errors.New("the configuration still names the former store: write the new one into [store] dsn")
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, next.Close())
		}
	}()
	look, cancel := context.WithTimeout(ctx, movedPatience)
	defer cancel()
	there, err := next.Position(look, s.journal.ID())
	if err != nil {
		return fmt.Errorf("looking into the new store: %w", err)
	}
	if there.Seq < s.recorder.State().Recorded {
		return errors.New("the database in [store] dsn does not hold what moved out of the former store: name the one that it moved to")
	}
	s.sessions.CarryAnew()
	former := s.gate.Replace(next)
	s.info.look(look, s.gate.Asking(infoPatience), s.data.Free)
	s.opts.Log.Info("the server has gone over to the new store")
	s.recorder.Hurry()
	if err := former.Close(); err != nil {
		s.opts.Log.Warn("the former store could not be closed", "err", err)
	}
	return nil
}
