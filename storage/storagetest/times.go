package storagetest

import (
	"math"
	"testing"

	"halley"
	"halley/storage"
)

func timeTests() []test {
	return []test{
		{"times at the edges are stored", edgeTimes},
		{"milliseconds are kept at every place", everyMillisecond},
		{"ranges are half-open to the millisecond in every list", halfOpen},
		{"ranges without end and outside are answered", wideRanges},
		{"buckets are aligned to 1970 in whatever width", alignedBuckets},
		{"times that a message only tells are stored where they can be", toldTimes},
	}
}

func edgeTimes(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	for _, at := range []halley.Millis{halley.EarliestMillis, halley.LatestMillis - 1} {
		u := d.Upload(0, d.Message(at, 20))
		u.ReceivedAt = Start
		f.Append(t, u)
	}
	all := p.samples(t, 1)
	equal(t, "samples at the edges", []halley.Millis{halley.EarliestMillis, halley.LatestMillis - 1}, []halley.Millis{all[0].At, all[1].At})
	check := func() {
		buckets, err := p.Buckets(t.Context(), storage.BucketQuery{Channel: p.channel(t, 1), From: 0, To: 1 << 60, Width: halley.Day})
		must(t, "Buckets", err)
		equal(t, "buckets at the edges", []storage.Bucket{
			{Start: halley.EarliestMillis, Count: 1, Min: 20, Max: 20, Sum: 20},
			{Start: halley.LatestMillis - halley.Day, Count: 1, Min: 20, Max: 20, Sum: 20},
		}, buckets)
	}
	check()
	p.rollUp(t, 1000)
	check()
	for _, at := range []halley.Millis{halley.EarliestMillis - 1, halley.LatestMillis, 0, -1, math.MaxInt64, math.MinInt64} {
		b := f.Batch(d.Upload(0, d.Message(at, 20)))
		b.Uploads[0].ReceivedAt = Start
		_, err := p.Append(t.Context(), b)
		wantEntry(t, "Append outside of what can be stored", err, b.Uploads[0].Seq)
		b = f.Batch(d.Upload(0, d.Message(Start, 20)))
		b.Uploads[0].ReceivedAt = at
		_, err = p.Append(t.Context(), b)
		wantEntry(t, "Append received outside of what can be stored", err, b.Uploads[0].Seq)
	}
	equal(t, "samples after refusals", 2, len(p.samples(t, 1)))
}

// everyMillisecond has instants whose last digits are lost by types that are coarser than a millisecond: datetime of SQL Server
// knows 0, 3 and 7 only.
func everyMillisecond(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	var messages []halley.Message
	want := []halley.Millis{}
	for _, base := range []halley.Millis{Start, Start + halley.Day - 7, 1_709_164_800_000 - 5, 1_483_228_800_000 - 5} {
		for ms := range halley.Millis(12) {
			messages = append(messages, d.Message(base+ms, float64(ms)))
		}
	}
	f.Append(t, d.Upload(0, messages...))
	for _, base := range []halley.Millis{1_483_228_800_000 - 5, 1_709_164_800_000 - 5, Start, Start + halley.Day - 7} {
		for ms := range halley.Millis(12) {
			want = append(want, base+ms)
		}
	}
	got := []halley.Millis{}
	for _, sm := range p.samples(t, 1) {
		got = append(got, sm.At)
	}
	equal(t, "instants", want, got)
	for i, h := range headsOf(t, p, p.serial(1)) {
		equal(t, "measured and sent", []halley.Millis{want[i], want[i] + halley.Second}, []halley.Millis{h.MeasuredAt, h.SentAt})
	}
	days := map[halley.Millis]int64{}
	buckets, err := p.Buckets(t.Context(), storage.BucketQuery{Channel: p.channel(t, 1), From: 0, To: halley.LatestMillis, Width: halley.Day})
	must(t, "Buckets", err)
	for _, b := range buckets {
		days[b.Start] = b.Count
	}
	// 2016 ended with a leap second, which these times do not know; 2024 had a 29th of February.
	equal(t, "values a day", map[halley.Millis]int64{
		1_483_228_800_000 - halley.Day: 5, 1_483_228_800_000: 7, 1_709_164_800_000 - halley.Day: 5, 1_709_164_800_000: 7,
		Start: 12 + 7, Start + halley.Day: 5,
	}, days)
}

func halfOpen(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	for i := range halley.Millis(3) {
		f.Append(t, d.Upload(0, d.Message(Start+i*halley.Hour, float64(i))))
	}
	const first, last = Start, Start + 2*halley.Hour
	for _, c := range []struct {
		name     string
		from, to halley.Millis
		want     int
	}{
		{"all", first, last + 1, 3},
		{"without the last", first, last, 2},
		{"without the first", first + 1, last + 1, 2},
		{"only the middle", first + 1, last, 1},
		{"one millisecond", last, last + 1, 1},
		{"the millisecond before", last - 1, last, 0},
		{"an empty range", first, first, 0},
		{"a range that runs backwards", last, first, 0},
	} {
		for _, rolled := range []bool{false, true} {
			if rolled {
				p.rollUp(t, 1000)
			}
			list, err := p.Samples(t.Context(), storage.SampleQuery{Channel: p.channel(t, 1), From: c.from, To: c.to, Limit: 10})
			must(t, "Samples", err)
			heads, err := p.Heads(t.Context(), storage.HeadQuery{Device: p.device(t, 1), From: c.from, To: c.to, Limit: 10})
			must(t, "Heads", err)
			got := []int{len(list), len(heads)}
			for _, width := range []halley.Millis{1, 10 * halley.Minute, halley.Hour, halley.Day} {
				buckets, err := p.Buckets(t.Context(), storage.BucketQuery{Channel: p.channel(t, 1), From: c.from, To: c.to, Width: width})
				must(t, "Buckets", err)
				n := 0
				for _, b := range buckets {
					n += int(b.Count)
				}
				got = append(got, n)
			}
			equal(t, c.name+": samples, heads and values in buckets", []int{c.want, c.want, c.want, c.want, c.want, c.want}, got)
		}
	}
}

func wideRanges(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	m := d.Message(Start, 20)
	f.Append(t, d.Upload(0, m, m))
	for _, c := range []struct {
		from, to halley.Millis
		want     int
	}{
		{math.MinInt64, math.MaxInt64, 1},
		{math.MinInt64, 0, 0},
		{-1, Start + 1, 1},
		{halley.LatestMillis, math.MaxInt64, 0},
		{math.MaxInt64, math.MinInt64, 0},
	} {
		list, err := p.Samples(t.Context(), storage.SampleQuery{Channel: p.channel(t, 1), From: c.from, To: c.to, Limit: 10})
		must(t, "Samples", err)
		heads, err := p.Heads(t.Context(), storage.HeadQuery{Device: p.device(t, 1), From: c.from, To: c.to, Limit: 10})
		must(t, "Heads", err)
		buckets, err := p.Buckets(t.Context(), storage.BucketQuery{Channel: p.channel(t, 1), From: c.from, To: c.to, Width: halley.Hour})
		must(t, "Buckets", err)
		equal(t, "samples, heads and buckets", []int{c.want, c.want, c.want}, []int{len(list), len(heads), len(buckets)})
	}
	n, _, err := p.Tally(t.Context(), p.device(t, 1), halley.EarliestMillis, halley.LatestMillis)
	must(t, "Tally", err)
	equal(t, "repeats in all", int64(1), n)
}

func alignedBuckets(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	steadily(t, f, d, Start+11*halley.Minute+7, 60*9)
	all := p.samples(t, 1)
	for range 2 {
		for _, width := range []halley.Millis{
			7, 1001, halley.Minute, 10 * halley.Minute, 20 * halley.Minute, 7 * halley.Hour, 36 * halley.Hour, 7 * halley.Day, 365 * halley.Day,
			halley.Hour + 1, halley.LatestMillis,
		} {
			from := Start + 3*halley.Hour + 1
			checkBuckets(t, p, storage.BucketQuery{Channel: p.channel(t, 1), From: from, To: from + 30*halley.Hour, Width: width}, all)
		}
		p.rollUp(t, 1000)
	}
}

// toldTimes has times of sending that decide nothing: one that cannot be stored is left out.
func toldTimes(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	var messages []halley.Message
	told := []halley.Millis{halley.EarliestMillis, halley.LatestMillis - 1, halley.EarliestMillis - 1, halley.LatestMillis, 0, -1}
	for i, now := range told {
		m := d.Message(Start+halley.Millis(i), 20)
		m.Now = now
		messages = append(messages, m)
	}
	f.Append(t, d.Upload(0, messages...))
	got := []halley.Millis{}
	for _, h := range headsOf(t, p, p.serial(1)) {
		got = append(got, h.SentAt)
	}
	equal(t, "sent at", []halley.Millis{halley.EarliestMillis, halley.LatestMillis - 1, 0, 0, 0, 0}, got)
}
