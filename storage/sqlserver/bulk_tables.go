package sqlserver

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"halley/storage/internal/sqlkit"
)

// puts are rows of one table, in the order in which they came; of two with the same key the later counts, or the first where a
// row that is there stays.
type puts struct {
	rows [][]any
	// at finds rows by their key; only tables whose rows are replaced or kept may get one twice.
	at  map[string]int
	key []byte
}

func (p *puts) add(spec sqlkit.Spec, values []any) error {
	if len(values) != len(spec.Columns) {
		return fmt.Errorf("a row of %s has %d values, not %d", spec.Name, len(spec.Columns), len(values))
	}
	row := make([]any, len(values))
	p.key = p.key[:0]
	for i, v := range values {
		switch v := v.(type) {
		case int64:
			row[i] = v
			if i < spec.Key {
				p.key = binary.BigEndian.AppendUint64(p.key, uint64(v))
			}
		case []byte:
			row[i] = append([]byte(nil), v...)
		default:
			return fmt.Errorf("the value of %s.%s is a %T", spec.Name, spec.Columns[i], v)
		}
	}
	if spec.Repeat == sqlkit.Refuse {
		p.rows = append(p.rows, row)
		return nil
	}
	if p.at == nil {
		p.at = map[string]int{}
	}
	i, there := p.at[string(p.key)]
	switch {
	case !there:
		p.at[string(p.key)] = len(p.rows)
		p.rows = append(p.rows, row)
	case spec.Repeat == sqlkit.Replace:
		p.rows[i] = row
	}
	return nil
}

func (p *puts) clear() {
	clear(p.rows)
	p.rows = p.rows[:0]
	clear(p.at)
}

// flushPuts brings the rows of one table in.
func (b *bulk) flushPuts(ctx context.Context, t sqlkit.Table) error {
	p, spec := &b.puts[t], t.Spec()
	if len(p.rows) == 0 {
		return nil
	}
	source, args, err := b.source(ctx, spec, p.rows)
	if err != nil {
		return err
	}
	updated := int64(0)
	if spec.Repeat == sqlkit.Replace {
		if updated, err = b.affect(ctx, updateFrom(spec, source), args...); err != nil {
			return err
		}
	}
	inserted, err := b.affect(ctx, insertFrom(spec, source), args...)
	if err != nil {
		return err
	}
	if n := int64(len(p.rows)); spec.Repeat != sqlkit.Keep && updated+inserted != n {
		return fmt.Errorf("of %d rows %d were stored: another program writes without the lock", n, updated+inserted)
	}
	p.clear()
	if len(args) == 0 {
		return b.empty(ctx, spec.Name)
	}
	return nil
}

// source brings the rows to the engine and gives the table to read them from: bytes by bulk copy into a table of the session,
// numbers alone, of which there are few, as one JSON text.
func (b *bulk) source(ctx context.Context, spec sqlkit.Spec, rows [][]any) (string, []any, error) {
	if _, bytes := rows[0][len(rows[0])-1].([]byte); bytes {
		if err := b.stage(ctx, spec.Name, spec.Columns); err != nil {
			return "", nil, err
		}
		return "#" + spec.Name, nil, b.copyAll(ctx, "#"+spec.Name, spec.Columns, rows)
	}
	var j jsonRows
	numbers := make([]int64, len(spec.Columns))
	for _, row := range rows {
		for i, v := range row {
			n, ok := v.(int64)
			if !ok {
				return "", nil, errors.New("a row of numbers holds bytes")
			}
			numbers[i] = n
		}
		j.row(numbers...)
	}
	columns := make([]string, len(spec.Columns))
	for i, c := range spec.Columns {
		columns[i] = fmt.Sprintf("%s bigint '$[%d]'", c, i)
	}
	return "OPENJSON(@rows) WITH (" + strings.Join(columns, ", ") + ")", []any{sql.Named("rows", j.text())}, nil
}

// copyAll bulk copies rows into a table.
func (b *bulk) copyAll(ctx context.Context, table string, columns []string, rows [][]any) error {
	return b.copyRows(ctx, table, columns, func(send func([]any) error) error {
		for _, row := range rows {
			if err := send(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// sameKey compares the keys of two aliases.
func sameKey(spec sqlkit.Spec, x, y string) string {
	list := make([]string, spec.Key)
	for i, c := range spec.Columns[:spec.Key] {
		list[i] = x + "." + c + " = " + y + "." + c
	}
	return strings.Join(list, " AND ")
}

// tableOf names a table of the schema, also one that is called by a word of SQL.
func tableOf(name string) string { return "halley.[" + name + "]" }

func updateFrom(spec sqlkit.Spec, source string) string {
	list := make([]string, 0, len(spec.Columns)-spec.Key)
	for _, c := range spec.Columns[spec.Key:] {
		list = append(list, c+" = s."+c)
	}
	return "UPDATE t SET " + strings.Join(list, ", ") + " FROM " + tableOf(spec.Name) + " t JOIN " + source + " s ON " + sameKey(spec, "t", "s")
}

// insertFrom adds the rows of source, leaving out those whose keys are there unless such rows are refused.
func insertFrom(spec sqlkit.Spec, source string) string {
	columns := strings.Join(spec.Columns, ", ")
	text := "INSERT INTO " + tableOf(spec.Name) + " (" + columns + ") SELECT " + columns + " FROM " + source + " s"
	if spec.Repeat != sqlkit.Refuse {
		text += " WHERE NOT EXISTS (SELECT 1 FROM " + tableOf(spec.Name) + " t WHERE " + sameKey(spec, "t", "s") + ")"
	}
	return text
}
