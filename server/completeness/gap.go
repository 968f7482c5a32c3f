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
	// pieces and spare are used again from gap to gap.
	pieces, spare []piece
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

// miss counts the part of r that lies in the period, by what explains each missing message; cause is what the messages around it
// say.
func (t *tally) miss(r row, cause Cause) {
	first, last := r.before(t.period.From)+1, r.before(t.period.To)
	if first > last {
		return
	}
	for _, p := range t.explain(r, piece{first: first, last: last, cause: cause}) {
		t.note(r, p)
	}
}

// uncertain counts what r may have more than the certain row of the same gap.
func (t *tally) uncertain(certain, r row) {
	in := func(r row) int64 { return r.before(t.period.To) - r.before(t.period.From) }
	if more := in(r) - in(certain); more > 0 {
		t.report.Uncertain += more
		t.list(Gap{From: max(r.a, t.period.From), To: min(r.b, t.cut), Messages: more, Cause: IntervalChanged})
	}
}

// note counts a piece of r.
func (t *tally) note(r row, p piece) {
	g := Gap{From: r.a, To: r.b, Messages: p.last - p.first + 1, Cause: p.cause}
	if p.mark != nil {
		g.By, g.At, g.Note = p.mark.By, p.mark.At, p.mark.Note
	}
	if p.first > 1 {
		g.From = r.at(p.first)
	}
	if p.last < r.n {
		g.To = r.at(p.last + 1)
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

// merge joins each gap with the next one of the same cause by the same word, so that about half are left and the sum of each cause
// stays.
func merge(gaps []Gap) []Gap {
	type kind struct {
		cause    Cause
		by, note string
		at       halley.Millis
	}
	waiting := make(map[kind]int)
	out := gaps[:0]
	for _, g := range gaps {
		k := kind{g.Cause, g.By, g.Note, g.At}
		if i, ok := waiting[k]; ok {
			out[i].From, out[i].To = min(out[i].From, g.From), max(out[i].To, g.To)
			out[i].Messages += g.Messages
			delete(waiting, k)
			continue
		}
		waiting[k] = len(out)
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
	t.miss(row{
		a: last.MeasuredAt + halley.Millis(skip)*interval,
		b: last.MeasuredAt + halley.Millis(n+1)*interval,
		n: n - skip,
	}, Unknown)
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
