package viewerapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"halley"
	"halley/server/people"
)

// grantRole gives somebody a role at a node or a place.
func (a *API) grantRole(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in struct {
		grantRequest
		Why string `json:"why"`
	}
	if err := readReasoned(w, r, &in, &in.Why); err != nil {
		return err
	}
	g, err := a.People.Rules.Grant(r.Context(), in.grant(halley.PersonID(id)), by(r, in.Why))
	if err != nil {
		return err
	}
	return writeCreated(w, newGrantView(a.Directory.Directory(), g))
}

// endGrant takes a role from somebody.
func (a *API) endGrant(w http.ResponseWriter, r *http.Request) error {
	return a.aboutPerson(w, r, func(id halley.PersonID, by people.By) error {
		grant, err := strconv.ParseInt(mux.Vars(r)["grant"], 10, 64)
		if err != nil {
			grant = 0 // None has this number.
		}
		return done(w, a.People.Rules.EndGrant(r.Context(), id, grant, by))
	})
}

// rightsView is what somebody could do at an instant.
type rightsView struct {
	At            Time               `json:"at"`
	State         halley.PersonState `json:"state"`
	Shared        bool               `json:"shared"`
	Grants        []grantView        `json:"grants"`
	Organizations []nodeRightsView   `json:"organizations"`
	Places        []placeRightsView  `json:"places"`
}

// nodeRightsView is what is held at a node and below it.
type nodeRightsView struct {
	ID          halley.OrganizationID `json:"id"`
	Path        string                `json:"path"`
	Permissions []halley.Permission   `json:"permissions"`
}

// placeRightsView is what is held at a place that a role names.
type placeRightsView struct {
	ID             halley.PlaceID        `json:"id"`
	Name           string                `json:"name"`
	OrganizationID halley.OrganizationID `json:"organization_id"`
	Permissions    []halley.Permission   `json:"permissions"`
}

// getPersonRights tells what somebody may do now, or could do at an instant.
func (a *API) getPersonRights(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	q := newQuery(r, "at")
	now := halley.MillisOf(time.Now())
	at := q.instant("at", now)
	if q.err == nil && at > now {
		q.fail("at", "choose an instant that is not in the future")
	}
	if q.err != nil {
		return q.err
	}
	asOf := at
	if q.values.Get("at") == "" {
		asOf = 0
	}
	rights := rightsOf(r)
	report, err := a.People.Rules.RightsAt(halley.PersonID(id), asOf, rights)
	if err != nil {
		return err
	}
	s := a.Directory.Directory()
	if asOf != 0 {
		s = s.AsOf(asOf)
	}
	v := rightsView{
		At: Time(at), State: report.Person.State, Shared: report.Person.Shared, Grants: grantViews(s, rights, report.Grants),
		Organizations: make([]nodeRightsView, 0, len(report.Nodes)), Places: make([]placeRightsView, 0, len(report.Places)),
	}
	for _, n := range report.Nodes {
		v.Organizations = append(v.Organizations, nodeRightsView(n))
	}
	for _, p := range report.Places {
		v.Places = append(v.Places, placeRightsView{ID: p.ID, Name: p.Name, OrganizationID: p.Node, Permissions: p.Permissions})
	}
	return writeJSON(w, v)
}
