package sqlkit

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"halley"
	"halley/storage"
	"halley/storage/internal/rollup"
)

// span is a range of time.
type span struct{ from, to halley.Millis }

// bucketing answers one BucketQuery.
type bucketing struct {
	s    *Store
	t    *track
	q    storage.BucketQuery
	sums map[halley.Millis]*rollup.Bucket
	// last is the bucket that at gave last; it begins at lastStart.
	last      *rollup.Bucket
	lastStart halley.Millis
	marks     map[mark]struct{}
	// oldest and newest are when the device's oldest and newest messages were measured, 0 for none. Periods before that of the
	// newest have closed.
	oldest, newest halley.Millis
}

const (
	// selectReach has two subqueries, because each is one seek then.
	selectReach = `
SELECT COALESCE((SELECT MIN(measured_at) FROM message WHERE device_id = @device), 0),
       COALESCE((SELECT MAX(measured_at) FROM message WHERE device_id = @device), 0)`

	selectDeviceMarks = `
SELECT level, period FROM rollup_mark WHERE device_id = @device AND (level > @level OR (level = @level AND period > @period))
 ORDER BY level, period`

	selectPacks = `
SELECT period, pack
  FROM rollup
 WHERE channel_id = @channel AND level = @level AND period >= @first AND period <= @last
 ORDER BY period`
)

// Buckets gives count, minimum, maximum and sum of each bucket that holds a value.
//
// It takes as much as it can from the highest level of rollups whose steps add up to the width: the buckets of packs whose
// period has closed and is not marked. What is left, above all the edges and the newest period, it takes from the level below,
// and in the end from the samples.
func (s *Store) Buckets(ctx context.Context, q storage.BucketQuery) ([]storage.Bucket, error) {
	const op = "read buckets"
	if q.Width <= 0 {
		return nil, &halley.Error{Kind: halley.Invalid, Op: op, Field: "width", Message: "the width of a bucket is above 0"}
	}
	// Nothing is stored outside, and rollups know no instants before 1970.
	q.From, q.To = max(q.From, halley.EarliestMillis), min(q.To, halley.LatestMillis)
	t, err := s.track(ctx, op, q.Channel)
	if err != nil {
		return nil, s.fail(op, err)
	}
	b := &bucketing{s: s, t: t, q: q, sums: map[halley.Millis]*rollup.Bucket{}, marks: map[mark]struct{}{}}
	if q.From < q.To && len(t.used) > 0 {
		if err := b.run(ctx); err != nil {
			return nil, s.fail(op, err)
		}
	}
	return b.list(), nil
}

func (b *bucketing) run(ctx context.Context) error {
	// The newest message is read before the marks, and these before the packs: a period that closes in between still counts
	// as open then and is read from the samples, and one that is marked in between has a pack that was right just before.
	if _, err := b.s.one(ctx, []any{&b.oldest, &b.newest}, selectReach, args("device", int64(b.t.device))...); err != nil {
		return err
	}
	top := rollup.LevelFor(b.q.Width)
	if err := b.reachRemoved(ctx, top); err != nil {
		return err
	}
	spans := []span{{max(b.q.From, b.oldest), min(b.q.To, b.newest+1)}}
	if top > rollup.Raw {
		if err := b.readMarks(ctx); err != nil {
			return err
		}
	}
	for l := top; l > rollup.Raw; l-- {
		var rest []span
		for _, sp := range spans {
			if sp.from >= sp.to {
				continue
			}
			var err error
			if rest, err = b.packs(ctx, l, sp, rest); err != nil {
				return err
			}
		}
		spans = rest
	}
	for _, sp := range spans {
		if err := b.samples(ctx, sp); err != nil {
			return err
		}
	}
	return nil
}

// selectPackReach has two subqueries, because each is one seek then.
const selectPackReach = `
SELECT COALESCE((SELECT MIN(period) FROM rollup WHERE channel_id = @channel AND level = @level), -1),
       COALESCE((SELECT MAX(period) FROM rollup WHERE channel_id = @channel AND level = @level), -1)`

// reachRemoved extends what is looked at to the days that retention removed, of which the daily figures are left.
func (b *bucketing) reachRemoved(ctx context.Context, top rollup.Level) error {
	if top == rollup.Raw {
		return nil
	}
	gone, err := b.s.removals(ctx)
	if err != nil || len(gone) == 0 {
		return err
	}
	var first, last int64
	if _, err := b.s.one(ctx, []any{&first, &last}, selectPackReach, args("channel", int64(b.q.Channel), "level", int64(rollup.Days))...); err != nil ||
		first < 0 {
		return err
	}
	if b.oldest == 0 || rollup.Days.Start(first) < b.oldest {
		b.oldest = rollup.Days.Start(first)
	}
	b.newest = max(b.newest, rollup.Days.Start(last+1))
	return nil
}

func (b *bucketing) readMarks(ctx context.Context) error {
	level, period := rollup.Raw, int64(-1)
	for {
		n := 0
		err := b.s.query(ctx, func(scan func(...any) error) error {
			n++
			err := scan(&level, &period)
			b.marks[mark{b.t.device, level, period}] = struct{}{}
			return err
		}, selectDeviceMarks+b.s.dialect.Limit, args("device", int64(b.t.device), "level", int64(level), "period", period, "limit", pageRows)...)
		if err != nil || n < pageRows {
			return err
		}
	}
}

// usable says whether the pack of a period is right.
func (b *bucketing) usable(l rollup.Level, period int64) bool {
	if period >= l.Period(b.newest) {
		return false
	}
	_, marked := b.marks[mark{b.t.device, l, period}]
	return !marked
}

// packs takes from packs what they give of a span, and appends to rest what they do not.
func (b *bucketing) packs(ctx context.Context, l rollup.Level, sp span, rest []span) ([]span, error) {
	first, last := l.Period(sp.from), l.Period(sp.to-1)
	// What lies outside of whole steps, and periods that cannot be used, go down a level.
	inner := span{sp.from.Ceil(l.Step()), sp.to.Floor(l.Step())}
	if inner.from >= inner.to {
		return add(rest, sp), nil
	}
	rest = add(rest, span{sp.from, inner.from})
	for p := first; p <= last; p++ {
		if !b.usable(l, p) {
			start := l.Start(p)
			rest = add(rest, span{max(start, inner.from), min(start+l.Span(), inner.to)})
		}
	}
	rest = add(rest, span{inner.to, sp.to})
	for ; first <= last; first += pageRows {
		if err := b.readPacks(ctx, l, first, min(first+pageRows-1, last), inner); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// readPacks takes in what the packs of the periods first to last hold of a span.
func (b *bucketing) readPacks(ctx context.Context, l rollup.Level, first, last int64, inner span) error {
	steps := make([]rollup.Bucket, l.Steps())
	var pack sql.RawBytes
	return b.s.query(ctx, func(scan func(...any) error) error {
		var period int64
		if err := scan(&period, &pack); err != nil || !b.usable(l, period) {
			return err
		}
		if err := rollup.Decode(pack, steps); err != nil {
			return err
		}
		b.merge(l, period, steps, inner)
		return nil
	}, selectPacks, args("channel", int64(b.q.Channel), "level", int64(l), "first", first, "last", last)...)
}

// add appends a span to a list that ascends, in one piece with the one before where they touch.
func add(list []span, sp span) []span {
	if sp.from >= sp.to {
		return list
	}
	if n := len(list); n > 0 && list[n-1].to == sp.from {
		list[n-1].to = sp.to
		return list
	}
	return append(list, sp)
}

// merge takes in the steps of a pack that lie inside of a span.
func (b *bucketing) merge(l rollup.Level, period int64, steps []rollup.Bucket, inner span) {
	at := l.Start(period)
	for i := range steps {
		if steps[i].Count > 0 && at >= inner.from && at < inner.to {
			b.at(at).Merge(steps[i])
		}
		at += l.Step()
	}
}

// at gives the bucket that holds an instant.
func (b *bucketing) at(at halley.Millis) *rollup.Bucket {
	if b.last != nil && at >= b.lastStart && at-b.lastStart < b.q.Width {
		return b.last
	}
	start := at.Floor(b.q.Width)
	sum := b.sums[start]
	if sum == nil {
		sum = &rollup.Bucket{}
		b.sums[start] = sum
	}
	b.last, b.lastStart = sum, start
	return sum
}

// samples takes in the samples of a span, page by page.
func (b *bucketing) samples(ctx context.Context, sp span) error {
	c := cursor{sp.from, sp.to, -1}
	for more := sp.from < sp.to; more; {
		var err error
		more, err = b.s.page(ctx, b.t, &c, pageRows, func(sm storage.Sample) {
			if sm.Quality.HasValue() {
				b.at(sm.At).Add(sm.Value)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// list gives the buckets that hold values, ascending.
func (b *bucketing) list() []storage.Bucket {
	list := make([]storage.Bucket, 0, len(b.sums))
	for start, sum := range b.sums {
		list = append(list, storage.Bucket{Start: start, Count: sum.Count, Min: sum.Min, Max: sum.Max, Sum: sum.Sum})
	}
	slices.SortFunc(list, func(x, y storage.Bucket) int { return cmp.Compare(x.Start, y.Start) })
	return list
}
