package outagetest

import (
	"context"

	"halley"
	"halley/storage"
)

// The methods of storage.People, each behind the mode.

// People is storage.Store's.
func (s *Store) People(ctx context.Context) (v []halley.Person, err error) {
	if err := s.pass(ctx, "People", false); err != nil {
		return v, err
	}
	return s.store.People(ctx)
}

// PersonDetails is storage.Store's.
func (s *Store) PersonDetails(ctx context.Context) (v []halley.PersonDetail, err error) {
	if err := s.pass(ctx, "PersonDetails", false); err != nil {
		return v, err
	}
	return s.store.PersonDetails(ctx)
}

// AddPerson is storage.Store's.
func (s *Store) AddPerson(ctx context.Context, p storage.NewPerson, c halley.Change) (v halley.Person, err error) {
	if err := s.pass(ctx, "AddPerson", true); err != nil {
		return v, err
	}
	return s.store.AddPerson(ctx, p, c)
}

// ChangePerson is storage.Store's.
func (s *Store) ChangePerson(
	ctx context.Context, id halley.PersonID, u storage.PersonUpdate, c halley.Change,
) (v halley.Person, err error) {
	if err := s.pass(ctx, "ChangePerson", true); err != nil {
		return v, err
	}
	return s.store.ChangePerson(ctx, id, u, c)
}

// DeletePerson is storage.Store's.
func (s *Store) DeletePerson(ctx context.Context, id halley.PersonID, c halley.Change) (err error) {
	if err := s.pass(ctx, "DeletePerson", true); err != nil {
		return err
	}
	return s.store.DeletePerson(ctx, id, c)
}

// NoteSignIn is storage.Store's.
func (s *Store) NoteSignIn(ctx context.Context, id halley.PersonID, at halley.Millis) (err error) {
	if err := s.pass(ctx, "NoteSignIn", true); err != nil {
		return err
	}
	return s.store.NoteSignIn(ctx, id, at)
}

// Grants is storage.Store's.
func (s *Store) Grants(ctx context.Context) (v []halley.Grant, err error) {
	if err := s.pass(ctx, "Grants", false); err != nil {
		return v, err
	}
	return s.store.Grants(ctx)
}

// AddGrant is storage.Store's.
func (s *Store) AddGrant(ctx context.Context, g halley.Grant, c halley.Change) (v halley.Grant, err error) {
	if err := s.pass(ctx, "AddGrant", true); err != nil {
		return v, err
	}
	return s.store.AddGrant(ctx, g, c)
}

// EndGrant is storage.Store's.
func (s *Store) EndGrant(ctx context.Context, id int64, c halley.Change) (err error) {
	if err := s.pass(ctx, "EndGrant", true); err != nil {
		return err
	}
	return s.store.EndGrant(ctx, id, c)
}

// Roles is storage.Store's.
func (s *Store) Roles(ctx context.Context) (v []halley.CustomRole, err error) {
	if err := s.pass(ctx, "Roles", false); err != nil {
		return v, err
	}
	return s.store.Roles(ctx)
}

// AddRole is storage.Store's.
func (s *Store) AddRole(ctx context.Context, r halley.CustomRole, c halley.Change) (v halley.CustomRole, err error) {
	if err := s.pass(ctx, "AddRole", true); err != nil {
		return v, err
	}
	return s.store.AddRole(ctx, r, c)
}

// ChangeRole is storage.Store's.
func (s *Store) ChangeRole(
	ctx context.Context, id int64, permissions []halley.Permission, closed bool, c halley.Change,
) (v halley.CustomRole, err error) {
	if err := s.pass(ctx, "ChangeRole", true); err != nil {
		return v, err
	}
	return s.store.ChangeRole(ctx, id, permissions, closed, c)
}

// Secret is storage.Store's.
func (s *Store) Secret(ctx context.Context, kind storage.SecretKind, key string, now halley.Millis) (x storage.Secret, found bool, err error) {
	if err := s.pass(ctx, "Secret", false); err != nil {
		return x, found, err
	}
	return s.store.Secret(ctx, kind, key, now)
}

// Secrets is storage.Store's.
func (s *Store) Secrets(ctx context.Context, person halley.PersonID) (v []storage.Secret, err error) {
	if err := s.pass(ctx, "Secrets", false); err != nil {
		return v, err
	}
	return s.store.Secrets(ctx, person)
}

// SetSecret is storage.Store's.
func (s *Store) SetSecret(ctx context.Context, x storage.Secret, was []byte, what string, c halley.Change) (err error) {
	if err := s.pass(ctx, "SetSecret", true); err != nil {
		return err
	}
	return s.store.SetSecret(ctx, x, was, what, c)
}

// RemoveSecret is storage.Store's.
func (s *Store) RemoveSecret(ctx context.Context, kind storage.SecretKind, key, what string, c halley.Change) (err error) {
	if err := s.pass(ctx, "RemoveSecret", true); err != nil {
		return err
	}
	return s.store.RemoveSecret(ctx, kind, key, what, c)
}

// PersonSessions is storage.Store's.
func (s *Store) PersonSessions(ctx context.Context, person halley.PersonID, now halley.Millis) (v []storage.Session, err error) {
	if err := s.pass(ctx, "PersonSessions", false); err != nil {
		return v, err
	}
	return s.store.PersonSessions(ctx, person, now)
}

// Reviews is storage.Store's.
func (s *Store) Reviews(ctx context.Context, limit int) (v []halley.Review, err error) {
	if err := s.pass(ctx, "Reviews", false); err != nil {
		return v, err
	}
	return s.store.Reviews(ctx, limit)
}

// AddReview is storage.Store's.
func (s *Store) AddReview(ctx context.Context, r halley.Review, c halley.Change) (v halley.Review, err error) {
	if err := s.pass(ctx, "AddReview", true); err != nil {
		return v, err
	}
	return s.store.AddReview(ctx, r, c)
}
