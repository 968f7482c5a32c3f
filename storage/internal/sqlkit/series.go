package sqlkit

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync"

	"halley"
	"halley/storage"
)

// slot is where a channel's values lie in the messages of one layout.
type slot struct {
	part, index int
}

// track is where a channel's values lie: its device, and its slot in each of the device's layouts that has one.
type track struct {
	channel halley.ChannelID
	device  halley.DeviceID
	slots   map[int64]slot
	// part is the only part that the slots are in; -1 where there are several.
	part int
	// used are the slots' indices, ascending, each once.
	used []int
}

const selectTrack = `
SELECT c.device_id, s.layout_id, s.part, s.slot
  FROM channel c
  LEFT JOIN layout_slot s ON s.channel_id = c.channel_id
 WHERE c.channel_id = @channel`

// track finds a channel; NotFound where it is not there.
func (s *Store) track(ctx context.Context, op string, id halley.ChannelID) (*track, error) {
	t := &track{channel: id, slots: map[int64]slot{}, part: -1}
	found := false
	var used [SlotCount]bool
	err := s.query(ctx, func(scan func(...any) error) error {
		var layoutID, part, number sql.NullInt64
		err := scan(&t.device, &layoutID, &part, &number)
		found = true
		if !layoutID.Valid {
			return err
		}
		if at := int(part.Int64); len(t.slots) == 0 {
			t.part = at
		} else if t.part != at {
			t.part = -1
		}
		t.slots[layoutID.Int64] = slot{int(part.Int64), int(number.Int64) - 1}
		used[number.Int64-1] = true
		return err
	}, selectTrack, args("channel", int64(id))...)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, notFound(op, "channel", int64(id))
	}
	for i, u := range used {
		if u {
			t.used = append(t.used, i)
		}
	}
	return t, nil
}

// statement gives the SQL that reads the track in [@from, @to) behind @after and @variant. The head of a message is in its
// part 0.
func (t *track) statement(limit string) string {
	var b strings.Builder
	b.WriteString("SELECT m.measured_at, m.variant, m.layout_id, m.part")
	head := "m"
	if t.part != 0 {
		head = "h"
	}
	b.WriteString(", " + head + ".received_at, " + head + ".interval, " + head + ".buffer")
	for _, i := range t.used {
		n := strconv.Itoa(i + 1)
		b.WriteString(", m.v" + n + ", m.q" + n)
	}
	b.WriteString(" FROM message m")
	if t.part != 0 {
		b.WriteString(" JOIN message h ON h.device_id = m.device_id AND h.measured_at = m.measured_at" +
			" AND h.variant = m.variant AND h.part = 0")
	}
	b.WriteString(" WHERE m.device_id = @device AND m.measured_at >= @from AND m.measured_at < @to" +
		" AND (m.measured_at > @from OR m.variant > @variant)")
	if t.part >= 0 {
		b.WriteString(" AND m.part = " + strconv.Itoa(t.part))
	} else {
		// One row a message, so that a page never ends inside of one.
		b.WriteString(" AND EXISTS (SELECT 1 FROM layout_slot s WHERE s.layout_id = m.layout_id AND s.part = m.part" +
			" AND s.channel_id = @channel)")
	}
	b.WriteString(" ORDER BY m.measured_at, m.variant, m.part" + limit)
	return b.String()
}

// cursor says where reading goes on.
type cursor struct {
	from, to halley.Millis
	// variant is the variant at from that was read last; -1 for none.
	variant int
}

func startAt(from, to, after halley.Millis, variant int) cursor {
	if after == 0 || after < from {
		return cursor{from, to, -1}
	}
	return cursor{after, to, variant}
}

// pageRows bounds how many rows one statement reads.
const pageRows = 10_000

// page reads one page of a track and hands each sample to keep. It says whether there may be more, and moves c.
func (s *Store) page(ctx context.Context, t *track, c *cursor, rows int, keep func(storage.Sample)) (more bool, err error) {
	var sm storage.Sample
	var layoutID int64
	var part, interval, buffer int
	var received halley.Millis
	v, q := make([]sql.NullFloat64, len(t.used)), make([]sql.NullInt64, len(t.used))
	dest := []any{&sm.At, &sm.Variant, &layoutID, &part, &received, &interval, &buffer}
	for i := range t.used {
		dest = append(dest, &v[i], &q[i])
	}
	n := 0
	err = s.query(ctx, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		n++
		at, ok := t.slots[layoutID]
		if !ok || at.part != part {
			return nil
		}
		for i, index := range t.used {
			if index == at.index && q[i].Valid {
				sm.Quality = halley.Quality(q[i].Int64)
				sm.Value = v[i].Float64
				sm.Late = halley.Late(sm.At, received, interval, buffer)
				keep(sm)
			}
		}
		return nil
	}, t.statement(s.dialect.Limit), args("device", int64(t.device), "from", int64(c.from), "to", int64(c.to),
		"variant", c.variant, "channel", int64(t.channel), "limit", rows)...)
	if n > 0 {
		c.from, c.variant = sm.At, sm.Variant
	}
	return n == rows, err
}

// Samples lists the samples of one channel.
func (s *Store) Samples(ctx context.Context, q storage.SampleQuery) ([]storage.Sample, error) {
	const op = "read samples"
	t, err := s.track(ctx, op, q.Channel)
	if err != nil {
		return nil, s.fail(op, err)
	}
	limit := max(q.Limit, 1)
	list := []storage.Sample{}
	c := startAt(q.From, q.To, q.After, q.AfterVariant)
	for more := len(t.used) > 0; more && len(list) < limit; {
		if more, err = s.page(ctx, t, &c, min(limit-len(list), pageRows), func(sm storage.Sample) { list = append(list, sm) }); err != nil {
			return nil, s.fail(op, err)
		}
	}
	return list, nil
}

const selectHeads = `
SELECT m.measured_at, m.variant, m.sent_at, m.received_at, m.order_no, m.kind, m.cache, m.interval, m.buffer, m.config, m.seq,
       m.clock, b.journal_id
  FROM message m
  JOIN batch b ON b.batch_id = m.batch_id
 WHERE m.device_id = @device AND m.measured_at >= @from AND m.measured_at < @to
   AND (m.measured_at > @from OR m.variant > @variant) AND m.part = 0
 ORDER BY m.measured_at, m.variant`

// headScan reads the columns of selectHeads into h, and what follows them into more.
func headScan(scan func(...any) error, h *storage.Head, more ...any) error {
	var sent, order, cache, config sql.NullInt64
	var clock halley.Clock
	var seq int64
	dest := []any{
		&h.MeasuredAt, &h.Variant, &sent, &h.ReceivedAt, &order, &h.Kind, &cache, &h.Interval, &h.Buffer, &config, &seq,
		&clock, &h.JournalID,
	}
	if err := scan(append(dest, more...)...); err != nil {
		return err
	}
	h.SentAt, h.Seq = halley.Millis(sent.Int64), uint64(seq)
	h.Order, h.Cache, h.Config = known64(order), int(known64(cache)), int(known64(config))
	h.ClockNotValid = clock == halley.ClockNotValid
	return nil
}

// Heads lists the messages of one device without values.
func (s *Store) Heads(ctx context.Context, q storage.HeadQuery) ([]storage.Head, error) {
	const op = "read messages"
	limit := max(q.Limit, 1)
	list := []storage.Head{}
	c := startAt(q.From, q.To, q.After, q.AfterVariant)
	for len(list) < limit {
		rows, before := min(limit-len(list), pageRows), len(list)
		err := s.query(ctx, func(scan func(...any) error) error {
			var h storage.Head
			err := headScan(scan, &h)
			list = append(list, h)
			return err
		}, selectHeads+s.dialect.Limit, args("device", int64(q.Device), "from", int64(c.from), "to", int64(c.to),
			"variant", c.variant, "limit", rows)...)
		if err != nil {
			return nil, s.fail(op, err)
		}
		if len(list)-before < rows {
			break
		}
		c.from, c.variant = list[len(list)-1].MeasuredAt, list[len(list)-1].Variant
	}
	return list, nil
}

const selectTally = `
SELECT COALESCE(SUM(CAST(duplicates AS bigint)), 0), COALESCE(SUM(CAST(conflicts AS bigint)), 0)
  FROM tally
 WHERE device_id = @device AND day >= @from AND day < @to`

// Tally counts the duplicates and conflicts of a device that were received on the UTC days that [from, to) touches.
func (s *Store) Tally(ctx context.Context, device halley.DeviceID, from, to halley.Millis) (duplicates, conflicts int64, err error) {
	_, err = s.one(ctx, []any{&duplicates, &conflicts}, selectTally, args("device", int64(device),
		"from", int64(from.Floor(halley.Day)/halley.Day), "to", int64(to.Ceil(halley.Day)/halley.Day))...)
	return duplicates, conflicts, s.fail("count repeats", err)
}

// layoutCache remembers the channels of layouts, which never change.
type layoutCache struct {
	mu   sync.Mutex
	byID map[int64][]halley.ChannelID
	// generation is of the connections that they were read through.
	generation int64
}

// at gives the layouts that are known through the present connections. The caller holds mu.
func (c *layoutCache) at(generation int64) map[int64][]halley.ChannelID {
	if c.byID == nil || c.generation != generation {
		c.byID, c.generation = map[int64][]halley.ChannelID{}, generation
	}
	return c.byID
}

const selectSlots = "SELECT part, slot, channel_id FROM layout_slot WHERE layout_id = @layout ORDER BY part, slot"

// layoutChannels gives the channels of a layout by slot.
func (s *Store) layoutChannels(ctx context.Context, id int64) ([]halley.ChannelID, error) {
	s.layouts.mu.Lock()
	list, ok := s.layouts.at(s.generation())[id]
	s.layouts.mu.Unlock()
	if ok {
		return list, nil
	}
	err := s.query(ctx, func(scan func(...any) error) error {
		var part, number int
		var ch halley.ChannelID
		err := scan(&part, &number, &ch)
		list = append(list, ch)
		return err
	}, selectSlots, args("layout", id)...)
	if err != nil {
		return nil, err
	}
	s.layouts.mu.Lock()
	defer s.layouts.mu.Unlock()
	s.layouts.at(s.generation())[id] = list
	return list, nil
}
