package cometjson

import (
	"time"

	"halley"
)

// stamp is a time as a device wrote it.
type stamp struct {
	at halley.Millis
	// zone says that the offset from UTC was given.
	zone bool
}

// parseStamp reads RFC 3339, such as "2026-03-15T15:17:21+01:00". A blank in the place of the T, an offset without its colon
// or minutes, and no offset at all (taken as UTC) are read, too.
func parseStamp(b []byte) (stamp, bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[13] != ':' || b[16] != ':' || (b[10] != 'T' && b[10] != ' ' && b[10] != 't') {
		return stamp{}, false
	}
	var n [6]int
	for i, at := range [...]int{0, 5, 8, 11, 14, 17} {
		width := 2
		if i == 0 {
			width = 4
		}
		v, ok := digits(b[at : at+width])
		if !ok || b[at] == '-' {
			return stamp{}, false
		}
		n[i] = int(v)
	}
	if n[1] < 1 || n[1] > 12 || n[2] < 1 || n[3] > 23 || n[4] > 59 || n[5] > 60 {
		return stamp{}, false
	}
	day := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], 0, 0, time.UTC)
	if day.Day() != n[2] {
		return stamp{}, false
	}
	rest, millis, ok := fraction(b[19:])
	if !ok {
		return stamp{}, false
	}
	offset, zone, ok := zoneOf(rest)
	at := halley.Millis(day.UnixMilli()) + halley.Millis(n[5])*halley.Second + millis - offset
	return stamp{at: at, zone: zone}, ok
}

// fraction reads ".123", rounding down to milliseconds, and gives what is behind it.
func fraction(b []byte) (rest []byte, millis halley.Millis, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return b, 0, true
	}
	i, unit := 1, halley.Millis(100)
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		millis += halley.Millis(b[i]-'0') * unit
		unit /= 10
	}
	return b[i:], millis, i > 1
}

// zoneOf reads "Z", "+01:00", "+0100", "+01" or nothing.
func zoneOf(b []byte) (offset halley.Millis, given, ok bool) {
	switch {
	case len(b) == 0:
		return 0, false, true
	case len(b) == 1 && (b[0] == 'Z' || b[0] == 'z'):
		return 0, true, true
	case b[0] != '+' && b[0] != '-':
		return 0, false, false
	}
	var hours, minutes []byte
	switch {
	case len(b) == 6 && b[3] == ':':
		hours, minutes = b[1:3], b[4:6]
	case len(b) == 5:
		hours, minutes = b[1:3], b[3:5]
	case len(b) == 3:
		hours, minutes = b[1:3], []byte("0")
	default:
		return 0, false, false
	}
	h, okHours := digits(hours)
	m, okMinutes := digits(minutes)
	if !okHours || !okMinutes || hours[0] == '-' || minutes[0] == '-' || h > 23 || m > 59 {
		return 0, false, false
	}
	offset = halley.Millis(h)*halley.Hour + halley.Millis(m)*halley.Minute
	if b[0] == '-' {
		offset = -offset
	}
	return offset, true, true
}

// appendStamp appends a time as these devices write it, with UTC as its offset and a fraction only where there is one. Zero is
// written as 1970-01-01T00:00:00+00:00.
func appendStamp(b []byte, m halley.Millis) []byte {
	return time.UnixMilli(int64(m)).UTC().AppendFormat(b, "2006-01-02T15:04:05.999-07:00")
}
