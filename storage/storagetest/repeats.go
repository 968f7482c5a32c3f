package storagetest

import (
	"slices"
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

func repeatTests() []test {
	return []test{
		{"repeats, conflicts and new variants of one instant in one batch are told apart", mixedInstant},
		{"a batch of repeats stores nothing but its position", onlyRepeats},
		{"what a device did not say differs from all that it says", unknownNumbers},
		{"a clock that floats does not hide a repeat in the same batch", floatingInBatch},
		{"messages of every length are stored once", everyLength},
		{"a probe that is unplugged does not make a conflict of a repeat", unpluggedRepeat},
		{"five thousand messages of one device fit in a batch", manyMessages},
		{"three hundred devices can be new in one batch", manyDevices},
		{"one serial number in two families is two devices", twoFamilies},
	}
}

// changed gives m with another value in its last reading.
func changed(m halley.Message, by float64) halley.Message {
	m.Readings = slices.Clone(m.Readings)
	m.Readings[len(m.Readings)-1].Value += by
	return m
}

// mixedInstant puts every kind of message of one instant into one batch, against an empty store, against a store that has some
// of them and against one that has them all.
func mixedInstant(t *testing.T, p *plot) {
	f := p.feed()
	for n, before := range []int{0, 1, 3} {
		d := WiFi(p.serial(n), 2)
		var m [4]halley.Message
		for i := range m {
			m[i] = d.Message(Start, 20+10*float64(i))
		}
		if before > 0 {
			f.Append(t, d.Upload(0, m[:before]...))
		}
		batch := func() []storage.Upload {
			return []storage.Upload{
				d.Upload(0, m[0], changed(m[0], 1), m[1], m[0]), d.Upload(0, changed(m[1], 2), m[1], m[2]),
				d.Upload(0, m[2], changed(m[0], 3), m[3], changed(m[3], 4)),
			}
		}
		got := f.Append(t, batch()...)
		equal(t, "DevicesChanged", before == 0, got.DevicesChanged)
		got.DevicesChanged = false
		equal(t, "the batch", storage.Appended{Messages: 4 - before, Samples: 8 - 2*before, Duplicates: 3 + before, Conflicts: 4}, got)
		if before == 1 {
			p.reopen(t)
		}
		equal(t, "the batch again", storage.Appended{Duplicates: 7, Conflicts: 4}, f.Append(t, batch()...))
		equal(t, "samples", []storage.Sample{
			{At: Start, Value: 21}, {At: Start, Variant: 1, Value: 31}, {At: Start, Variant: 2, Value: 41}, {At: Start, Variant: 3, Value: 51},
		}, SamplesOf(t, p, ChannelsOf(t, p, p.serial(n))[1].ID))
		duplicates, conflicts, err := p.Tally(t.Context(), DeviceOf(t, p, p.serial(n)).ID, Start, Start+halley.Day)
		must(t, "Tally", err)
		equal(t, "tally", []int64{int64(10 + before), 8}, []int64{duplicates, conflicts})
	}
}

func onlyRepeats(t *testing.T, p *plot) {
	const devices, messages = 3, 60
	f := p.feed()
	var uploads []storage.Upload
	for n := range devices {
		d := WiFi(p.serial(n), 2)
		for i := range messages {
			uploads = append(uploads, d.Upload(0, d.Message(Start+halley.Millis(i)*halley.Minute, 20)))
		}
	}
	f.Append(t, slices.Clone(uploads)...)
	before := version(t, p)
	for i := range uploads {
		uploads[i].Seq, uploads[i].ReceivedAt = 0, uploads[i].ReceivedAt+3*halley.Hour
	}
	slices.Reverse(uploads)
	b := f.Batch(uploads...)
	got, err := p.Append(t.Context(), b)
	must(t, "Append of repeats", err)
	got.BatchID, got.Digest = 0, ledger.Digest{}
	equal(t, "Append of repeats", storage.Appended{Duplicates: devices * messages}, got)
	wantPosition(t, "the position", p, b)
	equal(t, "version", before, version(t, p))
	equal(t, "samples", messages, len(p.samples(t, 1)))
}

// unknownNumbers has 27 messages of one instant that differ in which of their three numbers are not known, 0 or 1.
func unknownNumbers(t *testing.T, p *plot) {
	f := p.feed()
	for n, clock := range []halley.Clock{halley.ClockValid, halley.ClockNotValid} {
		d := WiFi(p.serial(n), 1)
		var all []halley.Message
		for _, order := range []int64{halley.Unknown, 0, 1} {
			for _, config := range []int{halley.Unknown, 0, 1} {
				for _, kind := range []int{halley.Unknown, 0, 1} {
					m := d.Message(Start, float64(len(all)))
					m.Order, m.Config, m.RawKind, m.Clock = order, config, kind, clock
					all = append(all, m)
				}
			}
		}
		got := f.Append(t, d.Upload(0, all[:20]...), d.Upload(0, all[10:20]...))
		equal(t, "twenty and ten of them again", []int{20, 10, 0}, []int{got.Messages, got.Duplicates, got.Conflicts})
		equal(t, "all", storage.Appended{Messages: 7, Samples: 7, Duplicates: 20}, f.Append(t, d.Upload(0, all...)))
		u := d.Upload(0, all...)
		u.ReceivedAt += halley.Minute
		equal(t, "all again later", storage.Appended{Duplicates: 27}, f.Append(t, u))
		samples := SamplesOf(t, p, ChannelsOf(t, p, d.Key.Serial)[0].ID)
		equal(t, "samples", 27, len(samples))
		for i, sm := range samples {
			equal(t, "variant and value", []float64{float64(i), float64(i)}, []float64{float64(sm.Variant), sm.Value})
		}
	}
}

func floatingInBatch(t *testing.T, p *plot) {
	f := p.feed()
	for n, clock := range []halley.Clock{halley.ClockNotValid, halley.ClockLocalOrUTC} {
		d := WiFi(p.serial(n), 1)
		d.Key.Family = halley.Modem
		m := d.Message(Start, 20)
		m.Clock, m.OffsetMinutes = clock, 120
		send := func(m halley.Message, after halley.Millis) storage.Upload {
			u := d.Upload(0, m)
			u.ReceivedAt = Start + after
			return u
		}
		other := m
		other.Order += 100
		got := f.Append(t, send(m, 2*halley.Second), send(m, 5*halley.Hour), send(changed(m, 1), 6*halley.Hour), send(other, 5*halley.Hour))
		equal(t, "in one batch", []int{2, 1, 1}, []int{got.Messages, got.Duplicates, got.Conflicts})
		equal(t, "in the next", storage.Appended{Duplicates: 2, Conflicts: 1},
			f.Append(t, send(other, 9*halley.Hour), send(m, 9*halley.Hour), send(changed(other, 1), 9*halley.Hour)))
		valid := m
		valid.Clock = halley.ClockValid
		equal(t, "with a clock that became valid", storage.Appended{Duplicates: 1}, f.Append(t, send(valid, 10*halley.Hour)))
	}
	d := WiFi(p.serial(9), 1)
	a, b := d.Message(Start, 20), d.Message(Start+halley.Minute, 21)
	got := f.Append(t, floated(d, a, Start+5*halley.Minute), d.Upload(0, a), d.Upload(0, b), floated(d, b, Start+6*halley.Minute))
	equal(t, "clocks that change in one batch", []int{2, 2, 0}, []int{got.Messages, got.Duplicates, got.Conflicts})
}

func everyLength(t *testing.T, p *plot) {
	f := p.feed()
	for _, n := range []int{0, 1, 7, 8, 9, 16, 17, 24, 64} {
		d := WiFi(p.serial(n), n)
		m, next := d.Message(Start, 100), d.Message(Start+halley.Minute, 200)
		got := f.Append(t, d.Upload(0, m, m), d.Upload(0, next))
		equal(t, "in one batch", storage.Appended{Messages: 2, Samples: 2 * n, Duplicates: 1, DevicesChanged: true}, got)
		equal(t, "again", storage.Appended{Duplicates: 2}, f.Append(t, d.Upload(0, next, m)))
		if n == 0 {
			equal(t, "heads of a message without readings", 2, len(headsOf(t, p, d.Key.Serial)))
			continue
		}
		equal(t, "with another last value", storage.Appended{Conflicts: 1}, f.Append(t, d.Upload(0, changed(m, 1))))
		more := m
		more.Readings = append(slices.Clone(m.Readings[1:]), halley.Reading{Number: 200, Value: 1})
		equal(t, "with another channel for its first", storage.Appended{Conflicts: 1}, f.Append(t, d.Upload(0, more)))
		if n > 1 {
			more.Readings = m.Readings[:n-1]
			equal(t, "with one reading less", storage.Appended{Conflicts: 1}, f.Append(t, d.Upload(0, more)))
		}
		list := ChannelsOf(t, p, d.Key.Serial)
		equal(t, "channels", n, len(list))
		for _, i := range []int{0, n / 2, n - 1} {
			equal(t, "samples", []storage.Sample{{At: Start, Value: 100 + float64(i)}, {At: Start + halley.Minute, Value: 200 + float64(i)}},
				SamplesOf(t, p, list[i].ID))
		}
		equal(t, "heads", 2, len(headsOf(t, p, d.Key.Serial)))
		latest, err := p.Latest(t.Context(), []halley.DeviceID{list[0].DeviceID})
		must(t, "Latest", err)
		equal(t, "values of the newest message", n, len(latest[0].Values))
	}
}

// headsOf gives all heads of a device.
func headsOf(t testing.TB, s storage.Store, serial string) []storage.Head {
	t.Helper()
	list, err := s.Heads(t.Context(), storage.HeadQuery{
		Device: DeviceOf(t, s, serial).ID, From: halley.EarliestMillis, To: halley.LatestMillis, Limit: 1_000_000,
	})
	must(t, "Heads", err)
	return list
}

// unpluggedRepeat has a device send again what it sent before it had another channel in the probe's place. What the probe's
// reading belongs to was decided when it was stored.
func unpluggedRepeat(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	gone := func(minute halley.Millis) halley.Message {
		m := d.Message(Start+minute*halley.Minute, 0)
		m.Readings = []halley.Reading{{Number: 1, Quality: halley.QualityOf(halley.SensorError, 53)}}
		return m
	}
	never := gone(0)
	f.Append(t, d.Upload(0, never))
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "of a probe that was never there", storage.Appended{Duplicates: 1}, f.Append(t, d.Upload(0, never)))
	celsius := gone(2)
	f.Append(t, d.Upload(0, celsius))
	d.Channels[0].Unit = "°F"
	f.Append(t, d.Upload(0, d.Message(Start+3*halley.Minute, 68)))
	equal(t, "from before the unit changed", storage.Appended{Duplicates: 1}, f.Append(t, d.Upload(0, celsius)))
	other := celsius
	other.Readings = []halley.Reading{{Number: 1, Quality: halley.QualityOf(halley.SensorError, 54)}}
	equal(t, "with another error", storage.Appended{Conflicts: 1}, f.Append(t, d.Upload(0, other)))
}

func manyMessages(t *testing.T, p *plot) {
	const count = 5000
	f, d := p.feed(), WiFi(p.serial(1), 4)
	list := make([]halley.Message, count)
	var uploads []storage.Upload
	for i := range list {
		list[i] = d.Message(Start+halley.Millis(i)*halley.Minute, float64(i%1000)/10)
		uploads = append(uploads, d.Upload(0, list[i]))
	}
	equal(t, "all", storage.Appended{Messages: count, Samples: 4 * count, DevicesChanged: true}, f.Append(t, uploads...))
	more := []storage.Upload{d.Upload(0, list...), d.Upload(0, d.Message(Start+count*halley.Minute, 1))}
	more[0].ReceivedAt = uploads[count-1].ReceivedAt
	equal(t, "all again in one upload and one more", storage.Appended{Messages: 1, Samples: 4, Duplicates: count}, f.Append(t, more...))
	samples := p.samples(t, 4)
	equal(t, "samples", count+1, len(samples))
	for i, sm := range samples[:count] {
		if want := (storage.Sample{At: list[i].Sample, Value: float64(i%1000)/10 + 3}); sm.At != want.At || sm.Value != want.Value || sm.Variant != 0 {
			t.Fatalf("sample %d is %+v, want %+v", i, sm, want)
		}
	}
	q := storage.BucketQuery{Channel: p.channel(t, 4), From: Start, To: Start + 10*halley.Day, Width: halley.Hour}
	checkBuckets(t, p, q, samples)
	p.rollUp(t, 100)
	checkBuckets(t, p, q, samples)
}

func manyDevices(t *testing.T, p *plot) {
	const count = 300
	f := p.feed()
	uploads := func() []storage.Upload {
		var list []storage.Upload
		for n := range count {
			d := WiFi(p.serial(n), 1+n%2)
			list = append(list, d.Upload(0, d.Message(Start, float64(n))))
		}
		return list
	}
	got := f.Append(t, uploads()...)
	equal(t, "all", storage.Appended{Messages: count, Samples: count * 3 / 2, DevicesChanged: true}, got)
	devices := p.devices(t)
	equal(t, "devices", count, len(devices))
	places := map[halley.PlaceID]bool{}
	for n, d := range devices {
		if d.State != halley.DeviceAccepted || n > 0 && d.ID <= devices[n-1].ID {
			t.Fatalf("device %d is %+v after %+v", n, d, devices[max(n-1, 0)])
		}
		places[d.PlaceID] = true
	}
	equal(t, "places, one for each", count, len(places))
	equal(t, "acts", count, len(p.acts(t)))
	equal(t, "all again", storage.Appended{Duplicates: count}, f.Append(t, uploads()...))
	for _, n := range []int{0, 1, 250, count - 1} {
		equal(t, "value", []float64{float64(n)}, values(SamplesOf(t, p, ChannelsOf(t, p, p.serial(n))[0].ID)))
	}
	latest, err := p.Latest(t.Context(), nil)
	must(t, "Latest", err)
	latest = slices.DeleteFunc(latest, func(m storage.LatestMessage) bool { return m.DeviceID <= p.lastDevice })
	equal(t, "newest messages", count, len(latest))
}

func twoFamilies(t *testing.T, p *plot) {
	a, b := WiFi(p.serial(1), 1), WiFi(p.serial(1), 1)
	b.Key.Family = halley.TAx6xx
	f := p.feed()
	got := f.Append(t, a.Upload(0, a.Message(Start, 1)), b.Upload(0, b.Message(Start, 2)))
	equal(t, "stored", storage.Appended{Messages: 2, Samples: 2, DevicesChanged: true}, got)
	equal(t, "devices", 2, len(p.devices(t)))
	equal(t, "the first one's", []float64{1}, values(p.samples(t, 1)))
	equal(t, "the second one's", []float64{2}, values(p.samples(t, 2)))
	list, err := p.Devices(t.Context(), storage.DeviceFilter{Serial: p.serial(1), Family: halley.TAx6xx})
	must(t, "Devices", err)
	equal(t, "of one family", 1, len(list))
}
