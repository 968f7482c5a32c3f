package fleet

// trouble is what happens to a device in a block of 24 ticks, where a fleet has losses.
type trouble uint8

const (
	// untroubled is a block in which nothing is lost.
	untroubled trouble = iota
	// lostOnTheWay numbers messages and never sends them.
	lostOnTheWay
	// switchedOff measures nothing and begins anew afterwards, with its numbers from 0.
	switchedOff
	// kept waits for the network and sends what it kept.
	kept
	// overflowed waits for the network longer than its memory lasts: the oldest messages are lost.
	overflowed
	// reconfigured has its memory cleared by a change of its interval, which is twice as long up to the end of the block.
	reconfigured
	// troubles is how many there are.
	troubles
)

// spell is the trouble of a block: its ticks from begin to before end are lost, those from end to before back wait for the network.
type spell struct {
	kind             trouble
	begin, end, back int64
}

// spellOf gives the trouble of the block that holds a tick. A block that is not over before the end of the row has none, so that
// each loss lies between two messages.
func (p *plan) spellOf(tick int64) spell {
	b := tick / block
	if p.losses == 0 || p.total >= 0 && (b+1)*block >= p.total {
		return spell{}
	}
	own := mix(p.seed, 19)
	if share(own, uint64(4*b)) >= p.losses {
		return spell{}
	}
	s := spell{kind: trouble(1 + mix(own, uint64(4*b+1))%uint64(troubles-1))}
	s.begin = b*block + 2 + int64(share(own, uint64(4*b+2))*6)
	s.end = s.begin + 1 + int64(share(own, uint64(4*b+3))*7)
	switch s.kind {
	case kept:
		s.end, s.back = s.begin, s.end
	case overflowed:
		s.back = s.end + 3
	case reconfigured:
		// An odd number, so that what the longer interval makes of it is no half.
		s.end += (s.end - s.begin + 1) % 2
	case untroubled, lostOnTheWay, switchedOff, troubles:
	}
	s.back = max(s.back, s.end)
	return s
}

// waits says whether what is measured at a tick waits for the network.
func (s spell) waits(tick int64) bool { return s.kind != untroubled && tick >= s.end && tick < s.back }

// loses says whether what would be measured at a tick never comes.
func (s spell) loses(tick int64) bool { return s.kind != untroubled && tick >= s.begin && tick < s.end }

// rests says whether the device measures nothing at a tick because its interval is longer.
func (s spell) rests(tick int64) bool {
	return s.kind == reconfigured && tick >= s.end && (tick-s.end)%2 == 1
}

// pass goes on to the next tick at which something is measured that comes, and lets the device change as it does.
func (p *plan) pass() {
	for ; p.losses > 0 && (p.total < 0 || p.tick < p.total); p.tick++ {
		s := p.spellOf(p.tick)
		switch {
		case s.loses(p.tick):
			if s.kind != switchedOff {
				p.order++
			}
			continue
		case s.rests(p.tick):
			continue
		case s.kind == switchedOff && p.tick == s.end:
			p.order = 0
		case s.kind == reconfigured && p.tick == s.end && !p.slow:
			p.reconfigure(true)
		case p.tick%block == 0 && p.slow:
			p.reconfigure(false)
		}
		return
	}
}

// reconfigure changes the device's interval, and with it the number of its configuration.
func (p *plan) reconfigure(slow bool) {
	p.slow, p.changed = slow, true
	p.config = (p.config + 1) % 256
}

// reported gives the interval that the device reports now, in seconds.
func (p *plan) reported() int {
	if p.slow {
		return 2 * p.interval
	}
	return p.interval
}
