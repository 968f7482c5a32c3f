package sqlkit

import (
	"context"
	"database/sql"
)

// Dialect is what differs between engines.
type Dialect struct {
	// Kind is the engine's word for storage.Info.
	Kind string
	// Schema goes before the name of every table, such as "halley."; "" for none. Shared statements name tables without it.
	Schema string
	// Limit follows ORDER BY and lets at most @limit rows through.
	Limit string
	// List is a table of the elements of the JSON array in @list, each in the column value: numbers or texts. Whoever joins it
	// to a number casts it: CAST(l.value AS bigint).
	List string
	// Now is an expression: the database's clock in whole milliseconds since 1970-01-01T00:00:00Z.
	Now string
	// Lock keeps every other writer out until the transaction ends; nil where beginning it does.
	Lock func(ctx context.Context, tx *sql.Tx) error
	// Ready says whether the database can be used and which migration is its newest. It is asked before the first statement and
	// again after every new connection; until it succeeds every method of the store gives its error. nil for a database that is
	// ready when the store is made.
	Ready func(ctx context.Context, db *sql.DB) (schema int, err error)
	// Generation grows with every new connection of either pool. What readers remember of the database is forgotten when it has
	// grown, for the connection may lead to another server that did not see the newest transactions. nil for an engine that
	// has one database only. What the writer remembers is forgotten when its own connection is another.
	Generation func() int64
	// Erase has the bytes of what statements of the open transaction on conn remove or change written over, until it is called with
	// on false, behind that transaction. nil for an engine that has no such thing.
	Erase func(ctx context.Context, conn *sql.Conn, on bool) error
	// Forget empties what the engine keeps of earlier states of the database, as far as nobody reads one. nil as for Erase.
	Forget func(ctx context.Context, conn *sql.Conn) error
	// Bulk opens the way to write many rows inside the transaction that is open on conn.
	Bulk func(ctx context.Context, conn *sql.Conn) (Bulk, error)
	// Measure gives the size of the database and what bounds it.
	Measure func(ctx context.Context, db *sql.DB) (Measure, error)
	// Error turns a failure of the engine into a *halley.Error by its code; nil stays nil.
	Error func(op string, err error) error
}

// Measure is how a database stands.
type Measure struct {
	// Bytes is what it takes, LimitBytes what it may take at most; 0 where that is not known, or not bounded.
	Bytes, LimitBytes int64
	// Limit is what bounds it: "edition", "file-size" or "".
	Limit string
	// Engine says in words which engine it is, with edition and version.
	Engine string
}
