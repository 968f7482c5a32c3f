package storagetest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"halley"
	"halley/storage"
)

func entryTests() []test {
	return []test{
		{"a message that cannot be stored names its entry and stores nothing", entryErrors},
		{"the first of many bad entries is named and the good ones can be stored", badAmongGood},
		{"texts and numbers at their bounds are stored", bounds},
	}
}

// badEntries are uploads with two readings that cannot be stored.
func badEntries() map[string]func(u *storage.Upload) {
	long := strings.Repeat("é", 201)
	pairs := strings.Repeat("🥶", 101)
	reading := func(do func(r *halley.Reading)) func(u *storage.Upload) {
		return func(u *storage.Upload) { do(&u.Messages[0].Readings[1]) }
	}
	message := func(do func(m *halley.Message)) func(u *storage.Upload) {
		return func(u *storage.Upload) { do(&u.Messages[0]) }
	}
	return map[string]func(u *storage.Upload){
		"a value that is not a number":         reading(func(r *halley.Reading) { r.Value = math.NaN() }),
		"a value without end":                  reading(func(r *halley.Reading) { r.Value = math.Inf(1) }),
		"a value without end below":            reading(func(r *halley.Reading) { r.Value = math.Inf(-1) }),
		"a quality below 0":                    reading(func(r *halley.Reading) { r.Quality = -1 }),
		"a unit that is not UTF-8":             reading(func(r *halley.Reading) { r.Unit = "\xb0C" }),
		"a channel's name without end":         reading(func(r *halley.Reading) { r.Name = long }),
		"a quantity of 202 UTF-16 units":       reading(func(r *halley.Reading) { r.Quantity = pairs }),
		"a unit with a NUL":                    reading(func(r *halley.Reading) { r.Unit = "a\x00" }),
		"two values of a channel":              reading(func(r *halley.Reading) { r.Number = 1 }),
		"a channel number above its bound":     reading(func(r *halley.Reading) { r.Number = 256 }),
		"a channel number below its bound":     reading(func(r *halley.Reading) { r.Number = 0 }),
		"decimals above their bound":           reading(func(r *halley.Reading) { r.Decimals = 11 }),
		"a time that cannot be stored":         message(func(m *halley.Message) { m.Sample = halley.LatestMillis }),
		"a time before all that can be stored": message(func(m *halley.Message) { m.Sample = halley.EarliestMillis - 1 }),
		"too many readings":                    message(func(m *halley.Message) { *m = WiFi("1", 65).Message(Start, 1) }),
		"an interval below 0":                  message(func(m *halley.Message) { m.Interval = -5 }),
		"a configuration number above 32 bits": message(func(m *halley.Message) { m.Config = 1 << 32 }),
		"a running number below unknown":       message(func(m *halley.Message) { m.Order = -2 }),
		"a receive time that cannot be stored": func(u *storage.Upload) { u.ReceivedAt = 0 },
		"a name with a NUL":                    func(u *storage.Upload) { u.Name = "a\x00b" },
		"a model without end":                  func(u *storage.Upload) { u.Model = long },
		"no serial number":                     func(u *storage.Upload) { u.Serial = "" },
		"a serial number without end":          func(u *storage.Upload) { u.Serial = strings.Repeat("1", 33) },
		"no family":                            func(u *storage.Upload) { u.Family = "" },
		"a sequence number out of range":       func(u *storage.Upload) { u.Seq = 1 << 63 },
	}
}

// wantEntry ends the test where err does not say that the entry cannot be stored for its content.
func wantEntry(t testing.TB, what string, err error, seq uint64) {
	t.Helper()
	entry, ok := errors.AsType[*storage.EntryError](err)
	if !ok || entry.Seq != seq {
		t.Fatalf("%s = %v, want an *EntryError with sequence number %d", what, err, seq)
	}
	wantKind(t, what, err, halley.Invalid)
}

func entryErrors(t *testing.T, p *plot) {
	for name, spoil := range badEntries() {
		good, bad := WiFi(p.serial(1), 2), WiFi(p.serial(2), 2)
		b := p.feed().Batch(good.Upload(0, good.Message(Start, 20)), bad.Upload(0, bad.Message(Start, 20)))
		spoil(&b.Uploads[1])
		_, err := p.Append(t.Context(), b)
		wantEntry(t, name, err, b.Uploads[1].Seq)
	}
	p.nothing(t)
	d := WiFi(p.serial(1), 2)
	equal(t, "afterwards", 1, p.feed().Append(t, d.Upload(0, d.Message(Start, 20))).Messages)
}

func badAmongGood(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 2)
	var uploads []storage.Upload
	for i := range 40 {
		m := d.Message(Start+halley.Millis(i)*halley.Minute, 20)
		if i == 17 || i == 29 {
			m.Readings[1].Value = math.NaN()
		}
		uploads = append(uploads, d.Upload(0, m))
	}
	// A value that does not count may be anything.
	uploads[5].Messages[0].Readings[0].Value, uploads[5].Messages[0].Readings[0].Quality = math.NaN(), halley.QualityOf(halley.NotReady, 0)
	b := p.feed().Batch(uploads...)
	_, err := p.Append(t.Context(), b)
	wantEntry(t, "Append", err, 18)
	b.Uploads = slices.Delete(b.Uploads, 17, 18)
	_, err = p.Append(t.Context(), b)
	wantEntry(t, "Append without the first", err, 30)
	p.nothing(t)
	b.Uploads = slices.Delete(b.Uploads, 28, 29)
	got, err := p.Append(t.Context(), b)
	must(t, "Append without both", err)
	equal(t, "Messages", 38, got.Messages)
	wantPosition(t, "the position is behind the bad ones too", p, b)
}

// bounds stores what is as long or large as it may be. What a head does not tell is at least taken and counted as the same when
// it comes again.
func bounds(t *testing.T, p *plot) {
	text := strings.Repeat("é", 198) + "🥶"
	d := WiFi(strings.Repeat("7", 30)+p.serial(1)[2:4], 64)
	d.Name, d.Model = text, text
	for i := range d.Channels {
		d.Channels[i].Number = 192 + i
		d.Channels[i].Name, d.Channels[i].Quantity, d.Channels[i].Unit, d.Channels[i].Decimals = text, text, text, 10
	}
	m := d.Message(halley.EarliestMillis, 0)
	m.Order, m.Kind = math.MaxInt64, 255
	m.RawKind, m.Cache, m.Config, m.Buffer = math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32
	m.State, m.StateMask, m.Battery, m.Signal = math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MinInt32
	u := d.Upload(0, m)
	u.ReceivedAt = halley.LatestMillis - 1
	f := p.feed()
	f.Seq = math.MaxInt64 - 2
	equal(t, "stored", storage.Appended{Messages: 1, Samples: 64, DevicesChanged: true}, f.Append(t, u))
	u.Seq = 0
	equal(t, "again", storage.Appended{Duplicates: 1}, f.Append(t, u))
	heads, err := p.Heads(t.Context(), storage.HeadQuery{Device: p.device(t, 1), From: 0, To: math.MaxInt64, Limit: 10})
	must(t, "Heads", err)
	equal(t, "heads", []storage.Head{{
		MeasuredAt: halley.EarliestMillis, SentAt: halley.EarliestMillis + halley.Second, ReceivedAt: halley.LatestMillis - 1,
		Order: math.MaxInt64, Kind: 255, Cache: math.MaxUint32, Interval: 60, Buffer: math.MaxUint32, Config: math.MaxUint32,
		JournalID: f.Journal, Seq: math.MaxInt64 - 1,
	}}, heads)
	// Nothing is late that waits for a buffer of this size.
	channels := ChannelsOf(t, p, d.Key.Serial)
	equal(t, "channels", 64, len(channels))
	equal(t, "the last channel", halley.Channel{
		ID: channels[63].ID, DeviceID: p.device(t, 1), Number: 255, Name: text, Quantity: text, Unit: text, Decimals: 10,
	}, channels[63])
	equal(t, "the device's name", text, DeviceOf(t, p, d.Key.Serial).Name)
	equal(t, "the last value", []storage.Sample{{At: halley.EarliestMillis, Value: 63}}, SamplesOf(t, p, channels[63].ID))
}
