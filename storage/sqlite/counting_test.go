package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	engine "modernc.org/sqlite"

	"halley/storage/internal/sqlkit"
	"halley/storage/sqlite"
)

// counter counts the statements that reach the engine, each of which would be a round trip to a server.
type counter struct {
	// file is the database that new connections lead to; older ones to another file break.
	file                    atomic.Pointer[string]
	statements, connections atomic.Int64
	// paused says that what is run now belongs to the test.
	paused atomic.Bool
}

func (c *counter) add() {
	if !c.paused.Load() {
		c.statements.Add(1)
	}
}

// counted opens connections of the driver that count.
type counted struct{ *counter }

func (c counted) Driver() driver.Driver { return &engine.Driver{} }

func (c counted) Connect(context.Context) (driver.Conn, error) {
	file := *c.file.Load()
	// Nothing here asks what is left after a power cut, and waiting for the disk takes most of the time.
	conn, err := (&engine.Driver{}).Open(sqlite.DSN(file) + "&_pragma=synchronous(OFF)")
	if err != nil {
		return nil, err
	}
	c.connections.Add(1)
	full, ok := conn.(fullConn)
	if !ok {
		return nil, errors.Join(errors.New("the driver's connection lacks a method"), conn.Close())
	}
	return &countedConn{full, c.counter, file}, nil
}

type fullConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
}

type countedConn struct {
	fullConn
	counter *counter
	file    string
}

// ResetSession is asked before a connection is used again.
func (c *countedConn) ResetSession(context.Context) error {
	if c.file != *c.counter.file.Load() {
		return driver.ErrBadConn
	}
	return nil
}

func (c *countedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	st, err := c.fullConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := st.(fullStmt)
	if !ok {
		return nil, errors.Join(errors.New("the driver's statement lacks a method"), st.Close())
	}
	return &countedStmt{full, c.counter}, nil
}

func (c *countedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.counter.add()
	return c.fullConn.ExecContext(ctx, query, args)
}

func (c *countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.counter.add()
	return c.fullConn.QueryContext(ctx, query, args)
}

type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type countedStmt struct {
	fullStmt
	counter *counter
}

func (s *countedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.counter.add()
	return s.fullStmt.ExecContext(ctx, args)
}

func (s *countedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.counter.add()
	return s.fullStmt.QueryContext(ctx, args)
}

// kit is a store over counted connections, with a dialect that a test may have changed.
type kit struct {
	*sqlkit.Store
	*counter
	path string
}

// openKit opens a kit on a file that is made and migrated where it is not there.
func openKit(t testing.TB, path string, change func(*sqlkit.Dialect, *counter)) *kit {
	t.Helper()
	schema, err := sqlite.MigrateFiles(t.Context(), path, sqlite.MigrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{counter: &counter{}, path: path}
	k.file.Store(&path)
	pool := func(most int) *sql.DB {
		db := sql.OpenDB(counted{k.counter})
		db.SetMaxOpenConns(most)
		db.SetMaxIdleConns(most)
		return db
	}
	dialect := sqlite.Dialect()
	change(&dialect, k.counter)
	if dialect.Ready != nil {
		schema = 0
	}
	config := sqlkit.Config{Dialect: dialect, Reader: pool(4), Writer: pool(1), Log: slog.New(slog.DiscardHandler), Schema: schema}
	if k.Store, err = sqlkit.New(t.Context(), config); err != nil {
		t.Fatal(errors.Join(err, config.Reader.Close(), config.Writer.Close()))
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return k
}

// dbPath is where a fresh database may lie.
func dbPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "halley.db")
}
