package evidence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halley/storage/ledger"
)

// factPage is how many dated rows are read at once.
const factPage = 500

// factTable finds a table by its name.
func factTable(name string) (ledger.FactTable, error) {
	for _, t := range ledger.FactTables() {
		if t.Name == name {
			return t, nil
		}
	}
	return ledger.FactTable{}, fmt.Errorf("reading dated rows: there is no table %s", name)
}

// dated is a dated row by the names of its columns.
type dated struct {
	columns []string
	values  []any
}

func (d dated) value(column string) any {
	if i := slices.Index(d.columns, column); i >= 0 && i < len(d.values) {
		return d.values[i]
	}
	return nil
}

// number gives a whole number, 0 for NULL.
func (d dated) number(column string) int64 {
	n, _ := d.value(column).(int64)
	return n
}

// text gives a text, "" for NULL.
func (d dated) text(column string) string {
	s, _ := d.value(column).(string)
	return s
}

// float gives a number; ok is false for NULL.
func (d dated) float(column string) (f float64, ok bool) {
	switch v := d.value(column).(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// below hands the rows of a table to each whose first key column is id, ascending.
func (e *Evidence) below(ctx context.Context, table string, id int64, each func(dated)) error {
	t, err := factTable(table)
	if err != nil {
		return err
	}
	after := make([]int64, t.Key)
	after[0] = id
	for i := 1; i < t.Key; i++ {
		after[i] = math.MinInt64
	}
	if t.Key == 1 {
		after[0] = id - 1
	}
	return e.rows(ctx, t, after, func(d dated) bool {
		if d.values[0] != any(id) {
			return false
		}
		each(d)
		return true
	})
}

// rows hands the rows of a table behind a key to each, until that gives false.
func (e *Evidence) rows(ctx context.Context, t ledger.FactTable, after []int64, each func(dated) bool) error {
	for {
		page, err := e.opts.Store.FactRows(ctx, t, after, factPage)
		if err != nil {
			return fmt.Errorf("reading the rows of %s: %w", t.Name, err)
		}
		for i := range page {
			if len(page[i].Values) != len(t.Columns) {
				return fmt.Errorf("reading the rows of %s: a row has %d columns", t.Name, len(page[i].Values))
			}
			if !each(dated{t.Columns, page[i].Values}) {
				return nil
			}
		}
		if len(page) < factPage {
			return nil
		}
		after = make([]int64, t.Key)
		for i := range after {
			after[i], _ = page[len(page)-1].Values[i].(int64)
		}
	}
}
