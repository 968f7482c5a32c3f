package reach

import (
	"context"
	"sync"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

// The methods of storage.Store for the proof, each made through the gate. Those of several results are written out at the end.

// AuditWhere is storage.Store's.
func (s *Store) AuditWhere(ctx context.Context, f storage.AuditFilter) ([]halley.AuditEntry, error) {
	return call(ctx, s, "list the audit trail", func(ctx context.Context) ([]halley.AuditEntry, error) {
		return s.gate.now().AuditWhere(ctx, f)
	})
}

// LedgerBatches is storage.Store's.
func (s *Store) LedgerBatches(ctx context.Context, after int64, limit int) ([]ledger.Batch, error) {
	return call(ctx, s, "read the ledger's batches", func(ctx context.Context) ([]ledger.Batch, error) {
		return s.gate.now().LedgerBatches(ctx, after, limit)
	})
}

// LedgerParts is storage.Store's.
func (s *Store) LedgerParts(ctx context.Context, day, after int64, limit int) ([]ledger.Part, error) {
	return call(ctx, s, "read the ledger's parts", func(ctx context.Context) ([]ledger.Part, error) {
		return s.gate.now().LedgerParts(ctx, day, after, limit)
	})
}

// LedgerPack is storage.Store's.
func (s *Store) LedgerPack(ctx context.Context, batch, day int64) ([]byte, error) {
	return call(ctx, s, "read a part of the ledger", func(ctx context.Context) ([]byte, error) {
		return s.gate.now().LedgerPack(ctx, batch, day)
	})
}

// LedgerDevices is storage.Store's.
func (s *Store) LedgerDevices(ctx context.Context) ([]ledger.Device, error) {
	return call(ctx, s, "list devices for the ledger", func(ctx context.Context) ([]ledger.Device, error) {
		return s.gate.now().LedgerDevices(ctx)
	})
}

// LedgerFacts is storage.Store's.
func (s *Store) LedgerFacts(ctx context.Context, after int64, limit int) ([]ledger.Fact, error) {
	return call(ctx, s, "read the ledger's facts", func(ctx context.Context) ([]ledger.Fact, error) {
		return s.gate.now().LedgerFacts(ctx, after, limit)
	})
}

// FactRows is storage.Store's.
func (s *Store) FactRows(ctx context.Context, t ledger.FactTable, after []int64, limit int) ([]ledger.FactRow, error) {
	return call(ctx, s, "read facts", func(ctx context.Context) ([]ledger.FactRow, error) {
		return s.gate.now().FactRows(ctx, t, after, limit)
	})
}

// Checkpoints is storage.Store's.
func (s *Store) Checkpoints(ctx context.Context, after int64, limit int) ([]ledger.Checkpoint, error) {
	return call(ctx, s, "read checkpoints", func(ctx context.Context) ([]ledger.Checkpoint, error) {
		return s.gate.now().Checkpoints(ctx, after, limit)
	})
}

// LedgerKeys is storage.Store's.
func (s *Store) LedgerKeys(ctx context.Context) ([]ledger.Key, error) {
	return call(ctx, s, "list the ledger's keys", func(ctx context.Context) ([]ledger.Key, error) {
		return s.gate.now().LedgerKeys(ctx)
	})
}

// Tombstones is storage.Store's.
func (s *Store) Tombstones(ctx context.Context) ([]ledger.Tombstone, error) {
	return call(ctx, s, "list tombstones", func(ctx context.Context) ([]ledger.Tombstone, error) {
		return s.gate.now().Tombstones(ctx)
	})
}

// LedgerHeads is storage.Store's.
func (s *Store) LedgerHeads(ctx context.Context) (ledger.Heads, error) {
	return call(ctx, s, "read the ends of the ledger", func(ctx context.Context) (ledger.Heads, error) {
		return s.gate.now().LedgerHeads(ctx)
	})
}

// AddCheckpoint is storage.Store's.
func (s *Store) AddCheckpoint(ctx context.Context, c ledger.Checkpoint) (int64, error) {
	return call(ctx, s, "add a checkpoint", func(ctx context.Context) (int64, error) {
		return s.gate.now().AddCheckpoint(ctx, c)
	})
}

// RollupFaults is storage.Store's.
func (s *Store) RollupFaults(ctx context.Context, device halley.DeviceID, day int64) ([]storage.RollupFault, error) {
	return call(ctx, s, "check rollups", func(ctx context.Context) ([]storage.RollupFault, error) {
		return s.gate.now().RollupFaults(ctx, device, day)
	})
}

// AddTombstone is storage.Store's.
func (s *Store) AddTombstone(ctx context.Context, t ledger.Tombstone, c halley.Change) (int64, error) {
	return call(ctx, s, "remove days for good", func(ctx context.Context) (int64, error) {
		return s.gate.now().AddTombstone(ctx, t, c)
	})
}

// RemoveDay is storage.Store's.
func (s *Store) RemoveDay(ctx context.Context, day int64, limit int) (int64, error) {
	return call(ctx, s, "remove a day", func(ctx context.Context) (int64, error) {
		return s.gate.now().RemoveDay(ctx, day, limit)
	})
}

// AddProof is storage.Store's.
func (s *Store) AddProof(ctx context.Context, p storage.Proof, c halley.Change) (int64, error) {
	return call(ctx, s, "keep the result of a check", func(ctx context.Context) (int64, error) {
		return s.gate.now().AddProof(ctx, p, c)
	})
}

// Proofs is storage.Store's.
func (s *Store) Proofs(ctx context.Context, kind storage.ProofKind, before int64, limit int) ([]storage.Proof, error) {
	return call(ctx, s, "list the results of checks", func(ctx context.Context) ([]storage.Proof, error) {
		return s.gate.now().Proofs(ctx, kind, before, limit)
	})
}

// Interruptions is storage.Store's.
func (s *Store) Interruptions(ctx context.Context, from, to halley.Millis) ([]storage.Interruption, error) {
	return call(ctx, s, "list interruptions", func(ctx context.Context) ([]storage.Interruption, error) {
		return s.gate.now().Interruptions(ctx, from, to)
	})
}

// AddGapCause is storage.Store's.
func (s *Store) AddGapCause(ctx context.Context, g storage.GapCause, c halley.Change) (storage.GapCause, error) {
	return call(ctx, s, "say why messages are missing", func(ctx context.Context) (storage.GapCause, error) {
		return s.gate.now().AddGapCause(ctx, g, c)
	})
}

// GapCauses is storage.Store's.
func (s *Store) GapCauses(ctx context.Context, device halley.DeviceID, from, to halley.Millis) ([]storage.GapCause, error) {
	return call(ctx, s, "list causes", func(ctx context.Context) ([]storage.GapCause, error) {
		return s.gate.now().GapCauses(ctx, device, from, to)
	})
}

// Attachments is storage.Store's.
func (s *Store) Attachments(ctx context.Context, place halley.PlaceID, from, to halley.Millis) ([]storage.Attachment, error) {
	return call(ctx, s, "list what was at a place", func(ctx context.Context) ([]storage.Attachment, error) {
		return s.gate.now().Attachments(ctx, place, from, to)
	})
}

// AddLedgerKey is storage.Store's.
func (s *Store) AddLedgerKey(ctx context.Context, k ledger.Key, c halley.Change) error {
	return run(ctx, s, "add a key of the ledger", func(ctx context.Context) error {
		return s.gate.now().AddLedgerKey(ctx, k, c)
	})
}

// LedgerDays is storage.Store's.
func (s *Store) LedgerDays(ctx context.Context) (first, last int64, ok bool, err error) {
	type days struct {
		first, last int64
		ok          bool
	}
	v, err := call(ctx, s, "look for the ledger's days", func(ctx context.Context) (v days, err error) {
		v.first, v.last, v.ok, err = s.gate.now().LedgerDays(ctx)
		return v, err
	})
	return v.first, v.last, v.ok, err
}

// LedgerNextDay is storage.Store's.
func (s *Store) LedgerNextDay(ctx context.Context, d ledger.Device, from int64) (day int64, ok bool, err error) {
	return both(ctx, s, "look for the next day with rows", func(ctx context.Context) (int64, bool, error) {
		return s.gate.now().LedgerNextDay(ctx, d, from)
	})
}

// CountDays is storage.Store's.
func (s *Store) CountDays(ctx context.Context, from, to int64) (rows, parts int64, err error) {
	return both(ctx, s, "count days", func(ctx context.Context) (int64, int64, error) {
		return s.gate.now().CountDays(ctx, from, to)
	})
}

// FactRow is storage.Store's.
func (s *Store) FactRow(ctx context.Context, t ledger.FactTable, key []int64) (r ledger.FactRow, found bool, err error) {
	return both(ctx, s, "read a fact", func(ctx context.Context) (ledger.FactRow, bool, error) {
		return s.gate.now().FactRow(ctx, t, key)
	})
}

// NewestCheckpoint is storage.Store's.
func (s *Store) NewestCheckpoint(ctx context.Context, node string) (c ledger.Checkpoint, found bool, err error) {
	return both(ctx, s, "read the newest checkpoint", func(ctx context.Context) (ledger.Checkpoint, bool, error) {
		return s.gate.now().NewestCheckpoint(ctx, node)
	})
}

// LedgerRows is storage.Store's. A call that is left behind hands on no more rows.
func (s *Store) LedgerRows(ctx context.Context, d ledger.Device, day int64, each func(batch int64, r *ledger.Row) error) error {
	var mu sync.Mutex
	gone := false
	_, err := call(ctx, s, "read rows for the ledger", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.gate.now().LedgerRows(ctx, d, day, func(batch int64, r *ledger.Row) error {
			mu.Lock()
			defer mu.Unlock()
			if gone {
				return context.Canceled
			}
			return each(batch, r)
		})
	})
	mu.Lock()
	defer mu.Unlock()
	gone = true
	return err
}
