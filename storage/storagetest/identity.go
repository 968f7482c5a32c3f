package storagetest

import (
	"testing"

	"halley"
	"halley/storage"
)

func identityTests() []test {
	return []test{
		{"a message sent again is stored once", duplicates},
		{"different messages of one instant get variants", variants},
		{"the same identity with other values is a conflict", conflicts},
		{"a repeat makes no channel and no layout", repeatsMakeNothing},
		{"every upload of a web sensor is a message", webSensors},
		{"a clock that is not valid does not hide a repeat", notValidClock},
		{"a clock that becomes valid or invalid does not hide a repeat", changingClock},
		{"a modem's offset does not hide a repeat", modemClock},
		{"repeats are counted on the day of their receipt", tallies},
	}
}

func duplicates(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 2)
	f := p.feed()
	m := d.Message(Start, 20)
	twice := f.Append(t, d.Upload(0, m), d.Upload(0, m))
	equal(t, "twice in a batch", storage.Appended{Messages: 1, Samples: 2, Duplicates: 1, DevicesChanged: true}, twice)
	again := d.Upload(0, m, m)
	again.ReceivedAt += halley.Hour
	equal(t, "in another batch", storage.Appended{Duplicates: 2}, f.Append(t, again))
	m.Cache, m.State, m.Signal, m.Interval = 5, 8, -99, 30
	equal(t, "with another reason and state", storage.Appended{Duplicates: 1}, f.Append(t, d.Upload(0, m)))
	p.reopen(t)
	equal(t, "by another node", storage.Appended{Duplicates: 1}, p.feedOf(2).Append(t, d.Upload(0, m)))
	equal(t, "samples", 1, len(p.samples(t, 1)))
}

func variants(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	base := d.Message(Start, 20)
	list := []halley.Message{base}
	for i := range 4 {
		m := d.Message(Start, 21+float64(i))
		m.Order = base.Order
		switch i {
		case 0:
			m.Order++
		case 1:
			m.Config++
		case 2:
			m.RawKind++
		case 3:
			m.Order = halley.Unknown
		}
		list = append(list, m)
	}
	equal(t, "Append", 3, f.Append(t, d.Upload(0, list[:3]...)).Messages)
	equal(t, "Append", 2, f.Append(t, d.Upload(0, list[3:]...)).Messages)
	equal(t, "all again", storage.Appended{Duplicates: 5}, f.Append(t, d.Upload(0, list...)))
	want := []storage.Sample{}
	for i := range list {
		want = append(want, storage.Sample{At: Start, Variant: i, Value: 20 + float64(i)})
	}
	equal(t, "samples", want, p.samples(t, 1))
	equal(t, "samples in pages", want, paged(t, p, p.channel(t, 1), 2))
	newest, err := p.Latest(t.Context(), []halley.DeviceID{p.device(t, 1)})
	must(t, "Latest", err)
	equal(t, "the newest variant", 4, newest[0].Variant)
	buckets, err := p.Buckets(t.Context(), storage.BucketQuery{Channel: p.channel(t, 1), From: Start, To: Start + halley.Hour, Width: halley.Hour})
	must(t, "Buckets", err)
	equal(t, "buckets", []storage.Bucket{{Start: Start, Count: 5, Min: 20, Max: 24, Sum: 110}}, buckets)
}

func conflicts(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 2)
	f := p.feed()
	first := d.Message(Start, 20)
	f.Append(t, d.Upload(0, first))
	change := func(do func(r []halley.Reading) []halley.Reading) halley.Message {
		m := first
		m.Readings = do(append([]halley.Reading(nil), first.Readings...))
		return m
	}
	for _, c := range []struct {
		name string
		m    halley.Message
	}{
		{"another value", change(func(r []halley.Reading) []halley.Reading { r[1].Value++; return r })},
		{"another quality", change(func(r []halley.Reading) []halley.Reading {
			r[0].Quality = halley.QualityOf(halley.NotReady, 0)
			return r
		})},
		{"a reading less", change(func(r []halley.Reading) []halley.Reading { return r[:1] })},
		{"another unit", change(func(r []halley.Reading) []halley.Reading { r[0].Unit = "K"; return r })},
	} {
		got := f.Append(t, d.Upload(0, c.m))
		equal(t, c.name, storage.Appended{Conflicts: 1}, got)
	}
	equal(t, "samples", []storage.Sample{{At: Start, Value: 20}}, p.samples(t, 1))
	swapped := change(func(r []halley.Reading) []halley.Reading { r[0], r[1] = r[1], r[0]; return r })
	equal(t, "the same in another order", 1, f.Append(t, d.Upload(0, swapped)).Duplicates)
	duplicates, conflicts, err := p.Tally(t.Context(), p.device(t, 1), Start, Start+halley.Day)
	must(t, "Tally", err)
	equal(t, "tally", []int64{1, 4}, []int64{duplicates, conflicts})
}

func repeatsMakeNothing(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	m := d.Message(Start, 20)
	f.Append(t, d.Upload(0, m))
	before := version(t, p)
	m.Readings = append([]halley.Reading(nil), m.Readings...)
	m.Readings[0].Unit = "K"
	f.Append(t, d.Upload(0, m))
	equal(t, "channels", 1, len(ChannelsOf(t, p, p.serial(1))))
	equal(t, "version", before, version(t, p))
}

func webSensors(t *testing.T, p *plot) {
	d := WiFi(p.serial(11), 1)
	d.Key.Family = halley.WebSensor
	m := d.Message(0, 20)
	m.Sample, m.Now, m.Clock, m.Order, m.RawKind, m.Config = 0, 0, halley.ClockNone, halley.Unknown, halley.Unknown, halley.Unknown
	f := p.feed()
	// Three uploads of one instant with the same content, one of them with two messages.
	got := f.Append(t, d.Upload(0, m), d.Upload(0, m), d.Upload(0, m, m))
	equal(t, "Append", storage.Appended{Messages: 4, Samples: 4, DevicesChanged: true}, got)
	again := []storage.Upload{d.Upload(1, m), d.Upload(2, m), d.Upload(3, m, m)}
	equal(t, "the same journal entries again", storage.Appended{Duplicates: 4}, f.Append(t, again...))
	equal(t, "samples", 4, len(p.samples(t, 1)))
	other := m
	other.Readings = append([]halley.Reading(nil), m.Readings...)
	other.Readings[0].Value++
	equal(t, "the same entry decoded otherwise", storage.Appended{Conflicts: 1}, f.Append(t, d.Upload(1, other)))
}

// floated gives an upload of a message whose clock is not valid, received at an instant.
func floated(d *Device, m halley.Message, received halley.Millis) storage.Upload {
	m.Clock = halley.ClockNotValid
	u := d.Upload(0, m)
	u.ReceivedAt = received
	return u
}

func notValidClock(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	// The clock stands in 1999, which could not be stored; the message was measured a minute before it was sent.
	m := d.Message(halley.EarliestMillis-halley.Day, 20)
	m.Now = m.Sample + halley.Minute
	f.Append(t, floated(d, m, Start))
	m.Now += halley.Hour
	equal(t, "again an hour later", storage.Appended{Duplicates: 1}, f.Append(t, floated(d, m, Start+halley.Hour+777)))
	p.reopen(t)
	equal(t, "again after opening again", storage.Appended{Duplicates: 1}, f.Append(t, floated(d, m, Start+2*halley.Hour)))
	want := storage.Sample{At: Start - halley.Minute, Value: 20, Quality: halley.ClockInvalid}
	equal(t, "samples", []storage.Sample{want}, p.samples(t, 1))
	m.Readings = append([]halley.Reading(nil), m.Readings...)
	m.Readings[0].Value++
	equal(t, "with another value", storage.Appended{Conflicts: 1}, f.Append(t, floated(d, m, Start+2*halley.Hour)))
	m.Order++
	equal(t, "another message", 1, f.Append(t, floated(d, m, Start+2*halley.Hour)).Messages)
}

func changingClock(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	a, b := d.Message(Start, 20), d.Message(Start+halley.Minute, 21)
	f.Append(t, floated(d, a, Start+5*halley.Minute))
	f.Append(t, d.Upload(0, b))
	equal(t, "a clock that became valid", storage.Appended{Duplicates: 1}, f.Append(t, d.Upload(0, a)))
	equal(t, "a clock that became invalid", storage.Appended{Duplicates: 1}, f.Append(t, floated(d, b, Start+9*halley.Minute)))
	// A message whose valid time is the instant under which another one with its numbers was stored is no repeat of it.
	c := d.Message(Start+5*halley.Minute-halley.Second, 22)
	c.Order = a.Order
	equal(t, "another message", storage.Appended{Messages: 1, Samples: 1}, f.Append(t, d.Upload(0, c)))
	// The same the other way: its clock is not valid, and its own sample time is the instant under which a was stored.
	g := d.Message(c.Sample, 23)
	g.Order = a.Order
	g.Config = 9
	stored := g
	stored.Sample, stored.Now = Start+40*halley.Minute, Start+40*halley.Minute+halley.Second
	equal(t, "stored under an instant of its receipt", 1, f.Append(t, floated(d, stored, c.Sample+halley.Second)).Messages)
	equal(t, "not taken for that one", 1, f.Append(t, floated(d, g, Start+9*halley.Minute)).Messages)
	equal(t, "samples", []storage.Sample{
		{At: Start + halley.Minute, Value: 21},
		{At: c.Sample, Value: 20, Quality: halley.ClockInvalid, Late: false},
		{At: c.Sample, Variant: 1, Value: 22},
		{At: c.Sample, Variant: 2, Value: 23, Quality: halley.ClockInvalid},
		{At: Start + 9*halley.Minute - halley.Second, Value: 23, Quality: halley.ClockInvalid},
	}, p.samples(t, 1))
}

func modemClock(t *testing.T, p *plot) {
	d := WiFi(p.serial(31), 1)
	d.Key.Family = halley.Modem
	f := p.feed()
	m := d.Message(Start, 20)
	m.Clock, m.OffsetMinutes = halley.ClockLocalOrUTC, 120
	send := func(received halley.Millis) storage.Appended {
		u := d.Upload(0, m)
		u.ReceivedAt = received
		return f.Append(t, u)
	}
	send(Start + 2*halley.Second)
	equal(t, "samples", []halley.Millis{Start}, []halley.Millis{p.samples(t, 1)[0].At})
	// Hours later the receive time decides for local time, and the message would fall on another instant.
	equal(t, "again much later", storage.Appended{Duplicates: 1}, send(Start+5*halley.Hour))
	m.Order++
	send(Start + 5*halley.Hour)
	equal(t, "instants", []halley.Millis{Start - 2*halley.Hour, Start},
		[]halley.Millis{p.samples(t, 1)[0].At, p.samples(t, 1)[1].At})
}

func tallies(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	m := d.Message(Start, 20)
	f.Append(t, d.Upload(0, m))
	for _, received := range []halley.Millis{Start + halley.Day - 1, Start + halley.Day, Start + halley.Day + 1} {
		u := d.Upload(0, m)
		u.ReceivedAt = received
		f.Append(t, u)
	}
	for _, c := range []struct {
		name     string
		from, to halley.Millis
		want     int64
	}{
		{"the first day", 0, halley.Day, 1},
		{"the second day", halley.Day, 2 * halley.Day, 2},
		{"both", 0, 2 * halley.Day, 3},
		{"a part of the second day counts as the day", halley.Day + 5, halley.Day + 6, 2},
		{"the third day", 2 * halley.Day, 3 * halley.Day, 0},
	} {
		got, _, err := p.Tally(t.Context(), p.device(t, 1), Start+c.from, Start+c.to)
		must(t, c.name, err)
		equal(t, c.name, c.want, got)
	}
}
