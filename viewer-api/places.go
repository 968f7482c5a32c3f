package viewerapi

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// placesUsual and placesMost are how many places a list holds.
const placesUsual, placesMost = 200, 10_000

// placesView is a page of places: of wholePlaceView or leanPlaceView.
type placesView[V any] struct {
	Places []V     `json:"places"`
	Next   *string `json:"next"`
}

// leanPlaceView is what a list of thousands of places needs of one. The channels are those that are there now, ChannelIDs and SeriesIDs
// in the same order.
type leanPlaceView struct {
	ID             halley.PlaceID        `json:"id"`
	Name           string                `json:"name"`
	OrganizationID halley.OrganizationID `json:"organization_id"`
	Closed         bool                  `json:"closed"`
	DeviceIDs      []halley.DeviceID     `json:"device_ids"`
	ChannelIDs     []halley.ChannelID    `json:"channel_ids"`
	SeriesIDs      []halley.ChannelID    `json:"series_ids"`
}

// wholePlaceView is one place with the channels that are there now.
type wholePlaceView struct {
	ID             halley.PlaceID        `json:"id"`
	Name           string                `json:"name"`
	OrganizationID halley.OrganizationID `json:"organization_id"`
	// Organization is the path of the node.
	Organization string            `json:"organization"`
	TimeZone     string            `json:"time_zone"`
	Closed       bool              `json:"closed"`
	DeviceIDs    []halley.DeviceID `json:"device_ids"`
	Channels     []channelView     `json:"channels"`
}

// stayNow is a channel that is at a place now and has not ended.
type stayNow struct {
	channel halley.Channel
	series  halley.ChannelID
}

// staysNow lists what is at a place now, by device, then number.
func staysNow(state *directory.State, id halley.PlaceID, now halley.Millis) []stayNow {
	var list []stayNow
	for _, span := range state.Attached(id, now) {
		if c, ok := state.Channel(span.Channel); ok && !c.Ended {
			list = append(list, stayNow{c, span.Series})
		}
	}
	slices.SortFunc(list, func(x, y stayNow) int {
		a, b := &x.channel, &y.channel
		return cmp.Or(cmp.Compare(a.DeviceID, b.DeviceID), cmp.Compare(a.Number, b.Number), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func newWholePlaceView(state *directory.State, p halley.Place, now halley.Millis) wholePlaceView {
	v := wholePlaceView{
		ID: p.ID, Name: p.Name, OrganizationID: p.OrganizationID, Organization: state.Path(p.OrganizationID),
		TimeZone: state.Zone(p.OrganizationID), Closed: p.Closed, DeviceIDs: []halley.DeviceID{}, Channels: []channelView{},
	}
	for _, s := range staysNow(state, p.ID, now) {
		v.DeviceIDs = withDevice(v.DeviceIDs, s.channel.DeviceID)
		v.Channels = append(v.Channels, channelView{DeviceID: s.channel.DeviceID, deviceChannel: newDeviceChannel(s.channel)})
	}
	return v
}

func newLeanPlaceView(state *directory.State, p halley.Place, now halley.Millis) leanPlaceView {
	v := leanPlaceView{
		ID: p.ID, Name: p.Name, OrganizationID: p.OrganizationID, Closed: p.Closed,
		DeviceIDs: []halley.DeviceID{}, ChannelIDs: []halley.ChannelID{}, SeriesIDs: []halley.ChannelID{},
	}
	for _, s := range staysNow(state, p.ID, now) {
		v.DeviceIDs = withDevice(v.DeviceIDs, s.channel.DeviceID)
		v.ChannelIDs, v.SeriesIDs = append(v.ChannelIDs, s.channel.ID), append(v.SeriesIDs, s.series)
	}
	return v
}

// withDevice adds a device to a list that is in order, once.
func withDevice(list []halley.DeviceID, id halley.DeviceID) []halley.DeviceID {
	if n := len(list); n > 0 && list[n-1] == id {
		return list
	}
	return append(list, id)
}

// listPlaces lists the places that the caller may see, by id. 404 where ?organization_id= is none that it may see.
func (a *API) listPlaces(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "organization_id", "sub", "q", "closed", "fields", "after", "limit")
	after := halley.PlaceID(q.number("after", 0, 1<<62, 0))
	limit := int(q.number("limit", 1, placesMost, placesUsual))
	search, closed, lean := strings.ToLower(q.text("q", nameRunes)), q.flag("closed"), q.word("fields", "lean") != ""
	rights := rightsOf(r)
	within, err := q.organizations(rights, halley.PermitPlaceRead)
	if err != nil {
		return err
	}
	all, state := rights.Everywhere(halley.PermitPlaceRead), rights.State()
	list := func() any {
		var kept []halley.Place
		for _, p := range a.tree.placesOf(state) {
			if p.ID <= after || p.Closed && !closed || within != nil && !within(p.OrganizationID) ||
				search != "" && !strings.Contains(strings.ToLower(p.Name), search) ||
				!all && !rights.AtPlace(halley.PermitPlaceRead, p.ID) {
				continue
			}
			if kept = append(kept, p); len(kept) > limit {
				break
			}
		}
		if lean {
			return newPlacesView(state, kept, limit, newLeanPlaceView)
		}
		return newPlacesView(state, kept, limit, newWholePlaceView)
	}
	if all {
		return a.writeForAll(w, r, state, list)
	}
	return writeTagged(w, r, func() ([]byte, error) { return json.Marshal(list()) })
}

// newPlacesView gives the first limit of some places; one more says that there is a next page.
func newPlacesView[V any](
	state *directory.State, places []halley.Place, limit int, view func(*directory.State, halley.Place, halley.Millis) V,
) placesView[V] {
	var page placesView[V]
	if len(places) > limit {
		places = places[:limit]
		next := strconv.FormatInt(int64(places[limit-1].ID), 10)
		page.Next = &next
	}
	now := halley.MillisOf(time.Now())
	page.Places = make([]V, 0, len(places))
	for _, p := range places {
		page.Places = append(page.Places, view(state, p, now))
	}
	return page
}

// getPlace gives one place with its history. 404 where it is not there.
func (a *API) getPlace(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return a.writePlace(w, r, halley.PlaceID(id), http.StatusOK)
}

// addPlace makes a place that belongs to an organization. 404 where that one is not there or closed.
func (a *API) addPlace(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		OrganizationID halley.OrganizationID `json:"organization_id"`
		Name           string                `json:"name"`
		Why            string                `json:"why"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if in.OrganizationID < 1 {
		return invalid("organization_id", "say which organization it belongs to")
	}
	if err := (thing{scopeOrganization, int64(in.OrganizationID)}).allow(rightsOf(r), halley.PermitPlaceChange); err != nil {
		return err
	}
	if err := cmp.Or(checkName(&in.Name), checkWhy(in.Why, false)); err != nil {
		return err
	}
	p, err := a.Tree.AddPlace(r.Context(), halley.Place{OrganizationID: in.OrganizationID, Name: in.Name},
		change(r, halley.MillisOf(time.Now()), in.Why))
	if err != nil {
		return err
	}
	return a.writePlace(w, a.renewed(r), p.ID, http.StatusCreated)
}

// changePlace renames a place, closes it, or gives it to another organization, which takes the right to change places there too. 404
// where one of them is not there, 409 where something is at a place that would be closed.
func (a *API) changePlace(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in struct {
		Name           *string                `json:"name"`
		OrganizationID *halley.OrganizationID `json:"organization_id"`
		Closed         *bool                  `json:"closed"`
		Why            string                 `json:"why"`
	}
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	if in.OrganizationID != nil {
		if err = (thing{scopeOrganization, int64(*in.OrganizationID)}).allow(rightsOf(r), halley.PermitPlaceChange); err != nil {
			return err
		}
	}
	u := storage.PlaceUpdate{OrganizationID: in.OrganizationID, Name: in.Name, Closed: in.Closed}
	if u == (storage.PlaceUpdate{}) {
		return invalid("", "say what to change: name, organization_id or closed")
	}
	if err = cmp.Or(checkName(in.Name), checkWhy(in.Why, true)); err != nil {
		return err
	}
	if _, err = a.Tree.ChangePlace(r.Context(), halley.PlaceID(id), u, change(r, halley.MillisOf(time.Now()), in.Why)); err != nil {
		return err
	}
	return a.writePlace(w, a.renewed(r), halley.PlaceID(id), http.StatusOK)
}

// placeWithHistory is a place with what was measured there, and by what.
type placeWithHistory struct {
	wholePlaceView
	Series []seriesView `json:"series"`
	Swaps  []swapView   `json:"swaps"`
}

// writePlace answers with one place.
func (a *API) writePlace(w http.ResponseWriter, r *http.Request, id halley.PlaceID, status int) error {
	state := rightsOf(r).State()
	p, ok := state.Place(id)
	if !ok {
		return thing{scopePlace, int64(id)}.missing()
	}
	swaps, err := a.swapsAt(r.Context(), id)
	if err != nil {
		return err
	}
	v := placeWithHistory{newWholePlaceView(state, p, halley.MillisOf(time.Now())), viewsOfSeries(rightsOf(r), seriesAt(state, id)), swaps}
	if status == http.StatusCreated {
		return writeCreated(w, v)
	}
	return writeJSON(w, v)
}

// swapsShown is how many swaps of a place are shown, the newest.
const swapsShown = 100

// swapsAt lists the newest swaps at a place, oldest first. While the database that has them is away there are none to show, and a place
// is worth showing without them.
func (a *API) swapsAt(ctx context.Context, id halley.PlaceID) ([]swapView, error) {
	views := []swapView{}
	acts, err := a.Audit.AuditWhere(ctx, storage.AuditFilter{What: "device.swap", On: thing{scopePlace, int64(id)}.String(), Limit: swapsShown})
	if err != nil && halley.KindOf(err) != halley.Unavailable {
		return nil, err
	}
	for i := range acts {
		if v, ok := viewOfSwap(&acts[i]); ok {
			views = append(views, v)
		}
	}
	slices.SortStableFunc(views, func(x, y swapView) int { return cmp.Compare(x.At, y.At) })
	return views, nil
}
