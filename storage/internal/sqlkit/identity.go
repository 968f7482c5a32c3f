package sqlkit

import (
	"context"
	"database/sql"

	"halley"
)

// floating says whether the instant that a message is stored under depends on when it was received, so that a repeat lands on
// another one and must be found by the device's own sample time. Web sensors have no identity of their own: what is received
// is a message.
func floating(r *report) bool {
	if r.d.key.Family == halley.WebSensor {
		return false
	}
	return r.m.Clock == halley.ClockNotValid || r.m.Clock == halley.ClockLocalOrUTC
}

const (
	selectUnclocked = `
SELECT measured_at, variant
  FROM unclocked
 WHERE device_id = @device AND sample_sent = @sample AND order_no = @order AND config = @config AND raw_kind = @kind`

	insertUnclocked = `
INSERT INTO unclocked (device_id, sample_sent, order_no, config, raw_kind, measured_at, variant)
VALUES (@device, @sample, @order, @config, @kind, @at, @variant)`

	selectOccupants = `
SELECT variant, seq, idx, clock, received_at, order_no, config, raw_kind
  FROM message
 WHERE device_id = @device AND measured_at = @at AND part = 0
 ORDER BY variant`

	selectStored = `
SELECT layout_id, part, v1, q1, v2, q2, v3, q3, v4, q4, v5, q5, v6, q6, v7, q7, v8, q8
  FROM message
 WHERE device_id = @device AND measured_at = @at AND variant = @variant
 ORDER BY part`
)

// occupant is what a stored message is known by.
type occupant struct {
	variant, seq, index, clock, received int64
	order, config, kind                  sql.NullInt64
}

// unclockedRepeat looks for the message among those that are known by the device's own sample time, whatever its clock says
// now, and for one whose clock is not valid also among those stored while it was. It counts the message where it is found.
func (a *appender) unclockedRepeat(ctx context.Context, r *report) (bool, error) {
	if r.d.key.Family == halley.WebSensor || r.m.Clock == halley.ClockNone {
		return false, nil
	}
	var at, variant int64
	found, err := a.one(ctx, []any{&at, &variant}, selectUnclocked, identityArgs(r)...)
	if err != nil {
		return false, err
	}
	if found {
		return true, a.compare(ctx, r, halley.Millis(at), variant)
	}
	if r.m.Clock != halley.ClockNotValid {
		return false, nil
	}
	list, err := a.occupants(ctx, r.d.id, r.m.Sample)
	for _, o := range list {
		if o.clock == int64(halley.ClockValid) && o.sent(r.m) {
			return true, a.compare(ctx, r, r.m.Sample, o.variant)
		}
	}
	return false, err
}

func identityArgs(r *report) []any {
	return args("device", int64(r.d.id), "sample", int64(r.m.Sample), "order", r.m.Order, "config", int64(r.m.Config),
		"kind", int64(r.m.RawKind))
}

// keepIdentity remembers a message by the device's own sample time.
func (a *appender) keepIdentity(ctx context.Context, r *report) error {
	r.d.unclocked = true
	return a.exec(ctx, insertUnclocked, append(identityArgs(r), args("at", int64(r.at), "variant", r.variant)...)...)
}

// repeat looks for the message among those of its instant and counts it where it is there. Where it is not, r.variant is the
// next free one.
func (a *appender) repeat(ctx context.Context, r *report) (bool, error) {
	list, err := a.occupants(ctx, r.d.id, r.at)
	if err != nil {
		return false, err
	}
	for _, o := range list {
		if o.is(r) {
			return true, a.compare(ctx, r, r.at, o.variant)
		}
		r.variant = o.variant + 1
	}
	return false, nil
}

func (a *appender) occupants(ctx context.Context, id halley.DeviceID, at halley.Millis) ([]occupant, error) {
	var list []occupant
	err := a.each(ctx, func(scan func(...any) error) error {
		var o occupant
		err := scan(&o.variant, &o.seq, &o.index, &o.clock, &o.received, &o.order, &o.config, &o.kind)
		list = append(list, o)
		return err
	}, selectOccupants, args("device", int64(id), "at", int64(at))...)
	return list, err
}

// is says whether the occupant is the same message, received before.
func (o *occupant) is(r *report) bool {
	if o.clock != int64(r.m.Clock) && r.d.key.Family != halley.WebSensor {
		return false
	}
	switch {
	case r.d.key.Family == halley.WebSensor || r.m.Clock == halley.ClockNone:
		return o.received == int64(r.u.ReceivedAt) && o.seq == int64(r.u.Seq) && o.index == int64(r.index)
	case r.m.Clock == halley.ClockValid:
		return o.sent(r.m)
	}
	return false
}

// sent compares what the device itself numbers its messages by.
func (o *occupant) sent(m *halley.Message) bool {
	return known64(o.order) == m.Order && known64(o.config) == int64(m.Config) && known64(o.kind) == int64(m.RawKind)
}

func known64(n sql.NullInt64) int64 {
	if !n.Valid {
		return halley.Unknown
	}
	return n.Int64
}

// compare counts a repeat: as a duplicate where the stored message has the same values, else as a conflict.
func (a *appender) compare(ctx context.Context, r *report, at halley.Millis, variant int64) error {
	stored, err := a.storedValues(ctx, r.d, at, variant)
	if err != nil {
		return err
	}
	same := len(stored) == len(r.m.Readings)
	for i := 0; same && i < len(r.m.Readings); i++ {
		rd := &r.m.Readings[i]
		ch := r.d.channel(channelKey{rd.Number, rd.Quantity, rd.Unit})
		if same = ch != nil; same {
			v, there := stored[ch.id]
			same = there && v.equal(rd, quality(r, rd))
		}
	}
	a.count(r, same)
	return nil
}

// storedValue is one slot of a stored message.
type storedValue struct {
	v sql.NullFloat64
	q halley.Quality
}

// equal compares values and qualities; whether the device's clock was valid is no part of what it measured.
func (s storedValue) equal(rd *halley.Reading, q halley.Quality) bool {
	if s.q&^halley.ClockInvalid != q&^halley.ClockInvalid {
		return false
	}
	return s.v.Valid == q.HasValue() && (!s.v.Valid || s.v.Float64 == rd.Value)
}

func (a *appender) storedValues(ctx context.Context, d *device, at halley.Millis, variant int64) (map[halley.ChannelID]storedValue, error) {
	values := map[halley.ChannelID]storedValue{}
	err := a.each(ctx, func(scan func(...any) error) error {
		var row valueRow
		if err := scan(row.dest()...); err != nil {
			return err
		}
		l := d.layoutByID(row.layout)
		if l == nil {
			return errDamagedLayout
		}
		for i := range SlotCount {
			if slot := int(row.part)*SlotCount + i; row.q[i].Valid && slot < len(l.channels) {
				values[l.channels[slot].id] = storedValue{row.v[i], halley.Quality(row.q[i].Int64)}
			}
		}
		return nil
	}, selectStored, args("device", int64(d.id), "at", int64(at), "variant", variant)...)
	return values, err
}

// valueRow is one row of message as far as its values go.
type valueRow struct {
	layout, part int64
	v            [SlotCount]sql.NullFloat64
	q            [SlotCount]sql.NullInt64
}

// dest gives where to scan layout_id, part, v1, q1, ..., v8, q8.
func (w *valueRow) dest() []any {
	list := append(make([]any, 0, 2+2*SlotCount), &w.layout, &w.part)
	for i := range SlotCount {
		list = append(list, &w.v[i], &w.q[i])
	}
	return list
}
