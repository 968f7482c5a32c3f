package viewerapi

import (
	"math"

	"halley/storage"
)

// The units between which values are converted.
const (
	celsius    = "°C"
	fahrenheit = "°F"
)

// conversion turns values of one unit into another: times factor, plus offset. The zero conversion leaves them as they are.
type conversion struct{ factor, offset float64 }

// converted gives the conversion from one unit to another; ok is false where there is none.
func converted(from, to string) (c conversion, ok bool) {
	switch {
	case from == to:
		return conversion{}, true
	case from == celsius && to == fahrenheit:
		return conversion{factor: 9.0 / 5, offset: 32}, true
	case from == fahrenheit && to == celsius:
		return conversion{factor: 5.0 / 9, offset: -32 * 5.0 / 9}, true
	}
	return conversion{}, false
}

// same says that nothing changes.
func (c conversion) same() bool { return c.factor == 0 }

// of converts a value. Of the digits that come of computing it keeps nine, so that 20.3 °C is 68.54 °F and not 68.53999999999999.
func (c conversion) of(v float64) float64 {
	if c.same() {
		return v
	}
	return significant(v*c.factor + c.offset)
}

// bucket converts a bucket.
func (c conversion) bucket(b storage.Bucket) storage.Bucket {
	if c.same() {
		return b
	}
	b.Min, b.Max = c.of(b.Min), c.of(b.Max)
	b.Sum = b.Sum*c.factor + c.offset*float64(b.Count)
	return b
}

// significant rounds to a billionth, where v is not so large that it has no such digits.
func significant(v float64) float64 {
	const scale = 1e9
	if math.Abs(v) > 1e6 {
		return v
	}
	return math.Round(v*scale) / scale
}
