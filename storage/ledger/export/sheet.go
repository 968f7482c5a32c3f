package export

import (
	"fmt"
	"math"
	"strconv"

	"halley"
	"halley/storage/ledger"
)

// The columns of a row of samples before its head.
const (
	columnFamily = iota
	columnSerial
	columnTime
	columnMillis
	columnVariant
	columnPart
	columnBatch
	columnHead
)

// The columns of a slot, behind the head.
const (
	slotNumber = iota
	slotQuantity
	slotUnit
	slotValue
	slotQuality
	slotColumns
)

const (
	columnSlots = columnHead + ledger.HeadCount
	columns     = columnSlots + ledger.Slots*slotColumns
)

// header gives the first line of a file of samples.
func header() []string {
	h := append([]string{"device_family", "device_serial", "measured_at", "measured_ms", "variant", "part", "batch"}, ledger.HeadColumns()...)
	for i := range ledger.Slots {
		n := strconv.Itoa(i + 1)
		h = append(h, "number"+n, "quantity"+n, "unit"+n, "value"+n, "quality"+n)
	}
	return h
}

// writeRow fills the fields of a row.
func writeRow(fields []string, d ledger.Device, batch int64, r *ledger.Row) {
	fields[columnFamily], fields[columnSerial] = sheetText(string(d.Family)), sheetText(d.Serial)
	fields[columnTime], fields[columnMillis] = r.At.String(), strconv.FormatInt(int64(r.At), 10)
	fields[columnVariant], fields[columnPart] = strconv.FormatInt(r.Variant, 10), strconv.FormatInt(r.Part, 10)
	fields[columnBatch] = strconv.FormatInt(batch, 10)
	for i := range r.Head {
		fields[columnHead+i] = intField(r.Head[i])
	}
	for i := range ledger.Slots {
		f := fields[columnSlots+i*slotColumns:]
		f[slotNumber], f[slotQuantity], f[slotUnit], f[slotValue] = "", "", "", ""
		if i < len(r.Channels) {
			c := &r.Channels[i]
			f[slotNumber], f[slotQuantity], f[slotUnit] = strconv.Itoa(c.Number), sheetText(c.Quantity), sheetText(c.Unit)
		}
		if v := r.Values[i]; v.Valid {
			f[slotValue] = strconv.FormatFloat(v.F, 'f', -1, 64)
		}
		f[slotQuality] = intField(r.Qualities[i])
	}
}

func intField(n ledger.Int) string {
	if !n.Valid {
		return ""
	}
	return strconv.FormatInt(n.N, 10)
}

// rowReader turns the fields of lines into rows; it keeps the channels of the row before where they are the same.
type rowReader struct {
	row  ledger.Row
	next [ledger.Slots]ledger.Channel
	bad  bool
}

// read gives the row of some fields; an error where they are no row that writeRow could have written.
func (x *rowReader) read(fields []string) (d ledger.Device, batch int64, err error) {
	r := &x.row
	*r = ledger.Row{Channels: r.Channels}
	x.bad = false
	d = ledger.Device{Family: halley.Family(plainText(fields[columnFamily])), Serial: plainText(fields[columnSerial])}
	r.At = halley.Millis(x.number(fields[columnMillis]))
	r.Variant, r.Part, batch = x.number(fields[columnVariant]), x.number(fields[columnPart]), x.number(fields[columnBatch])
	if r.At.String() != fields[columnTime] {
		return d, batch, fmt.Errorf("measured_at and measured_ms are not the same instant")
	}
	for i := range r.Head {
		r.Head[i] = x.optional(fields[columnHead+i])
	}
	n := 0
	for i := range ledger.Slots {
		f := fields[columnSlots+i*slotColumns:]
		if f[slotNumber] != "" {
			x.next[i] = ledger.Channel{Number: int(x.number(f[slotNumber])), Quantity: f[slotQuantity], Unit: f[slotUnit]}
			if n != i {
				x.bad = true
			}
			n = i + 1
		} else if f[slotQuantity] != "" || f[slotUnit] != "" {
			x.bad = true
		}
		r.Values[i] = x.value(f[slotValue])
		r.Qualities[i] = x.optional(f[slotQuality])
	}
	if x.bad {
		return d, batch, fmt.Errorf("a field holds what it cannot hold")
	}
	x.channels(n)
	return d, batch, nil
}

// channels sets the row's channels to the next n; where they are those of the row before, their texts are not made again.
func (x *rowReader) channels(n int) {
	same := len(x.row.Channels) == n
	for i := 0; same && i < n; i++ {
		c := x.row.Channels[i]
		same = c.Number == x.next[i].Number && c.Quantity == plainText(x.next[i].Quantity) && c.Unit == plainText(x.next[i].Unit)
	}
	if same {
		return
	}
	list := make([]ledger.Channel, n)
	for i := range list {
		list[i] = ledger.Channel{
			Number: x.next[i].Number, Quantity: string([]byte(plainText(x.next[i].Quantity))), Unit: string([]byte(plainText(x.next[i].Unit))),
		}
	}
	x.row.Channels = list
}

func (x *rowReader) number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		x.bad = true
	}
	return n
}

func (x *rowReader) optional(s string) ledger.Int {
	if s == "" {
		return ledger.Int{}
	}
	return ledger.Int{N: x.number(s), Valid: true}
}

func (x *rowReader) value(s string) ledger.Float {
	if s == "" {
		return ledger.Float{}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		x.bad = true
	}
	return ledger.Float{F: f, Valid: true}
}
