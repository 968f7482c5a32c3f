package reach

import (
	"context"
	"time"

	"halley"
	"halley/storage"
)

// The methods of storage.Store, each made through the gate. Those of two results besides the error are written out at the end.

// Position is storage.Store's.
func (s *Store) Position(ctx context.Context, journalID string) (storage.Position, error) {
	return call(ctx, s, "read the recorded position", func(ctx context.Context) (storage.Position, error) {
		return s.gate.now().Position(ctx, journalID)
	})
}

// Append is storage.Store's.
func (s *Store) Append(ctx context.Context, b storage.Batch) (storage.Appended, error) {
	return call(ctx, s, "store a batch", func(ctx context.Context) (storage.Appended, error) {
		return s.gate.now().Append(ctx, b)
	})
}

// RollUp is storage.Store's.
func (s *Store) RollUp(ctx context.Context, l storage.Lease, limit int) (int, error) {
	return call(ctx, s, "roll up", func(ctx context.Context) (int, error) {
		return s.gate.now().RollUp(ctx, l, limit)
	})
}

// RegistryVersion is storage.Store's.
func (s *Store) RegistryVersion(ctx context.Context) (int64, error) {
	return call(ctx, s, "read the version of the registry", func(ctx context.Context) (int64, error) {
		return s.gate.now().RegistryVersion(ctx)
	})
}

// Devices is storage.Store's.
func (s *Store) Devices(ctx context.Context, f storage.DeviceFilter) ([]halley.Device, error) {
	return call(ctx, s, "list devices", func(ctx context.Context) ([]halley.Device, error) {
		return s.gate.now().Devices(ctx, f)
	})
}

// Device is storage.Store's.
func (s *Store) Device(ctx context.Context, id halley.DeviceID) (halley.Device, error) {
	return call(ctx, s, "find a device", func(ctx context.Context) (halley.Device, error) {
		return s.gate.now().Device(ctx, id)
	})
}

// Channels is storage.Store's.
func (s *Store) Channels(ctx context.Context, f storage.ChannelFilter) ([]halley.Channel, error) {
	return call(ctx, s, "list channels", func(ctx context.Context) ([]halley.Channel, error) {
		return s.gate.now().Channels(ctx, f)
	})
}

// Channel is storage.Store's.
func (s *Store) Channel(ctx context.Context, id halley.ChannelID) (halley.Channel, error) {
	return call(ctx, s, "find a channel", func(ctx context.Context) (halley.Channel, error) {
		return s.gate.now().Channel(ctx, id)
	})
}

// ChangeDevice is storage.Store's.
func (s *Store) ChangeDevice(ctx context.Context, id halley.DeviceID, u storage.DeviceUpdate, c halley.Change) (halley.Device, error) {
	return call(ctx, s, "change a device", func(ctx context.Context) (halley.Device, error) {
		return s.gate.now().ChangeDevice(ctx, id, u, c)
	})
}

// Register is storage.Store's.
func (s *Store) Register(ctx context.Context, key halley.DeviceKey, name string, c halley.Change) (halley.Device, error) {
	return call(ctx, s, "register a device", func(ctx context.Context) (halley.Device, error) {
		return s.gate.now().Register(ctx, key, name, c)
	})
}

// PlaceNames is storage.Store's.
func (s *Store) PlaceNames(ctx context.Context, ids []halley.PlaceID) (map[halley.PlaceID]string, error) {
	return call(ctx, s, "read the names of places", func(ctx context.Context) (map[halley.PlaceID]string, error) {
		return s.gate.now().PlaceNames(ctx, ids)
	})
}

// Credentials is storage.Store's.
func (s *Store) Credentials(ctx context.Context) ([]storage.Credential, error) {
	return call(ctx, s, "list the credentials of devices", func(ctx context.Context) ([]storage.Credential, error) {
		return s.gate.now().Credentials(ctx)
	})
}

// SetCredential is storage.Store's.
func (s *Store) SetCredential(ctx context.Context, cr storage.Credential, c halley.Change) error {
	return run(ctx, s, "set a credential", func(ctx context.Context) error {
		return s.gate.now().SetCredential(ctx, cr, c)
	})
}

// NoteAudit is storage.Store's.
func (s *Store) NoteAudit(ctx context.Context, e halley.AuditEntry) error {
	return run(ctx, s, "write an audit row", func(ctx context.Context) error {
		return s.gate.now().NoteAudit(ctx, e)
	})
}

// Audit is storage.Store's.
func (s *Store) Audit(ctx context.Context, before int64, limit int) ([]halley.AuditEntry, error) {
	return call(ctx, s, "read the audit", func(ctx context.Context) ([]halley.AuditEntry, error) {
		return s.gate.now().Audit(ctx, before, limit)
	})
}

// Samples is storage.Store's.
func (s *Store) Samples(ctx context.Context, q storage.SampleQuery) ([]storage.Sample, error) {
	return call(ctx, s, "read samples", func(ctx context.Context) ([]storage.Sample, error) {
		return s.gate.now().Samples(ctx, q)
	})
}

// Buckets is storage.Store's.
func (s *Store) Buckets(ctx context.Context, q storage.BucketQuery) ([]storage.Bucket, error) {
	return call(ctx, s, "read buckets", func(ctx context.Context) ([]storage.Bucket, error) {
		return s.gate.now().Buckets(ctx, q)
	})
}

// Latest is storage.Store's.
func (s *Store) Latest(ctx context.Context, devices []halley.DeviceID) ([]storage.LatestMessage, error) {
	return call(ctx, s, "read the newest messages", func(ctx context.Context) ([]storage.LatestMessage, error) {
		return s.gate.now().Latest(ctx, devices)
	})
}

// Heads is storage.Store's.
func (s *Store) Heads(ctx context.Context, q storage.HeadQuery) ([]storage.Head, error) {
	return call(ctx, s, "read messages", func(ctx context.Context) ([]storage.Head, error) {
		return s.gate.now().Heads(ctx, q)
	})
}

// CreateToken is storage.Store's.
func (s *Store) CreateToken(ctx context.Context, t storage.Token, c halley.Change) (storage.Token, error) {
	return call(ctx, s, "create a token", func(ctx context.Context) (storage.Token, error) {
		return s.gate.now().CreateToken(ctx, t, c)
	})
}

// Token is storage.Store's.
func (s *Store) Token(ctx context.Context, hash []byte) (storage.Token, error) {
	return call(ctx, s, "find a token", func(ctx context.Context) (storage.Token, error) {
		return s.gate.now().Token(ctx, hash)
	})
}

// Tokens is storage.Store's.
func (s *Store) Tokens(ctx context.Context) ([]storage.Token, error) {
	return call(ctx, s, "list tokens", func(ctx context.Context) ([]storage.Token, error) {
		return s.gate.now().Tokens(ctx)
	})
}

// RevokeToken is storage.Store's.
func (s *Store) RevokeToken(ctx context.Context, name string, c halley.Change) error {
	return run(ctx, s, "revoke a token", func(ctx context.Context) error {
		return s.gate.now().RevokeToken(ctx, name, c)
	})
}

// SaveSession is storage.Store's.
func (s *Store) SaveSession(ctx context.Context, e storage.Session) error {
	return run(ctx, s, "keep a session", func(ctx context.Context) error {
		return s.gate.now().SaveSession(ctx, e)
	})
}

// DeleteSession is storage.Store's.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	return run(ctx, s, "end a session", func(ctx context.Context) error {
		return s.gate.now().DeleteSession(ctx, hash)
	})
}

// ReleaseLease is storage.Store's.
func (s *Store) ReleaseLease(ctx context.Context, l storage.Lease) error {
	return run(ctx, s, "release a lease", func(ctx context.Context) error {
		return s.gate.now().ReleaseLease(ctx, l)
	})
}

// Attend is storage.Store's.
func (s *Store) Attend(ctx context.Context, n storage.Node) ([]storage.Node, error) {
	return call(ctx, s, "attend", func(ctx context.Context) ([]storage.Node, error) {
		return s.gate.now().Attend(ctx, n)
	})
}

// DaysDue is storage.Store's.
func (s *Store) DaysDue(ctx context.Context, before int64, limit int) ([]storage.DeviceDay, error) {
	return call(ctx, s, "list the days to count", func(ctx context.Context) ([]storage.DeviceDay, error) {
		return s.gate.now().DaysDue(ctx, before, limit)
	})
}

// PutDays is storage.Store's.
func (s *Store) PutDays(ctx context.Context, l storage.Lease, days []storage.DayCount) error {
	return run(ctx, s, "keep the completeness of days", func(ctx context.Context) error {
		return s.gate.now().PutDays(ctx, l, days)
	})
}

// Days is storage.Store's.
func (s *Store) Days(ctx context.Context, device halley.DeviceID, from, to int64) ([]storage.DayCount, error) {
	return call(ctx, s, "read the completeness of days", func(ctx context.Context) ([]storage.DayCount, error) {
		return s.gate.now().Days(ctx, device, from, to)
	})
}

// AllDays is storage.Store's.
func (s *Store) AllDays(ctx context.Context, from, to int64, after halley.DeviceID, limit int) ([]storage.DayCount, error) {
	return call(ctx, s, "read the completeness of all devices", func(ctx context.Context) ([]storage.DayCount, error) {
		return s.gate.now().AllDays(ctx, from, to, after, limit)
	})
}

// Info is storage.Store's: what the store last saw of the database. That it answers says nothing of the database.
func (s *Store) Info(ctx context.Context) (storage.Info, error) {
	memory := &Store{gate: s.gate, within: s.within, ask: true, silent: true}
	return call(ctx, memory, "describe the database", func(ctx context.Context) (storage.Info, error) {
		return s.gate.now().Info(ctx)
	})
}

// Tally is storage.Store's.
func (s *Store) Tally(ctx context.Context, device halley.DeviceID, from, to halley.Millis) (duplicates, conflicts int64, err error) {
	return both(ctx, s, "count duplicates", func(ctx context.Context) (int64, int64, error) {
		return s.gate.now().Tally(ctx, device, from, to)
	})
}

// Session is storage.Store's.
func (s *Store) Session(ctx context.Context, hash string, now halley.Millis) (data []byte, found bool, err error) {
	return both(ctx, s, "read a session", func(ctx context.Context) ([]byte, bool, error) {
		return s.gate.now().Session(ctx, hash, now)
	})
}

// TakeLease is storage.Store's.
func (s *Store) TakeLease(ctx context.Context, name, holder string, lasting time.Duration) (l storage.Lease, held bool, err error) {
	return both(ctx, s, "take a lease", func(ctx context.Context) (storage.Lease, bool, error) {
		return s.gate.now().TakeLease(ctx, name, holder, lasting)
	})
}

// Close does nothing: the Gate closes the database.
func (s *Store) Close() error { return nil }
