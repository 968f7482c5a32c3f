package sqlkit

import (
	"context"
	"slices"

	"halley"
)

const selectNextMessage = `
SELECT COALESCE(MIN(measured_at), 0) FROM message WHERE device_id = @device AND measured_at > @at`

// newLayout makes the layout of a message, and the channels in it that are new.
func (a *appender) newLayout(ctx context.Context, r *report) error {
	l := &layout{channels: make([]*channel, 0, len(r.m.Readings))}
	for i := range r.m.Readings {
		ch, err := a.channel(ctx, r, &r.m.Readings[i])
		if err != nil {
			return err
		}
		l.channels = append(l.channels, ch)
	}
	var err error
	if l.id, err = a.nextID(ctx, "layout"); err != nil {
		return err
	}
	a.add(factLayout, l.id, int64(r.d.id))
	for i, ch := range l.channels {
		a.add(factLayoutSlot, l.id, int64(i/SlotCount), int64(i%SlotCount+1), int64(ch.id))
	}
	r.d.layouts = append(r.d.layouts, l)
	r.d.last, r.layout = l, l
	return nil
}

// channel gives the channel of a reading and makes it where it is new.
func (a *appender) channel(ctx context.Context, r *report, rd *halley.Reading) (*channel, error) {
	key := channelKey{rd.Number, rd.Quantity, rd.Unit}
	if ch := r.d.channel(key); ch != nil {
		return ch, nil
	}
	id, err := a.nextID(ctx, "channel")
	if err != nil {
		return nil, err
	}
	ch := &channel{id: halley.ChannelID(id), key: key}
	a.add(factChannel, id, int64(r.d.id), int64(rd.Number), rd.Quantity, rd.Unit)
	a.addDated(ch, dated{from: r.at, name: rd.Name, decimals: rd.Decimals})
	if err := a.placeChannel(ctx, r, ch); err != nil {
		return nil, err
	}
	r.d.channels = append(r.d.channels, ch)
	a.out.DevicesChanged = true
	return ch, nil
}

// redescribe brings a message's name and decimals of a channel into the channel's dated rows. What holds at an instant is the
// newest row that is not after it, before the first row the first. A late message that says something else than held at its
// time, says so only up to the next message that is stored: what that one said goes on.
func (a *appender) redescribe(ctx context.Context, r *report, ch *channel, rd *halley.Reading) error {
	next := slices.IndexFunc(ch.dated, func(x dated) bool { return x.from > r.at })
	if next < 0 {
		next = len(ch.dated)
	}
	held := ch.dated[max(next-1, 0)]
	says := dated{from: r.at, name: rd.Name, decimals: rd.Decimals}
	if !rd.Quality.HasValue() {
		// The text of an error tells nothing of the decimals that values have.
		says.decimals = held.decimals
	}
	if held.name == says.name && held.decimals == says.decimals || held.from == r.at {
		return nil
	}
	a.addDated(ch, says)
	a.out.DevicesChanged = true
	if r.at >= r.d.newest {
		return nil
	}
	if err := a.flush(ctx); err != nil {
		return err
	}
	var after halley.Millis
	if _, err := a.one(ctx, []any{&after}, selectNextMessage, args("device", int64(r.d.id), "at", int64(r.at))...); err != nil {
		return err
	}
	if after == 0 || slices.ContainsFunc(ch.dated, func(x dated) bool { return x.from > r.at && x.from <= after }) {
		return nil
	}
	held.from = after
	a.addDated(ch, held)
	return nil
}

// addDated adds a dated row, in its place by time.
func (a *appender) addDated(ch *channel, x dated) {
	at := slices.IndexFunc(ch.dated, func(o dated) bool { return o.from > x.from })
	if at < 0 {
		at = len(ch.dated)
	}
	ch.dated = slices.Insert(ch.dated, at, x)
	a.add(factChannelDescription, int64(ch.id), int64(x.from), x.name, int64(x.decimals))
}
