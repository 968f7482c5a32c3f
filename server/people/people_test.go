package people_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/people"
	"halley/storage"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"anna": true, "Anna Nováková": true, "a.b_c-d@example.net+x": true, "李": true, strings.Repeat("a", 100): true,
		"": false, " anna": false, "anna ": false, "a\tb": false, "a\r\nb": false, "a/b": false, "<script>": false, "a\u202eb": false,
		"=cmd": false, "a:b": false, "\xff": false, strings.Repeat("a", 101): false,
	} {
		if err := people.CheckName(name); (err == nil) != ok {
			t.Errorf("name %q: %v, want allowed = %v", name, err, ok)
		}
	}
	for name, ok := range map[halley.Role]bool{
		"night-shift": true, "a1": true, "": false, "Night": false, "a b": false, "-a": false, "a-": false, "guest": false, "reader": false,
		"administrator": false, halley.Role(strings.Repeat("a", 41)): false,
	} {
		if err := people.CheckRoleName(name); (err == nil) != ok {
			t.Errorf("role %q: %v, want allowed = %v", name, err, ok)
		}
	}
	for address, ok := range map[string]bool{
		"": true, "anna@example.net": true, "a+b@example.net": true, "anna": false, "@example.net": false, "anna@": false, "a@b@c": false,
		"anna@example.net\r\nBcc: x@y": false, "Anna <anna@example.net>": false, "a@b, c@d": false, "a@" + strings.Repeat("b", 253): false,
	} {
		if err := people.CheckEmail(address); (err == nil) != ok {
			t.Errorf("address %q: %v, want allowed = %v", address, err, ok)
		}
	}
}

func TestInvite(t *testing.T) {
	t.Parallel()
	m := newMemory()
	n := storage.NewPerson{
		Person:       halley.Person{Name: "nora", OrganizationID: brno, State: halley.PersonActive, Source: halley.LDAP},
		PersonDetail: halley.PersonDetail{FullName: "Nora", Email: "nora@example.net"},
		Grants:       []halley.Grant{grant(0, halley.User, brno), {Role: halley.ViewByMeasuredPlaces, OrganizationID: brno, PlaceID: brnoCold}},
	}
	got, err := m.rules().Invite(t.Context(), n, m.by(brnoAdmin))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := m.Directory().PersonNamed("NORA")
	if p.State != halley.PersonInvited || p.Source != halley.Local || p.ID != got.Person.ID || !got.Mailed || !strings.HasPrefix(got.Link.URL.Reveal(), "https://halley.example/#link=") {
		t.Errorf("invited %+v as %+v", got, p)
	}
	if len(m.Directory().Grants(p.ID)) != 2 || len(m.links) != 1 || m.links[0].PersonID != p.ID {
		t.Errorf("grants %v, links %v", m.Directory().Grants(p.ID), m.links)
	}
	if diff := cmp.Diff([]string{"nora@example.net invite https://halley.example/#link"}, m.mailed); diff != "" {
		t.Errorf("mailed (-want +got):\n%s", diff)
	}
}

func TestInvitationsThatAreRefused(t *testing.T) {
	t.Parallel()
	at := func(node halley.OrganizationID, grants ...halley.Grant) storage.NewPerson {
		return storage.NewPerson{Person: halley.Person{Name: "nora", OrganizationID: node}, Grants: grants}
	}
	for name, c := range map[string]struct {
		by   halley.PersonID
		n    storage.NewPerson
		kind halley.Kind
		code string
	}{
		"at a node that is not seen":     {brnoAdmin, at(zeta), halley.NotFound, ""},
		"at a node that is not there":    {brnoAdmin, at(99), halley.NotFound, ""},
		"at the node above":              {brnoAdmin, at(acme), halley.NotFound, ""},
		"at a node that is only seen":    {guest, at(brno), halley.Forbidden, "permission-missing"},
		"at a closed node":               {chief, at(closed), halley.Conflict, "organization-closed"},
		"with a role above":              {brnoAdmin, at(brno, grant(0, halley.Guest, acme)), halley.NotFound, ""},
		"with a role elsewhere":          {brnoAdmin, at(brno, grant(0, halley.Guest, prague)), halley.NotFound, ""},
		"with a role that is none":       {brnoAdmin, at(brno, grant(0, "emperor", brno)), halley.Invalid, "not-valid"},
		"with the role of old tokens":    {brnoAdmin, at(brno, grant(0, halley.Reader, brno)), halley.Invalid, "not-valid"},
		"with a role of another node":    {zetaAdmin, at(zeta, grant(0, "night-shift", zeta)), halley.Invalid, "not-valid"},
		"with a closed role":             {acmeAdmin, at(acme, grant(0, "former", acme)), halley.Invalid, "not-valid"},
		"with places left out":           {brnoAdmin, at(brno, grant(0, halley.ViewByMeasuredPlaces, brno)), halley.Invalid, "not-valid"},
		"with a place too many":          {brnoAdmin, at(brno, halley.Grant{Role: halley.Guest, OrganizationID: brno, PlaceID: brnoCold}), halley.Invalid, "not-valid"},
		"with a place elsewhere":         {brnoAdmin, at(brno, halley.Grant{Role: halley.ViewByMeasuredPlaces, OrganizationID: brno, PlaceID: pragueCold}), halley.NotFound, ""},
		"with a closed place":            {brnoAdmin, at(brno, halley.Grant{Role: halley.ViewByMeasuredPlaces, OrganizationID: brno, PlaceID: brnoClosed}), halley.Conflict, "place-closed"},
		"of a distributor's seeing":      {distributor, at(root, grant(0, halley.User, acme)), halley.Forbidden, "role-not-held"},
		"of a server's keeper":           {distributor, at(root, grant(0, halley.ServiceAdministrator, root)), halley.Forbidden, "role-not-held"},
		"of an administrator of all":     {distributor, at(root, grant(0, halley.Administrator, root)), halley.Forbidden, "role-not-held"},
		"with a name that is used":       {chief, storage.NewPerson{Person: halley.Person{Name: "Guest", OrganizationID: brno}}, halley.Conflict, "name-used"},
		"by an account that only reads":  {wall, at(brno), halley.Forbidden, "permission-missing"},
		"with more grants than there be": {chief, at(brno, make([]halley.Grant, 101)...), halley.Invalid, "not-valid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			_, err := m.rules().Invite(t.Context(), c.n, m.by(c.by))
			refused(t, err, c.kind, c.code)
			if len(m.audited)+len(m.mailed)+len(m.links) != 0 {
				t.Error("something was changed or sent all the same")
			}
		})
	}
}

func TestADistributorAppointsWhoRunsAnOrganization(t *testing.T) {
	t.Parallel()
	m := newMemory()
	n := storage.NewPerson{Person: halley.Person{Name: "nora", OrganizationID: zeta}, Grants: []halley.Grant{grant(0, halley.Administrator, zeta)}}
	if _, err := m.rules().Invite(t.Context(), n, m.by(distributor)); err != nil {
		t.Error(err)
	}
}

// Whoever appoints an administrator does not become one by a link of theirs.
func TestADistributorHasNoWayIntoWhatTheyAppointed(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	_, err := r.Reset(t.Context(), acmeAdmin, m.by(distributor))
	refused(t, err, halley.Forbidden, "person-may-more")
	refused(t, r.RemoveFactors(t.Context(), acmeAdmin, m.by(distributor)), halley.Forbidden, "person-may-more")
	_, err = r.Change(t.Context(), acmeAdmin, storage.PersonUpdate{Email: new("distributor@example.net")}, m.by(distributor))
	refused(t, err, halley.Forbidden, "person-may-more")
	if _, err = r.Change(t.Context(), acmeAdmin, storage.PersonUpdate{FullName: new("Anna Acme")}, m.by(distributor)); err != nil {
		t.Errorf("the full name: %v", err)
	}
}

// grants that are refused, and one of each kind that is not.
func TestGrants(t *testing.T) {
	t.Parallel()
	const fine = halley.Kind(255)
	for name, c := range map[string]struct {
		by   halley.PersonID
		g    halley.Grant
		kind halley.Kind
		code string
	}{
		"what one holds":                {brnoAdmin, grant(guest, halley.User, brno), fine, ""},
		"a role that people made":       {acmeAdmin, grant(guest, "night-shift", brno), fine, ""},
		"to oneself":                    {brnoAdmin, grant(brnoAdmin, halley.User, brno), halley.Forbidden, "own-account"},
		"to oneself, the chief":         {chief, grant(chief, halley.Guest, brno), halley.Forbidden, "own-account"},
		"at the node above":             {brnoAdmin, grant(guest, halley.Administrator, acme), halley.NotFound, ""},
		"at the root":                   {acmeAdmin, grant(guest, halley.Administrator, root), halley.NotFound, ""},
		"to somebody out of sight":      {brnoAdmin, grant(zetaAdmin, halley.User, brno), halley.NotFound, ""},
		"to somebody who is not there":  {brnoAdmin, grant(99, halley.User, brno), halley.NotFound, ""},
		"by somebody who only sees":     {guest, grant(invited, halley.Guest, brno), halley.NotFound, ""},
		"of the server, from below":     {acmeAdmin, grant(guest, halley.ServiceAdministrator, acme), fine, ""},
		"seeing, by one who sees not":   {distributor, grant(guest, halley.Guest, brno), halley.Forbidden, "role-not-held"},
		"reading only, by the readable": {wall, grant(guest, halley.Guest, brno), halley.NotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			_, err := m.rules().Grant(t.Context(), c.g, m.by(c.by))
			if c.kind == fine {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, c.kind, c.code)
			if len(m.audited) != 0 {
				t.Error("something was changed all the same")
			}
		})
	}
}

func TestAServersPermissionsCountAtTheRootAlone(t *testing.T) {
	t.Parallel()
	m := newMemory()
	if _, err := m.rules().Grant(t.Context(), grant(guest, halley.ServiceAdministrator, acme), m.by(acmeAdmin)); err != nil {
		t.Fatal(err)
	}
	if r := m.Directory().RightsOf(guest); r.Holds(halley.PermitRetentionDecide) || r.Holds(halley.PermitServerRead) {
		t.Error("a grant below the root reaches the server")
	}
}

func TestEndOfGrants(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	const ofChief, ofAcme, ofBrno, ofGuest, ofOutsider, ofKeeper = 1, 2, 3, 5, 9, 10
	refused(t, r.EndGrant(t.Context(), acmeAdmin, ofAcme, m.by(acmeAdmin)), halley.Forbidden, "own-account")
	refused(t, r.EndGrant(t.Context(), chief, ofChief, m.by(distributor)), halley.Forbidden, "role-not-held")
	refused(t, r.EndGrant(t.Context(), chief, ofChief, m.by(acmeAdmin)), halley.NotFound, "")
	refused(t, r.EndGrant(t.Context(), outsider, ofOutsider, m.by(brnoAdmin)), halley.NotFound, "")
	refused(t, r.EndGrant(t.Context(), keeper, ofKeeper, m.by(brnoAdmin)), halley.NotFound, "")
	refused(t, r.EndGrant(t.Context(), guest, ofBrno, m.by(brnoAdmin)), halley.NotFound, "")
	if err := r.EndGrant(t.Context(), guest, ofGuest, m.by(brnoAdmin)); err != nil {
		t.Error(err)
	}
	refused(t, r.EndGrant(t.Context(), guest, ofGuest, m.by(brnoAdmin)), halley.NotFound, "")
}

func TestTheLastAdministratorOfTheRootStays(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	disabled, shared := halley.PersonDisabled, true
	byToken := m.by(chief)
	byToken.Person = 0
	refused(t, r.EndGrant(t.Context(), chief, 1, byToken), halley.Conflict, "last-administrator")
	refused(t, r.Delete(t.Context(), chief, byToken), halley.Conflict, "last-administrator")
	_, err := r.Change(t.Context(), chief, storage.PersonUpdate{State: &disabled}, byToken)
	refused(t, err, halley.Conflict, "last-administrator")
	_, err = r.Change(t.Context(), chief, storage.PersonUpdate{Shared: &shared}, byToken)
	refused(t, err, halley.Conflict, "last-administrator")
	if _, err := r.Grant(t.Context(), grant(second, halley.Administrator, root), byToken); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), chief, m.by(second)); err != nil {
		t.Error(err)
	}
	refused(t, r.Delete(t.Context(), second, byToken), halley.Conflict, "last-administrator")
}

// Whoever could reset the password of somebody who may do more could sign in as them.
func TestNobodyActsOnThoseWhoMayDoMore(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	disabled, active, email := halley.PersonDisabled, halley.PersonActive, "evil@example.net"
	for _, id := range []halley.PersonID{keeper, outsider} { // Both belong to Brno, and hold more elsewhere.
		_, err := r.Reset(t.Context(), id, m.by(brnoAdmin))
		refused(t, err, halley.Forbidden, "person-may-more")
		for _, u := range []storage.PersonUpdate{{Email: &email}, {State: &disabled}, {State: &active}, {FullName: &email}} {
			if u.FullName != nil {
				*u.FullName = "Eve"
			}
			_, err = r.Change(t.Context(), id, u, m.by(brnoAdmin))
			refused(t, err, halley.Forbidden, "person-may-more")
			email = "evil@example.net"
		}
		refused(t, r.RemoveFactors(t.Context(), id, m.by(brnoAdmin)), halley.Forbidden, "person-may-more")
		refused(t, r.Delete(t.Context(), id, m.by(brnoAdmin)), halley.Forbidden, "person-may-more")
		refused(t, r.MayEndSessions(id, m.by(brnoAdmin)), halley.Forbidden, "person-may-more")
	}
	refused(t, r.Delete(t.Context(), zetaAdmin, m.by(brnoAdmin)), halley.NotFound, "")
	if len(m.audited)+len(m.made) != 0 {
		t.Error("something was changed all the same")
	}
}

func TestNobodyChangesTheirOwnAccount(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	disabled, shared, node, name := halley.PersonDisabled, false, acme, "Brno's administrator"
	for _, u := range []storage.PersonUpdate{{State: &disabled}, {Shared: &shared}, {OrganizationID: &node}} {
		_, err := r.Change(t.Context(), brnoAdmin, u, m.by(brnoAdmin))
		refused(t, err, halley.Forbidden, "own-account")
	}
	_, err := r.Reset(t.Context(), brnoAdmin, m.by(brnoAdmin))
	refused(t, err, halley.Forbidden, "own-account")
	refused(t, r.Delete(t.Context(), brnoAdmin, m.by(brnoAdmin)), halley.Forbidden, "own-account")
	refused(t, r.RemoveFactors(t.Context(), brnoAdmin, m.by(brnoAdmin)), halley.Forbidden, "own-account")
	if _, err := r.Change(t.Context(), brnoAdmin, storage.PersonUpdate{FullName: &name}, m.by(brnoAdmin)); err != nil {
		t.Errorf("one's own full name: %v", err)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	disabled, active, back := halley.PersonDisabled, halley.PersonActive, halley.PersonInvited
	up, away, gone := acme, zeta, closed
	p, err := r.Change(t.Context(), guest, storage.PersonUpdate{State: &disabled}, m.by(brnoAdmin))
	if err != nil || p.State != halley.PersonDisabled {
		t.Errorf("disabled %+v: %v", p, err)
	}
	if _, err = r.Change(t.Context(), guest, storage.PersonUpdate{State: &active}, m.by(brnoAdmin)); err != nil {
		t.Errorf("active again: %v", err)
	}
	_, err = r.Change(t.Context(), guest, storage.PersonUpdate{State: &back}, m.by(brnoAdmin))
	refused(t, err, halley.Invalid, "not-valid")
	_, err = r.Change(t.Context(), invited, storage.PersonUpdate{State: &active}, m.by(brnoAdmin))
	refused(t, err, halley.Conflict, "person-invited")
	for _, node := range []*halley.OrganizationID{&up, &away} {
		_, err = r.Change(t.Context(), guest, storage.PersonUpdate{OrganizationID: node}, m.by(brnoAdmin))
		refused(t, err, halley.NotFound, "")
	}
	_, err = r.Change(t.Context(), guest, storage.PersonUpdate{OrganizationID: &gone}, m.by(chief))
	refused(t, err, halley.Conflict, "organization-closed")
	if err = r.Delete(t.Context(), guest, m.by(brnoAdmin)); err != nil {
		t.Error(err)
	}
	refused(t, r.Delete(t.Context(), guest, m.by(brnoAdmin)), halley.Conflict, "person-deleted")
}

func TestResets(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	m.links = []storage.Secret{{Kind: storage.SecretLink, Key: "old", PersonID: guest}}
	got, err := r.Reset(t.Context(), guest, m.by(brnoAdmin))
	if err != nil || got.Link.URL == "" || !got.Mailed || got.Person.ID != guest {
		t.Errorf("reset %+v: %v", got, err)
	}
	if err = r.RemoveFactors(t.Context(), guest, m.by(brnoAdmin)); err != nil {
		t.Error(err)
	}
	m.person(guest).Source = halley.OIDC
	_ = m.Refresh(t.Context())
	_, err = r.Reset(t.Context(), guest, m.by(brnoAdmin))
	refused(t, err, halley.Conflict, "no-password-here")
	if diff := cmp.Diff([]string{"removed link ", "person.reset of 6", "removed totp person.factor", "removed recovery person.factor"}, m.made); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	role := func(name halley.Role, node halley.OrganizationID, list ...halley.Permission) halley.CustomRole {
		return halley.CustomRole{Name: name, OrganizationID: node, Permissions: list}
	}
	m := newMemory()
	r := m.rules()
	got, err := r.AddRole(t.Context(), role("day-shift", brno, halley.PermitSampleRead, halley.PermitStatusRead), m.by(brnoAdmin))
	want := []halley.Permission{halley.PermitStatusRead, halley.PermitSampleRead}
	if err != nil || cmp.Diff(want, got.Permissions) != "" {
		t.Errorf("added %+v: %v", got, err)
	}
	for name, c := range map[string]struct {
		by   halley.PersonID
		role halley.CustomRole
		kind halley.Kind
		code string
	}{
		"above":                         {brnoAdmin, role("x", acme, halley.PermitStatusRead), halley.NotFound, ""},
		"of a preset's name":            {chief, role("guest", root, halley.PermitStatusRead), halley.Invalid, "not-valid"},
		"that holds nothing":            {chief, role("x", root), halley.Invalid, "not-valid"},
		"that holds what is nothing":    {chief, role("x", root, "all"), halley.Invalid, "not-valid"},
		"that holds something twice":    {chief, role("x", root, halley.PermitStatusRead, halley.PermitStatusRead), halley.Invalid, "not-valid"},
		"of the server, below the root": {acmeAdmin, role("x", acme, halley.PermitRetentionDecide), halley.Invalid, "not-valid"},
		"public":                        {chief, role("x", root, halley.PermitPublic), halley.Invalid, "not-valid"},
		"by one who sees":               {guest, role("x", brno, halley.PermitStatusRead), halley.Forbidden, "permission-missing"},
		"by one who reads":              {wall, role("x", brno, halley.PermitStatusRead), halley.Forbidden, "permission-missing"},
	} {
		_, err := r.AddRole(t.Context(), c.role, m.by(c.by))
		t.Log(name)
		refused(t, err, c.kind, c.code)
	}
}

func TestNobodyPutsIntoARoleWhatTheyDoNotHold(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	const nightShift, hiring, former = 1, 2, 3
	if _, err := m.AddGrant(t.Context(), grant(guest, "hiring", root), halley.Change{At: begun}); err != nil {
		t.Fatal(err)
	}
	r.Directory.(*memory).state = nil
	if err := m.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	wider := []halley.Permission{
		halley.PermitOrganizationRead, halley.PermitPersonRead, halley.PermitPersonChange, halley.PermitRoleChange, halley.PermitSampleRead,
	}
	_, err := r.ChangeRole(t.Context(), hiring, wider, m.by(guest))
	refused(t, err, halley.Forbidden, "permission-not-held")
	_, err = r.AddRole(t.Context(), halley.CustomRole{Name: "all", OrganizationID: root, Permissions: halley.Permissions()}, m.by(guest))
	refused(t, err, halley.Forbidden, "permission-not-held")
	if _, err = r.ChangeRole(t.Context(), hiring, wider[:3], m.by(guest)); err != nil {
		t.Errorf("to take something out: %v", err)
	}
	_, err = r.ChangeRole(t.Context(), hiring, wider, m.by(acmeAdmin))
	refused(t, err, halley.Forbidden, "permission-missing")
	_, err = r.ChangeRole(t.Context(), nightShift, wider, m.by(zetaAdmin))
	refused(t, err, halley.NotFound, "")
	_, err = r.ChangeRole(t.Context(), former, wider, m.by(acmeAdmin))
	refused(t, err, halley.Conflict, "role-closed")
	refused(t, r.CloseRole(t.Context(), 99, m.by(chief)), halley.NotFound, "")
	if err := r.CloseRole(t.Context(), nightShift, m.by(acmeAdmin)); err != nil {
		t.Error(err)
	}
	if _, counts := m.Directory().RolePermissions("night-shift"); counts {
		t.Error("a closed role holds something")
	}
}

func TestTokensHoldNoMoreThanTheirMakers(t *testing.T) {
	t.Parallel()
	const fine = halley.Kind(255)
	for name, c := range map[string]struct {
		by    halley.PersonID
		token storage.Token
		kind  halley.Kind
		code  string
	}{
		"what one holds":                {brnoAdmin, storage.Token{Role: halley.Administrator, OrganizationID: brno}, fine, ""},
		"the role of old tokens":        {brnoAdmin, storage.Token{Role: halley.Reader, OrganizationID: brno}, fine, ""},
		"named places":                  {brnoAdmin, storage.Token{Role: halley.ViewByMeasuredPlaces, OrganizationID: brno, Places: []halley.PlaceID{brnoCold}}, fine, ""},
		"places elsewhere":              {brnoAdmin, storage.Token{Role: halley.ViewByMeasuredPlaces, OrganizationID: brno, Places: []halley.PlaceID{pragueCold}}, halley.NotFound, ""},
		"a place twice":                 {brnoAdmin, storage.Token{Role: halley.ViewByMeasuredPlaces, OrganizationID: brno, Places: []halley.PlaceID{brnoCold, brnoCold}}, halley.Invalid, "not-valid"},
		"no places":                     {brnoAdmin, storage.Token{Role: halley.ViewByMeasuredPlaces, OrganizationID: brno}, halley.Invalid, "not-valid"},
		"places with another role":      {brnoAdmin, storage.Token{Role: halley.Guest, OrganizationID: brno, Places: []halley.PlaceID{brnoCold}}, halley.Invalid, "not-valid"},
		"above":                         {brnoAdmin, storage.Token{Role: halley.Guest, OrganizationID: acme}, halley.NotFound, ""},
		"at no node":                    {brnoAdmin, storage.Token{Role: halley.Guest}, halley.NotFound, ""},
		"a role that is none":           {chief, storage.Token{Role: "emperor", OrganizationID: root}, halley.Invalid, "not-valid"},
		"by one who makes none":         {guest, storage.Token{Role: halley.Guest, OrganizationID: brno}, halley.Forbidden, "permission-missing"},
		"by an account that only reads": {wall, storage.Token{Role: halley.Guest, OrganizationID: brno}, halley.Forbidden, "permission-missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			err := m.rules().CheckToken(c.token, m.by(c.by))
			if c.kind == fine {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, c.kind, c.code)
		})
	}
}

func TestWhoRevokesTokens(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	if err := r.CheckRevoke(storage.Token{OrganizationID: brno}, m.by(acmeAdmin)); err != nil {
		t.Error(err)
	}
	refused(t, r.CheckRevoke(storage.Token{OrganizationID: acme}, m.by(brnoAdmin)), halley.NotFound, "")
	refused(t, r.CheckRevoke(storage.Token{}, m.by(acmeAdmin)), halley.NotFound, "")
	m.data.Grants[4].Role = halley.GuestAdministrator
	_ = m.Refresh(t.Context())
	refused(t, r.CheckRevoke(storage.Token{OrganizationID: brno}, m.by(guest)), halley.Forbidden, "permission-missing")
}

func TestRightsAsOfADate(t *testing.T) {
	t.Parallel()
	m := newMemory()
	r := m.rules()
	view := halley.Grant{PersonID: guest, Role: halley.ViewByMeasuredPlaces, OrganizationID: brno, PlaceID: brnoCold}
	for _, g := range []halley.Grant{grant(guest, halley.PaymentAdministrator, prague), view, grant(guest, halley.User, zeta)} {
		if _, err := m.AddGrant(t.Context(), g, halley.Change{At: now}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.EndGrant(t.Context(), 5, halley.Change{At: now + halley.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := m.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	sees := halley.Guest.Permissions()
	for name, c := range map[string]struct {
		at   halley.Millis
		want []string
	}{
		"before":    {now - halley.Hour, []string{"/Acme/Brno guest"}},
		"meanwhile": {now + halley.Minute, []string{"/Acme/Brno guest", "/Acme/Prague payment", "place Cold room guest"}},
		"later":     {now + 2*halley.Hour, []string{"/Acme/Prague payment", "place Cold room guest"}},
		"now":       {0, []string{"/Acme/Prague payment", "place Cold room guest"}},
	} {
		report, err := r.RightsAt(guest, c.at, m.Directory().RightsOf(acmeAdmin))
		if err != nil {
			t.Fatal(err)
		}
		names := func(list []halley.Permission) string {
			if cmp.Diff(sees, list) == "" {
				return "guest"
			}
			return "payment"
		}
		var got []string
		for _, n := range report.Nodes {
			got = append(got, n.Path+" "+names(n.Permissions))
		}
		for _, p := range report.Places {
			got = append(got, "place "+p.Name+" "+names(p.Permissions))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	_, err := r.RightsAt(guest, begun-halley.Day, m.Directory().RightsOf(acmeAdmin))
	refused(t, err, halley.NotFound, "person-not-there-then")
	_, err = r.RightsAt(zetaAdmin, 0, m.Directory().RightsOf(acmeAdmin))
	refused(t, err, halley.NotFound, "")
}
