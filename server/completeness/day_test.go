package completeness_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

func TestADayIsCountedByTheSameRule(t *testing.T) {
	t.Parallel()
	// A message an hour, the fourth of the day missing, over the day's edges.
	s := &series{}
	for n := -3; n < 30; n++ {
		if n != 3 {
			s.heads = append(s.heads, head{at: 3600 * n, order: n + 10, interval: 3600, late: 60}.storage())
		}
	}
	due := storage.DeviceDay{Device: 7, Day: int64(t0 / halley.Day), Revision: 4}
	now := sec(86400 * 2)
	got, err := completeness.OfDay(t.Context(), s, halley.WiFi, due, now)
	if err != nil {
		t.Fatal(err)
	}
	r, err := completeness.Of(t.Context(), s, 7, completeness.Period{Family: halley.WiFi, From: t0, To: t0 + halley.Day, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	want := storage.DayCount{
		DeviceDay: due, Expected: r.Expected, Received: r.Received, Late: r.Late, Missing: r.Missing, Uncertain: r.Uncertain,
		Duplicates: r.Duplicates, Conflicts: r.Conflicts, Extra: r.Extra,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the day (-want +got):\n%s", diff)
	}
	if got.Expected != 24 || got.Received != 23 || got.Missing != 1 {
		t.Errorf("the day: %+v, want 23 of 24", got)
	}
}

func TestADayCountsWhenItHasSettled(t *testing.T) {
	t.Parallel()
	day := int64(t0 / halley.Day)
	for at, want := range map[halley.Millis]int64{
		t0 + halley.Day: day, t0 + halley.Day + 3*halley.Hour - 1: day, t0 + halley.Day + 3*halley.Hour: day + 1,
	} {
		if got := completeness.SettledBefore(at); got != want {
			t.Errorf("at %s days before %d have settled, want before %d", at, got, want)
		}
	}
}
