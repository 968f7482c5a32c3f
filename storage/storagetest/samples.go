package storagetest

import (
	"math"
	"slices"
	"testing"

	"halley"
	"halley/storage"
)

func sampleTests() []test {
	return []test{
		{"samples come ascending, half-open and in pages", sampleRanges},
		{"samples carry value, quality and lateness", sampleQualities},
		{"heads tell all of a message but its values", heads},
		{"latest gives the newest message of each device", latest},
	}
}

func sampleRanges(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
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
		list, err := p.Samples(t.Context(), storage.SampleQuery{Channel: p.channel(t, 1), From: Start + c.from, To: Start + c.to, Limit: 10})
		must(t, c.name, err)
		got := []float64{}
		for _, sm := range list {
			got = append(got, sm.Value)
		}
		equal(t, c.name, c.want, got)
	}
	equal(t, "pages of two", p.samples(t, 1), paged(t, p, p.channel(t, 1), 2))
}

func sampleQualities(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 4)
	m := d.Message(Start, 20)
	m.Readings[0].Quality = halley.QualityOf(halley.Good, 0).WithAlarms(halley.AlarmHigh, halley.AlarmNone)
	m.Readings[1].Quality, m.Readings[1].Value = halley.QualityOf(halley.SensorError, 53), math.NaN()
	m.Readings[2].Quality, m.Readings[2].Value = halley.QualityOf(halley.NotReady, 0), 7
	m.Kind = halley.TestMessage
	u := d.Upload(0, m)
	u.ReceivedAt = Start + 3*halley.Minute
	p.feed().Append(t, u)
	for i, want := range []storage.Sample{
		{At: Start, Value: 20, Quality: halley.QualityOf(halley.Good, 0).WithAlarms(halley.AlarmHigh, halley.AlarmNone) | halley.Test, Late: true},
		{At: Start, Quality: halley.QualityOf(halley.SensorError, 53) | halley.Test, Late: true},
		{At: Start, Quality: halley.QualityOf(halley.NotReady, 0) | halley.Test, Late: true},
		{At: Start, Value: 23, Quality: halley.Test, Late: true},
	} {
		equal(t, "samples", []storage.Sample{want}, p.samples(t, i+1))
	}
	soap := WiFi(p.serial(11), 1)
	soap.Key.Family = halley.WebSensor
	m = soap.Message(0, 5)
	m.Clock, m.Sample, m.Now = halley.ClockNone, 0, 0
	u = soap.Upload(0, m)
	f := p.feed()
	f.Seq = 10
	f.Append(t, u)
	equal(t, "samples of a device without a clock", []storage.Sample{{At: u.ReceivedAt, Value: 5, Quality: halley.ServerTime}},
		p.samples(t, 5))
}

func heads(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
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
			Interval: 600, Buffer: 4, Config: 17, JournalID: f.Journal, Seq: 1,
		},
		{
			MeasuredAt: Start + halley.Minute, ReceivedAt: Start + halley.Minute + 2*halley.Second, Order: halley.Unknown,
			Cache: halley.Unknown, Config: halley.Unknown, JournalID: f.Journal, Seq: 2,
		},
	}
	q := storage.HeadQuery{Device: p.device(t, 1), From: Start, To: Start + halley.Hour, Limit: 10}
	list, err := p.Heads(t.Context(), q)
	must(t, "Heads", err)
	equal(t, "heads", want, list)
	q.Limit = 1
	list, err = p.Heads(t.Context(), q)
	must(t, "Heads", err)
	equal(t, "first page", want[:1], list)
	q.After, q.AfterVariant = list[0].MeasuredAt, list[0].Variant
	list, err = p.Heads(t.Context(), q)
	must(t, "Heads", err)
	equal(t, "second page", want[1:], list)
	list, err = p.Heads(t.Context(), storage.HeadQuery{Device: 1 << 40, From: Start, To: Start + halley.Hour, Limit: 10})
	must(t, "Heads of no device", err)
	equal(t, "heads of no device", []storage.Head{}, list)
}

func latest(t *testing.T, p *plot) {
	f := p.feed()
	a, b, c := WiFi(p.serial(1), 2), WiFi(p.serial(2), 1), WiFi(p.serial(3), 1)
	b.Admission = storage.Announce
	f.Append(t, a.Upload(0, a.Message(Start+halley.Minute, 10)), b.Upload(0, b.Message(Start, 1)), c.Upload(0, c.Message(Start, 30)))
	f.Append(t, a.Upload(0, a.Message(Start, 5)))
	bad := c.Message(Start+halley.Minute, 0)
	bad.Clock, bad.Readings[0].Quality = halley.ClockNotValid, halley.QualityOf(halley.BelowRange, 0)
	u := c.Upload(0, bad)
	f.Append(t, u)
	list, err := p.Latest(t.Context(), nil)
	must(t, "Latest", err)
	want := []storage.LatestMessage{
		{
			DeviceID: p.device(t, 1),
			Head: storage.Head{
				MeasuredAt: Start + halley.Minute, SentAt: Start + halley.Minute + halley.Second,
				ReceivedAt: Start + halley.Minute + 2*halley.Second, Order: 1, Interval: 60, Config: 1, JournalID: f.Journal, Seq: 1,
			},
			Values: []storage.LatestValue{{ChannelID: p.channel(t, 1), Value: 10}, {ChannelID: p.channel(t, 2), Value: 11}},
		},
		{
			DeviceID: p.device(t, 3),
			Head: storage.Head{
				MeasuredAt: u.ReceivedAt - halley.Second, SentAt: bad.Now, ReceivedAt: u.ReceivedAt, Order: 2, Interval: 60, Config: 1,
				JournalID: f.Journal, Seq: 5, ClockNotValid: true,
			},
			Values: []storage.LatestValue{{ChannelID: p.channel(t, 3), Quality: halley.QualityOf(halley.BelowRange, 0) | halley.ClockInvalid}},
		},
	}
	list = slices.DeleteFunc(list, func(m storage.LatestMessage) bool { return m.DeviceID <= p.lastDevice })
	equal(t, "latest", want, list)
	list, err = p.Latest(t.Context(), []halley.DeviceID{p.device(t, 3), p.device(t, 2), 1 << 40, p.device(t, 3)})
	must(t, "Latest", err)
	equal(t, "latest of some", want[1:], list)
}
