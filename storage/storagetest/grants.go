package storagetest

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/storage"
)

func grantTests() []test {
	return []test{
		{"a grant begins and ends, and stays on record", grants},
		{"a grant names what is there and open", grantsOfNothing},
		{"a grant of a place names it and its organization", grantsOfPlaces},
		{"of grants of the same at one time one is added", racingGrants},
	}
}

// isAdministrator gives the grant of everything.
func isAdministrator() halley.Grant {
	return halley.Grant{Role: halley.Administrator, OrganizationID: halley.RootOrganization}
}

func lastAdministrator(t *testing.T, p *plot) {
	eva, adam := p.person(t, "eva", isAdministrator()), p.person(t, "adam", isAdministrator())
	grantOf := func(who halley.Person) int64 {
		for _, g := range p.grants(t, who.ID) {
			if g.To == 0 && g.Role == halley.Administrator {
				return g.ID
			}
		}
		t.Fatalf("%s is no administrator", who.Name)
		return 0
	}
	change := func(who halley.Person, u storage.PersonUpdate) error {
		_, err := p.ChangePerson(t.Context(), who.ID, u, By("eva"))
		return err
	}
	// These do not count: one at a node below, one who has not signed in yet, one account that several people use.
	node, err := p.AddOrganization(t.Context(), halley.Organization{ParentID: halley.RootOrganization, Name: p.name("Acme")}, By("eva"))
	must(t, "AddOrganization", err)
	p.person(t, "of a node", halley.Grant{Role: halley.Administrator, OrganizationID: node.ID})
	for name, spoil := range map[string]func(*storage.NewPerson){
		"invited": func(n *storage.NewPerson) { n.State = halley.PersonInvited },
		"shared":  func(n *storage.NewPerson) { n.Shared = true },
	} {
		n := NewPerson(p.name(name))
		n.Grants = []halley.Grant{isAdministrator()}
		spoil(&n)
		_, err = p.AddPerson(t.Context(), n, By("eva"))
		must(t, "AddPerson", err)
	}

	must(t, "ending the first of two", p.EndGrant(t.Context(), grantOf(adam), By("eva")))
	for what, do := range map[string]func() error{
		"ending the last":           func() error { return p.EndGrant(t.Context(), grantOf(eva), By("eva")) },
		"disabling the last":        func() error { return change(eva, storage.PersonUpdate{State: new(halley.PersonDisabled)}) },
		"inviting the last anew":    func() error { return change(eva, storage.PersonUpdate{State: new(halley.PersonInvited)}) },
		"letting all use the last":  func() error { return change(eva, storage.PersonUpdate{Shared: new(true)}) },
		"deleting the last account": func() error { return p.DeletePerson(t.Context(), eva.ID, By("eva")) },
	} {
		acts := p.whats(t)
		wantCode(t, what, do(), halley.Conflict, "last-administrator")
		equal(t, "audit after "+what, acts, p.whats(t))
	}
	must(t, "another change of the last", change(eva, storage.PersonUpdate{FullName: new("Eva")}))
	_, err = p.AddGrant(t.Context(), halley.Grant{PersonID: adam.ID, Role: halley.Administrator, OrganizationID: 1}, By("eva"))
	must(t, "AddGrant", err)
	must(t, "disabling one of two", change(eva, storage.PersonUpdate{State: new(halley.PersonDisabled)}))
	wantKind(t, "disabling the other", change(adam, storage.PersonUpdate{State: new(halley.PersonDisabled)}), halley.Conflict)

	// Two that leave at the same time do not both leave.
	must(t, "enabling", change(eva, storage.PersonUpdate{State: new(halley.PersonActive)}))
	errs := make([]error, 2)
	var group errgroup.Group
	for i, who := range []halley.Person{eva, adam} {
		group.Go(func() error {
			errs[i] = p.DeletePerson(t.Context(), who.ID, By("eva"))
			return nil
		})
	}
	must(t, "deleting", group.Wait())
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("deleting the last two at one time: %v and %v, want one to succeed", errs[0], errs[1])
	}
}

func grants(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	want := halley.Grant{PersonID: who.ID, Role: halley.User, OrganizationID: halley.RootOrganization}
	got, err := p.AddGrant(t.Context(), want, at(halley.Minute, "on call"))
	must(t, "AddGrant", err)
	want.ID, want.From = got.ID, By("").At+halley.Minute
	equal(t, "added", want, got)
	_, err = p.AddGrant(t.Context(), halley.Grant{PersonID: who.ID, Role: halley.User, OrganizationID: 1}, By("eva"))
	wantCode(t, "the same again", err, halley.Conflict, "grant-exists")
	must(t, "EndGrant", p.EndGrant(t.Context(), got.ID, at(halley.Hour, "no more")))
	want.To = By("").At + halley.Hour
	equal(t, "ended", []halley.Grant{want}, p.grants(t, who.ID))
	wantKind(t, "EndGrant again", p.EndGrant(t.Context(), got.ID, By("eva")), halley.NotFound)
	wantKind(t, "EndGrant of none", p.EndGrant(t.Context(), 1<<40, By("eva")), halley.NotFound)
	again, err := p.AddGrant(t.Context(), halley.Grant{PersonID: who.ID, Role: halley.User, OrganizationID: 1}, at(2*halley.Hour, ""))
	must(t, "the same after it ended", err)
	p.reopen(t)
	equal(t, "grants", []halley.Grant{want, again}, p.grants(t, who.ID))
	acts := p.acts(t)
	equal(t, "audit", []string{"person.add", "grant.add", "grant.end", "grant.add"}, p.whats(t))
	on := fmt.Sprintf("person %d", who.ID)
	figures := map[string]any{"grant": float64(got.ID), "role": "user", "organization": 1.0}
	equal(t, "the beginning", []any{on, figures, "on call"}, []any{acts[1].On, any(decoded(t, acts[1].New)), acts[1].Change.Why})
	equal(t, "the end", []any{on, figures, "no more"}, []any{acts[2].On, any(decoded(t, acts[2].Old)), acts[2].Change.Why})
}

func grantsOfNothing(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	root := halley.RootOrganization
	closed, err := p.AddOrganization(t.Context(), halley.Organization{ParentID: root, Name: p.name("closed")}, By("eva"))
	must(t, "AddOrganization", err)
	_, err = p.ChangeOrganization(t.Context(), closed.ID, storage.OrganizationUpdate{Closed: new(true)}, By("eva"))
	must(t, "ChangeOrganization", err)
	acts := p.whats(t)
	for what, c := range map[string]struct {
		grant halley.Grant
		want  halley.Kind
	}{
		"to nobody":                {halley.Grant{PersonID: 1 << 40, Role: halley.User, OrganizationID: root}, halley.NotFound},
		"at no organization":       {halley.Grant{PersonID: who.ID, Role: halley.User, OrganizationID: 1 << 40}, halley.NotFound},
		"at a closed organization": {halley.Grant{PersonID: who.ID, Role: halley.User, OrganizationID: closed.ID}, halley.NotFound},
		"of no role":               {halley.Grant{PersonID: who.ID, Role: "cook", OrganizationID: root}, halley.NotFound},
		"of a role of tokens":      {halley.Grant{PersonID: who.ID, Role: halley.Reader, OrganizationID: root}, halley.NotFound},
		"of nothing":               {halley.Grant{PersonID: who.ID, OrganizationID: root}, halley.Invalid},
		"of a place to a user":     {halley.Grant{PersonID: who.ID, Role: halley.User, OrganizationID: root, PlaceID: 1}, halley.Invalid},
		"of places, of none":       {halley.Grant{PersonID: who.ID, Role: halley.ViewByMeasuredPlaces, OrganizationID: root}, halley.Invalid},
	} {
		_, err := p.AddGrant(t.Context(), c.grant, By("eva"))
		wantKind(t, what, err, c.want)
	}
	_, err = p.AddPerson(t.Context(), storage.NewPerson{Person: halley.Person{
		Name: p.name("adam"), State: halley.PersonActive, OrganizationID: closed.ID, Source: halley.Local,
	}}, By("eva"))
	wantKind(t, "a person of a closed organization", err, halley.NotFound)
	equal(t, "audit", acts, p.whats(t))
}

func grantsOfPlaces(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	add := func(name string, above halley.OrganizationID) halley.OrganizationID {
		t.Helper()
		node, err := p.AddOrganization(t.Context(), halley.Organization{ParentID: above, Name: p.name(name)}, By("eva"))
		must(t, "AddOrganization", err)
		return node.ID
	}
	acme := add("Acme", halley.RootOrganization)
	brno, other := add("Brno", acme), add("Other", halley.RootOrganization)
	place, err := p.AddPlace(t.Context(), halley.Place{OrganizationID: brno, Name: p.name("Cold room")}, By("eva"))
	must(t, "AddPlace", err)
	grant := func(at halley.OrganizationID) error {
		_, err := p.AddGrant(t.Context(), halley.Grant{
			PersonID: who.ID, Role: halley.ViewByMeasuredPlaces, OrganizationID: at, PlaceID: place.ID,
		}, By("eva"))
		return err
	}
	wantKind(t, "a place of another organization", grant(other), halley.NotFound)
	must(t, "a place of the organization", grant(brno))
	must(t, "a place below the organization", grant(acme))
	wantKind(t, "the same again", grant(brno), halley.Conflict)
	equal(t, "the place of the grant", place.ID, p.grants(t, who.ID)[0].PlaceID)
	_, err = p.ChangePlace(t.Context(), place.ID, storage.PlaceUpdate{Closed: new(true)}, By("eva"))
	must(t, "ChangePlace", err)
	wantKind(t, "a place that is closed", grant(halley.RootOrganization), halley.NotFound)
}

func racingGrants(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	won := race(t, halley.Conflict, "grant-exists", func(int) error {
		_, err := p.AddGrant(t.Context(), halley.Grant{PersonID: who.ID, Role: halley.Guest, OrganizationID: 1}, By("eva"))
		return err
	})
	equal(t, "grants that were added", 1, won)
	equal(t, "grants", 1, len(p.grants(t, who.ID)))
}
