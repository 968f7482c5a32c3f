// Package rollup sums values up and packs the sums. It is pure: it knows no database and no clock.
//
// There are three levels. A pack of level Hours holds the six ten-minute buckets of one hour, one of Days the 24 hours of one
// day, one of Blocks the days of 32 days. A bucket of a higher level is the sum of the buckets below it, in order of time, so
// that computing it again from the same samples gives the same bits.
package rollup

import "halley"

// Level is how much time a pack covers. The numbers are stored and never change.
type Level int

// The levels.
const (
	// Raw is no rollup: the samples themselves.
	Raw Level = 0
	// Hours has packs of one hour with buckets of ten minutes.
	Hours Level = 1
	// Days has packs of one day with buckets of one hour.
	Days Level = 2
	// Blocks has packs of 32 days, counted from 1970-01-01, with buckets of one day.
	Blocks Level = 3
)

// MaxSteps is the most buckets a pack of any level holds.
const MaxSteps = 32

// Step is the length of one bucket of the level; 0 for Raw.
func (l Level) Step() halley.Millis {
	switch l {
	case Hours:
		return 10 * halley.Minute
	case Days:
		return halley.Hour
	case Blocks:
		return halley.Day
	case Raw:
	}
	return 0
}

// Steps is how many buckets a pack of the level holds; 0 for Raw.
func (l Level) Steps() int {
	switch l {
	case Hours:
		return 6
	case Days:
		return 24
	case Blocks:
		return 32
	case Raw:
	}
	return 0
}

// Span is the length of the time that a pack covers; 0 for Raw.
func (l Level) Span() halley.Millis { return l.Step() * halley.Millis(l.Steps()) }

// Period gives the number of the pack that covers at, counted from 1970-01-01T00:00:00Z. The instant must not lie before it.
func (l Level) Period(at halley.Millis) int64 { return int64(at / l.Span()) }

// Start gives the first instant of a period.
func (l Level) Start(period int64) halley.Millis { return halley.Millis(period) * l.Span() }

// LevelFor gives the highest level whose buckets add up to buckets of this width; Raw where none does.
func LevelFor(width halley.Millis) Level {
	for l := Blocks; l > Raw; l-- {
		if width%l.Step() == 0 {
			return l
		}
	}
	return Raw
}

// Bucket sums up values. The zero Bucket is empty.
type Bucket struct {
	Count         int64
	Min, Max, Sum float64
}

// Add takes in one value, which must be finite.
func (b *Bucket) Add(v float64) {
	if b.Count == 0 {
		*b = Bucket{Count: 1, Min: v, Max: v, Sum: v}
		return
	}
	b.Count++
	b.Min = min(b.Min, v)
	b.Max = max(b.Max, v)
	b.Sum += v
}

// Merge takes in all of o's values.
func (b *Bucket) Merge(o Bucket) {
	switch {
	case o.Count == 0:
	case b.Count == 0:
		*b = o
	default:
		b.Count += o.Count
		b.Min = min(b.Min, o.Min)
		b.Max = max(b.Max, o.Max)
		b.Sum += o.Sum
	}
}

// Total merges buckets in order.
func Total(buckets []Bucket) Bucket {
	var t Bucket
	for _, b := range buckets {
		t.Merge(b)
	}
	return t
}
