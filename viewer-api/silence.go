package viewerapi

import (
	"halley"
	"halley/server/live"
)

// silence says whether a device is silent at now, and since when: when it was heard last, 0 where it never was. Only of
// accepted devices anything is awaited.
func silence(d halley.Device, m LiveMessage, known bool, now halley.Millis) (silent bool, since halley.Millis) {
	switch {
	case d.State != halley.DeviceAccepted:
		return false, 0
	case !known:
		return true, 0
	case now >= live.SilentAfter(m.HeardAt, m.Interval, m.Buffer):
		return true, m.HeardAt
	}
	return false, 0
}
