package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"halley"
	"halley/storage"
	"halley/storage/internal/sqlkit"
)

// TransferTables are the tables that move between stores, in an order in which each row finds what it refers to. The last is that
// of the messages.
func TransferTables() []storage.TransferTable { return sqlkit.TransferTables() }

// MoveOut lets nobody write, also no other process, runs do, and where do gives nil notes that the content has moved to the
// database named in target.
func (s *Store) MoveOut(ctx context.Context, target string, do func(ctx context.Context) error) error {
	return s.Exclusively(ctx, nil, func(inside context.Context, conn *sql.Conn) error {
		// What do asks of other databases ends with the caller; the transaction does not.
		if err := do(ctx); err != nil {
			return err
		}
		if _, err := conn.ExecContext(inside, "INSERT INTO moved (one, at, target) VALUES (1, @at, @target)",
			sql.Named("at", time.Now().UnixMilli()), sql.Named("target", target)); err != nil {
			return fmt.Errorf("noting that the store has moved: %w", err)
		}
		return nil
	})
}

// MovedTo gives the database that the content has moved to; "" where it has not.
func (s *Store) MovedTo(ctx context.Context) (target string, err error) {
	err = s.writer.QueryRowContext(ctx, "SELECT target FROM moved").Scan(&target)
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return target, nil
	}
	return "", mapError("see whether the store has moved", err)
}

// refuseMoved lets nobody write to a store whose content is elsewhere. The writer's lock is taken already, so that what it reads
// holds until the transaction ends.
func refuseMoved(ctx context.Context, tx *sql.Tx) error {
	var target string
	err := tx.QueryRowContext(ctx, "SELECT target FROM moved").Scan(&target)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("seeing whether the store has moved: %w", err)
	}
	return &halley.Error{
		Kind: halley.Unavailable, Op: "write to the embedded store", Code: storage.CodeMoved,
		Message: "the content of this store has moved to " + target + ": write that database into [store] dsn; the server then goes over to it",
	}
}

// Interface guard.
var _ storage.Movable = (*Store)(nil)
