package viewerapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"halley"
	"halley/server/directory"
)

// series is a line of a place's history: what its channels measured one after the other.
type series struct {
	// id is the first channel of the line.
	id halley.ChannelID
	// segments are by from, then channel.
	segments []segment
}

// segment is a time in which a channel continued a series.
type segment struct {
	channel halley.Channel
	device  halley.Device
	// from and to are the time, half-open.
	from, to halley.Millis
	// shownTo is when the segment ends for people: a channel that ended passes the series on to the next one, although it stays where it
	// is in case the device returns to it.
	shownTo halley.Millis
}

// seriesAt lists the series of a place, by device and number of their newest channel, those that go on first.
func seriesAt(state *directory.State, id halley.PlaceID) []series {
	byID := map[halley.ChannelID]*series{}
	var order []halley.ChannelID
	for _, s := range state.PlaceSpans(id) {
		c, ok := state.Channel(s.Channel)
		if !ok {
			continue
		}
		d, _ := state.Device(c.DeviceID)
		line, known := byID[s.Series]
		if !known {
			line = &series{id: s.Series}
			byID[s.Series] = line
			order = append(order, s.Series)
		}
		line.segments = append(line.segments, segment{channel: c, device: d, from: s.From, to: s.To, shownTo: s.To})
	}
	list := make([]series, 0, len(order))
	for _, id := range order {
		byID[id].endShown()
		list = append(list, *byID[id])
	}
	slices.SortStableFunc(list, func(x, y series) int {
		a, b := x.newest(), y.newest()
		return cmp.Or(compareBool(!x.goesOn(), !y.goesOn()), cmp.Compare(a.channel.DeviceID, b.channel.DeviceID),
			cmp.Compare(a.channel.Number, b.channel.Number), cmp.Compare(x.id, y.id))
	})
	return list
}

// compareBool puts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// endShown says when the segments of channels that ended end for people: where the next one begins.
func (s *series) endShown() {
	for i := range s.segments {
		g := &s.segments[i]
		for j := i + 1; g.channel.Ended && j < len(s.segments); j++ {
			if next := s.segments[j].from; next > g.from && next < g.to {
				g.shownTo = next
				break
			}
		}
	}
}

// newest gives the segment that counts for the unit and the name of the series: the last one of a channel that has not ended, else the
// last one.
func (s *series) newest() *segment {
	for i := len(s.segments) - 1; i >= 0; i-- {
		if !s.segments[i].channel.Ended {
			return &s.segments[i]
		}
	}
	return &s.segments[len(s.segments)-1]
}

// goesOn says that a channel that has not ended continues the series now.
func (s *series) goesOn() bool {
	g := s.newest()
	return !g.channel.Ended && g.to >= halley.LatestMillis
}

// seriesView is a series as the API shows it. What it measures and how it is called are those of the newest channel.
type seriesView struct {
	ID       halley.ChannelID `json:"id"`
	Quantity string           `json:"quantity"`
	Unit     string           `json:"unit"`
	Name     string           `json:"name"`
	Decimals int              `json:"decimals"`
	Number   int              `json:"number"`
	// Now is the channel that continues it; null where none does.
	Now      *halley.ChannelID `json:"now"`
	Segments []segmentView     `json:"segments"`
}

// segmentView is a segment as the API shows it; To is null while it lasts.
type segmentView struct {
	ChannelID halley.ChannelID `json:"channel_id"`
	DeviceID  halley.DeviceID  `json:"device_id"`
	Device    string           `json:"device"`
	Serial    string           `json:"serial"`
	Unit      string           `json:"unit"`
	From      Time             `json:"from"`
	To        Time             `json:"to"`
}

// viewOfSegment shows a segment. A device that is elsewhere now has the name that it was given there, which is not for those who see the
// place: they read its serial number.
func viewOfSegment(rights directory.Rights, g *segment, from, to halley.Millis) segmentView {
	v := segmentView{
		ChannelID: g.channel.ID, DeviceID: g.device.ID, Device: deviceName(rights, &g.device), Serial: g.device.Serial, Unit: g.channel.Unit,
		From: Time(from), To: Time(to),
	}
	if to >= halley.LatestMillis {
		v.To = 0
	}
	return v
}

func viewsOfSeries(rights directory.Rights, list []series) []seriesView {
	views := make([]seriesView, 0, len(list))
	for i := range list {
		s := &list[i]
		g := s.newest()
		c := g.channel
		if !rights.AtDevice(halley.PermitDeviceRead, c.DeviceID) {
			c, _ = rights.State().ChannelThen(c.ID, g.to) // Its name of now was given elsewhere, as that of its device.
		}
		v := seriesView{
			ID: s.id, Quantity: c.Quantity, Unit: c.Unit, Name: c.Name, Decimals: c.Decimals, Number: c.Number,
			Segments: make([]segmentView, 0, len(s.segments)),
		}
		if s.goesOn() {
			v.Now = &c.ID
		}
		for j := range s.segments {
			g := &s.segments[j]
			v.Segments = append(v.Segments, viewOfSegment(rights, g, g.from, g.shownTo))
		}
		views = append(views, v)
	}
	return views
}

// swapView says that a device took the place of another.
type swapView struct {
	At         Time            `json:"at"`
	FromDevice halley.DeviceID `json:"from_device"`
	ToDevice   halley.DeviceID `json:"to_device"`
	By         string          `json:"by"`
	Why        string          `json:"why"`
}

// viewOfSwap reads a swap from its act; ok is false where the act does not say it.
func viewOfSwap(e *halley.AuditEntry) (v swapView, ok bool) {
	var before, after struct {
		DeviceID halley.DeviceID `json:"device_id"`
		At       string          `json:"at"`
	}
	if json.Unmarshal([]byte(e.Old), &before) != nil || json.Unmarshal([]byte(e.New), &after) != nil {
		return v, false
	}
	at, err := halley.ParseMillis(after.At)
	return swapView{
		At: Time(at), FromDevice: before.DeviceID, ToDevice: after.DeviceID, By: e.Change.Actor.Name, Why: e.Change.Why,
	}, err == nil
}

// seriesRequest says more of an answer that is of a series of a place.
type seriesRequest struct {
	place halley.PlaceID
	// unit and segments are JSON.
	unit, segments []byte
}

// getPlaceSamples gives the samples of a series of a place like those of a channel, over all its segments, in the unit of the newest one.
// 404 where the place or the series is not there.
func (a *API) getPlaceSamples(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	q := newQuery(r, "series", "from", "to", "limit", "after", "points")
	in := q.samples(r, halley.MillisOf(time.Now()))
	in.channel = halley.ChannelID(q.number("series", 1, 1<<62, 0))
	if q.err == nil && in.channel == 0 {
		q.fail("series", "say which series of the place, by its id")
	}
	if q.err != nil {
		return q.err
	}
	list := seriesAt(rightsOf(r).State(), halley.PlaceID(id))
	i := slices.IndexFunc(list, func(s series) bool { return s.id == in.channel })
	if i < 0 {
		return &halley.Error{Kind: halley.NotFound, Op: "find a series", Field: "series", Message: "the place has no series with this id: see the place"}
	}
	if err = in.of(rightsOf(r), halley.PlaceID(id), &list[i]); err != nil {
		return err
	}
	if in.csv {
		on := thing{scopePlace, id}.String()
		if err = a.noteExport(r, on, in.from, in.to); err != nil {
			return err
		}
	}
	return a.answerSamples(w, r, in)
}

// shownSegment is a segment of an answer. Converted is false where nobody can turn its unit into that of the answer, so that its values
// are left out.
type shownSegment struct {
	segmentView
	Shown bool `json:"shown"`
}

// of makes the request one for a series.
func (in *samplesRequest) of(rights directory.Rights, place halley.PlaceID, s *series) error {
	unit := s.newest().channel.Unit
	shown := []shownSegment{}
	for i := range s.segments {
		g := &s.segments[i]
		from, to := max(g.from, in.from), min(g.to, in.to)
		if from >= to {
			continue
		}
		conversion, ok := converted(g.channel.Unit, unit)
		if g.channel.Quantity != s.newest().channel.Quantity {
			ok = false
		}
		if ok {
			in.sources = append(in.sources, source{channel: g.channel.ID, from: from, to: to, in: conversion})
		}
		if end := min(g.shownTo, in.to); from < end {
			shown = append(shown, shownSegment{viewOfSegment(rights, g, from, end), ok})
		}
	}
	text, err := json.Marshal(shown)
	if err != nil {
		return fmt.Errorf("writing segments: %w", err)
	}
	word, err := json.Marshal(unit)
	if err != nil {
		return fmt.Errorf("writing a unit: %w", err)
	}
	in.series = &seriesRequest{place: place, unit: word, segments: text}
	return nil
}
