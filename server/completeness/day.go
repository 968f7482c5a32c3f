package completeness

import (
	"context"

	"halley"
	"halley/storage"
)

// settling is how long after its end a day is counted: until then messages of intervals up to six hours that are missing at its end
// are overdue, and most of what was buffered has come. What comes later makes the day due again.
const settling = 3 * halley.Hour

// SettledBefore gives the UTC day (days since 1970-01-01) before which days can be counted at an instant.
func SettledBefore(now halley.Millis) int64 { return int64((now - settling) / halley.Day) }

// OfDay counts one UTC day of a device, by the same rule as Of.
func OfDay(ctx context.Context, s Series, family halley.Family, due storage.DeviceDay, now halley.Millis) (storage.DayCount, error) {
	from := halley.Millis(due.Day) * halley.Day
	r, err := Of(ctx, s, due.Device, Period{Family: family, From: from, To: from + halley.Day, Now: now})
	if err != nil {
		return storage.DayCount{}, err
	}
	return storage.DayCount{
		DeviceDay: due, Expected: r.Expected, Received: r.Received, Late: r.Late, Missing: r.Missing, Uncertain: r.Uncertain,
		Duplicates: r.Duplicates, Conflicts: r.Conflicts, Extra: r.Extra,
	}, nil
}
