package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"halley/storage/internal/sqlkit"
)

// bulk writes each row at once with the driver's own prepared statements, because database/sql looks at each of the thirty
// values of a row several times. A statement costs nothing but its work here, so that nothing is gathered and nothing is looked
// up ahead.
type bulk struct {
	conn *sql.Conn
	// messages has a statement for each number of values, so that no NULL is bound.
	messages [2][sqlkit.SlotCount + 1]driver.StmtExecContext
	tables   [sqlkit.Tables]driver.StmtExecContext
	args     [sqlkit.HeadCount + 2*sqlkit.SlotCount]driver.NamedValue
}

func newBulk(_ context.Context, conn *sql.Conn) (sqlkit.Bulk, error) {
	b := &bulk{conn: conn}
	for i := range b.args {
		b.args[i].Ordinal = i + 1
	}
	return b, nil
}

// Expect does nothing: what may be there is asked for when a message meets it.
func (*bulk) Expect(context.Context, sqlkit.Expected) error { return nil }

// Held knows nothing.
func (*bulk) Held(sqlkit.Instant) (rows []sqlkit.Row, known bool) { return nil, false }

// Stored knows nothing.
func (*bulk) Stored(sqlkit.Identity) (place sqlkit.Place, found, known bool) {
	return place, false, false
}

// Message adds a row, and gives false where a row has its key already.
func (b *bulk) Message(r *sqlkit.Row) (bool, error) {
	columns := sqlkit.HeadCount
	if r.Part > 0 {
		columns = sqlkit.KeyCount
	}
	st := b.messages[min(r.Part, 1)][r.Slots]
	if st == nil {
		var err error
		if st, err = b.prepare(insertMessage(r.Slots, columns)); err != nil {
			return false, err
		}
		b.messages[min(r.Part, 1)][r.Slots] = st
	}
	for i := range columns {
		b.args[i].Value = r.Head[i]
	}
	n := columns
	for i := range 2 * r.Slots {
		b.args[n].Value = r.Values[i]
		n++
	}
	// A background context cannot be cancelled, which spares a goroutine for every row.
	result, err := st.ExecContext(context.Background(), b.args[:n])
	if err != nil {
		return false, fmt.Errorf("inserting a message: %w", err)
	}
	rows, err := result.RowsAffected()
	return rows == 1, err
}

// Put adds a row to another table.
func (b *bulk) Put(t sqlkit.Table, values ...any) error {
	st := b.tables[t]
	if st == nil {
		var err error
		if st, err = b.prepare(insertRow(t.Spec())); err != nil {
			return err
		}
		b.tables[t] = st
	}
	for i, v := range values {
		b.args[i].Value = v
	}
	if _, err := st.ExecContext(context.Background(), b.args[:len(values)]); err != nil {
		return fmt.Errorf("writing to %s: %w", t.Spec().Name, err)
	}
	return nil
}

// Flush does nothing: everything is there at once.
func (*bulk) Flush(context.Context) error { return nil }

func (b *bulk) prepare(text string) (st driver.StmtExecContext, err error) {
	err = b.conn.Raw(func(c any) error {
		conn, ok := c.(driver.ConnPrepareContext)
		if !ok {
			return errors.New("the driver cannot prepare statements")
		}
		prepared, err := conn.PrepareContext(context.Background(), text)
		if err != nil {
			return err
		}
		if st, ok = prepared.(driver.StmtExecContext); !ok {
			return errors.Join(errors.New("the driver cannot run prepared statements"), prepared.Close())
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("preparing to insert: %w", err)
	}
	return st, nil
}

// insertMessage gives the SQL for the first columns of sqlkit.HeadColumns and so many slots.
func insertMessage(slots, columns int) string {
	names := strings.Split(sqlkit.HeadColumns, ", ")[:columns]
	for i := 1; i <= slots; i++ {
		names = append(names, fmt.Sprintf("v%d", i), fmt.Sprintf("q%d", i))
	}
	return insert("message", names) + " ON CONFLICT DO NOTHING"
}

// insertRow gives the SQL for a row of a table.
func insertRow(s sqlkit.Spec) string {
	text := insert(s.Name, s.Columns)
	switch s.Repeat {
	case sqlkit.Keep:
		return text + " ON CONFLICT DO NOTHING"
	case sqlkit.Replace:
		var list []string
		for _, column := range s.Columns[s.Key:] {
			list = append(list, column+" = excluded."+column)
		}
		return text + " ON CONFLICT DO UPDATE SET " + strings.Join(list, ", ")
	case sqlkit.Refuse:
	}
	return text
}

func insert(table string, columns []string) string {
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (" + marks + ")"
}

// Close frees the statements.
func (b *bulk) Close() error {
	var errs []error
	for _, st := range append(append(b.tables[:], b.messages[0][:]...), b.messages[1][:]...) {
		if c, ok := st.(driver.Stmt); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
