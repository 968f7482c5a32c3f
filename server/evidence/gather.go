package evidence

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// gatherPlace finds the place, whose it was at the end of the period and which time zone counted there.
func (e *Evidence) gatherPlace(ctx context.Context) error {
	var data directory.Data
	var err error
	if data.Places, err = e.opts.Store.PlaceStates(ctx, e.req.Place-1, 1); err != nil {
		return fmt.Errorf("reading the place: %w", err)
	}
	if len(data.Places) == 0 || data.Places[0].ID != e.req.Place {
		return &halley.Error{Kind: halley.NotFound, Op: "gather the evidence", Message: "there is no such place: look it up in the list"}
	}
	if data.Organizations, err = e.opts.Store.Organizations(ctx); err != nil {
		return fmt.Errorf("reading the organizations: %w", err)
	}
	now := directory.New(&data)
	then := now.AsOf(e.req.To - 1)
	place, was := then.Place(e.req.Place)
	if !was {
		// A place that was made later can still hold what was measured before.
		then = now
		place, _ = now.Place(e.req.Place)
	}
	e.place, e.organization = place.Name, then.Path(place.OrganizationID)
	if root, _ := then.Organization(halley.RootOrganization); place.OrganizationID == root.ID {
		e.organization = root.Name
	}
	e.zone, e.zoneName = time.UTC, "UTC"
	if zone := then.Zone(place.OrganizationID); zone != e.zoneName {
		if loaded, err := time.LoadLocation(zone); err == nil {
			e.zone, e.zoneName = loaded, zone
		}
	}
	return nil
}

// gatherStays finds which channels were at the place, and what they were called.
func (e *Evidence) gatherStays(ctx context.Context) error {
	attached, err := e.opts.Store.Attachments(ctx, e.req.Place, e.req.From, e.req.To)
	if err != nil {
		return fmt.Errorf("reading what was attached to the place: %w", err)
	}
	for _, a := range attached {
		s := stay{Attachment: a, wholeFrom: a.From, wholeTo: a.To}
		s.From, s.To = max(a.From, e.req.From), min(a.To, e.req.To)
		if s.From >= s.To {
			continue
		}
		if s.channel, err = e.opts.Store.Channel(ctx, a.Channel); err != nil {
			return fmt.Errorf("reading a channel of the place: %w", err)
		}
		err = e.below(ctx, "channel_description", int64(a.Channel), func(d dated) {
			s.names = append(s.names, channelName{halley.Millis(d.number("from_at")), d.text("name"), d.number("decimals")})
		})
		if err != nil {
			return err
		}
		if len(s.names) > 0 {
			s.channel.Name = s.names[0].name // Before the first name the first one counts; the one of now may have been given elsewhere.
		}
		s.names = during(s.names, []halley.Span{{From: a.From, To: a.To}}, func(n channelName) halley.Millis { return n.from })
		e.stays = append(e.stays, s)
	}
	slices.SortStableFunc(e.stays, func(a, b stay) int {
		return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.channel.Number, b.channel.Number),
			cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.From, b.From))
	})
	return nil
}

// nameAt gives what the channel was called at an instant.
func (s *stay) nameAt(at halley.Millis) string {
	i, found := slices.BinarySearchFunc(s.names, at, func(n channelName, at halley.Millis) int { return cmp.Compare(n.from, at) })
	switch {
	case found:
		return s.names[i].name
	case i > 0:
		return s.names[i-1].name
	}
	return s.channel.Name
}

// gatherDevices reads the devices of the stays and what was said of them.
func (e *Evidence) gatherDevices(ctx context.Context) error {
	for i := range e.stays {
		s := &e.stays[i]
		if n := len(e.devices); n > 0 && e.devices[n-1].ID == s.Device {
			e.devices[n-1].spans = append(e.devices[n-1].spans, halley.Span{From: s.From, To: s.To})
			e.devices[n-1].there = append(e.devices[n-1].there, halley.Span{From: s.wholeFrom, To: s.wholeTo})
			continue
		}
		d := device{
			spans: []halley.Span{{From: s.From, To: s.To}}, there: []halley.Span{{From: s.wholeFrom, To: s.wholeTo}},
		}
		var err error
		if d.Device, err = e.opts.Store.Device(ctx, s.Device); err != nil {
			return fmt.Errorf("reading a device of the place: %w", err)
		}
		err = e.below(ctx, "device_description", int64(s.Device), func(r dated) {
			d.said = append(d.said, deviceName{
				at: halley.Millis(r.number("at")), state: r.text("state"), model: r.text("model"),
				name: cmp.Or(r.text("given_name"), r.text("self_name")),
			})
		})
		if err != nil {
			return err
		}
		e.simulated = e.simulated || d.Simulated
		e.devices = append(e.devices, d)
	}
	for i := range e.devices {
		d := &e.devices[i]
		d.spans, d.there = halley.UniteSpans(d.spans...), halley.UniteSpans(d.there...)
		all := d.said
		d.said = during(all, d.there, func(n deviceName) halley.Millis { return n.at })
		switch n := len(d.said); {
		case n > 0 && d.said[n-1] != all[len(all)-1]:
			// Name and model of now were given elsewhere.
			d.Name, d.Model = cmp.Or(d.said[n-1].name, d.Serial), d.said[n-1].model
		case n == 0 && len(d.there) > 0 && d.there[len(d.there)-1].To < halley.LatestMillis:
			d.Name = d.Serial // It was gone before anybody called it anything.
		}
	}
	return nil
}

// during keeps of dated things, by time, what was so at some time within spans.
func during[T any](list []T, spans []halley.Span, of func(T) halley.Millis) []T {
	var kept []T
	for i, x := range list {
		until := halley.LatestMillis + 1
		if i+1 < len(list) {
			until = of(list[i+1])
		}
		if (halley.Span{From: of(x), To: max(until, of(x)+1)}).Overlaps(spans) {
			kept = append(kept, x)
		}
	}
	return kept
}

// gatherLimits reads the limits of the place that were in force in the period.
func (e *Evidence) gatherLimits(ctx context.Context) error {
	t, err := factTable("limit")
	if err != nil {
		return err
	}
	var all []limit
	err = e.rows(ctx, t, nil, func(d dated) bool {
		if d.number("place_id") != int64(e.req.Place) || halley.Millis(d.number("from_at")) >= e.req.To {
			return true
		}
		l := limit{
			quantity: d.text("quantity"), unit: d.text("unit"), side: d.text("side"), rank: d.text("rank"),
			from: halley.Millis(d.number("from_at")), delay: halley.Millis(d.number("delay_ms")),
		}
		l.hysteresis, _ = d.float("hysteresis")
		if v, ok := d.float("value"); ok {
			l.value = &v
		}
		all = append(all, l)
		return true
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b limit) int {
		return cmp.Or(cmp.Compare(a.kind(), b.kind()), cmp.Compare(a.from, b.from))
	})
	for i, l := range all {
		// One that another replaced before the period was not in force in it.
		replaced := i+1 < len(all) && all[i+1].kind() == l.kind() && all[i+1].from <= e.req.From
		if !replaced && (l.value != nil || l.from > e.req.From) {
			e.limits = append(e.limits, l)
		}
	}
	return nil
}

// kind is what a later limit of the same kind replaces.
func (l *limit) kind() string {
	return l.quantity + "\x00" + l.unit + "\x00" + l.side + "\x00" + l.rank
}

// gatherExplanations reads when servers did not run, and what people said of missing messages.
func (e *Evidence) gatherExplanations(ctx context.Context) error {
	var err error
	if e.stops, err = e.opts.Store.Interruptions(ctx, e.req.From, e.req.To); err != nil {
		return fmt.Errorf("reading when servers did not run: %w", err)
	}
	for i := range e.devices {
		d := &e.devices[i]
		said, err := e.opts.Store.GapCauses(ctx, d.ID, e.req.From, e.req.To)
		if err != nil {
			return fmt.Errorf("reading what people said of missing messages: %w", err)
		}
		for _, g := range said {
			if (halley.Span{From: g.From, To: g.To}).Overlaps(d.there) {
				e.causes = append(e.causes, personalCause{g, d.Serial})
			}
		}
	}
	return nil
}

var _ Store = storage.Store(nil)
