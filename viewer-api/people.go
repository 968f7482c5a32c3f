package viewerapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"halley"
	"halley/server/access"
	"halley/server/directory"
	"halley/server/people"
	"halley/storage"
)

const (
	// peopleUsual and peopleMost are how many people a list holds.
	peopleUsual, peopleMost = 100, 1000
)

// personView is one account.
type personView struct {
	ID             halley.PersonID       `json:"id"`
	Name           string                `json:"name"`
	FullName       string                `json:"full_name"`
	Email          string                `json:"email"`
	State          halley.PersonState    `json:"state"`
	Shared         bool                  `json:"shared"`
	Source         halley.SignInSource   `json:"source"`
	OrganizationID halley.OrganizationID `json:"organization_id"`
	Organization   string                `json:"organization"`
	CreatedAt      Time                  `json:"created_at"`
	LastSignInAt   Time                  `json:"last_sign_in_at"`
	SecondFactor   bool                  `json:"second_factor"`
	Grants         []grantView           `json:"grants"`
}

// personWithTokens is one account by itself, with the tokens that it made and that count; null while they cannot be read.
type personWithTokens struct {
	personView
	Tokens []tokenView `json:"tokens"`
}

// grantView is a role that somebody has somewhere.
type grantView struct {
	ID             int64                 `json:"id"`
	Role           halley.Role           `json:"role"`
	OrganizationID halley.OrganizationID `json:"organization_id"`
	Organization   string                `json:"organization"`
	PlaceID        *halley.PlaceID       `json:"place_id"`
	Place          *string               `json:"place"`
	From           Time                  `json:"from"`
}

func newGrantView(s *directory.State, g halley.Grant) grantView {
	v := grantView{
		ID: g.ID, Role: g.Role, OrganizationID: g.OrganizationID, Organization: s.Path(g.OrganizationID), From: Time(g.From),
	}
	if g.PlaceID != 0 {
		place, _ := s.Place(g.PlaceID)
		v.PlaceID, v.Place = &g.PlaceID, &place.Name
	}
	return v
}

// newPersonView shows an account. Grants at nodes that the caller may not know of are left out.
func newPersonView(s *directory.State, rights directory.Rights, p halley.Person) personView {
	d := s.Detail(p.ID)
	v := personView{
		ID: p.ID, Name: p.Name, FullName: d.FullName, Email: d.Email, State: p.State, Shared: p.Shared, Source: p.Source,
		OrganizationID: p.OrganizationID, Organization: s.Path(p.OrganizationID), CreatedAt: Time(p.CreatedAt),
		LastSignInAt: Time(d.LastSignInAt),
		SecondFactor: len(s.Secrets(p.ID, storage.SecretTOTP))+len(s.Secrets(p.ID, storage.SecretPasskey)) > 0,
	}
	v.Grants = grantViews(s, rights, s.Grants(p.ID))
	return v
}

func grantViews(s *directory.State, rights directory.Rights, grants []halley.Grant) []grantView {
	list := make([]grantView, 0, len(grants))
	for _, g := range grants {
		if people.SeesNode(rights, g.OrganizationID) {
			list = append(list, newGrantView(s, g))
		}
	}
	return list
}

// by gives who changes something about people, with what rights, when and why.
func by(r *http.Request, why string) people.By {
	caller, _ := access.CallerFrom(r.Context())
	return people.By{Change: change(r, halley.MillisOf(time.Now()), why), Person: caller.PersonID, Rights: caller.Rights}
}

// listPeople lists the people of the nodes that the caller may see, by id. Who was deleted is listed only where that is asked for.
func (a *API) listPeople(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "organization_id", "sub", "q", "state", "after", "limit")
	like := strings.ToLower(q.text("q", nameRunes))
	state := halley.PersonState(q.word("state", string(halley.PersonInvited), string(halley.PersonActive),
		string(halley.PersonDisabled), string(halley.PersonDeleted)))
	after := halley.PersonID(q.number("after", 0, 1<<62, 0))
	limit := int(q.number("limit", 1, peopleMost, peopleUsual))
	rights := rightsOf(r)
	within, err := q.organizations(rights, halley.PermitPersonRead)
	if err != nil {
		return err
	}
	page := struct {
		People []personView `json:"people"`
		Next   *string      `json:"next"`
	}{People: []personView{}}
	s := rights.State()
	signIns, err := a.signIns(r.Context())
	if err != nil {
		return err
	}
	for _, p := range s.People() {
		switch d := s.Detail(p.ID); {
		case p.ID <= after, state == "" && p.State == halley.PersonDeleted, state != "" && p.State != state,
			within != nil && !within(p.OrganizationID), !rights.AtPerson(halley.PermitPersonRead, p.ID),
			like != "" && !strings.Contains(strings.ToLower(p.Name+"\n"+d.FullName+"\n"+d.Email), like):
			continue
		}
		if len(page.People) == limit {
			next := strconv.FormatInt(int64(page.People[limit-1].ID), 10)
			page.Next = &next
			break
		}
		v := newPersonView(s, rights, p)
		v.LastSignInAt = max(v.LastSignInAt, signIns[p.ID])
		page.People = append(page.People, v)
	}
	return writeJSON(w, page)
}

// getPerson gives one account.
func (a *API) getPerson(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return a.writePerson(w, r, halley.PersonID(id))
}

// writePerson answers with an account as the newest copy has it.
func (a *API) writePerson(w http.ResponseWriter, r *http.Request, id halley.PersonID) error {
	s := a.Directory.Directory()
	p, there := s.Person(id)
	if !there {
		return thing{scopePerson, int64(id)}.missing()
	}
	signIns, err := a.signIns(r.Context())
	if err != nil {
		return err
	}
	v := personWithTokens{personView: newPersonView(s, rightsOf(r), p)}
	v.LastSignInAt = max(v.LastSignInAt, signIns[id])
	if v.Tokens, err = a.tokensOf(r.Context(), rightsOf(r), id, halley.MillisOf(time.Now())); err != nil {
		return err
	}
	return writeJSON(w, v)
}

// signIns says when people signed in last. The directory does not follow that, for then every sign-in would have each server copy it
// anew; while the store is away what it knows has to do.
func (a *API) signIns(ctx context.Context) (map[halley.PersonID]Time, error) {
	list, err := a.People.Records.PersonDetails(ctx)
	if err != nil && halley.KindOf(err) != halley.Unavailable {
		return nil, err
	}
	at := make(map[halley.PersonID]Time, len(list))
	for i := range list {
		at[list[i].PersonID] = Time(list[i].LastSignInAt)
	}
	return at, nil
}

// invitedView is a one-time link, shown this once. Person is left out where it is known.
type invitedView struct {
	Person *personView `json:"person,omitempty"`
	Link   string      `json:"link"`
	Until  Time        `json:"until"`
	Mailed bool        `json:"mailed"`
}

// grantRequest is a role that somebody is to have.
type grantRequest struct {
	Role           halley.Role           `json:"role"`
	OrganizationID halley.OrganizationID `json:"organization_id"`
	PlaceID        halley.PlaceID        `json:"place_id"`
}

func (g grantRequest) grant(id halley.PersonID) halley.Grant {
	return halley.Grant{PersonID: id, Role: g.Role, OrganizationID: g.OrganizationID, PlaceID: g.PlaceID}
}

// invitePerson adds an account with its first roles and gives the link of its first sign-in. 404 for a node that the caller does not
// see, 403 for roles that it may not give, 409 where the name is or was used.
func (a *API) invitePerson(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name           string                `json:"name"`
		FullName       string                `json:"full_name"`
		Email          string                `json:"email"`
		OrganizationID halley.OrganizationID `json:"organization_id"`
		Shared         bool                  `json:"shared"`
		Grants         []grantRequest        `json:"grants"`
		Why            string                `json:"why"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if err := checkWhy(in.Why, false); err != nil {
		return err
	}
	n := storage.NewPerson{
		Person:       halley.Person{Name: in.Name, OrganizationID: in.OrganizationID, Shared: in.Shared},
		PersonDetail: halley.PersonDetail{FullName: in.FullName, Email: in.Email},
	}
	for _, g := range in.Grants {
		n.Grants = append(n.Grants, g.grant(0))
	}
	got, err := a.People.Rules.Invite(r.Context(), n, by(r, in.Why))
	if err != nil {
		return err
	}
	v := newPersonView(a.Directory.Directory(), rightsOf(r), got.Person)
	return writeCreated(w, invitedView{Person: &v, Link: got.Link.URL.Reveal(), Until: Time(got.Link.Until), Mailed: got.Mailed})
}

// changePerson changes an account. Of their own nobody changes more than name and address for mail.
func (a *API) changePerson(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in struct {
		FullName       *string                `json:"full_name"`
		Email          *string                `json:"email"`
		State          *halley.PersonState    `json:"state"`
		Shared         *bool                  `json:"shared"`
		OrganizationID *halley.OrganizationID `json:"organization_id"`
		Why            string                 `json:"why"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	u := storage.PersonUpdate{
		State: in.State, OrganizationID: in.OrganizationID, Shared: in.Shared, FullName: in.FullName, Email: in.Email,
	}
	if u == (storage.PersonUpdate{}) {
		return invalid("", "say what to change: full_name, email, state, shared or organization_id")
	}
	if err := checkWhy(in.Why, true); err != nil {
		return err
	}
	if _, err := a.People.Rules.Change(r.Context(), halley.PersonID(id), u, by(r, in.Why)); err != nil {
		return err
	}
	return a.writePerson(w, r, halley.PersonID(id))
}

// aboutPerson reads the id of the path and the reason, and does something about that person.
func (a *API) aboutPerson(w http.ResponseWriter, r *http.Request, do func(id halley.PersonID, by people.By) error) error {
	id, why, err := pathReasoned(w, r)
	if err != nil {
		return err
	}
	return do(halley.PersonID(id), by(r, why))
}

// deletePerson erases an account but for its name.
func (a *API) deletePerson(w http.ResponseWriter, r *http.Request) error {
	return a.aboutPerson(w, r, func(id halley.PersonID, by people.By) error {
		return done(w, a.People.Rules.Delete(r.Context(), id, by))
	})
}

// resetPerson makes a link by which somebody chooses another password.
func (a *API) resetPerson(w http.ResponseWriter, r *http.Request) error {
	return a.aboutPerson(w, r, func(id halley.PersonID, by people.By) error {
		got, err := a.People.Rules.Reset(r.Context(), id, by)
		if err != nil {
			return err
		}
		return writeJSON(w, invitedView{Link: got.Link.URL.Reveal(), Until: Time(got.Link.Until), Mailed: got.Mailed})
	})
}

// removeSecondFactor takes somebody's second factors away.
func (a *API) removeSecondFactor(w http.ResponseWriter, r *http.Request) error {
	return a.aboutPerson(w, r, func(id halley.PersonID, by people.By) error {
		return done(w, a.People.Rules.RemoveFactors(r.Context(), id, by))
	})
}

// done answers 204 where there is no error.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
