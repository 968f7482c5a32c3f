package viewerapi

import "halley"

// widthSteps are the steps of which a bucket's width is a whole multiple: from each on up to the next, so that the coarsest
// rollup that can serve it does.
var widthSteps = [...]halley.Millis{halley.Second, 10 * halley.Minute, halley.Hour, halley.Day}

// bucketWidth gives the width of the narrowest buckets, aligned to 1970-01-01T00:00:00Z, of which at most points touch
// [from, to), which must not be empty.
func bucketWidth(from, to halley.Millis, points int64) halley.Millis {
	// Narrower than this, points buckets cannot cover the span, however they lie.
	least := max((to-from+halley.Millis(points)-1)/halley.Millis(points), 1)
	for i, step := range widthSteps {
		width := least.Ceil(step)
		for ; i == len(widthSteps)-1 || width < widthSteps[i+1]; width += step {
			if touched(from, to, width) <= points {
				return width
			}
		}
	}
	return to // Not reached: days are tried until one bucket is enough.
}

// touched counts the buckets of this width that [from, to) touches.
func touched(from, to, width halley.Millis) int64 {
	return int64((to.Ceil(width) - from.Floor(width)) / width)
}
