package sqlkit

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"halley"
	"halley/storage/ledger"
)

// A row of message is read by column names, in the order of HeadColumns and then v1, q1, ... v8, q8.
const (
	columnAt      = 1
	columnVariant = 2
	columnPart    = 3
	columnBatch   = 4
	columnLayout  = 5
)

// ledgerPage is how many rows one statement reads at most, so that none takes long.
const ledgerPage = 20_000

// selectLedgerRows is a range of the primary key: a day of a device, behind a row of it.
var selectLedgerRows = "SELECT " + joined(MessageTable().Columns) + `
  FROM message
 WHERE device_id = @device AND measured_at >= @at AND measured_at < @to
   AND (measured_at > @at OR variant > @variant OR (variant = @variant AND part > @part))
 ORDER BY device_id, measured_at, variant, part`

// LedgerRows hands the rows of a device on a UTC day to each, in order, with the batch that stored each.
func (s *Store) LedgerRows(ctx context.Context, d ledger.Device, day int64, each func(batch int64, r *ledger.Row) error) error {
	l := &ledgerRows{s: s, each: each, variant: -1, part: -1, at: day * int64(halley.Day)}
	var err error
	if l.layouts, err = s.deviceLayouts(ctx, d.ID, false); err != nil {
		return s.fail("read rows for the ledger", err)
	}
	for again := true; again; {
		l.rows, l.unknown = 0, false
		err := s.raw(ctx, l.row, selectLedgerRows+s.dialect.Limit, named("device", int64(d.ID), "at", l.at, "to", (day+1)*int64(halley.Day),
			"variant", l.variant, "part", l.part, "limit", int64(ledgerPage)))
		if err == nil && l.unknown {
			// A layout that is newer than what is remembered.
			l.sure = true
			l.layouts, err = s.deviceLayouts(ctx, d.ID, true)
		}
		if err != nil {
			return s.fail("read rows for the ledger", err)
		}
		again = l.unknown || l.rows == ledgerPage
	}
	return nil
}

// ledgerRows reads the rows of a device on a day.
type ledgerRows struct {
	s       *Store
	each    func(batch int64, r *ledger.Row) error
	layouts layoutNames
	// sure says that layouts were read anew; unknown, that a row names one that is not among them.
	sure, unknown bool
	// at, variant and part are the key of the newest row that was handed on, rows counts those of the page.
	at, variant, part int64
	rows              int
	r                 ledger.Row
}

func (l *ledgerRows) row(values []driver.Value) error {
	r := &l.r
	at, variant, part := number(values[columnAt]), number(values[columnVariant]), number(values[columnPart])
	r.At, r.Variant, r.Part, r.Layout = halley.Millis(at.N), variant.N, part.N, number(values[columnLayout]).N
	parts, found := l.layouts[r.Layout]
	if !found && !l.sure {
		l.unknown = true
		return errStop
	}
	r.Channels = nil
	if r.Part >= 0 && r.Part < int64(len(parts)) {
		r.Channels = parts[r.Part]
	}
	for i := range r.Head {
		r.Head[i] = number(values[KeyCount+i])
	}
	for i := range r.Values {
		r.Values[i], r.Qualities[i] = decimal(values[HeadCount+2*i]), number(values[HeadCount+2*i+1])
	}
	l.rows++
	l.at, l.variant, l.part = at.N, r.Variant, r.Part
	return l.each(number(values[columnBatch]).N, r)
}

// number gives a whole number as it is stored. What the program never stores there becomes a number that it never stores either, so
// that it is found.
func number(v driver.Value) ledger.Int {
	switch v := v.(type) {
	case nil:
		return ledger.Int{}
	case int64:
		return ledger.Int{N: v, Valid: true}
	}
	return ledger.Int{N: math.MinInt64, Valid: true}
}

// decimal gives a value as it is stored, and NaN for what the program never stores there.
func decimal(v driver.Value) ledger.Float {
	switch v := v.(type) {
	case nil:
		return ledger.Float{}
	case float64:
		return ledger.Float{F: v, Valid: true}
	}
	return ledger.Float{F: math.NaN(), Valid: true}
}

// layoutNames are the channels of a device's layouts by layout and part.
type layoutNames map[int64][][]ledger.Channel

// namedDevices is of how many devices layouts are remembered.
const namedDevices = 2000

// layoutMemory remembers layouts between the days of a device.
type layoutMemory struct {
	mu      sync.Mutex
	devices map[halley.DeviceID]layoutNames
	// generation is of the connections that they were read through.
	generation int64
}

// forget makes the next ones be read anew.
func (m *layoutMemory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.devices = nil
}

const selectNamedLayouts = `
SELECT l.layout_id, COALESCE(s.part, -1), COALESCE(s.slot, 0), COALESCE(c.number, 0), COALESCE(c.quantity, ''), COALESCE(c.unit, '')
  FROM layout l
  LEFT JOIN layout_slot s ON s.layout_id = l.layout_id
  LEFT JOIN channel c ON c.channel_id = s.channel_id
 WHERE l.device_id = @device
 ORDER BY l.layout_id, s.part, s.slot`

// deviceLayouts gives the channels of a device's layouts, read anew where asked for.
func (s *Store) deviceLayouts(ctx context.Context, id halley.DeviceID, anew bool) (layoutNames, error) {
	m := &s.named
	m.mu.Lock()
	if m.devices == nil || m.generation != s.generation() {
		m.devices, m.generation = map[halley.DeviceID]layoutNames{}, s.generation()
	}
	known, found := m.devices[id]
	m.mu.Unlock()
	if found && !anew {
		return known, nil
	}
	names, w := layoutNames{}, words{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var layout, part, slot int64
		var ch ledger.Channel
		if err := scan(&layout, &part, &slot, &ch.Number, &ch.Quantity, &ch.Unit); err != nil {
			return err
		}
		ch.Quantity, ch.Unit = w.one(ch.Quantity), w.one(ch.Unit)
		names.put(layout, part, slot, ch)
		return nil
	}, selectNamedLayouts, args("device", int64(id))...)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.devices == nil {
		m.devices = map[halley.DeviceID]layoutNames{}
	}
	for other := range m.devices {
		if len(m.devices) < namedDevices {
			break
		}
		delete(m.devices, other)
	}
	m.devices[id] = names
	return names, nil
}

// put adds a channel in its place; part -1 is a layout without channels. A place that a stranger made up is left out.
func (n layoutNames) put(layout, part, slot int64, ch ledger.Channel) {
	parts := n[layout]
	for int64(len(parts)) <= part && part < maxReadings/SlotCount {
		parts = append(parts, nil)
	}
	if part >= 0 && part < int64(len(parts)) && slot == int64(len(parts[part]))+1 && slot <= SlotCount {
		parts[part] = append(parts[part], ch)
	}
	n[layout] = parts
}

const (
	selectLedgerDevices = `
SELECT d.device_id, d.family, d.serial, COALESCE((SELECT MIN(m.device_id) FROM message m WHERE m.device_id > d.device_id), 0)
  FROM device d
 WHERE d.device_id > @after
 ORDER BY d.device_id`

	selectNextMeasured = "SELECT COALESCE(MIN(device_id), 0) FROM message WHERE device_id > @after"

	selectLedgerSpans = `
SELECT COALESCE(MIN(x.oldest), 0), COALESCE(MAX(x.newest), 0)
  FROM (SELECT (SELECT MIN(m.measured_at) FROM message m WHERE m.device_id = d.device_id) AS oldest,
               (SELECT MAX(n.measured_at) FROM message n WHERE n.device_id = d.device_id) AS newest
          FROM device d
         WHERE d.device_id > @after AND d.device_id <= @last) x`

	selectPartDays = "SELECT COALESCE(MIN(day), -1), COALESCE(MAX(day), -1) FROM part"
)

// LedgerDevices lists all devices by family, then serial number, byte by byte. A device that rows of message name and that is not
// there has no family, and its number as serial number.
func (s *Store) LedgerDevices(ctx context.Context) ([]ledger.Device, error) {
	const op = "list devices for the ledger"
	s.named.forget()
	list, strangers, err := s.ledgerDevices(ctx)
	for _, id := range strangers {
		list = append(list, ledger.Device{ID: id, Serial: strconv.FormatInt(int64(id), 10)})
	}
	if err != nil {
		return nil, s.fail(op, err)
	}
	slices.SortFunc(list, func(x, y ledger.Device) int {
		return cmp.Or(cmp.Compare(x.Family, y.Family), cmp.Compare(x.Serial, y.Serial), cmp.Compare(x.ID, y.ID))
	})
	return list, nil
}

// ledgerDevices gives the devices, and the numbers that only rows of message know. After the number of each device the next one in
// message is one seek, so that nothing is read from end to end.
func (s *Store) ledgerDevices(ctx context.Context) (list []ledger.Device, strangers []halley.DeviceID, err error) {
	const page = 1000
	known, next := map[halley.DeviceID]bool{}, map[halley.DeviceID]bool{}
	for after, n := halley.DeviceID(0), page; n == page; {
		n = 0
		err = s.query(ctx, func(scan func(...any) error) error {
			var d ledger.Device
			var follows halley.DeviceID
			err := scan(&d.ID, &d.Family, &d.Serial, &follows)
			list, after, known[d.ID], next[follows] = append(list, d), d.ID, true, true
			n++
			return err
		}, selectLedgerDevices+s.dialect.Limit, args("after", int64(after), "limit", page)...)
		if err != nil {
			return nil, nil, err
		}
	}
	var first halley.DeviceID
	if _, err = s.one(ctx, []any{&first}, selectNextMeasured, args("after", int64(math.MinInt64))...); err != nil {
		return nil, nil, err
	}
	next[first] = true
	for id := range next {
		for id != 0 && !known[id] {
			known[id] = true
			strangers = append(strangers, id)
			if _, err = s.one(ctx, []any{&id}, selectNextMeasured, args("after", int64(id))...); err != nil {
				return nil, nil, err
			}
		}
	}
	return list, strangers, nil
}

// LedgerDays gives the first and last UTC day that has rows of message or parts.
func (s *Store) LedgerDays(ctx context.Context) (first, last int64, ok bool, err error) {
	const op = "look for the ledger's days"
	if _, err := s.one(ctx, []any{&first, &last}, selectPartDays); err != nil {
		return 0, 0, false, s.fail(op, err)
	}
	ok = first >= 0
	widen := func(oldest, newest halley.Millis) {
		if oldest == 0 && newest == 0 {
			return
		}
		if !ok {
			first, last, ok = ledger.DayOf(oldest), ledger.DayOf(newest), true
		}
		first, last = min(first, ledger.DayOf(oldest)), max(last, ledger.DayOf(newest))
	}
	_, strangers, err := s.ledgerDevices(ctx)
	if err != nil {
		return 0, 0, false, s.fail(op, err)
	}
	var highest int64
	if _, err := s.one(ctx, []any{&highest}, "SELECT COALESCE(MAX(device_id), 0) FROM device"); err != nil {
		return 0, 0, false, s.fail(op, err)
	}
	var oldest, newest halley.Millis
	for after := int64(0); after < highest; after += deviceDays {
		if _, err := s.one(ctx, []any{&oldest, &newest}, selectLedgerSpans, args("after", after, "last", after+deviceDays)...); err != nil {
			return 0, 0, false, s.fail(op, err)
		}
		widen(oldest, newest)
	}
	for _, id := range strangers {
		if _, err := s.one(ctx, []any{&oldest, &newest}, selectReach, args("device", int64(id))...); err != nil {
			return 0, 0, false, s.fail(op, fmt.Errorf("rows of no device: %w", err))
		}
		widen(oldest, newest)
	}
	return first, last, ok, nil
}

const selectNextRow = "SELECT COALESCE(MIN(measured_at), -1) FROM message WHERE device_id = @device AND measured_at >= @at"

// LedgerNextDay gives the first UTC day on which a device has rows of message, at or after a day.
func (s *Store) LedgerNextDay(ctx context.Context, d ledger.Device, from int64) (day int64, ok bool, err error) {
	var at halley.Millis
	if _, err := s.one(ctx, []any{&at}, selectNextRow, args("device", int64(d.ID), "at", from*int64(halley.Day))...); err != nil {
		return 0, false, s.fail("look for the next day with rows", err)
	}
	if at < 0 {
		return 0, false, nil
	}
	return ledger.DayOf(at), true, nil
}
