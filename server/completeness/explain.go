package completeness

import (
	"sort"

	"halley"
	"halley/storage"
)

// piece is what the missing messages first..last of a row have in common: why they are missing.
type piece struct {
	first, last int64
	cause       Cause
	// mark is what a person said; nil where nobody did.
	mark *storage.GapCause
}

// explain splits a piece of r by what explains its messages. What the servers' own log says counts over what people say; what lies
// in quarantine was received and counts over all.
func (t *tally) explain(r row, whole piece) []piece {
	t.pieces = append(t.pieces[:0], whole)
	t.overlaySpans(r, t.period.Refused, ServerRefused)
	t.overlaySpans(r, t.period.Downtime, ServerDown)
	for i := range t.period.Marks {
		m := &t.period.Marks[i]
		t.overlay(r.before(m.From)+1, r.before(m.To), func(p *piece) {
			base := p.cause
			if p.mark != nil {
				base = whole.cause
			}
			switch {
			case !overrides(Cause(m.Cause), base):
			case Cause(m.Cause) == Unknown:
				p.cause, p.mark = whole.cause, nil // taken back
			default:
				p.cause, p.mark = Cause(m.Cause), m
			}
		})
	}
	t.overlayHeld(r)
	return joined(t.pieces)
}

// overlaySpans gives a cause to what fell into one of some spans, where no message says more.
func (t *tally) overlaySpans(r row, spans []halley.Span, cause Cause) {
	from := sort.Search(len(spans), func(i int) bool { return spans[i].To > r.a })
	for _, s := range spans[from:] {
		if s.From >= r.b {
			return
		}
		t.overlay(r.before(s.From)+1, r.before(s.To), func(p *piece) {
			switch p.cause {
			case Unknown, OrderGap, NoNetwork, ServerRefused:
				p.cause = cause
			case ServerDown, RestartOrOff, SwitchedOff, CacheCleared, Quarantined, IntervalChanged:
			}
		})
	}
}

// overlayHeld gives each message in quarantine the missing message that is nearest to it, at most half an interval away.
func (t *tally) overlayHeld(r row) {
	held := t.period.Held
	from := sort.Search(len(held), func(i int) bool { return held[i] > r.a })
	taken := int64(0)
	for _, at := range held[from:] {
		if at >= r.b {
			return
		}
		n := r.before(at)
		if at-r.at(n) > r.at(n+1)-at {
			n++
		}
		if n = max(n, taken+1); n > r.n {
			return
		}
		if step := (r.b - r.a) / halley.Millis(r.n+1); 2*max(at-r.at(n), r.at(n)-at) > step {
			continue
		}
		taken = n
		t.overlay(n, n, func(p *piece) { p.cause, p.mark = Quarantined, nil })
	}
}

// overlay lets change alter the part first..last of the pieces.
func (t *tally) overlay(first, last int64, change func(p *piece)) {
	if first > last {
		return
	}
	out := t.spare[:0]
	for _, p := range t.pieces {
		from, to := max(p.first, first), min(p.last, last)
		if from > to {
			out = append(out, p)
			continue
		}
		if p.first < from {
			left := p
			left.last = from - 1
			out = append(out, left)
		}
		within := p
		within.first, within.last = from, to
		change(&within)
		out = append(out, within)
		if to < p.last {
			p.first = to + 1
			out = append(out, p)
		}
	}
	t.pieces, t.spare = out, t.pieces
}

// joined joins neighbours that have the same cause by the same word.
func joined(pieces []piece) []piece {
	out := pieces[:0]
	for _, p := range pieces {
		if n := len(out); n > 0 && out[n-1].cause == p.cause && out[n-1].mark == p.mark {
			out[n-1].last = p.last
			continue
		}
		out = append(out, p)
	}
	return out
}

// overrides says whether a person's word counts over what is known otherwise. A jump of order numbers proves that the device was
// running, so that nobody can have switched it off.
func overrides(said, known Cause) bool {
	switch known {
	case Unknown, RestartOrOff:
		return true
	case OrderGap:
		return said == NoNetwork || said == ServerDown || said == ServerRefused || said == Unknown
	case NoNetwork, ServerRefused, ServerDown, SwitchedOff, CacheCleared, Quarantined, IntervalChanged:
	}
	return false
}

// Sayable says whether a person may give this cause. The others are what Halley counts by itself; Unknown takes back what was said.
func (c Cause) Sayable() bool {
	switch c {
	case NoNetwork, ServerRefused, ServerDown, RestartOrOff, SwitchedOff, CacheCleared, Unknown:
		return true
	case Quarantined, IntervalChanged, OrderGap:
	}
	return false
}

// waited gives the cause of a jump between two messages: what the one behind it, or else the one in front of it, says why it waited in
// the device's memory.
func waited(f halley.Family, a, b storage.Head) Cause {
	for _, h := range [...]storage.Head{b, a} {
		if c := reason(f, h.Cache); c != "" {
			return c
		}
	}
	return OrderGap
}

// reason reads a family's own number for why a message waited; "" where it was sent at once, where the number says nothing of the
// network or an answer, and where the family reports none.
func reason(f halley.Family, cache int) Cause {
	switch {
	case f == halley.WiFi && cache == 1, f == halley.TAx6xx && cache == 1: // NO_WLAN, NO_NET
		return NoNetwork
	case f == halley.WiFi && cache == 7, f == halley.TAx6xx && cache == 10: // RESULT_CONFIRM, WRONG_HTTP_CODE
		return ServerRefused
	}
	return ""
}
