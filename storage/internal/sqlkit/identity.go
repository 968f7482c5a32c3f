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

// hasIdentity says whether the message may be known by the device's own sample time.
func hasIdentity(r *report) bool {
	return floating(r) || r.d.unclocked && r.d.key.Family != halley.WebSensor && r.m.Clock != halley.ClockNone
}

const (
	selectUnclocked = `
SELECT measured_at, variant
  FROM unclocked
 WHERE device_id = @device AND sample_sent = @sample AND order_no = @order AND config = @config AND raw_kind = @kind`

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
	place, found, err := a.whereStored(ctx, identity(r))
	if err != nil {
		return false, err
	}
	if found {
		return true, a.compare(ctx, r, place)
	}
	if r.m.Clock != halley.ClockNotValid {
		return false, nil
	}
	list, err := a.occupants(ctx, r.d, r.m.Sample)
	for _, o := range list {
		if o.clock == int64(halley.ClockValid) && o.sent(r.m) {
			return true, a.compare(ctx, r, Place{int64(r.m.Sample), o.variant})
		}
	}
	return false, err
}

func identity(r *report) Identity {
	return Identity{int64(r.d.id), int64(r.m.Sample), r.m.Order, int64(r.m.Config), int64(r.m.RawKind)}
}

// whereStored looks an identity up.
func (a *appender) whereStored(ctx context.Context, id Identity) (Place, bool, error) {
	if place, found := a.kept[id]; found {
		return place, true, nil
	}
	if place, found, known := a.bulk.Stored(id); known {
		return place, found, nil
	}
	if err := a.flush(ctx); err != nil {
		return Place{}, false, err
	}
	var place Place
	found, err := a.one(ctx, []any{&place.At, &place.Variant}, selectUnclocked, args("device", id.Device, "sample", id.Sample,
		"order", id.Order, "config", id.Config, "kind", id.Kind)...)
	return place, found, err
}

// keepIdentity remembers a message by the device's own sample time.
func (a *appender) keepIdentity(r *report) error {
	r.d.unclocked = true
	id := identity(r)
	a.kept[id] = Place{int64(r.at), r.variant}
	return a.bulk.Put(Unclocked, id.Device, id.Sample, id.Order, id.Config, id.Kind, int64(r.at), r.variant)
}

// repeat looks for the message among those of its instant and counts it where it is there. Where it is not, r.variant is the
// next free one.
func (a *appender) repeat(ctx context.Context, r *report) (bool, error) {
	list, err := a.occupants(ctx, r.d, r.at)
	if err != nil {
		return false, err
	}
	for _, o := range list {
		if o.is(r) {
			return true, a.compare(ctx, r, Place{int64(r.at), o.variant})
		}
		r.variant = o.variant + 1
	}
	return false, nil
}

// occupants gives the messages of a device at an instant.
func (a *appender) occupants(ctx context.Context, d *device, at halley.Millis) ([]occupant, error) {
	if at > d.newest {
		return nil, nil
	}
	var list []occupant
	if rows, known := a.bulk.Held(Instant{int64(d.id), int64(at)}); known {
		for i := range rows {
			if rows[i].Part == 0 {
				list = append(list, occupantOf(&rows[i]))
			}
		}
		return list, nil
	}
	if err := a.flush(ctx); err != nil {
		return nil, err
	}
	err := a.each(ctx, func(scan func(...any) error) error {
		var o occupant
		err := scan(&o.variant, &o.seq, &o.index, &o.clock, &o.received, &o.order, &o.config, &o.kind)
		list = append(list, o)
		return err
	}, selectOccupants, args("device", int64(d.id), "at", int64(at))...)
	return list, err
}

// occupantOf takes an occupant from a whole row; the numbers are places in HeadColumns.
func occupantOf(r *Row) occupant {
	n := func(column int) int64 { return headInt(r, column).Int64 }
	return occupant{
		variant: n(2), seq: n(6), index: n(7), clock: n(9), received: n(11),
		order: headInt(r, 12), config: headInt(r, 18), kind: headInt(r, 14),
	}
}

func headInt(r *Row, column int) sql.NullInt64 {
	v, ok := r.Head[column].(int64)
	return sql.NullInt64{Int64: v, Valid: ok}
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
func (a *appender) compare(ctx context.Context, r *report, place Place) error {
	stored, err := a.storedValues(ctx, r.d, place)
	if err != nil {
		return err
	}
	a.count(r, r.same(stored))
	return nil
}

// same says whether the message holds what is stored. It takes from stored what it has found. The reading of a probe that is not
// there belongs to the channel that it was stored under, which may not be the one that it would belong to now.
func (r *report) same(stored map[halley.ChannelID]storedValue) bool {
	if len(stored) != len(r.m.Readings) {
		return false
	}
	for i := range r.m.Readings {
		if unplugged(&r.said.Readings[i]) {
			continue
		}
		rd := &r.m.Readings[i]
		ch := r.d.channel(channelKey{rd.Number, rd.Quantity, rd.Unit})
		if ch == nil {
			return false
		}
		if v, there := stored[ch.id]; !there || !v.equal(rd, quality(r, rd)) {
			return false
		}
		delete(stored, ch.id)
	}
	for i := range r.said.Readings {
		rd := &r.said.Readings[i]
		if !unplugged(rd) {
			continue
		}
		found := false
		for id, v := range stored {
			if ch := r.d.channelByID(id); ch != nil && ch.key.number == rd.Number && v.equal(rd, quality(r, rd)) {
				delete(stored, id)
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
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

// storedValues gives the values of a stored message by channel.
func (a *appender) storedValues(ctx context.Context, d *device, place Place) (map[halley.ChannelID]storedValue, error) {
	values := map[halley.ChannelID]storedValue{}
	if rows, known := a.bulk.Held(Instant{int64(d.id), place.At}); known {
		for i := range rows {
			if headInt(&rows[i], 2).Int64 != place.Variant {
				continue
			}
			if err := d.addValues(values, valuesOf(&rows[i])); err != nil {
				return nil, err
			}
		}
		return values, nil
	}
	if err := a.flush(ctx); err != nil {
		return nil, err
	}
	err := a.each(ctx, func(scan func(...any) error) error {
		var row valueRow
		if err := scan(row.dest()...); err != nil {
			return err
		}
		return d.addValues(values, &row)
	}, selectStored, args("device", int64(d.id), "at", place.At, "variant", place.Variant)...)
	return values, err
}

// addValues adds the values of one row by channel.
func (d *device) addValues(values map[halley.ChannelID]storedValue, row *valueRow) error {
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
}

// valuesOf takes the values from a whole row.
func valuesOf(r *Row) *valueRow {
	w := &valueRow{layout: headInt(r, 5).Int64, part: int64(r.Part)}
	for i := range min(r.Slots, SlotCount) {
		v, hasValue := r.Values[2*i].(float64)
		q, there := r.Values[2*i+1].(int64)
		w.v[i], w.q[i] = sql.NullFloat64{Float64: v, Valid: hasValue}, sql.NullInt64{Int64: q, Valid: there}
	}
	return w
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
