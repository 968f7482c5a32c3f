package completeness

import (
	"slices"

	"halley"
	"halley/storage"
)

// hole is a jump of numbers between two messages of a run. It is counted when its run has ended, for until then its messages may
// turn up under another time.
type hole struct {
	a, b storage.Head
	// n is how many numbers lie between them.
	n int64
	// silent says that these are more than the time allows, so that the time was asked instead; first that a is the first message
	// that was read, so that more of what follows b by number may lie before it.
	silent, first bool
	// at is how many messages had been taken when it was made.
	at int64
}

const (
	// maxHoles is how many jumps of a run are kept open; beyond it the oldest are counted.
	maxHoles = 16
	// ringMemory is for how many messages a jump of a modem logger is kept open: its numbers come again after 256.
	ringMemory = orderWrap / 2
)

// open keeps a jump until its run has ended.
func (c *orderCounter) open(h hole) {
	h.at, c.fresh = c.taken, true
	c.holes = append(c.holes, h)
	if len(c.holes) > maxHoles {
		c.countHoles(maxHoles / 2)
	}
}

// countHoles counts all holes but the newest keep.
func (c *orderCounter) countHoles(keep int) {
	gone := max(len(c.holes)-keep, 0)
	for i := range c.holes[:gone] {
		c.countHole(&c.holes[i])
	}
	c.holes = slices.Delete(c.holes, 0, gone)
}

// countHole counts what is missing in a hole.
func (c *orderCounter) countHole(h *hole) {
	if h.silent || h.n == 0 {
		return
	}
	r := row{a: h.a.MeasuredAt, b: h.b.MeasuredAt, n: h.n}
	if r.b < r.a {
		// The message behind it by number lies before it by time: what is missing followed the one in front of it.
		if r.b = r.a + halley.Millis(h.n+1)*known(h.a, h.b); r.b < r.a {
			return
		}
	}
	cause := waited(c.period.Family, h.a, h.b)
	if c.clears(h.a, h.b) {
		cause = CacheCleared
	}
	c.miss(r, cause)
}

// fills says whether a message turned up in a hole of its run instead of following the last one.
func (c *orderCounter) fills(m storage.Head) bool {
	if len(c.holes) == 0 || m.Kind == halley.AfterRestart || m.Order == halley.Unknown || !c.falls(m) {
		return false
	}
	i := slices.IndexFunc(c.holes, func(h hole) bool { return c.within(&h, m) })
	if i < 0 {
		return false
	}
	h := c.holes[i]
	front, back := h, h
	front.b, front.n, front.silent = m, c.distance(h.a, m)-1, false
	back.a, back.n, back.silent = m, c.distance(m, h.b)-1, h.first
	c.jumped = max(c.jumped-(h.n-front.n-back.n), 0)
	parts := slices.DeleteFunc([]hole{front, back}, func(p hole) bool { return p.n == 0 })
	c.holes = slices.Replace(c.holes, i, i+1, parts...)
	return true
}

// falls says whether a message's number cannot follow that of the last one.
func (c *orderCounter) falls(m storage.Head) bool {
	if c.period.Family != halley.Modem {
		return m.Order <= c.last.Order
	}
	return c.jump(c.last, m) > believable(c.last, m)
}

// within says whether a message's number lies in a hole.
func (c *orderCounter) within(h *hole, m storage.Head) bool {
	if c.period.Family == halley.Modem && c.taken-h.at > ringMemory {
		return false
	}
	d := c.distance(h.a, m)
	return d > 0 && d < c.distance(h.a, h.b)
}

// distance gives how far the number of b is from that of a.
func (c *orderCounter) distance(a, b storage.Head) int64 {
	d := b.Order - a.Order
	if c.period.Family == halley.Modem {
		return (d%orderWrap + orderWrap) % orderWrap
	}
	return d
}
