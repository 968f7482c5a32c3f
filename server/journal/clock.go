package journal

import (
	"encoding/json"
	"fmt"
	"time"

	"halley"
)

// clockStep is how far the wall clock may depart from the monotonic clock between two entries before that is an event.
const clockStep = 2 * time.Second

// instant is one moment on both clocks: the wall clock in microseconds since 1970, and the monotonic clock since the journal
// was opened.
type instant struct {
	wall int64
	mono time.Duration
}

// clock gives the entries of a journal receive times that strictly rise. It is guarded by its owner.
type clock struct {
	opened time.Time
	// last is the receive time given last; before is the instant of the entry before this one.
	last   int64
	before instant
}

// startClock continues after the receive time of the journal's last entry, 0 where there is none. Where the wall clock lies
// before that, it was put back while the journal was closed: the first entry then finds a step.
func startClock(opened time.Time, last int64) clock {
	before := instant{wall: opened.UnixMicro()}
	if last > before.wall {
		before.wall = last
	}
	return clock{opened: opened, last: last, before: before}
}

// now reads both clocks.
func (c *clock) now() instant {
	t := time.Now()
	return instant{wall: t.UnixMicro(), mono: t.Sub(c.opened)}
}

// step says whether the wall clock has stepped since the entry before, from what it should have shown to what it shows.
func (c *clock) step(now instant) (from, to int64, stepped bool) {
	from = c.before.wall + (now.mono - c.before.mono).Microseconds()
	c.before = now
	d := time.Duration(now.wall-from) * time.Microsecond
	return from, now.wall, d > clockStep || d < -clockStep
}

// receive gives the receive time of an entry that came at now.
func (c *clock) receive(now instant) int64 {
	c.last = max(now.wall, c.last+1)
	return c.last
}

// clockStepEntry is the event that a step of the clock leaves in the journal.
func clockStepEntry(from, to int64) (Entry, error) {
	body, err := json.Marshal(struct {
		Event string `json:"event"`
		From  string `json:"from"`
		To    string `json:"to"`
	}{"clock-step", halley.Millis(from / 1000).String(), halley.Millis(to / 1000).String()})
	if err != nil {
		return Entry{}, fmt.Errorf("describing a step of the clock: %w", err)
	}
	return Entry{Kind: Event, Body: body}, nil
}
