package cometjson

import "halley"

// Pair is two whole numbers, for alarm 1 and alarm 2.
type Pair [2]int64

// ReadPair reads an array of two whole numbers from 0 to highest. What does not fit is 0, with a remark.
func (r *Reader) ReadPair(field string, highest int64, m *Remarks) Pair {
	var p Pair
	if r.Peek() != '[' {
		if t := r.Value(); t.Given() && r.err == nil {
			m.Add(field, "is not a list of two numbers")
		}
		return p
	}
	r.pos++
	fits := true
	n := 0
	for r.Next(']', &n) {
		t := r.Value()
		v, ok := t.Int(0, highest)
		fits = fits && ok && n <= len(p)
		if ok && n <= len(p) {
			p[n-1] = v
		}
	}
	r.Within(field)
	if r.err == nil && (!fits || n != len(p)) {
		m.Add(field, "is not a list of two numbers in their range")
	}
	return p
}

// AlarmMark gives the state of one alarm from its state (1 is an alarm) and its mode: 1 below the limit or on the low state, 2
// above the limit or on the high state.
func AlarmMark(state, mode int64) halley.AlarmMark {
	switch {
	case state == 0:
		return halley.AlarmNone
	case mode == 1:
		return halley.AlarmLow
	case mode == 2:
		return halley.AlarmHigh
	}
	return halley.AlarmActive
}

// AlarmNumbers is the reverse of AlarmMark.
func AlarmNumbers(a halley.AlarmMark) (state, mode int) {
	switch a {
	case halley.AlarmLow:
		return 1, 1
	case halley.AlarmHigh:
		return 1, 2
	case halley.AlarmActive:
		return 1, 0
	case halley.AlarmNone:
	}
	return 0, 0
}
