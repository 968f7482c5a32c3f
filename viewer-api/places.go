package viewerapi

import (
	"net/http"
	"strconv"

	"halley"
)

const (
	// placesUsual and placesMost are how many places a list holds.
	placesUsual, placesMost = 200, 1000
)

// Place is a measuring point with the channels that are attached to it now.
type Place struct {
	ID           halley.PlaceID
	Name         string
	Organization int64
	// Channels are those that are at the place now, by device, then number.
	Channels []halley.Channel
}

// placesView is a page of places.
type placesView struct {
	Places []wholePlaceView `json:"places"`
	Next   *string          `json:"next"`
}

// wholePlaceView is one place.
type wholePlaceView struct {
	ID             halley.PlaceID    `json:"id"`
	Name           string            `json:"name"`
	OrganizationID int64             `json:"organization_id"`
	DeviceIDs      []halley.DeviceID `json:"device_ids"`
	Channels       []channelView     `json:"channels"`
}

func newWholePlaceView(p *Place) wholePlaceView {
	v := wholePlaceView{
		ID: p.ID, Name: p.Name, OrganizationID: p.Organization,
		DeviceIDs: []halley.DeviceID{}, Channels: make([]channelView, 0, len(p.Channels)),
	}
	for _, c := range p.Channels {
		if n := len(v.DeviceIDs); n == 0 || v.DeviceIDs[n-1] != c.DeviceID {
			v.DeviceIDs = append(v.DeviceIDs, c.DeviceID)
		}
		v.Channels = append(v.Channels, channelView{DeviceID: c.DeviceID, deviceChannel: newDeviceChannel(c)})
	}
	return v
}

// listPlaces lists places by id.
func (a *API) listPlaces(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "after", "limit")
	after := q.number("after", 0, 1<<62, 0)
	limit := int(q.number("limit", 1, placesMost, placesUsual))
	if q.err != nil {
		return q.err
	}
	places, err := a.Places.Places(r.Context(), halley.PlaceID(after), limit+1)
	if err != nil {
		return err
	}
	var page placesView
	if len(places) > limit {
		places = places[:limit]
		next := strconv.FormatInt(int64(places[limit-1].ID), 10)
		page.Next = &next
	}
	page.Places = make([]wholePlaceView, 0, len(places))
	for i := range places {
		page.Places = append(page.Places, newWholePlaceView(&places[i]))
	}
	return writeJSON(w, page)
}

// getPlace gives one place. 404 where it is not there.
func (a *API) getPlace(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	places, err := a.Places.Places(r.Context(), halley.PlaceID(id-1), 1)
	if err != nil {
		return err
	}
	if len(places) == 0 || places[0].ID != halley.PlaceID(id) {
		return &halley.Error{Kind: halley.NotFound, Op: "find a place", Message: "there is no place with this id"}
	}
	return writeJSON(w, newWholePlaceView(&places[0]))
}
