package completeness

import (
	"cmp"
	"context"
	"slices"

	"halley"
	"halley/storage"
)

// PlaceStore is what the package reads of a store for a place; storage.Store has these methods.
type PlaceStore interface {
	Series
	Explanations
	// Attachments lists which channels were at a place; see storage.Attachments.
	Attachments(ctx context.Context, place halley.PlaceID, from, to halley.Millis) ([]storage.Attachment, error)
}

// PlaceQuery asks for the completeness of a place.
type PlaceQuery struct {
	Place halley.PlaceID
	// From, To and Now are as in Period.
	From, To, Now halley.Millis
	Servers       []Server
	// Family gives the family of a device; ok is false where it is not known.
	Family func(id halley.DeviceID) (f halley.Family, ok bool)
	// Held gives what Period.Held is of a device.
	Held func(ctx context.Context, id halley.DeviceID, from, to halley.Millis) ([]halley.Millis, error)
}

// OfPlace gives the report on a place: of each device what it was to send while at least one of its channels was at the place. So
// each sensor of a swap counts up to it, or from it on.
func OfPlace(ctx context.Context, s PlaceStore, q PlaceQuery) (Report, error) {
	if err := checkPeriod(q.From, q.To); err != nil {
		return Report{}, err
	}
	attached, err := s.Attachments(ctx, q.Place, q.From, q.To)
	if err != nil {
		return Report{}, err
	}
	total := Report{From: q.From, To: q.To}
	for _, d := range stays(attached, q.From, q.To) {
		if err := total.addDevice(ctx, s, &q, d); err != nil {
			return Report{}, err
		}
	}
	slices.SortStableFunc(total.Gaps, func(x, y Gap) int { return cmp.Compare(x.From, y.From) })
	for len(total.Gaps) > MaxGaps {
		total.Gaps = merge(total.Gaps)
	}
	total.Expected = total.Received + total.Missing
	return total, nil
}

// stay is when a device was at a place.
type stay struct {
	device halley.DeviceID
	spans  []halley.Span
}

// stays gives the devices of some attachments, by id, with the spans in which any of their channels was attached.
func stays(attached []storage.Attachment, from, to halley.Millis) []stay {
	spans := map[halley.DeviceID][]halley.Span{}
	for _, a := range attached {
		spans[a.Device] = append(spans[a.Device], halley.Span{From: max(a.From, from), To: min(a.To, to)})
	}
	list := make([]stay, 0, len(spans))
	for device, all := range spans {
		if all = halley.UniteSpans(all...); len(all) > 0 {
			list = append(list, stay{device, all})
		}
	}
	slices.SortFunc(list, func(a, b stay) int { return cmp.Compare(a.device, b.device) })
	return list
}

// addDevice adds what a device was to send while it was at the place.
func (r *Report) addDevice(ctx context.Context, s PlaceStore, q *PlaceQuery, d stay) error {
	family, ok := q.Family(d.device)
	if !ok {
		return &halley.Error{
			Kind: halley.Unavailable, Op: "count the completeness", Code: "device-not-known-yet",
			Message: "this server does not know a device of the place yet: ask again in a moment",
		}
	}
	for _, span := range d.spans {
		p := Period{Family: family, From: span.From, To: span.To, Now: q.Now}
		if err := p.Explain(ctx, s, d.device, q.Servers); err != nil {
			return err
		}
		held, err := q.Held(ctx, d.device, span.From, span.To)
		if err != nil {
			return err
		}
		p.Held = held
		part, err := count(ctx, s, d.device, p)
		if err != nil {
			return err
		}
		r.Received, r.Late, r.Missing = r.Received+part.Received, r.Late+part.Late, r.Missing+part.Missing
		r.Uncertain, r.Extra = r.Uncertain+part.Uncertain, r.Extra+part.Extra
		r.Gaps = append(r.Gaps, part.Gaps...)
	}
	// Duplicates and conflicts are counted by whole days, and each day of the device once.
	for _, days := range wholeDays(d.spans) {
		duplicates, conflicts, err := s.Tally(ctx, d.device, days.From, days.To)
		if err != nil {
			return err
		}
		r.Duplicates, r.Conflicts = r.Duplicates+duplicates, r.Conflicts+conflicts
	}
	return nil
}

// wholeDays gives the UTC days that some spans touch.
func wholeDays(spans []halley.Span) []halley.Span {
	days := make([]halley.Span, 0, len(spans))
	for _, s := range spans {
		days = append(days, halley.Span{From: s.From.Floor(halley.Day), To: (s.To - 1).Floor(halley.Day) + halley.Day})
	}
	return halley.UniteSpans(days...)
}
