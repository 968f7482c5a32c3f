package sqlkit

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// Dialect is what differs between engines.
type Dialect struct {
	// Kind is the engine's word for storage.Info.
	Kind string
	// Limit follows ORDER BY and lets at most @limit rows through.
	Limit string
	// PutPack writes or overwrites a row of rollup from @channel, @level, @period, @pack.
	PutPack string
	// PutMark adds a row to rollup_mark from @device, @level, @period unless it is there.
	PutMark string
	// PutTally adds to a row of tally, or makes it, from @device, @day, @duplicates, @conflicts.
	PutTally string
	// PutSession writes or overwrites a row of session from @hash, @data, @expires.
	PutSession string
	// Lock keeps every other writer out until the transaction ends; nil where beginning it does.
	Lock func(ctx context.Context, tx *sql.Tx) error
	// Messages opens the way to append messages inside the transaction that is open on conn.
	Messages func(conn *sql.Conn) (Messages, error)
	// Size gives the bytes that the database takes; 0 where that is not known.
	Size func(ctx context.Context, db *sql.DB) (int64, error)
	// Error turns a failure of the engine into a *halley.Error by its code; nil stays nil.
	Error func(op string, err error) error
}

// Messages appends rows to message inside one transaction.
type Messages interface {
	// Insert adds a row. It gives false, and changes nothing, where a row has its key already. It keeps nothing of r.
	Insert(r *Row) (added bool, err error)
	// Close frees what Messages holds; the transaction goes on.
	Close() error
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
	// Head holds the columns of HeadColumns; of a part above 0 only the first KeyCount count, the others stay NULL.
	Head [HeadCount]driver.Value
	// Values holds v1, q1, v2, q2, ... up to Slots; the others stay NULL.
	Values [2 * SlotCount]driver.Value
	Slots  int
	Part   int
}
