package sqlserver

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"strings"
	"time"

	"halley"
	"halley/storage/internal/sqlkit"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

const (
	// schemaPrefix goes before the name of every table and view.
	schemaPrefix = "halley."

	createSchema = "IF SCHEMA_ID(N'halley') IS NULL EXEC(N'CREATE SCHEMA halley AUTHORIZATION dbo')"

	createSchemaTable = `
IF OBJECT_ID(N'halley.schema_migration') IS NULL
CREATE TABLE halley.schema_migration (
  number     int NOT NULL CONSTRAINT pk_schema_migration PRIMARY KEY,
  name       nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  checksum   nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  applied_at bigint NOT NULL
)`

	insertMigration = `
INSERT INTO halley.schema_migration (number, name, checksum, applied_at) VALUES (@number, @name, @checksum, @at)`

	// A table that the login has no right on is not there for it.
	selectSchema = `
SELECT CASE WHEN OBJECT_ID(N'halley.schema_migration') IS NULL THEN 0 ELSE 1 END,
       (SELECT COUNT(*) FROM sys.tables t JOIN sys.schemas s ON s.schema_id = t.schema_id WHERE s.name = N'halley')`
)

// migrations gives the steps of the schema, ascending.
func migrations() ([]sqlkit.Migration, error) {
	return sqlkit.Migrations(migrationFiles, "migrations")
}

// querier is a *sql.DB, *sql.Conn or *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// applied gives the number of the newest migration; 0 where the database has no table of Halley that the login may see.
func applied(ctx context.Context, q querier, list []sqlkit.Migration) (int, error) {
	var ours, tables int
	if err := q.QueryRowContext(ctx, selectSchema).Scan(&ours, &tables); err != nil {
		return 0, fmt.Errorf("reading the schema: %w", err)
	}
	switch {
	case ours > 0:
		return sqlkit.Applied(ctx, q, schemaPrefix, list)
	case tables > 0:
		return 0, &halley.Error{
			Kind: halley.Conflict, Op: "read the schema", Code: "not-ours",
			Message: "the schema halley of this database holds tables of another program, or ones that this login may not read: " +
				"choose another database, or run halley init to renew the rights of the roles",
		}
	}
	return 0, nil
}

// batches cuts a script into what is sent at a time: a line that holds GO alone ends a batch.
func batches(script string) []string {
	var list []string
	var b strings.Builder
	flush := func() {
		if strings.TrimSpace(b.String()) != "" {
			list = append(list, b.String())
		}
		b.Reset()
	}
	for line := range strings.Lines(script) {
		if strings.EqualFold(strings.TrimSpace(line), "GO") {
			flush()
			continue
		}
		b.WriteString(line)
	}
	flush()
	return list
}

// migrate runs one migration in a transaction of its own.
func migrate(ctx context.Context, conn *sql.Conn, m sqlkit.Migration) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning migration %d: %w", m.Number, err)
	}
	// After a commit this does nothing.
	defer func() { _ = tx.Rollback() }()
	texts := batches(m.SQL)
	if m.Number == 1 {
		texts = append([]string{createSchema, createSchemaTable}, texts...)
	}
	for i, text := range texts {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("running batch %d of migration %d (%s): %w", i+1, m.Number, m.Name, err)
		}
	}
	if _, err := tx.ExecContext(ctx, insertMigration, sql.Named("number", m.Number), sql.Named("name", m.Name),
		sql.Named("checksum", m.Checksum), sql.Named("at", time.Now().UnixMilli())); err != nil {
		return fmt.Errorf("noting migration %d: %w", m.Number, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing migration %d: %w", m.Number, err)
	}
	return nil
}
