package viewerapi

import (
	"cmp"
	"slices"

	"halley"
	"halley/server/directory"
)

// deviceName gives the name of a device to those who may see it where it is now; others know it by its serial number.
func deviceName(rights directory.Rights, d *halley.Device) string {
	if rights.AtDevice(halley.PermitDeviceRead, d.ID) {
		return d.Name
	}
	return d.Serial
}

// span is a time, half-open.
type span struct{ from, to halley.Millis }

// deviceSpans gives when in [from, to) a device was where a permission is held: the times in which any of its channels was. A device that
// has never had a channel is where it is now.
func deviceSpans(rights directory.Rights, p halley.Permission, device halley.DeviceID, in span) []span {
	if rights.Everywhere(p) {
		return []span{in}
	}
	channels := rights.State().DeviceChannels(device)
	if len(channels) == 0 && rights.AtDevice(p, device) {
		return []span{in}
	}
	var all []span
	for _, c := range channels {
		for _, s := range rights.Spans(p, c, in.from, in.to) {
			all = append(all, span{s.From, s.To})
		}
	}
	return united(all)
}

// united sorts spans and joins those that touch.
func united(all []span) []span {
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	joined := all[:0]
	for _, s := range all {
		if n := len(joined); n > 0 && s.from <= joined[n-1].to {
			joined[n-1].to = max(joined[n-1].to, s.to)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// touched says whether any of some spans has an instant in common with s.
func (s span) touches(spans []span) bool {
	return slices.ContainsFunc(spans, func(o span) bool { return s.from < o.to && o.from < s.to })
}

// inside says whether s lies in one of some spans that do not touch each other.
func (s span) inside(spans []span) bool {
	return slices.ContainsFunc(spans, func(o span) bool { return s.from >= o.from && s.to <= o.to })
}

// day gives a UTC day, counted from 1970.
func daySpan(day int64) span {
	from := halley.Millis(day) * halley.Day
	return span{from, from + halley.Day}
}
