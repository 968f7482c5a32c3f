package halley

import "time"

// Millis is an instant: milliseconds since 1970-01-01T00:00:00Z. Zero means "not known"; the instants that Halley stores
// lie in [EarliestMillis, LatestMillis).
type Millis int64

// The bounds of what both stores hold (years 2000 to 2100).
const (
	// EarliestMillis is 2000-01-01T00:00:00Z, the first instant that can be stored.
	EarliestMillis Millis = 946_684_800_000
	// LatestMillis is 2100-01-01T00:00:00Z, the first instant that can no longer be stored.
	LatestMillis Millis = 4_102_444_800_000
)

// Lengths of time in milliseconds, for arithmetic on Millis.
const (
	Second Millis = 1000
	Minute        = 60 * Second
	Hour          = 60 * Minute
	Day           = 24 * Hour
)

// timeLayout prints an instant as RFC 3339 in UTC with exactly three decimals, so that texts sort like instants.
const timeLayout = "2006-01-02T15:04:05.000Z"

// MillisOf converts t, rounding down to whole milliseconds. The zero time.Time gives zero.
func MillisOf(t time.Time) Millis {
	if t.IsZero() {
		return 0
	}
	return Millis(t.UnixMilli())
}

// Time converts m to UTC. Zero gives the zero time.Time.
func (m Millis) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// String gives RFC 3339 UTC with milliseconds, such as "2026-11-21T13:16:00.000Z"; zero gives "".
func (m Millis) String() string {
	if m == 0 {
		return ""
	}
	return m.Time().Format(timeLayout)
}

// Storable says whether both stores can hold m.
func (m Millis) Storable() bool { return m >= EarliestMillis && m < LatestMillis }

// Floor gives the start of the step that holds m, counted from 1970-01-01T00:00:00Z. The step must be positive.
func (m Millis) Floor(step Millis) Millis {
	r := m % step
	if r < 0 {
		r += step
	}
	return m - r
}

// Ceil gives the first start of a step that is not before m.
func (m Millis) Ceil(step Millis) Millis {
	f := m.Floor(step)
	if f < m {
		f += step
	}
	return f
}

// ParseMillis reads an RFC 3339 time with any offset and up to nanosecond precision, rounding down.
func ParseMillis(s string) (Millis, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, &Error{Kind: Invalid, Op: "parse a time", Message: "write a time as 2026-11-21T14:16:00Z or with an offset", Err: err}
	}
	return Millis(t.UnixMilli()), nil
}
