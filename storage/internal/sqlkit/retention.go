package sqlkit

import (
	"context"
	"slices"
	"strings"

	"halley"
	"halley/storage/internal/rollup"
	"halley/storage/ledger"
)

const (
	// countDay counts a day of a page of devices.
	countDay = `
SELECT COUNT(*)
  FROM device d
  JOIN message m ON m.device_id = d.device_id AND m.measured_at >= @from AND m.measured_at < @to
 WHERE d.device_id > @after AND d.device_id <= @last`

	countParts = "SELECT COUNT(*) FROM part WHERE day >= @from AND day < @to"
)

// AddTombstone writes a tombstone with its audit row.
func (s *Store) AddTombstone(ctx context.Context, t ledger.Tombstone, ch halley.Change) (id int64, err error) {
	const op = "remove days for good"
	if err := validTombstone(op, &t, ch); err != nil {
		return 0, err
	}
	err = s.write(ctx, op, func(ctx context.Context, c *change) error {
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "retention.remove", On: "days " + ledger.DayText(t.FromDay) + " to " + ledger.DayText(t.ToDay),
			New: asJSON(map[string]any{"proposed_by": t.ProposedBy, "carried_out_by": t.CarriedOutBy, "why": t.Why}),
		})
		if err != nil {
			return err
		}
		if id, err = c.nextID(ctx, "tombstone"); err == nil {
			c.add(factTombstone, id, t.FromDay, t.ToDay, int64(t.At), t.ProposedBy, t.CarriedOutBy, t.Why, t.KeyID, t.Body, t.Signature,
				auditID)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

func validTombstone(op string, t *ledger.Tombstone, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	invalid := func(field, message string) error {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: field, Message: message}
	}
	if !t.At.Storable() {
		return invalid("at", "the time must lie in the years 2000 to 2099")
	}
	if t.FromDay >= t.ToDay || t.FromDay < ledger.DayOf(halley.EarliestMillis) || t.ToDay > ledger.DayOf(t.At) {
		return invalid("to", "give whole days that are over, the last one behind the first")
	}
	for _, f := range []struct {
		field, text string
		most        int
	}{
		{"proposed by", t.ProposedBy, maxText},
		{"carried out by", t.CarriedOutBy, maxText},
		{"why", t.Why, maxNote / 2},
		{"key", t.KeyID, maxSerial},
	} {
		if strings.TrimSpace(f.text) == "" {
			return invalid(f.field, "it must be said")
		}
		if why := badText(f.text, f.most); why != "" {
			return invalid(f.field, why)
		}
	}
	if t.ProposedBy == t.CarriedOutBy {
		return invalid("carried out by", "it takes two people: who proposes a removal does not carry it out")
	}
	if len(t.Body) == 0 || len(t.Signature) == 0 {
		return invalid("signature", "a tombstone is signed")
	}
	return nil
}

// CountDays counts what the UTC days [from, to) hold, a day and a page of devices at a time.
func (s *Store) CountDays(ctx context.Context, from, to int64) (rows, parts int64, err error) {
	const op = "count days"
	var highest int64
	if _, err := s.one(ctx, []any{&highest}, "SELECT COALESCE(MAX(device_id), 0) FROM device"); err != nil {
		return 0, 0, s.fail(op, err)
	}
	if _, err := s.one(ctx, []any{&parts}, countParts, args("from", from, "to", to)...); err != nil {
		return 0, 0, s.fail(op, err)
	}
	for day := from; day < to; day++ {
		for after := int64(0); after < highest; after += deviceDays {
			var n int64
			if _, err := s.one(ctx, []any{&n}, countDay, args("from", day*int64(halley.Day), "to", (day+1)*int64(halley.Day),
				"after", after, "last", after+deviceDays)...); err != nil {
				return 0, 0, s.fail(op, err)
			}
			rows += n
		}
	}
	return rows, parts, nil
}

// mostParts is how many rows a message has at most.
const mostParts = maxReadings / SlotCount

const (
	selectThrough = "SELECT batch_id FROM batch WHERE recorded_at <= @at ORDER BY batch_id DESC"

	selectRemovable = `
SELECT d.device_id
  FROM device d
 WHERE EXISTS (SELECT 1 FROM message m
                WHERE m.device_id = d.device_id AND m.measured_at >= @from AND m.measured_at < @to AND m.batch_id <= @through)
 ORDER BY d.device_id`

	selectRemovableRows = `
SELECT measured_at, variant
  FROM message
 WHERE device_id = @device AND measured_at >= @from AND measured_at < @to AND batch_id <= @through
 ORDER BY measured_at, variant, part`

	deleteRows = `
DELETE FROM message
 WHERE device_id = @device AND measured_at >= @from AND measured_at <= @at AND (measured_at < @at OR variant <= @variant)
   AND batch_id <= @through`

	deleteIdentities = `
DELETE FROM unclocked
 WHERE device_id = @device AND measured_at >= @from AND measured_at < @to
   AND NOT EXISTS (SELECT 1 FROM message m WHERE m.device_id = unclocked.device_id AND m.measured_at = unclocked.measured_at
                      AND m.variant = unclocked.variant)`

	deleteHours = `
DELETE FROM rollup
 WHERE level = @level AND period >= @first AND period < @behind
   AND channel_id IN (SELECT c.channel_id FROM channel c WHERE c.device_id = @device)`

	deleteMarks = "DELETE FROM rollup_mark WHERE device_id = @device AND level = @level AND period >= @first AND period < @behind"

	selectLeft = `
SELECT measured_at FROM message
 WHERE device_id = @device AND measured_at >= @from AND measured_at < @to AND part = 0`

	clearPacks = "UPDATE part SET pack = NULL WHERE day = @day AND batch_id <= @through AND pack IS NOT NULL"
)

// RemoveDay removes some rows of a UTC day that lies in a tombstone; when none is left, the packs of its parts.
//
// It goes device by device. Before a device loses its first row, what its rollups of the day wait for is computed, for the daily
// figures stay as the record of the day. With the last row go the hourly figures and what is kept of identities. Rows that were
// recorded after the tombstone stay: the two people who signed it did not know them.
func (s *Store) RemoveDay(ctx context.Context, day int64, limit int) (removed int64, err error) {
	const op = "remove a day"
	err = s.write(ctx, op, func(ctx context.Context, c *change) error {
		c.learned = true
		list, err := c.removals(ctx)
		if err != nil {
			return err
		}
		r := &dayRemoval{change: c, day: day, from: day * int64(halley.Day), to: (day + 1) * int64(halley.Day), left: max(limit, 1)}
		at := halley.Millis(0)
		for _, t := range list {
			if day >= t.from && day < t.to {
				at = max(at, t.at)
			}
		}
		if at == 0 {
			return &halley.Error{
				Kind: halley.Conflict, Op: op, Code: "no-tombstone", Message: "no signed tombstone covers the day: nothing was removed",
			}
		}
		if _, err := c.one(ctx, []any{&r.through}, selectThrough+s.dialect.Limit, args("at", int64(at), "limit", 1)...); err != nil {
			return err
		}
		removed, err = r.run(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// dayRemoval removes some rows of a day.
type dayRemoval struct {
	*change
	day int64
	// from and to are the day's instants; through is the newest batch whose rows go.
	from, to, through int64
	// left is how many rows may go yet.
	left int
}

func (r *dayRemoval) run(ctx context.Context) (removed int64, err error) {
	var devices []halley.DeviceID
	err = r.each(ctx, func(scan func(...any) error) error {
		var id halley.DeviceID
		err := scan(&id)
		devices = append(devices, id)
		return err
	}, selectRemovable+r.s.dialect.Limit, args("from", r.from, "to", r.to, "through", r.through, "limit", min(r.left, deviceDays))...)
	if err != nil {
		return 0, err
	}
	if len(devices) == 0 {
		return 0, r.exec(ctx, clearPacks, args("day", r.day, "through", r.through)...)
	}
	if err := r.openBulk(ctx); err != nil {
		return 0, err
	}
	for _, id := range devices {
		n, done, err := r.device(ctx, id)
		if err != nil {
			return 0, err
		}
		removed += int64(n)
		if r.left -= n; !done || r.left <= 0 {
			break
		}
	}
	// What is remembered of devices may be of rows that are gone.
	r.s.known = newKnown()
	return removed, nil
}

// device removes rows of one device, whole messages, and says whether none is left. A message goes as a whole even where it alone has
// more rows than may go.
func (r *dayRemoval) device(ctx context.Context, id halley.DeviceID) (removed int, done bool, err error) {
	if err := r.settle(ctx, id); err != nil {
		return 0, false, err
	}
	type place struct{ at, variant int64 }
	var rows []place
	err = r.each(ctx, func(scan func(...any) error) error {
		var p place
		err := scan(&p.at, &p.variant)
		rows = append(rows, p)
		return err
	}, selectRemovableRows+r.s.dialect.Limit, args("device", int64(id), "from", r.from, "to", r.to, "through", r.through, "limit", r.left+mostParts)...)
	if err != nil || len(rows) == 0 {
		return 0, true, err
	}
	done = len(rows) < r.left+mostParts
	if n := len(rows); n > r.left {
		// The message that goes over the limit stays whole, unless it is the first.
		over := rows[r.left]
		n = slices.Index(rows, over)
		for n == 0 || rows[0] == over && n < len(rows) && rows[n] == over {
			n++
		}
		done = done && n == len(rows)
		rows = rows[:n]
	}
	last := rows[len(rows)-1]
	if err := r.exec(ctx, deleteRows, args("device", int64(id), "from", r.from, "at", last.at, "variant", last.variant,
		"through", r.through)...); err != nil {
		return 0, false, err
	}
	if done {
		err = r.clear(ctx, id)
	}
	return len(rows), done, err
}

// settle computes the rollups of a device that wait for it, and those that would only close with a later message.
func (r *dayRemoval) settle(ctx context.Context, id halley.DeviceID) error {
	first := rollup.Hours.Period(halley.Millis(r.from))
	behind := rollup.Hours.Period(halley.Millis(r.to))
	marks, err := r.marksOf(ctx, id, span{halley.Millis(first), halley.Millis(behind)})
	if err != nil {
		return err
	}
	open, err := r.openHour(ctx, id)
	if err != nil {
		return err
	}
	if open >= first && open < behind {
		marks = append(marks, mark{id, rollup.Hours, open})
	}
	if len(marks) == 0 {
		return nil
	}
	for _, m := range marks {
		if m.level == rollup.Hours {
			if err := r.recompute(ctx, m); err != nil {
				return err
			}
		}
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	if err := r.recompute(ctx, mark{id, rollup.Days, r.day}); err != nil {
		return err
	}
	if err := r.bulk.Put(RollupMark, int64(id), int64(rollup.Blocks), rollup.Blocks.Period(halley.Millis(r.from))); err != nil {
		return err
	}
	return r.flush(ctx)
}

const selectDayMarks = `
SELECT level, period
  FROM rollup_mark
 WHERE device_id = @device AND (level = @hours AND period >= @first AND period < @behind OR level = @days AND period = @day)`

// marksOf gives what of a device's day waits to be computed, and takes note that it is: hours is in periods.
func (r *dayRemoval) marksOf(ctx context.Context, id halley.DeviceID, hours span) (marks []mark, err error) {
	err = r.each(ctx, func(scan func(...any) error) error {
		m := mark{device: id}
		err := scan(&m.level, &m.period)
		marks = append(marks, m)
		return err
	}, selectDayMarks, args("device", int64(id), "hours", int64(rollup.Hours), "days", int64(rollup.Days), "day", r.day,
		"first", int64(hours.from), "behind", int64(hours.to))...)
	for _, m := range marks {
		if err == nil {
			err = r.exec(ctx, deleteMark, args("device", int64(id), "level", int64(m.level), "period", m.period)...)
		}
	}
	return marks, err
}

const selectOpenHour = `
SELECT COALESCE(MAX(m.measured_at), 0),
       (SELECT COUNT(*) FROM channel c JOIN rollup p ON p.channel_id = c.channel_id AND p.level = @level
                  AND p.period = (SELECT MAX(n.measured_at) FROM message n WHERE n.device_id = @device) / 3600000
         WHERE c.device_id = @device)
  FROM message m
 WHERE m.device_id = @device`

// openHour gives the hour of a device's newest message where it has no rollups yet; -1 where it has.
func (r *dayRemoval) openHour(ctx context.Context, id halley.DeviceID) (int64, error) {
	var newest halley.Millis
	var packs int64
	_, err := r.one(ctx, []any{&newest, &packs}, selectOpenHour, args("device", int64(id), "level", int64(rollup.Hours))...)
	if err != nil || newest == 0 || packs > 0 {
		return -1, err
	}
	return rollup.Hours.Period(newest), nil
}

// clear removes what is left of a device's day beside its rows. Where rows stay that were recorded after the tombstone, their hours
// are computed anew.
func (r *dayRemoval) clear(ctx context.Context, id halley.DeviceID) error {
	first, behind := rollup.Hours.Period(halley.Millis(r.from)), rollup.Hours.Period(halley.Millis(r.to))
	device := int64(id)
	for _, st := range []struct {
		text   string
		values []any
	}{
		{deleteIdentities, args("device", device, "from", r.from, "to", r.to)},
		{deleteHours, args("device", device, "level", int64(rollup.Hours), "first", first, "behind", behind)},
		{deleteMarks, args("device", device, "level", int64(rollup.Hours), "first", first, "behind", behind)},
	} {
		if err := r.exec(ctx, st.text, st.values...); err != nil {
			return err
		}
	}
	hours := map[int64]struct{}{}
	err := r.each(ctx, func(scan func(...any) error) error {
		var at halley.Millis
		err := scan(&at)
		hours[rollup.Hours.Period(at)] = struct{}{}
		return err
	}, selectLeft, args("device", device, "from", r.from, "to", r.to)...)
	for hour := range hours {
		if err == nil {
			err = r.bulk.Put(RollupMark, device, int64(rollup.Hours), hour)
		}
	}
	return err
}
