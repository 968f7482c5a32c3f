package sqlkit

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"

	"halley"
	"halley/storage"
	"halley/storage/internal/rollup"
)

// RollupFaults computes the rollups of a device on a UTC day anew and gives those that differ from what is stored. What changes
// while it reads is looked at once more before it counts.
func (s *Store) RollupFaults(ctx context.Context, device halley.DeviceID, day int64) ([]storage.RollupFault, error) {
	const op = "check rollups"
	gone, err := s.removals(ctx)
	if err != nil {
		return nil, s.fail(op, err)
	}
	if gone.cover(day) {
		// The figures of a day that retention removed are its record; there is nothing left to compute them from.
		return []storage.RollupFault{}, nil
	}
	first, err := s.rollupFaults(ctx, device, day)
	if err != nil || len(first) == 0 {
		return first, s.fail(op, err)
	}
	second, err := s.rollupFaults(ctx, device, day)
	if err != nil {
		return nil, s.fail(op, err)
	}
	return slices.DeleteFunc(second, func(f storage.RollupFault) bool { return !slices.Contains(first, f) }), nil
}

// hoursADay and hourSteps are the packs of level Hours of a day and the buckets in each.
const (
	hoursADay = 24
	hourSteps = 6
)

// daySums are the buckets of ten minutes of a day.
type daySums [hoursADay * hourSteps]rollup.Bucket

// rollupCheck holds the rollups of a device's day against its samples.
type rollupCheck struct {
	s      *Store
	device halley.DeviceID
	day    int64
	// newest is when the device's newest message was measured: periods before its own have closed.
	newest halley.Millis
	marks  map[mark]bool
	// layouts are the channels of the device's layouts by slot, slots how many a row of the widest has.
	layouts map[int64][]halley.ChannelID
	slots   int
	sums    map[halley.ChannelID]*daySums
	faults  []storage.RollupFault
	pack    []byte
}

func (s *Store) rollupFaults(ctx context.Context, device halley.DeviceID, day int64) ([]storage.RollupFault, error) {
	c := &rollupCheck{
		s: s, device: device, day: day, marks: map[mark]bool{}, layouts: map[int64][]halley.ChannelID{},
		sums: map[halley.ChannelID]*daySums{}, faults: []storage.RollupFault{},
	}
	var oldest halley.Millis
	if _, err := s.one(ctx, []any{&oldest, &c.newest}, selectReach, args("device", int64(device))...); err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context) error{c.readMarks, c.readLayouts, c.readSamples, c.compare} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(c.faults, func(x, y storage.RollupFault) int {
		return cmp.Or(cmp.Compare(x.Channel, y.Channel), cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To))
	})
	return slices.Compact(c.faults), nil
}

// start is the day's first instant.
func (c *rollupCheck) start() halley.Millis { return halley.Millis(c.day) * halley.Day }

// periods gives the numbers of the day's periods: the first of its hours, and its block.
func (c *rollupCheck) periods() (hour, block int64) {
	return rollup.Hours.Period(c.start()), rollup.Blocks.Period(c.start())
}

const selectPeriodMarks = `
SELECT level, period
  FROM rollup_mark
 WHERE device_id = @device
   AND (level = @hours AND period >= @first AND period < @behind OR level = @days AND period = @day OR level = @blocks AND period = @block)`

func (c *rollupCheck) readMarks(ctx context.Context) error {
	hour, block := c.periods()
	return c.s.query(ctx, func(scan func(...any) error) error {
		m := mark{device: c.device}
		err := scan(&m.level, &m.period)
		c.marks[m] = true
		return err
	}, selectPeriodMarks, args("device", int64(c.device), "hours", int64(rollup.Hours), "days", int64(rollup.Days), "day", c.day,
		"blocks", int64(rollup.Blocks), "block", block, "first", hour, "behind", hour+hoursADay)...)
}

func (c *rollupCheck) readLayouts(ctx context.Context) error {
	return c.s.query(ctx, func(scan func(...any) error) error {
		var layout int64
		var ch sql.NullInt64
		if err := scan(&layout, &ch); err != nil || !ch.Valid {
			return err
		}
		c.layouts[layout] = append(c.layouts[layout], halley.ChannelID(ch.Int64))
		c.slots = max(c.slots, min(len(c.layouts[layout]), SlotCount))
		return nil
	}, selectDeviceLayouts, args("device", int64(c.device))...)
}

// readSamples adds up the values of the day in the order in which they are stored.
func (c *rollupCheck) readSamples(ctx context.Context) error {
	if c.slots == 0 {
		return nil
	}
	var text strings.Builder
	text.WriteString("SELECT measured_at, layout_id, part")
	for i := range c.slots {
		text.WriteString(", v" + strconv.Itoa(i+1))
	}
	text.WriteString(`
  FROM message
 WHERE device_id = @device AND measured_at >= @from AND measured_at < @to
 ORDER BY device_id, measured_at, variant, part`)
	start := c.start()
	return c.s.raw(ctx, func(values []driver.Value) error {
		at, layout, part := halley.Millis(number(values[0]).N), number(values[1]).N, int(number(values[2]).N)
		channels := c.layouts[layout]
		for i, v := range values[3:] {
			f, ok := v.(float64)
			if slot := part*SlotCount + i; ok && slot < len(channels) && slot >= 0 {
				c.sum(channels[slot])[(at-start)/rollup.Hours.Step()].Add(f)
			}
		}
		return nil
	}, text.String(), named("device", int64(c.device), "from", int64(start), "to", int64(start+halley.Day)))
}

func (c *rollupCheck) sum(ch halley.ChannelID) *daySums {
	s := c.sums[ch]
	if s == nil {
		s = &daySums{}
		c.sums[ch] = s
	}
	return s
}

const selectDayPacks = `
SELECT c.channel_id, p.level, p.period, p.pack
  FROM channel c
  JOIN rollup p ON p.channel_id = c.channel_id
   AND (p.level = @hours AND p.period >= @first AND p.period < @behind OR p.level = @days AND p.period = @day
        OR p.level = @blocks AND p.period = @block)
 WHERE c.device_id = @device`

// compare holds the packs that are stored against the sums.
func (c *rollupCheck) compare(ctx context.Context) error {
	stored := map[packKey][]byte{}
	hour, block := c.periods()
	err := c.s.query(ctx, func(scan func(...any) error) error {
		var k packKey
		var pack []byte
		err := scan(&k.channel, &k.level, &k.period, &pack)
		stored[k] = pack
		c.sum(k.channel)
		return err
	}, selectDayPacks, args("device", int64(c.device), "hours", int64(rollup.Hours), "days", int64(rollup.Days), "day", c.day,
		"blocks", int64(rollup.Blocks), "block", block, "first", hour, "behind", hour+hoursADay)...)
	if err != nil {
		return err
	}
	for ch, sums := range c.sums {
		c.channel(ch, sums, stored)
	}
	return nil
}

// channel compares the packs of one channel: of the hours, of the day, and the day's own bucket in that of its block.
func (c *rollupCheck) channel(ch halley.ChannelID, sums *daySums, stored map[packKey][]byte) {
	hour, block := c.periods()
	var day [hoursADay]rollup.Bucket
	settled := true
	for i := range int64(hoursADay) {
		steps := sums[i*hourSteps : (i+1)*hourSteps]
		day[i] = rollup.Total(steps)
		if !c.closed(rollup.Hours, hour+i) {
			settled = false
			continue
		}
		c.hold(stored, packKey{ch, rollup.Hours, hour + i}, steps)
	}
	if !settled || !c.closed(rollup.Days, c.day) {
		return
	}
	c.hold(stored, packKey{ch, rollup.Days, c.day}, day[:])
	if !c.closed(rollup.Blocks, block) {
		return
	}
	var days [rollup.MaxSteps]rollup.Bucket
	err := rollup.Decode(stored[packKey{ch, rollup.Blocks, block}], days[:rollup.Blocks.Steps()])
	if err != nil || days[c.day-block*int64(rollup.Blocks.Steps())] != rollup.Total(day[:]) {
		c.fault(ch, rollup.Days, c.day)
	}
}

// closed says that a period has closed and is not to be computed again.
func (c *rollupCheck) closed(l rollup.Level, period int64) bool {
	return period < l.Period(c.newest) && !c.marks[mark{c.device, l, period}]
}

// hold compares a pack; one without values is not stored.
func (c *rollupCheck) hold(stored map[packKey][]byte, k packKey, steps []rollup.Bucket) {
	c.pack = rollup.Encode(c.pack[:0], steps)
	if !bytes.Equal(c.pack, stored[k]) {
		c.fault(k.channel, k.level, k.period)
	}
}

func (c *rollupCheck) fault(ch halley.ChannelID, l rollup.Level, period int64) {
	c.faults = append(c.faults, storage.RollupFault{Channel: ch, From: l.Start(period), To: l.Start(period + 1)})
}
