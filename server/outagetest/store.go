package outagetest

import (
	"context"
	"time"

	"halley"
	"halley/storage"
)

// The methods of storage.Store, each behind the mode.

// Position is storage.Store's.
func (s *Store) Position(ctx context.Context, journalID string) (v storage.Position, err error) {
	if err := s.pass(ctx, "Position", false); err != nil {
		return v, err
	}
	return s.store.Position(ctx, journalID)
}

// Append is storage.Store's.
func (s *Store) Append(ctx context.Context, b storage.Batch) (v storage.Appended, err error) {
	if err := s.pass(ctx, "Append", true); err != nil {
		return v, err
	}
	return s.store.Append(ctx, b)
}

// RollUp is storage.Store's.
func (s *Store) RollUp(ctx context.Context, l storage.Lease, limit int) (v int, err error) {
	if err := s.pass(ctx, "RollUp", true); err != nil {
		return v, err
	}
	return s.store.RollUp(ctx, l, limit)
}

// RegistryVersion is storage.Store's.
func (s *Store) RegistryVersion(ctx context.Context) (v int64, err error) {
	if err := s.pass(ctx, "RegistryVersion", false); err != nil {
		return v, err
	}
	return s.store.RegistryVersion(ctx)
}

// Devices is storage.Store's.
func (s *Store) Devices(ctx context.Context, f storage.DeviceFilter) (v []halley.Device, err error) {
	if err := s.pass(ctx, "Devices", false); err != nil {
		return v, err
	}
	return s.store.Devices(ctx, f)
}

// Device is storage.Store's.
func (s *Store) Device(ctx context.Context, id halley.DeviceID) (v halley.Device, err error) {
	if err := s.pass(ctx, "Device", false); err != nil {
		return v, err
	}
	return s.store.Device(ctx, id)
}

// Channels is storage.Store's.
func (s *Store) Channels(ctx context.Context, f storage.ChannelFilter) (v []halley.Channel, err error) {
	if err := s.pass(ctx, "Channels", false); err != nil {
		return v, err
	}
	return s.store.Channels(ctx, f)
}

// Channel is storage.Store's.
func (s *Store) Channel(ctx context.Context, id halley.ChannelID) (v halley.Channel, err error) {
	if err := s.pass(ctx, "Channel", false); err != nil {
		return v, err
	}
	return s.store.Channel(ctx, id)
}

// ChangeDevice is storage.Store's.
func (s *Store) ChangeDevice(ctx context.Context, id halley.DeviceID, u storage.DeviceUpdate, c halley.Change) (v halley.Device, err error) {
	if err := s.pass(ctx, "ChangeDevice", true); err != nil {
		return v, err
	}
	return s.store.ChangeDevice(ctx, id, u, c)
}

// Register is storage.Store's.
func (s *Store) Register(ctx context.Context, key halley.DeviceKey, name string, c halley.Change) (v halley.Device, err error) {
	if err := s.pass(ctx, "Register", true); err != nil {
		return v, err
	}
	return s.store.Register(ctx, key, name, c)
}

// PlaceNames is storage.Store's.
func (s *Store) PlaceNames(ctx context.Context, ids []halley.PlaceID) (v map[halley.PlaceID]string, err error) {
	if err := s.pass(ctx, "PlaceNames", false); err != nil {
		return v, err
	}
	return s.store.PlaceNames(ctx, ids)
}

// Credentials is storage.Store's.
func (s *Store) Credentials(ctx context.Context) (v []storage.Credential, err error) {
	if err := s.pass(ctx, "Credentials", false); err != nil {
		return v, err
	}
	return s.store.Credentials(ctx)
}

// SetCredential is storage.Store's.
func (s *Store) SetCredential(ctx context.Context, cr storage.Credential, c halley.Change) (err error) {
	if err := s.pass(ctx, "SetCredential", true); err != nil {
		return err
	}
	return s.store.SetCredential(ctx, cr, c)
}

// NoteAudit is storage.Store's.
func (s *Store) NoteAudit(ctx context.Context, e halley.AuditEntry) (err error) {
	if err := s.pass(ctx, "NoteAudit", true); err != nil {
		return err
	}
	return s.store.NoteAudit(ctx, e)
}

// Audit is storage.Store's.
func (s *Store) Audit(ctx context.Context, before int64, limit int) (v []halley.AuditEntry, err error) {
	if err := s.pass(ctx, "Audit", false); err != nil {
		return v, err
	}
	return s.store.Audit(ctx, before, limit)
}

// Samples is storage.Store's.
func (s *Store) Samples(ctx context.Context, q storage.SampleQuery) (v []storage.Sample, err error) {
	if err := s.pass(ctx, "Samples", false); err != nil {
		return v, err
	}
	return s.store.Samples(ctx, q)
}

// Buckets is storage.Store's.
func (s *Store) Buckets(ctx context.Context, q storage.BucketQuery) (v []storage.Bucket, err error) {
	if err := s.pass(ctx, "Buckets", false); err != nil {
		return v, err
	}
	return s.store.Buckets(ctx, q)
}

// Latest is storage.Store's.
func (s *Store) Latest(ctx context.Context, devices []halley.DeviceID) (v []storage.LatestMessage, err error) {
	if err := s.pass(ctx, "Latest", false); err != nil {
		return v, err
	}
	return s.store.Latest(ctx, devices)
}

// Heads is storage.Store's.
func (s *Store) Heads(ctx context.Context, q storage.HeadQuery) (v []storage.Head, err error) {
	if err := s.pass(ctx, "Heads", false); err != nil {
		return v, err
	}
	return s.store.Heads(ctx, q)
}

// CreateToken is storage.Store's.
func (s *Store) CreateToken(ctx context.Context, t storage.Token, c halley.Change) (v storage.Token, err error) {
	if err := s.pass(ctx, "CreateToken", true); err != nil {
		return v, err
	}
	return s.store.CreateToken(ctx, t, c)
}

// Token is storage.Store's.
func (s *Store) Token(ctx context.Context, hash []byte) (v storage.Token, err error) {
	if err := s.pass(ctx, "Token", false); err != nil {
		return v, err
	}
	return s.store.Token(ctx, hash)
}

// Tokens is storage.Store's.
func (s *Store) Tokens(ctx context.Context) (v []storage.Token, err error) {
	if err := s.pass(ctx, "Tokens", false); err != nil {
		return v, err
	}
	return s.store.Tokens(ctx)
}

// RevokeToken is storage.Store's.
func (s *Store) RevokeToken(ctx context.Context, name string, c halley.Change) (err error) {
	if err := s.pass(ctx, "RevokeToken", true); err != nil {
		return err
	}
	return s.store.RevokeToken(ctx, name, c)
}

// SaveSession is storage.Store's.
func (s *Store) SaveSession(ctx context.Context, e storage.Session) (err error) {
	if err := s.pass(ctx, "SaveSession", true); err != nil {
		return err
	}
	return s.store.SaveSession(ctx, e)
}

// DeleteSession is storage.Store's.
func (s *Store) DeleteSession(ctx context.Context, hash string) (err error) {
	if err := s.pass(ctx, "DeleteSession", true); err != nil {
		return err
	}
	return s.store.DeleteSession(ctx, hash)
}

// ReleaseLease is storage.Store's.
func (s *Store) ReleaseLease(ctx context.Context, l storage.Lease) (err error) {
	if err := s.pass(ctx, "ReleaseLease", true); err != nil {
		return err
	}
	return s.store.ReleaseLease(ctx, l)
}

// Attend is storage.Store's.
func (s *Store) Attend(ctx context.Context, n storage.Node) (v []storage.Node, err error) {
	if err := s.pass(ctx, "Attend", true); err != nil {
		return v, err
	}
	return s.store.Attend(ctx, n)
}

// DaysDue is storage.Store's.
func (s *Store) DaysDue(ctx context.Context, before int64, limit int) (v []storage.DeviceDay, err error) {
	if err := s.pass(ctx, "DaysDue", false); err != nil {
		return v, err
	}
	return s.store.DaysDue(ctx, before, limit)
}

// PutDays is storage.Store's.
func (s *Store) PutDays(ctx context.Context, l storage.Lease, days []storage.DayCount) (err error) {
	if err := s.pass(ctx, "PutDays", true); err != nil {
		return err
	}
	return s.store.PutDays(ctx, l, days)
}

// Days is storage.Store's.
func (s *Store) Days(ctx context.Context, device halley.DeviceID, from, to int64) (v []storage.DayCount, err error) {
	if err := s.pass(ctx, "Days", false); err != nil {
		return v, err
	}
	return s.store.Days(ctx, device, from, to)
}

// AllDays is storage.Store's.
func (s *Store) AllDays(ctx context.Context, from, to int64, after halley.DeviceID, limit int) (v []storage.DayCount, err error) {
	if err := s.pass(ctx, "AllDays", false); err != nil {
		return v, err
	}
	return s.store.AllDays(ctx, from, to, after, limit)
}

// Tally is storage.Store's.
func (s *Store) Tally(ctx context.Context, device halley.DeviceID, from, to halley.Millis) (duplicates, conflicts int64, err error) {
	if err := s.pass(ctx, "Tally", false); err != nil {
		return duplicates, conflicts, err
	}
	return s.store.Tally(ctx, device, from, to)
}

// Session is storage.Store's.
func (s *Store) Session(ctx context.Context, hash string, now halley.Millis) (data []byte, found bool, err error) {
	if err := s.pass(ctx, "Session", false); err != nil {
		return data, found, err
	}
	return s.store.Session(ctx, hash, now)
}

// TakeLease is storage.Store's.
func (s *Store) TakeLease(ctx context.Context, name, holder string, lasting time.Duration) (l storage.Lease, held bool, err error) {
	if err := s.pass(ctx, "TakeLease", true); err != nil {
		return l, held, err
	}
	return s.store.TakeLease(ctx, name, holder, lasting)
}
