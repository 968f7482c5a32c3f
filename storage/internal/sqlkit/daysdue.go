package sqlkit

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"halley"
	"halley/storage"
)

// filledDays remembers which days are known to have a row in completeness_day, so that asking for the days that are due does
// not read all of history each time. Rows are never removed; only another database, behind another connection, may have fewer.
type filledDays struct {
	mu         sync.Mutex
	generation int64
	devices    map[halley.DeviceID]filled
	// settled is the batch up to which every change is in the row of its day, or its day has no row.
	settled int64
}

// filled says that all days of a device from first to through have a row.
type filled struct{ first, through int64 }

const (
	// deviceDays is how many devices one statement looks at.
	deviceDays = 500
	// changePage is how many batches' changes one statement looks at.
	changePage = 50_000

	selectSpans = `
SELECT d.device_id, CASE WHEN x.state = 'accepted' THEN 1 ELSE 0 END,
       COALESCE((SELECT MIN(m.measured_at) FROM message m WHERE m.device_id = d.device_id), 0),
       COALESCE((SELECT MAX(m.measured_at) FROM message m WHERE m.device_id = d.device_id), 0)
  FROM device d
  JOIN device_description x ON x.device_id = d.device_id
   AND x.number = (SELECT MAX(n.number) FROM device_description n WHERE n.device_id = d.device_id)
 WHERE d.device_id > @after AND d.device_id <= @last`

	selectFilled = `
SELECT device_id, MIN(day), MAX(day), COUNT(*)
  FROM completeness_day
 WHERE device_id > @after AND device_id <= @last AND day >= @low
 GROUP BY device_id`

	selectFilledDays = `
SELECT day FROM completeness_day WHERE device_id = @device AND day > @through ORDER BY day`

	selectWrongDays = `
SELECT device_id, day FROM completeness_day WHERE batch_id = @wrong AND day < @before ORDER BY day, device_id`

	// selectUnsettled gives the changes that came after the row of their day was counted.
	selectUnsettled = `
SELECT c.batch_id, c.device_id, c.day
  FROM completeness_change c
  JOIN completeness_day y ON y.device_id = c.device_id AND y.day = c.day
 WHERE c.batch_id > @after AND c.batch_id <= @last AND c.batch_id > y.batch_id
 ORDER BY c.batch_id`
)

// due gathers the oldest device-days that are due.
type due struct {
	s *Store
	// before is the day at which the list ends, revision the newest batch.
	before, revision int64
	limit            int
	list             []storage.DeviceDay
	// gone are the days that retention removed: their counts stay as they are.
	gone removals
}

// DaysDue lists device-days before a UTC day that have no row, or one that is wrong by now.
func (s *Store) DaysDue(ctx context.Context, before int64, limit int) ([]storage.DeviceDay, error) {
	const op = "look for days to count"
	f := &s.days
	f.mu.Lock()
	defer f.mu.Unlock()
	d := &due{s: s, before: before, limit: max(limit, 1)}
	// The newest batch is read first: whatever is added after it shows itself by a change with a higher number.
	if _, err := s.one(ctx, []any{&d.revision}, selectNewestBatch); err != nil {
		return nil, s.fail(op, err)
	}
	var err error
	if d.gone, err = s.removals(ctx); err != nil {
		return nil, s.fail(op, err)
	}
	if g := s.generation(); f.devices == nil || f.generation != g {
		f.devices, f.generation, f.settled = map[halley.DeviceID]filled{}, g, 0
	}
	for _, look := range []func(context.Context) error{d.gaps, d.changes, d.wrong} {
		if err := look(ctx); err != nil {
			return nil, s.fail(op, err)
		}
	}
	d.trim()
	return d.list, nil
}

func (d *due) add(device halley.DeviceID, day int64) {
	if day >= d.before || d.gone.cover(day) {
		return
	}
	d.list = append(d.list, storage.DeviceDay{Device: device, Day: day, Revision: d.revision})
	if len(d.list) > 4*d.limit+1000 {
		d.trim()
	}
}

// trim keeps the oldest, each once.
func (d *due) trim() {
	slices.SortFunc(d.list, func(x, y storage.DeviceDay) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Device, y.Device))
	})
	d.list = slices.Compact(d.list)
	d.list = d.list[:min(len(d.list), d.limit)]
	if d.list == nil {
		d.list = []storage.DeviceDay{}
	}
}

// daySpan is the days of a device that should have a row.
type daySpan struct {
	device      halley.DeviceID
	first, last int64
	// through is the day up to which all have one; one below first where none is known to.
	through int64
}

// gaps adds the days without a row.
func (d *due) gaps(ctx context.Context) error {
	var last int64
	if _, err := d.s.one(ctx, []any{&last}, "SELECT COALESCE(MAX(device_id), 0) FROM device"); err != nil {
		return err
	}
	for after := int64(0); after < last; after += deviceDays {
		open, err := d.open(ctx, after)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			if err := d.gapsOf(ctx, after, open); err != nil {
				return err
			}
		}
	}
	return nil
}

// open gives the spans of a page of devices that are not known to be filled.
func (d *due) open(ctx context.Context, after int64) ([]daySpan, error) {
	var open []daySpan
	err := d.s.query(ctx, func(scan func(...any) error) error {
		var sp daySpan
		var accepted bool
		var first, last halley.Millis
		if err := scan(&sp.device, &accepted, &first, &last); err != nil || first == 0 {
			return err
		}
		sp.first, sp.last = int64(first/halley.Day), d.before-1
		if !accepted {
			sp.last = min(sp.last, int64(last/halley.Day))
		}
		sp.through = sp.first - 1
		if f, ok := d.s.days.devices[sp.device]; ok && f.first <= sp.first {
			sp.through = max(f.through, sp.through)
		}
		if sp.through < sp.last {
			open = append(open, sp)
		}
		return nil
	}, selectSpans, args("after", after, "last", after+deviceDays)...)
	return open, err
}

// gapsOf adds the days without a row of a page of devices.
func (d *due) gapsOf(ctx context.Context, after int64, open []daySpan) error {
	low := int64(math.MaxInt64)
	for _, sp := range open {
		low = min(low, sp.through+1)
	}
	type group struct{ first, last, count int64 }
	groups := map[halley.DeviceID]group{}
	err := d.s.query(ctx, func(scan func(...any) error) error {
		var id halley.DeviceID
		var g group
		err := scan(&id, &g.first, &g.last, &g.count)
		groups[id] = g
		return err
	}, selectFilled, args("after", after, "last", after+deviceDays, "low", low)...)
	if err != nil {
		return err
	}
	for _, sp := range open {
		var there []int64
		g, found := groups[sp.device]
		switch {
		case !found || g.last <= sp.through:
		case g.first == max(low, sp.first) && g.count == g.last-g.first+1:
			// Without a gap, as nearly always.
			sp.through = max(sp.through, g.last)
		default:
			if there, err = d.filledDays(ctx, sp); err != nil {
				return err
			}
		}
		d.fill(sp, there)
	}
	return nil
}

// filledDays lists the days behind sp.through that have a row.
func (d *due) filledDays(ctx context.Context, sp daySpan) ([]int64, error) {
	var there []int64
	err := d.s.query(ctx, func(scan func(...any) error) error {
		var day int64
		err := scan(&day)
		there = append(there, day)
		return err
	}, selectFilledDays, args("device", int64(sp.device), "through", sp.through)...)
	return there, err
}

// fill adds the days of a span that are not among those that are there, and remembers up to where all are.
func (d *due) fill(sp daySpan, there []int64) {
	for len(there) > 0 && there[0] == sp.through+1 {
		sp.through, there = there[0], there[1:]
	}
	d.s.days.devices[sp.device] = filled{sp.first, sp.through}
	added := 0
	for day := sp.through + 1; day <= sp.last && added < d.limit; day++ {
		if len(there) > 0 && there[0] == day {
			there = there[1:]
			continue
		}
		if !d.gone.cover(day) {
			d.add(sp.device, day)
			added++
		}
	}
}

// changes adds the days that got something since they were counted. A change of a day without a row needs no look: PutDays
// marks the row as wrong where it does not know of the change.
func (d *due) changes(ctx context.Context) error {
	settled := int64(-1)
	for after := d.s.days.settled; after < d.revision; {
		last := min(after+changePage, d.revision)
		err := d.s.query(ctx, func(scan func(...any) error) error {
			var batch, day int64
			var device halley.DeviceID
			if err := scan(&batch, &device, &day); err != nil {
				return err
			}
			if settled < 0 {
				settled = batch - 1
			}
			d.add(device, day)
			return nil
		}, selectUnsettled, args("after", after, "last", last)...)
		if err != nil {
			return err
		}
		after = last
	}
	if settled < 0 {
		settled = d.revision
	}
	d.s.days.settled = settled
	return nil
}

// wrong adds the days that changed between being counted and being put.
func (d *due) wrong(ctx context.Context) error {
	return d.s.query(ctx, func(scan func(...any) error) error {
		var day storage.DeviceDay
		err := scan(&day.Device, &day.Day)
		d.add(day.Device, day.Day)
		return err
	}, selectWrongDays+d.s.dialect.Limit, args("wrong", int64(wrong), "before", d.before, "limit", d.limit)...)
}
