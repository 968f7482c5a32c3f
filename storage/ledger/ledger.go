// Package ledger is the form of the proof that what Halley stored was not changed: the canonical bytes of rows, the digests over
// them, the chains that the digests make and the signed checkpoints over the chains. docs/ledger.md describes it for those who
// want to check it with a program of their own; this package and that page say the same.
//
// Three things are chained. A batch has a part for each UTC day on which its messages were measured; a part's digest is over the
// rows of message that the batch stored for that day, in which devices and channels go by their names. A batch's digest is over the
// digest of the batch before of the same node, what the batch says of its journal, and its parts. Rows that decide what a sample
// means, and the audit trail, are chained by themselves: a fact is what one transaction added to those tables, and its digest is
// over the digest of the fact before. A checkpoint names the newest digests of all chains and is signed by its node.
//
// The package knows no database and does no I/O.
package ledger

import (
	"context"
	"encoding/hex"

	"halley"
)

// Digest is a SHA-256.
type Digest [32]byte

// String gives 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero says that there is no digest: nothing comes before, or the batch was recorded before there was a ledger.
func (d Digest) IsZero() bool { return d == Digest{} }

// Batch is what one transaction recorded of a node's journal.
type Batch struct {
	ID                int64
	Node, JournalID   string
	FirstSeq, LastSeq uint64
	// JournalHash is the journal's running hash after LastSeq.
	JournalHash Digest
	// RecordedAt is no part of the digest.
	RecordedAt        halley.Millis
	Decoder           int
	Messages, Samples int64
	// Digest is zero for a batch from before the ledger. Previous is the digest of the newest batch of the same node before this
	// one; zero for the node's first, and behind one that has none.
	Digest, Previous Digest
	// Parts are those of the batch by ascending day, without their packs.
	Parts []Part
}

// Part is what a batch stored of one UTC day of measured-at.
type Part struct {
	Batch int64
	// Day counts days since 1970-01-01.
	Day int64
	// Count is how many rows of message it has.
	Count  int64
	Digest Digest
	// Pack holds the canonical bytes compressed; nil where it was not asked for, and where a retention rule removed it.
	Pack []byte
}

// Fact is what one transaction added to the tables of FactTables.
type Fact struct {
	ID int64
	// At is when, by the clock of the server that did it.
	At halley.Millis
	// Count is how many rows.
	Count int64
	// Previous is the digest of the fact before; zero for the first.
	Digest, Previous Digest
	// Pack holds the canonical bytes of the rows compressed; nil where it was not asked for.
	Pack []byte
}

// Checkpoint is a signed statement of how far the chains had come.
type Checkpoint struct {
	ID   int64
	Node string
	At   halley.Millis
	// Kind is "start", "hour", "day" or "stop".
	Kind string
	// KeyID names the key that signed: the first 16 hexadecimal digits of the SHA-256 of the public key.
	KeyID string
	// Body is the text that is signed; see Statement.
	Body []byte
	// Signature is Ed25519 over Body.
	Signature []byte
}

// Statement is what a checkpoint says.
type Statement struct {
	Node  string
	At    halley.Millis
	Kind  string
	KeyID string
	// Previous is the SHA-256 of the body of the node's checkpoint before; zero for its first.
	Previous Digest
	Heads    Heads
}

// Heads are the ends of all chains. They are read one after the other: each was the end at its moment.
type Heads struct {
	// Batches has the newest batch of each node that has a digest, by node.
	Batches []Head
	// Fact is the newest fact; its Node is empty, its ID 0 where there is none.
	Fact Head
}

// Head is the end of a chain.
type Head struct {
	Node   string
	ID     int64
	Digest Digest
}

// Key is the public key by which a node's checkpoints are checked.
type Key struct {
	// ID is as in Checkpoint.
	ID   string
	Node string
	// Public is the Ed25519 public key, 32 bytes.
	Public    []byte
	CreatedAt halley.Millis
}

// Device is a device by the name it has in canonical bytes, with the number that a source knows it by. Devices are ordered by
// family, then serial, byte by byte.
type Device struct {
	ID     halley.DeviceID
	Family halley.Family
	Serial string
}

// Channel is a channel by the name it has in canonical bytes.
type Channel struct {
	Number         int
	Quantity, Unit string
}

// Slots is how many values a row of message holds.
const Slots = 8

// Heads of a row: the places of Row.Head, in the order of the table's columns.
const (
	HeadSeq = iota
	HeadIndex
	HeadDecoder
	HeadClock
	HeadSentAt
	HeadReceivedAt
	HeadOrder
	HeadKind
	HeadRawKind
	HeadCache
	HeadInterval
	HeadBuffer
	HeadConfig
	HeadState
	HeadStateMask
	HeadSignal
	HeadBattery
	// HeadCount is how many there are.
	HeadCount
)

// Int is a whole number that may be absent (NULL).
type Int struct {
	N     int64
	Valid bool
}

// Float is a number that may be absent (NULL).
type Float struct {
	F     float64
	Valid bool
}

// Row is one row of message. Within a device rows are ordered by At, Variant, Part.
type Row struct {
	At            halley.Millis
	Variant, Part int64
	// Head is absent throughout in a row of a part above 0.
	Head [HeadCount]Int
	// Values and Qualities are v1..v8 and q1..q8.
	Values    [Slots]Float
	Qualities [Slots]Int
	// Layout names the layout for the source's own use; two rows of a device with the same Layout and Part have the same Channels.
	// It is no part of the canonical bytes.
	Layout int64
	// Channels are those of the slots 1, 2, ... of this part. A slot behind them has no channel.
	Channels []Channel
}

// FactTable is a table whose rows are chained as facts.
type FactTable struct {
	Name string
	// Columns are all that count; the first Key of them are its primary key, all whole numbers.
	Columns []string
	Key     int
	// Hashed are columns whose content does not go into the canonical bytes as it is but as its SHA-256: hashes of secrets.
	Hashed []string
}

// FactRow is a row of such a table. A value is int64, float64, string, []byte or nil, in the order of the table's columns.
type FactRow struct {
	Table  string
	Values []any
}

// Source is where a ledger and what it covers is read from: a store, or an exported folder. Lists come in the order said and hold at
// most limit; an empty one is the end. No call takes longer than some seconds.
type Source interface {
	// LedgerBatches lists batches with an id above after, ascending, with their parts.
	LedgerBatches(ctx context.Context, after int64, limit int) ([]Batch, error)
	// LedgerParts lists the parts of a UTC day by batch, above after, without packs.
	LedgerParts(ctx context.Context, day, after int64, limit int) ([]Part, error)
	// LedgerPack gives the pack of a part; nil where it has none, or is not there.
	LedgerPack(ctx context.Context, batch, day int64) ([]byte, error)
	// LedgerDays gives the first and last UTC day that has rows of message or parts; ok is false where there is none.
	LedgerDays(ctx context.Context) (first, last int64, ok bool, err error)
	// LedgerDevices lists all devices in their order (see Device).
	LedgerDevices(ctx context.Context) ([]Device, error)
	// LedgerRows hands the rows of a device on a UTC day to each, in order, with the batch that stored each. The row is the
	// source's own and is gone after the call.
	LedgerRows(ctx context.Context, d Device, day int64, each func(batch int64, r *Row) error) error
	// LedgerFacts lists facts with an id above after, ascending, with their packs.
	LedgerFacts(ctx context.Context, after int64, limit int) ([]Fact, error)
	// FactRow gives a row of a fact table by its key as it stands now; found is false where it is not there.
	FactRow(ctx context.Context, t FactTable, key []int64) (r FactRow, found bool, err error)
	// FactRows lists the rows of a fact table by key behind after (nil: from the first).
	FactRows(ctx context.Context, t FactTable, after []int64, limit int) ([]FactRow, error)
	// Checkpoints lists checkpoints with an id above after, ascending.
	Checkpoints(ctx context.Context, after int64, limit int) ([]Checkpoint, error)
	// LedgerKeys lists the keys that the source knows, by node, then time.
	LedgerKeys(ctx context.Context) ([]Key, error)
	// Tombstones lists what retention removed, by id.
	Tombstones(ctx context.Context) ([]Tombstone, error)
}

// Tombstone stands for whole UTC days that a retention rule removed: their rows of message and packs are gone, the digests of
// their parts stay.
type Tombstone struct {
	ID int64
	// FromDay and ToDay are UTC days, half-open.
	FromDay, ToDay int64
	At             halley.Millis
	// ProposedBy and CarriedOutBy are two people.
	ProposedBy, CarriedOutBy string
	Why                      string
	// Body is the text that is signed, with the numbers of rows and parts removed; KeyID and Signature as in Checkpoint.
	KeyID     string
	Body      []byte
	Signature []byte
}
