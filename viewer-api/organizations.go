package viewerapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

const (
	// zoneRunes bounds the name of a time zone.
	zoneRunes = 100
)

// organizationView is a node of the tree.
type organizationView struct {
	ID halley.OrganizationID `json:"id"`
	// ParentID is null for the root, and where the caller cannot see the node above.
	ParentID    *halley.OrganizationID `json:"parent_id"`
	Name        string                 `json:"name"`
	Path        string                 `json:"path"`
	TimeZone    string                 `json:"time_zone"`
	OwnTimeZone string                 `json:"own_time_zone"`
	Places      int                    `json:"places"`
	Devices     int                    `json:"devices"`
	Closed      bool                   `json:"closed"`
}

// organizationsView is the tree as far as a caller sees it.
type organizationsView struct {
	At            Time               `json:"at"`
	Organizations []organizationView `json:"organizations"`
}

// countsAll says whether a caller is told how many things a node has in all: who may see all those of the sort there, or what is counted
// for licence and cost. Others are told of how many of them they may see.
func countsAll(rights directory.Rights, sees halley.Permission, id halley.OrganizationID) bool {
	return rights.AtOrganization(sees, id) || rights.AtOrganization(halley.PermitUsageRead, id)
}

// openPlaces counts the open places of a node that a caller is told of.
func openPlaces(rights directory.Rights, tree *treeFacts, id halley.OrganizationID) int {
	open := tree.open[id]
	if len(open) == 0 || countsAll(rights, halley.PermitPlaceRead, id) {
		return len(open)
	}
	n := 0
	for _, place := range open {
		if rights.AtPlace(halley.PermitPlaceRead, place) {
			n++
		}
	}
	return n
}

// devicesByNode counts the devices that belong to each node itself, as far as the caller is told of them.
func (a *API) devicesByNode(ctx context.Context, rights directory.Rights, state *directory.State) (map[halley.OrganizationID]int, error) {
	devices, err := a.Registry.Devices(ctx, storage.DeviceFilter{})
	if err != nil {
		return nil, err
	}
	counts, all := make(map[halley.OrganizationID]int), make(map[halley.OrganizationID]bool)
	for i := range devices {
		id := nodeOf(state, &devices[i])
		told, known := all[id]
		if !known {
			told = countsAll(rights, halley.PermitDeviceRead, id)
			all[id] = told
		}
		if told || rights.AtDevice(halley.PermitDeviceRead, devices[i].ID) {
			counts[id]++
		}
	}
	return counts, nil
}

// listOrganizations lists the nodes that the caller may see, by path; as of an instant where ?at= names one.
func (a *API) listOrganizations(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "at", "closed")
	at, closed := q.instant("at", halley.MillisOf(time.Now())), q.flag("closed")
	if q.err != nil {
		return q.err
	}
	rights := rightsOf(r)
	tree := a.tree.of(rights.State())
	if q.values.Get("at") != "" {
		tree = newTreeFacts(tree.state.AsOf(at))
	}
	devices, err := a.devicesByNode(r.Context(), rights, tree.state)
	if err != nil {
		return err
	}
	v := organizationsView{At: Time(at), Organizations: []organizationView{}}
	for _, o := range tree.state.Organizations() {
		if tree.state.Path(o.ID) != "" && (closed || !o.Closed) && rights.AtOrganization(halley.PermitOrganizationRead, o.ID) {
			view := viewOfOrganization(rights, tree, o)
			view.Devices = devices[o.ID]
			v.Organizations = append(v.Organizations, view)
		}
	}
	slices.SortFunc(v.Organizations, func(x, y organizationView) int {
		return cmp.Or(strings.Compare(x.Path, y.Path), cmp.Compare(x.ID, y.ID))
	})
	return writeJSON(w, v)
}

// viewOfOrganization shows a node, without its devices.
func viewOfOrganization(rights directory.Rights, tree *treeFacts, o halley.Organization) organizationView {
	v := organizationView{
		ID: o.ID, Name: o.Name, Path: tree.state.Path(o.ID), TimeZone: tree.state.Zone(o.ID), OwnTimeZone: o.TimeZone,
		Places: openPlaces(rights, tree, o.ID), Closed: o.Closed,
	}
	if o.ParentID != 0 && rights.AtOrganization(halley.PermitOrganizationRead, o.ParentID) {
		v.ParentID = &o.ParentID
	}
	return v
}

// getOrganization gives one node. 404 where it is not there.
func (a *API) getOrganization(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return a.writeOrganization(w, r, halley.OrganizationID(id), http.StatusOK)
}

// writeOrganization answers with one node.
func (a *API) writeOrganization(w http.ResponseWriter, r *http.Request, id halley.OrganizationID, status int) error {
	rights := rightsOf(r)
	o, ok := rights.State().Organization(id)
	if !ok {
		return thing{scopeOrganization, int64(id)}.missing()
	}
	devices, err := a.devicesByNode(r.Context(), rights, rights.State())
	if err != nil {
		return err
	}
	v := viewOfOrganization(rights, a.tree.of(rights.State()), o)
	v.Devices = devices[id]
	if status == http.StatusCreated {
		return writeCreated(w, v)
	}
	return writeJSON(w, v)
}

// addOrganization makes a node below another. 404 where that one is not there or closed, 409 where it has an open node of that name.
func (a *API) addOrganization(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		ParentID halley.OrganizationID `json:"parent_id"`
		Name     string                `json:"name"`
		TimeZone string                `json:"time_zone"`
		Why      string                `json:"why"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if in.ParentID < 1 {
		return invalid("parent_id", "say below which organization")
	}
	if err := (thing{scopeOrganization, int64(in.ParentID)}).allow(rightsOf(r), halley.PermitOrganizationChange); err != nil {
		return err
	}
	if err := cmp.Or(checkNodeName(in.Name), checkZone(in.TimeZone), checkWhy(in.Why, false)); err != nil {
		return err
	}
	o := halley.Organization{ParentID: in.ParentID, Name: in.Name, TimeZone: in.TimeZone}
	o, err := a.Tree.AddOrganization(r.Context(), o, change(r, halley.MillisOf(time.Now()), in.Why))
	if err != nil {
		return err
	}
	return a.writeOrganization(w, a.renewed(r), o.ID, http.StatusCreated)
}

// changeOrganization renames, moves or closes a node, or gives it a time zone. A node is moved by whoever may change it and both the node
// above and the one that it comes below. 404 where one of them is not there, 409 where the tree does not allow it.
func (a *API) changeOrganization(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in struct {
		Name     *string                `json:"name"`
		TimeZone *string                `json:"time_zone"`
		ParentID *halley.OrganizationID `json:"parent_id"`
		Closed   *bool                  `json:"closed"`
		Why      string                 `json:"why"`
	}
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	rights, node := rightsOf(r), halley.OrganizationID(id)
	if in.ParentID != nil && node != halley.RootOrganization { // That the root cannot be moved is for the store to say.
		o, _ := rights.State().Organization(node)
		for _, end := range []halley.OrganizationID{*in.ParentID, o.ParentID} {
			if err = (thing{scopeOrganization, int64(end)}).allow(rights, halley.PermitOrganizationChange); err != nil {
				return err
			}
		}
	}
	u := storage.OrganizationUpdate{ParentID: in.ParentID, Name: in.Name, TimeZone: in.TimeZone, Closed: in.Closed}
	if u == (storage.OrganizationUpdate{}) {
		return invalid("", "say what to change: name, time_zone, parent_id or closed")
	}
	if in.Name != nil && (*in.Name != "" || node != halley.RootOrganization) {
		err = checkNodeName(*in.Name)
	}
	if in.TimeZone != nil {
		err = cmp.Or(err, checkZone(*in.TimeZone))
	}
	if err = cmp.Or(err, checkWhy(in.Why, true)); err != nil {
		return err
	}
	if _, err = a.Tree.ChangeOrganization(r.Context(), node, u, change(r, halley.MillisOf(time.Now()), in.Why)); err != nil {
		return err
	}
	return a.writeOrganization(w, a.renewed(r), node, http.StatusOK)
}

// checkNodeName checks the name of a node, which is a part of a path.
func checkNodeName(name string) error {
	if err := checkName(&name); err != nil {
		return err
	}
	if strings.Contains(name, "/") {
		return invalid("name", `write a name without "/": it parts the names of a path`)
	}
	return nil
}

// checkZone checks the name of a time zone; "" is that of the node above.
func checkZone(zone string) error {
	if zone == "" {
		return nil
	}
	_, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" || utf8.RuneCountInString(zone) > zoneRunes {
		return invalid("time_zone", "write the name of a time zone such as Europe/Prague, or nothing to take that of the organization above")
	}
	return nil
}
