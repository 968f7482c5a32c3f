package completeness_test

import (
	"testing"

	"halley"
	"halley/server/completeness"
)

// Short names for the tables.
const (
	restart = halley.AfterRestart
	reconf  = halley.AfterConfiguration
	extra   = halley.Extra
	test    = halley.TestMessage

	orderGap     = completeness.OrderGap
	restartOrOff = completeness.RestartOrOff
	cacheCleared = completeness.CacheCleared
	changed      = completeness.IntervalChanged
	unproven     = completeness.Unknown
)

func gaps(g ...completeness.Gap) []completeness.Gap { return g }

// configured gives the heads with a configuration number.
func configured(config int, heads []head) []head {
	for i := range heads {
		heads[i].config = config
	}
	return heads
}

func TestWiFiRuleInsideARun(t *testing.T) {
	t.Parallel()
	runRules(t, halley.WiFi, []ruleCase{
		{name: "complete", heads: sequence(0, 7, 10), want: numbers{Received: 10}},
		{
			name: "a jump of the order number counts", heads: join(sequence(0, 0, 3), sequence(360, 6, 4)),
			want: numbers{Received: 7, Missing: 3, Gaps: gaps(gap(120, 360, 3, orderGap))},
		},
		{
			name:  "time without a jump counts nothing, for the clock was set",
			heads: join(sequence(0, 0, 3), sequence(480, 3, 2)), want: numbers{Received: 5},
		},
		{
			name: "extra messages and tests use order numbers", heads: []head{
				{at: 0}, {at: 10, order: 1, kind: extra}, {at: 60, order: 2}, {at: 70, order: 3, kind: test}, {at: 120, order: 4},
			}, to: 180, want: numbers{Received: 3, Extra: 1},
		},
		{
			name: "neither fills a gap", heads: []head{
				{at: 0}, {at: 60, order: 2, kind: extra}, {at: 120, order: 4, kind: test}, {at: 180, order: 5},
			}, to: 240, want: numbers{Received: 2, Missing: 2, Extra: 1, Gaps: gaps(gap(0, 60, 1, orderGap), gap(60, 120, 1, orderGap))},
		},
		{
			name: "an alarm of the same second is taken in order", heads: []head{
				{at: 0}, {at: 60, order: 2, kind: extra}, {at: 60, order: 1}, {at: 120, order: 3},
			}, to: 180, want: numbers{Received: 3, Extra: 1},
		},
		{
			name: "late ones are received", heads: []head{{at: 0, late: 120}, {at: 60, order: 1, late: 121}, {at: 120, order: 2, late: 9999}}, to: 180,
			want: numbers{Received: 3, Late: 2},
		},
		{
			name: "a change of configuration inside a run cleared the cache", heads: join(configured(4, sequence(0, 0, 3)), configured(5, sequence(360, 6, 4))),
			want: numbers{Received: 7, Missing: 3, Gaps: gaps(gap(120, 360, 3, cacheCleared))},
		},
		{
			name: "a clock set back lays runs into one another", heads: func() (out []head) {
				for i := range 20 {
					out = append(out, head{at: 60 * i, order: i}, head{at: 60*i + 20, order: 100 + i})
				}
				return out
			}(), to: 1200, want: numbers{Received: 40},
		},
		{
			name: "the open end counts", heads: sequence(0, 0, 3), now: 400,
			want: numbers{Received: 3, Missing: 4, Gaps: gaps(gap(120, 400, 4, unproven))},
		},
		{
			name:  "a jump to an extra message is not counted again at the open end",
			heads: join(sequence(0, 0, 3), []head{{at: 260, order: 5, kind: extra}}), now: 400,
			want: numbers{Received: 3, Missing: 4, Extra: 1, Gaps: gaps(gap(120, 260, 2, orderGap), gap(240, 400, 2, unproven))},
		},
		{
			name: "a jump across the end is split", heads: join(sequence(0, 0, 9), sequence(660, 11, 1)), now: 700,
			want: numbers{Received: 9, Missing: 1, Gaps: gaps(gap(480, 600, 1, orderGap))},
		},
		{
			name: "a jump across the beginning is split", heads: join(sequence(-120, 3, 1), sequence(60, 6, 9)),
			want: numbers{Received: 9, Missing: 1, Gaps: gaps(gap(0, 60, 1, orderGap))},
		},
	})
}

func TestWiFiRuleBetweenRuns(t *testing.T) {
	t.Parallel()
	runRules(t, halley.WiFi, []ruleCase{
		{
			name: "a restart without a pause", heads: join(sequence(0, 80, 3), []head{{at: 140, kind: restart}}, sequence(200, 1, 6)),
			to: 510, want: numbers{Received: 10},
		},
		{
			name: "a restart after a pause", heads: join(sequence(0, 80, 3), []head{{at: 375, kind: restart}}, sequence(435, 1, 3)),
			want: numbers{Received: 7, Missing: 3, Gaps: gaps(gap(120, 375, 3, restartOrOff))},
		},
		{
			name: "a fall of the number proves a restart too", heads: join(sequence(0, 80, 3), sequence(360, 4, 4)),
			want: numbers{Received: 7, Missing: 3, Gaps: gaps(gap(120, 360, 3, restartOrOff))},
		},
		{
			name: "the same number again is a restart too", heads: join(sequence(0, 0, 1), sequence(300, 0, 5)),
			want: numbers{Received: 6, Missing: 4, Gaps: gaps(gap(0, 300, 4, restartOrOff))},
		},
		{
			name: "a first message after a restart ends a run though its number rises", heads: join(sequence(0, 0, 3), []head{{at: 420, order: 5, kind: restart}}, sequence(480, 6, 2)),
			want: numbers{Received: 6, Missing: 4, Gaps: gaps(gap(120, 420, 4, restartOrOff))},
		},
		{
			name: "another configuration cleared the cache", heads: join(configured(1, sequence(0, 80, 3)), configured(2, []head{{at: 360, kind: reconf}}), configured(2, sequence(420, 1, 3))),
			want: numbers{Received: 7, Missing: 3, Gaps: gaps(gap(120, 360, 3, cacheCleared))},
		},
		{
			name: "before a first message the earlier interval was in force", heads: join(
				[]head{{at: 0, order: 8, interval: 300, config: 1}, {at: 240, order: 0, kind: reconf, config: 2}}, configured(2, sequence(300, 1, 5))),
			want: numbers{Received: 7},
		},
		{
			name:  "else two intervals make a range",
			heads: []head{{at: 0, order: 8, config: 1}, {at: 480, order: 3, interval: 120, config: 2}}, to: 600,
			want: numbers{
				Received: 2, Missing: 3, Uncertain: 4,
				Gaps: gaps(gap(0, 480, 3, cacheCleared), gap(0, 480, 4, changed)),
			},
		},
		{
			name: "jumps on both sides are not counted again", heads: join(
				sequence(0, 9, 1), []head{{at: 150, order: 12, kind: extra}, {at: 400, order: 2, kind: extra}}, sequence(480, 4, 2)),
			want: numbers{
				Received: 3, Missing: 7, Extra: 2,
				Gaps: gaps(gap(0, 150, 2, orderGap), gap(0, 480, 4, restartOrOff), gap(400, 480, 1, orderGap)),
			},
		},
		{
			name: "messages without a number are told by time, cause unknown", heads: []head{{at: 0, order: halley.Unknown}, {at: 300, order: halley.Unknown}}, to: 350,
			want: numbers{Received: 2, Missing: 4, Gaps: gaps(gap(0, 300, 4, unproven))},
		},
		{
			name: "an unknown interval between runs expects nothing", heads: []head{
				{at: 0, order: 5, interval: unknownInterval}, {at: 300, order: 0, interval: unknownInterval},
			}, to: 350, want: numbers{Received: 2},
		},
	})
}

func TestTAx6xxRuleIsThatOfWiFi(t *testing.T) {
	t.Parallel()
	runRules(t, halley.TAx6xx, []ruleCase{{
		name:  "a jump and a restart",
		heads: join(sequence(0, 5, 2), sequence(180, 8, 1), []head{{at: 360, kind: restart}}, sequence(420, 1, 3)),
		want:  numbers{Received: 7, Missing: 3, Gaps: gaps(gap(60, 180, 1, orderGap), gap(180, 360, 2, restartOrOff))},
	}})
}

func TestModemRule(t *testing.T) {
	t.Parallel()
	runRules(t, halley.Modem, []ruleCase{
		{name: "the number begins anew after 255", heads: join(sequence(0, 251, 5), sequence(300, 0, 5)), want: numbers{Received: 10}},
		{
			name: "messages of one second are taken in order across 255", heads: []head{
				{at: 0, order: 254}, {at: 60, order: 0, kind: extra}, {at: 60, order: 255}, {at: 120, order: 1},
			}, to: 180, want: numbers{Received: 3, Extra: 1},
		},
		{
			name: "a jump inside one second", heads: []head{{at: 0}, {at: 60, order: 1}, {at: 60, order: 3, kind: extra}, {at: 120, order: 4}}, to: 180,
			want: numbers{Received: 3, Missing: 1, Extra: 1, Gaps: gaps(completeness.Gap{From: sec(60), To: sec(60) + 1, Messages: 1, Cause: orderGap})},
		},
		{
			name: "a jump across 255", heads: join(sequence(0, 254, 1), sequence(300, 3, 5)),
			want: numbers{Received: 6, Missing: 4, Gaps: gaps(gap(0, 300, 4, orderGap))},
		},
		{
			name: "whole rounds of the number are told by time", heads: []head{{at: 0, order: 10}, {at: 60 * 516, order: 14}}, to: 60 * 517,
			want: numbers{Received: 2, Missing: 515, Gaps: gaps(gap(0, 60*516, 515, orderGap))},
		},
		{
			name: "less than a round, though the time is a little short", heads: []head{{at: 0, order: 10}, {at: 60 * 250, order: 9}}, to: 60 * 251,
			want: numbers{Received: 2, Missing: 254, Gaps: gaps(gap(0, 60*250, 254, orderGap))},
		},
		{
			name: "a round is nearest, even when the time is a little long", heads: []head{{at: 0, order: 10}, {at: 60 * 270, order: 21}}, to: 60 * 271,
			want: numbers{Received: 2, Missing: 266, Gaps: gaps(gap(0, 60*270, 266, orderGap))},
		},
		{
			name: "a round is nearest, even when the time is a little short of it", heads: []head{{at: 0, order: 10}, {at: 60 * 259, order: 16}}, to: 60 * 260,
			want: numbers{Received: 2, Missing: 261, Gaps: gaps(gap(0, 60*259, 261, orderGap))},
		},
		{
			name: "a restart is told by time", heads: join(sequence(0, 100, 3), []head{{at: 360, order: 0, kind: restart}}, sequence(420, 1, 3)),
			want: numbers{Received: 7, Missing: 3, Gaps: gaps(gap(120, 360, 3, restartOrOff))},
		},
		{
			name: "a change of configuration clears nothing", heads: join(configured(1, sequence(0, 0, 3)), configured(2, sequence(360, 6, 4))),
			want: numbers{Received: 7, Missing: 3, Gaps: gaps(gap(120, 360, 3, orderGap))},
		},
		{
			name: "a buffered logger is late only after its buffer's time", heads: []head{
				{at: 0, order: 0, buffer: 10, late: 720}, {at: 60, order: 1, buffer: 10, late: 721},
			}, to: 120, want: numbers{Received: 2, Late: 1},
		},
		{
			name: "a run that jumps more than time allows is told by time", heads: []head{{at: 0, order: 10}, {at: 60, order: 200}, {at: 120, order: 201}}, to: 180,
			want: numbers{Received: 3},
		},
	})
}
