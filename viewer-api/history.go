package viewerapi

import (
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

// deviceSpans gives when in a span a device was where a permission is held: the times in which any of its channels was. A device that
// has never had a channel is where it is now.
func deviceSpans(rights directory.Rights, p halley.Permission, device halley.DeviceID, in halley.Span) []halley.Span {
	if rights.Everywhere(p) {
		return []halley.Span{in}
	}
	channels := rights.State().DeviceChannels(device)
	if len(channels) == 0 && rights.AtDevice(p, device) {
		return []halley.Span{in}
	}
	var all []halley.Span
	for _, c := range channels {
		for _, s := range rights.Spans(p, c, in.From, in.To) {
			all = append(all, halley.Span{From: s.From, To: s.To})
		}
	}
	return halley.UniteSpans(all...)
}

// daySpan gives a UTC day, counted from 1970.
func daySpan(day int64) halley.Span {
	from := halley.Millis(day) * halley.Day
	return halley.Span{From: from, To: from + halley.Day}
}
