package backup

import (
	"context"
	"fmt"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

// Engine is the database of record as backups see it: how it is copied, and how a copy becomes a database again.
type Engine interface {
	// Kind is "sqlite" or "sqlserver".
	Kind() string
	// Room is how many bytes Copy takes in the scratch folder, about.
	Room(ctx context.Context) int64
	// Copy copies the store as it stands. The file may lie in scratch; name is one that nothing else has.
	Copy(ctx context.Context, o CopyOptions) (StoreCopy, error)
	// Land makes room for a store that is to be restored.
	Land(ctx context.Context, o LandOptions) (Landing, error)
}

// CopyOptions say how a store is copied.
type CopyOptions struct {
	// Scratch is an empty folder of this machine, Name a name that nothing else has.
	Scratch, Name string
	// JournalID is the journal of which the copy is to say how far it is recorded.
	JournalID string
}

// StoreCopy is a copy of a store.
type StoreCopy struct {
	// Path is the file, as this process reads it.
	Path string
	// At is an instant before the copy's.
	At   halley.Millis
	Info StoreInfo
	// Heads are the ends of the ledger's chains in it, at least.
	Heads ledger.Heads
	// Remove removes the file.
	Remove func() error
}

// LandOptions say where a store is restored.
type LandOptions struct {
	// Data is the folder that will be, or for a drill is for the time being, the server's data folder.
	Data string
	// Name is the backup's.
	Name string
	// Trial says that it is a drill: nothing of it is to stay.
	Trial bool
}

// Landing is a store that is being restored.
type Landing interface {
	// Path is the file into which the copy is to be written. It is not there yet.
	Path() string
	// Open makes a store of that file. The caller closes it.
	Open(ctx context.Context) (storage.Store, error)
	// Keep removes what was needed on the way only, Discard everything. The store is closed.
	Keep(ctx context.Context) error
	Discard(ctx context.Context) error
}

// Describe says how far a store goes.
func Describe(ctx context.Context, s storage.Store, kind, journalID string) (StoreInfo, ledger.Heads, error) {
	heads, err := s.LedgerHeads(ctx)
	if err != nil {
		return StoreInfo{}, ledger.Heads{}, fmt.Errorf("reading the ends of the ledger: %w", err)
	}
	info, err := s.Info(ctx)
	if err != nil {
		return StoreInfo{}, ledger.Heads{}, fmt.Errorf("looking at the store: %w", err)
	}
	at, err := s.Position(ctx, journalID)
	if err != nil {
		return StoreInfo{}, ledger.Heads{}, fmt.Errorf("reading how far the journal is recorded: %w", err)
	}
	out := StoreInfo{Kind: kind, Samples: info.Samples, RecordedSeq: at.Seq}
	for _, h := range heads.Batches {
		out.LastBatch = max(out.LastBatch, h.ID)
	}
	return out, heads, nil
}
