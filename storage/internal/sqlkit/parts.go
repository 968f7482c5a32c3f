package sqlkit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

// partColumns are those of part.
var partColumns = []string{"batch_id", "day", "count", "digest", "pack"}

// storedMessage is a message that a batch stored, as far as the ledger needs it.
type storedMessage struct {
	d      *device
	u      *storage.Upload
	m      *halley.Message
	layout *layout
	index  int
	// rank is the device's place among those of the batch by family and serial number.
	rank    int
	at      halley.Millis
	variant int64
}

// partWriter is what batches write their parts with, one after the other.
type partWriter struct {
	packer   *ledger.Packer
	encoder  ledger.Encoder
	row      ledger.Row
	channels [SlotCount]ledger.Channel
}

// enter writes the parts of the batch and the batch's own row.
func (a *appender) enter(ctx context.Context) error {
	parts, err := a.writeParts(ctx)
	if err != nil {
		return err
	}
	b := a.b
	entry := ledger.Batch{
		Node: b.Node, JournalID: b.JournalID, FirstSeq: b.FirstSeq, LastSeq: b.Seq, JournalHash: b.Hash, Decoder: b.Decoder,
		Messages: int64(a.out.Messages), Samples: int64(a.out.Samples), Previous: a.previous, Parts: parts,
	}
	a.out.Digest = entry.Sum()
	return a.exec(ctx, insertBatch, args("batch", a.out.BatchID, "node", b.Node, "journal", b.JournalID, "first", int64(b.FirstSeq),
		"last", int64(b.Seq), "hash", b.Hash[:], "at", int64(b.RecordedAt), "decoder", b.Decoder,
		"messages", a.out.Messages, "samples", a.out.Samples, "digest", a.out.Digest[:], "previous", digestOrNull(a.previous))...)
}

// writeParts writes a part for each UTC day that the batch stored messages of.
func (a *appender) writeParts(ctx context.Context) ([]ledger.Part, error) {
	rank(a.stored)
	slices.SortFunc(a.stored, storedMessage.compare)
	var parts []ledger.Part
	var rows []any
	for list := a.stored; len(list) > 0; {
		day := ledger.DayOf(list[0].at)
		n := len(list)
		if list[n-1].at >= halley.Millis(day+1)*halley.Day {
			n = slices.IndexFunc(list, func(x storedMessage) bool { return ledger.DayOf(x.at) != day })
		}
		p, err := a.part(day, list[:n])
		if err != nil {
			return nil, err
		}
		rows = append(rows, p.Batch, p.Day, p.Count, p.Digest[:], p.Pack)
		p.Pack = nil
		parts, list = append(parts, p), list[n:]
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return parts, a.change.insert(ctx, "part", partColumns, rows)
}

// rank gives each message its device's place. The messages of a device stand together.
func rank(list []storedMessage) {
	var groups [][]storedMessage
	for begin := 0; begin < len(list); {
		end := begin + 1
		for end < len(list) && list[end].d == list[begin].d {
			end++
		}
		groups = append(groups, list[begin:end])
		begin = end
	}
	slices.SortFunc(groups, func(x, y []storedMessage) int {
		k, o := &x[0].d.key, &y[0].d.key
		return cmp.Or(cmp.Compare(k.Family, o.Family), cmp.Compare(k.Serial, o.Serial))
	})
	for place, group := range groups {
		for i := range group {
			group[i].rank = place
		}
	}
}

// compare gives the order of the canonical form, within days.
func (x storedMessage) compare(y storedMessage) int {
	if x.rank == y.rank && x.at < y.at && ledger.DayOf(x.at) == ledger.DayOf(y.at) {
		return -1
	}
	return cmp.Or(cmp.Compare(ledger.DayOf(x.at), ledger.DayOf(y.at)), cmp.Compare(x.rank, y.rank), cmp.Compare(x.at, y.at),
		cmp.Compare(x.variant, y.variant))
}

// part makes the part of a day of its messages, in their order.
func (a *appender) part(day int64, list []storedMessage) (ledger.Part, error) {
	w := &a.s.parts
	w.encoder.Reset()
	for i := range list {
		w.add(&list[i], a.b.Decoder)
	}
	canonical := w.encoder.Bytes()
	p := ledger.Part{Batch: a.out.BatchID, Day: day, Count: w.encoder.Rows(), Digest: ledger.PartSum(canonical)}
	var err error
	if p.Pack, err = w.packer.Pack(make([]byte, 0, len(canonical)/2+64), canonical); err != nil {
		return p, fmt.Errorf("packing a part for the ledger: %w", err)
	}
	return p, nil
}

// add encodes the rows of a message, as insert writes them.
func (w *partWriter) add(x *storedMessage, decoder int) {
	dev := ledger.Device{ID: x.d.id, Family: x.d.key.Family, Serial: x.d.key.Serial}
	r := &w.row
	*r = ledger.Row{At: x.at, Variant: x.variant, Layout: x.layout.id}
	w.fillHead(x, decoder)
	rep := report{m: x.m}
	for {
		first := int(r.Part) * SlotCount
		readings := x.m.Readings[first:]
		readings = readings[:min(len(readings), SlotCount)]
		for i := range readings {
			rd, key := &readings[i], &x.layout.channels[first+i].key
			w.channels[i] = ledger.Channel{Number: key.number, Quantity: key.quantity, Unit: key.unit}
			r.Qualities[i] = ledger.Int{N: int64(quality(&rep, rd)), Valid: true}
			if rd.Quality.HasValue() {
				r.Values[i] = ledger.Float{F: rd.Value + 0, Valid: true}
			}
		}
		r.Channels = w.channels[:len(readings)]
		w.encoder.Add(dev, r)
		if first += SlotCount; first >= len(x.m.Readings) {
			return
		}
		*r = ledger.Row{At: x.at, Variant: x.variant, Part: r.Part + 1, Layout: x.layout.id}
	}
}

// fillHead says what appender.fillHead says.
func (w *partWriter) fillHead(x *storedMessage, decoder int) {
	h, m := &w.row.Head, x.m
	there := func(n int) ledger.Int { return ledger.Int{N: int64(n), Valid: true} }
	said := func(n int) ledger.Int {
		if n == halley.Unknown {
			return ledger.Int{}
		}
		return there(n)
	}
	h[ledger.HeadSeq] = ledger.Int{N: int64(x.u.Seq), Valid: true}
	h[ledger.HeadIndex], h[ledger.HeadDecoder], h[ledger.HeadClock] = there(x.index), there(decoder), there(int(m.Clock))
	if sent := m.SentAt(x.u.ReceivedAt); sent.Storable() {
		h[ledger.HeadSentAt] = ledger.Int{N: int64(sent), Valid: true}
	}
	h[ledger.HeadReceivedAt] = ledger.Int{N: int64(x.u.ReceivedAt), Valid: true}
	if m.Order != halley.Unknown {
		h[ledger.HeadOrder] = ledger.Int{N: m.Order, Valid: true}
	}
	h[ledger.HeadKind], h[ledger.HeadRawKind], h[ledger.HeadCache] = there(int(m.Kind)), said(m.RawKind), said(m.Cache)
	h[ledger.HeadInterval], h[ledger.HeadBuffer] = there(m.Interval), there(m.Buffer)
	h[ledger.HeadConfig], h[ledger.HeadState], h[ledger.HeadStateMask] = said(m.Config), said(m.State), said(m.StateMask)
	if m.Signal != 0 {
		h[ledger.HeadSignal] = there(m.Signal)
	}
	h[ledger.HeadBattery] = said(m.Battery)
}
