package storage

import (
	"context"

	"halley"
)

// CodeMoved is an Unavailable: the content of this store was moved to another database, and nothing more goes into it.
const CodeMoved = "moved"

// Exporter gives the rows of a store as they are, with the ids they have.
type Exporter interface {
	// ExportRows gives at most q.Limit rows of a table behind q.After, in the order of the table's key. A row is int64, float64,
	// string, []byte or nil, in the order of the table's columns.
	ExportRows(ctx context.Context, q RowQuery) ([][]any, error)
	// LastBatch gives the highest batch number; 0 for none.
	LastBatch(ctx context.Context) (int64, error)
	// BatchMessages counts the messages of the batches above after, up to upTo.
	BatchMessages(ctx context.Context, after, upTo int64) (int64, error)
	// Personal gives what is kept of people besides the facts.
	Personal(ctx context.Context) (Personal, error)
}

// Importer takes the rows of another store.
type Importer interface {
	Exporter
	// ImportRows adds the rows whose keys are absent, in one transaction, and says how many it added. With mark it also marks the
	// rollups of the periods that rows of message fall into.
	ImportRows(ctx context.Context, t TransferTable, rows [][]any, mark bool) (added int64, err error)
	// ReplacePersonal puts what is kept of people in the place of all that is there, in one transaction. The people are there.
	ReplacePersonal(ctx context.Context, p Personal) error
}

// Personal is what is kept of people besides the facts: personal data, and what people prove themselves by. It is changed and erased,
// so that it moves whole and not row by row.
type Personal struct {
	// Details are by person, Secrets by kind, then key, links among them.
	Details []halley.PersonDetail
	Secrets []Secret
}

// Movable is a store whose content can be moved out for good.
type Movable interface {
	Exporter
	// MovedTo gives the database that the content has moved to; "" where it has not.
	MovedTo(ctx context.Context) (target string, err error)
	// MoveOut lets nobody write, also no other process, runs do, and where do gives nil notes that the content has moved to
	// the database named in target: every later change is Unavailable with CodeMoved, reading goes on.
	MoveOut(ctx context.Context, target string, do func(ctx context.Context) error) error
}

// RowQuery asks for rows of one table.
type RowQuery struct {
	Table TransferTable
	// After holds the key behind which the rows begin; nil for the first.
	After []int64
	// Limit is the most rows to give, at least 1.
	Limit int
	// AfterBatch and UpToBatch choose rows by their batch number, above the one and up to the other; 0 chooses none. For tables
	// with a column batch_id.
	AfterBatch, UpToBatch int64
}

// TransferTable is a table as it moves between stores.
type TransferTable struct {
	Name string
	// Columns are those that are stored; the first Key of them are its primary key, all whole numbers.
	Columns []string
	Key     int
	// Derived says that the rows follow from others and are computed again where they differ.
	Derived bool
}
