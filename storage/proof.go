package storage

import (
	"context"

	"halley"
	"halley/storage/ledger"
)

// Ledger is the proof of what is stored. Batches, parts and facts are written by the transactions that they are of; here they are
// read, and signed.
type Ledger interface {
	ledger.Source
	ledger.DayFinder
	// LedgerHeads gives the ends of all chains, each as it was when it was read.
	LedgerHeads(ctx context.Context) (ledger.Heads, error)
	// AddCheckpoint adds a checkpoint and gives its id.
	AddCheckpoint(ctx context.Context, c ledger.Checkpoint) (id int64, err error)
	// NewestCheckpoint gives the newest checkpoint of a node; found is false where there is none.
	NewestCheckpoint(ctx context.Context, node string) (c ledger.Checkpoint, found bool, err error)
	// AddLedgerKey adds a key with an audit row, where none of this id is there.
	AddLedgerKey(ctx context.Context, k ledger.Key, c halley.Change) error
}

// Rollups holds what is derived against what it is derived from.
type Rollups interface {
	// RollupFaults computes the rollups of a device on a UTC day anew and gives those that differ from what is stored, leaving out
	// periods that are marked to be computed again or have not closed.
	RollupFaults(ctx context.Context, device halley.DeviceID, day int64) ([]RollupFault, error)
}

// RollupFault is a rollup that does not follow from its samples.
type RollupFault struct {
	Channel halley.ChannelID
	// From and To are its period.
	From, To halley.Millis
}

// Retention removes whole UTC days for good. Nothing else ever removes a sample.
type Retention interface {
	// AddTombstone writes a tombstone with its audit row. Only behind one can days be removed.
	AddTombstone(ctx context.Context, t ledger.Tombstone, c halley.Change) (id int64, err error)
	// CountDays counts what the UTC days [from, to) hold: rows of message and parts.
	CountDays(ctx context.Context, from, to int64) (rows, parts int64, err error)
	// RemoveDay removes at most limit rows of a UTC day that lies in a tombstone, whole messages and at least one, and with the last
	// of a device its rollups below an hour and what is kept of identities; then the packs of the parts. It gives how many rows it
	// removed, 0 when the day is done. Hourly and daily figures and the counts of completeness stay as they were. Rows that were
	// recorded after the tombstone stay too. Conflict where no tombstone covers the day.
	RemoveDay(ctx context.Context, day int64, limit int) (removed int64, err error)
}

// ProofKind says what was proven, or tried to be.
type ProofKind string

// The kinds of proof.
const (
	// ProofVerify is a verification; its summary is a VerifySummary.
	ProofVerify ProofKind = "verify"
	// ProofBackup is a backup; a BackupSummary.
	ProofBackup ProofKind = "backup"
	// ProofDrill is a backup restored for trial; a DrillSummary.
	ProofDrill ProofKind = "drill"
	// ProofRestore is a restore of this store from a backup; a RestoreSummary.
	ProofRestore ProofKind = "restore"
	// ProofSetBack is a store or journal that was found older than it was known to be; a SetBackSummary.
	ProofSetBack ProofKind = "set-back"
	// ProofSent is a checkpoint that left the machine; a SentSummary.
	ProofSent ProofKind = "sent"
)

// Proof is the kept result of a check.
type Proof struct {
	ID   int64
	At   halley.Millis
	Node string
	Kind ProofKind
	// OK says that it went as it should.
	OK bool
	// Summary is JSON, of the type that the kind names.
	Summary string
}

// Proofs keeps results of checks, append-only.
type Proofs interface {
	// AddProof adds a result, with an audit row by c.
	AddProof(ctx context.Context, p Proof, c halley.Change) (id int64, err error)
	// Proofs lists the results of a kind newest first, with ids below before (0: from the newest), at most limit.
	Proofs(ctx context.Context, kind ProofKind, before int64, limit int) ([]Proof, error)
}

// VerifySummary is the result of a verification.
type VerifySummary struct {
	// From and To bound measured-at, half-open; both 0 for all.
	From halley.Millis `json:"from"`
	To   halley.Millis `json:"to"`
	// Purpose is VerifyRecent or VerifyShare for what a server verified by itself; "" for what a person asked for.
	Purpose string `json:"purpose,omitempty"`
	// Samples, Batches, Facts and Checkpoints were checked.
	Samples     int64 `json:"samples"`
	Batches     int64 `json:"batches"`
	Facts       int64 `json:"facts"`
	Checkpoints int64 `json:"checkpoints"`
	// Outside says that a checkpoint kept outside this machine was checked against, AnchorAt when that was made.
	Outside  bool          `json:"outside"`
	AnchorAt halley.Millis `json:"anchor_at"`
	// Findings are the first of them, FindingCount is how many there are.
	Findings     []FindingSummary `json:"findings"`
	FindingCount int64            `json:"finding_count"`
	// Millis is how long it took, By which program version did it.
	Millis  int64  `json:"millis"`
	Version string `json:"version"`
	// Problem says why it could not be done to the end; "" where it was.
	Problem string `json:"problem"`
}

// What a server verifies by itself.
const (
	// VerifyRecent is what was recorded since the last time.
	VerifyRecent = "recent"
	// VerifyShare is one of the shares of which all that is stored is verified in turn.
	VerifyShare = "share"
)

// FindingSummary is something that is not as it was recorded.
type FindingSummary struct {
	// What is changed, missing, added, moved, reordered, truncated, checkpoint, setting, audit or rollup.
	What string `json:"what"`
	// Text says in plain words what is wrong and where.
	Text string `json:"text"`
}

// BackupSummary is the result of a backup.
type BackupSummary struct {
	// Name is the backup's own, To where it was written, without secrets.
	Name  string `json:"name"`
	To    string `json:"to"`
	Bytes int64  `json:"bytes"`
	// Encrypted says that only the holder of a key can read it.
	Encrypted bool `json:"encrypted"`
	// Seq is the journal's last sequence number in it, LastBatch the store's last batch.
	JournalID string `json:"journal_id"`
	Seq       uint64 `json:"seq"`
	LastBatch int64  `json:"last_batch"`
	// EndAt is the instant of the journal's snapshot: what was acknowledged before is in the backup.
	EndAt   halley.Millis `json:"end_at"`
	Millis  int64         `json:"millis"`
	Problem string        `json:"problem"`
}

// DrillSummary is the result of a drill.
type DrillSummary struct {
	// Backup names the backup, BackupAt its end.
	Backup   string        `json:"backup"`
	BackupAt halley.Millis `json:"backup_at"`
	Samples  int64         `json:"samples"`
	Batches  int64         `json:"batches"`
	Millis   int64         `json:"millis"`
	// Findings are what verification of the restored copy found.
	Findings []FindingSummary `json:"findings"`
	Problem  string           `json:"problem"`
}

// RestoreSummary says what a store was restored from.
type RestoreSummary struct {
	Backup   string        `json:"backup"`
	BackupAt halley.Millis `json:"backup_at"`
	// OldNode is the server that made the backup.
	OldNode string `json:"old_node"`
	// Batches and Fact are the ends of the chains in the backup: what a checkpoint says beyond them is lost with the old machine.
	Heads ledger.Heads `json:"heads"`
}

// SetBackSummary says what was found older than known.
type SetBackSummary struct {
	// What is "store" or "journal"; Text says it in words.
	What string `json:"what"`
	Text string `json:"text"`
	// To is the instant to which it was set back, as far as known.
	To halley.Millis `json:"to"`
	// Heads are the ends of the chains as they were found.
	Heads ledger.Heads `json:"heads"`
}

// SentSummary says where a checkpoint went.
type SentSummary struct {
	Checkpoint int64         `json:"checkpoint"`
	At         halley.Millis `json:"at"`
	// To is the place as it is configured, without secrets.
	To      string `json:"to"`
	Problem string `json:"problem"`
}

// InterruptionKind says why a server could not take messages.
type InterruptionKind string

// The kinds of interruption.
const (
	// ServerDown is a server that did not run.
	ServerDown InterruptionKind = "server-down"
	// ServerRefused is a server that answered "not stored".
	ServerRefused InterruptionKind = "server-refused"
)

// Interruption is a span in which a node could not take messages, by its own journal.
type Interruption struct {
	Node     string
	Kind     InterruptionKind
	From, To halley.Millis
}

// GapCause is why messages of a device are missing in a span, as a person says.
type GapCause struct {
	ID       int64
	Device   halley.DeviceID
	From, To halley.Millis
	// Cause is a word of the closed list of package completeness.
	Cause string
	Note  string
	// By and At say who said so and when; the store fills them in from the change.
	By string
	At halley.Millis
}

// Explanations keeps what explains missing messages.
type Explanations interface {
	// Interruptions lists those that touch [from, to), by from, then node. They come in with batches.
	Interruptions(ctx context.Context, from, to halley.Millis) ([]Interruption, error)
	// AddGapCause notes a cause with an audit row. NotFound where there is no such device.
	AddGapCause(ctx context.Context, g GapCause, c halley.Change) (GapCause, error)
	// GapCauses lists those of a device that touch [from, to), by id: a later one counts over an earlier one.
	GapCauses(ctx context.Context, device halley.DeviceID, from, to halley.Millis) ([]GapCause, error)
}

// Attachment is a channel at a place, by measured-at, half-open.
type Attachment struct {
	Channel  halley.ChannelID
	Device   halley.DeviceID
	Place    halley.PlaceID
	From, To halley.Millis
}

// Attachments says which channels were at a place and when.
type Attachments interface {
	// Attachments lists those of a place that touch [from, to), by from, then channel. To is halley.LatestMillis for one that
	// lasts.
	Attachments(ctx context.Context, place halley.PlaceID, from, to halley.Millis) ([]Attachment, error)
}
