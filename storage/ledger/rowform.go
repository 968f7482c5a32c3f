package ledger

import (
	"encoding/binary"
	"math"
	"slices"
)

// The canonical bytes of a part are rowFormat and then its rows, each as it differs from the row before. Rows delimit themselves,
// so different lists of rows have different bytes. docs/ledger.md gives the same, field by field.
const rowFormat = 1

// The bits of a row's first byte: what it says anew.
const (
	// flagDevice: family and serial follow. It is set in the first row.
	flagDevice = 1 << iota
	// flagKey: variant and part follow; else both are 0.
	flagKey
	// flagChannels: the list of channels follows.
	flagChannels
	// flagHead: which columns of the head are there follows.
	flagHead
	// flagSlots: which values and qualities are there follows.
	flagSlots
	// flagForms: the forms of the values follow.
	flagForms
	// flagQualities: some qualities are other than before.
	flagQualities
	// flagTimes: sent_at and received_at are given as their distance to those of the row before, not to measured_at.
	flagTimes
)

// A value's form is how many decimals its mantissa has, or formRaw for the eight bytes of the float64.
const (
	maxDecimals = 6
	formRaw     = 7
	// maxMantissa is the greatest up to which every whole number is a float64.
	maxMantissa = 1 << 53
)

var powers = [maxDecimals + 1]float64{1, 10, 100, 1000, 10_000, 100_000, 1_000_000}

// headOrder gives the columns of the head in the order of their bits in a row's mask of what differs: what differs most often
// comes first, so that the mask mostly takes one byte.
var headOrder = [HeadCount]uint8{
	HeadReceivedAt, HeadSeq, HeadSentAt, HeadOrder, HeadIndex, HeadSignal, HeadBattery, HeadDecoder, HeadClock, HeadKind,
	HeadRawKind, HeadCache, HeadInterval, HeadBuffer, HeadConfig, HeadState, HeadStateMask,
}

// rowState is what writing or reading a row needs of the rows before it in the part.
type rowState struct {
	started bool
	family  string
	serial  string
	// at is measured_at of the row before, step how far it was from the one before that of the same device.
	at, step int64
	// head has the newest value of each column, headAt is measured_at of the newest row that had any.
	head   [HeadCount]int64
	headAt int64
	first  slotState
	// more is there once a row of a part above 0 came.
	more *[3]slotState
}

// slotState is what is known of the rows before with the same part; parts above 3 count as 3.
type slotState struct {
	channels  []Channel
	mask      uint32
	vmask     uint8
	qmask     uint8
	forms     [Slots]uint8
	mantissas [Slots]int64
	qualities [Slots]int64
}

// slots gives the state for rows of a part.
func (s *rowState) slots(part int64) *slotState {
	if part <= 0 {
		return &s.first
	}
	if s.more == nil {
		s.more = new([3]slotState)
	}
	return &s.more[min(part, 3)-1]
}

// reset makes s as new and keeps its memory.
func (s *rowState) reset() {
	channels, more := s.first.channels[:0], s.more
	*s = rowState{more: more}
	s.first.channels = channels
	if more != nil {
		for i := range more {
			more[i] = slotState{channels: more[i].channels[:0]}
		}
	}
}

// append adds a row to b.
func (s *rowState) append(b []byte, d *Device, r *Row) []byte {
	at := len(b)
	b = append(b, 0)
	var flags byte
	if !s.started || d.Serial != s.serial || string(d.Family) != s.family {
		flags |= flagDevice
		s.started, s.family, s.serial, s.step = true, string(d.Family), d.Serial, 0
		b = appendText(b, s.family)
		b = appendText(b, s.serial)
	}
	if r.Variant != 0 || r.Part != 0 {
		flags |= flagKey
		b = binary.AppendVarint(b, r.Variant)
		b = binary.AppendVarint(b, r.Part)
	}
	b = binary.AppendVarint(b, int64(r.At)-s.expectAt(r.Part))
	s.moveAt(int64(r.At), r.Part)
	t := s.slots(r.Part)
	if !slices.Equal(t.channels, r.Channels) {
		flags |= flagChannels
		b = t.appendChannels(b, r.Channels)
	}
	var f byte
	b, f = s.appendHead(b, t, r)
	flags |= f
	b, f = t.appendSlots(b, r)
	b[at] = flags | f
	return b
}

// expectAt gives when a row is expected to have been measured.
func (s *rowState) expectAt(part int64) int64 {
	if part > 0 {
		return s.at // it belongs to the message before
	}
	return s.at + s.step
}

func (s *rowState) moveAt(at, part int64) {
	if d := at - s.at; part <= 0 && d != 0 {
		s.step = d
	}
	s.at = at
}

// appendChannels writes and keeps a list of channels. Values of other channels are no guide to these.
func (t *slotState) appendChannels(b []byte, channels []Channel) []byte {
	t.setChannels(append(t.channels[:0], channels...))
	b = binary.AppendUvarint(b, uint64(len(channels)))
	for i := range channels {
		c := &channels[i]
		b = binary.AppendVarint(b, int64(c.Number))
		b = appendText(b, c.Quantity)
		b = appendText(b, c.Unit)
	}
	return b
}

func (t *slotState) setChannels(channels []Channel) {
	t.channels = channels
	t.forms, t.mantissas = [Slots]uint8{}, [Slots]int64{}
}

// appendHead writes the head: which columns are there where that is new, which differ from what is expected, and by how much.
func (s *rowState) appendHead(b []byte, t *slotState, r *Row) (_ []byte, flags byte) {
	var mask uint32
	var delta [HeadCount]int64
	for i := range r.Head {
		if h := &r.Head[i]; h.Valid {
			mask |= 1 << i
			delta[i] = h.N - s.head[i]
		}
	}
	if mask != t.mask {
		flags |= flagHead
		t.mask = mask
		b = binary.AppendUvarint(b, uint64(mask))
	}
	if mask == 0 {
		return b, flags
	}
	delta[HeadOrder]--
	delta[HeadIndex] -= s.expectIndex(mask, delta[HeadSeq]) - s.head[HeadIndex]
	if moved := int64(r.At) - s.headAt; timesFollow(mask, &delta, moved) {
		flags |= flagTimes
	} else {
		delta[HeadSentAt] -= moved
		delta[HeadReceivedAt] -= moved
	}
	s.headAt = int64(r.At)
	var changed uint32
	for bit, i := range headOrder {
		if mask&(1<<i) != 0 {
			s.head[i] = r.Head[i].N
			if delta[i] != 0 {
				changed |= 1 << bit
			}
		}
	}
	b = binary.AppendUvarint(b, uint64(changed))
	for bit, i := range headOrder {
		if changed&(1<<bit) != 0 {
			b = binary.AppendVarint(b, delta[i])
		}
	}
	return b, flags
}

// expectIndex gives the place of a message in its upload that is expected: the next in the same upload, the first in another.
func (s *rowState) expectIndex(mask uint32, seqDelta int64) int64 {
	if mask&(1<<HeadSeq) != 0 && seqDelta == 0 {
		return s.head[HeadIndex] + 1
	}
	return 0
}

// timesFollow says whether the times of a row lie nearer to those of the row before than they lie, compared with that row, to
// measured_at. received_at decides, without it sent_at.
func timesFollow(mask uint32, delta *[HeadCount]int64, moved int64) bool {
	i := HeadReceivedAt
	if mask&(1<<i) == 0 {
		i = HeadSentAt
	}
	return mask&(1<<i) != 0 && zigzag(delta[i]) < zigzag(delta[i]-moved)
}

// zigzag gives n as a varint holds it: the nearer to 0, the less.
func zigzag(n int64) uint64 { return uint64(n)<<1 ^ uint64(n>>63) }

// appendSlots writes values and qualities.
func (t *slotState) appendSlots(b []byte, r *Row) (_ []byte, flags byte) {
	var vmask, qmask, differ uint8
	var forms [Slots]uint8
	var mantissas [Slots]int64
	for i := range Slots {
		if v := &r.Values[i]; v.Valid {
			vmask |= 1 << i
			forms[i], mantissas[i] = formOf(v.F, t.forms[i])
			if forms[i] != t.forms[i] {
				flags |= flagForms
			}
		}
		if q := &r.Qualities[i]; q.Valid {
			qmask |= 1 << i
			if q.N != t.qualities[i] {
				differ |= 1 << i
			}
		}
	}
	if vmask != t.vmask || qmask != t.qmask {
		flags |= flagSlots
		t.vmask, t.qmask = vmask, qmask
		b = append(b, vmask, qmask)
	}
	if flags&flagForms != 0 {
		for i := range Slots {
			if vmask&(1<<i) != 0 {
				b = append(b, forms[i])
			}
		}
	}
	for i := range Slots {
		if vmask&(1<<i) != 0 {
			b = t.appendValue(b, i, forms[i], mantissas[i])
		}
	}
	if differ == 0 {
		return b, flags
	}
	b = append(b, differ)
	for i := range Slots {
		if differ&(1<<i) != 0 {
			b = binary.AppendVarint(b, r.Qualities[i].N-t.qualities[i])
			t.qualities[i] = r.Qualities[i].N
		}
	}
	return b, flags | flagQualities
}

// appendValue writes a value in its form; under formRaw m holds its bits.
func (t *slotState) appendValue(b []byte, i int, form uint8, m int64) []byte {
	base := t.base(i, form)
	if form == formRaw {
		return binary.LittleEndian.AppendUint64(b, uint64(m))
	}
	t.mantissas[i] = m
	return binary.AppendVarint(b, m-base)
}

// base moves a slot to a form and gives what its mantissa is counted from: the one before of the same form, else 0.
func (t *slotState) base(i int, form uint8) int64 {
	if form != t.forms[i] {
		t.forms[i], t.mantissas[i] = form, 0
	}
	return t.mantissas[i]
}

// formOf gives the form of a value and its mantissa, or under formRaw its bits: the form of the value before where that holds it
// exactly, so that 21 among 20.9 and 21.1 is written as they are, else the one with the fewest decimals that does.
func formOf(v float64, before uint8) (form uint8, m int64) {
	if before != formRaw {
		if m, ok := mantissa(v, before); ok {
			return before, m
		}
	}
	for d := range uint8(len(powers)) {
		if m, ok := mantissa(v, d); ok {
			return d, m
		}
	}
	return formRaw, int64(math.Float64bits(v))
}

// mantissa gives v * 10^decimals, rounded to the nearest whole number, where dividing it by 10^decimals gives v to the bit.
func mantissa(v float64, decimals uint8) (int64, bool) {
	m := math.RoundToEven(v * powers[decimals])
	// Written so that what is no number is refused too.
	if !(m >= -maxMantissa && m <= maxMantissa) {
		return 0, false
	}
	// By way of the whole number, for minus zero has none.
	n := int64(m)
	return n, math.Float64bits(float64(n)/powers[decimals]) == math.Float64bits(v)
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
