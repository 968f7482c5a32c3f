package completeness_test

import (
	"testing"

	"halley/server/completeness"
)

func TestAReportInWords(t *testing.T) {
	t.Parallel()
	of := func(n int64, cause completeness.Cause, by string) completeness.Gap {
		return completeness.Gap{Messages: n, Cause: cause, By: by}
	}
	for want, r := range map[string]completeness.Report{
		"no messages were expected":                                   {},
		"100 % of 1 expected message; none missing":                   {Expected: 1, Received: 1},
		"100 % of 8,640 expected messages; none missing; 7 came late": {Expected: 8640, Received: 8640, Late: 7},
		"99.8 % of 8,640 expected messages; 12 missing, 3 of them while the server was down, 9 of them for a reason that is not known": {
			Expected: 8640, Received: 8628, Missing: 12,
			Gaps: []completeness.Gap{of(4, completeness.Unknown, ""), of(3, completeness.ServerDown, ""), of(5, completeness.Unknown, "")},
		},
		"99.9 % of 1,000,000 expected messages; 1 missing for a reason that is not known": {
			Expected: 1_000_000, Received: 999_999, Missing: 1, Gaps: []completeness.Gap{of(1, completeness.Unknown, "")},
		},
		"0.0 % of 2,000 expected messages; 2,000 missing, 1,500 of them while the device was switched off (as eva says), " +
			"500 of them while the device was switched off (as tom says)": {
			Expected: 2000, Missing: 2000,
			Gaps: []completeness.Gap{
				of(1000, completeness.SwitchedOff, "eva"), of(500, completeness.SwitchedOff, "tom"), of(500, completeness.SwitchedOff, "eva"),
			},
		},
		"50.0 % of 4 expected messages; 2 missing, 1 of them received and waiting in quarantine, 1 of them numbered by the device and " +
			"never received; up to 9 more may be missing, for the interval changed": {
			Expected: 4, Received: 2, Missing: 2, Uncertain: 9,
			Gaps: []completeness.Gap{
				of(1, completeness.OrderGap, ""), of(9, completeness.IntervalChanged, ""), of(1, completeness.Quarantined, ""),
			},
		},
	} {
		if got := r.Words(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestEveryCauseHasWords(t *testing.T) {
	t.Parallel()
	seen := map[string]completeness.Cause{}
	for _, c := range []completeness.Cause{
		completeness.NoNetwork, completeness.ServerRefused, completeness.ServerDown, completeness.RestartOrOff, completeness.SwitchedOff,
		completeness.CacheCleared, completeness.Quarantined, completeness.OrderGap, completeness.Unknown,
	} {
		r := completeness.Report{Expected: 9, Received: 7, Missing: 2, Gaps: []completeness.Gap{
			{Messages: 1, Cause: c}, {Messages: 1, Cause: completeness.Unknown, By: "eva"},
		}}
		if other, ok := seen[r.Words()]; ok {
			t.Errorf("%s and %s read alike: %s", c, other, r.Words())
		}
		seen[r.Words()] = c
	}
}
