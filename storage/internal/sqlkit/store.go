package sqlkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"halley"
	"halley/storage"
)

// Store is a storage.Store over database/sql.
type Store struct {
	dialect Dialect
	// reader may have several connections, writer is used under mu.
	reader, writer *sql.DB
	log            *slog.Logger
	schema         int

	// mu is held by whoever writes; it guards known.
	mu    sync.Mutex
	known *known

	closed atomic.Bool
	bytes  atomic.Int64
	// lastNow is the newest instant that a session was asked for at: what ended before it may be cleared away.
	lastNow atomic.Int64
	layouts layoutCache
}

// Config is what a Store is made of.
type Config struct {
	Dialect        Dialect
	Reader, Writer *sql.DB
	Log            *slog.Logger
	// Schema is the number of the newest migration.
	Schema int
}

// New makes a store over databases that are open and migrated. The store closes them.
func New(ctx context.Context, c Config) (*Store, error) {
	s := &Store{dialect: c.Dialect, reader: c.Reader, writer: c.Writer, log: c.Log, schema: c.Schema, known: newKnown()}
	if err := s.measure(ctx); err != nil {
		return nil, s.fail("open the store", err)
	}
	return s, nil
}

// Info says what the store is and how it stands.
func (s *Store) Info(context.Context) (storage.Info, error) {
	return storage.Info{Kind: s.dialect.Kind, Schema: s.schema, Bytes: s.bytes.Load()}, nil
}

// Close waits for running calls and releases the database.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed.Store(true)
	// Closing the readers first lets the writer be the last connection, which tidies up.
	return s.fail("close the store", errors.Join(s.reader.Close(), s.writer.Close()))
}

func (s *Store) measure(ctx context.Context) error {
	n, err := s.dialect.Size(ctx, s.reader)
	if err != nil {
		return fmt.Errorf("measuring the database: %w", err)
	}
	s.bytes.Store(n)
	return nil
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

// change is one transaction that writes.
type change struct {
	tx       *sql.Tx
	conn     *sql.Conn
	s        *Store
	prepared map[string]*sql.Stmt
	// version is the registry's before the change; bumped says that it is one higher after it.
	version int64
	bumped  bool
	// learned says that s.known was changed along; forget lists devices whose copies in it are out of date after the change.
	learned bool
	forget  []halley.DeviceKey
}

// write runs do in one transaction under the writer's lock and commits where it gives nil. The transaction itself is not bound
// to ctx, because database/sql would roll it back behind our back and let later statements run outside of it: do looks at ctx
// where it takes long.
func (s *Store) write(ctx context.Context, op string, do func(ctx context.Context, c *change) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	c := &change{s: s, prepared: map[string]*sql.Stmt{}}
	if err := c.run(context.WithoutCancel(ctx), do); err != nil {
		if c.learned {
			s.known = newKnown()
		}
		return s.fail(op, err)
	}
	if c.bumped && s.known.version == c.version {
		s.known.version++
	}
	for _, key := range c.forget {
		delete(s.known.devices, key)
	}
	return nil
}

func (c *change) run(ctx context.Context, do func(ctx context.Context, c *change) error) (err error) {
	if c.conn, err = c.s.writer.Conn(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.conn.Close()) }()
	if c.tx, err = c.conn.BeginTx(ctx, nil); err != nil {
		return err
	}
	// After a commit this does nothing; after some failures the engine has rolled back already and says so.
	defer func() { _ = c.tx.Rollback() }()
	if c.s.dialect.Lock != nil {
		if err := c.s.dialect.Lock(ctx, c.tx); err != nil {
			return err
		}
	}
	if err := do(ctx, c); err != nil {
		return err
	}
	return c.tx.Commit()
}

// statement prepares a text once a transaction. The transaction closes it.
func (c *change) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if st := c.prepared[text]; st != nil {
		return st, nil
	}
	st, err := c.tx.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("preparing a statement: %w", err)
	}
	c.prepared[text] = st
	return st, nil
}

// exec runs a statement that writes.
func (c *change) exec(ctx context.Context, text string, values ...any) error {
	_, err := c.affect(ctx, text, values...)
	return err
}

// affect runs a statement that writes and says how many rows it changed.
func (c *change) affect(ctx context.Context, text string, values ...any) (int64, error) {
	st, err := c.statement(ctx, text) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return 0, err
	}
	r, err := st.ExecContext(ctx, values...)
	if err != nil {
		return 0, fmt.Errorf("writing: %w", err)
	}
	return r.RowsAffected()
}

// each runs a statement that reads and hands each row's scanner to row.
func (c *change) each(ctx context.Context, row func(scan func(...any) error) error, text string, values ...any) error {
	st, err := c.statement(ctx, text) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(ctx, values...)
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	return drain(rows, row)
}

// one reads the first row of a statement into dest and says whether there was one.
func (c *change) one(ctx context.Context, dest []any, text string, values ...any) (bool, error) {
	st, err := c.statement(ctx, text) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return false, err
	}
	err = st.QueryRowContext(ctx, values...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading: %w", err)
	}
	return true, nil
}

// nextID gives the highest id of a table plus one. Rows with ids are never removed, so that an id is never used again.
func (c *change) nextID(ctx context.Context, table string) (int64, error) {
	var id int64
	_, err := c.one(ctx, []any{&id}, "SELECT COALESCE(MAX("+table+"_id), 0) + 1 FROM "+table)
	return id, err
}

// bumpRegistry lets everybody see that copies of the registry are out of date.
func (c *change) bumpRegistry(ctx context.Context) error {
	if _, err := c.one(ctx, []any{&c.version}, "SELECT version FROM registry_version"); err != nil {
		return err
	}
	c.bumped = true
	return c.exec(ctx, "UPDATE registry_version SET version = version + 1")
}

// query runs a statement and hands each row's scanner to row. The rows are closed when it returns.
func (s *Store) query(ctx context.Context, row func(scan func(...any) error) error, text string, values ...any) error {
	rows, err := s.reader.QueryContext(ctx, text, values...)
	if err != nil {
		return err
	}
	return drain(rows, row)
}

// one reads the first row of a statement into dest and says whether there was one.
func (s *Store) one(ctx context.Context, dest []any, text string, values ...any) (bool, error) {
	err := s.reader.QueryRowContext(ctx, text, values...).Scan(dest...)
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
