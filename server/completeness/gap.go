package completeness

import (
	"cmp"
	"math/bits"
	"slices"
	"sort"

	"halley"
	"halley/storage"
)

// row is n missing messages, evenly spaced between a message at a and another at b.
type row struct {
	a, b halley.Millis
	n    int64
}

// at gives the instant of the j-th missing message, j from 1 to n; 0 gives a, n+1 gives b.
func (r row) at(j int64) halley.Millis {
	hi, lo := bits.Mul64(uint64(r.b-r.a), uint64(j))
	q, _ := bits.Div64(hi, lo, uint64(r.n+1))
	return r.a + halley.Millis(q)
}

// before gives how many of them are before an instant.
func (r row) before(t halley.Millis) int64 {
	return int64(sort.Search(int(r.n), func(i int) bool { return r.at(int64(i)+1) >= t }))
}

// tally is what both rules share: the report as it grows.
type tally struct {
	period Period
	// cut is where gaps are cut at the latest: the period's end, or now for what is missing now.
	cut    halley.Millis
	report Report
}

func (t *tally) within(at halley.Millis) bool { return at >= t.period.From && at < t.period.To }

// receive counts a periodic message.
func (t *tally) receive(h storage.Head) {
	if !t.within(h.MeasuredAt) {
		return
	}
	t.report.Received++
	if halley.Late(h.MeasuredAt, h.ReceivedAt, h.Interval, h.Buffer) {
		t.report.Late++
	}
}

// extra counts a message out of turn.
func (t *tally) extra(h storage.Head) {
	if t.within(h.MeasuredAt) {
		t.report.Extra++
	}
}

// miss counts the part of r that lies in the period.
func (t *tally) miss(r row, cause Cause) {
	t.note(r, r.before(t.period.From)+1, r.before(t.period.To), cause)
}

// missExplained counts the part of r that lies in the period: as ServerDown what fell into this server's downtime, as Unknown the
// rest.
func (t *tally) missExplained(r row) {
	next, last := r.before(t.period.From)+1, r.before(t.period.To)
	for i := 0; i < len(t.period.Downtime) && next <= last; i++ {
		s := t.period.Downtime[i]
		first, end := max(r.before(s.From)+1, next), min(r.before(s.To), last)
		if first > end {
			continue
		}
		t.note(r, next, first-1, Unknown)
		t.note(r, first, end, ServerDown)
		next = end + 1
	}
	t.note(r, next, last, Unknown)
}

// uncertain counts what r may have more than the certain row of the same gap.
func (t *tally) uncertain(certain, r row) {
	in := func(r row) int64 { return r.before(t.period.To) - r.before(t.period.From) }
	if more := in(r) - in(certain); more > 0 {
		t.report.Uncertain += more
		t.list(Gap{From: max(r.a, t.period.From), To: min(r.b, t.cut), Messages: more, Cause: IntervalChanged})
	}
}

// note counts the missing messages first..last of r, none where first is behind last.
func (t *tally) note(r row, first, last int64, cause Cause) {
	if first > last {
		return
	}
	g := Gap{From: r.a, To: r.b, Messages: last - first + 1, Cause: cause}
	if first > 1 {
		g.From = r.at(first)
	}
	if last < r.n {
		g.To = r.at(last + 1)
	}
	g.From, g.To = max(g.From, t.period.From), min(g.To, t.cut)
	g.To = max(g.To, g.From+1)
	t.report.Missing += g.Messages
	t.list(g)
}

// list appends a gap and keeps the list bounded.
func (t *tally) list(g Gap) {
	if len(t.report.Gaps) == MaxGaps {
		t.report.Gaps = merge(t.report.Gaps)
	}
	t.report.Gaps = append(t.report.Gaps, g)
}

// merge joins each gap with the next one of its cause, so that about half are left and the sum of each cause stays.
func merge(gaps []Gap) []Gap {
	waiting := make(map[Cause]int)
	out := gaps[:0]
	for _, g := range gaps {
		if i, ok := waiting[g.Cause]; ok {
			out[i].From, out[i].To = min(out[i].From, g.From), max(out[i].To, g.To)
			out[i].Messages += g.Messages
			delete(waiting, g.Cause)
			continue
		}
		waiting[g.Cause] = len(out)
		out = append(out, g)
	}
	return out
}

// openEnd counts what is overdue behind the last periodic message. The first skip of it are counted already, as jumps of order
// numbers up to an extra message.
func (t *tally) openEnd(last storage.Head, skip int64) {
	interval := intervalOf(last)
	if interval == 0 {
		return
	}
	overdue := t.period.Now - last.MeasuredAt - interval/2
	if overdue <= 0 {
		return
	}
	n := int64((overdue - 1) / interval)
	if n <= skip {
		return
	}
	// What is missing now ends now, not when the next message would be due.
	t.cut = min(t.period.To, t.period.Now)
	t.missExplained(row{
		a: last.MeasuredAt + halley.Millis(skip)*interval,
		b: last.MeasuredAt + halley.Millis(n+1)*interval,
		n: n - skip,
	})
}

// result gives the report with its sums.
func (t *tally) result() Report {
	t.report.Expected = t.report.Received + t.report.Missing
	slices.SortStableFunc(t.report.Gaps, func(x, y Gap) int { return cmp.Compare(x.From, y.From) })
	return t.report
}

// between gives how many messages are missing in a gap between two periodic messages of this interval.
func between(gap, interval halley.Millis) int64 {
	if interval <= 0 {
		return 0
	}
	return max(0, int64((gap+interval/2)/interval)-1)
}

// known gives the interval of h, or of other where h has none.
func known(h, other storage.Head) halley.Millis {
	if i := intervalOf(h); i > 0 {
		return i
	}
	return intervalOf(other)
}
