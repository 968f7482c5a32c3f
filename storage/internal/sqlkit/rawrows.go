package sqlkit

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// errStop ends reading without being an error.
var errStop = errors.New("no more rows are wanted")

// raw runs a statement that reads with the driver's own rows, because database/sql looks at each of the forty values of a row
// several times. row is handed the driver's values, which are its own up to the next row; errStop from it ends reading.
func (s *Store) raw(ctx context.Context, row func(values []driver.Value) error, text string, values []driver.NamedValue) error {
	if err := s.makeReady(ctx); err != nil {
		return err
	}
	text = s.names.qualify(text)
	begun := false
	for attempt := 0; ; attempt++ {
		conn, err := s.reader.Conn(ctx)
		if err != nil {
			return err
		}
		err = conn.Raw(func(c any) error {
			return rawRows(ctx, c, text, values, func(v []driver.Value) error {
				begun = true
				return row(v)
			})
		})
		err = errors.Join(err, conn.Close())
		switch {
		case errors.Is(err, errStop):
			return nil
		case errors.Is(err, driver.ErrBadConn) && !begun && attempt < 2:
			// The connection broke while nobody used it.
			continue
		}
		return err
	}
}

func rawRows(ctx context.Context, c any, text string, values []driver.NamedValue, row func([]driver.Value) error) (err error) {
	conn, ok := c.(driver.ConnPrepareContext)
	if !ok {
		return errors.New("the driver cannot prepare statements")
	}
	st, err := conn.PrepareContext(ctx, text)
	if err != nil {
		return fmt.Errorf("preparing to read rows: %w", err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	query, ok := st.(driver.StmtQueryContext)
	if !ok {
		return errors.New("the driver cannot run prepared statements")
	}
	rows, err := query.QueryContext(ctx, values)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	dest := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(dest); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := row(dest); err != nil {
			return err
		}
	}
}

// named gives the arguments of raw: numbers only.
func named(pairs ...any) []driver.NamedValue {
	list := make([]driver.NamedValue, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		list = append(list, driver.NamedValue{Name: name, Ordinal: i/2 + 1, Value: pairs[i+1]})
	}
	return list
}
