package sqlserver

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"

	"halley"
)

// ledgerEntry makes the ledger table, what fills it and what compares it.
//
//go:embed scripts/ledger_entry.sql
var ledgerEntry string

const (
	// ableLedger asks whether the engine has ledger tables: its catalog then says of each table whether it is one.
	ableLedger = "(SELECT COUNT(*) FROM sys.all_columns WHERE object_id = OBJECT_ID(N'sys.tables') AND name = N'ledger_type')"

	hasLedger = "CASE WHEN OBJECT_ID(N'halley.ledger_entry') IS NULL THEN 0 ELSE 1 END"

	// An append-only ledger table has this type (documentation of sys.tables).
	isLedger         = "SELECT COUNT(*) FROM sys.tables WHERE object_id = OBJECT_ID(N'halley.ledger_entry') AND ledger_type = 3"
	ledgerTablesHelp = "docs/sqlserver-logins.md"
)

// ledgerGrants let everybody who may look at the store look at the ledger table too. Nobody but triggers adds to it.
func ledgerGrants() []string {
	var list []string
	for _, role := range roles() {
		list = append(list, "GRANT SELECT ON halley.ledger_entry TO "+role, "GRANT SELECT ON halley.ledger_difference TO "+role)
	}
	return list
}

// wantLedger refuses to make ledger tables on an engine that has none, before anything is changed.
func (p *preparation) wantLedger(ctx context.Context, conn *sql.Conn) error {
	if !p.ledger {
		return nil
	}
	able, err := canLedger(ctx, conn)
	if err != nil || able {
		return err
	}
	engine, _, err := describeEngine(ctx, conn)
	if err != nil {
		return err
	}
	return &halley.Error{
		Kind: halley.Conflict, Op: opInit, Code: "no-ledger-tables",
		Message: "this engine (" + engine + ") has no ledger tables: they came with SQL Server 2022. Leave out --ledger-tables; " +
			"Halley's own ledger does not need them",
	}
}

func canLedger(ctx context.Context, q querier) (bool, error) {
	var n int
	if err := q.QueryRowContext(ctx, "SELECT "+ableLedger).Scan(&n); err != nil {
		return false, fmt.Errorf("asking for ledger tables: %w", err)
	}
	return n > 0, nil
}

// ledgerSteps make the ledger table where it is wanted and not there, and offer it where it could be.
func (p *preparation) ledgerSteps(ctx context.Context, conn *sql.Conn) ([]step, error) {
	able, err := canLedger(ctx, conn)
	if err != nil || !able {
		return nil, err
	}
	var there bool
	if err := conn.QueryRowContext(ctx, "SELECT "+hasLedger).Scan(&there); err != nil {
		return nil, fmt.Errorf("looking for the ledger table: %w", err)
	}
	switch {
	case there:
		return nil, p.checkLedger(ctx, conn)
	case !p.ledger:
		p.report.Advice = append(p.report.Advice, "this SQL Server can keep the digests in an append-only ledger table besides, which not even "+
			"its administrators can change: halley init --ledger-tables makes it ("+ledgerTablesHelp+")")
		return nil, nil
	}
	return []step{ledgerStep()}, nil
}

// checkLedger tells of an ordinary table that stands where the ledger table should.
func (p *preparation) checkLedger(ctx context.Context, conn *sql.Conn) error {
	var n int
	if err := conn.QueryRowContext(ctx, isLedger).Scan(&n); err != nil {
		return fmt.Errorf("looking at the ledger table: %w", err)
	}
	if n == 0 {
		p.report.Advice = append(p.report.Advice, "the table halley.ledger_entry is no append-only ledger table of SQL Server and proves "+
			"nothing: somebody put it there, or the database came from a script without the ledger (BACPAC, for one)")
	}
	return nil
}

func ledgerStep() step {
	return step{
		will: "make the append-only ledger table ledger_entry",
		did:  "made the append-only ledger table ledger_entry",
		do:   makeLedger,
	}
}

// makeLedger makes the ledger table in one transaction, so that no batch slips in between what is there and what comes.
func makeLedger(ctx context.Context, conn *sql.Conn) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning the ledger table: %w", err)
	}
	// After a commit this does nothing.
	defer func() { _ = tx.Rollback() }()
	for i, text := range append(batches(ledgerEntry), ledgerGrants()...) {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("running batch %d of the ledger table: %w", i+1, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing the ledger table: %w", err)
	}
	return nil
}
