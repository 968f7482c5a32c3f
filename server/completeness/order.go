package completeness

import (
	"cmp"
	"slices"

	"halley"
	"halley/storage"
)

// orderCounter is the rule of the families whose messages have a running number (WiFi, TAx6xx and modem). Messages of every kind
// take a number. In order of sample time the messages form runs; a run ends where the number falls or at the first message after
// a restart. Inside a run the jumps of the number are what is missing; between runs the time tells. Where a device's clock was set,
// numbers come in another order than times: a number that falls into a jump of its run fills it, and ends no run.
type orderCounter struct {
	tally
	// instant collects the messages of one instant, to be taken in order of their numbers: a periodic message and an alarm may
	// be sampled in the same second.
	instant []storage.Head
	// last is the last message of any kind, periodic the last periodic one.
	last, periodic       storage.Head
	hasLast, hasPeriodic bool
	// jumped is how many messages were counted as jumps since the last periodic one.
	jumped int64
	// broken is why the run has ended since the last periodic message; empty while it goes on.
	broken Cause
	done   bool
	// holes are the jumps of the run that are not counted yet; fresh says that the last message made one.
	holes []hole
	fresh bool
	// taken counts messages.
	taken int64
}

func (c *orderCounter) add(h storage.Head) {
	if len(c.instant) > 0 && c.instant[0].MeasuredAt != h.MeasuredAt {
		c.flush()
	}
	c.instant = append(c.instant, h)
}

// flush takes the messages of one instant in order of their numbers.
func (c *orderCounter) flush() {
	slices.SortStableFunc(c.instant, func(a, b storage.Head) int { return cmp.Compare(a.Order, b.Order) })
	first := 0
	if c.period.Family == halley.Modem {
		first = firstInRing(c.instant)
	}
	for i := range c.instant {
		c.take(c.instant[(first+i)%len(c.instant)])
	}
	c.instant = c.instant[:0]
}

// firstInRing gives the index of the first of some messages whose numbers follow one another closely and may begin anew after
// 255: the one behind the widest space. They are sorted by number.
func firstInRing(heads []storage.Head) int {
	first, widest := 0, int64(0)
	for i, h := range heads {
		before := heads[(i+len(heads)-1)%len(heads)]
		if space := (h.Order - before.Order + orderWrap) % orderWrap; space > widest {
			first, widest = i, space
		}
	}
	return first
}

// orderWrap is how many numbers a modem logger has before it begins anew.
const orderWrap = 256

func (c *orderCounter) take(h storage.Head) {
	c.taken++
	c.fresh = false
	if !c.hasLast || !c.fills(h) {
		if c.hasLast {
			c.follow(c.last, h)
		}
		c.last, c.hasLast = h, true
	}
	switch h.Kind {
	case halley.TestMessage:
		return
	case halley.Extra:
		c.extra(h)
		return
	case halley.Periodic, halley.AfterRestart, halley.AfterConfiguration:
	}
	if c.hasPeriodic && c.broken != "" {
		c.countGap(c.periodic, h)
	}
	c.receive(h)
	c.done = h.MeasuredAt >= c.period.To
	c.periodic, c.hasPeriodic = h, true
	c.jumped, c.broken = 0, ""
}

// follow counts the jump from a to b, or notes that b begins a run.
func (c *orderCounter) follow(a, b storage.Head) {
	switch {
	case b.Kind == halley.AfterRestart:
		c.countHoles(0)
		c.broken = RestartOrOff
		return
	case a.Order == halley.Unknown || b.Order == halley.Unknown:
		c.countHoles(0)
		c.breakUnproven()
		return
	case c.period.Family != halley.Modem && b.Order <= a.Order:
		c.countHoles(0)
		c.broken = RestartOrOff
		return
	}
	n := c.jump(a, b)
	if n == 0 {
		return
	}
	c.open(hole{a: a, b: b, n: n, silent: n > believable(a, b), first: c.taken == 2})
	if n > believable(a, b) {
		c.breakUnproven()
		return
	}
	c.jumped += n
}

// breakUnproven ends the run for a reason that proves no cause.
func (c *orderCounter) breakUnproven() {
	if c.broken == "" {
		c.broken = Unknown
	}
}

// jump gives how many numbers lie between two messages of a run. A modem logger's number has eight bits: of all the counts that it
// allows, the one nearest to what the time allows is meant.
func (c *orderCounter) jump(a, b storage.Head) int64 {
	n := b.Order - a.Order - 1
	if c.period.Family != halley.Modem {
		return n
	}
	n = (n%orderWrap + orderWrap) % orderWrap
	interval := known(a, b)
	if interval == 0 {
		return n
	}
	byTime := int64((b.MeasuredAt-a.MeasuredAt+interval/2)/interval) - 1
	if byTime > n {
		n += (byTime - n + orderWrap/2) / orderWrap * orderWrap
	}
	return n
}

// believable is the largest jump that two messages can have between them in one run, with room for alarms. Beyond it they belong
// to different runs that lie in one another, because the device's clock was set back, and the time tells what is missing.
func believable(a, b storage.Head) int64 {
	interval := min(known(a, b), known(b, a))
	if interval == 0 {
		return 1 << 32
	}
	return 2*int64((b.MeasuredAt-a.MeasuredAt)/interval) + 10
}

// clears says whether the device changed its configuration between two messages and so cleared its memory. Modem loggers are not
// known to.
func (c *orderCounter) clears(a, b storage.Head) bool {
	return c.period.Family != halley.Modem && a.Config != halley.Unknown && b.Config != halley.Unknown && a.Config != b.Config
}

// countGap counts what is missing between the last periodic message of a run and the first of a later one.
func (c *orderCounter) countGap(a, b storage.Head) {
	cause := c.broken
	if c.clears(a, b) {
		cause = CacheCleared
	}
	gap := b.MeasuredAt - a.MeasuredAt
	earlier, later := known(a, b), known(b, a)
	if b.Kind != halley.Periodic {
		// The first message after a restart or a change is sent at once: the time before it was under the earlier interval.
		later = earlier
	}
	rowOf := func(interval halley.Millis) row {
		return row{a: a.MeasuredAt, b: b.MeasuredAt, n: max(0, between(gap, interval)-c.jumped)}
	}
	least := rowOf(max(earlier, later))
	c.miss(least, cause)
	if earlier != later {
		c.uncertain(least, rowOf(min(earlier, later)))
	}
}

func (c *orderCounter) closed() bool { return c.done && !c.fresh }

func (c *orderCounter) finish() {
	c.flush()
	c.countHoles(0)
	if c.hasPeriodic && !c.done {
		c.openEnd(c.periodic, c.jumped)
	}
}
