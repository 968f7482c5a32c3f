package storagetest

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"halley"
	"halley/storage"
)

func rollupTests() []test {
	return []test{
		{"buckets are right after any order of messages", bucketModel},
		{"buckets begin and end where they are asked to", bucketEdges},
		{"buckets keep to their width", bucketWidths},
		{"samples without a value do not count", bucketsWithoutValue},
		{"late data count at once and after rolling up", lateBuckets},
		{"rolling up is bounded and ends", rollUpBounded},
		{"rollups give the bits that the samples give", rollUpBits},
	}
}

// naive computes buckets from samples.
func naive(list []storage.Sample, from, to, width halley.Millis) []storage.Bucket {
	buckets := []storage.Bucket{}
	for _, sm := range list {
		if sm.At < from || sm.At >= to || !sm.Quality.HasValue() {
			continue
		}
		start := sm.At.Floor(width)
		if n := len(buckets); n == 0 || buckets[n-1].Start != start {
			buckets = append(buckets, storage.Bucket{Start: start, Min: math.Inf(1), Max: math.Inf(-1)})
		}
		b := &buckets[len(buckets)-1]
		b.Count++
		b.Min, b.Max, b.Sum = min(b.Min, sm.Value), max(b.Max, sm.Value), b.Sum+sm.Value
	}
	return buckets
}

// contextOf gives the context of a test or of a property.
func contextOf(t rapid.TB) context.Context {
	if c, ok := t.(interface{ Context() context.Context }); ok {
		return c.Context()
	}
	return context.Background()
}

// checkBuckets compares Buckets with the samples. Sums are taken in another order there, so that the last bits may differ.
func checkBuckets(t rapid.TB, s storage.Store, q storage.BucketQuery, samples []storage.Sample) {
	t.Helper()
	got, err := s.Buckets(contextOf(t), q)
	if err != nil {
		t.Fatalf("Buckets(%+v): %v", q, err)
	}
	want := naive(samples, q.From, q.To, q.Width)
	same := slices.EqualFunc(want, got, func(w, g storage.Bucket) bool {
		return w.Start == g.Start && w.Count == g.Count && w.Min == g.Min && w.Max == g.Max &&
			math.Abs(w.Sum-g.Sum) <= 1e-9*(math.Abs(w.Sum)+1)
	})
	if !same {
		t.Fatalf("Buckets(%+v)\n got %+v\nwant %+v", q, got, want)
	}
}

// bucketModel appends messages in random orders, mixed with rolling up and opening again, and compares buckets of random
// ranges and widths with the samples each time.
func bucketModel(t *testing.T, p *plot) {
	// Every run has a device of its own in one store.
	f := p.feed()
	runs := 0
	p.ground.engine.randomly(t, func(rt *rapid.T) {
		runs++
		d := WiFi(p.serial(runs), 1)
		var samples []storage.Sample
		at := Start
		steps := rapid.IntRange(1, 5).Draw(rt, "steps")
		for range steps {
			switch rapid.IntRange(0, 19).Draw(rt, "what") {
			case 0:
				p.reopen(t)
			case 1, 2, 3:
				p.rollUp(t, rapid.IntRange(1, 100).Draw(rt, "limit"))
			default:
				at = someBatch(rt, f, d, at, &samples)
			}
			slices.SortStableFunc(samples, func(x, y storage.Sample) int { return int(x.At - y.At) })
			for range 2 {
				from := Start + halley.Millis(rapid.Int64Range(-10, 60*24*70).Draw(rt, "from"))*halley.Minute
				q := storage.BucketQuery{
					From: from, To: from + halley.Millis(rapid.Int64Range(1, 60*24*80).Draw(rt, "length"))*halley.Minute,
					Width: rapid.SampledFrom([]halley.Millis{
						halley.Minute, 10 * halley.Minute, 30 * halley.Minute, halley.Hour, 5 * halley.Hour, halley.Day, 7 * halley.Day, 100_003,
					}).Draw(rt, "width"),
				}
				if len(samples) > 0 {
					q.Channel = ChannelsOf(t, p, d.Key.Serial)[0].ID
					checkBuckets(rt, p, q, samples)
				}
			}
		}
	})
}

// someBatch appends a batch of messages, most of them in order with gaps of minutes to weeks, some late.
func someBatch(rt *rapid.T, f *plotFeed, d *Device, at halley.Millis, samples *[]storage.Sample) halley.Millis {
	var uploads []storage.Upload
	for range rapid.IntRange(1, 40).Draw(rt, "messages") {
		when := at
		if rapid.IntRange(0, 4).Draw(rt, "late") == 0 {
			when -= halley.Millis(rapid.Int64Range(0, int64(at-Start)+1).Draw(rt, "back"))
		} else {
			at += rapid.SampledFrom([]halley.Millis{
				halley.Second, halley.Minute, 11 * halley.Minute, 50 * halley.Minute, 7 * halley.Hour, halley.Day, 9 * halley.Day,
			}).Draw(rt, "step")
			when = at
		}
		m := d.Message(when, float64(rapid.IntRange(-400, 400).Draw(rt, "value"))/10)
		if rapid.IntRange(0, 7).Draw(rt, "no value") == 0 {
			m.Readings[0].Quality = halley.QualityOf(halley.NotReady, 0)
		}
		*samples = append(*samples, storage.Sample{At: when, Value: m.Readings[0].Value, Quality: m.Readings[0].Quality})
		uploads = append(uploads, d.Upload(0, m))
	}
	if _, err := f.Store.Append(contextOf(rt), f.Batch(uploads...)); err != nil {
		rt.Fatalf("Append: %v", err)
	}
	return at
}

// steadily appends a message every five minutes, 60 in a batch.
func steadily(t *testing.T, f *plotFeed, d *Device, from halley.Millis, count int) {
	t.Helper()
	var uploads []storage.Upload
	for i := range count {
		at := from + halley.Millis(i)*5*halley.Minute
		uploads = append(uploads, d.Upload(0, d.Message(at, float64(i%97)/10)))
		if len(uploads) == 60 || i == count-1 {
			f.Append(t, uploads...)
			uploads = nil
		}
	}
}

func bucketEdges(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	steadily(t, f, d, Start, 60*12)
	all := p.samples(t, 1)
	for range 2 {
		for _, c := range []struct{ from, to halley.Millis }{
			{0, 60 * halley.Hour},
			{1, 60*halley.Hour - 1},
			{25 * halley.Minute, 31 * halley.Hour},
			{halley.Hour, 2 * halley.Hour},
			{59 * halley.Minute, 61 * halley.Minute},
			{24*halley.Hour - halley.Minute, 48*halley.Hour + halley.Minute},
			{5 * halley.Hour, 5 * halley.Hour},
			{90 * halley.Hour, 100 * halley.Hour},
			{-50 * halley.Hour, 10 * halley.Minute},
		} {
			for _, width := range []halley.Millis{10 * halley.Minute, halley.Hour, halley.Day} {
				checkBuckets(t, p, storage.BucketQuery{Channel: p.channel(t, 1), From: Start + c.from, To: Start + c.to, Width: width}, all)
			}
		}
		p.rollUp(t, 1000)
	}
}

func bucketWidths(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	steadily(t, f, d, Start+17*halley.Minute, 100)
	for _, width := range []halley.Millis{1, 999, halley.Minute, 7 * halley.Minute, 90 * halley.Minute, 1 << 50} {
		checkBuckets(t, p, storage.BucketQuery{Channel: p.channel(t, 1), From: Start, To: Start + halley.Day, Width: width}, p.samples(t, 1))
	}
	for _, width := range []halley.Millis{0, -halley.Hour} {
		_, err := p.Buckets(t.Context(), storage.BucketQuery{Channel: p.channel(t, 1), From: Start, To: Start + halley.Day, Width: width})
		wantKind(t, "Buckets without a width", err, halley.Invalid)
	}
}

func bucketsWithoutValue(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 2)
	for i := range halley.Millis(3) {
		m := d.Message(Start+i*halley.Hour, 7)
		m.Readings[1].Quality = halley.QualityOf(halley.SensorError, 1)
		f.Append(t, d.Upload(0, m))
	}
	got, err := p.Buckets(t.Context(), storage.BucketQuery{Channel: p.channel(t, 2), From: Start, To: Start + halley.Day, Width: halley.Hour})
	must(t, "Buckets", err)
	equal(t, "buckets of errors", []storage.Bucket{}, got)
}

func lateBuckets(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	f.Append(t, d.Upload(0, d.Message(Start, 1)), d.Upload(0, d.Message(Start+40*halley.Day, 2)))
	p.rollUp(t, 100)
	got := f.Append(t, d.Upload(0, d.Message(Start+3*halley.Minute, 10)), d.Upload(0, d.Message(Start+5*halley.Day, 20)))
	equal(t, "Append", storage.Appended{Messages: 2, Samples: 2, Late: 2}, got)
	all := p.samples(t, 1)
	check := func() {
		for _, width := range []halley.Millis{10 * halley.Minute, halley.Hour, halley.Day, 30 * halley.Day} {
			checkBuckets(t, p, storage.BucketQuery{Channel: p.channel(t, 1), From: Start, To: Start + 60*halley.Day, Width: width}, all)
		}
	}
	check()
	for left := 1; left > 0; {
		left = p.rollUp(t, 1)
		check()
	}
}

func rollUpBounded(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	for i := range halley.Millis(5) {
		f.Append(t, d.Upload(0, d.Message(Start+i*halley.Day, 1)))
	}
	marks := p.rollUp(t, 0)
	if marks < 4 {
		t.Fatalf("%d marks are left after four days have closed", marks)
	}
	left := p.rollUp(t, 3)
	equal(t, "left", marks-3, left)
	left = p.rollUp(t, 100)
	equal(t, "left", 0, left)
}

// rollUpBits compares rollups that were written as the messages came with those that late data forced to be computed anew.
func rollUpBits(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	var uploads, late []storage.Upload
	for i := range 26 * 60 {
		u := d.Upload(0, d.Message(Start+halley.Millis(i)*halley.Minute, math.Sqrt(float64(i))))
		uploads = append(uploads, u)
	}
	var soon []storage.Upload
	for i, u := range uploads {
		if i%7 == 3 {
			late = append(late, u)
		} else {
			soon = append(soon, u)
		}
	}
	neighbours := slices.Clone(uploads)
	for i := 0; i < len(neighbours); i += 2 {
		neighbours[i], neighbours[i+1] = neighbours[i+1], neighbours[i]
	}
	f := p.feed()
	// Every order is a device of its own, and the channels are numbered in the order of the devices.
	as := func(n int, list []storage.Upload) {
		list = slices.Clone(list)
		for i := range list {
			list[i].Serial, list[i].Seq = p.serial(n), 0
		}
		f.Append(t, list...)
	}
	as(1, uploads)
	as(2, soon)
	as(2, late)
	as(3, neighbours)
	equal(t, "left", 0, p.rollUp(t, 1000))
	for _, width := range []halley.Millis{10 * halley.Minute, halley.Hour, halley.Day} {
		read := func(n int) []storage.Bucket {
			got, err := p.Buckets(t.Context(), storage.BucketQuery{
				Channel: p.channel(t, n), From: Start, To: Start + 24*halley.Hour, Width: width,
			})
			must(t, "Buckets", err)
			return got
		}
		want := read(1)
		equal(t, "buckets of a mixed order, to the bit", want, read(2))
		equal(t, "buckets of swapped neighbours, to the bit", want, read(3))
	}
}
