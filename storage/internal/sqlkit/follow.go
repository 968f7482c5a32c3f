package sqlkit

import (
	"context"
	"slices"

	"halley"
)

// A device that changes the unit of a channel ends that channel and begins another one. The place where the old one is goes on with
// the new one from that instant, in the same series where the quantity is the same.

// before gives the channel that a channel of the message takes over from: one of the device's newest message with the same number
// that the message does not have, if possible of the same quantity. It is nil where there is none.
func (r *report) before(ch *channel) *channel {
	newest := r.d.layoutByID(r.d.newestLayout)
	if newest == nil {
		return nil
	}
	var found *channel
	for _, o := range newest.channels {
		if o == ch || o.key.number != ch.key.number || (found != nil && found.key.quantity == ch.key.quantity) {
			continue
		}
		goesOn := slices.ContainsFunc(r.m.Readings, func(rd halley.Reading) bool {
			return rd.Number == o.key.number && rd.Quantity == o.key.quantity && rd.Unit == o.key.unit
		})
		if !goesOn {
			found = o
		}
	}
	return found
}

// placeChannel puts a channel that is new where the one is that it takes over from, else where the device is.
func (a *appender) placeChannel(ctx context.Context, r *report, ch *channel) error {
	if old := r.before(ch); old != nil {
		s, err := a.stays(ctx, r.d.id)
		if err != nil {
			return err
		}
		return a.takeOver(ctx, r, ch, s.at(old.id, r.at), old)
	}
	if r.d.place == 0 {
		return nil
	}
	if err := a.learnSince(ctx, r.d); err != nil {
		return err
	}
	_, err := a.attachAt(ctx, halley.Attachment{ChannelID: ch.id, PlaceID: r.d.place, From: r.d.since}, 0)
	return err
}

// takeOver attaches a channel from the message on where the one is that it takes over from.
func (a *appender) takeOver(ctx context.Context, r *report, ch *channel, there halley.Attachment, old *channel) error {
	if there.PlaceID == 0 {
		return nil
	}
	to := halley.Attachment{ChannelID: ch.id, PlaceID: there.PlaceID, From: r.at}
	if old.key.quantity == ch.key.quantity {
		to.Series = there.Series
	}
	_, err := a.attachAt(ctx, to, 0)
	return err
}

// learnSince finds out from when new channels of a device belong to its place: from when the others do, so that late data belong to
// the place of then. Those of a device that was put there by its acceptance belong to it from the beginning.
func (a *appender) learnSince(ctx context.Context, d *device) error {
	if d.since != 0 {
		return nil
	}
	d.since = halley.EarliestMillis
	if len(d.channels) == 0 {
		return nil
	}
	s, err := a.stays(ctx, d.id)
	if err != nil {
		return err
	}
	first := halley.LatestMillis
	for _, ch := range d.channels {
		if here := s.last(ch.id); here.PlaceID == d.place && d.isOpen(ch.id) {
			first = min(first, here.From)
		}
	}
	if first != halley.LatestMillis {
		d.since = first
	}
	return nil
}

// follow puts the channels that a device sends again where those are that they take over from. Channels that are new are there
// already.
func (a *appender) follow(ctx context.Context, r *report) error {
	var s stays
	for _, ch := range r.layout.channels {
		old := r.before(ch)
		if old == nil {
			continue
		}
		if s == nil {
			var err error
			if s, err = a.stays(ctx, r.d.id); err != nil {
				return err
			}
		}
		there := s.at(old.id, r.at)
		if there.PlaceID == s.at(ch.id, r.at).PlaceID {
			continue
		}
		if err := a.takeOver(ctx, r, ch, there, old); err != nil {
			return err
		}
	}
	return nil
}
