package storagetest

import (
	"testing"

	"halley"
	"halley/storage"
)

func channelTests() []test {
	return []test{
		{"channels are numbered and described as the device does", channelsDescribed},
		{"a change of unit ends a channel and its return revives it", unitChange},
		{"late messages do not say which channels have ended", lateDoesNotEnd},
		{"a message with fewer channels ends the others", fewerChannels},
		{"names and decimals follow the newest message", channelNames},
		{"an unplugged probe stays its channel", unpluggedProbe},
		{"an error says nothing of decimals", errorDecimals},
		{"an order of readings of its own is a layout of its own", readingOrder},
		{"more than eight readings are stored and read", manyReadings},
		{"a channel that moves between slots keeps its samples together", movingSlots},
	}
}

func channelsDescribed(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 2)
	d.Channels[1] = halley.Reading{Number: 7, Name: "RH", Quantity: halley.Humidity, Unit: "%RH", Decimals: 2}
	p.feed().Append(t, d.Upload(0, d.Message(Start, 20)))
	want := []halley.Channel{
		{ID: p.channel(t, 1), DeviceID: p.device(t, 1), Number: 1, Name: "Channel", Quantity: halley.Temperature, Unit: "°C", Decimals: 1},
		{ID: p.channel(t, 2), DeviceID: p.device(t, 1), Number: 7, Name: "RH", Quantity: halley.Humidity, Unit: "%RH", Decimals: 2},
	}
	equal(t, "channels", want, ChannelsOf(t, p, p.serial(1)))
	all, err := p.Channels(t.Context(), storage.ChannelFilter{})
	must(t, "Channels", err)
	equal(t, "the last channels of all devices", want, all[len(all)-2:])
	one, err := p.Channel(t.Context(), want[1].ID)
	must(t, "Channel", err)
	equal(t, "channel", want[1], one)
}

// ended gives the units of a device's channels, with "-" before those that ended.
func ended(t *testing.T, p *plot, serial string) []string {
	t.Helper()
	list := []string{}
	for _, c := range ChannelsOf(t, p, serial) {
		mark := ""
		if c.Ended {
			mark = "-"
		}
		list = append(list, mark+c.Unit)
	}
	return list
}

func unitChange(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	step := func(unit string, minute halley.Millis) storage.Appended {
		d.Channels[0].Unit = unit
		return f.Append(t, d.Upload(0, d.Message(Start+minute*halley.Minute, 20)))
	}
	step("°C", 0)
	equal(t, "change", true, step("°F", 1).DevicesChanged)
	equal(t, "after the change", []string{"°F", "-°C"}, ended(t, p, p.serial(1)))
	equal(t, "no change", false, step("°F", 2).DevicesChanged)
	current, err := p.Channels(t.Context(), storage.ChannelFilter{Devices: []halley.DeviceID{p.device(t, 1)}})
	must(t, "Channels", err)
	equal(t, "channels that have not ended", 1, len(current))
	equal(t, "return", true, step("°C", 3).DevicesChanged)
	equal(t, "after the return", []string{"°C", "-°F"}, ended(t, p, p.serial(1)))
	equal(t, "samples in °C", 2, len(p.samples(t, 1)))
	equal(t, "samples in °F", 2, len(p.samples(t, 2)))
}

func lateDoesNotEnd(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	f.Append(t, d.Upload(0, d.Message(Start+halley.Hour, 20)))
	d.Channels[0].Unit = "K"
	got := f.Append(t, d.Upload(0, d.Message(Start, 293)))
	equal(t, "a late message with a new unit", storage.Appended{Messages: 1, Samples: 1, Late: 1, DevicesChanged: true}, got)
	equal(t, "channels", []string{"°C", "-K"}, ended(t, p, p.serial(1)))
	p.reopen(t)
	equal(t, "channels after opening again", []string{"°C", "-K"}, ended(t, p, p.serial(1)))
}

func fewerChannels(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 2)
	d.Channels[1].Unit = "%"
	f := p.feed()
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	all := d.Channels
	d.Channels = all[:1]
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "with one", []string{"°C", "-%"}, ended(t, p, p.serial(1)))
	d.Channels = nil
	got := f.Append(t, d.Upload(0, d.Message(Start+2*halley.Minute, 20)))
	equal(t, "a message without readings", storage.Appended{Messages: 1, DevicesChanged: true}, got)
	equal(t, "with none", []string{"-°C", "-%"}, ended(t, p, p.serial(1)))
	d.Channels = all
	f.Append(t, d.Upload(0, d.Message(Start+3*halley.Minute, 20)))
	equal(t, "with both", []string{"°C", "%"}, ended(t, p, p.serial(1)))
}

func channelNames(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	step := func(name string, decimals int, minute halley.Millis) bool {
		d.Channels[0].Name, d.Channels[0].Decimals = name, decimals
		return f.Append(t, d.Upload(0, d.Message(Start+minute*halley.Minute, 20))).DevicesChanged
	}
	now := func() []any {
		c := ChannelsOf(t, p, p.serial(1))[0]
		return []any{c.Name, c.Decimals}
	}
	step("A", 1, 10)
	equal(t, "a new name is a change", true, step("B", 2, 20))
	equal(t, "newest", []any{"B", 2}, now())
	equal(t, "late data with the old name are none", false, step("A", 1, 15))
	equal(t, "newest after late data", []any{"B", 2}, now())
	equal(t, "late data with another name are one", true, step("C", 1, 12))
	equal(t, "newest after other late data", []any{"B", 2}, now())
	p.reopen(t)
	equal(t, "nothing new after opening again", false, step("B", 2, 30))
	equal(t, "newest after opening again", []any{"B", 2}, now())
}

func readingOrder(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 2)
	f := p.feed()
	f.Append(t, d.Upload(0, d.Message(Start, 10)))
	m := d.Message(Start+halley.Minute, 20)
	m.Readings[0], m.Readings[1] = m.Readings[1], m.Readings[0]
	f.Append(t, d.Upload(0, m))
	equal(t, "channel 1", []float64{10, 20}, values(p.samples(t, 1)))
	equal(t, "channel 2", []float64{11, 21}, values(p.samples(t, 2)))
}

// values gives the values of samples.
func values(samples []storage.Sample) []float64 {
	list := make([]float64, 0, len(samples))
	for _, sm := range samples {
		list = append(list, sm.Value)
	}
	return list
}

func manyReadings(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 20)
	f := p.feed()
	m := d.Message(Start, 100)
	equal(t, "Samples", 20, f.Append(t, d.Upload(0, m)).Samples)
	equal(t, "the same again", storage.Appended{Duplicates: 1}, f.Append(t, d.Upload(0, m)))
	channels := ChannelsOf(t, p, p.serial(1))
	equal(t, "channels", 20, len(channels))
	for i, ch := range channels {
		equal(t, "samples", []storage.Sample{{At: Start, Value: 100 + float64(i)}}, SamplesOf(t, p, ch.ID))
	}
	latest, err := p.Latest(t.Context(), []halley.DeviceID{p.device(t, 1)})
	must(t, "Latest", err)
	equal(t, "latest values", 20, len(latest[0].Values))
	for i, v := range latest[0].Values {
		equal(t, "latest value", storage.LatestValue{ChannelID: channels[i].ID, Value: 100 + float64(i)}, v)
	}
	heads, err := p.Heads(t.Context(), storage.HeadQuery{Device: p.device(t, 1), From: Start, To: Start + 1, Limit: 10})
	must(t, "Heads", err)
	equal(t, "heads", 1, len(heads))
	differs := m
	differs.Readings = append([]halley.Reading(nil), m.Readings...)
	differs.Readings[19].Value++
	equal(t, "another value in the last part", storage.Appended{Conflicts: 1}, f.Append(t, d.Upload(0, differs)))
}

func movingSlots(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 12)
	f := p.feed()
	all := d.Channels
	for i := range 30 {
		// The last channel is now in part 0, now in part 1, and sometimes late with it.
		d.Channels = all[11*(i%2):]
		f.Append(t, d.Upload(0, d.Message(Start+halley.Millis(i)*20*halley.Minute, float64(i)-float64(11*((i+1)%2)))))
	}
	id := ChannelsOf(t, p, p.serial(1))[0].ID
	want := []storage.Sample{}
	for i := range 30 {
		want = append(want, storage.Sample{At: Start + halley.Millis(i)*20*halley.Minute, Value: float64(i)})
	}
	for _, limit := range []int{1, 7, 100} {
		equal(t, "samples in pages", want, paged(t, p, id, limit))
	}
}

// paged reads all samples of a channel in pages of limit.
func paged(t *testing.T, p *plot, id halley.ChannelID, limit int) []storage.Sample {
	t.Helper()
	q := storage.SampleQuery{Channel: id, From: halley.EarliestMillis, To: halley.LatestMillis, Limit: limit}
	all := []storage.Sample{}
	for {
		list, err := p.Samples(t.Context(), q)
		must(t, "Samples", err)
		if len(list) == 0 {
			return all
		}
		if len(list) > limit {
			t.Fatalf("Samples gave %d, limit %d", len(list), limit)
		}
		all = append(all, list...)
		q.After, q.AfterVariant = list[len(list)-1].At, list[len(list)-1].Variant
	}
}

func unpluggedProbe(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 2)
	f := p.feed()
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	gone := d.Message(Start+halley.Minute, 20)
	gone.Readings[1] = halley.Reading{Number: 2, Quality: halley.QualityOf(halley.SensorError, 53)}
	got := f.Append(t, d.Upload(0, gone))
	equal(t, "a message without the probe", storage.Appended{Messages: 1, Samples: 2}, got)
	equal(t, "the shared message", "", gone.Readings[1].Unit)
	equal(t, "the same message again", 1, f.Append(t, d.Upload(0, gone)).Duplicates)
	equal(t, "channels", []string{"°C", "°C"}, ended(t, p, p.serial(1)))
	samples := p.samples(t, 2)
	equal(t, "samples of the probe", 2, len(samples))
	equal(t, "quality without the probe", halley.QualityOf(halley.SensorError, 53), samples[1].Quality)

	never := WiFi(p.serial(2), 1)
	never.Channels[0] = halley.Reading{Number: 3, Quality: halley.QualityOf(halley.SensorError, 53)}
	m := never.Message(Start, 0)
	m.Readings[0].Value = 0
	equal(t, "a probe that was never there", 1, f.Append(t, never.Upload(0, m)).Samples)
	equal(t, "its channel", []string{""}, ended(t, p, p.serial(2)))
}

func errorDecimals(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	d.Channels[0].Decimals = 2
	f := p.feed()
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	m := d.Message(Start+halley.Minute, 0)
	m.Readings[0].Value, m.Readings[0].Decimals, m.Readings[0].Quality = 0, 0, halley.QualityOf(halley.AboveRange, 0)
	equal(t, "a change", false, f.Append(t, d.Upload(0, m)).DevicesChanged)
	equal(t, "decimals", 2, ChannelsOf(t, p, p.serial(1))[0].Decimals)
}
