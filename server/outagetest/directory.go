package outagetest

import (
	"context"

	"halley"
	"halley/storage"
)

// The methods of storage.Directory, each behind the mode.

// Organizations is storage.Store's.
func (s *Store) Organizations(ctx context.Context) (v []halley.Organization, err error) {
	if err := s.pass(ctx, "Organizations", false); err != nil {
		return v, err
	}
	return s.store.Organizations(ctx)
}

// AddOrganization is storage.Store's.
func (s *Store) AddOrganization(ctx context.Context, o halley.Organization, c halley.Change) (v halley.Organization, err error) {
	if err := s.pass(ctx, "AddOrganization", true); err != nil {
		return v, err
	}
	return s.store.AddOrganization(ctx, o, c)
}

// ChangeOrganization is storage.Store's.
func (s *Store) ChangeOrganization(
	ctx context.Context, id halley.OrganizationID, u storage.OrganizationUpdate, c halley.Change,
) (v halley.Organization, err error) {
	if err := s.pass(ctx, "ChangeOrganization", true); err != nil {
		return v, err
	}
	return s.store.ChangeOrganization(ctx, id, u, c)
}

// PlaceStates is storage.Store's.
func (s *Store) PlaceStates(ctx context.Context, after halley.PlaceID, limit int) (v []halley.Place, err error) {
	if err := s.pass(ctx, "PlaceStates", false); err != nil {
		return v, err
	}
	return s.store.PlaceStates(ctx, after, limit)
}

// AddPlace is storage.Store's.
func (s *Store) AddPlace(ctx context.Context, p halley.Place, c halley.Change) (v halley.Place, err error) {
	if err := s.pass(ctx, "AddPlace", true); err != nil {
		return v, err
	}
	return s.store.AddPlace(ctx, p, c)
}

// ChangePlace is storage.Store's.
func (s *Store) ChangePlace(
	ctx context.Context, id halley.PlaceID, u storage.PlaceUpdate, c halley.Change,
) (v halley.Place, err error) {
	if err := s.pass(ctx, "ChangePlace", true); err != nil {
		return v, err
	}
	return s.store.ChangePlace(ctx, id, u, c)
}

// AllAttachments is storage.Store's.
func (s *Store) AllAttachments(ctx context.Context, after int64, limit int) (v []halley.Attachment, err error) {
	if err := s.pass(ctx, "AllAttachments", false); err != nil {
		return v, err
	}
	return s.store.AllAttachments(ctx, after, limit)
}

// FormerChannelNames is storage.Store's.
func (s *Store) FormerChannelNames(ctx context.Context, after halley.ChannelName, limit int) (v []halley.ChannelName, err error) {
	if err := s.pass(ctx, "FormerChannelNames", false); err != nil {
		return v, err
	}
	return s.store.FormerChannelNames(ctx, after, limit)
}

// Attach is storage.Store's.
func (s *Store) Attach(ctx context.Context, list []halley.Attachment, c halley.Change) (v []halley.Attachment, err error) {
	if err := s.pass(ctx, "Attach", true); err != nil {
		return v, err
	}
	return s.store.Attach(ctx, list, c)
}

// Swap is storage.Store's.
func (s *Store) Swap(ctx context.Context, w storage.Swap, c halley.Change) (v []halley.Attachment, err error) {
	if err := s.pass(ctx, "Swap", true); err != nil {
		return v, err
	}
	return s.store.Swap(ctx, w, c)
}

// MoveDevice is storage.Store's.
func (s *Store) MoveDevice(
	ctx context.Context, id halley.DeviceID, to halley.OrganizationID, c halley.Change,
) (v halley.Device, err error) {
	if err := s.pass(ctx, "MoveDevice", true); err != nil {
		return v, err
	}
	return s.store.MoveDevice(ctx, id, to, c)
}
