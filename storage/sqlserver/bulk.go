package sqlserver

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
	"halley/storage"
	"halley/storage/internal/sqlkit"
)

// bulk gathers the rows of one transaction in memory and sends them with Flush: messages and rollups by bulk copy into tables of
// the session, the few rows of the other tables as one JSON text each. From there one statement brings what is absent into
// the tables of the schema.
type bulk struct {
	foresight
	conn *sql.Conn
	// added are the messages since the last Flush.
	added []*sqlkit.Row
	puts  [sqlkit.Tables]puts
	// staged says which tables of the session this transaction has made.
	staged map[string]bool
	// values is one row on its way to the driver.
	values []any
}

func newBulk(_ context.Context, conn *sql.Conn) (sqlkit.Bulk, error) {
	b := &bulk{conn: conn, staged: map[string]bool{}, values: make([]any, 0, messageColumnCount)}
	b.foresight.conn = conn
	return b, nil
}

// Message adds a row to message, unless a row has its key.
func (b *bulk) Message(r *sqlkit.Row) (bool, error) {
	row, added := b.hold(r)
	if added {
		b.added = append(b.added, row)
	}
	return added, nil
}

// Put adds a row to a table.
func (b *bulk) Put(t sqlkit.Table, values ...any) error {
	return b.puts[t].add(t.Spec(), values)
}

// Flush makes everything given so far visible to statements of this transaction.
func (b *bulk) Flush(ctx context.Context) error {
	if err := b.flushMessages(ctx); err != nil {
		return fmt.Errorf("writing messages: %w", err)
	}
	for t := range sqlkit.Tables {
		if err := b.flushPuts(ctx, t); err != nil {
			return fmt.Errorf("writing %s: %w", t.Spec().Name, err)
		}
	}
	return nil
}

// Close drops what was not flushed. The tables of the session go when the connection is used next.
func (b *bulk) Close() error { return nil }

// messageKey is how many of the first columns of message are its primary key.
const messageKey = 4

const messageColumnCount = sqlkit.HeadCount + 2*sqlkit.SlotCount

// messageColumns are those of sqlkit.HeadColumns and then v1, q1, ... v8, q8.
func messageColumns() []string {
	names := strings.Split(sqlkit.HeadColumns, ", ")
	for i := 1; i <= sqlkit.SlotCount; i++ {
		names = append(names, fmt.Sprintf("v%d", i), fmt.Sprintf("q%d", i))
	}
	return names
}

// flushMessages brings the messages in, in the order of their key, in which the table lies.
func (b *bulk) flushMessages(ctx context.Context) error {
	if len(b.added) == 0 {
		return nil
	}
	slices.SortFunc(b.added, compareKeys)
	bring := b.insertAbsent
	if b.looked && b.unmet {
		// Nothing of what is there can be met, so that there is nothing to leave out: half of the writing is saved.
		bring = b.insertNew
	}
	if err := bring(ctx, messageColumns()); err != nil {
		return err
	}
	clear(b.added)
	b.added = b.added[:0]
	return nil
}

// insertAbsent brings the messages in through a table of the session.
func (b *bulk) insertAbsent(ctx context.Context, columns []string) error {
	if err := b.stage(ctx, "message", columns); err != nil {
		return err
	}
	if err := b.copyMessages(ctx, "#message", columns); err != nil {
		return err
	}
	n, err := b.affect(ctx, insertFrom(sqlkit.Spec{Name: "message", Columns: columns, Key: messageKey, Repeat: sqlkit.Keep}, "#message"))
	if err != nil {
		return err
	}
	if n != int64(len(b.added)) {
		return fmt.Errorf("of %d new rows %d were stored: another program writes without the lock", len(b.added), n)
	}
	return b.empty(ctx, "message")
}

// insertNew copies messages straight into their table, where each of them is newer than all of its device that are there. Should that
// not be so after all, the primary key refuses them; the transaction is run again, knowing more.
func (b *bulk) insertNew(ctx context.Context, columns []string) error {
	err := b.copyMessages(ctx, tableOf("message"), columns)
	if e, ok := errors.AsType[mssql.Error](err); ok && (e.Number == 2627 || e.Number == 2601) {
		return &halley.Error{
			Kind: halley.Unavailable, Op: "append a batch", Code: storage.CodeBusy,
			Message: "another server wrote at the same time; it is tried again", Err: err,
		}
	}
	return err
}

// copyMessages copies the added messages into a table.
func (b *bulk) copyMessages(ctx context.Context, table string, columns []string) error {
	return b.copyRows(ctx, table, columns, func(send func([]any) error) error {
		for _, r := range b.added {
			if err := send(b.row(r)); err != nil {
				return err
			}
		}
		return nil
	})
}

// row gives the values of a row in the order of messageColumns; they stay right up to the next call.
func (b *bulk) row(r *sqlkit.Row) []any {
	b.values = b.values[:0]
	head := sqlkit.HeadCount
	if r.Part > 0 {
		head = sqlkit.KeyCount
	}
	for i := range sqlkit.HeadCount {
		if i < head {
			b.values = append(b.values, r.Head[i])
		} else {
			b.values = append(b.values, nil)
		}
	}
	for i := range 2 * sqlkit.SlotCount {
		if i < 2*r.Slots {
			b.values = append(b.values, r.Values[i])
		} else {
			b.values = append(b.values, nil)
		}
	}
	return b.values
}

// stage makes the table of the session that rows for a table of the schema go through, with the same types. A statement without
// arguments is sent as it is, so that the table outlives it.
func (b *bulk) stage(ctx context.Context, table string, columns []string) error {
	if b.staged[table] {
		return nil
	}
	_, err := b.conn.ExecContext(ctx, "IF OBJECT_ID(N'tempdb..#"+table+"') IS NULL SELECT TOP (0) "+strings.Join(columns, ", ")+
		" INTO #"+table+" FROM "+tableOf(table)+" ELSE TRUNCATE TABLE #"+table)
	if err != nil {
		return fmt.Errorf("making a table of the session: %w", err)
	}
	b.staged[table] = true
	return nil
}

// empty makes a table of the session ready for further rows.
func (b *bulk) empty(ctx context.Context, table string) error {
	if _, err := b.conn.ExecContext(ctx, "TRUNCATE TABLE #"+table); err != nil {
		return fmt.Errorf("emptying a table of the session: %w", err)
	}
	return nil
}

// affect runs a statement and says how many rows it changed.
func (b *bulk) affect(ctx context.Context, text string, args ...any) (int64, error) {
	r, err := b.conn.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, fmt.Errorf("writing: %w", err)
	}
	return r.RowsAffected()
}

// copyRows bulk copies the rows that give sends into a table.
func (b *bulk) copyRows(ctx context.Context, table string, columns []string, give func(send func([]any) error) error) error {
	return b.conn.Raw(func(c any) error {
		conn, ok := c.(*mssql.Conn)
		if !ok {
			return errors.New("the driver cannot copy rows in bulk")
		}
		copying := conn.CreateBulkContext(ctx, table, columns)
		// Without these SQL Server asks for the right to alter a table that has constraints or triggers (documentation of INSERT BULK).
		copying.Options.CheckConstraints, copying.Options.FireTriggers = true, true
		sent := int64(0)
		err := give(func(values []any) error {
			sent++
			return copying.AddRow(values)
		})
		if err != nil {
			// Part of a row may be on its way already: nobody can use this connection any more.
			return errors.Join(fmt.Errorf("copying row %d: %w", sent, err), driver.ErrBadConn)
		}
		n, err := copying.Done()
		if err != nil {
			return fmt.Errorf("copying %d rows: %w", sent, err)
		}
		if n != sent {
			return fmt.Errorf("of %d rows that were copied %d arrived", sent, n)
		}
		return nil
	})
}

// compareKeys orders rows by the primary key of message.
func compareKeys(x, y *sqlkit.Row) int {
	for i := range messageKey {
		if c := cmp.Compare(whole(x.Head[i]), whole(y.Head[i])); c != 0 {
			return c
		}
	}
	return 0
}

// whole gives a value that is known to be a whole number.
func whole(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

var _ sqlkit.Bulk = (*bulk)(nil)
