package sqlkit

import (
	"context"
	"slices"
	"strconv"

	"halley"
	"halley/storage"
)

const (
	selectDays = `
SELECT day, batch_id, expected, received, late, missing, uncertain, duplicates, conflicts, extra
  FROM completeness_day
 WHERE device_id = @device AND day >= @from AND day < @to
 ORDER BY day`

	// In the order of the index by day, whose entries go on with the primary key.
	selectAllDays = `
SELECT device_id, day, batch_id, expected, received, late, missing, uncertain, duplicates, conflicts, extra
  FROM completeness_day
 WHERE day >= @from AND day < @to AND (day > @from OR device_id > @after)
 ORDER BY day, device_id`

	selectChangesBehind = `
SELECT device_id, day, batch_id
  FROM completeness_change
 WHERE batch_id > @after`

	selectRecordedBehind = "SELECT COALESCE(MIN(recorded_at), 0) FROM batch WHERE batch_id > @after"

	// The dialect's list stands between the two parts of each.
	selectStoredBehind = `
SELECT m.device_id, MAX(m.batch_id)
  FROM `
	fromStoredBehind = ` l
  JOIN message m ON m.device_id = CAST(l.value AS bigint) AND m.measured_at >= @from AND m.measured_at < @to
 WHERE m.batch_id > @after
 GROUP BY m.device_id`

	selectTalliedBehind = `
SELECT y.device_id, MAX(y.batch_id)
  FROM `
	fromTalliedBehind = ` l
  JOIN tally y ON y.device_id = CAST(l.value AS bigint) AND y.day = @day
 WHERE y.batch_id > @after
 GROUP BY y.device_id`

	// wrong stands in batch_id of a day that had changed again when its row was put. It is below every batch.
	wrong = -1
)

// Days lists the rows of one device on the UTC days [from, to).
func (s *Store) Days(ctx context.Context, device halley.DeviceID, from, to int64) ([]storage.DayCount, error) {
	list := []storage.DayCount{}
	err := s.query(ctx, func(scan func(...any) error) error {
		d := storage.DayCount{DeviceDay: storage.DeviceDay{Device: device}}
		err := scan(&d.Day, &d.Revision, &d.Expected, &d.Received, &d.Late, &d.Missing, &d.Uncertain, &d.Duplicates, &d.Conflicts,
			&d.Extra)
		d.Revision = max(d.Revision, 0)
		list = append(list, d)
		return err
	}, selectDays, args("device", int64(device), "from", from, "to", to)...)
	if err != nil {
		return nil, s.fail("read the completeness", err)
	}
	return list, nil
}

// AllDays lists the rows of all devices on the UTC days [from, to) by day, then device, on the first day behind a device.
func (s *Store) AllDays(ctx context.Context, from, to int64, after halley.DeviceID, limit int) ([]storage.DayCount, error) {
	list := []storage.DayCount{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var d storage.DayCount
		err := scan(&d.Device, &d.Day, &d.Revision, &d.Expected, &d.Received, &d.Late, &d.Missing, &d.Uncertain, &d.Duplicates,
			&d.Conflicts, &d.Extra)
		d.Revision = max(d.Revision, 0)
		list = append(list, d)
		return err
	}, selectAllDays+s.dialect.Limit, args("from", from, "to", to, "after", int64(after), "limit", max(limit, 1))...)
	if err != nil {
		return nil, s.fail("read the completeness", err)
	}
	return list, nil
}

// PutDays writes rows over what is there, in one transaction under the lease.
func (s *Store) PutDays(ctx context.Context, l storage.Lease, days []storage.DayCount) error {
	const op = "write the completeness"
	for i := range days {
		d := &days[i]
		if d.Device < 1 || d.Day < 0 || d.Revision < 0 || min(d.Expected, d.Received, d.Late, d.Missing, d.Uncertain, d.Duplicates,
			d.Conflicts, d.Extra) < 0 {
			return &halley.Error{Kind: halley.Invalid, Op: op, Message: "a count of a day is a number from 0 on"}
		}
	}
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		if err := c.under(ctx, op, l); err != nil {
			return err
		}
		if len(days) == 0 {
			return nil
		}
		if err := c.openBulk(ctx); err != nil {
			return err
		}
		return c.putDays(ctx, days)
	})
}

func (c *change) putDays(ctx context.Context, days []storage.DayCount) error {
	gone, err := c.removals(ctx)
	if err != nil {
		return err
	}
	if days = slices.DeleteFunc(slices.Clone(days), func(d storage.DayCount) bool { return gone.cover(d.Day) }); len(days) == 0 {
		// What was counted while retention removed the day may be wrong; what was counted before stays.
		return nil
	}
	oldest := days[0].Revision
	for i := range days {
		oldest = min(oldest, days[i].Revision)
	}
	ch := changes{change: c, after: oldest, newest: map[storage.DeviceDay]int64{}}
	if err := ch.look(ctx, days); err != nil {
		return err
	}
	for i := range days {
		d := &days[i]
		revision := d.Revision
		if ch.newest[storage.DeviceDay{Device: d.Device, Day: d.Day}] > revision {
			revision = wrong
		}
		if err := c.bulk.Put(CompletenessDay, int64(d.Device), d.Day, revision, d.Expected, d.Received, d.Late, d.Missing,
			d.Uncertain, d.Duplicates, d.Conflicts, d.Extra); err != nil {
			return err
		}
	}
	return nil
}

// changes finds what changed since days were counted; most often nothing.
type changes struct {
	*change
	// after is the oldest revision, newest the highest batch that changed a day.
	after  int64
	newest map[storage.DeviceDay]int64
}

func (ch *changes) look(ctx context.Context, days []storage.DayCount) error {
	err := ch.each(ctx, func(scan func(...any) error) error {
		var d storage.DeviceDay
		var batch int64
		err := scan(&d.Device, &d.Day, &batch)
		ch.newest[d] = max(ch.newest[d], batch)
		return err
	}, selectChangesBehind, args("after", ch.after)...)
	if err != nil {
		return err
	}
	// A batch took no note of a day that was not over by its own clock and not counted yet: such days are looked at themselves.
	var recorded halley.Millis
	if _, err := ch.one(ctx, []any{&recorded}, selectRecordedBehind, args("after", ch.after)...); err != nil || recorded == 0 {
		return err
	}
	open := map[int64][]halley.DeviceID{}
	for i := range days {
		if d := &days[i]; d.Day >= int64(recorded/halley.Day) {
			open[d.Day] = append(open[d.Day], d.Device)
		}
	}
	for day, devices := range open {
		for page := range slices.Chunk(devices, deviceDays) {
			if err := ch.lookAt(ctx, day, page); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookAt looks for messages and repeats of one day.
func (ch *changes) lookAt(ctx context.Context, day int64, devices []halley.DeviceID) error {
	keep := func(scan func(...any) error) error {
		d := storage.DeviceDay{Day: day}
		var batch int64
		err := scan(&d.Device, &batch)
		ch.newest[d] = max(ch.newest[d], batch)
		return err
	}
	list, lists := numbers(devices), ch.s.dialect.List
	err := ch.each(ctx, keep, selectStoredBehind+lists+fromStoredBehind, args("list", list, "after", ch.after,
		"from", day*int64(halley.Day), "to", (day+1)*int64(halley.Day))...)
	if err != nil {
		return err
	}
	return ch.each(ctx, keep, selectTalliedBehind+lists+fromTalliedBehind, args("list", list, "after", ch.after, "day", day)...)
}

// numbers gives the JSON array of ids for the dialect's list.
func numbers[T ~int64](ids []T) string {
	list := make([]byte, 0, 2+8*len(ids))
	list = append(list, '[')
	for i, id := range ids {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, int64(id), 10)
	}
	return string(append(list, ']'))
}
