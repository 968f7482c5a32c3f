package sqlkit

import (
	"context"
	"database/sql/driver"
)

// Bulk writes rows in large numbers inside one transaction, in a number of statements that does not grow with them where a
// statement is dear. What it was given may reach the database only with Flush.
type Bulk interface {
	Foresight
	// Message adds a row to message. It gives false, and changes nothing, where a row has its key already. It keeps nothing
	// of r.
	Message(r *Row) (added bool, err error)
	// Put adds a row to a table: int64 and []byte in the order of the table's columns. It keeps nothing of values. No key
	// is given twice between two calls of Flush, except to tables whose rows are replaced or kept.
	Put(t Table, values ...any) error
	// Flush makes everything given so far visible to statements of this transaction.
	Flush(ctx context.Context) error
	// Close frees what the Bulk holds; what was not flushed is dropped. The transaction goes on.
	Close() error
}

// Foresight is what a Bulk knows of the database without asking it once for each message.
type Foresight interface {
	// Expect looks up what messages of the transaction may meet. It is called once, before the first message. Instants that it
	// does not name hold nothing but what this transaction adds, and identities that it does not name are known by what this
	// transaction adds alone. An engine on which a statement is cheap ignores it.
	Expect(ctx context.Context, e Expected) error
	// Held gives all rows of message at an instant, by variant, then part: those that Expect found, also at the places of
	// expected identities, and those that this transaction added. known is false where the database has to be asked. The rows
	// are the Bulk's and stay as they are until it is closed.
	Held(at Instant) (rows []Row, known bool)
	// Stored gives where the message with an identity in unclocked is stored that Expect found. It is not asked for identities
	// that this transaction gave to Put. known is as with Held.
	Stored(id Identity) (place Place, found, known bool)
}

// Expected is what a Bulk is asked to look up. Both lists are without repeats.
type Expected struct {
	Instants   []Instant
	Identities []Identity
}

// Instant is a device and a time at which it measured.
type Instant struct {
	Device, At int64
}

// Identity is the key of unclocked: what a message is known by whose instant depends on when it was received. What the device
// did not say is halley.Unknown.
type Identity struct {
	Device, Sample, Order, Config, Kind int64
}

// Place is where a message of a device is stored.
type Place struct {
	At, Variant int64
}

// Table is one that Put fills.
type Table uint8

// The tables of Put.
const (
	Rollup Table = iota
	RollupMark
	Tally
	Unclocked
	CompletenessChange
	CompletenessDay
	// Tables is how many there are.
	Tables
)

// Repeat is what becomes of a row whose key is in its table already.
type Repeat uint8

// What becomes of such rows.
const (
	// Refuse fails the transaction.
	Refuse Repeat = iota
	// Keep leaves the row that is there as it is.
	Keep
	// Replace overwrites the row that is there. Of two rows given to Put the later counts.
	Replace
)

// Spec describes a table of Put.
type Spec struct {
	Name string
	// Columns are all of the table, in the order of Put's values; the first Key of them are its primary key. All are whole
	// numbers that are not NULL, except pack, which is bytes.
	Columns []string
	Key     int
	Repeat  Repeat
}

// Spec describes the table.
func (t Table) Spec() Spec {
	switch t {
	case Rollup:
		return Spec{"rollup", []string{"channel_id", "level", "period", "pack"}, 3, Replace}
	case RollupMark:
		return Spec{"rollup_mark", []string{"device_id", "level", "period"}, 3, Keep}
	case Tally:
		return Spec{"tally", []string{"device_id", "day", "batch_id", "duplicates", "conflicts"}, 3, Refuse}
	case Unclocked:
		return Spec{"unclocked", []string{
			"device_id", "sample_sent", "order_no", "config", "raw_kind", "measured_at", "variant",
		}, 5, Refuse}
	case CompletenessChange:
		return Spec{"completeness_change", []string{"batch_id", "device_id", "day"}, 3, Refuse}
	case CompletenessDay:
		return Spec{"completeness_day", []string{
			"device_id", "day", "batch_id", "expected", "received", "late", "missing", "uncertain", "duplicates", "conflicts", "extra",
		}, 2, Replace}
	case Tables:
	}
	return Spec{}
}

// SlotCount is how many values a row holds.
const SlotCount = 8

// HeadColumns are the columns of message before the values, in the order of Row.Head.
const HeadColumns = "device_id, measured_at, variant, part, batch_id, layout_id, seq, idx, decoder, clock, sent_at, received_at, " +
	"order_no, kind, raw_kind, cache, interval, buffer, config, state, state_mask, signal, battery"

// HeadCount is how many columns HeadColumns names; KeyCount how many of them a row of a part above 0 fills.
const (
	HeadCount = 23
	KeyCount  = 6
)

// Row is one row of message as the engine takes it.
type Row struct {
	// Head holds the columns of HeadColumns, each an int64 or nil; of a part above 0 only the first KeyCount count, the others
	// stay NULL.
	Head [HeadCount]driver.Value
	// Values holds v1, q1, v2, q2, ... up to Slots, a float64 or nil and an int64 or nil; the others stay NULL.
	Values [2 * SlotCount]driver.Value
	Slots  int
	Part   int
}
