package viewerapi

import (
	"math"
	"strconv"

	"halley"
	"halley/storage"
)

// appendNumber appends a finite number as JSON and CSV have it: the shortest text that reads back to the same bits, with an
// exponent only where the number is very large or very small.
func appendNumber(b []byte, v float64) []byte {
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// qualityKey is what decides the words of a quality.
type qualityKey struct {
	quality halley.Quality
	late    bool
}

// sampleColumns gathers raw samples as the texts of JSON arrays, still without brackets: for a hundred thousand samples that
// is half the work of marshalling them.
type sampleColumns struct {
	start, previous       halley.Millis
	count                 int
	time, value, quality  []byte
	qualities             []string
	indexes               map[qualityKey]int
	lastKey               qualityKey
	lastIndex, wordsBytes int
}

// add appends samples, which come in order of time.
func (c *sampleColumns) add(page []storage.Sample) {
	for i := range page {
		s := &page[i]
		if c.count > 0 {
			c.time, c.value, c.quality = append(c.time, ','), append(c.value, ','), append(c.quality, ',')
		} else {
			c.start, c.previous = s.At, s.At
		}
		c.time = strconv.AppendInt(c.time, int64(s.At-c.previous), 10)
		c.previous = s.At
		if s.Quality.HasValue() {
			c.value = appendNumber(c.value, s.Value)
		} else {
			c.value = append(c.value, "null"...)
		}
		c.quality = strconv.AppendInt(c.quality, int64(c.index(qualityKey{s.Quality, s.Late})), 10)
		c.count++
	}
}

// index gives the place of a quality in the list of qualities. Neighbours mostly have the same.
func (c *sampleColumns) index(key qualityKey) int {
	if c.count > 0 && key == c.lastKey {
		return c.lastIndex
	}
	i, known := c.indexes[key]
	if !known {
		if c.indexes == nil {
			c.indexes = make(map[qualityKey]int)
		}
		i = len(c.qualities)
		words := key.quality.Words(key.late)
		c.qualities = append(c.qualities, words)
		c.wordsBytes += len(words)
		c.indexes[key] = i
	}
	c.lastKey, c.lastIndex = key, i
	return i
}

// json gives the whole answer. The words of qualities need no escaping.
func (c *sampleColumns) json(in samplesRequest, next string) []byte {
	const around = 400
	b := make([]byte, 0, len(c.time)+len(c.value)+len(c.quality)+c.wordsBytes+around)
	b = appendRange(b, in)
	b = append(b, `,"start":`...)
	b = appendTime(b, c.start)
	b = appendColumn(b, "time", c.time)
	b = appendColumn(b, "value", c.value)
	b = appendColumn(b, "quality", c.quality)
	b = append(b, `,"qualities":[`...)
	for i, words := range c.qualities {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, words)
	}
	b = append(b, `],"next":`...)
	if next == "" {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendQuote(b, next)
	}
	return appendEnd(b, in)
}

// appendRange begins an answer with the channel, or the series of a place, and the range asked for.
func appendRange(b []byte, in samplesRequest) []byte {
	b = append(b, `{"channel_id":`...)
	b = strconv.AppendInt(b, int64(in.channel), 10)
	if in.series != nil {
		b = append(b, `,"place_id":`...)
		b = strconv.AppendInt(b, int64(in.series.place), 10)
		b = append(b, `,"unit":`...)
		b = append(b, in.series.unit...)
	}
	b = append(b, `,"from":`...)
	b = appendTime(b, in.from)
	b = append(b, `,"to":`...)
	return appendTime(b, in.to)
}

// appendColumn appends a named array.
func appendColumn(b []byte, name string, values []byte) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":[`...)
	b = append(b, values...)
	return append(b, ']')
}

// bucketsJSON gives buckets as columns.
func bucketsJSON(in samplesRequest, width halley.Millis, buckets []storage.Bucket) []byte {
	var times, mins, means, maxs, counts []byte
	var start, previous halley.Millis
	for i := range buckets {
		k := &buckets[i]
		if i > 0 {
			times, mins, means = append(times, ','), append(mins, ','), append(means, ',')
			maxs, counts = append(maxs, ','), append(counts, ',')
		} else {
			start, previous = k.Start, k.Start
		}
		times = strconv.AppendInt(times, int64(k.Start-previous), 10)
		previous = k.Start
		mins = appendNumber(mins, k.Min)
		means = appendNumber(means, mean(k))
		maxs = appendNumber(maxs, k.Max)
		counts = strconv.AppendInt(counts, k.Count, 10)
	}
	const around = 400
	b := make([]byte, 0, len(times)+len(mins)+len(means)+len(maxs)+len(counts)+around)
	b = appendRange(b, in)
	b = append(b, `,"width_ms":`...)
	b = strconv.AppendInt(b, int64(width), 10)
	b = append(b, `,"start":`...)
	b = appendTime(b, start)
	b = appendColumn(b, "time", times)
	b = appendColumn(b, "min", mins)
	b = appendColumn(b, "mean", means)
	b = appendColumn(b, "max", maxs)
	b = appendColumn(b, "count", counts)
	return appendEnd(b, in)
}

// appendEnd ends an answer, for a series with its segments.
func appendEnd(b []byte, in samplesRequest) []byte {
	if in.series != nil {
		b = append(b, `,"segments":`...)
		b = append(b, in.series.segments...)
	}
	return append(b, '}')
}

// mean gives the mean of a bucket, never outside its minimum and maximum for the rounding of the sum.
func mean(k *storage.Bucket) float64 { return min(max(k.Sum/float64(k.Count), k.Min), k.Max) }
