package sqlite

import (
	"context"
	"database/sql"

	"halley/storage/internal/sqlkit"
)

// dialect is what SQLite says in its own way. Transactions take the writer's lock when they begin.
func dialect() sqlkit.Dialect {
	return sqlkit.Dialect{
		Kind:  "sqlite",
		Limit: " LIMIT @limit",
		PutPack: `
INSERT INTO rollup (channel_id, level, period, pack) VALUES (@channel, @level, @period, @pack)
ON CONFLICT DO UPDATE SET pack = excluded.pack`,
		PutMark: `
INSERT INTO rollup_mark (device_id, level, period) VALUES (@device, @level, @period) ON CONFLICT DO NOTHING`,
		PutTally: `
INSERT INTO tally (device_id, day, duplicates, conflicts) VALUES (@device, @day, @duplicates, @conflicts)
ON CONFLICT DO UPDATE SET duplicates = duplicates + excluded.duplicates, conflicts = conflicts + excluded.conflicts`,
		PutSession: `
INSERT INTO session (hash, data, expires_at) VALUES (@hash, @data, @expires)
ON CONFLICT DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`,
		Messages: newMessages,
		Size:     size,
		Error:    mapError,
	}
}

// size gives the bytes of the database without its log.
func size(ctx context.Context, db *sql.DB) (int64, error) {
	var bytes int64
	err := db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").Scan(&bytes)
	return bytes, err
}
