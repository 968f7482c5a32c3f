package sqlkit

import (
	"context"

	"halley"
	"halley/storage"
)

const (
	selectSessions = `
SELECT hash, person_id, data, expires_at
  FROM session
 WHERE expires_at > @now AND (@anybody = 1 OR person_id = @person)
 ORDER BY expires_at, hash`

	updateSession = "UPDATE session SET person_id = @person, data = @data, expires_at = @expires WHERE hash = @hash"

	insertSession = "INSERT INTO session (hash, person_id, data, expires_at) VALUES (@hash, @person, @data, @expires)"
)

// SaveSession keeps a session and clears away some that have ended.
func (s *Store) SaveSession(ctx context.Context, e storage.Session) error {
	const op = "save a session"
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		if err := c.exec(ctx, "DELETE FROM session WHERE expires_at <= @now", args("now", s.lastNow.Load())...); err != nil {
			return err
		}
		if e.PersonID != 0 {
			p, err := c.person(ctx, op, e.PersonID)
			if err != nil {
				return err
			}
			if p.State == halley.PersonDisabled || p.State == halley.PersonDeleted {
				return &halley.Error{Kind: halley.NotFound, Op: op, Code: codePersonGone, Message: "this account cannot be used any more"}
			}
		}
		row := args("hash", e.Hash, "person", int64(e.PersonID), "data", append([]byte{}, e.Data...), "expires", int64(e.ExpiresAt))
		n, err := c.affect(ctx, updateSession, row...)
		if err != nil || n > 0 {
			return err
		}
		if e.Renews {
			return &halley.Error{Kind: halley.NotFound, Op: op, Code: "session-not-valid", Message: "this session has ended: sign in again"}
		}
		return c.exec(ctx, insertSession, row...)
	})
}

// PersonSessions lists the sessions of a person, of all people where it is 0, by end, then hash.
func (s *Store) PersonSessions(ctx context.Context, person halley.PersonID, now halley.Millis) ([]storage.Session, error) {
	s.lastNow.Store(max(s.lastNow.Load(), int64(now)))
	list := []storage.Session{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var e storage.Session
		err := scan(&e.Hash, &e.PersonID, &e.Data, &e.ExpiresAt)
		e.Data = append([]byte{}, e.Data...)
		list = append(list, e)
		return err
	}, selectSessions, args("now", int64(now), "anybody", yes(person == 0), "person", int64(person))...)
	if err != nil {
		return nil, s.fail("list sessions", err)
	}
	return list, nil
}

// endSessions ends the sessions of a person.
func (c *change) endSessions(ctx context.Context, id halley.PersonID) error {
	return c.exec(ctx, "DELETE FROM session WHERE person_id = @person", args("person", int64(id))...)
}

// withdrawLinks removes the links of a person, so that none that may be in wrong hands comes back with the account.
func (c *change) withdrawLinks(ctx context.Context, id halley.PersonID) error {
	if err := c.erase(ctx); err != nil {
		return err
	}
	return c.exec(ctx, "DELETE FROM person_secret WHERE person_id = @person AND kind = @kind",
		args("person", int64(id), "kind", string(storage.SecretLink))...)
}
