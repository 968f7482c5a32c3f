package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"

	"halley/storage/internal/sqlkit"
)

// Writer gives the writing pool of a file that is open with Halley's settings, for tests of what lies below the contract.
func Writer(ctx context.Context, path string) (*sql.DB, error) { return connect(ctx, path, 1) }

// MigrateFiles brings a database up to date with these files instead of the program's own.
func MigrateFiles(ctx context.Context, path string, files fs.FS) (int, error) {
	db, err := connect(ctx, path, 1)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	return migrateTo(ctx, target{db: db, path: path, log: slog.New(slog.DiscardHandler), files: files})
}

// MigrationFiles are the program's own.
var MigrationFiles fs.FS = migrationFiles

// MapError is mapError.
var MapError = mapError

// LimitPages bounds how far the database of an open store may grow.
func LimitPages(ctx context.Context, s *Store, pages int) error {
	_, err := s.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	return err
}

// Dialect is what the store hands to sqlkit, for tests that change a part of it.
func Dialect() sqlkit.Dialect { return dialect() }

// DSN names a file with Halley's settings.
func DSN(path string) string { return dsn(path, nil) }
