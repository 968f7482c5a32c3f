package directory

import (
	"cmp"
	"slices"

	"halley"
)

// arrangeDevices arranges devices and channels, and what was and is attached where.
func (s *State) arrangeDevices() {
	s.devices = make(map[halley.DeviceID]int, len(s.data.Devices))
	for i := range s.data.Devices {
		s.devices[s.data.Devices[i].ID] = i
	}
	s.channels = make(map[halley.ChannelID]int, len(s.data.Channels))
	s.owned = make(map[halley.DeviceID][]halley.ChannelID, len(s.data.Devices))
	for i := range s.data.Channels {
		c := &s.data.Channels[i]
		s.channels[c.ID] = i
		s.owned[c.DeviceID] = append(s.owned[c.DeviceID], c.ID)
	}
	s.spans = spansOf(s.data.Attachments)
	s.visits = make(map[halley.PlaceID][]halley.ChannelID)
	s.here = make(map[halley.DeviceID][]halley.PlaceID)
	for channel, spans := range s.spans {
		seen := make(map[halley.PlaceID]bool, 1)
		for _, span := range spans {
			if span.Place != 0 && !seen[span.Place] {
				seen[span.Place] = true
				s.visits[span.Place] = append(s.visits[span.Place], channel)
			}
		}
		last := spans[len(spans)-1]
		i, known := s.channels[channel]
		if last.Place == 0 || !known || s.data.Channels[i].Ended {
			continue
		}
		if device := s.data.Channels[i].DeviceID; !slices.Contains(s.here[device], last.Place) {
			s.here[device] = append(s.here[device], last.Place)
		}
	}
	for _, list := range s.visits {
		slices.Sort(list)
	}
	for _, list := range s.here {
		slices.Sort(list)
	}
}

// spansOf gives each channel's times, by from. Of two attachments with the same beginning the later one counts.
func spansOf(attachments []halley.Attachment) map[halley.ChannelID][]Span {
	spans := make(map[halley.ChannelID][]Span)
	for _, a := range attachments {
		series := a.Series
		if a.PlaceID != 0 && series == 0 {
			series = a.ChannelID
		}
		spans[a.ChannelID] = append(spans[a.ChannelID], Span{Place: a.PlaceID, Series: series, From: a.From, To: halley.LatestMillis})
	}
	for channel, list := range spans {
		slices.SortStableFunc(list, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
		for i := range len(list) - 1 {
			list[i].To = list[i+1].From
		}
		spans[channel] = slices.DeleteFunc(list, func(p Span) bool { return p.From >= p.To })
	}
	return spans
}

// Place gives a place.
func (s *State) Place(id halley.PlaceID) (halley.Place, bool) {
	p, ok := s.place[id]
	return p, ok
}

// Places lists all places by id, also those that are closed.
func (s *State) Places() []halley.Place { return sorted(s.place) }

// Device gives a device with the node that it belongs to now: that of its place, else where it was put.
func (s *State) Device(id halley.DeviceID) (halley.Device, bool) {
	i, ok := s.devices[id]
	if !ok {
		return halley.Device{}, false
	}
	d := s.data.Devices[i]
	d.OrganizationID = cmp.Or(d.OrganizationID, halley.RootOrganization)
	if p, at := s.place[d.PlaceID]; at {
		d.OrganizationID = p.OrganizationID
	}
	return d, true
}

// DevicePlaces lists the places where the open channels of a device are now, by id.
func (s *State) DevicePlaces(id halley.DeviceID) []halley.PlaceID { return slices.Clone(s.here[id]) }

// DeviceChannels lists the channels of a device, also those that ended.
func (s *State) DeviceChannels(id halley.DeviceID) []halley.ChannelID {
	return slices.Clone(s.owned[id])
}

// Channel gives a channel, also one that ended.
func (s *State) Channel(id halley.ChannelID) (halley.Channel, bool) {
	i, ok := s.channels[id]
	if !ok {
		return halley.Channel{}, false
	}
	return s.data.Channels[i], true
}

// ChannelDevice gives the device of a channel; 0 where it is not known.
func (s *State) ChannelDevice(id halley.ChannelID) halley.DeviceID {
	c, _ := s.Channel(id)
	return c.DeviceID
}

// ChannelSpans lists where a channel was and is, by from, without gaps from the first time that it was attached anywhere. The last
// one ends at halley.LatestMillis.
func (s *State) ChannelSpans(id halley.ChannelID) []Span { return slices.Clone(s.spans[id]) }

// PlaceSpans lists what was and is at a place, by from, then channel.
func (s *State) PlaceSpans(id halley.PlaceID) []PlaceSpan {
	list := []PlaceSpan{}
	for _, channel := range s.visits[id] {
		for _, span := range s.spans[channel] {
			if span.Place == id {
				list = append(list, PlaceSpan{Channel: channel, Series: span.Series, From: span.From, To: span.To})
			}
		}
	}
	slices.SortFunc(list, func(a, b PlaceSpan) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Channel, b.Channel))
	})
	return list
}

// Attached lists what is at a place at an instant, by channel.
func (s *State) Attached(id halley.PlaceID, at halley.Millis) []PlaceSpan {
	list := []PlaceSpan{}
	for _, span := range s.PlaceSpans(id) {
		if span.From <= at && at < span.To {
			list = append(list, span)
		}
	}
	slices.SortFunc(list, func(a, b PlaceSpan) int { return cmp.Compare(a.Channel, b.Channel) })
	return list
}
