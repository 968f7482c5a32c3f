package viewerapi

import (
	"context"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

// Proof is what was proven of the store: that nothing was changed, and that it can be restored.
type Proof interface {
	// Proofs and NewestCheckpoint are storage.Store's.
	Proofs(ctx context.Context, kind storage.ProofKind, before int64, limit int) ([]storage.Proof, error)
	NewestCheckpoint(ctx context.Context, node string) (c ledger.Checkpoint, found bool, err error)
	// ProofNow says how the proof stands. It answers from memory.
	ProofNow(ctx context.Context) ProofNow
	// Verify begins a verification of what was measured in [from, to), both 0 for all. Conflict where one is running.
	Verify(ctx context.Context, from, to halley.Millis, c halley.Change) error
}

// ProofNow says how the proof of a running server stands.
type ProofNow struct {
	// Node is this server's name.
	Node string
	// Verifying says that a verification is running here, Progress how far it has come, from 0 to 1.
	Verifying bool
	Progress  float64
	// Places are where checkpoints go, as they are configured.
	Places []string
	// BackupConfigured says that backups are made by themselves; BackupOverdue and DrillOverdue that the newest good one is too old.
	BackupConfigured, BackupOverdue, DrillOverdue bool
}
