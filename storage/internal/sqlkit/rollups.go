package sqlkit

import (
	"context"
	"database/sql"

	"halley"
	"halley/storage"
	"halley/storage/internal/rollup"
)

const (
	// selectMarks gives the marks of the lowest level first: a level is computed from the one below it.
	selectMarks = "SELECT device_id, level, period FROM rollup_mark ORDER BY level, period, device_id"

	deleteMark = "DELETE FROM rollup_mark WHERE device_id = @device AND level = @level AND period = @period"

	countMarks = "SELECT COUNT(*) FROM rollup_mark"

	selectDeviceChannels = "SELECT channel_id FROM channel WHERE device_id = @device ORDER BY channel_id"

	selectDeviceLayouts = `
SELECT l.layout_id, s.channel_id
  FROM layout l
  LEFT JOIN layout_slot s ON s.layout_id = l.layout_id
 WHERE l.device_id = @device
 ORDER BY l.layout_id, s.part, s.slot`

	selectHour = `
SELECT measured_at, layout_id, part, v1, q1, v2, q2, v3, q3, v4, q4, v5, q5, v6, q6, v7, q7, v8, q8
  FROM message
 WHERE device_id = @device AND measured_at >= @from AND measured_at < @to
 ORDER BY measured_at, variant, part`
)

// marksAtOnce is how many periods one transaction computes at most, so that an upload never waits long for it.
const marksAtOnce = 32

// RollUp recomputes at most limit marked periods under a lease and says how many are left.
func (s *Store) RollUp(ctx context.Context, l storage.Lease, limit int) (left int, err error) {
	const op = "compute rollups"
	for done := 0; done < limit; {
		n := 0
		err := s.write(ctx, op, func(ctx context.Context, c *change) error {
			if err = c.under(ctx, op, l); err != nil {
				return err
			}
			if err = c.openBulk(ctx); err != nil {
				return err
			}
			n, err = c.rollUp(ctx, min(limit-done, marksAtOnce))
			return err
		})
		if err != nil {
			return 0, err
		}
		if n == 0 {
			break
		}
		done += n
	}
	_, err = s.one(ctx, []any{&left}, countMarks)
	return left, s.fail(op, err)
}

// rollUp computes some marked periods, all of one level.
func (c *change) rollUp(ctx context.Context, limit int) (int, error) {
	var list []mark
	err := c.each(ctx, func(scan func(...any) error) error {
		var m mark
		err := scan(&m.device, &m.level, &m.period)
		if len(list) == 0 || list[0].level == m.level {
			list = append(list, m)
		}
		return err
	}, selectMarks+c.s.dialect.Limit, args("limit", limit)...)
	if err != nil {
		return 0, err
	}
	for _, m := range list {
		if err := c.recompute(ctx, m); err != nil {
			return 0, err
		}
		if err := c.exec(ctx, deleteMark, args("device", int64(m.device), "level", int64(m.level), "period", m.period)...); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

// recompute writes the packs of all channels of a device for one period: of an hour from the samples, of a longer one from the
// packs below it. Samples are never removed, so that no pack ever has to go.
func (c *change) recompute(ctx context.Context, m mark) error {
	var sums map[halley.ChannelID][]rollup.Bucket
	var err error
	if m.level == rollup.Hours {
		sums, err = c.hourSums(ctx, m)
	} else {
		sums, err = c.higherSums(ctx, m)
	}
	if err != nil {
		return err
	}
	var buffer []byte
	for id, steps := range sums {
		if buffer, err = c.putPack(buffer, packKey{id, m.level, m.period}, steps); err != nil {
			return err
		}
	}
	return nil
}

// hourSums adds up the samples of an hour in the order in which they are stored.
func (c *change) hourSums(ctx context.Context, m mark) (map[halley.ChannelID][]rollup.Bucket, error) {
	sums := map[halley.ChannelID][]rollup.Bucket{}
	layouts, err := c.layoutChannels(ctx, m.device)
	if err != nil {
		return nil, err
	}
	start := m.level.Start(m.period)
	var at halley.Millis
	var row valueRow
	dest := append([]any{&at}, row.dest()...)
	err = c.each(ctx, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		channels := layouts[row.layout]
		for i := range SlotCount {
			slot := int(row.part)*SlotCount + i
			if slot >= len(channels) || !row.q[i].Valid || !row.v[i].Valid {
				continue
			}
			steps := sums[channels[slot]]
			if steps == nil {
				steps = make([]rollup.Bucket, m.level.Steps())
				sums[channels[slot]] = steps
			}
			steps[(at-start)/m.level.Step()].Add(row.v[i].Float64)
		}
		return nil
	}, selectHour, args("device", int64(m.device), "from", int64(start), "to", int64(start+m.level.Span()))...)
	return sums, err
}

// layoutChannels gives the channels of each of a device's layouts, by slot.
func (c *change) layoutChannels(ctx context.Context, id halley.DeviceID) (map[int64][]halley.ChannelID, error) {
	layouts := map[int64][]halley.ChannelID{}
	err := c.each(ctx, func(scan func(...any) error) error {
		var layoutID int64
		var ch sql.NullInt64
		if err := scan(&layoutID, &ch); err != nil || !ch.Valid {
			return err
		}
		layouts[layoutID] = append(layouts[layoutID], halley.ChannelID(ch.Int64))
		return nil
	}, selectDeviceLayouts, args("device", int64(id))...)
	return layouts, err
}

// higherSums adds up the packs of the level below, each to one step.
func (c *change) higherSums(ctx context.Context, m mark) (map[halley.ChannelID][]rollup.Bucket, error) {
	var channels []halley.ChannelID
	err := c.each(ctx, func(scan func(...any) error) error {
		var ch halley.ChannelID
		err := scan(&ch)
		channels = append(channels, ch)
		return err
	}, selectDeviceChannels, args("device", int64(m.device))...)
	if err != nil {
		return nil, err
	}
	below := m.level - 1
	first := below.Period(m.level.Start(m.period))
	lower := make([]rollup.Bucket, below.Steps())
	sums := map[halley.ChannelID][]rollup.Bucket{}
	var pack []byte
	for _, ch := range channels {
		steps := make([]rollup.Bucket, m.level.Steps())
		err := c.each(ctx, func(scan func(...any) error) error {
			var period int64
			if err := scan(&period, &pack); err != nil {
				return err
			}
			if err := rollup.Decode(pack, lower); err != nil {
				return err
			}
			steps[period-first] = rollup.Total(lower)
			return nil
		}, selectPacks, args("channel", int64(ch), "level", int64(below), "first", first, "last", first+int64(m.level.Steps())-1)...)
		if err != nil {
			return nil, err
		}
		sums[ch] = steps
	}
	return sums, nil
}
