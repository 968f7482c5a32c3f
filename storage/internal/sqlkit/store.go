package sqlkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

// Store is a storage.Store over database/sql.
type Store struct {
	dialect Dialect
	// reader may have several connections, writer is used by whoever has the turn.
	reader, writer *sql.DB
	log            *slog.Logger
	names          qualifier
	ready          readiness

	// turn holds one token: whoever writes has it. It guards known and parts.
	turn  chan struct{}
	known *known
	parts partWriter

	closed atomic.Bool
	// lastNow is the newest instant that a session was asked for at: what ended before it may be cleared away.
	lastNow atomic.Int64
	layouts layoutCache
	named   layoutMemory
	stand   standing
	days    filledDays
}

// Config is what a Store is made of.
type Config struct {
	Dialect Dialect
	// Reader and Writer are apart, because a statement of Reader may be run while a connection of Writer is in use. What is
	// known of devices is kept as long as writing goes on over one connection, so that Writer should have one.
	Reader, Writer *sql.DB
	Log            *slog.Logger
	// Schema is the number of the newest migration; 0 where Dialect.Ready tells it.
	Schema int
}

// New makes a store over databases that are open, and migrated unless the dialect tells when they are. The store closes them.
func New(ctx context.Context, c Config) (*Store, error) {
	s := &Store{
		dialect: c.Dialect, reader: c.Reader, writer: c.Writer, log: c.Log, names: qualifier{schema: c.Dialect.Schema},
		turn: make(chan struct{}, 1), known: newKnown(),
	}
	var err error
	if s.parts.packer, err = ledger.NewPacker(); err != nil {
		return nil, s.fail("open the store", err)
	}
	s.ready.schema.Store(int64(c.Schema))
	if c.Dialect.Ready == nil {
		if err := s.measure(ctx); err != nil {
			return nil, s.fail("open the store", err)
		}
	}
	return s, nil
}

// Close waits for running calls and releases the database.
func (s *Store) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.closed.Store(true)
	// Closing the readers first lets the writer be the last connection, which tidies up.
	return s.fail("close the store", errors.Join(s.reader.Close(), s.writer.Close()))
}

// fail turns any error into what the contract of storage says; nil stays nil.
func (s *Store) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*halley.Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*storage.EntryError](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	if s.closed.Load() {
		return &halley.Error{Kind: halley.Unavailable, Op: op, Message: "the store is closed", Err: err}
	}
	return s.dialect.Error(op, err)
}

// query runs a statement and hands each row's scanner to row. The rows are closed when it returns.
func (s *Store) query(ctx context.Context, row func(scan func(...any) error) error, text string, values ...any) error {
	if err := s.makeReady(ctx); err != nil {
		return err
	}
	return s.read(ctx, row, text, values...)
}

// read is query for those who make the store ready.
func (s *Store) read(ctx context.Context, row func(scan func(...any) error) error, text string, values ...any) error {
	rows, err := s.reader.QueryContext(ctx, s.names.qualify(text), values...)
	if err != nil {
		return err
	}
	return drain(rows, row)
}

// one reads the first row of a statement into dest and says whether there was one.
func (s *Store) one(ctx context.Context, dest []any, text string, values ...any) (bool, error) {
	if err := s.makeReady(ctx); err != nil {
		return false, err
	}
	err := s.reader.QueryRowContext(ctx, s.names.qualify(text), values...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func drain(rows *sql.Rows, row func(scan func(...any) error) error) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return fmt.Errorf("reading a row: %w", err)
		}
	}
	return rows.Err()
}

// args makes named arguments of name, value, name, value, ...
func args(pairs ...any) []any {
	list := make([]any, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		list = append(list, sql.Named(name, pairs[i+1]))
	}
	return list
}

var _ storage.Store = (*Store)(nil)
