package completeness_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

// mark is what eva says of a span.
func mark(from, to int, cause completeness.Cause) storage.GapCause {
	return storage.GapCause{From: sec(from), To: sec(to), Cause: string(cause), By: "eva", At: sec(9000), Note: string(cause)}
}

// said is a gap whose cause eva gave.
func said(g completeness.Gap) completeness.Gap {
	g.By, g.At, g.Note = "eva", sec(9000), string(g.Cause)
	return g
}

type explainCase struct {
	name    string
	family  halley.Family
	heads   []head
	explain func(p *completeness.Period)
	want    []completeness.Gap
}

func runExplain(t *testing.T, cases []explainCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &series{}
			for _, h := range c.heads {
				s.heads = append(s.heads, h.storage())
			}
			p := completeness.Period{Family: c.family, From: t0, To: sec(600), Now: sec(600)}
			c.explain(&p)
			got, err := completeness.Of(t.Context(), s, 1, p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Gaps); diff != "" {
				t.Errorf("gaps (-want +got)\n%s", diff)
			}
			var sum int64
			for _, g := range got.Gaps {
				sum += g.Messages
			}
			if sum != got.Missing {
				t.Errorf("the gaps hold %d of %d", sum, got.Missing)
			}
		})
	}
}

// Of ten minutes of a message a minute, those at 120 to 420 are missing: by a jump, across a restart, and of a web sensor.
func jumped() []head { return join(sequence(0, 0, 2), sequence(480, 8, 2)) }

func restarted() []head {
	return join(sequence(0, 7, 2), []head{{at: 480, kind: restart}, {at: 540, order: 1}})
}
func timed6() []head { return join(sequence(0, 0, 2), sequence(480, 0, 2)) }

func TestWhatTheServersSayOfAGap(t *testing.T) {
	t.Parallel()
	const (
		down    = completeness.ServerDown
		refused = completeness.ServerRefused
	)
	both := func(p *completeness.Period) {
		p.Refused, p.Downtime = spans(110, 190, 230, 310), spans(170, 250, 700, 800)
	}
	runExplain(t, []explainCase{
		{"of a web sensor", halley.WebSensor, timed6(), both, gaps(
			gap(60, 180, 1, refused), gap(180, 300, 2, down), gap(300, 360, 1, refused), gap(360, 480, 2, unproven))},
		{"of a jump of numbers", halley.WiFi, jumped(), both, gaps(
			gap(60, 180, 1, refused), gap(180, 300, 2, down), gap(300, 360, 1, refused), gap(360, 480, 2, orderGap))},
		{"of a restart nothing, for the device itself may have been off", halley.Modem, restarted(), both, gaps(gap(60, 480, 6, restartOrOff))},
	})
}

func TestWhatLiesInQuarantineIsNotLost(t *testing.T) {
	t.Parallel()
	const held = completeness.Quarantined
	at := func(seconds ...int) (list []halley.Millis) {
		for _, s := range seconds {
			list = append(list, sec(s))
		}
		return list
	}
	of := func(seconds ...int) func(*completeness.Period) {
		return func(p *completeness.Period) {
			p.Held, p.Downtime, p.Marks = at(seconds...), spans(170, 190), []storage.GapCause{mark(0, 600, completeness.SwitchedOff)}
		}
	}
	runExplain(t, []explainCase{
		{"each explains the missing message that is nearest", halley.WebSensor, timed6(), of(-60, 30, 62, 122, 175, 299, 421, 700), gaps(
			gap(60, 240, 2, held), said(gap(240, 300, 1, completeness.SwitchedOff)), gap(300, 360, 1, held),
			said(gap(360, 420, 1, completeness.SwitchedOff)), gap(420, 480, 1, held))},
		{"two at one time explain one", halley.WebSensor, timed6(), of(299, 300), gaps(
			said(gap(60, 180, 1, completeness.SwitchedOff)), gap(180, 240, 1, completeness.ServerDown),
			said(gap(240, 300, 1, completeness.SwitchedOff)), gap(300, 360, 1, held), said(gap(360, 480, 2, completeness.SwitchedOff)))},
		{"of a restart too", halley.WiFi, restarted(), of(120, 180, 240, 300, 360, 420), gaps(gap(60, 480, 6, held))},
	})
}

func TestWhatAPersonSays(t *testing.T) {
	t.Parallel()
	const (
		off  = completeness.SwitchedOff
		none = completeness.NoNetwork
	)
	marks := func(list ...storage.GapCause) func(*completeness.Period) {
		return func(p *completeness.Period) { p.Marks, p.Downtime = list, spans(410, 430) }
	}
	rest := gap(420, 480, 1, completeness.ServerDown)
	runExplain(t, []explainCase{
		{"counts where nothing is known", halley.WebSensor, timed6(), marks(mark(170, 250, off)), gaps(
			gap(60, 180, 1, unproven), said(gap(180, 300, 2, off)), gap(300, 420, 2, unproven), rest)},
		{"counts over a restart", halley.WiFi, restarted(), marks(mark(0, 600, off)), gaps(said(gap(60, 480, 6, off)))},
		{"does not count over the server's own downtime", halley.WebSensor, timed6(), marks(mark(0, 600, off)), gaps(said(gap(60, 420, 5, off)), rest)},
		{"cannot have switched off a device that counted on", halley.WiFi, jumped(), marks(mark(0, 600, off)), gaps(gap(60, 420, 5, orderGap), rest)},
		{"may know of a network that the device does not speak of", halley.Modem, jumped(), marks(mark(0, 600, none)), gaps(said(gap(60, 420, 5, none)), rest)},
		{"counts over what was said before", halley.WebSensor, timed6(), marks(mark(0, 600, off), mark(170, 250, none)), gaps(
			said(gap(60, 180, 1, off)), said(gap(180, 300, 2, none)), said(gap(300, 420, 2, off)), rest)},
		{"takes back what was said before", halley.WebSensor, timed6(), marks(mark(0, 600, off), mark(170, 600, unproven)), gaps(
			said(gap(60, 180, 1, off)), gap(180, 420, 4, unproven), rest)},
		{"takes it back over a restart", halley.WiFi, restarted(), marks(mark(0, 600, off), mark(0, 600, unproven)), gaps(gap(60, 480, 6, restartOrOff))},
	})
}

// cached gives the heads with a reason why they waited.
func cached(reason int, heads []head) []head {
	for i := range heads {
		heads[i].cache = reason
	}
	return heads
}

func TestAJumpHasTheCauseOfTheMessagesBesideIt(t *testing.T) {
	t.Parallel()
	const (
		none    = completeness.NoNetwork
		refused = completeness.ServerRefused
	)
	behind := func(reason int) []head { return join(sequence(0, 0, 2), cached(reason, sequence(480, 8, 2))) }
	front := func(reason int) []head { return join(cached(reason, sequence(0, 0, 2)), sequence(480, 8, 2)) }
	as := func(f halley.Family, heads []head, cause completeness.Cause) explainCase {
		return explainCase{string(f) + " " + string(cause), f, heads, func(*completeness.Period) {}, gaps(gap(60, 480, 6, cause))}
	}
	cases := []explainCase{
		as(halley.WiFi, behind(1), none), as(halley.WiFi, front(1), none), as(halley.WiFi, behind(7), refused),
		as(halley.WiFi, behind(5), orderGap), as(halley.WiFi, join(cached(1, sequence(0, 0, 2)), cached(7, sequence(480, 8, 2))), refused),
		as(halley.TAx6xx, behind(1), none), as(halley.TAx6xx, behind(10), refused), as(halley.TAx6xx, behind(7), orderGap),
		as(halley.Modem, behind(1), orderGap), as(halley.Modem, behind(halley.Unknown), orderGap),
		as(halley.WiFi, join(sequence(0, 0, 2), configured(3, cached(1, sequence(480, 8, 2)))), cacheCleared),
	}
	for i := range cases {
		cases[i].name = string(rune('a'+i)) + " " + cases[i].name
	}
	runExplain(t, cases)
}

func TestPeopleMaySayWhatHalleyDoesNotCount(t *testing.T) {
	t.Parallel()
	for cause, want := range map[completeness.Cause]bool{
		completeness.NoNetwork: true, completeness.ServerRefused: true, completeness.ServerDown: true, completeness.RestartOrOff: true,
		completeness.SwitchedOff: true, completeness.CacheCleared: true, completeness.Unknown: true,
		completeness.Quarantined: false, completeness.IntervalChanged: false, completeness.OrderGap: false, "bad luck": false, "": false,
	} {
		if cause.Sayable() != want {
			t.Errorf("%q.Sayable() = %v, want %v", cause, !want, want)
		}
	}
}
