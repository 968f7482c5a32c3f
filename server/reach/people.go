package reach

import (
	"context"

	"halley"
	"halley/storage"
)

// The methods of storage.People, each made through the gate.

// People is storage.Store's.
func (s *Store) People(ctx context.Context) ([]halley.Person, error) {
	return call(ctx, s, "list people", func(ctx context.Context) ([]halley.Person, error) {
		return s.gate.now().People(ctx)
	})
}

// PersonDetails is storage.Store's.
func (s *Store) PersonDetails(ctx context.Context) ([]halley.PersonDetail, error) {
	return call(ctx, s, "list people", func(ctx context.Context) ([]halley.PersonDetail, error) {
		return s.gate.now().PersonDetails(ctx)
	})
}

// AddPerson is storage.Store's.
func (s *Store) AddPerson(ctx context.Context, p storage.NewPerson, c halley.Change) (halley.Person, error) {
	return call(ctx, s, "add a person", func(ctx context.Context) (halley.Person, error) {
		return s.gate.now().AddPerson(ctx, p, c)
	})
}

// ChangePerson is storage.Store's.
func (s *Store) ChangePerson(ctx context.Context, id halley.PersonID, u storage.PersonUpdate, c halley.Change) (halley.Person, error) {
	return call(ctx, s, "change a person", func(ctx context.Context) (halley.Person, error) {
		return s.gate.now().ChangePerson(ctx, id, u, c)
	})
}

// DeletePerson is storage.Store's.
func (s *Store) DeletePerson(ctx context.Context, id halley.PersonID, c halley.Change) error {
	return run(ctx, s, "delete a person", func(ctx context.Context) error {
		return s.gate.now().DeletePerson(ctx, id, c)
	})
}

// NoteSignIn is storage.Store's.
func (s *Store) NoteSignIn(ctx context.Context, id halley.PersonID, at halley.Millis) error {
	return run(ctx, s, "note a sign-in", func(ctx context.Context) error {
		return s.gate.now().NoteSignIn(ctx, id, at)
	})
}

// Grants is storage.Store's.
func (s *Store) Grants(ctx context.Context) ([]halley.Grant, error) {
	return call(ctx, s, "list grants", func(ctx context.Context) ([]halley.Grant, error) {
		return s.gate.now().Grants(ctx)
	})
}

// AddGrant is storage.Store's.
func (s *Store) AddGrant(ctx context.Context, g halley.Grant, c halley.Change) (halley.Grant, error) {
	return call(ctx, s, "grant a role", func(ctx context.Context) (halley.Grant, error) {
		return s.gate.now().AddGrant(ctx, g, c)
	})
}

// EndGrant is storage.Store's.
func (s *Store) EndGrant(ctx context.Context, id int64, c halley.Change) error {
	return run(ctx, s, "end a grant", func(ctx context.Context) error {
		return s.gate.now().EndGrant(ctx, id, c)
	})
}

// Roles is storage.Store's.
func (s *Store) Roles(ctx context.Context) ([]halley.CustomRole, error) {
	return call(ctx, s, "list roles", func(ctx context.Context) ([]halley.CustomRole, error) {
		return s.gate.now().Roles(ctx)
	})
}

// AddRole is storage.Store's.
func (s *Store) AddRole(ctx context.Context, r halley.CustomRole, c halley.Change) (halley.CustomRole, error) {
	return call(ctx, s, "add a role", func(ctx context.Context) (halley.CustomRole, error) {
		return s.gate.now().AddRole(ctx, r, c)
	})
}

// ChangeRole is storage.Store's.
func (s *Store) ChangeRole(
	ctx context.Context, id int64, permissions []halley.Permission, closed bool, c halley.Change,
) (halley.CustomRole, error) {
	return call(ctx, s, "change a role", func(ctx context.Context) (halley.CustomRole, error) {
		return s.gate.now().ChangeRole(ctx, id, permissions, closed, c)
	})
}

// Secret is storage.Store's.
func (s *Store) Secret(ctx context.Context, kind storage.SecretKind, key string, now halley.Millis) (x storage.Secret, found bool, err error) {
	return both(ctx, s, "read a secret", func(ctx context.Context) (storage.Secret, bool, error) {
		return s.gate.now().Secret(ctx, kind, key, now)
	})
}

// Secrets is storage.Store's.
func (s *Store) Secrets(ctx context.Context, person halley.PersonID) ([]storage.Secret, error) {
	return call(ctx, s, "list secrets", func(ctx context.Context) ([]storage.Secret, error) {
		return s.gate.now().Secrets(ctx, person)
	})
}

// SetSecret is storage.Store's.
func (s *Store) SetSecret(ctx context.Context, x storage.Secret, was []byte, what string, c halley.Change) error {
	return run(ctx, s, "set a secret", func(ctx context.Context) error {
		return s.gate.now().SetSecret(ctx, x, was, what, c)
	})
}

// RemoveSecret is storage.Store's.
func (s *Store) RemoveSecret(ctx context.Context, kind storage.SecretKind, key, what string, c halley.Change) error {
	return run(ctx, s, "remove a secret", func(ctx context.Context) error {
		return s.gate.now().RemoveSecret(ctx, kind, key, what, c)
	})
}

// PersonSessions is storage.Store's.
func (s *Store) PersonSessions(ctx context.Context, person halley.PersonID, now halley.Millis) ([]storage.Session, error) {
	return call(ctx, s, "list sessions", func(ctx context.Context) ([]storage.Session, error) {
		return s.gate.now().PersonSessions(ctx, person, now)
	})
}

// Reviews is storage.Store's.
func (s *Store) Reviews(ctx context.Context, limit int) ([]halley.Review, error) {
	return call(ctx, s, "list the reviews of the audit trail", func(ctx context.Context) ([]halley.Review, error) {
		return s.gate.now().Reviews(ctx, limit)
	})
}

// AddReview is storage.Store's.
func (s *Store) AddReview(ctx context.Context, r halley.Review, c halley.Change) (halley.Review, error) {
	return call(ctx, s, "mark the audit trail as reviewed", func(ctx context.Context) (halley.Review, error) {
		return s.gate.now().AddReview(ctx, r, c)
	})
}
