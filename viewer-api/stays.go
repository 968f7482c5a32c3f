package viewerapi

import (
	"cmp"
	"slices"

	"halley"
	"halley/server/directory"
)

// stayView is a time in which channels of a device were at a place.
type stayView struct {
	ID   halley.PlaceID `json:"id"`
	Name string         `json:"name"`
	From Time           `json:"from"`
	// To is null for a stay that lasts.
	To Time `json:"to"`
}

// staysOf lists where a device is and was, the newest first: those places alone that may be seen. A device is at a place as long as
// one of its channels is.
func staysOf(rights directory.Rights, id halley.DeviceID) []stayView {
	state := rights.State()
	spans := make(map[halley.PlaceID][]halley.Span)
	for _, channel := range state.DeviceChannels(id) {
		for _, s := range state.ChannelSpans(channel) {
			if s.Place != 0 && rights.AtPlace(halley.PermitPlaceRead, s.Place) {
				spans[s.Place] = append(spans[s.Place], halley.Span{From: s.From, To: s.To})
			}
		}
	}
	list := []stayView{}
	for place, own := range spans {
		p, _ := state.Place(place)
		for _, s := range halley.UniteSpans(own...) {
			v := stayView{ID: place, Name: p.Name, From: Time(s.From)}
			if s.To < halley.LatestMillis {
				v.To = Time(s.To)
			}
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b stayView) int { return cmp.Or(cmp.Compare(b.From, a.From), cmp.Compare(a.ID, b.ID)) })
	return list
}
