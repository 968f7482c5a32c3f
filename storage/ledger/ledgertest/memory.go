// Package ledgertest has a ledger in memory for tests: filled as a store fills one, and open to be tampered with.
package ledgertest

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"sort"
	"testing"

	"halley"
	"halley/storage/ledger"
	"halley/storage/ledger/verify"
)

// Stored is a row of message as a database has it.
type Stored struct {
	Device halley.DeviceID
	Batch  int64
	Row    ledger.Row
}

// Memory is a store of a ledger in memory, which a test fills as a server would and then tampers with.
type Memory struct {
	t            testing.TB
	Batches      []ledger.Batch
	Parts        []ledger.Part
	Rows         []Stored
	Devices      []ledger.Device
	Facts        []ledger.Fact
	Tables       map[string][]ledger.FactRow
	Checkpointed []ledger.Checkpoint
	Keys         []ledger.Key
	Stones       []ledger.Tombstone
	packer       *ledger.Packer
	At           halley.Millis
	// hook is called with each page of rows of a fact table and of rows of message, so that a test can add while verification runs.
	Hook func()
}

// FirstDay is the UTC day on which what Site makes begins.
const FirstDay = 20_400

// New gives one that is empty.
func New(t testing.TB) *Memory {
	t.Helper()
	p, err := ledger.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	return &Memory{t: t, Tables: map[string][]ledger.FactRow{}, packer: p, At: halley.Millis(FirstDay) * halley.Day}
}

// Pack compresses canonical bytes.
func (m *Memory) Pack(canonical []byte) []byte {
	b, err := m.packer.Pack(nil, canonical)
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

// Record stores a batch as a store does.
func (m *Memory) Record(node string, rows ...Stored) int64 {
	m.At += 10_000
	b := ledger.Batch{ID: 1, Node: node, JournalID: "journal of " + node, FirstSeq: 1, RecordedAt: m.At, Decoder: 1, Messages: int64(len(rows))}
	if n := len(m.Batches); n > 0 {
		b.ID = m.Batches[n-1].ID + 2 // numbers have gaps
	}
	for i := range m.Batches {
		if m.Batches[i].Node == node {
			b.Previous, b.FirstSeq = m.Batches[i].Digest, m.Batches[i].LastSeq+1
		}
	}
	b.LastSeq = b.FirstSeq + uint64(max(len(rows), 1)) - 1
	days := map[int64][]Stored{}
	for _, s := range rows {
		s.Batch = b.ID
		m.Rows = append(m.Rows, s)
		d := ledger.DayOf(s.Row.At)
		days[d] = append(days[d], s)
		for _, q := range s.Row.Qualities {
			if q.Valid {
				b.Samples++
			}
		}
	}
	for _, day := range sortedDays(days) {
		m.Sort(days[day])
		var e ledger.Encoder
		for i := range days[day] {
			e.Add(m.Device(days[day][i].Device), &days[day][i].Row)
		}
		part := ledger.Part{Batch: b.ID, Day: day, Count: e.Rows(), Digest: e.Sum()}
		b.Parts = append(b.Parts, part)
		part.Pack = m.Pack(e.Bytes())
		m.Parts = append(m.Parts, part)
	}
	b.Digest = b.Sum()
	b.Parts = nil
	m.Batches = append(m.Batches, b)
	return b.ID
}

func sortedDays(m map[int64][]Stored) []int64 {
	var days []int64
	for d := range m {
		days = append(days, d)
	}
	slices.Sort(days)
	return days
}

// Device gives a device by its id.
func (m *Memory) Device(id halley.DeviceID) ledger.Device {
	for _, d := range m.Devices {
		if d.ID == id {
			return d
		}
	}
	return ledger.Device{}
}

// Sort puts rows into the order of canonical bytes.
func (m *Memory) Sort(rows []Stored) {
	sort.SliceStable(rows, func(i, j int) bool {
		a, b := rows[i], rows[j]
		x, y := m.Device(a.Device), m.Device(b.Device)
		return cmp.Or(cmp.Compare(x.Family, y.Family), cmp.Compare(x.Serial, y.Serial), cmp.Compare(a.Row.At, b.Row.At),
			cmp.Compare(a.Row.Variant, b.Row.Variant), cmp.Compare(a.Row.Part, b.Row.Part)) < 0
	})
}

// Change adds rows to fact tables in one transaction.
func (m *Memory) Change(rows ...ledger.FactRow) {
	m.At += 1000
	canonical, err := ledger.AppendFacts(nil, rows)
	if err != nil {
		m.t.Fatal(err)
	}
	f := ledger.Fact{ID: 1, At: m.At, Count: int64(len(rows))}
	if n := len(m.Facts); n > 0 {
		f.ID, f.Previous = m.Facts[n-1].ID+1, m.Facts[n-1].Digest
	}
	f.Digest, f.Pack = f.Sum(canonical), m.Pack(canonical)
	m.Facts = append(m.Facts, f)
	for _, r := range rows {
		m.Tables[r.Table] = append(m.Tables[r.Table], r)
	}
}

// Heads gives the ends of all chains.
func (m *Memory) Heads() ledger.Heads {
	var h ledger.Heads
	last := map[string]ledger.Head{}
	for _, b := range m.Batches {
		last[b.Node] = ledger.Head{Node: b.Node, ID: b.ID, Digest: b.Digest}
	}
	for _, l := range last {
		h.Batches = append(h.Batches, l)
	}
	slices.SortFunc(h.Batches, func(a, b ledger.Head) int { return cmp.Compare(a.Node, b.Node) })
	if n := len(m.Facts); n > 0 {
		h.Fact = ledger.Head{ID: m.Facts[n-1].ID, Digest: m.Facts[n-1].Digest}
	}
	return h
}

// Sign makes a checkpoint of how it is now.
func (m *Memory) Sign(node string, key ed25519.PrivateKey) ledger.Checkpoint {
	m.At += 1000
	s := ledger.Statement{Node: node, At: m.At, Kind: "hour", Heads: m.Heads()}
	for i := range m.Checkpointed {
		if m.Checkpointed[i].Node == node {
			s.Previous = m.Checkpointed[i].BodySum()
		}
	}
	c, err := ledger.Sign(s, key)
	if err != nil {
		m.t.Fatal(err)
	}
	c.ID = int64(len(m.Checkpointed) + 1)
	m.Checkpointed = append(m.Checkpointed, c)
	return c
}

// Remembered is what a journal knows of all batches as they are now.
func (m *Memory) Remembered() []verify.Remembered {
	var list []verify.Remembered
	for _, b := range m.Batches {
		list = append(list, verify.Remembered{
			Node: b.Node, JournalID: b.JournalID, FirstSeq: b.FirstSeq, LastSeq: b.LastSeq, Batch: b.ID, Digest: b.Digest,
		})
	}
	return list
}

func page[T any](list []T, id func(T) int64, after int64, limit int) []T {
	var out []T
	for _, x := range list {
		if id(x) > after {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	return out[:min(len(out), limit)]
}

// LedgerBatches is as in ledger.Source.
func (m *Memory) LedgerBatches(_ context.Context, after int64, limit int) ([]ledger.Batch, error) {
	out := page(m.Batches, func(b ledger.Batch) int64 { return b.ID }, after, limit)
	for i := range out {
		for _, p := range m.Parts {
			if p.Batch == out[i].ID {
				p.Pack = nil
				out[i].Parts = append(out[i].Parts, p)
			}
		}
		slices.SortFunc(out[i].Parts, func(a, b ledger.Part) int { return cmp.Compare(a.Day, b.Day) })
	}
	return out, nil
}

// LedgerParts is as in ledger.Source.
func (m *Memory) LedgerParts(_ context.Context, day, after int64, limit int) ([]ledger.Part, error) {
	var of []ledger.Part
	for _, p := range m.Parts {
		if p.Day == day {
			p.Pack = nil
			of = append(of, p)
		}
	}
	return page(of, func(p ledger.Part) int64 { return p.Batch }, after, limit), nil
}

// LedgerPack is as in ledger.Source.
func (m *Memory) LedgerPack(_ context.Context, batch, day int64) ([]byte, error) {
	for _, p := range m.Parts {
		if p.Batch == batch && p.Day == day {
			return p.Pack, nil
		}
	}
	return nil, nil
}

// LedgerDays is as in ledger.Source.
func (m *Memory) LedgerDays(context.Context) (first, last int64, ok bool, err error) {
	for i, s := range m.Rows {
		d := ledger.DayOf(s.Row.At)
		if i == 0 {
			first, last, ok = d, d, true
		}
		first, last = min(first, d), max(last, d)
	}
	for _, p := range m.Parts {
		if !ok {
			first, last, ok = p.Day, p.Day, true
		}
		first, last = min(first, p.Day), max(last, p.Day)
	}
	return first, last, ok, nil
}

// LedgerDevices is as in ledger.Source.
func (m *Memory) LedgerDevices(context.Context) ([]ledger.Device, error) {
	list := slices.Clone(m.Devices)
	slices.SortFunc(list, func(a, b ledger.Device) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Serial, b.Serial))
	})
	return list, nil
}

// LedgerRows is as in ledger.Source.
func (m *Memory) LedgerRows(_ context.Context, d ledger.Device, day int64, each func(int64, *ledger.Row) error) error {
	var of []Stored
	for _, s := range m.Rows {
		if s.Device == d.ID && ledger.DayOf(s.Row.At) == day {
			of = append(of, s)
		}
	}
	m.Sort(of)
	for i := range of {
		if err := each(of[i].Batch, &of[i].Row); err != nil {
			return err
		}
	}
	if m.Hook != nil {
		m.Hook()
	}
	return nil
}

// LedgerFacts is as in ledger.Source.
func (m *Memory) LedgerFacts(_ context.Context, after int64, limit int) ([]ledger.Fact, error) {
	return page(m.Facts, func(f ledger.Fact) int64 { return f.ID }, after, limit), nil
}

func keyIn(t ledger.FactTable, r ledger.FactRow) []int64 {
	k, _ := r.KeyOf(t)
	return k
}

// FactRow is as in ledger.Source.
func (m *Memory) FactRow(_ context.Context, t ledger.FactTable, key []int64) (ledger.FactRow, bool, error) {
	for _, r := range m.Tables[t.Name] {
		if slices.Equal(keyIn(t, r), key) {
			return r, true, nil
		}
	}
	return ledger.FactRow{}, false, nil
}

// FactRows is as in ledger.Source.
func (m *Memory) FactRows(_ context.Context, t ledger.FactTable, after []int64, limit int) ([]ledger.FactRow, error) {
	if m.Hook != nil {
		m.Hook()
	}
	var out []ledger.FactRow
	for _, r := range m.Tables[t.Name] {
		if after == nil || slices.Compare(keyIn(t, r), after) > 0 {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b ledger.FactRow) int { return slices.Compare(keyIn(t, a), keyIn(t, b)) })
	return out[:min(len(out), limit)], nil
}

// Checkpoints is as in ledger.Source.
func (m *Memory) Checkpoints(_ context.Context, after int64, limit int) ([]ledger.Checkpoint, error) {
	return page(m.Checkpointed, func(c ledger.Checkpoint) int64 { return c.ID }, after, limit), nil
}

// LedgerKeys is as in ledger.Source.
func (m *Memory) LedgerKeys(context.Context) ([]ledger.Key, error) { return m.Keys, nil }

// Tombstones is as in ledger.Source.
func (m *Memory) Tombstones(context.Context) ([]ledger.Tombstone, error) { return m.Stones, nil }

// Key gives a signing key that is always the same for a number.
func Key(first byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = first
	return ed25519.NewKeyFromSeed(seed)
}

// PublicKey gives the public half of a node's key.
func PublicKey(node string, key ed25519.PrivateKey) ledger.Key {
	public, _ := key.Public().(ed25519.PublicKey)
	return ledger.Key{ID: ledger.KeyID(public), Node: node, Public: public}
}

// Channels are those of every device.
func Channels() []ledger.Channel {
	return []ledger.Channel{{Number: 1, Quantity: "temperature", Unit: "°C"}, {Number: 2, Quantity: "humidity", Unit: "%RH"}}
}

// Sample is a message of two values.
func Sample(device int, at halley.Millis, temperature, humidity float64) Stored {
	r := ledger.Row{At: at, Layout: int64(device), Channels: Channels()}
	for i, v := range []int64{1, 0, 1, 1, int64(at), int64(at) + 120, int64(at/10_000) % 10_000, 0, 0, 0, 600, 0, 3, 1, 255, -61, 88} {
		r.Head[i] = ledger.Int{N: v, Valid: true}
	}
	r.Values[0], r.Values[1] = ledger.Float{F: temperature, Valid: true}, ledger.Float{F: humidity, Valid: true}
	r.Qualities[0], r.Qualities[1] = ledger.Int{Valid: true}, ledger.Int{Valid: true}
	return Stored{Device: halley.DeviceID(device), Row: r}
}

// Site is a store with two nodes, three devices, three days of messages with late ones among them, settings, an audit trail and
// signed checkpoints of both nodes.
func Site(t testing.TB) *Memory {
	m := New(t)
	n := func(v int64) any { return v }
	day := halley.Millis(FirstDay) * halley.Day
	m.Keys = []ledger.Key{PublicKey("north", Key(1)), PublicKey("south", Key(2))}
	audit := int64(0)
	act := func(what, on string) ledger.FactRow {
		audit++
		return ledger.FactRow{Table: "audit", Values: []any{audit, int64(m.At), "session", "anna", "s1", what, on, nil, "{}", "", nil}}
	}
	m.Change(act("organization.create", "organization 1"), ledger.FactRow{Table: "organization", Values: []any{n(1), nil, int64(m.At)}})
	for i := range 3 {
		id := int64(3 - i) // ids run against serial numbers
		m.Devices = append(m.Devices, ledger.Device{ID: halley.DeviceID(id), Family: "wifi", Serial: fmt.Sprintf("1996000%d", i)})
		m.Change(act("device.accept", fmt.Sprintf("device %d", id)),
			ledger.FactRow{Table: "device", Values: []any{id, "wifi", fmt.Sprintf("1996000%d", i), int64(m.At)}},
			ledger.FactRow{Table: "place", Values: []any{id, n(1), int64(m.At)}},
			ledger.FactRow{Table: "place_description", Values: []any{id, n(1), int64(m.At), fmt.Sprintf("Cold room %d", id), audit, nil, nil}},
			ledger.FactRow{Table: "channel", Values: []any{id, id, n(1), "temperature", "°C"}},
			ledger.FactRow{Table: "attachment", Values: []any{id, id, n(0), id, audit, nil}},
			ledger.FactRow{Table: "limit", Values: []any{id, id, "temperature", "°C", "high", "alarm", n(0), 8.5, 0.2, n(60_000), audit}},
			ledger.FactRow{Table: "credential", Values: []any{id, id, "entry-point", []byte("hash of a secret"), int64(m.At), audit}})
	}
	m.Sign("north", Key(1))
	m.Sign("south", Key(2))
	for h := range 60 {
		at := day + halley.Millis(h)*halley.Hour
		node := []string{"north", "south"}[h%2]
		var rows []Stored
		for d := 1; d <= 3; d++ {
			rows = append(rows, Sample(d, at, float64(200+h+d)/10, float64(500+h*d)/10))
		}
		if h%10 == 7 {
			rows = append(rows, Sample(2, at-30*halley.Hour+5, 4.2, 55), Sample(2, at-30*halley.Hour+halley.Minute, 4.25, 55.5))
		}
		m.Record(node, rows...)
		if h%5 == 4 {
			m.Record(node) // one that stores nothing
			m.Change(act("limit.set", "place 1"))
			m.Sign(node, Key(byte(1+h%2)))
		}
	}
	m.Record("south")
	m.Sign("north", Key(1))
	return m
}
