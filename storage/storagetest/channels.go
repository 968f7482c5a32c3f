package storagetest

import (
	"testing"

	"halley"
	"halley/storage"
)

func channelTests() []group {
	return []group{
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

func channelsDescribed(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 2)
	d.Channels[1] = halley.Reading{Number: 7, Name: "RH", Quantity: halley.Humidity, Unit: "%RH", Decimals: 2}
	NewFeed(s).Append(t, d.Upload(0, d.Message(Start, 20)))
	want := []halley.Channel{
		{ID: 1, DeviceID: 1, Number: 1, Name: "Channel", Quantity: halley.Temperature, Unit: "°C", Decimals: 1},
		{ID: 2, DeviceID: 1, Number: 7, Name: "RH", Quantity: halley.Humidity, Unit: "%RH", Decimals: 2},
	}
	equal(t, "channels", want, ChannelsOf(t, s, "21000001"))
	all, err := s.Channels(t.Context(), storage.ChannelFilter{})
	must(t, "Channels", err)
	equal(t, "channels of all devices", want, all)
	one, err := s.Channel(t.Context(), 2)
	must(t, "Channel", err)
	equal(t, "channel", want[1], one)
}

// ended gives the units of a device's channels, with "-" before those that ended.
func ended(t *testing.T, s storage.Store, serial string) []string {
	t.Helper()
	list := []string{}
	for _, c := range ChannelsOf(t, s, serial) {
		mark := ""
		if c.Ended {
			mark = "-"
		}
		list = append(list, mark+c.Unit)
	}
	return list
}

func unitChange(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	step := func(unit string, minute halley.Millis) storage.Appended {
		d.Channels[0].Unit = unit
		return f.Append(t, d.Upload(0, d.Message(Start+minute*halley.Minute, 20)))
	}
	step("°C", 0)
	equal(t, "change", true, step("°F", 1).DevicesChanged)
	equal(t, "after the change", []string{"°F", "-°C"}, ended(t, s, "21000001"))
	equal(t, "no change", false, step("°F", 2).DevicesChanged)
	current, err := s.Channels(t.Context(), storage.ChannelFilter{Devices: []halley.DeviceID{1}})
	must(t, "Channels", err)
	equal(t, "channels that have not ended", 1, len(current))
	equal(t, "return", true, step("°C", 3).DevicesChanged)
	equal(t, "after the return", []string{"°C", "-°F"}, ended(t, s, "21000001"))
	equal(t, "samples in °C", 2, len(SamplesOf(t, s, 1)))
	equal(t, "samples in °F", 2, len(SamplesOf(t, s, 2)))
}

func lateDoesNotEnd(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	f.Append(t, d.Upload(0, d.Message(Start+halley.Hour, 20)))
	d.Channels[0].Unit = "K"
	got := f.Append(t, d.Upload(0, d.Message(Start, 293)))
	equal(t, "a late message with a new unit", storage.Appended{BatchID: 2, Messages: 1, Samples: 1, Late: 1, DevicesChanged: true}, got)
	equal(t, "channels", []string{"°C", "-K"}, ended(t, s, "21000001"))
	s = e.Reopen(t, s)
	equal(t, "channels after opening again", []string{"°C", "-K"}, ended(t, s, "21000001"))
}

func fewerChannels(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 2)
	d.Channels[1].Unit = "%"
	f := NewFeed(s)
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	all := d.Channels
	d.Channels = all[:1]
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "with one", []string{"°C", "-%"}, ended(t, s, "21000001"))
	d.Channels = nil
	got := f.Append(t, d.Upload(0, d.Message(Start+2*halley.Minute, 20)))
	equal(t, "a message without readings", storage.Appended{BatchID: 3, Messages: 1, DevicesChanged: true}, got)
	equal(t, "with none", []string{"-°C", "-%"}, ended(t, s, "21000001"))
	d.Channels = all
	f.Append(t, d.Upload(0, d.Message(Start+3*halley.Minute, 20)))
	equal(t, "with both", []string{"°C", "%"}, ended(t, s, "21000001"))
}

func channelNames(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	step := func(name string, decimals int, minute halley.Millis) bool {
		d.Channels[0].Name, d.Channels[0].Decimals = name, decimals
		return f.Append(t, d.Upload(0, d.Message(Start+minute*halley.Minute, 20))).DevicesChanged
	}
	now := func() []any {
		c := ChannelsOf(t, s, "21000001")[0]
		return []any{c.Name, c.Decimals}
	}
	step("A", 1, 10)
	equal(t, "a new name is a change", true, step("B", 2, 20))
	equal(t, "newest", []any{"B", 2}, now())
	equal(t, "late data with the old name are none", false, step("A", 1, 15))
	equal(t, "newest after late data", []any{"B", 2}, now())
	equal(t, "late data with another name are one", true, step("C", 1, 12))
	equal(t, "newest after other late data", []any{"B", 2}, now())
	s = e.Reopen(t, s)
	f.Store = s
	equal(t, "nothing new after opening again", false, step("B", 2, 30))
	equal(t, "newest after opening again", []any{"B", 2}, now())
}

func readingOrder(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 2)
	f := NewFeed(s)
	f.Append(t, d.Upload(0, d.Message(Start, 10)))
	m := d.Message(Start+halley.Minute, 20)
	m.Readings[0], m.Readings[1] = m.Readings[1], m.Readings[0]
	f.Append(t, d.Upload(0, m))
	values := func(id halley.ChannelID) []float64 {
		list := []float64{}
		for _, sm := range SamplesOf(t, s, id) {
			list = append(list, sm.Value)
		}
		return list
	}
	equal(t, "channel 1", []float64{10, 20}, values(1))
	equal(t, "channel 2", []float64{11, 21}, values(2))
}

func manyReadings(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 20)
	f := NewFeed(s)
	m := d.Message(Start, 100)
	equal(t, "Samples", 20, f.Append(t, d.Upload(0, m)).Samples)
	equal(t, "the same again", storage.Appended{BatchID: 2, Duplicates: 1}, f.Append(t, d.Upload(0, m)))
	channels := ChannelsOf(t, s, "21000001")
	equal(t, "channels", 20, len(channels))
	for i, ch := range channels {
		equal(t, "samples", []storage.Sample{{At: Start, Value: 100 + float64(i)}}, SamplesOf(t, s, ch.ID))
	}
	latest, err := s.Latest(t.Context(), []halley.DeviceID{1})
	must(t, "Latest", err)
	equal(t, "latest values", 20, len(latest[0].Values))
	for i, v := range latest[0].Values {
		equal(t, "latest value", storage.LatestValue{ChannelID: channels[i].ID, Value: 100 + float64(i)}, v)
	}
	heads, err := s.Heads(t.Context(), storage.HeadQuery{Device: 1, From: Start, To: Start + 1, Limit: 10})
	must(t, "Heads", err)
	equal(t, "heads", 1, len(heads))
	differs := m
	differs.Readings = append([]halley.Reading(nil), m.Readings...)
	differs.Readings[19].Value++
	equal(t, "another value in the last part", storage.Appended{BatchID: 3, Conflicts: 1}, f.Append(t, d.Upload(0, differs)))
}

func movingSlots(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 12)
	f := NewFeed(s)
	all := d.Channels
	for i := range 30 {
		// The last channel is now in part 0, now in part 1, and sometimes late with it.
		d.Channels = all[11*(i%2):]
		f.Append(t, d.Upload(0, d.Message(Start+halley.Millis(i)*20*halley.Minute, float64(i)-float64(11*((i+1)%2)))))
	}
	id := ChannelsOf(t, s, "21000001")[0].ID
	want := []storage.Sample{}
	for i := range 30 {
		want = append(want, storage.Sample{At: Start + halley.Millis(i)*20*halley.Minute, Value: float64(i)})
	}
	for _, limit := range []int{1, 7, 100} {
		equal(t, "samples in pages", want, paged(t, s, id, limit))
	}
}

// paged reads all samples of a channel in pages of limit.
func paged(t *testing.T, s storage.Store, id halley.ChannelID, limit int) []storage.Sample {
	t.Helper()
	q := storage.SampleQuery{Channel: id, From: halley.EarliestMillis, To: halley.LatestMillis, Limit: limit}
	all := []storage.Sample{}
	for {
		list, err := s.Samples(t.Context(), q)
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

func unpluggedProbe(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 2)
	f := NewFeed(s)
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	gone := d.Message(Start+halley.Minute, 20)
	gone.Readings[1] = halley.Reading{Number: 2, Quality: halley.QualityOf(halley.SensorError, 53)}
	got := f.Append(t, d.Upload(0, gone))
	equal(t, "a message without the probe", storage.Appended{BatchID: 2, Messages: 1, Samples: 2}, got)
	equal(t, "the shared message", "", gone.Readings[1].Unit)
	equal(t, "the same message again", 1, f.Append(t, d.Upload(0, gone)).Duplicates)
	equal(t, "channels", []string{"°C", "°C"}, ended(t, s, "21000001"))
	samples := SamplesOf(t, s, 2)
	equal(t, "samples of the probe", 2, len(samples))
	equal(t, "quality without the probe", halley.QualityOf(halley.SensorError, 53), samples[1].Quality)

	never := WiFi("21000002", 1)
	never.Channels[0] = halley.Reading{Number: 3, Quality: halley.QualityOf(halley.SensorError, 53)}
	m := never.Message(Start, 0)
	m.Readings[0].Value = 0
	equal(t, "a probe that was never there", 1, f.Append(t, never.Upload(0, m)).Samples)
	equal(t, "its channel", []string{""}, ended(t, s, "21000002"))
}

func errorDecimals(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	d.Channels[0].Decimals = 2
	f := NewFeed(s)
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	m := d.Message(Start+halley.Minute, 0)
	m.Readings[0].Value, m.Readings[0].Decimals, m.Readings[0].Quality = 0, 0, halley.QualityOf(halley.AboveRange, 0)
	equal(t, "a change", false, f.Append(t, d.Upload(0, m)).DevicesChanged)
	equal(t, "decimals", 2, ChannelsOf(t, s, "21000001")[0].Decimals)
}
