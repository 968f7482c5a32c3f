package fleet

import (
	"math"

	"halley"
)

// mix gives a number that looks random and follows from a and b alone (the finalizer of splitmix64).
func mix(a, b uint64) uint64 {
	z := a + 0x9E3779B97F4A7C15*(b+1)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// share gives a number from 0 to below 1 that follows from a and b alone.
func share(a, b uint64) float64 { return float64(mix(a, b)>>11) / (1 << 53) }

// swing gives a number from -1 to below 1.
func swing(a, b uint64) float64 { return 2*share(a, b) - 1 }

func familySeed(f halley.Family) uint64 {
	var s uint64
	for i := range len(f) {
		s = mix(s, uint64(f[i]))
	}
	return s
}

// drift is a smooth random walk through the row of messages: knots 16 messages apart, joined by an S-shaped curve.
func drift(seed uint64, tick int64) float64 {
	const apart = 16
	knot := tick / apart
	x := float64(tick%apart) / apart
	x = x * x * (3 - 2*x)
	a, b := swing(seed, uint64(knot)), swing(seed, uint64(knot)+1)
	return a + (b-a)*x
}

// moment is a device's place in time, for its curves.
type moment struct {
	// seed is the device's own, tick the message's place in the row, hours its distance from the first.
	seed  uint64
	tick  int64
	hours float64
}

// wave is a sine with a period in hours, and a phase of its own for each device.
func (m moment) wave(period float64) float64 {
	return math.Sin(2 * math.Pi * (m.hours/period + share(m.seed, 101)))
}

// value gives what a channel with this usual value measures at a moment, before rounding. The channels before it at the same
// moment are given, because a dew point follows from temperature and humidity.
func (m moment) value(r *halley.Reading, before []halley.Reading) float64 {
	own := mix(m.seed, uint64(r.Number))
	level, slow, noise := swing(own, 1), drift(own, m.tick), swing(own, uint64(m.tick)+1000)
	switch r.Quantity {
	case halley.Temperature:
		return r.Value + 1.5*level + 0.9*m.wave(24) + 0.7*slow + 0.06*noise
	case halley.Humidity:
		return min(98, max(2, r.Value+4*level-5*m.wave(24)+3*slow+0.3*noise))
	case halley.DewPoint:
		return dewPoint(r.Value, before)
	case halley.Pressure:
		return r.Value * (1 + 0.008*m.wave(80) + 0.003*slow + 0.0001*noise)
	case halley.CO2:
		return max(400, r.Value+60*level+220*m.wave(24)+80*slow+8*noise)
	case halley.Binary:
		if drift(own, m.tick) > 0.75 {
			return 1
		}
		return 0
	}
	return r.Value * (1 + 0.05*level + 0.1*m.wave(24) + 0.05*slow + 0.005*noise)
}

// dewPoint gives the dew point of the last temperature and humidity in front of it by the Magnus formula, or the usual value
// where one is not there.
func dewPoint(usual float64, before []halley.Reading) float64 {
	var t, rh float64
	var hasT, hasRH bool
	for i := range before {
		switch before[i].Quantity {
		case halley.Temperature:
			t, hasT = before[i].Value, before[i].Quality.HasValue()
		case halley.Humidity:
			rh, hasRH = before[i].Value, before[i].Quality.HasValue()
		}
	}
	if !hasT || !hasRH || rh <= 0 {
		return usual
	}
	const a, b = 17.62, 243.12
	g := math.Log(rh/100) + a*t/(b+t)
	return b * g / (a - g)
}

// round rounds to a number of decimal places; minus zero becomes zero.
func round(v float64, decimals int) float64 {
	p := math.Pow10(decimals)
	return math.Round(v*p)/p + 0
}
