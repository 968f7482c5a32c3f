package completeness_test

import (
	"testing"

	"halley"
	"halley/server/completeness"
)

func TestWebSensorRule(t *testing.T) {
	t.Parallel()
	const unknown, down, changed = completeness.Unknown, completeness.ServerDown, completeness.IntervalChanged
	runRules(t, halley.WebSensor, []ruleCase{
		{name: "complete", heads: sequence(0, 0, 10), want: numbers{Received: 10}},
		{
			name: "a gap of one and a half timers is none", heads: []head{{at: 0}, {at: 90}, {at: 150}, {at: 210}}, to: 240,
			want: numbers{Received: 4},
		},
		{
			name: "a gap beyond one and a half timers counts", heads: []head{{at: 0}, {at: 91}, {at: 151}}, to: 180,
			want: numbers{Received: 3, Missing: 1, Gaps: []completeness.Gap{gap(0, 91, 1, unknown)}},
		},
		{
			name: "three in a row are missing", heads: join(sequence(0, 0, 3), sequence(360, 0, 4)),
			want: numbers{Received: 7, Missing: 3, Gaps: []completeness.Gap{gap(120, 360, 3, unknown)}},
		},
		{
			name: "the server's downtime explains what fell into it", heads: join(sequence(0, 0, 3), sequence(480, 0, 2)),
			downtime: []halley.Span{{From: sec(-500), To: sec(-400)}, {From: sec(230), To: sec(310)}},
			want: numbers{Received: 5, Missing: 5, Gaps: []completeness.Gap{
				gap(120, 240, 1, unknown), gap(240, 360, 2, down), gap(360, 480, 2, unknown),
			}},
		},
		{
			name: "downtime that ends before a message is due explains nothing", heads: join(sequence(0, 0, 2), sequence(180, 0, 7)),
			downtime: []halley.Span{{From: sec(61), To: sec(120)}},
			want:     numbers{Received: 9, Missing: 1, Gaps: []completeness.Gap{gap(60, 180, 1, unknown)}},
		},
		{
			name: "alarm messages are extra and fill no gap", heads: []head{
				{at: 0}, {at: 10}, {at: 60}, {at: 80}, {at: 180}, {at: 240}, {at: 300}, {at: 335}, {at: 360}, {at: 420}, {at: 480}, {at: 540},
			},
			want: numbers{Received: 9, Missing: 1, Extra: 3, Gaps: []completeness.Gap{gap(60, 180, 1, unknown)}},
		},
		{
			name: "of two near ones the one on the beat is periodic", heads: []head{{at: 0}, {at: 155}, {at: 180}, {at: 190}, {at: 240}}, to: 270,
			want: numbers{Received: 3, Missing: 2, Extra: 2, Gaps: []completeness.Gap{gap(0, 180, 2, unknown)}},
		},
		{
			name: "exactly half a timer is no extra", heads: []head{{at: 0}, {at: 30}, {at: 90}}, to: 100,
			want: numbers{Received: 3},
		},
		{
			name: "a longer timer makes the answer a range", heads: []head{{at: 0}, {at: 600, interval: 120}}, to: 660,
			want: numbers{Received: 2, Missing: 4, Uncertain: 5, Gaps: []completeness.Gap{gap(0, 600, 4, unknown), gap(0, 600, 5, changed)}},
		},
		{
			name: "a range may begin at none", heads: []head{{at: 0}, {at: 300, interval: 600}}, to: 310,
			want: numbers{Received: 2, Uncertain: 4, Gaps: []completeness.Gap{gap(0, 300, 4, changed)}},
		},
		{
			name: "a shorter timer after a gap that is none for the earlier", heads: []head{{at: 0, interval: 300}, {at: 300}, {at: 360}}, to: 400,
			want: numbers{Received: 3},
		},
		{
			name: "a restart with a shorter timer", heads: []head{{at: 0, interval: 300}, {at: 40}, {at: 100}, {at: 160}}, to: 200,
			want: numbers{Received: 4},
		},
		{
			name: "the open end counts after one and a half timers", heads: sequence(0, 0, 3), now: 211,
			want: numbers{Received: 3, Missing: 1, Gaps: []completeness.Gap{gap(120, 211, 1, unknown)}},
		},
		{name: "the open end does not count before", heads: sequence(0, 0, 3), now: 210, want: numbers{Received: 3}},
		{
			name: "an open end in the past counts what was due", heads: sequence(45, 0, 3), to: 400, now: 4000,
			want: numbers{Received: 3, Missing: 3, Gaps: []completeness.Gap{gap(165, 400, 3, unknown)}},
		},
		{
			name: "the open end is explained by downtime", heads: sequence(0, 0, 3), now: 310,
			downtime: []halley.Span{{From: sec(170), To: sec(305)}},
			want:     numbers{Received: 3, Missing: 2, Gaps: []completeness.Gap{gap(120, 300, 2, down)}},
		},
		{
			name: "a gap across the beginning is split", heads: join(sequence(-240, 0, 1), sequence(180, 0, 7)),
			want: numbers{Received: 7, Missing: 3, Gaps: []completeness.Gap{gap(0, 180, 3, unknown)}},
		},
		{
			name: "a gap across the end is split", heads: join(sequence(0, 0, 6), sequence(840, 0, 1)), now: 840,
			want: numbers{Received: 6, Missing: 4, Gaps: []completeness.Gap{gap(300, 600, 4, unknown)}},
		},
		{
			name: "a period inside a long silence is all missing", heads: join(sequence(-86400*40, 0, 1)), now: 86400,
			want: numbers{Missing: 10, Gaps: []completeness.Gap{gap(0, 600, 10, unknown)}},
		},
		{name: "nothing is expected before the first message", heads: sequence(300, 0, 5), want: numbers{Received: 5}},
		{
			name: "an unknown timer expects nothing", heads: []head{{at: 0, interval: unknownInterval}, {at: 500, interval: unknownInterval}},
			want: numbers{Received: 2},
		},
		{
			name: "a timer that one message does not name is that of the other", heads: []head{{at: 0, interval: unknownInterval}, {at: 180}}, to: 200,
			want: numbers{Received: 2, Missing: 2, Gaps: []completeness.Gap{gap(0, 180, 2, unknown)}},
		},
		{name: "a device without messages", want: numbers{}},
	})
}
