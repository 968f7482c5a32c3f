package sqlkit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"halley"
)

// change is one transaction that writes.
type change struct {
	tx       *sql.Tx
	conn     *sql.Conn
	s        *Store
	prepared map[string]*sql.Stmt
	facts    facts
	chain    chain
	// gone are the tombstones; nil until they were asked for.
	gone removals
	// erasing says that the bytes of what is removed are written over, forgets that what the engine keeps of earlier states is to be
	// emptied behind the change.
	erasing, forgets bool
	// bulk is nil until openBulk.
	bulk Bulk
	// ids are the highest of each table, as far as they were asked for.
	ids map[string]int64
	// version is the registry's before the change; bumped says that it is one higher after it.
	version int64
	bumped  bool
	// learned says that s.known was changed along; forget lists devices whose copies in it are out of date after the change.
	learned bool
	forget  []halley.DeviceKey
}

// write runs do in one transaction, when it is its turn, and commits where it gives nil. The transaction itself is not bound
// to ctx, because database/sql would roll it back behind our back and let later statements run outside of it: do looks at ctx
// where it takes long.
func (s *Store) write(ctx context.Context, op string, do func(ctx context.Context, c *change) error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	defer func() { <-s.turn }()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	c := &change{s: s, prepared: map[string]*sql.Stmt{}, ids: map[string]int64{}}
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
	if err := c.begin(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.conn.Close()) }()
	defer c.endErasing(ctx)
	// After a commit this does nothing; after some failures the engine has rolled back already and says so.
	defer func() { _ = c.tx.Rollback() }()
	if c.s.dialect.Lock != nil {
		if err := c.s.dialect.Lock(ctx, c.tx); err != nil {
			return err
		}
	}
	if err := c.recognize(); err != nil {
		return err
	}
	err = do(ctx, c)
	if err == nil {
		err = c.writeFacts(ctx)
	}
	if err == nil {
		err = c.endChain(ctx)
	}
	if err == nil {
		err = c.flush(ctx)
	}
	if c.bulk != nil {
		err = errors.Join(err, c.bulk.Close())
	}
	if err != nil {
		return err
	}
	return c.tx.Commit()
}

// begin takes a connection and begins the transaction. A connection that broke while nobody used it shows only now; the pool
// then gives another, a new one in the end.
func (c *change) begin(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		conn, err := c.s.writer.Conn(ctx)
		if err != nil {
			return err
		}
		// The connection may be the first one, or the first after the database was away.
		if err = c.s.makeReady(ctx); err == nil {
			c.tx, err = conn.BeginTx(ctx, nil)
		}
		if err == nil {
			c.conn = conn
			return nil
		}
		broken := errors.Is(err, driver.ErrBadConn) && attempt < 2
		if closing := conn.Close(); !broken {
			return errors.Join(err, closing)
		}
	}
}

// recognize forgets what is known where it was learned over another connection: this one may lead to another server that did
// not see the newest transactions, and may have given their ids to something else.
func (c *change) recognize() error {
	return c.conn.Raw(func(connection any) error {
		if c.s.known.connection != connection {
			c.s.known = newKnown()
			c.s.known.connection = connection
		}
		return nil
	})
}

// openBulk opens the way to write many rows.
func (c *change) openBulk(ctx context.Context) (err error) {
	c.bulk, err = c.s.dialect.Bulk(ctx, c.conn)
	return err
}

// flush makes what was given to bulk visible to statements.
func (c *change) flush(ctx context.Context) error {
	if c.bulk == nil {
		return nil
	}
	return c.bulk.Flush(ctx)
}

// statement prepares a text once a transaction. The transaction closes it.
func (c *change) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if st := c.prepared[text]; st != nil {
		return st, nil
	}
	st, err := c.tx.PrepareContext(ctx, c.s.names.qualify(text))
	if err != nil {
		return nil, fmt.Errorf("preparing a statement: %w", err)
	}
	c.prepared[text] = st
	return st, nil
}

// exec runs a statement that writes. What was gathered before is written first, for a row may name it.
func (c *change) exec(ctx context.Context, text string, values ...any) error {
	_, err := c.executed(ctx, text, values...)
	return err
}

// affect runs a statement that writes and says how many rows it changed.
func (c *change) affect(ctx context.Context, text string, values ...any) (int64, error) {
	r, err := c.executed(ctx, text, values...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (c *change) executed(ctx context.Context, text string, values ...any) (sql.Result, error) {
	if err := c.writeFacts(ctx); err != nil {
		return nil, err
	}
	st, err := c.statement(ctx, text) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return nil, err
	}
	r, err := st.ExecContext(ctx, values...)
	if err != nil {
		return nil, fmt.Errorf("writing: %w", err)
	}
	return r, nil
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

// nextID gives the highest id of a table plus one. Rows with ids are never removed, so that an id is never used again. The
// table is asked once a transaction, for nobody else adds to it meanwhile.
func (c *change) nextID(ctx context.Context, table string) (int64, error) {
	id, asked := c.ids[table]
	if !asked {
		if _, err := c.one(ctx, []any{&id}, "SELECT COALESCE(MAX("+table+"_id), 0) FROM "+quoted(table)); err != nil {
			return 0, err
		}
	}
	c.ids[table] = id + 1
	return id + 1, nil
}

const (
	selectVersion = "SELECT COALESCE(MAX(version), 1) FROM registry_change"
	insertVersion = "INSERT INTO registry_change (version) VALUES (@version)"
)

// bumpRegistry lets everybody see that copies of the registry are out of date.
func (c *change) bumpRegistry(ctx context.Context) error {
	if _, err := c.one(ctx, []any{&c.version}, selectVersion); err != nil {
		return err
	}
	c.bumped = true
	return c.exec(ctx, insertVersion, args("version", c.version+1)...)
}
