package sqlkit

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"halley"
	"halley/storage"
	"halley/storage/internal/rollup"
	"halley/storage/ledger"
)

// TransferTables are the tables that move between stores, in an order in which each row finds what it refers to. Nodes, leases and
// sessions stay behind: they belong to running servers. What is kept of people besides the facts moves as Personal.
func TransferTables() []storage.TransferTable {
	list := strings.Fields
	var tables []storage.TransferTable
	for _, t := range ledger.FactTables() {
		tables = append(tables, transferOf(t))
	}
	return append(tables, []storage.TransferTable{
		{
			Name: "alarm", Key: 1,
			Columns: list("alarm_id place_id channel_id limit_id kind rank occurred_at learned_at ended_at acknowledged_at acknowledged_by"),
		},
		{Name: "registry_change", Key: 1, Columns: list("version")},
		{Name: "fact", Key: 1, Columns: factColumns},
		{
			Name: "batch", Key: 1,
			Columns: list("batch_id node journal_id first_seq last_seq journal_hash recorded_at decoder messages samples digest previous_digest"),
		},
		{Name: "part", Key: 2, Columns: partColumns},
		{Name: "checkpoint", Key: 1, Columns: checkpointColumns},
		ofSpec(Unclocked, false), ofSpec(Tally, false), ofSpec(CompletenessChange, false),
		ofSpec(CompletenessDay, true), ofSpec(RollupMark, true), ofSpec(Rollup, true),
		MessageTable(),
	}...)
}

func transferOf(t ledger.FactTable) storage.TransferTable {
	return storage.TransferTable{Name: t.Name, Key: t.Key, Columns: t.Columns}
}

// MessageTable is the table of the messages.
func MessageTable() storage.TransferTable {
	columns := strings.Split(HeadColumns, ", ")
	for i := 1; i <= SlotCount; i++ {
		columns = append(columns, fmt.Sprintf("v%d", i), fmt.Sprintf("q%d", i))
	}
	return storage.TransferTable{Name: "message", Key: 4, Columns: columns}
}

func ofSpec(t Table, derived bool) storage.TransferTable {
	s := t.Spec()
	return storage.TransferTable{Name: s.Name, Key: s.Key, Columns: s.Columns, Derived: derived}
}

// ExportRows gives rows of a table by its key. Behind a key of several columns it reads what is left under the same first column,
// and then what has a higher one: both are seeks.
func (s *Store) ExportRows(ctx context.Context, q storage.RowQuery) ([][]any, error) {
	const op = "read a table"
	list := [][]any{}
	limit := max(q.Limit, 1)
	read := func(where string, values ...any) error {
		text := "SELECT " + strings.Join(q.Table.Columns, ", ") + " FROM " + quoted(q.Table.Name) + " WHERE 1 = 1" + where
		if q.UpToBatch > 0 {
			text += " AND batch_id > @low AND batch_id <= @high"
			values = append(values, args("low", q.AfterBatch, "high", q.UpToBatch)...)
		}
		text += " ORDER BY " + strings.Join(q.Table.Columns[:q.Table.Key], ", ") + s.dialect.Limit
		values = append(values, args("limit", limit-len(list))...)
		return s.query(ctx, func(scan func(...any) error) error {
			row := make([]any, len(q.Table.Columns))
			dest := make([]any, len(row))
			for i := range row {
				dest[i] = &row[i]
			}
			err := scan(dest...)
			list = append(list, row)
			return err
		}, text, values...)
	}
	if len(q.After) == 0 {
		return list, s.fail(op, read(""))
	}
	key := q.Table.Columns[:q.Table.Key]
	if len(q.After) != len(key) {
		return nil, &halley.Error{Kind: halley.Invalid, Op: op, Field: "after", Message: "the key has another number of columns"}
	}
	values := keyArgs(q.After)
	if len(key) > 1 {
		if err := read(" AND "+key[0]+" = @k0 AND "+behind(key, 1), values...); err != nil {
			return nil, s.fail(op, err)
		}
	}
	if len(list) < limit {
		if err := read(" AND "+key[0]+" > @k0", values[0]); err != nil {
			return nil, s.fail(op, err)
		}
	}
	return list, nil
}

// quoted lets a table be called by a word of SQL.
func quoted(table string) string {
	switch table {
	case "limit":
		return `"limit"`
	case "checkpoint":
		return `"checkpoint"`
	}
	return table
}

func keyArgs(key []int64) []any {
	values := make([]any, 0, len(key))
	for i, k := range key {
		values = append(values, args(fmt.Sprintf("k%d", i), k)...)
	}
	return values
}

// behind gives the condition that a row lies behind the columns of a key from the i-th on.
func behind(key []string, i int) string {
	at := fmt.Sprintf("@k%d", i)
	if i == len(key)-1 {
		return key[i] + " > " + at
	}
	return key[i] + " >= " + at + " AND (" + key[i] + " > " + at + " OR (" + behind(key, i+1) + "))"
}

// LastBatch gives the highest batch number.
func (s *Store) LastBatch(ctx context.Context) (int64, error) {
	var last int64
	_, err := s.one(ctx, []any{&last}, "SELECT COALESCE(MAX(batch_id), 0) FROM batch")
	return last, s.fail("read the newest batch", err)
}

// BatchMessages counts the messages of some batches.
func (s *Store) BatchMessages(ctx context.Context, after, upTo int64) (int64, error) {
	var n int64
	_, err := s.one(ctx, []any{&n}, "SELECT COALESCE(SUM(CAST(messages AS bigint)), 0) FROM batch WHERE batch_id > @low AND batch_id <= @high",
		args("low", after, "high", upTo)...)
	return n, s.fail("count messages", err)
}

// Exclusively runs do in one transaction under the writer's lock, and marks the rollups of the periods that the rows of message in
// marks fall into.
func (s *Store) Exclusively(ctx context.Context, marks [][]any, do func(ctx context.Context, conn *sql.Conn) error) error {
	return s.write(ctx, "move rows", func(ctx context.Context, c *change) error {
		c.learned = true
		if err := do(ctx, c.conn); err != nil {
			return err
		}
		if len(marks) == 0 {
			return nil
		}
		if err := c.openBulk(ctx); err != nil {
			return err
		}
		gone, err := c.removals(ctx)
		if err != nil {
			return err
		}
		for m := range marksOf(marks) {
			if m.level == rollup.Days && gone.cover(m.period) {
				// The figures of a day that retention removed are moved as they are.
				continue
			}
			if err := c.bulk.Put(RollupMark, int64(m.device), int64(m.level), m.period); err != nil {
				return err
			}
		}
		return nil
	})
}

// marksOf gives the periods that rows of message fall into.
func marksOf(rows [][]any) map[mark]struct{} {
	marks := map[mark]struct{}{}
	for _, row := range rows {
		device, _ := row[0].(int64)
		at, _ := row[1].(int64)
		for _, l := range [...]rollup.Level{rollup.Hours, rollup.Days, rollup.Blocks} {
			marks[mark{halley.DeviceID(device), l, l.Period(halley.Millis(at))}] = struct{}{}
		}
	}
	return marks
}

func joined(columns []string) string { return strings.Join(columns, ", ") }

// equalKey gives the condition that a row has the key of keyArgs.
func equalKey(key []string) string {
	list := make([]string, len(key))
	for i, column := range key {
		list[i] = fmt.Sprintf("%s = @k%d", column, i)
	}
	return strings.Join(list, " AND ")
}
