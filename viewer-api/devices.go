package viewerapi

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

const (
	// devicesUsual and devicesMost are how many devices a list holds.
	devicesUsual = 200
	devicesMost  = 1000
	// serialRunes is the longest serial number, in characters.
	serialRunes = 32
)

// deviceView is a device as the API shows it.
type deviceView struct {
	ID            halley.DeviceID    `json:"id"`
	Serial        string             `json:"serial"`
	Family        halley.Family      `json:"family"`
	Model         string             `json:"model"`
	Name          string             `json:"name"`
	State         halley.DeviceState `json:"state"`
	Simulated     bool               `json:"simulated"`
	FirstSeenAt   Time               `json:"first_seen_at"`
	LastMessageAt Time               `json:"last_message_at"`
	Interval      *int               `json:"interval"`
	Silent        bool               `json:"silent"`
	// OrganizationID is the node that it belongs to now.
	OrganizationID halley.OrganizationID `json:"organization_id"`
	Place          *placeView            `json:"place"`
	// Places is where it is and was; one device alone says it, a list does not.
	Places     []stayView      `json:"places,omitempty"`
	Channels   []deviceChannel `json:"channels"`
	Quarantine *heldView       `json:"quarantine"`
}

// placeView names a place.
type placeView struct {
	ID   halley.PlaceID `json:"id"`
	Name string         `json:"name"`
}

// devicesView is a page of devices.
type devicesView struct {
	Devices []deviceView `json:"devices"`
	Next    *string      `json:"next"`
}

// listDevices lists the devices that the caller may see, by id. 404 where ?organization_id= is none that it may see.
func (a *API) listDevices(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "serial", "family", "state", "ended", "organization_id", "sub", "place", "after", "limit")
	f := storage.DeviceFilter{
		Serial: q.text("serial", serialRunes),
		Family: halley.Family(q.word("family", string(halley.WebSensor), string(halley.WiFi), string(halley.TAx6xx), string(halley.Modem))),
		State: halley.DeviceState(q.word("state", string(halley.DeviceNew), string(halley.DeviceAccepted),
			string(halley.DeviceSuspended), string(halley.DeviceRejected), string(halley.DeviceRetired))),
		After: halley.DeviceID(q.number("after", 0, 1<<62, 0)),
	}
	limit := int(q.number("limit", 1, devicesMost, devicesUsual))
	ended, loose, rights := q.flag("ended"), q.word("place", "none") != "", rightsOf(r)
	within, err := q.organizations(rights, halley.PermitDeviceRead)
	if err != nil {
		return err
	}
	f.Limit = limit + 1 // One more tells whether there is a next page.
	devices, err := a.seenDevices(r.Context(), rights, f, deviceChoice{within: within, loose: loose})
	if err != nil {
		return err
	}
	var page devicesView
	if len(devices) > limit {
		devices = devices[:limit]
		next := strconv.FormatInt(int64(devices[limit-1].ID), 10)
		page.Next = &next
	}
	if page.Devices, err = a.deviceViews(r, devices, ended); err != nil {
		return err
	}
	return writeJSON(w, page)
}

// deviceChoice says which devices to keep besides a storage.DeviceFilter.
type deviceChoice struct {
	// within says of which nodes; nil is all.
	within func(halley.OrganizationID) bool
	// loose keeps only those that are accepted and at no place.
	loose bool
}

// seenDevices lists the devices that a filter lets through and the rights show.
func (a *API) seenDevices(ctx context.Context, rights directory.Rights, f storage.DeviceFilter, c deviceChoice) ([]halley.Device, error) {
	all := rights.Everywhere(halley.PermitDeviceRead)
	if all && c.within == nil && !c.loose {
		return a.Registry.Devices(ctx, f)
	}
	limit := f.Limit
	f.Limit = 0
	list, err := a.Registry.Devices(ctx, f)
	if err != nil {
		return nil, err
	}
	kept := make([]halley.Device, 0, min(max(limit, 0), len(list)))
	for i := range list {
		d := &list[i]
		if !all && !rights.AtDevice(halley.PermitDeviceRead, d.ID) || c.loose && (d.State != halley.DeviceAccepted || hasPlace(rights.State(), d)) ||
			c.within != nil && !c.within(nodeOf(rights.State(), d)) {
			continue
		}
		if kept = append(kept, *d); len(kept) == limit {
			break
		}
	}
	return kept, nil
}

// nodeOf gives the node that a device belongs to now.
func nodeOf(state *directory.State, d *halley.Device) halley.OrganizationID {
	if known, ok := state.Device(d.ID); ok {
		return known.OrganizationID
	}
	return cmp.Or(d.OrganizationID, halley.RootOrganization)
}

// hasPlace says whether a device, or any of its channels, is at a place.
func hasPlace(state *directory.State, d *halley.Device) bool {
	return d.PlaceID != 0 || len(state.DevicePlaces(d.ID)) > 0
}

// getDevice gives one device. 404 where it is not there.
func (a *API) getDevice(w http.ResponseWriter, r *http.Request) error {
	d, err := a.pathDevice(r)
	if err != nil {
		return err
	}
	return a.writeDevice(w, r, d)
}

// pathDevice gives the device that the path names.
func (a *API) pathDevice(r *http.Request) (halley.Device, error) {
	id, err := pathID(r)
	if err != nil {
		return halley.Device{}, err
	}
	return a.Registry.Device(r.Context(), halley.DeviceID(id))
}

// writeDevice answers with one device.
func (a *API) writeDevice(w http.ResponseWriter, r *http.Request, d halley.Device) error {
	views, err := a.deviceViews(r, []halley.Device{d}, false)
	if err != nil {
		return err
	}
	views[0].Places = staysOf(rightsOf(r), d.ID)
	return writeJSON(w, views[0])
}

// changeRequest is the body of a change of a device.
type changeRequest struct {
	Name   *string `json:"name"`
	Reason string  `json:"reason"`
}

// changeDevice renames a device. 404 where it is not there.
func (a *API) changeDevice(w http.ResponseWriter, r *http.Request) error {
	return a.change(w, r, false, func(in changeRequest) (storage.DeviceUpdate, error) {
		if in.Name == nil {
			return storage.DeviceUpdate{}, invalid("name", "say what to change: name")
		}
		return storage.DeviceUpdate{Name: in.Name}, nil
	})
}

// decide gives the handler that puts a device into a state for a reason. 404 where it is not there, 409 where its state does
// not allow it.
func (a *API) decide(state halley.DeviceState) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return a.change(w, r, true, func(in changeRequest) (storage.DeviceUpdate, error) {
			if in.Name != nil {
				return storage.DeviceUpdate{}, invalid("name", "a name cannot be given here: rename the device")
			}
			return storage.DeviceUpdate{State: &state}, nil
		})
	}
}

// releaseDevice has what lies in quarantine of an accepted device recorded. 404 where the device is not there, 409 where it is
// not accepted.
func (a *API) releaseDevice(w http.ResponseWriter, r *http.Request) error {
	d, err := a.pathDevice(r)
	if err != nil {
		return err
	}
	var in struct {
		Reason string `json:"reason"`
	}
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	if err = checkReason(in.Reason, true); err != nil {
		return err
	}
	if err = a.Uploads.Release(r.Context(), d, change(r, halley.MillisOf(time.Now()), in.Reason)); err != nil {
		return err
	}
	return a.writeDevice(w, r, d)
}

// change reads and checks a change, makes it, and answers with the device afterwards.
func (a *API) change(w http.ResponseWriter, r *http.Request, reason bool,
	update func(in changeRequest) (storage.DeviceUpdate, error),
) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in changeRequest
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	if err = checkName(in.Name); err != nil {
		return err
	}
	if err = checkReason(in.Reason, reason); err != nil {
		return err
	}
	u, err := update(in)
	if err != nil {
		return err
	}
	d, err := a.Registry.ChangeDevice(r.Context(), halley.DeviceID(id), u, change(r, halley.MillisOf(time.Now()), in.Reason))
	if err != nil {
		return err
	}
	return a.writeDevice(w, a.renewed(r), d)
}

// deviceViews gives devices as the API shows them to the caller.
func (a *API) deviceViews(r *http.Request, devices []halley.Device, ended bool) ([]deviceView, error) {
	ctx := r.Context()
	views := make([]deviceView, 0, len(devices))
	if len(devices) == 0 {
		return views, nil
	}
	channels, err := a.channelsOf(ctx, devices, ended)
	if err != nil {
		return nil, err
	}
	held, err := a.Uploads.Held(ctx)
	if err != nil {
		return nil, err
	}
	rights, now := rightsOf(r), halley.MillisOf(time.Now())
	for _, d := range devices {
		v := a.deviceView(d, now)
		v.OrganizationID = nodeOf(rights.State(), &d)
		if v.Channels = channels[d.ID]; v.Channels == nil {
			v.Channels = []deviceChannel{}
		}
		v.Place = seenPlace(rights, d.PlaceID)
		if h, ok := held[d.DeviceKey]; ok && seesHeld(rights, &d, &h) {
			if v.Quarantine, err = a.heldView(ctx, d.DeviceKey, h); err != nil {
				return nil, err
			}
			v.LastMessageAt = max(v.LastMessageAt, Time(h.LastAt))
		}
		views = append(views, v)
	}
	return views, nil
}

// deviceView gives what is known of a device without asking further.
func (a *API) deviceView(d halley.Device, now halley.Millis) deviceView {
	v := deviceView{
		ID: d.ID, Serial: d.Serial, Family: d.Family, Model: d.Model, Name: d.Name, State: d.State,
		Simulated: d.Simulated, FirstSeenAt: Time(d.FirstSeenAt),
	}
	m, known := a.Live.LatestOf(d.ID)
	if known {
		v.LastMessageAt = Time(m.HeardAt)
		v.Interval = wholeOrNull(m.Interval, m.Interval > 0)
	}
	v.Silent, _ = silence(d, m, known, now)
	return v
}

// wholeOrNull gives a number that may not be known.
func wholeOrNull(n int, known bool) *int {
	if !known {
		return nil
	}
	return &n
}

// seenPlace names a place to whoever may see it; nil for others, and for none.
func seenPlace(rights directory.Rights, id halley.PlaceID) *placeView {
	if !rights.AtPlace(halley.PermitPlaceRead, id) {
		return nil
	}
	p, _ := rights.State().Place(id)
	return &placeView{ID: id, Name: p.Name}
}
