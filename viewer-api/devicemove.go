package viewerapi

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// acceptRequest is the body of accepting a device. Where it comes to be counts only the first time.
type acceptRequest struct {
	Name   *string `json:"name"`
	Reason string  `json:"reason"`
	// OrganizationID is the node of a new place, or of the device where it comes to no place.
	OrganizationID *halley.OrganizationID `json:"organization_id"`
	// PlaceID is a place that is there, or 0 for none; Place the name of a new one.
	PlaceID *halley.PlaceID `json:"place_id"`
	Place   *string         `json:"place"`
}

// acceptDevice has a device's uploads recorded from now on, and what lies in quarantine of it, and says where it comes to be. 404 where it
// is not there, 409 where its state does not allow it.
func (a *API) acceptDevice(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in acceptRequest
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	if err = cmp.Or(checkName(in.Name), checkReason(in.Reason, false)); err != nil {
		return err
	}
	placing, err := in.placing(rightsOf(r))
	if err != nil {
		return err
	}
	accepted := halley.DeviceAccepted
	u := storage.DeviceUpdate{State: &accepted, Name: in.Name, Placing: placing}
	d, err := a.Registry.ChangeDevice(r.Context(), halley.DeviceID(id), u, change(r, halley.MillisOf(time.Now()), in.Reason))
	if err != nil {
		return err
	}
	return a.writeDevice(w, a.renewed(r), d)
}

// placing says where the device comes to be; nil where nothing is said of it. Whoever says it needs the right to attach devices at a place
// that is there, to change places where a new one is made, and to change devices where it comes to none.
func (in *acceptRequest) placing(rights directory.Rights) (*storage.Placing, error) {
	if in.OrganizationID == nil && in.PlaceID == nil && in.Place == nil {
		return nil, nil //nolint:nilnil // nil is nothing said, as the comment says
	}
	p := storage.Placing{PlaceID: in.PlaceID, OrganizationID: halley.RootOrganization}
	if in.OrganizationID != nil {
		p.OrganizationID = *in.OrganizationID
	}
	node := thing{scopeOrganization, int64(p.OrganizationID)}
	switch {
	case in.PlaceID != nil && in.Place != nil:
		return nil, invalid("place", "name a new place, or give the id of one that is there, not both")
	case in.PlaceID != nil && *in.PlaceID != 0 && in.OrganizationID != nil:
		return nil, invalid("organization_id", "leave this out: the place has its organization")
	case in.PlaceID != nil && *in.PlaceID != 0:
		return &p, thing{scopePlace, int64(*in.PlaceID)}.allow(rights, halley.PermitDeviceAttach)
	case in.PlaceID != nil:
		return &p, node.allow(rights, halley.PermitDeviceChange)
	}
	if in.Place != nil {
		p.PlaceName = strings.TrimSpace(*in.Place)
		if err := checkName(in.Place); err != nil {
			return nil, invalid("place", "write a name of 1 to 200 characters without control characters")
		}
	}
	return &p, node.allow(rights, halley.PermitPlaceChange)
}

// moveDevice gives a device that is at no place to an organization, which takes the right to change devices there too. 404 where one of
// them is not there, 409 where the device is at a place.
func (a *API) moveDevice(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in struct {
		OrganizationID halley.OrganizationID `json:"organization_id"`
		Why            string                `json:"why"`
	}
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	if in.OrganizationID < 1 {
		return invalid("organization_id", "say to which organization it belongs from now on")
	}
	if err = (thing{scopeOrganization, int64(in.OrganizationID)}).allow(rightsOf(r), halley.PermitDeviceChange); err != nil {
		return err
	}
	if err = checkWhy(in.Why, true); err != nil {
		return err
	}
	d, err := a.Tree.MoveDevice(r.Context(), halley.DeviceID(id), in.OrganizationID, change(r, halley.MillisOf(time.Now()), in.Why))
	if err != nil {
		return err
	}
	return a.writeDevice(w, a.renewed(r), d)
}
