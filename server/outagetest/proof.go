package outagetest

import (
	"context"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

// The methods of storage.Store for the proof, each behind the mode.

// AuditWhere is storage.Store's.
func (s *Store) AuditWhere(ctx context.Context, f storage.AuditFilter) (v []halley.AuditEntry, err error) {
	if err := s.pass(ctx, "AuditWhere", false); err != nil {
		return v, err
	}
	return s.store.AuditWhere(ctx, f)
}

// LedgerBatches is storage.Store's.
func (s *Store) LedgerBatches(ctx context.Context, after int64, limit int) (v []ledger.Batch, err error) {
	if err := s.pass(ctx, "LedgerBatches", false); err != nil {
		return v, err
	}
	return s.store.LedgerBatches(ctx, after, limit)
}

// LedgerParts is storage.Store's.
func (s *Store) LedgerParts(ctx context.Context, day, after int64, limit int) (v []ledger.Part, err error) {
	if err := s.pass(ctx, "LedgerParts", false); err != nil {
		return v, err
	}
	return s.store.LedgerParts(ctx, day, after, limit)
}

// LedgerPack is storage.Store's.
func (s *Store) LedgerPack(ctx context.Context, batch, day int64) (v []byte, err error) {
	if err := s.pass(ctx, "LedgerPack", false); err != nil {
		return v, err
	}
	return s.store.LedgerPack(ctx, batch, day)
}

// LedgerDevices is storage.Store's.
func (s *Store) LedgerDevices(ctx context.Context) (v []ledger.Device, err error) {
	if err := s.pass(ctx, "LedgerDevices", false); err != nil {
		return v, err
	}
	return s.store.LedgerDevices(ctx)
}

// LedgerFacts is storage.Store's.
func (s *Store) LedgerFacts(ctx context.Context, after int64, limit int) (v []ledger.Fact, err error) {
	if err := s.pass(ctx, "LedgerFacts", false); err != nil {
		return v, err
	}
	return s.store.LedgerFacts(ctx, after, limit)
}

// FactRows is storage.Store's.
func (s *Store) FactRows(ctx context.Context, t ledger.FactTable, after []int64, limit int) (v []ledger.FactRow, err error) {
	if err := s.pass(ctx, "FactRows", false); err != nil {
		return v, err
	}
	return s.store.FactRows(ctx, t, after, limit)
}

// Checkpoints is storage.Store's.
func (s *Store) Checkpoints(ctx context.Context, after int64, limit int) (v []ledger.Checkpoint, err error) {
	if err := s.pass(ctx, "Checkpoints", false); err != nil {
		return v, err
	}
	return s.store.Checkpoints(ctx, after, limit)
}

// LedgerKeys is storage.Store's.
func (s *Store) LedgerKeys(ctx context.Context) (v []ledger.Key, err error) {
	if err := s.pass(ctx, "LedgerKeys", false); err != nil {
		return v, err
	}
	return s.store.LedgerKeys(ctx)
}

// Tombstones is storage.Store's.
func (s *Store) Tombstones(ctx context.Context) (v []ledger.Tombstone, err error) {
	if err := s.pass(ctx, "Tombstones", false); err != nil {
		return v, err
	}
	return s.store.Tombstones(ctx)
}

// LedgerHeads is storage.Store's.
func (s *Store) LedgerHeads(ctx context.Context) (v ledger.Heads, err error) {
	if err := s.pass(ctx, "LedgerHeads", false); err != nil {
		return v, err
	}
	return s.store.LedgerHeads(ctx)
}

// AddCheckpoint is storage.Store's.
func (s *Store) AddCheckpoint(ctx context.Context, c ledger.Checkpoint) (v int64, err error) {
	if err := s.pass(ctx, "AddCheckpoint", true); err != nil {
		return v, err
	}
	return s.store.AddCheckpoint(ctx, c)
}

// RollupFaults is storage.Store's.
func (s *Store) RollupFaults(ctx context.Context, device halley.DeviceID, day int64) (v []storage.RollupFault, err error) {
	if err := s.pass(ctx, "RollupFaults", false); err != nil {
		return v, err
	}
	return s.store.RollupFaults(ctx, device, day)
}

// AddTombstone is storage.Store's.
func (s *Store) AddTombstone(ctx context.Context, t ledger.Tombstone, c halley.Change) (v int64, err error) {
	if err := s.pass(ctx, "AddTombstone", true); err != nil {
		return v, err
	}
	return s.store.AddTombstone(ctx, t, c)
}

// RemoveDay is storage.Store's.
func (s *Store) RemoveDay(ctx context.Context, day int64, limit int) (v int64, err error) {
	if err := s.pass(ctx, "RemoveDay", true); err != nil {
		return v, err
	}
	return s.store.RemoveDay(ctx, day, limit)
}

// AddProof is storage.Store's.
func (s *Store) AddProof(ctx context.Context, p storage.Proof, c halley.Change) (v int64, err error) {
	if err := s.pass(ctx, "AddProof", true); err != nil {
		return v, err
	}
	return s.store.AddProof(ctx, p, c)
}

// Proofs is storage.Store's.
func (s *Store) Proofs(ctx context.Context, kind storage.ProofKind, before int64, limit int) (v []storage.Proof, err error) {
	if err := s.pass(ctx, "Proofs", false); err != nil {
		return v, err
	}
	return s.store.Proofs(ctx, kind, before, limit)
}

// Interruptions is storage.Store's.
func (s *Store) Interruptions(ctx context.Context, from, to halley.Millis) (v []storage.Interruption, err error) {
	if err := s.pass(ctx, "Interruptions", false); err != nil {
		return v, err
	}
	return s.store.Interruptions(ctx, from, to)
}

// AddGapCause is storage.Store's.
func (s *Store) AddGapCause(ctx context.Context, g storage.GapCause, c halley.Change) (v storage.GapCause, err error) {
	if err := s.pass(ctx, "AddGapCause", true); err != nil {
		return v, err
	}
	return s.store.AddGapCause(ctx, g, c)
}

// GapCauses is storage.Store's.
func (s *Store) GapCauses(ctx context.Context, device halley.DeviceID, from, to halley.Millis) (v []storage.GapCause, err error) {
	if err := s.pass(ctx, "GapCauses", false); err != nil {
		return v, err
	}
	return s.store.GapCauses(ctx, device, from, to)
}

// Attachments is storage.Store's.
func (s *Store) Attachments(ctx context.Context, place halley.PlaceID, from, to halley.Millis) (v []storage.Attachment, err error) {
	if err := s.pass(ctx, "Attachments", false); err != nil {
		return v, err
	}
	return s.store.Attachments(ctx, place, from, to)
}

// AddLedgerKey is storage.Store's.
func (s *Store) AddLedgerKey(ctx context.Context, k ledger.Key, c halley.Change) error {
	if err := s.pass(ctx, "AddLedgerKey", true); err != nil {
		return err
	}
	return s.store.AddLedgerKey(ctx, k, c)
}

// LedgerDays is storage.Store's.
func (s *Store) LedgerDays(ctx context.Context) (first, last int64, ok bool, err error) {
	if err := s.pass(ctx, "LedgerDays", false); err != nil {
		return 0, 0, false, err
	}
	return s.store.LedgerDays(ctx)
}

// LedgerNextDay is storage.Store's.
func (s *Store) LedgerNextDay(ctx context.Context, d ledger.Device, from int64) (day int64, ok bool, err error) {
	if err := s.pass(ctx, "LedgerNextDay", false); err != nil {
		return 0, false, err
	}
	return s.store.LedgerNextDay(ctx, d, from)
}

// CountDays is storage.Store's.
func (s *Store) CountDays(ctx context.Context, from, to int64) (rows, parts int64, err error) {
	if err := s.pass(ctx, "CountDays", false); err != nil {
		return 0, 0, err
	}
	return s.store.CountDays(ctx, from, to)
}

// FactRow is storage.Store's.
func (s *Store) FactRow(ctx context.Context, t ledger.FactTable, key []int64) (r ledger.FactRow, found bool, err error) {
	if err := s.pass(ctx, "FactRow", false); err != nil {
		return r, false, err
	}
	return s.store.FactRow(ctx, t, key)
}

// NewestCheckpoint is storage.Store's.
func (s *Store) NewestCheckpoint(ctx context.Context, node string) (c ledger.Checkpoint, found bool, err error) {
	if err := s.pass(ctx, "NewestCheckpoint", false); err != nil {
		return c, false, err
	}
	return s.store.NewestCheckpoint(ctx, node)
}

// LedgerRows is storage.Store's.
func (s *Store) LedgerRows(ctx context.Context, d ledger.Device, day int64, each func(batch int64, r *ledger.Row) error) error {
	if err := s.pass(ctx, "LedgerRows", false); err != nil {
		return err
	}
	return s.store.LedgerRows(ctx, d, day, each)
}
