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

// messages inserts rows with the driver's own prepared statements, because database/sql looks at each of the thirty values of
// a row several times. There is a statement for each number of values, so that no NULL is bound.
type messages struct {
	conn       *sql.Conn
	statements [2][sqlkit.SlotCount + 1]driver.StmtExecContext
	args       [sqlkit.HeadCount + 2*sqlkit.SlotCount]driver.NamedValue
}

func newMessages(conn *sql.Conn) (sqlkit.Messages, error) {
	m := &messages{conn: conn}
	for i := range m.args {
		m.args[i].Ordinal = i + 1
	}
	return m, nil
}

// Insert adds a row, and gives false where a row has its key already.
func (m *messages) Insert(r *sqlkit.Row) (bool, error) {
	columns := sqlkit.HeadCount
	if r.Part > 0 {
		columns = sqlkit.KeyCount
	}
	st, err := m.statement(min(r.Part, 1), r.Slots, columns)
	if err != nil {
		return false, err
	}
	for i := range columns {
		m.args[i].Value = r.Head[i]
	}
	n := columns
	for i := range 2 * r.Slots {
		m.args[n].Value = r.Values[i]
		n++
	}
	// A background context cannot be cancelled, which spares a goroutine for every row.
	result, err := st.ExecContext(context.Background(), m.args[:n])
	if err != nil {
		return false, fmt.Errorf("inserting a message: %w", err)
	}
	rows, err := result.RowsAffected()
	return rows == 1, err
}

func (m *messages) statement(part, slots, columns int) (driver.StmtExecContext, error) {
	if st := m.statements[part][slots]; st != nil {
		return st, nil
	}
	var st driver.StmtExecContext
	err := m.conn.Raw(func(c any) error {
		conn, ok := c.(driver.ConnPrepareContext)
		if !ok {
			return errors.New("the driver cannot prepare statements")
		}
		prepared, err := conn.PrepareContext(context.Background(), insertStatement(slots, columns))
		if err != nil {
			return err
		}
		if st, ok = prepared.(driver.StmtExecContext); !ok {
			return errors.Join(errors.New("the driver cannot run prepared statements"), prepared.Close())
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("preparing to insert messages: %w", err)
	}
	m.statements[part][slots] = st
	return st, nil
}

// insertStatement gives the SQL for the first columns of sqlkit.HeadColumns and so many slots.
func insertStatement(slots, columns int) string {
	names := strings.Split(sqlkit.HeadColumns, ", ")[:columns]
	for i := 1; i <= slots; i++ {
		names = append(names, fmt.Sprintf("v%d", i), fmt.Sprintf("q%d", i))
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ")
	return "INSERT INTO message (" + strings.Join(names, ", ") + ") VALUES (" + marks + ") ON CONFLICT DO NOTHING"
}

// Close frees the statements.
func (m *messages) Close() error {
	var errs []error
	for _, list := range m.statements {
		for _, st := range list {
			if c, ok := st.(driver.Stmt); ok {
				errs = append(errs, c.Close())
			}
		}
	}
	return errors.Join(errs...)
}
