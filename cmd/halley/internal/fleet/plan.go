package fleet

import (
	"time"

	"halley"
)

// block is the span of messages over which alarms and outages are dealt out.
const block = 24

// item is one message that a device sends.
type item struct {
	// tick is the measurement's place in the row, from 0.
	tick int64
	// order is the device's running number.
	order int64
	kind  halley.MessageKind
	// sample is when it was measured, in whole seconds; due when it is to be sent, 0 for at once.
	sample, due halley.Millis
	cache       int
}

// plan gives a device's messages one after the other. It takes no more memory for a long row than for a short one.
type plan struct {
	seed uint64
	// step is the time between two measurements; interval what the device reports, in seconds.
	step     halley.Millis
	interval int
	// backlog messages wait at the start; total is with them, below 0 for no end.
	backlog, total int64
	// first is when tick 0 was measured, live says that messages behind the backlog have a time to be sent at.
	first  halley.Millis
	live   bool
	waited int
	config int

	alarms, outages float64
	extras          bool

	tick, order int64
	// losses is the share of blocks with a trouble in which messages are lost; slow says that the interval is twice as long for now,
	// changed that the next message is the first after a change of the configuration.
	losses        float64
	slow, changed bool
	// announced says that the message out of turn in front of tick has been given.
	announced bool

	// clocked says that messages are measured when they are sent. A logger whose numbers begin anew after burst messages must
	// not send more of them in one second; 0 is no bound.
	clocked bool
	burst   int
	// second is the last one in which a clocked message was measured, sent how many there were.
	second halley.Millis
	sent   int
}

func newPlan(o *Options, line *Line, index int, seed uint64) plan {
	step := o.Interval
	if step == 0 {
		step = defaultInterval
	}
	p := plan{
		seed: seed, step: halley.Millis(step.Milliseconds()), interval: int((step + time.Second - 1) / time.Second),
		live: o.Interval > 0, waited: halley.Unknown, alarms: o.Alarms, outages: o.Outages,
		losses: o.Losses,
	}
	_, p.extras = line.Kinds[halley.Extra]
	if line.Protocol.Remembers() {
		p.backlog = int64(o.Cached) + int64(o.History/step)
		p.waited = line.Waited.NoNetwork
	}
	p.total = p.backlog + int64(o.Messages)
	if o.Messages == Endless {
		p.total = -1
	}
	// A run within the second of another must not give other messages the same identity.
	p.config = int(mix(uint64(o.Start), 7) % 256)
	p.first = o.Start - halley.Millis(p.backlog)*p.step
	if p.live {
		p.first += halley.Millis(o.Interval.Milliseconds()) * halley.Millis(index) / halley.Millis(o.Devices)
		return p
	}
	p.clocked = p.total < 0
	p.burst = line.Numbers
	if p.total > 0 {
		p.first = o.Start - halley.Millis(p.total-1)*p.step
	}
	return p
}

// next gives the message that comes next; false at the end. The instant counts only where messages are measured when they are
// sent.
func (p *plan) next(now halley.Millis) (item, bool) {
	p.pass()
	if p.total >= 0 && p.tick >= p.total {
		return item{}, false
	}
	at := p.first + halley.Millis(p.tick)*p.step
	it := item{tick: p.tick, order: p.order, kind: halley.Periodic}
	switch {
	case p.order == 0:
		it.kind = halley.AfterRestart
		p.tick++
	case p.changed:
		it.kind = halley.AfterConfiguration
		p.changed = false
		p.tick++
	case p.announces(p.tick) && !p.announced:
		// The alarm began between two measurements.
		it.kind = halley.Extra
		at -= p.step / 3
		p.announced = true
	default:
		p.announced = false
		p.tick++
	}
	p.order++
	it.sample = at.Floor(halley.Second)
	switch {
	case it.tick < p.backlog:
		it.cache = p.waited
	case p.live:
		it.due = at
	case p.clocked:
		it.sample = p.clock(now)
		if it.sample > now {
			it.due = it.sample
		}
	}
	if p.waited == halley.Unknown {
		it.cache = halley.Unknown
	}
	return it, true
}

// clock gives the second in which a message is measured that is sent at once: this one, or the next where it is full.
func (p *plan) clock(now halley.Millis) halley.Millis {
	if second := now.Floor(halley.Second); second > p.second {
		p.second, p.sent = second, 0
	}
	if p.burst > 0 && p.sent == p.burst {
		p.second += halley.Second
		p.sent = 0
	}
	p.sent++
	return p.second
}

// planned gives how many messages next will give in all; 0 for no end. Those out of turn are counted.
func (p plan) planned() int64 {
	if p.total < 0 {
		return 0
	}
	n := p.total
	for tick := int64(1); tick < p.total && (p.alarms > 0 || p.losses > 0); tick++ {
		s := p.spellOf(tick)
		if s.loses(tick) || s.rests(tick) {
			n--
		}
		if p.announces(tick) {
			n++
		}
	}
	return n
}

// announces says whether a message out of turn is sent in front of a tick. In a block of trouble there is none.
func (p *plan) announces(tick int64) bool {
	return p.extras && p.alarmBegins(tick) && p.spellOf(tick).kind == untroubled
}

// alarmed says whether the device is in alarm at a tick.
func (p *plan) alarmed(tick int64) bool { return p.episode(tick, 11, p.alarms) > 0 }

func (p *plan) alarmBegins(tick int64) bool { return p.episode(tick, 11, p.alarms) == 1 }

// outageEnd gives the tick at which the outage ends that holds tick; 0 where there is none.
func (p *plan) outageEnd(tick int64) int64 {
	if tick < p.backlog {
		return 0
	}
	if s := p.spellOf(tick); s.waits(tick) {
		return s.back
	}
	end := tick
	for p.episode(end, 13, p.outages) > 0 {
		end++
	}
	if end == tick {
		return 0
	}
	return end
}

// episode gives how far a tick is into the episode of its block: 0 outside, 1 at its first tick. A share of all blocks has one.
func (p *plan) episode(tick int64, kind uint64, part float64) int64 {
	if part == 0 {
		return 0
	}
	own := mix(p.seed, kind)
	b := uint64(tick / block)
	if share(own, 3*b) >= part {
		return 0
	}
	begin := 1 + int64(share(own, 3*b+1)*block/2)
	length := 2 + int64(share(own, 3*b+2)*block/2)
	into := tick%block - begin
	if into < 0 || into >= length {
		return 0
	}
	return into + 1
}
