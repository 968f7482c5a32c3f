package storagetest

import (
	"cmp"
	"slices"
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

// CheckLedger holds all that a store keeps to its ledger, in the plainest way: the rows of each part give its digest and its pack, the
// digests of batches and facts follow from each other, and the facts have each row of their tables once and as it is.
func CheckLedger(t testing.TB, s storage.Store) {
	t.Helper()
	c := &ledgerCheck{t: t, s: s, gone: map[int64]bool{}}
	tombstones, err := s.Tombstones(t.Context())
	must(t, "Tombstones", err)
	for _, x := range tombstones {
		for day := x.FromDay; day < x.ToDay; day++ {
			c.gone[day] = true
		}
	}
	c.unpacker, err = ledger.NewUnpacker()
	must(t, "NewUnpacker", err)
	c.batches()
	c.rows()
	c.facts()
}

type ledgerCheck struct {
	t        testing.TB
	s        storage.Store
	unpacker *ledger.Unpacker
	// gone are the days that retention removed.
	gone map[int64]bool
}

// batches checks the chain of each node.
func (c *ledgerCheck) batches() {
	c.t.Helper()
	newest := map[string]ledger.Digest{}
	heads := map[string]ledger.Head{}
	for after := int64(0); ; {
		list, err := c.s.LedgerBatches(c.t.Context(), after, 7)
		must(c.t, "LedgerBatches", err)
		for i := range list {
			b := &list[i]
			after = b.ID
			if b.Previous != newest[b.Node] {
				c.t.Errorf("batch %d of %s follows %v, want %v", b.ID, b.Node, b.Previous, newest[b.Node])
			}
			if newest[b.Node] = b.Digest; b.Digest.IsZero() {
				continue
			}
			if b.Sum() != b.Digest {
				c.t.Errorf("batch %d has the digest %v, its content gives %v", b.ID, b.Digest, b.Sum())
			}
			heads[b.Node] = ledger.Head{Node: b.Node, ID: b.ID, Digest: b.Digest}
		}
		if len(list) == 0 {
			break
		}
	}
	got, err := c.s.LedgerHeads(c.t.Context())
	must(c.t, "LedgerHeads", err)
	var want []ledger.Head
	for _, h := range heads {
		want = append(want, h)
	}
	slices.SortFunc(want, func(x, y ledger.Head) int { return cmp.Compare(x.Node, y.Node) })
	equal(c.t, "the ends of the nodes' chains", want, got.Batches)
}

// rows checks each day's rows against its parts.
func (c *ledgerCheck) rows() {
	c.t.Helper()
	ctx := c.t.Context()
	first, last, ok, err := c.s.LedgerDays(ctx)
	must(c.t, "LedgerDays", err)
	if !ok {
		return
	}
	devices, err := c.s.LedgerDevices(ctx)
	must(c.t, "LedgerDevices", err)
	for day := first; day <= last; day++ {
		hashes := map[int64]*ledger.Hash{}
		for _, d := range devices {
			must(c.t, "LedgerRows", c.s.LedgerRows(ctx, d, day, func(batch int64, r *ledger.Row) error {
				if hashes[batch] == nil {
					hashes[batch] = ledger.NewHash(nil)
				}
				hashes[batch].Add(d, r)
				return nil
			}))
		}
		c.parts(day, hashes)
	}
}

// parts checks the parts of a day against the hashes of its rows.
func (c *ledgerCheck) parts(day int64, hashes map[int64]*ledger.Hash) {
	c.t.Helper()
	for after := int64(0); ; {
		list, err := c.s.LedgerParts(c.t.Context(), day, after, 5)
		must(c.t, "LedgerParts", err)
		for _, p := range list {
			after = p.Batch
			pack, err := c.s.LedgerPack(c.t.Context(), p.Batch, day)
			must(c.t, "LedgerPack", err)
			h := hashes[p.Batch]
			delete(hashes, p.Batch)
			if c.gone[day] && pack == nil && h == nil {
				continue
			}
			if h == nil || h.Sum() != p.Digest || h.Rows() != p.Count {
				c.t.Errorf("day %d of batch %d: the rows do not give the digest %v of %d rows", day, p.Batch, p.Digest, p.Count)
			}
			canonical, err := c.unpacker.Unpack(nil, pack)
			if err != nil || ledger.PartSum(canonical) != p.Digest {
				c.t.Errorf("day %d of batch %d: the pack does not give the digest: %v", day, p.Batch, err)
			}
		}
		if len(list) == 0 {
			break
		}
	}
	for batch := range hashes {
		if batches, err := c.s.LedgerBatches(c.t.Context(), batch-1, 1); err != nil || len(batches) != 1 || !batches[0].Digest.IsZero() {
			c.t.Errorf("day %d: batch %d has rows and no part (%v)", day, batch, err)
		}
	}
}

// facts checks the chain of the facts, and that it has all rows.
func (c *ledgerCheck) facts() {
	c.t.Helper()
	ctx := c.t.Context()
	counts := map[string]int64{}
	head := ledger.Head{}
	for {
		list, err := c.s.LedgerFacts(ctx, head.ID, 9)
		must(c.t, "LedgerFacts", err)
		for i := range list {
			f := &list[i]
			canonical, err := c.unpacker.Unpack(nil, f.Pack)
			must(c.t, "Unpack", err)
			if f.ID != head.ID+1 || f.Previous != head.Digest || f.Sum(canonical) != f.Digest {
				c.t.Errorf("fact %d after %d has the digest %v behind %v, want one behind %v", f.ID, head.ID, f.Digest, f.Previous, head.Digest)
			}
			head = ledger.Head{ID: f.ID, Digest: f.Digest}
			n := int64(0)
			must(c.t, "DecodeFacts", ledger.DecodeFacts(canonical, func(r ledger.FactRow) error {
				n++
				counts[r.Table]++
				c.fact(f.ID, r)
				return nil
			}))
			equal(c.t, "the number of rows of a fact", f.Count, n)
		}
		if len(list) == 0 {
			break
		}
	}
	heads, err := c.s.LedgerHeads(ctx)
	must(c.t, "LedgerHeads", err)
	equal(c.t, "the end of the facts' chain", head, heads.Fact)
	for _, table := range ledger.FactTables() {
		n := int64(0)
		for after := []int64(nil); ; {
			rows, err := c.s.FactRows(ctx, table, after, 100)
			must(c.t, "FactRows", err)
			if len(rows) == 0 {
				break
			}
			n += int64(len(rows))
			after = factKey(c.t, table, rows[len(rows)-1])
		}
		if n != counts[table.Name] {
			c.t.Errorf("%s has %d rows, %d of them are in the ledger", table.Name, n, counts[table.Name])
		}
	}
}

// fact checks a row of a fact against what is stored.
func (c *ledgerCheck) fact(id int64, want ledger.FactRow) {
	c.t.Helper()
	table, found := ledger.FactTableOf(want.Table)
	if !found {
		c.t.Fatalf("fact %d has a row of %s", id, want.Table)
	}
	got, found, err := c.s.FactRow(c.t.Context(), table, factKey(c.t, table, want))
	must(c.t, "FactRow", err)
	if !found {
		c.t.Errorf("fact %d has the row %v of %s that is not there", id, want.Values, want.Table)
		return
	}
	got, err = table.Canonical(got)
	must(c.t, "Canonical", err)
	// A row from before its table got another column is the same while it has nothing there.
	for n := len(want.Values); len(got.Values) > n && got.Values[len(got.Values)-1] == nil; {
		got.Values = got.Values[:len(got.Values)-1]
	}
	equal(c.t, "a row of "+want.Table, want, got)
}

func factKey(t testing.TB, table ledger.FactTable, r ledger.FactRow) []int64 {
	t.Helper()
	key := make([]int64, table.Key)
	for i := range key {
		n, ok := r.Values[i].(int64)
		if !ok {
			t.Fatalf("the key of a row of %s holds a %T", table.Name, r.Values[i])
		}
		key[i] = n
	}
	return key
}

// expected is a message as it is to be stored.
type expected struct {
	decoder int
	u       *storage.Upload
	m       *halley.Message
	index   int
	at      halley.Millis
	variant int64
}

// expectedParts gives the parts of a batch whose messages are all new, on a store that has nothing of their instants, worked out from
// what was handed over.
func expectedParts(b storage.Batch) []ledger.Part {
	var list []expected
	type instant struct {
		key halley.DeviceKey
		at  halley.Millis
	}
	variants := map[instant]int64{}
	for i := range b.Uploads {
		u := &b.Uploads[i]
		for j := range u.Messages {
			m := expected{b.Decoder, u, &u.Messages[j], j, u.Messages[j].MeasuredAt(u.ReceivedAt), 0}
			k := instant{u.DeviceKey, m.at}
			m.variant = variants[k]
			variants[k]++
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(x, y expected) int {
		return cmp.Or(cmp.Compare(x.at.Floor(halley.Day), y.at.Floor(halley.Day)), cmp.Compare(x.u.Family, y.u.Family),
			cmp.Compare(x.u.Serial, y.u.Serial), cmp.Compare(x.at, y.at), cmp.Compare(x.variant, y.variant))
	})
	var parts []ledger.Part
	var e ledger.Encoder
	for i, m := range list {
		day := int64(m.at / halley.Day)
		d := ledger.Device{Family: m.u.Family, Serial: m.u.Serial}
		for part := 0; part == 0 || part*8 < len(m.m.Readings); part++ {
			e.Add(d, m.row(part))
		}
		if i == len(list)-1 || int64(list[i+1].at/halley.Day) != day {
			parts = append(parts, ledger.Part{Day: day, Count: e.Rows(), Digest: e.Sum()})
			e.Reset()
		}
	}
	return parts
}

// row gives a row of a message as the documents describe it.
func (x expected) row(part int) *ledger.Row {
	u, m := x.u, x.m
	r := &ledger.Row{At: x.at, Variant: x.variant, Part: int64(part)}
	set := func(at int, n int64) { r.Head[at] = ledger.Int{N: n, Valid: true} }
	say := func(at, n int) {
		if n != halley.Unknown {
			set(at, int64(n))
		}
	}
	if part == 0 {
		set(ledger.HeadSeq, int64(u.Seq))
		set(ledger.HeadIndex, int64(x.index))
		set(ledger.HeadDecoder, int64(x.decoder))
		set(ledger.HeadClock, int64(m.Clock))
		if sent := m.SentAt(u.ReceivedAt); sent.Storable() {
			set(ledger.HeadSentAt, int64(sent))
		}
		set(ledger.HeadReceivedAt, int64(u.ReceivedAt))
		say(ledger.HeadOrder, int(m.Order))
		set(ledger.HeadKind, int64(m.Kind))
		say(ledger.HeadRawKind, m.RawKind)
		say(ledger.HeadCache, m.Cache)
		set(ledger.HeadInterval, int64(m.Interval))
		set(ledger.HeadBuffer, int64(m.Buffer))
		say(ledger.HeadConfig, m.Config)
		say(ledger.HeadState, m.State)
		say(ledger.HeadStateMask, m.StateMask)
		if m.Signal != 0 {
			set(ledger.HeadSignal, int64(m.Signal))
		}
		say(ledger.HeadBattery, m.Battery)
	}
	readings := m.Readings[part*8:]
	for i, rd := range readings[:min(8, len(readings))] {
		q := rd.Quality
		if m.Clock == halley.ClockNone {
			q |= halley.ServerTime
		}
		if m.Clock == halley.ClockNotValid {
			q |= halley.ClockInvalid
		}
		if m.Kind == halley.TestMessage {
			q |= halley.Test
		}
		r.Channels = append(r.Channels, ledger.Channel{Number: rd.Number, Quantity: rd.Quantity, Unit: rd.Unit})
		r.Qualities[i] = ledger.Int{N: int64(q), Valid: true}
		if rd.Quality.HasValue() {
			r.Values[i] = ledger.Float{F: rd.Value + 0, Valid: true}
		}
	}
	return r
}
