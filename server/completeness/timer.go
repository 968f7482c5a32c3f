package completeness

import (
	"halley"
	"halley/storage"
)

// timerCounter is the rule of web sensors, which send neither time nor number: their timer alone says what is missing. A message
// nearer than half a timer to its neighbour is an extra one; of two such neighbours the one that fits the timer's beat is
// periodic.
type timerCounter struct {
	tally
	// last is the last periodic message; candidate is the next one, until the message behind it has been seen.
	last, candidate       storage.Head
	hasLast, hasCandidate bool
	done                  bool
}

func (c *timerCounter) add(h storage.Head) {
	switch {
	case h.Kind == halley.TestMessage:
	case h.Kind == halley.Extra:
		c.extra(h)
	case c.hasCandidate && near(c.candidate, h):
		if c.hasLast && offBeat(c.last, h) < offBeat(c.last, c.candidate) {
			c.candidate, h = h, c.candidate
		}
		c.extra(h)
	case c.hasCandidate:
		c.accept()
		c.candidate, c.hasCandidate = h, true
	case c.hasLast && near(c.last, h):
		c.extra(h)
	default:
		c.candidate, c.hasCandidate = h, true
	}
}

// near says whether two messages that follow one another are nearer than half a timer, the shorter one where it changed.
func near(a, b storage.Head) bool {
	timer := min(known(a, b), known(b, a))
	return timer > 0 && 2*(b.MeasuredAt-a.MeasuredAt) < timer
}

// offBeat gives how far h is from a whole number of timers behind last.
func offBeat(last, h storage.Head) halley.Millis {
	timer := known(last, h)
	if timer == 0 {
		return 0
	}
	r := (h.MeasuredAt - last.MeasuredAt) % timer
	return min(r, timer-r)
}

// accept counts the candidate as periodic, and the gap in front of it.
func (c *timerCounter) accept() {
	if c.hasLast {
		c.countGap(c.last, c.candidate)
	}
	c.receive(c.candidate)
	c.done = c.candidate.MeasuredAt >= c.period.To
	c.last, c.hasLast = c.candidate, true
	c.hasCandidate = false
}

func (c *timerCounter) countGap(a, b storage.Head) {
	gap := b.MeasuredAt - a.MeasuredAt
	earlier, later := known(a, b), known(b, a)
	if 2*gap <= 3*earlier {
		return
	}
	least := row{a: a.MeasuredAt, b: b.MeasuredAt, n: between(gap, max(earlier, later))}
	c.miss(least, Unknown)
	if earlier != later {
		c.uncertain(least, row{a: a.MeasuredAt, b: b.MeasuredAt, n: between(gap, min(earlier, later))})
	}
}

func (c *timerCounter) closed() bool { return c.done }

func (c *timerCounter) finish() {
	if c.hasCandidate {
		c.accept()
	}
	if c.hasLast && !c.done {
		c.openEnd(c.last, 0)
	}
}
