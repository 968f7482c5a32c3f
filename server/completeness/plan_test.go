package completeness_test

import (
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

// plan is a generated life of a device and what must be found in it.
type plan struct {
	heads    []storage.Head
	end      halley.Millis
	downtime []halley.Span
	want     map[completeness.Cause]int64
	received int64
	extra    int64
	late     int64
}

func (p *plan) receive(h storage.Head, late bool) {
	if n := len(p.heads); n > 0 && h.MeasuredAt <= p.heads[n-1].MeasuredAt {
		panic("a periodic message must follow all others")
	}
	h.ReceivedAt = h.MeasuredAt
	if late {
		h.ReceivedAt += 2*halley.Day + 200*intervalOf(h)
		p.late++
	}
	p.heads = append(p.heads, h)
	p.received++
}

func (p *plan) outOfTurn(h storage.Head) {
	h.ReceivedAt = h.MeasuredAt
	p.heads = append(p.heads, h)
	if h.Kind != halley.TestMessage {
		p.extra++
	}
}

func intervalOf(h storage.Head) halley.Millis { return halley.Millis(h.Interval) * halley.Second }

// numbered draws the life of a device that numbers its messages: losses, restarts after a pause, changes of configuration and
// interval, alarms and tests.
func numbered(t *rapid.T, family halley.Family) plan {
	wrap := int64(1 << 32)
	if family == halley.Modem {
		wrap = 256
	}
	p := plan{want: map[completeness.Cause]int64{}}
	at, order := t0, rapid.Int64Range(0, 255).Draw(t, "first order")
	interval, config := 60, 0
	next := func() int64 {
		o := order
		order = (order + 1) % wrap
		return o
	}
	head := func(kind halley.MessageKind) storage.Head {
		return storage.Head{MeasuredAt: at, Order: next(), Kind: kind, Interval: interval, Config: config}
	}
	tick := func() { at += halley.Millis(interval) * halley.Second }
	p.receive(head(halley.Periodic), false)
	for range rapid.IntRange(0, 60).Draw(t, "events") {
		switch rapid.IntRange(0, 6).Draw(t, "event") {
		case 0, 1:
			for range rapid.IntRange(1, 40).Draw(t, "messages") {
				tick()
				p.receive(head(halley.Periodic), rapid.Bool().Draw(t, "late"))
			}
		case 2:
			n := rapid.Int64Range(1, 700).Draw(t, "lost")
			for range n {
				tick()
				next()
			}
			p.want[completeness.OrderGap] += n
			tick()
			p.receive(head(halley.Periodic), false)
		case 3, 4:
			kind := rapid.SampledFrom([]halley.MessageKind{halley.Extra, halley.TestMessage}).Draw(t, "kind")
			for after := range rapid.IntRange(1, 3).Draw(t, "out of turn") {
				h := head(kind)
				h.MeasuredAt = max(h.MeasuredAt, p.heads[len(p.heads)-1].MeasuredAt) + halley.Millis(after)*halley.Second
				p.outOfTurn(h)
			}
		case 5:
			p.restart(t, &at, interval)
			order = 0
			p.receive(head(halley.AfterRestart), false)
		case 6:
			if family == halley.Modem {
				continue
			}
			n := p.pause(t, &at, interval, "cleared")
			p.want[completeness.CacheCleared] += n
			interval = rapid.SampledFrom([]int{60, 120, 600}).Draw(t, "interval")
			config++
			order = 0
			p.receive(head(halley.AfterConfiguration), false)
		}
	}
	p.end = at + halley.Millis(interval)*halley.Second
	return p
}

// pause lets some messages be missing and then a little less or more than one interval pass.
func (p *plan) pause(t *rapid.T, at *halley.Millis, interval int, label string) int64 {
	n := rapid.Int64Range(0, 3000).Draw(t, label)
	second := halley.Millis(interval) * halley.Second
	*at += halley.Millis(n)*second + second*halley.Millis(rapid.IntRange(6, 14).Draw(t, "phase"))/10
	return n
}

func (p *plan) restart(t *rapid.T, at *halley.Millis, interval int) {
	p.want[completeness.RestartOrOff] += p.pause(t, at, interval, "off")
}

// timed draws the life of a web sensor: a beat with jitter, losses, losses by the server's downtime and alarm messages.
func timed(t *rapid.T) plan {
	p := plan{want: map[completeness.Cause]int64{}}
	at := t0
	send := func() {
		p.receive(storage.Head{MeasuredAt: at + halley.Millis(rapid.IntRange(0, 2000).Draw(t, "jitter")), Interval: 60}, false)
	}
	send()
	for range rapid.IntRange(0, 60).Draw(t, "events") {
		n := rapid.Int64Range(1, 300).Draw(t, "number")
		switch rapid.IntRange(0, 3).Draw(t, "event") {
		case 0:
			for range n {
				at += halley.Minute
				send()
			}
		case 1:
			at += halley.Minute * halley.Millis(n+1)
			p.want[completeness.Unknown] += n
			send()
		case 2:
			p.downtime = append(p.downtime, halley.Span{From: at + 45*halley.Second, To: at + halley.Minute*halley.Millis(n) + 10*halley.Second})
			at += halley.Minute * halley.Millis(n+1)
			p.want[completeness.ServerDown] += n
			send()
		case 3:
			p.outOfTurn(storage.Head{MeasuredAt: at + halley.Millis(rapid.IntRange(2001, 29000).Draw(t, "after")), Interval: 60})
		}
	}
	p.end = at + halley.Minute
	return p
}

func each(heads []storage.Head) iter.Seq2[storage.Head, error] {
	return func(yield func(storage.Head, error) bool) {
		for _, h := range heads {
			if !yield(h, nil) {
				return
			}
		}
	}
}

// sums adds up the gaps of a report by cause.
func sums(reports ...completeness.Report) map[completeness.Cause]int64 {
	out := map[completeness.Cause]int64{}
	for _, r := range reports {
		for _, g := range r.Gaps {
			out[g.Cause] += g.Messages
		}
	}
	return out
}

// TestPlannedLossesAreFoundExactly also splits the period at random instants: the parts must add up to the whole, through a store
// that is read in pages and with look-back.
func TestPlannedLossesAreFoundExactly(t *testing.T) {
	t.Parallel()
	for _, family := range []halley.Family{halley.WebSensor, halley.WiFi, halley.TAx6xx, halley.Modem} {
		t.Run(string(family), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				p := timed
				if family != halley.WebSensor {
					p = func(t *rapid.T) plan { return numbered(t, family) }
				}
				checkPlan(t, family, p(t))
			})
		})
	}
}

func checkPlan(t *rapid.T, family halley.Family, p plan) {
	slices.SortStableFunc(p.heads, func(a, b storage.Head) int { return int(a.MeasuredAt - b.MeasuredAt) })
	for i := 1; i < len(p.heads); i++ {
		if p.heads[i].MeasuredAt == p.heads[i-1].MeasuredAt {
			p.heads[i].Variant = p.heads[i-1].Variant + 1
		}
	}
	period := completeness.Period{Family: family, From: t0, To: p.end, Now: p.end, Downtime: p.downtime}
	whole, err := completeness.Count(period, each(p.heads))
	if err != nil {
		t.Fatal(err)
	}
	for cause, n := range p.want {
		if n == 0 {
			delete(p.want, cause)
		}
	}
	if diff := cmp.Diff(p.want, sums(whole)); diff != "" {
		t.Errorf("missing by cause (-want +got)\n%s", diff)
	}
	want := completeness.Report{Received: p.received, Extra: p.extra, Late: p.late, From: t0, To: p.end}
	for _, n := range p.want {
		want.Missing += n
	}
	want.Expected = want.Received + want.Missing
	got := whole
	got.Gaps = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	cuts := rapid.SliceOfN(rapid.Int64Range(int64(t0)+1, int64(p.end)-1), 0, 4).Draw(t, "cuts")
	cuts = append(cuts, int64(t0), int64(p.end))
	slices.Sort(cuts)
	checkParts(t, period, slices.Compact(cuts), p.heads, whole)
}

func checkParts(t *rapid.T, period completeness.Period, cuts []int64, heads []storage.Head, whole completeness.Report) {
	s := &series{heads: heads}
	sum := whole
	var parts []completeness.Report
	sum.Expected, sum.Received, sum.Late, sum.Missing, sum.Extra, sum.Uncertain = 0, 0, 0, 0, 0, 0
	for i := 1; i < len(cuts); i++ {
		period.From, period.To = halley.Millis(cuts[i-1]), halley.Millis(cuts[i])
		r, err := completeness.Of(t.Context(), s, 1, period)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range r.Gaps {
			if g.From < r.From || g.To > r.To || g.From >= g.To || g.Messages < 1 {
				t.Errorf("gap %+v is not inside %v to %v", g, r.From, r.To)
			}
		}
		sum.Expected += r.Expected
		sum.Received += r.Received
		sum.Late += r.Late
		sum.Missing += r.Missing
		sum.Extra += r.Extra
		parts = append(parts, r)
	}
	if diff := cmp.Diff(whole, sum); diff != "" {
		t.Errorf("the parts do not add up (-whole +sum)\n%s", diff)
	}
	if diff := cmp.Diff(sums(whole), sums(parts...)); diff != "" {
		t.Errorf("the parts' causes do not add up (-whole +sum)\n%s", diff)
	}
}
