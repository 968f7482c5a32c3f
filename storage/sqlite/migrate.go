package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"halley"
	"halley/storage/internal/sqlkit"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

const createSchemaTable = `
CREATE TABLE IF NOT EXISTS schema_migration (
  number     INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  checksum   TEXT    NOT NULL,
  applied_at INTEGER NOT NULL
)`

// migrate brings the schema up to date and gives its number.
func migrate(ctx context.Context, db *sql.DB, path string, log *slog.Logger) (int, error) {
	return migrateTo(ctx, target{db: db, path: path, log: log, files: migrationFiles})
}

// target is a database and the migrations that it should have.
type target struct {
	db    *sql.DB
	path  string
	log   *slog.Logger
	files fs.FS
}

func migrateTo(ctx context.Context, t target) (int, error) {
	list, err := sqlkit.Migrations(t.files, "migrations")
	if err != nil {
		return 0, err
	}
	// Most often nothing is to be done, which is found out without taking the writer's lock.
	number, err := applied(ctx, t.db, list)
	if err != nil || number == len(list) {
		return number, err
	}
	if number > 0 {
		if err := t.backup(ctx, number); err != nil {
			return 0, err
		}
	}
	return len(list), t.apply(ctx, list)
}

// applied gives the number of the newest migration, 0 for an empty file.
func applied(ctx context.Context, q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, list []sqlkit.Migration,
) (int, error) {
	var objects, ours int
	err := q.QueryRowContext(ctx, "SELECT COUNT(*), COUNT(CASE name WHEN 'schema_migration' THEN 1 END) FROM sqlite_schema").
		Scan(&objects, &ours)
	switch {
	case err != nil:
		return 0, fmt.Errorf("reading the schema: %w", err)
	case ours > 0:
		return sqlkit.Applied(ctx, q, "", list)
	case objects > 0:
		return 0, &halley.Error{
			Kind: halley.Conflict, Op: "open the store", Code: "not-ours",
			Message: "the file is a database of another program: choose another folder for Halley's data",
		}
	}
	return 0, nil
}

// backup copies the database beside itself before its schema is changed.
func (t target) backup(ctx context.Context, number int) error {
	copyPath := fmt.Sprintf("%s.schema%d-%s.backup", t.path, number, time.Now().UTC().Format("20060102T150405Z"))
	// The copy is for the owner alone too: SQLite takes an empty file as it is.
	f, err := os.OpenFile(copyPath, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making a backup before the migration: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("making a backup before the migration: %w", err)
	}
	if _, err := t.db.ExecContext(ctx, "VACUUM INTO ?1", copyPath); err != nil {
		return fmt.Errorf("making a backup before the migration: %w", err)
	}
	t.log.Info("the database was copied before its schema changes", "backup", copyPath, "schema", number)
	return nil
}

// apply runs what is missing in one transaction, which another process that starts at the same time waits for.
func (t target) apply(ctx context.Context, list []sqlkit.Migration) (err error) {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning the migration: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, rollback(tx))
		}
	}()
	number, err := applied(ctx, tx, list)
	if err != nil {
		return err
	}
	if number == 0 {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return fmt.Errorf("marking the database: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, createSchemaTable); err != nil {
		return fmt.Errorf("making the table of migrations: %w", err)
	}
	for _, m := range list[number:] {
		if _, err := tx.ExecContext(ctx, m.SQL); err != nil {
			return fmt.Errorf("running migration %d (%s): %w", m.Number, m.Name, err)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO schema_migration VALUES (?1, ?2, ?3, ?4)",
			m.Number, m.Name, m.Checksum, time.Now().UnixMilli()); err != nil {
			return fmt.Errorf("noting migration %d: %w", m.Number, err)
		}
		t.log.Info("the database's schema was changed", "migration", m.Number, "name", m.Name)
	}
	return tx.Commit()
}

// rollback ends a transaction that failed; the engine may have ended it already.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("rolling back: %w", err)
	}
	return nil
}
