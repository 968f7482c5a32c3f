package storagetest

import (
	"math"
	"testing"

	"halley"
	"halley/storage"
)

func sampleTests() []group {
	return []group{
		{"samples come ascending, half-open and in pages", sampleRanges},
		{"samples carry value, quality and lateness", sampleQualities},
		{"values keep every bit", exactValues},
		{"times at the edges are stored", edgeTimes},
		{"heads tell all of a message but its values", heads},
		{"latest gives the newest message of each device", latest},
	}
}

func sampleRanges(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	var uploads []storage.Upload
	for _, minute := range []halley.Millis{5, 1, 3, 2, 4} {
		uploads = append(uploads, d.Upload(0, d.Message(Start+minute*halley.Minute, float64(minute))))
	}
	f.Append(t, uploads...)
	for _, c := range []struct {
		name     string
		from, to halley.Millis
		want     []float64
	}{
		{"all", 0, 10 * halley.Minute, []float64{1, 2, 3, 4, 5}},
		{"the first is within, the last is not", halley.Minute, 3 * halley.Minute, []float64{1, 2}},
		{"one millisecond", 3 * halley.Minute, 3*halley.Minute + 1, []float64{3}},
		{"just behind one", 3*halley.Minute + 1, 4 * halley.Minute, []float64{}},
		{"an empty range", 3 * halley.Minute, 3 * halley.Minute, []float64{}},
		{"a range that runs backwards", 4 * halley.Minute, halley.Minute, []float64{}},
	} {
		list, err := s.Samples(t.Context(), storage.SampleQuery{Channel: 1, From: Start + c.from, To: Start + c.to, Limit: 10})
		must(t, c.name, err)
		got := []float64{}
		for _, sm := range list {
			got = append(got, sm.Value)
		}
		equal(t, c.name, c.want, got)
	}
	equal(t, "pages of two", SamplesOf(t, s, 1), paged(t, s, 1, 2))
}

func sampleQualities(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 4)
	m := d.Message(Start, 20)
	m.Readings[0].Quality = halley.QualityOf(halley.Good, 0).WithAlarms(halley.AlarmHigh, halley.AlarmNone)
	m.Readings[1].Quality, m.Readings[1].Value = halley.QualityOf(halley.SensorError, 53), math.NaN()
	m.Readings[2].Quality, m.Readings[2].Value = halley.QualityOf(halley.NotReady, 0), 7
	m.Kind = halley.TestMessage
	u := d.Upload(0, m)
	u.ReceivedAt = Start + 3*halley.Minute
	NewFeed(s).Append(t, u)
	for i, want := range []storage.Sample{
		{At: Start, Value: 20, Quality: halley.QualityOf(halley.Good, 0).WithAlarms(halley.AlarmHigh, halley.AlarmNone) | halley.Test, Late: true},
		{At: Start, Quality: halley.QualityOf(halley.SensorError, 53) | halley.Test, Late: true},
		{At: Start, Quality: halley.QualityOf(halley.NotReady, 0) | halley.Test, Late: true},
		{At: Start, Value: 23, Quality: halley.Test, Late: true},
	} {
		equal(t, "samples", []storage.Sample{want}, SamplesOf(t, s, halley.ChannelID(i+1)))
	}
	soap := WiFi("11000001", 1)
	soap.Key.Family = halley.WebSensor
	m = soap.Message(0, 5)
	m.Clock, m.Sample, m.Now = halley.ClockNone, 0, 0
	u = soap.Upload(0, m)
	f := NewFeed(s)
	f.Seq = 10
	f.Append(t, u)
	equal(t, "samples of a device without a clock", []storage.Sample{{At: u.ReceivedAt, Value: 5, Quality: halley.ServerTime}},
		SamplesOf(t, s, 5))
}

func exactValues(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	values := []float64{
		0, 1, -1, 20.3, math.Pi, -1e-300, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53, 9007199254740993,
	}
	for i, v := range values {
		f.Append(t, d.Upload(0, d.Message(Start+halley.Millis(i), v)))
	}
	f.Append(t, d.Upload(0, d.Message(Start+halley.Second, math.Copysign(0, -1))))
	list := SamplesOf(t, s, 1)
	for i, v := range append(values, 0) {
		if got := list[i].Value; math.Float64bits(got) != math.Float64bits(v) {
			t.Errorf("value %d = %x, want %x", i, math.Float64bits(got), math.Float64bits(v))
		}
	}
}

func edgeTimes(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	for _, at := range []halley.Millis{halley.EarliestMillis, halley.LatestMillis - 1} {
		u := d.Upload(0, d.Message(at, 20))
		u.ReceivedAt = Start
		f.Append(t, u)
	}
	all := SamplesOf(t, s, 1)
	equal(t, "samples at the edges", []halley.Millis{halley.EarliestMillis, halley.LatestMillis - 1}, []halley.Millis{all[0].At, all[1].At})
	buckets, err := s.Buckets(t.Context(), storage.BucketQuery{Channel: 1, From: 0, To: 1 << 60, Width: halley.Day})
	must(t, "Buckets", err)
	equal(t, "buckets at the edges", []storage.Bucket{
		{Start: halley.EarliestMillis, Count: 1, Min: 20, Max: 20, Sum: 20},
		{Start: halley.LatestMillis - halley.Day, Count: 1, Min: 20, Max: 20, Sum: 20},
	}, buckets)
	for _, at := range []halley.Millis{halley.EarliestMillis - 1, halley.LatestMillis, 0} {
		_, err := s.Append(t.Context(), f.Batch(d.Upload(0, d.Message(at, 20))))
		wantKind(t, "Append outside of what can be stored", err, halley.Invalid)
	}
}

func heads(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	m := d.Message(Start, 20)
	m.Kind, m.RawKind, m.Cache, m.Interval, m.Buffer, m.Config = halley.AfterRestart, 9, 3, 600, 4, 17
	u := d.Upload(0, m)
	f.Append(t, u)
	bare := d.Message(Start+halley.Minute, 21)
	bare.Order, bare.Now, bare.RawKind, bare.Cache, bare.Config, bare.Interval = halley.Unknown, 0, halley.Unknown, halley.Unknown, halley.Unknown, 0
	f.Append(t, d.Upload(0, bare))
	want := []storage.Head{
		{
			MeasuredAt: Start, SentAt: Start + halley.Second, ReceivedAt: u.ReceivedAt, Order: 1, Kind: halley.AfterRestart, Cache: 3,
			Interval: 600, Buffer: 4, Config: 17, JournalID: Journal, Seq: 1,
		},
		{
			MeasuredAt: Start + halley.Minute, ReceivedAt: Start + halley.Minute + 2*halley.Second, Order: halley.Unknown,
			Cache: halley.Unknown, Config: halley.Unknown, JournalID: Journal, Seq: 2,
		},
	}
	q := storage.HeadQuery{Device: 1, From: Start, To: Start + halley.Hour, Limit: 10}
	list, err := s.Heads(t.Context(), q)
	must(t, "Heads", err)
	equal(t, "heads", want, list)
	q.Limit = 1
	list, err = s.Heads(t.Context(), q)
	must(t, "Heads", err)
	equal(t, "first page", want[:1], list)
	q.After, q.AfterVariant = list[0].MeasuredAt, list[0].Variant
	list, err = s.Heads(t.Context(), q)
	must(t, "Heads", err)
	equal(t, "second page", want[1:], list)
	list, err = s.Heads(t.Context(), storage.HeadQuery{Device: 9, From: Start, To: Start + halley.Hour, Limit: 10})
	must(t, "Heads of no device", err)
	equal(t, "heads of no device", []storage.Head{}, list)
}

func latest(t *testing.T, e Engine) {
	s := e.Open(t)
	f := NewFeed(s)
	a, b, c := WiFi("21000001", 2), WiFi("21000002", 1), WiFi("21000003", 1)
	b.Admission = storage.Announce
	f.Append(t, a.Upload(0, a.Message(Start+halley.Minute, 10)), b.Upload(0, b.Message(Start, 1)), c.Upload(0, c.Message(Start, 30)))
	f.Append(t, a.Upload(0, a.Message(Start, 5)))
	bad := c.Message(Start+halley.Minute, 0)
	bad.Clock, bad.Readings[0].Quality = halley.ClockNotValid, halley.QualityOf(halley.BelowRange, 0)
	u := c.Upload(0, bad)
	f.Append(t, u)
	list, err := s.Latest(t.Context(), nil)
	must(t, "Latest", err)
	want := []storage.LatestMessage{
		{
			DeviceID: 1,
			Head: storage.Head{
				MeasuredAt: Start + halley.Minute, SentAt: Start + halley.Minute + halley.Second,
				ReceivedAt: Start + halley.Minute + 2*halley.Second, Order: 1, Interval: 60, Config: 1, JournalID: Journal, Seq: 1,
			},
			Values: []storage.LatestValue{{ChannelID: 1, Value: 10}, {ChannelID: 2, Value: 11}},
		},
		{
			DeviceID: 3,
			Head: storage.Head{
				MeasuredAt: u.ReceivedAt - halley.Second, SentAt: bad.Now, ReceivedAt: u.ReceivedAt, Order: 2, Interval: 60, Config: 1,
				JournalID: Journal, Seq: 5, ClockNotValid: true,
			},
			Values: []storage.LatestValue{{ChannelID: 3, Quality: halley.QualityOf(halley.BelowRange, 0) | halley.ClockInvalid}},
		},
	}
	equal(t, "latest", want, list)
	list, err = s.Latest(t.Context(), []halley.DeviceID{3, 2, 99, 3})
	must(t, "Latest", err)
	equal(t, "latest of some", want[1:], list)
}
