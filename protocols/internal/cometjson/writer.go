package cometjson

import (
	"strconv"

	"halley"
)

// Writer writes JSON piece by piece, for the simulator.
type Writer struct{ b []byte }

// Bytes gives what was written.
func (w *Writer) Bytes() []byte { return w.b }

// Put writes s as it is.
func (w *Writer) Put(s string) { w.b = append(w.b, s...) }

// Int writes what stands before a number, and the number.
func (w *Writer) Int(before string, v int64) {
	w.Put(before)
	w.b = strconv.AppendInt(w.b, v, 10)
}

// Text writes what stands before a text, and the text in quotes.
func (w *Writer) Text(before, s string) {
	w.Put(before)
	w.b = append(w.b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			w.b = append(w.b, '\\', c)
		case c < 0x20:
			const digits = "0123456789abcdef"
			w.b = append(w.b, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xF])
		default:
			w.b = append(w.b, c)
		}
	}
	w.b = append(w.b, '"')
}

// Alarms writes what stands before a pair, and the states of two alarms or their modes.
func (w *Writer) Alarms(before string, a1, a2 halley.AlarmMark, modes bool) {
	state1, mode1 := AlarmNumbers(a1)
	state2, mode2 := AlarmNumbers(a2)
	if modes {
		state1, state2 = mode1, mode2
	}
	w.Int(before+"[", int64(state1))
	w.Int(",", int64(state2))
	w.Put("]")
}

// Value writes what stands before a value, and the value in quotes. It says false where the value cannot be written.
func (w *Writer) Value(before string, r *halley.Reading) bool {
	w.Put(before + "\"")
	var ok bool
	w.b, ok = AppendValue(w.b, r.Value, r.Quality)
	w.Put("\"")
	return ok
}

// known writes a number that may be Unknown: nothing is written then.
func (w *Writer) known(before string, v int64) {
	if v != halley.Unknown {
		w.Int(before, v)
	}
}

func (w *Writer) stamp(before string, m halley.Millis) {
	w.Put(before + "\"")
	w.b = appendStamp(w.b, m)
	w.Put("\"")
}
