package people_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"

	"halley"
	"halley/server/access"
	"halley/server/directory"
	"halley/server/people"
	"halley/storage"
)

// The instants of the tests.
const (
	begun halley.Millis = 1_795_000_000_000
	now                 = begun + 10*halley.Day
)

// The nodes of the tests: two customers, of which one has two sites.
const (
	root halley.OrganizationID = iota + 1
	acme
	brno
	prague
	zeta
	closed
)

// The places of the tests.
const (
	brnoCold halley.PlaceID = iota + 1
	pragueCold
	brnoClosed
)

// The people of the tests.
const (
	chief halley.PersonID = iota + 1
	second
	acmeAdmin
	brnoAdmin
	distributor
	guest
	invited
	wall
	zetaAdmin
	outsider
	keeper
)

// memory is a store and its copy without a database.
type memory struct {
	unused
	mu      sync.Mutex
	data    directory.Data
	links   []storage.Secret
	state   *directory.State
	made    []string
	mailed  []string
	audited []halley.Change
}

// unused is what the rules never call.
type unused struct{}

func (unused) People(context.Context) ([]halley.Person, error) { return nil, nil }

func (unused) NoteSignIn(context.Context, halley.PersonID, halley.Millis) error { return nil }

func (unused) Secret(context.Context, storage.SecretKind, string, halley.Millis) (s storage.Secret, found bool, err error) {
	return s, false, nil
}

func newMemory() *memory {
	org := func(id, parent halley.OrganizationID, name string) halley.Organization {
		return halley.Organization{ID: id, ParentID: parent, Name: name, From: begun, Closed: id == closed}
	}
	person := func(id halley.PersonID, name string, node halley.OrganizationID) halley.Person {
		return halley.Person{
			ID: id, Name: name, State: halley.PersonActive, OrganizationID: node, Source: halley.Local, CreatedAt: begun, From: begun,
		}
	}
	m := &memory{data: directory.Data{
		Organizations: []halley.Organization{
			org(root, 0, ""), org(acme, root, "Acme"), org(brno, acme, "Brno"), org(prague, acme, "Prague"), org(zeta, root, "Zeta"),
			org(closed, root, "Closed"),
		},
		Places: []halley.Place{
			{ID: brnoCold, OrganizationID: brno, Name: "Cold room", From: begun},
			{ID: pragueCold, OrganizationID: prague, Name: "Freezer", From: begun},
			{ID: brnoClosed, OrganizationID: brno, Name: "Gone", From: begun, Closed: true},
		},
		People: []halley.Person{
			person(chief, "chief", root), person(second, "second", root), person(acmeAdmin, "acme", acme), person(brnoAdmin, "brno", brno),
			person(distributor, "distributor", root), person(guest, "guest", brno), person(invited, "invited", brno), person(wall, "wall", brno),
			person(zetaAdmin, "zeta", zeta), person(outsider, "outsider", brno), person(keeper, "keeper", brno),
		},
		Grants: []halley.Grant{
			grant(chief, halley.Administrator, root), grant(acmeAdmin, halley.Administrator, acme), grant(brnoAdmin, halley.Administrator, brno),
			grant(distributor, halley.DistributorAdministrator, root), grant(guest, halley.Guest, brno), grant(invited, halley.User, brno),
			grant(wall, halley.User, brno), grant(zetaAdmin, halley.Administrator, zeta), grant(outsider, halley.User, zeta),
			grant(keeper, halley.Administrator, acme),
		},
		Roles: []halley.CustomRole{
			{ID: 1, Name: "night-shift", OrganizationID: acme, Permissions: []halley.Permission{halley.PermitStatusRead, halley.PermitPlaceRead}, From: begun},
			{ID: 2, Name: "hiring", OrganizationID: root, Permissions: []halley.Permission{
				halley.PermitOrganizationRead, halley.PermitPersonRead, halley.PermitPersonChange, halley.PermitRoleChange,
			}, From: begun},
			{ID: 3, Name: "former", OrganizationID: acme, Closed: true, From: begun},
		},
		Details: []halley.PersonDetail{{PersonID: guest, FullName: "Gustav", Email: "gustav@example.net"}},
		Secrets: []storage.Secret{
			{Kind: storage.SecretTOTP, Key: "6", PersonID: guest},
			{Kind: storage.SecretRecovery, Key: "r1", PersonID: guest},
			{Kind: storage.SecretPassword, Key: "6", PersonID: guest},
		},
	}}
	for i := range m.data.Grants {
		m.data.Grants[i].ID, m.data.Grants[i].From = int64(i+1), begun
	}
	m.person(invited).State, m.person(wall).Shared = halley.PersonInvited, true
	m.state = directory.New(&m.data)
	return m
}

func grant(id halley.PersonID, role halley.Role, node halley.OrganizationID) halley.Grant {
	return halley.Grant{PersonID: id, Role: role, OrganizationID: node}
}

func (m *memory) person(id halley.PersonID) *halley.Person { return &m.data.People[id-1] }

// rules gives rules over m.
func (m *memory) rules() *people.Rules {
	return people.New(people.Options{Store: m, Directory: m, Links: m, Address: "https://halley.example"})
}

// by gives a person who acts.
func (m *memory) by(id halley.PersonID) people.By {
	return people.By{
		Change: halley.Change{Actor: halley.Actor{Kind: "session", Name: m.person(id).Name}, At: now, Why: "for a test"},
		Person: id, Rights: m.Directory().RightsOf(id),
	}
}

// Directory and Refresh are those of the server's copy.
func (m *memory) Directory() *directory.State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

func (m *memory) Refresh(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	data := m.data
	data.People, data.Grants, data.Roles = slices.Clone(data.People), slices.Clone(data.Grants), slices.Clone(data.Roles)
	m.state = directory.New(&data)
	return nil
}

func (m *memory) AddPerson(_ context.Context, p storage.NewPerson, c halley.Change) (halley.Person, error) {
	if _, used := m.Directory().PersonNamed(p.Name); used {
		return halley.Person{}, &halley.Error{Kind: halley.Conflict, Op: "add a person", Code: "name-used", Message: "choose another name"}
	}
	p.Person.ID, p.From, p.CreatedAt = halley.PersonID(len(m.data.People)+1), c.At, c.At
	m.data.People = append(m.data.People, p.Person)
	for _, g := range p.Grants {
		g.PersonID = p.ID
		if _, err := m.AddGrant(context.Background(), g, c); err != nil {
			return halley.Person{}, err
		}
	}
	for _, s := range p.Secrets {
		s.PersonID = p.ID
		m.links = append(m.links, s)
	}
	m.audited = append(m.audited, c)
	return p.Person, nil
}

func (m *memory) ChangePerson(_ context.Context, id halley.PersonID, u storage.PersonUpdate, c halley.Change) (halley.Person, error) {
	p := *m.person(id)
	if u.State != nil {
		p.State = *u.State
	}
	if u.Shared != nil {
		p.Shared = *u.Shared
	}
	if u.OrganizationID != nil {
		p.OrganizationID = *u.OrganizationID
	}
	p.From = c.At
	*m.person(id) = p
	m.audited = append(m.audited, c)
	return p, nil
}

func (m *memory) DeletePerson(_ context.Context, id halley.PersonID, c halley.Change) error {
	m.person(id).State = halley.PersonDeleted
	m.audited = append(m.audited, c)
	return nil
}

func (m *memory) AddGrant(_ context.Context, g halley.Grant, c halley.Change) (halley.Grant, error) {
	g.ID, g.From = int64(len(m.data.Grants)+1), c.At
	m.data.Grants = append(m.data.Grants, g)
	m.audited = append(m.audited, c)
	return g, nil
}

func (m *memory) EndGrant(_ context.Context, id int64, c halley.Change) error {
	m.data.Grants[id-1].To = c.At
	m.audited = append(m.audited, c)
	return nil
}

func (m *memory) AddRole(_ context.Context, r halley.CustomRole, c halley.Change) (halley.CustomRole, error) {
	r.ID, r.From = int64(len(m.data.Roles)+1), c.At
	m.data.Roles = append(m.data.Roles, r)
	m.audited = append(m.audited, c)
	return r, nil
}

func (m *memory) ChangeRole(
	_ context.Context, id int64, list []halley.Permission, closed bool, c halley.Change,
) (halley.CustomRole, error) {
	r := m.data.Roles[id-1]
	r.Permissions, r.Closed, r.From = list, closed, c.At
	m.data.Roles = append(m.data.Roles, r)
	m.audited = append(m.audited, c)
	return r, nil
}

func (m *memory) Secrets(_ context.Context, id halley.PersonID) ([]storage.Secret, error) {
	list := slices.Concat(m.data.Secrets, m.links)
	return slices.DeleteFunc(list, func(s storage.Secret) bool { return s.PersonID != id }), nil
}

func (m *memory) RemoveSecret(_ context.Context, kind storage.SecretKind, key, what string, _ halley.Change) error {
	other := func(s storage.Secret) bool { return s.Kind == kind && s.Key == key }
	m.data.Secrets, m.links = slices.DeleteFunc(m.data.Secrets, other), slices.DeleteFunc(m.links, other)
	m.made = append(m.made, "removed "+string(kind)+" "+what)
	return nil
}

func (m *memory) SetSecret(_ context.Context, s storage.Secret, _ []byte, what string, c halley.Change) error {
	m.links = append(m.links, s)
	m.made = append(m.made, what+" of "+strconv.FormatInt(int64(s.PersonID), 10))
	m.audited = append(m.audited, c)
	return nil
}

func (m *memory) SendLink(_ context.Context, to string, purpose access.LinkPurpose, l access.Link) bool {
	m.mailed = append(m.mailed, to+" "+string(purpose)+" "+l.URL.Reveal()[:28])
	return to != ""
}

// refused compares kind and code of an error; code "" is none.
func refused(t *testing.T, err error, kind halley.Kind, code string) {
	t.Helper()
	e, ok := err.(*halley.Error) //nolint:errorlint // the rules give it as it is
	if !ok || e.Kind != kind || e.Code != code {
		t.Errorf("error %v, want kind %d with code %q", err, kind, code)
	}
	if ok && e.Message == "" && kind != halley.NotFound {
		t.Errorf("%v says not what to do", err)
	}
}
