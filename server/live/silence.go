package live

import "halley"

// Silence after which a device counts as silent.
const (
	// unknownIntervalSilence is for devices that do not report their interval.
	unknownIntervalSilence = 15 * halley.Minute
	// shortestSilence is the least.
	shortestSilence = 90 * halley.Second
)

// SilentAfter gives the instant from which a device counts as silent that was last heard of at the given one: two and a half of
// its intervals, at least 90 seconds; a device that buffers is given the time to fill its buffer.
func SilentAfter(heardAt halley.Millis, interval, buffer int) halley.Millis {
	if interval <= 0 {
		return heardAt + unknownIntervalSilence
	}
	span := halley.Millis(interval) * halley.Second * 5 / 2
	if buffer > 1 {
		span += halley.Millis(interval) * halley.Second * halley.Millis(buffer)
	}
	return heardAt + max(span, shortestSilence)
}
