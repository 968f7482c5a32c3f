package sqlite

import (
	"context"
	"database/sql"

	"halley/storage/internal/sqlkit"
)

// dialect is what SQLite says in its own way. Transactions take the writer's lock when they begin.
func dialect() sqlkit.Dialect {
	return sqlkit.Dialect{
		Kind:    "sqlite",
		Limit:   " LIMIT @limit",
		List:    "json_each(@list)",
		Now:     "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
		Lock:    refuseMoved,
		Erase:   erase,
		Forget:  emptyLog,
		Bulk:    newBulk,
		Measure: measure,
		Error:   mapError,
	}
}

// measure gives the bytes of the database without its log. Nothing but the disk bounds it.
func measure(ctx context.Context, db *sql.DB) (sqlkit.Measure, error) {
	var m sqlkit.Measure
	err := db.QueryRowContext(ctx,
		"SELECT page_count * page_size, 'SQLite ' || sqlite_version() FROM pragma_page_count(), pragma_page_size()").
		Scan(&m.Bytes, &m.Engine)
	return m, err
}
