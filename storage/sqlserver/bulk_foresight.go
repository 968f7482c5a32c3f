package sqlserver

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"halley/storage/internal/sqlkit"
)

// foresight is what is known of message and unclocked: what Expect found there, and what this transaction adds.
type foresight struct {
	conn *sql.Conn
	// looked says that Expect was called; before it the database has to be asked.
	looked bool
	// unmet says that no instant that a message of the transaction may have holds anything yet.
	unmet  bool
	held   map[sqlkit.Instant][]sqlkit.Row
	stored map[sqlkit.Identity]sqlkit.Place
	// slab is where the next rows go: most instants hold one, and single allocations would cost more than the rows.
	slab []sqlkit.Row
}

const (
	selectIdentities = `
SELECT u.device_id, u.sample_sent, u.order_no, u.config, u.raw_kind, u.measured_at, u.variant
  FROM OPENJSON(@list) WITH (d bigint '$[0]', s bigint '$[1]', o bigint '$[2]', c bigint '$[3]', k bigint '$[4]') i
  JOIN halley.unclocked u
    ON u.device_id = i.d AND u.sample_sent = i.s AND u.order_no = i.o AND u.config = i.c AND u.raw_kind = i.k`

	// The hint has every instant looked up by the key, however many there are; a scan of the table would take the longer the
	// more samples there are.
	fromInstants = `
  FROM OPENJSON(@list) WITH (d bigint '$[0]', t bigint '$[1]') i
  JOIN halley.message m ON m.device_id = i.d AND m.measured_at = i.t
 ORDER BY m.device_id, m.measured_at, m.variant, m.part
OPTION (LOOP JOIN)`
)

// Expect looks up what messages of the transaction may meet.
func (f *foresight) Expect(ctx context.Context, e sqlkit.Expected) error {
	f.looked = true
	if err := f.findIdentities(ctx, e.Identities); err != nil {
		return fmt.Errorf("looking for repeated messages: %w", err)
	}
	instants := map[sqlkit.Instant]struct{}{}
	for _, at := range e.Instants {
		instants[at] = struct{}{}
	}
	for id, p := range f.stored {
		instants[sqlkit.Instant{Device: id.Device, At: p.At}] = struct{}{}
	}
	if err := f.findInstants(ctx, instants); err != nil {
		return fmt.Errorf("looking for what is stored already: %w", err)
	}
	f.unmet = len(f.held) == 0
	return nil
}

func (f *foresight) findIdentities(ctx context.Context, list []sqlkit.Identity) error {
	if len(list) == 0 {
		return nil
	}
	var j jsonRows
	for _, id := range list {
		j.row(id.Device, id.Sample, id.Order, id.Config, id.Kind)
	}
	if f.stored == nil {
		f.stored = make(map[sqlkit.Identity]sqlkit.Place, len(list))
	}
	rows, err := f.conn.QueryContext(ctx, selectIdentities, sql.Named("list", j.text()))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id sqlkit.Identity
		var p sqlkit.Place
		if err := rows.Scan(&id.Device, &id.Sample, &id.Order, &id.Config, &id.Kind, &p.At, &p.Variant); err != nil {
			return err
		}
		f.stored[id] = p
	}
	return rows.Err()
}

func selectInstants() string {
	return "SELECT m." + strings.Join(messageColumns(), ", m.") + fromInstants
}

func (f *foresight) findInstants(ctx context.Context, instants map[sqlkit.Instant]struct{}) error {
	if len(instants) == 0 {
		return nil
	}
	var j jsonRows
	for _, at := range slices.SortedFunc(maps.Keys(instants), compareInstants) {
		j.row(at.Device, at.At)
	}
	rows, err := f.conn.QueryContext(ctx, selectInstants(), sql.Named("list", j.text()))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var values [messageColumnCount]any
	dest := make([]any, len(values))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		f.hold(rowOf(&values))
	}
	return rows.Err()
}

// rowOf makes a row of the columns of messageColumns.
func rowOf(values *[messageColumnCount]any) *sqlkit.Row {
	r := &sqlkit.Row{}
	for i := range r.Head {
		r.Head[i] = values[i]
	}
	for i := range r.Values {
		r.Values[i] = values[sqlkit.HeadCount+i]
	}
	r.Part, r.Slots = int(whole(r.Head[3])), slots(&r.Values)
	return r
}

// slots counts the values up to the last slot that is there.
func slots(values *[2 * sqlkit.SlotCount]driver.Value) int {
	for n := sqlkit.SlotCount; n > 0; n-- {
		if values[2*n-1] != nil {
			return n
		}
	}
	return 0
}

// hold keeps a copy of a row, unless one with its key is held already.
func (f *foresight) hold(r *sqlkit.Row) (row *sqlkit.Row, added bool) {
	if f.held == nil {
		f.held = map[sqlkit.Instant][]sqlkit.Row{}
	}
	at := sqlkit.Instant{Device: whole(r.Head[0]), At: whole(r.Head[1])}
	rows := f.held[at]
	i, there := slices.BinarySearchFunc(rows, r, func(x sqlkit.Row, y *sqlkit.Row) int { return compareKeys(&x, y) })
	if there {
		return nil, false
	}
	// The rows that were given out stay as they are: a longer list is another one.
	list := f.room(len(rows) + 1)
	copy(list, rows[:i])
	list[i] = *r
	copy(list[i+1:], rows[i:])
	f.held[at] = list
	return &list[i], true
}

// slabRows is how many rows are allocated at a time.
const slabRows = 256

// room gives a list of so many rows.
func (f *foresight) room(n int) []sqlkit.Row {
	if n > len(f.slab) {
		f.slab = make([]sqlkit.Row, max(n, slabRows))
	}
	list := f.slab[:n:n]
	f.slab = f.slab[n:]
	return list
}

// Held gives all rows of message at an instant.
func (f *foresight) Held(at sqlkit.Instant) ([]sqlkit.Row, bool) { return f.held[at], f.looked }

// Stored gives where the message with an identity is stored.
func (f *foresight) Stored(id sqlkit.Identity) (sqlkit.Place, bool, bool) {
	p, found := f.stored[id]
	return p, found, f.looked
}

func compareInstants(x, y sqlkit.Instant) int {
	return cmp.Or(cmp.Compare(x.Device, y.Device), cmp.Compare(x.At, y.At))
}

// jsonRows is a JSON array of arrays of whole numbers, which one parameter takes to the engine.
type jsonRows struct{ b []byte }

func (j *jsonRows) row(values ...int64) {
	if len(j.b) == 0 {
		j.b = append(j.b, '[')
	} else {
		j.b = append(j.b, ',')
	}
	for i, v := range values {
		if i == 0 {
			j.b = append(j.b, '[')
		} else {
			j.b = append(j.b, ',')
		}
		j.b = strconv.AppendInt(j.b, v, 10)
	}
	j.b = append(j.b, ']')
}

func (j *jsonRows) text() string {
	if len(j.b) == 0 {
		return "[]"
	}
	return string(j.b) + "]"
}
