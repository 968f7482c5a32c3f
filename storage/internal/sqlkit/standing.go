package sqlkit

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"halley"
	"halley/storage"
)

// standing is what Info tells, as it was last seen.
type standing struct {
	mu      sync.Mutex
	measure Measure
	// measured is when it was measured; the zero time is never.
	measured time.Time
	growth   growth
}

// growth sums up the samples of batches. It reads each batch once, so that it stays cheap with millions of them.
type growth struct {
	// generation is of the connection that it was read through.
	generation int64
	// whole says that all batches up to seen are all that there were.
	whole   bool
	seen    int64
	samples int64
	// first and newest are when the first and the newest batch were recorded; hours holds the samples of the hours since
	// 1970-01-01 of the last week.
	first, newest halley.Millis
	hours         map[int64]int64
}

// week is over how long SamplesPerDay looks.
const week = 7 * halley.Day

// add takes in samples recorded in the hour of an instant.
func (g *growth) add(at halley.Millis, samples int64) {
	if g.hours == nil {
		g.hours = map[int64]int64{}
	}
	g.samples += samples
	g.hours[int64(at/halley.Hour)] += samples
	if g.first == 0 || at < g.first {
		g.first = at
	}
}

// reach says when the newest batch was recorded.
func (g *growth) reach(at halley.Millis) {
	g.newest = at
	for hour := range g.hours {
		if halley.Millis(hour)*halley.Hour < at-week {
			delete(g.hours, hour)
		}
	}
}

// perDay gives the rate over the last week, or since the first batch; 0 where that is less than an hour ago.
func (g *growth) perDay() float64 {
	since := g.first
	if g.newest-week > since {
		since = (g.newest - week).Ceil(halley.Hour)
	}
	if g.newest-since < halley.Hour {
		return 0
	}
	var sum int64
	for hour, samples := range g.hours {
		if at := halley.Millis(hour+1) * halley.Hour; at > since && at <= g.newest+halley.Hour {
			sum += samples
		}
	}
	return float64(sum) / (float64(g.newest-since) / float64(halley.Day))
}

// Info says what the store is and how it stands.
func (s *Store) Info(context.Context) (storage.Info, error) {
	st := &s.stand
	st.mu.Lock()
	defer st.mu.Unlock()
	info := storage.Info{
		Kind: s.dialect.Kind, Engine: st.measure.Engine, Schema: int(s.ready.schema.Load()),
		Bytes: st.measure.Bytes, LimitBytes: st.measure.LimitBytes, Limit: st.measure.Limit,
	}
	if st.growth.whole {
		info.Samples, info.SamplesPerDay = st.growth.samples, st.growth.perDay()
	}
	return info, nil
}

// measureEvery is how often the database is measured at most: it costs statements.
const measureEvery = 5 * time.Second

// appended takes note of a batch, and measures the database where that was not done for a while. What goes wrong is only for
// show and is done again at the next batch.
func (s *Store) appended(ctx context.Context, b *storage.Batch, out *storage.Appended) {
	st := &s.stand
	st.mu.Lock()
	if g := &st.growth; g.whole && out.BatchID == g.seen+1 && g.generation == s.generation() {
		g.seen++
		g.add(b.RecordedAt, int64(out.Samples))
		g.reach(b.RecordedAt)
	}
	due := time.Since(st.measured) >= measureEvery
	st.mu.Unlock()
	if due {
		s.tryMeasure(ctx)
	}
}

// measureOnce measures where that was never done, when the database has been found ready.
func (s *Store) measureOnce(ctx context.Context) {
	s.stand.mu.Lock()
	due := s.stand.measured.IsZero()
	s.stand.mu.Unlock()
	if due {
		s.tryMeasure(ctx)
	}
}

func (s *Store) tryMeasure(ctx context.Context) {
	if err := s.measure(ctx); err != nil {
		s.log.Debug("the size of the database could not be read", "error", err)
	}
}

// measure asks the engine for its size and reads the batches that are new.
func (s *Store) measure(ctx context.Context) error {
	st := &s.stand
	st.mu.Lock()
	st.measured = time.Now()
	st.mu.Unlock()
	m, err := s.dialect.Measure(ctx, s.reader)
	if err != nil {
		return fmt.Errorf("measuring the database: %w", err)
	}
	now := s.generation()
	st.mu.Lock()
	st.measure = m
	g := st.growth
	g.hours = maps.Clone(g.hours)
	st.mu.Unlock()
	if g.generation != now {
		g = growth{generation: now}
	}
	grown, err := s.grow(ctx, g)
	if err != nil {
		return fmt.Errorf("summing up the batches: %w", err)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	// Somebody who measured at the same time may have got further.
	if grown.generation != st.growth.generation || grown.seen > st.growth.seen || grown.whole && !st.growth.whole {
		st.growth = grown
	}
	return nil
}

const (
	selectNewestBatch = "SELECT COALESCE(MAX(batch_id), 0) FROM batch"

	selectGrowth = `
SELECT recorded_at / 3600000, MIN(recorded_at), MAX(recorded_at), SUM(CAST(samples AS bigint)), MAX(batch_id) AS last_id
  FROM batch
 WHERE batch_id > @after AND batch_id <= @last
 GROUP BY recorded_at / 3600000
 ORDER BY last_id`

	// growthPage is how many batches one statement sums up, growthTime how long all of them may take: what is left then is
	// read when the database is measured next.
	growthPage = 100_000
	growthTime = 250 * time.Millisecond
)

// grow reads the batches behind g.seen.
func (s *Store) grow(ctx context.Context, g growth) (growth, error) {
	var newest int64
	err := s.read(ctx, func(scan func(...any) error) error { return scan(&newest) }, selectNewestBatch)
	if err != nil {
		return g, err
	}
	for begin := time.Now(); g.seen < newest && time.Since(begin) < growthTime; {
		last := min(g.seen+growthPage, newest)
		var reached halley.Millis
		err := s.read(ctx, func(scan func(...any) error) error {
			var hour, samples, id int64
			var first halley.Millis
			if err := scan(&hour, &first, &reached, &samples, &id); err != nil {
				return err
			}
			g.add(first, samples)
			return nil
		}, selectGrowth, args("after", g.seen, "last", last)...)
		if err != nil {
			return g, err
		}
		g.seen = last
		if reached != 0 {
			g.reach(reached)
		}
	}
	g.whole = g.seen >= newest
	return g, nil
}
