package storagetest

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"halley"
	"halley/storage"
)

func valueTests() []test {
	return []test{
		{"values keep every bit", exactValues},
		{"single-precision values keep their shortest decimals", singlePrecision},
		{"qualities keep every bit", exactQualities},
		{"running numbers keep every digit", exactNumbers},
		{"a value's place is not taken by what has none", valuesAmongErrors},
	}
}

func exactValues(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	tenths := 0.1
	list := []float64{
		0, 1, -1, 20.3, -0.5, tenths + 0.2, 0.3, 1.0 / 3, math.Pi, math.E, -1e-300, 1e300, 1e15, 1e16, 1e17, 123456789.123456789,
		math.MaxFloat64, -math.MaxFloat64, math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-1022, math.SmallestNonzeroFloat64,
		-math.SmallestNonzeroFloat64, 0x0.8p-1022, 1 << 53, 1<<53 + 2, 9007199254740993, math.Nextafter(1, 2), math.Nextafter(1, 0),
		math.Nextafter(20.3, 21), math.MaxInt64, math.MinInt64, 99.99999999999999, -273.15,
	}
	var messages []halley.Message
	for i, v := range append(list, math.Copysign(0, -1)) {
		messages = append(messages, d.Message(Start+halley.Millis(i), v))
	}
	f.Append(t, d.Upload(0, messages...))
	equal(t, "again", storage.Appended{Duplicates: len(messages)}, f.Append(t, d.Upload(0, messages...)))
	p.reopen(t)
	samples := p.samples(t, 1)
	equal(t, "samples", len(messages), len(samples))
	for i, v := range append(list, 0) {
		if got := samples[i].Value; math.Float64bits(got) != math.Float64bits(v) {
			t.Errorf("value %d = %x, want %x", i, math.Float64bits(got), math.Float64bits(v))
		}
	}
	// The next number is another value.
	messages[3] = d.Message(messages[3].Sample, math.Nextafter(20.3, 0))
	messages[3].Order = 4
	equal(t, "a value that differs in its last bit", storage.Appended{Conflicts: 1}, f.Append(t, d.Upload(0, messages[3])))
	latest, err := p.Latest(t.Context(), []halley.DeviceID{p.device(t, 1)})
	must(t, "Latest", err)
	if v := latest[0].Values[0].Value; math.Signbit(v) || v != 0 {
		t.Errorf("the newest value is %v, want zero without a sign", v)
	}
	buckets, err := p.Buckets(t.Context(), storage.BucketQuery{Channel: p.channel(t, 1), From: Start, To: Start + halley.Hour, Width: 1})
	must(t, "Buckets", err)
	for i, b := range buckets {
		if want := samples[i].Value; b.Min != want || b.Max != want || b.Sum != want {
			t.Errorf("bucket %d is %+v, want %v", i, b, want)
		}
	}
}

// singlePrecision has what decoders make of a device's single-precision numbers: the float64 of the shortest decimal.
func singlePrecision(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	var messages []halley.Message
	var want []float64
	for i, v := range []float32{20.3, -0.1, 1e-7, 3.4028235e38, 16777216, 0.33333334, 1e-45, 99.95} {
		decimal, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		must(t, "ParseFloat", err)
		want = append(want, decimal)
		messages = append(messages, d.Message(Start+halley.Millis(i), decimal))
	}
	f.Append(t, d.Upload(0, messages...))
	got := values(p.samples(t, 1))
	equal(t, "values", want, got)
	equal(t, "the first", "20.3", strconv.FormatFloat(got[0], 'g', -1, 64))
}

func exactQualities(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	qualities := []halley.Quality{
		halley.QualityOf(halley.Good, 0), halley.QualityOf(halley.SensorError, 0), halley.QualityOf(halley.SensorError, 255),
		halley.QualityOf(halley.AboveRange, 0), halley.QualityOf(halley.BelowRange, 0), halley.QualityOf(halley.NotAvailable, 0),
		halley.QualityOf(halley.Good, 0).WithAlarms(halley.AlarmLow, halley.AlarmLow), halley.Quality(0).WithAlarms(halley.AlarmActive, halley.AlarmHigh),
		15, 1 << 19, 1 << 29, 1 << 30, math.MaxInt32 &^ 0xF, math.MaxInt32,
	}
	var messages []halley.Message
	want := []storage.Sample{}
	for i, q := range qualities {
		m := d.Message(Start+halley.Millis(i), 7)
		m.Readings[0].Quality = q
		messages = append(messages, m)
		sm := storage.Sample{At: m.Sample, Quality: q}
		if q.HasValue() {
			sm.Value = 7
		}
		want = append(want, sm)
	}
	f.Append(t, d.Upload(0, messages...))
	equal(t, "samples", want, p.samples(t, 1))
	equal(t, "again", storage.Appended{Duplicates: len(messages)}, f.Append(t, d.Upload(0, messages...)))
	for i := range messages {
		messages[i].Readings = slices.Clone(messages[i].Readings)
		messages[i].Readings[0].Quality ^= 1 << 28
	}
	equal(t, "with one bit changed", storage.Appended{Conflicts: len(messages)}, f.Append(t, d.Upload(0, messages...)))
	// A value that does not count is no part of a message.
	m := messages[3]
	m.Readings[0].Quality ^= 1 << 28
	m.Readings[0].Value = 99
	equal(t, "with another value that does not count", storage.Appended{Duplicates: 1}, f.Append(t, d.Upload(0, m)))
}

func exactNumbers(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	orders := []int64{halley.Unknown, 0, 1, math.MaxInt32, math.MaxUint32, 1 << 53, 1<<53 + 1, math.MaxInt64 - 1, math.MaxInt64}
	var messages []halley.Message
	for i, order := range orders {
		m := d.Message(Start, float64(i))
		m.Order = order
		messages = append(messages, m)
	}
	for _, config := range []int{math.MaxInt32, math.MaxInt32 + 1, math.MaxUint32 - 1, math.MaxUint32} {
		m := d.Message(Start, 50)
		m.Order, m.Config = 0, config
		messages = append(messages, m)
	}
	f.Append(t, d.Upload(0, messages...))
	equal(t, "again", storage.Appended{Duplicates: len(messages)}, f.Append(t, d.Upload(0, messages...)))
	heads := headsOf(t, p, p.serial(1))
	equal(t, "heads", len(messages), len(heads))
	for i, h := range heads {
		equal(t, "running number", messages[i].Order, h.Order)
		equal(t, "configuration number", messages[i].Config, h.Config)
	}
}

// valuesAmongErrors has values and errors side by side, so that a slot without a value does not move the others.
func valuesAmongErrors(t *testing.T, p *plot) {
	const n = 19
	f, d := p.feed(), WiFi(p.serial(1), n)
	m := d.Message(Start, 0)
	for i := range m.Readings {
		if i%3 != 1 {
			m.Readings[i].Quality, m.Readings[i].Value = halley.QualityOf(halley.SensorError, uint8(i)), 0
		}
	}
	f.Append(t, d.Upload(0, m))
	latest, err := p.Latest(t.Context(), []halley.DeviceID{p.device(t, 1)})
	must(t, "Latest", err)
	for i, ch := range ChannelsOf(t, p, p.serial(1)) {
		r := m.Readings[i]
		equal(t, "sample", []storage.Sample{{At: Start, Value: r.Value, Quality: r.Quality}}, SamplesOf(t, p, ch.ID))
		equal(t, "newest", storage.LatestValue{ChannelID: ch.ID, Value: r.Value, Quality: r.Quality}, latest[0].Values[i])
	}
}
