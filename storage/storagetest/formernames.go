package storagetest

import (
	"testing"

	"halley"
)

// formerNames has three sensors: one that moves and is renamed, one that only moves, and one that is only renamed.
func formerNames(t *testing.T, p *plot) {
	x := p.place(t, "x", 0)
	rename := func(d *Device, f *plotFeed, name string, decimals int, at halley.Millis) {
		d.Channels[0].Name, d.Channels[0].Decimals = name, decimals
		f.Append(t, d.Upload(0, d.Message(at, 20)))
	}
	both, f := p.sensor(t, 1, 1)
	rename(both, f, "Before", 2, Start+halley.Hour)
	_, _ = p.sensor(t, 2, 1)
	stays, g := p.sensor(t, 3, 1)
	rename(stays, g, "Other", 1, Start+halley.Hour)
	moved := p.channelIDs(t, p.serial(1))[0]
	list := func(limit int) []halley.ChannelName {
		got := []halley.ChannelName{}
		for after := (halley.ChannelName{ChannelID: moved - 1}); ; {
			page, err := p.FormerChannelNames(t.Context(), after, limit)
			must(t, "FormerChannelNames", err)
			if len(page) == 0 {
				return got
			}
			got, after = append(got, page...), page[len(page)-1]
		}
	}
	equal(t, "before anything moved", []halley.ChannelName{}, list(10))
	p.attach(t, moved, x.ID, Start+2*halley.Hour)
	p.attach(t, p.channelIDs(t, p.serial(2))[0], x.ID, Start+2*halley.Hour)
	rename(both, f, "Afterwards", 0, Start+3*halley.Hour)
	want := []halley.ChannelName{
		{ChannelID: moved, From: Start, Name: "Channel", Decimals: 1},
		{ChannelID: moved, From: Start + halley.Hour, Name: "Before", Decimals: 2},
		{ChannelID: moved, From: Start + 3*halley.Hour, Name: "Afterwards", Decimals: 0},
	}
	equal(t, "in one page", want, list(10))
	equal(t, "in pages of one", want, list(1))
}
