package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"halley"
	"halley/storage"
	"halley/storage/internal/sqlkit"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// gathering is a Bulk as an engine has it on which a statement is dear: it looks up what it is told to expect, keeps what it is
// given, and writes it at Flush. It answers only what the contract of sqlkit.Bulk lets it know, so that shared code that asks
// for more is found out: a row that is there without having been expected fails the transaction.
type gathering struct {
	inner   sqlkit.Bulk
	conn    *sql.Conn
	counter *counter
	held    map[sqlkit.Instant][]sqlkit.Row
	stored  map[sqlkit.Identity]sqlkit.Place
	rows    []sqlkit.Row
	puts    []put
}

type put struct {
	table  sqlkit.Table
	values []any
}

// gather makes a dialect use gathering.
func gather(d *sqlkit.Dialect, c *counter) {
	open := d.Bulk
	d.Bulk = func(ctx context.Context, conn *sql.Conn) (sqlkit.Bulk, error) {
		inner, err := open(ctx, conn)
		return &gathering{
			inner: inner, conn: conn, counter: c, held: map[sqlkit.Instant][]sqlkit.Row{}, stored: map[sqlkit.Identity]sqlkit.Place{},
		}, err
	}
}

func (g *gathering) Expect(ctx context.Context, e sqlkit.Expected) error {
	g.counter.paused.Store(true)
	defer g.counter.paused.Store(false)
	instants := e.Instants
	for _, id := range e.Identities {
		var p sqlkit.Place
		err := g.conn.QueryRowContext(ctx, `SELECT measured_at, variant FROM unclocked
			WHERE device_id = ? AND sample_sent = ? AND order_no = ? AND config = ? AND raw_kind = ?`,
			id.Device, id.Sample, id.Order, id.Config, id.Kind).Scan(&p.At, &p.Variant)
		switch {
		case err == nil:
			g.stored[id] = p
			instants = append(instants, sqlkit.Instant{Device: id.Device, At: p.At})
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
	}
	for _, at := range instants {
		if err := g.find(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

func (g *gathering) find(ctx context.Context, at sqlkit.Instant) error {
	names := strings.Split(sqlkit.HeadColumns, ", ")
	for i := 1; i <= sqlkit.SlotCount; i++ {
		names = append(names, fmt.Sprintf("v%d", i), fmt.Sprintf("q%d", i))
	}
	rows, err := g.conn.QueryContext(ctx, "SELECT "+strings.Join(names, ", ")+
		" FROM message WHERE device_id = ? AND measured_at = ? ORDER BY variant, part", at.Device, at.At)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var list []sqlkit.Row
	for rows.Next() {
		var r sqlkit.Row
		dest := make([]any, 0, len(names))
		for i := range r.Head {
			dest = append(dest, (*any)(&r.Head[i]))
		}
		for i := range r.Values {
			dest = append(dest, (*any)(&r.Values[i]))
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		r.Slots = sqlkit.SlotCount
		r.Part = int(whole(r.Head[3]))
		list = append(list, r)
	}
	g.held[at] = list
	return rows.Err()
}

func whole(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

func (g *gathering) Held(at sqlkit.Instant) ([]sqlkit.Row, bool) { return g.held[at], true }

func (g *gathering) Stored(id sqlkit.Identity) (sqlkit.Place, bool, bool) {
	p, found := g.stored[id]
	return p, found, true
}

func (g *gathering) Message(r *sqlkit.Row) (bool, error) {
	at := sqlkit.Instant{Device: whole(r.Head[0]), At: whole(r.Head[1])}
	for i := range g.held[at] {
		if o := &g.held[at][i]; o.Head[2] == r.Head[2] && o.Head[3] == r.Head[3] {
			return false, nil
		}
	}
	g.held[at] = append(slices.Clone(g.held[at]), *r)
	g.rows = append(g.rows, *r)
	return true, nil
}

func (g *gathering) Put(t sqlkit.Table, values ...any) error {
	values = slices.Clone(values)
	for i, v := range values {
		if b, ok := v.([]byte); ok {
			values[i] = slices.Clone(b)
		}
	}
	g.puts = append(g.puts, put{t, values})
	return nil
}

func (g *gathering) Flush(context.Context) error {
	g.counter.paused.Store(true)
	defer g.counter.paused.Store(false)
	for i := range g.rows {
		added, err := g.inner.Message(&g.rows[i])
		if err == nil && !added {
			err = fmt.Errorf("a row at %v is there that nobody expected", g.rows[i].Head[:4])
		}
		if err != nil {
			return err
		}
	}
	for _, p := range g.puts {
		if err := g.inner.Put(p.table, p.values...); err != nil {
			return err
		}
	}
	g.rows, g.puts = nil, nil
	return nil
}

func (g *gathering) Close() error { return g.inner.Close() }

func TestStoreKeepsTheContractWhereRowsAreGathered(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	kits := map[storage.Store]*kit{}
	openAt := func(t testing.TB, path string) storage.Store {
		t.Helper()
		k := openKit(t, path, gather)
		mu.Lock()
		defer mu.Unlock()
		kits[k.Store] = k
		return k.Store
	}
	open := func(t testing.TB) storage.Store {
		t.Helper()
		return openAt(t, dbPath(t))
	}
	reopen := func(t testing.TB, s storage.Store) storage.Store {
		t.Helper()
		mu.Lock()
		path := kits[s].path
		mu.Unlock()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return openAt(t, path)
	}
	storagetest.Engine{
		Open: open, Reopen: reopen, Without: []string{"registry", "people", "people at random", "leases", "info"},
	}.Run(t)
}

// load is one batch whose statements are counted. size says how many devices or messages it has.
type load struct {
	name string
	// prepare fills the store, batch gives what is counted.
	prepare func(t *testing.T, f *storagetest.Feed, size int)
	batch   func(f *storagetest.Feed, size int) storage.Batch
	reopen  bool
}

// loads are the batches that come in normal work.
func loads() []load {
	modem := func(d *storagetest.Device) *storagetest.Device {
		d.Key.Family = halley.Modem
		return d
	}
	// each makes a message of each of so many devices.
	each := func(minute halley.Millis, change func(*storagetest.Device, *halley.Message)) func(*storagetest.Feed, int) storage.Batch {
		return func(f *storagetest.Feed, size int) storage.Batch {
			var list []storage.Upload
			for i := range size {
				d := storagetest.WiFi(fmt.Sprintf("%08d", 21_000_000+i), 10)
				m := d.Message(storagetest.Start+minute*halley.Minute, 20)
				if change != nil {
					change(d, &m)
				}
				list = append(list, d.Upload(0, m))
			}
			return f.Batch(list...)
		}
	}
	after := func(batches ...func(*storagetest.Feed, int) storage.Batch) func(*testing.T, *storagetest.Feed, int) {
		return func(t *testing.T, f *storagetest.Feed, size int) {
			t.Helper()
			for _, b := range batches {
				if _, err := f.Store.Append(t.Context(), b(f, size)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	local := func(d *storagetest.Device, m *halley.Message) {
		modem(d)
		m.Clock = halley.ClockLocalOrUTC
	}
	invalid := func(_ *storagetest.Device, m *halley.Message) { m.Clock = halley.ClockNotValid }
	other := func(_ *storagetest.Device, m *halley.Message) { m.Readings[9].Value++ }
	acts := func(f *storagetest.Feed, size int) storage.Batch {
		b := f.Batch()
		for i := range size {
			b.Audit = append(b.Audit, storage.JournaledAct{
				Seq: uint64(i + 1), AuditEntry: halley.AuditEntry{Change: storagetest.By("eva"), What: "session.create"},
			})
		}
		return b
	}
	return []load{
		{"new messages", after(each(0, nil)), each(1, nil), false},
		{"new messages after a start", after(each(0, nil)), each(1, nil), true},
		{"hours that close", after(each(0, nil)), each(60, nil), false},
		{"days that close after a start", after(each(0, nil)), each(2000, nil), true},
		{"repeats", after(each(0, nil)), each(0, nil), false},
		{"conflicts", after(each(0, nil)), each(0, other), true},
		{"late messages", after(each(0, nil), each(2000, nil)), each(1, nil), false},
		{"messages of modem loggers", after(each(0, local)), each(1, local), false},
		{"repeats of modem loggers", after(each(0, local), each(100, local)), each(0, local), true},
		{"messages without a right clock", after(each(0, invalid)), each(1, invalid), false},
		{"messages whose clock was right the first time", after(each(0, nil)), each(0, invalid), false},
		{"acts that are there", after(acts), acts, false},
	}
}

// TestStatementsOfABatchDoNotGrowWithIt holds the shared code to a number of statements that is the same for many devices.
func TestStatementsOfABatchDoNotGrowWithIt(t *testing.T) {
	t.Parallel()
	for _, l := range loads() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			// In a bubble no time passes in which the database would be measured.
			synctest.Test(t, func(t *testing.T) {
				few, many := l.count(t, 2), l.count(t, 20)
				if few != many || many > 20 {
					t.Errorf("2 of them take %d statements, 20 take %d; want the same number, at most 20", few, many)
				}
			})
		})
	}
}

func (l *load) count(t *testing.T, size int) int64 {
	t.Helper()
	k := openKit(t, dbPath(t), gather)
	f := storagetest.NewFeed(k.Store)
	l.prepare(t, f, size)
	if l.reopen {
		k = openKit(t, k.path, gather)
		f.Store = k.Store
	}
	b := l.batch(f, size)
	before := k.statements.Load()
	if _, err := k.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return k.statements.Load() - before
}

// TestHundredNewDevicesDoNotCostAHundredTimesOne holds the first batch of a fleet to few statements too.
func TestHundredNewDevicesDoNotCostAHundredTimesOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := load{prepare: func(*testing.T, *storagetest.Feed, int) {}, batch: loads()[0].batch}
		if n := l.count(t, 100); n > 120 {
			t.Errorf("100 new devices of ten channels take %d statements, want at most 120", n)
		}
	})
}

// TestRowsOfATableAreReplacedKeptOrRefused holds Put of the embedded store to the tables' own rules.
func TestRowsOfATableAreReplacedKeptOrRefused(t *testing.T) {
	t.Parallel()
	for table := range sqlkit.Tables {
		spec := table.Spec()
		t.Run(spec.Name, func(t *testing.T) {
			t.Parallel()
			path := dbPath(t)
			open(t, path)
			writer, err := sqlite.Writer(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = writer.Close() }()
			conn, err := writer.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			b, err := sqlite.Dialect().Bulk(t.Context(), conn)
			if err != nil {
				t.Fatal(err)
			}
			row := func(last int64) []any {
				values := make([]any, len(spec.Columns))
				for i := range values {
					values[i] = int64(1)
					if i >= spec.Key {
						values[i] = last
					}
					if spec.Columns[i] == "pack" {
						values[i] = []byte{byte(last)}
					}
				}
				return values
			}
			if err := b.Put(table, row(5)...); err != nil {
				t.Fatal(err)
			}
			err = b.Put(table, row(6)...)
			if refused := err != nil; refused != (spec.Repeat == sqlkit.Refuse) {
				t.Errorf("Put of a row that is there = %v", err)
			}
			if err := errors.Join(b.Flush(t.Context()), b.Close()); err != nil {
				t.Fatal(err)
			}
			last := spec.Columns[len(spec.Columns)-1]
			got := table1(t, path, "SELECT "+last+" FROM "+spec.Name)
			if replaced := strings.Contains(got, "6") || strings.Contains(got, "\x06"); replaced != (spec.Repeat == sqlkit.Replace) {
				t.Errorf("the row holds %q in %s", got, last)
			}
		})
	}
}

// table1 gives the rows of a query on a file.
func table1(t *testing.T, path, query string) string {
	t.Helper()
	return table(t, foreign(t, path), query)
}
