package storagetest

import (
	"testing"

	"halley"
)

func followTests() []test {
	return []test{
		{"a change of the unit goes on at the place in the same series", unitChanges},
		{"a change back goes on where the device is then", unitChangesBack},
		{"a new channel belongs to the place from when the others do", laterChannels},
	}
}

func unitChanges(t *testing.T, p *plot) {
	d, f := p.sensor(t, 1, 2)
	x := DeviceOf(t, p, p.serial(1)).PlaceID
	d.Channels[0].Unit = "°F"
	d.Channels[1].Quantity, d.Channels[1].Unit = halley.Humidity, "%RH"
	f.Append(t, d.Upload(0, d.Message(Start+halley.Hour, 68)))
	ids := p.channelIDs(t, p.serial(1))
	want := []halley.Attachment{
		{ChannelID: ids[0], PlaceID: x, From: halley.EarliestMillis, Series: ids[0]},
		{ChannelID: ids[1], PlaceID: x, From: halley.EarliestMillis, Series: ids[1]},
		{ChannelID: ids[2], PlaceID: x, From: Start + halley.Hour, Series: ids[0]},
		// A change of the quantity is no continuation.
		{ChannelID: ids[3], PlaceID: x, From: Start + halley.Hour, Series: ids[3]},
	}
	equal(t, "attachments", want, p.attached(t, ids...))
	// Back and forth adds no more, for the place has both.
	for i, unit := range []string{"°C", "°F", "°C"} {
		d.Channels[0].Unit = unit
		f.Append(t, d.Upload(0, d.Message(Start+halley.Millis(i+2)*halley.Hour, 20)))
	}
	equal(t, "attachments after changing back and forth", want, p.attached(t, ids...))
	equal(t, "place", x, DeviceOf(t, p, p.serial(1)).PlaceID)
	equal(t, "acts", []string{"device.accept"}, p.whats(t))
}

func unitChangesBack(t *testing.T, p *plot) {
	d, f := p.sensor(t, 1, 1)
	own := DeviceOf(t, p, p.serial(1)).PlaceID
	x := p.place(t, "x", 0)
	d.Channels[0].Unit = "°F"
	f.Append(t, d.Upload(0, d.Message(Start+halley.Hour, 68)))
	ids := p.channelIDs(t, p.serial(1))
	list, err := p.Attach(t.Context(), []halley.Attachment{{ChannelID: ids[1], PlaceID: x.ID, From: Start + 2*halley.Hour}}, By("eva"))
	must(t, "Attach", err)
	equal(t, "what was attached", 1, len(list))
	d.Channels[0].Unit = "°C"
	f.Append(t, d.Upload(0, d.Message(Start+3*halley.Hour, 20)))
	equal(t, "attachments", []halley.Attachment{
		{ChannelID: ids[0], PlaceID: own, From: halley.EarliestMillis, Series: ids[0]},
		{ChannelID: ids[0], From: Start + 2*halley.Hour},
		{ChannelID: ids[0], PlaceID: x.ID, From: Start + 3*halley.Hour, Series: ids[1]},
		{ChannelID: ids[1], PlaceID: own, From: Start + halley.Hour, Series: ids[0]},
		{ChannelID: ids[1], PlaceID: x.ID, From: Start + 2*halley.Hour, Series: ids[1]},
	}, p.attached(t, ids...))
	equal(t, "place", x.ID, DeviceOf(t, p, p.serial(1)).PlaceID)
	// A device at no place stays there, whatever its units.
	p.attach(t, ids[0], 0, Start+4*halley.Hour)
	d.Channels[0].Unit = "K"
	f.Append(t, d.Upload(0, d.Message(Start+5*halley.Hour, 293)))
	equal(t, "attachments of a third unit", []halley.Attachment{}, p.attached(t, p.channelIDs(t, p.serial(1))[2]))
	equal(t, "place in the end", halley.PlaceID(0), DeviceOf(t, p, p.serial(1)).PlaceID)
}

func laterChannels(t *testing.T, p *plot) {
	d, f := p.sensor(t, 1, 1)
	own, x := DeviceOf(t, p, p.serial(1)).PlaceID, p.place(t, "x", 0)
	more := func(n int, at halley.Millis) {
		r := d.Channels[0]
		r.Number = n
		d.Channels = append(d.Channels, r)
		f.Append(t, d.Upload(0, d.Message(at, 20)))
	}
	more(2, Start+halley.Minute)
	ids := p.channelIDs(t, p.serial(1))
	for _, ch := range ids {
		p.attach(t, ch, x.ID, Start+halley.Hour)
	}
	more(3, Start+2*halley.Hour)
	more(4, Start+3*halley.Hour)
	ids = p.channelIDs(t, p.serial(1))
	equal(t, "attachments", []halley.Attachment{
		{ChannelID: ids[1], PlaceID: own, From: halley.EarliestMillis, Series: ids[1]},
		{ChannelID: ids[1], PlaceID: x.ID, From: Start + halley.Hour, Series: ids[1]},
		{ChannelID: ids[2], PlaceID: x.ID, From: Start + halley.Hour, Series: ids[2]},
		{ChannelID: ids[3], PlaceID: x.ID, From: Start + halley.Hour, Series: ids[3]},
	}, p.attached(t, ids[1:]...))
}
