package sqlkit

import (
	"context"

	"halley"
	"halley/storage"
)

// selectLatest reads all parts of the newest message of some devices. Both maxima are seeks of the primary key.
const selectLatest = `
SELECT m.measured_at, m.variant, h.sent_at, h.received_at, h.order_no, h.kind, h.cache, h.interval, h.buffer, h.config, h.seq,
       h.clock, b.journal_id, d.device_id, m.layout_id, m.part,
       m.v1, m.q1, m.v2, m.q2, m.v3, m.q3, m.v4, m.q4, m.v5, m.q5, m.v6, m.q6, m.v7, m.q7, m.v8, m.q8
  FROM device d
  JOIN message m ON m.device_id = d.device_id
   AND m.measured_at = (SELECT MAX(n.measured_at) FROM message n WHERE n.device_id = d.device_id)
   AND m.variant = (SELECT MAX(o.variant) FROM message o
                     WHERE o.device_id = d.device_id
                       AND o.measured_at = (SELECT MAX(p.measured_at) FROM message p WHERE p.device_id = d.device_id))
  JOIN message h ON h.device_id = m.device_id AND h.measured_at = m.measured_at AND h.variant = m.variant AND h.part = 0
  JOIN batch b ON b.batch_id = h.batch_id
 WHERE d.device_id >= @first AND d.device_id <= @last
 ORDER BY d.device_id, m.part`

// Latest gives the newest message of each device.
func (s *Store) Latest(ctx context.Context, devices []halley.DeviceID) ([]storage.LatestMessage, error) {
	const op = "read the latest values"
	var list []storage.LatestMessage
	var rows []latestRow
	read := func(first, last halley.DeviceID) error {
		return s.query(ctx, func(scan func(...any) error) error {
			var r latestRow
			err := r.scan(scan)
			rows = append(rows, r)
			return err
		}, selectLatest, args("first", int64(first), "last", int64(last))...)
	}
	for _, span := range spans(devices) {
		if err := read(span[0], span[1]); err != nil {
			return nil, s.fail(op, err)
		}
	}
	if len(devices) == 0 {
		const page = 500
		var last int64
		if _, err := s.one(ctx, []any{&last}, "SELECT COALESCE(MAX(device_id), 0) FROM device"); err != nil {
			return nil, s.fail(op, err)
		}
		for first := halley.DeviceID(1); int64(first) <= last; first += page {
			if err := read(first, first+page-1); err != nil {
				return nil, s.fail(op, err)
			}
		}
	}
	list = make([]storage.LatestMessage, 0, len(rows))
	for i := range rows {
		var err error
		if list, err = s.addLatest(ctx, list, &rows[i]); err != nil {
			return nil, s.fail(op, err)
		}
	}
	return list, nil
}

// spans gives the ranges of ids that ids fill without a gap, ascending; at most 500 in each.
func spans(ids []halley.DeviceID) [][2]halley.DeviceID {
	var list [][2]halley.DeviceID
	for _, id := range ascending(ids) {
		if n := len(list); n > 0 && list[n-1][1]+1 == id && id-list[n-1][0] < 500 {
			list[n-1][1] = id
			continue
		}
		list = append(list, [2]halley.DeviceID{id, id})
	}
	return list
}

// latestRow is a row of selectLatest.
type latestRow struct {
	head   storage.Head
	device halley.DeviceID
	values valueRow
}

func (r *latestRow) scan(scan func(...any) error) error {
	return headScan(scan, &r.head, append([]any{&r.device}, r.values.dest()...)...)
}

// addLatest appends a message, or the values of a further part to the last one.
func (s *Store) addLatest(ctx context.Context, list []storage.LatestMessage, r *latestRow) ([]storage.LatestMessage, error) {
	channels, err := s.layoutChannels(ctx, r.values.layout)
	if err != nil {
		return nil, err
	}
	if r.values.part == 0 {
		list = append(list, storage.LatestMessage{
			DeviceID: r.device, Head: r.head,
			Values: make([]storage.LatestValue, 0, len(channels)),
		})
	}
	m := &list[len(list)-1]
	for i := range SlotCount {
		if at := int(r.values.part)*SlotCount + i; at < len(channels) && r.values.q[i].Valid {
			m.Values = append(m.Values, storage.LatestValue{
				ChannelID: channels[at], Value: r.values.v[i].Float64, Quality: halley.Quality(r.values.q[i].Int64),
			})
		}
	}
	return list, nil
}
