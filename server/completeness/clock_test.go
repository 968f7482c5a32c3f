package completeness_test

import (
	"slices"
	"testing"
	"time"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

// byTime puts heads in the order of a store.
func byTime(parts ...[]head) []head {
	list := join(parts...)
	slices.SortStableFunc(list, func(a, b head) int { return a.at - b.at })
	return list
}

// without leaves out the messages with these numbers.
func without(list []head, orders ...int) []head {
	return slices.DeleteFunc(slices.Clone(list), func(h head) bool { return slices.Contains(orders, h.order) })
}

// ring gives the heads as a modem logger numbers them.
func ring(list []head) []head {
	list = slices.Clone(list)
	for i := range list {
		list[i].order = (list[i].order + 200) % 256
	}
	return list
}

// Numbers go on where a clock is set; only the times do not. Nothing is missing that is there under another time, and what never
// came is still found.
func TestClockStepsLoseNothing(t *testing.T) {
	t.Parallel()
	const hour = 3600
	day := 24 * hour
	back := func(by int) []head { // an hour of messages, the clock set back, an hour more
		return byTime(sequence(0, 0, 60), sequence(hour-by+20, 60, 60))
	}
	forwardAndBack := byTime(sequence(0, 0, 60), sequence(3*hour, 60, 30), sequence(hour+1800, 90, 200))
	cases := []struct {
		name  string
		heads []head
		want  numbers
	}{
		{"set back by a minute and a half", back(90), numbers{Received: 120}},
		{"set back by eight minutes", back(8 * 60), numbers{Received: 120}},
		{"set back by half an hour", back(1800), numbers{Received: 120}},
		{"set back by an hour", back(hour), numbers{Received: 120}},
		{"set forward by an hour", join(sequence(0, 0, 60), sequence(2*hour, 60, 60)), numbers{Received: 120}},
		{"ahead for ten minutes", byTime(sequence(0, 0, 60), sequence(hour+1800, 60, 10), sequence(hour+620, 70, 60)), numbers{Received: 130}},
		{
			"set back by eight minutes, with losses before, within and behind", without(back(8*60), 20, 21, 55, 62, 63, 64, 100),
			numbers{Received: 113, Missing: 7, Gaps: gaps(
				gap(1140, 1320, 2, orderGap), gap(3240, 3360, 1, orderGap), gap(3200, 3440, 3, orderGap), gap(5480, 5600, 1, orderGap))},
		},
		{
			"what is lost just before it is set back is placed where it was due", without(back(8*60), 58, 59),
			numbers{Received: 118, Missing: 2, Gaps: gaps(gap(3420, 3600, 2, orderGap))},
		},
	}
	// A modem logger's numbers come again before so long a time is over.
	long := []ruleCase{
		{name: "ahead for half an hour by hours", heads: forwardAndBack, want: numbers{Received: 290}},
		{
			name: "ahead for half an hour by hours, with a loss in it", heads: without(forwardAndBack, 70),
			want: numbers{Received: 289, Missing: 1, Gaps: gaps(gap(3*hour+540, 3*hour+660, 1, orderGap))},
		},
		{name: "set forward by hours", heads: join(sequence(0, 0, 60), sequence(5*hour, 60, 60)), want: numbers{Received: 120}},
	}
	for i := range long {
		long[i].to, long[i].now = day, long[i].heads[len(long[i].heads)-1].at+60
	}
	runRules(t, halley.WiFi, long)
	for _, family := range []halley.Family{halley.WiFi, halley.Modem} {
		var list []ruleCase
		for _, c := range cases {
			slices.SortFunc(c.want.Gaps, func(a, b completeness.Gap) int { return int(a.From - b.From) })
			heads := c.heads
			if family == halley.Modem {
				heads = ring(heads)
			}
			end := heads[len(heads)-1].at + 60
			list = append(list, ruleCase{name: string(family) + ": " + c.name, heads: heads, to: day, now: end, want: c.want})
		}
		runRules(t, family, list)
	}
}

// A restart whose first message is lost is still told from a clock that was set: its numbers fall into no jump.
func TestAFallThatFillsNoJumpIsARestart(t *testing.T) {
	t.Parallel()
	runRules(t, halley.WiFi, []ruleCase{{
		name: "after a jump", heads: join(sequence(0, 40, 2), sequence(180, 43, 2), sequence(360, 1, 4)),
		want: numbers{Received: 8, Missing: 2, Gaps: gaps(gap(60, 180, 1, orderGap), gap(240, 360, 1, restartOrOff))},
	}})
}

// A modem logger that keeps local time goes through both changes of summer time without a gap, a repeat or a late message.
func TestSummerTimeChangesNothing(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Skipf("this machine has no time zones: %v", err)
	}
	for _, change := range []string{"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"} {
		at, err := halley.ParseMillis(change)
		if err != nil {
			t.Fatal(err)
		}
		s := &series{}
		from, to := at-3*halley.Hour, at+3*halley.Hour
		for i := halley.Millis(0); from+i*halley.Minute < to; i++ {
			received := from + i*halley.Minute + halley.Second
			_, offset := received.Time().In(zone).Zone()
			wall := from + i*halley.Minute + halley.Millis(offset)*halley.Second
			m := halley.Message{Sample: wall, Now: wall + halley.Second, Clock: halley.ClockLocalOrUTC, OffsetMinutes: offset / 60}
			s.heads = append(s.heads, storage.Head{
				MeasuredAt: m.MeasuredAt(received), ReceivedAt: received, Order: int64(i % 256), Interval: 60, Config: halley.Unknown,
			})
		}
		r := of(t, s, completeness.Period{Family: halley.Modem, From: from, To: to, Now: to})
		if r.Received != 360 || r.Missing != 0 || r.Late != 0 || r.Uncertain != 0 {
			t.Errorf("around %s: %+v", change, r)
		}
	}
}
