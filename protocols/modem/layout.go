package modem

import (
	"slices"
	"strconv"

	"halley/protocols/internal/cometjson"
)

// field is one element of a message by its meaning. The names are those of the modem document.
type field uint8

// The elements of a message.
const (
	jsonType field = iota
	jsonVersion
	rssi
	timeNow
	orderID
	isAsync
	serial
	description
	kind
	sampleTime
	timezone
	interval
	intervalPower
	intervalBattery
	restarted
	bufferSize
	stateMask
	state
	config
	evaluationOff
	customer
	battery
	channels
	fields
)

// newest is the newest version that is documented.
const newest = 6

// layout is the order of the elements in one version.
type layout struct {
	version int64
	order   []field
}

// layouts gives all layouts, the newest first. No two have the same number of elements. Version 1 has that of version 2.
func layouts() []layout {
	return []layout{
		{newest, []field{
			jsonType, jsonVersion, rssi, timeNow, orderID, isAsync, serial, description, kind, sampleTime, timezone, intervalPower,
			intervalBattery, restarted, bufferSize, stateMask, state, config, evaluationOff, customer, battery, channels,
		}},
		{5, []field{
			jsonType, jsonVersion, rssi, orderID, isAsync, serial, description, kind, sampleTime, timezone, intervalPower,
			intervalBattery, restarted, bufferSize, stateMask, state, config, evaluationOff, customer, battery, channels,
		}},
		{4, []field{
			jsonType, jsonVersion, rssi, orderID, isAsync, serial, description, kind, sampleTime, timezone, intervalPower,
			intervalBattery, restarted, bufferSize, stateMask, state, config, evaluationOff, customer, channels,
		}},
		{3, []field{
			jsonType, jsonVersion, orderID, isAsync, serial, description, kind, sampleTime, timezone, interval,
			bufferSize, stateMask, state, config, evaluationOff, customer, channels,
		}},
		{2, []field{
			jsonType, jsonVersion, orderID, isAsync, serial, description, kind, sampleTime, timezone, interval,
			state, config, evaluationOff, customer, channels,
		}},
	}
}

// own gives the layout of a version.
func own(all []layout, version int64) (layout, bool) {
	for _, l := range all {
		if l.version == max(version, 2) {
			return l, true
		}
	}
	return layout{}, false
}

// place gives the index of a field; -1 where the layout has none.
func (l layout) place(f field) int { return slices.Index(l.order, f) }

// fits says whether the elements of a message can be those of the layout.
func (l layout) fits(elements []cometjson.Token) bool {
	if len(elements) != len(l.order) {
		return false
	}
	for i, f := range l.order {
		want := cometjson.Number
		switch f {
		case timeNow, description, sampleTime, customer:
			want = cometjson.Text
		case channels:
			want = cometjson.Array
		default:
		}
		switch got := elements[i].Kind; {
		case got == want:
		case want == cometjson.Number && (got == cometjson.True || got == cometjson.False):
		case got == cometjson.Null && f != channels && f != description && f != sampleTime:
		default:
			return false
		}
	}
	return true
}

// choose finds the layout of a message and says under which name it is to be written again. It is the version's own where the
// elements fit; else another, with a remark.
func choose(all []layout, version int64, elements []cometjson.Token, remarks *cometjson.Remarks) (l layout, form string, ok bool) {
	if l, ok = own(all, version); ok && l.fits(elements) {
		return l, formOf(version), true
	}
	for _, l = range all {
		if l.fits(elements) {
			remarks.Add("JsonVersion", "it is "+strconv.FormatInt(version, 10)+" but the message is laid out as version "+strconv.FormatInt(l.version, 10))
			return l, formOf(l.version), true
		}
	}
	return layout{}, "", false
}

// formPrefix stands before the number of the version in Upload.Form.
const formPrefix = "json-"

func formOf(version int64) string {
	return formPrefix + strconv.FormatInt(version, 10)
}
