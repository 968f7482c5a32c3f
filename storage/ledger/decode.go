package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"halley"
)

// ErrForm says that bytes are not in a form that this package writes: they were damaged, or a newer program wrote them.
var ErrForm = errors.New("the ledger's bytes cannot be read")

// Decoder reads rows from the canonical bytes of a part. It is for one goroutine, and takes no more memory than a row needs,
// whatever the bytes are.
type Decoder struct {
	in     cursor
	state  rowState
	device Device
	row    Row
	begun  bool
}

// NewDecoder reads from canonical bytes, which must stay as they are meanwhile. No bytes are a part without rows.
func NewDecoder(canonical []byte) *Decoder { return &Decoder{in: cursor{rest: canonical}} }

// Next gives the next row with its device, whose ID is 0. The row is the Decoder's own and is valid until the next call; its
// Channels can be kept. io.EOF is the end; any other error is an ErrForm.
func (d *Decoder) Next() (Device, *Row, error) {
	if !d.begun {
		d.begun = true
		if len(d.in.rest) > 0 && d.in.byte() != rowFormat {
			return Device{}, nil, fmt.Errorf("%w: unknown version", ErrForm)
		}
	}
	if d.in.bad {
		return Device{}, nil, fmt.Errorf("%w: a row is damaged", ErrForm)
	}
	if len(d.in.rest) == 0 {
		return Device{}, nil, io.EOF
	}
	d.read()
	if d.in.bad {
		return Device{}, nil, fmt.Errorf("%w: a row is damaged", ErrForm)
	}
	return d.device, &d.row, nil
}

func (d *Decoder) read() {
	s, in, r := &d.state, &d.in, &d.row
	flags := in.byte()
	if flags&flagDevice != 0 {
		d.device = Device{Family: halley.Family(in.bytes()), Serial: string(in.bytes())}
		s.started, s.step = true, 0
	} else if !s.started {
		in.fail()
	}
	*r = Row{}
	if flags&flagKey != 0 {
		r.Variant, r.Part = in.varint(), in.varint()
	}
	at := in.varint() + s.expectAt(r.Part)
	s.moveAt(at, r.Part)
	r.At = halley.Millis(at)
	if in.bad {
		return
	}
	t := s.slots(r.Part)
	if flags&flagChannels != 0 {
		d.readChannels(t)
	}
	r.Channels = t.channels
	d.readHead(t, flags)
	d.readSlots(t, flags)
}

func (d *Decoder) readChannels(t *slotState) {
	n := d.in.uvarint()
	if n > Slots {
		d.in.fail()
		return
	}
	channels := make([]Channel, n)
	for i := range channels {
		number := d.in.varint()
		channels[i] = Channel{Number: int(number), Quantity: string(d.in.bytes()), Unit: string(d.in.bytes())}
	}
	t.setChannels(channels)
}

func (d *Decoder) readHead(t *slotState, flags byte) {
	s, in, r := &d.state, &d.in, &d.row
	if flags&flagHead != 0 {
		t.mask = in.mask(HeadCount)
	}
	if t.mask == 0 {
		return
	}
	changed := in.mask(HeadCount)
	var delta [HeadCount]int64
	for bit, i := range headOrder {
		if changed&(1<<bit) == 0 {
			continue
		}
		if t.mask&(1<<i) == 0 {
			in.fail()
		}
		delta[i] = in.varint()
	}
	delta[HeadIndex] += s.expectIndex(t.mask, delta[HeadSeq]) - s.head[HeadIndex]
	delta[HeadOrder]++
	if flags&flagTimes == 0 {
		moved := int64(r.At) - s.headAt
		delta[HeadSentAt] += moved
		delta[HeadReceivedAt] += moved
	}
	s.headAt = int64(r.At)
	for i := range r.Head {
		if t.mask&(1<<i) != 0 {
			s.head[i] += delta[i]
			r.Head[i] = Int{N: s.head[i], Valid: true}
		}
	}
}

func (d *Decoder) readSlots(t *slotState, flags byte) {
	in := &d.in
	if flags&flagSlots != 0 {
		t.vmask, t.qmask = in.byte(), in.byte()
	}
	forms := t.forms
	if flags&flagForms != 0 {
		for i := range Slots {
			if t.vmask&(1<<i) != 0 {
				if forms[i] = in.byte(); forms[i] > formRaw {
					in.fail()
					return
				}
			}
		}
	}
	for i := range Slots {
		if t.vmask&(1<<i) != 0 {
			d.row.Values[i] = Float{F: d.readValue(t, i, forms[i]), Valid: true}
		}
	}
	if flags&flagQualities != 0 {
		differ := in.byte()
		if differ&^t.qmask != 0 {
			in.fail()
		}
		for i := range Slots {
			if differ&(1<<i) != 0 {
				t.qualities[i] += in.varint()
			}
		}
	}
	for i := range Slots {
		if t.qmask&(1<<i) != 0 {
			d.row.Qualities[i] = Int{N: t.qualities[i], Valid: true}
		}
	}
}

func (d *Decoder) readValue(t *slotState, i int, form uint8) float64 {
	base := t.base(i, form)
	if form == formRaw {
		return math.Float64frombits(d.in.uint64())
	}
	m := base + d.in.varint()
	if m > maxMantissa || m < -maxMantissa {
		d.in.fail()
	}
	t.mantissas[i] = m
	return float64(m) / powers[form]
}

// cursor reads values from the front of rest. Once something does not fit, bad stays true and all values are zero.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) fail() { c.bad, c.rest = true, nil }

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.rest)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

// mask reads a set of so many bits.
func (c *cursor) mask(bits int) uint32 {
	v := c.uvarint()
	if v >= 1<<bits {
		c.fail()
		return 0
	}
	return uint32(v)
}

func (c *cursor) byte() byte {
	if len(c.rest) == 0 {
		c.fail()
		return 0
	}
	v := c.rest[0]
	c.rest = c.rest[1:]
	return v
}

func (c *cursor) uint64() uint64 {
	if len(c.rest) < 8 {
		c.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(c.rest)
	c.rest = c.rest[8:]
	return v
}

// bytes reads a length and so many bytes, which are part of what is read.
func (c *cursor) bytes() []byte {
	n := c.uvarint()
	if n > uint64(len(c.rest)) {
		c.fail()
		return nil
	}
	v := c.rest[:n:n]
	c.rest = c.rest[n:]
	return v
}
