package viewerapi

import "halley"

// Time is an instant as the API writes it: RFC 3339 UTC with milliseconds, or null where it is not known.
type Time halley.Millis

// MarshalJSON writes the instant or null.
func (t Time) MarshalJSON() ([]byte, error) { return appendTime(nil, halley.Millis(t)), nil }

// appendTime appends the instant in quotes, or null.
func appendTime(b []byte, m halley.Millis) []byte {
	if m == 0 {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = m.Time().AppendFormat(b, rfc3339Millis)
	return append(b, '"')
}

// rfc3339Millis writes an instant as halley.Millis.String does.
const rfc3339Millis = "2006-01-02T15:04:05.000Z"
