package reach

import (
	"context"

	"halley"
	"halley/storage"
)

// The methods of storage.Directory, each made through the gate.

// Organizations is storage.Store's.
func (s *Store) Organizations(ctx context.Context) ([]halley.Organization, error) {
	return call(ctx, s, "list the organizations", func(ctx context.Context) ([]halley.Organization, error) {
		return s.gate.now().Organizations(ctx)
	})
}

// AddOrganization is storage.Store's.
func (s *Store) AddOrganization(ctx context.Context, o halley.Organization, c halley.Change) (halley.Organization, error) {
	return call(ctx, s, "add an organization", func(ctx context.Context) (halley.Organization, error) {
		return s.gate.now().AddOrganization(ctx, o, c)
	})
}

// ChangeOrganization is storage.Store's.
func (s *Store) ChangeOrganization(
	ctx context.Context, id halley.OrganizationID, u storage.OrganizationUpdate, c halley.Change,
) (halley.Organization, error) {
	return call(ctx, s, "change an organization", func(ctx context.Context) (halley.Organization, error) {
		return s.gate.now().ChangeOrganization(ctx, id, u, c)
	})
}

// PlaceStates is storage.Store's.
func (s *Store) PlaceStates(ctx context.Context, after halley.PlaceID, limit int) ([]halley.Place, error) {
	return call(ctx, s, "list the places", func(ctx context.Context) ([]halley.Place, error) {
		return s.gate.now().PlaceStates(ctx, after, limit)
	})
}

// AddPlace is storage.Store's.
func (s *Store) AddPlace(ctx context.Context, p halley.Place, c halley.Change) (halley.Place, error) {
	return call(ctx, s, "add a place", func(ctx context.Context) (halley.Place, error) {
		return s.gate.now().AddPlace(ctx, p, c)
	})
}

// ChangePlace is storage.Store's.
func (s *Store) ChangePlace(ctx context.Context, id halley.PlaceID, u storage.PlaceUpdate, c halley.Change) (halley.Place, error) {
	return call(ctx, s, "change a place", func(ctx context.Context) (halley.Place, error) {
		return s.gate.now().ChangePlace(ctx, id, u, c)
	})
}

// AllAttachments is storage.Store's.
func (s *Store) AllAttachments(ctx context.Context, after int64, limit int) ([]halley.Attachment, error) {
	return call(ctx, s, "list what is attached", func(ctx context.Context) ([]halley.Attachment, error) {
		return s.gate.now().AllAttachments(ctx, after, limit)
	})
}

// FormerChannelNames is storage.Store's.
func (s *Store) FormerChannelNames(ctx context.Context, after halley.ChannelName, limit int) ([]halley.ChannelName, error) {
	return call(ctx, s, "list what channels were called", func(ctx context.Context) ([]halley.ChannelName, error) {
		return s.gate.now().FormerChannelNames(ctx, after, limit)
	})
}

// Attach is storage.Store's.
func (s *Store) Attach(ctx context.Context, list []halley.Attachment, c halley.Change) ([]halley.Attachment, error) {
	return call(ctx, s, "attach channels", func(ctx context.Context) ([]halley.Attachment, error) {
		return s.gate.now().Attach(ctx, list, c)
	})
}

// Swap is storage.Store's.
func (s *Store) Swap(ctx context.Context, w storage.Swap, c halley.Change) ([]halley.Attachment, error) {
	return call(ctx, s, "swap devices", func(ctx context.Context) ([]halley.Attachment, error) {
		return s.gate.now().Swap(ctx, w, c)
	})
}

// MoveDevice is storage.Store's.
func (s *Store) MoveDevice(
	ctx context.Context, id halley.DeviceID, to halley.OrganizationID, c halley.Change,
) (halley.Device, error) {
	return call(ctx, s, "move a device", func(ctx context.Context) (halley.Device, error) {
		return s.gate.now().MoveDevice(ctx, id, to, c)
	})
}
