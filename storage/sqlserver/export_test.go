package sqlserver

import (
	"context"
	"database/sql"
	"strings"
)

// Tables are those that the service has rights on.
func Tables() []string { return tables() }

// MakeLedgerTable makes what --ledger-tables makes, as an ordinary table where the engine has no ledger tables.
func MakeLedgerTable(ctx context.Context, db *sql.DB) error {
	for _, text := range append(batches(strings.Replace(ledgerEntry, " WITH (LEDGER = ON (APPEND_ONLY = ON))", "", 1)), ledgerGrants()...) {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// CanLedger is canLedger.
func CanLedger(ctx context.Context, db *sql.DB) (bool, error) { return canLedger(ctx, db) }

// MigrateTo makes the schema up to a migration in a database that is there and empty, as an older program did.
func MigrateTo(ctx context.Context, db *sql.DB, number int) error {
	list, err := migrations()
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for _, m := range list[:number] {
		if err := migrate(ctx, conn, m); err != nil {
			return err
		}
	}
	return nil
}
