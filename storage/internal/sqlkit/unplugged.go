package sqlkit

import (
	"slices"

	"halley"
)

// plugged gives the message with readings of unplugged probes put to the channels they belong to. A probe that is not there
// cannot say what it measures: the device sends its number with an error, no quantity and no unit. That is the same channel
// without a value, and no change of quantity.
func (d *device) plugged(m *halley.Message) *halley.Message {
	first := slices.IndexFunc(m.Readings, func(r halley.Reading) bool { return unplugged(&r) })
	if first < 0 {
		return m
	}
	// The message is shared with those who show it live, so a copy is changed.
	c := *m
	c.Readings = slices.Clone(m.Readings)
	for i := first; i < len(c.Readings); i++ {
		r := &c.Readings[i]
		if !unplugged(r) {
			continue
		}
		if ch := d.newestOf(r.Number, c.Readings); ch != nil {
			last := ch.dated[len(ch.dated)-1]
			r.Quantity, r.Unit, r.Name, r.Decimals = ch.key.quantity, ch.key.unit, last.name, last.decimals
		}
	}
	return &c
}

func unplugged(r *halley.Reading) bool {
	return !r.Quality.HasValue() && r.Quantity == "" && r.Unit == ""
}

// newestOf gives the device's newest channel with this number that says what it measures and that no reading has yet; nil
// where there is none.
func (d *device) newestOf(number int, readings []halley.Reading) *channel {
	var newest *channel
	for _, ch := range d.channels {
		key := ch.key
		if key.number != number || (key.quantity == "" && key.unit == "") || (newest != nil && ch.id < newest.id) {
			continue
		}
		taken := slices.ContainsFunc(readings, func(r halley.Reading) bool {
			return r.Number == key.number && r.Quantity == key.quantity && r.Unit == key.unit
		})
		if !taken {
			newest = ch
		}
	}
	return newest
}
