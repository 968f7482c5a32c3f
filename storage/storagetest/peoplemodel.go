package storagetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"halley"
	"halley/storage"
)

func peopleModelTests() []test {
	return []test{{"random acts on accounts leave what a plain model has", peopleModel}}
}

// peopleModel makes random acts on accounts, holds each outcome against a model that is as plain as can be, and compares in the end
// what both have. The accounts of one run stay for the next.
func peopleModel(t *testing.T, p *plot) {
	m := &peopleRun{t: t, p: p}
	p.ground.engine.randomly(t, func(rt *rapid.T) {
		m.rt = rt
		for range rapid.IntRange(1, 12).Draw(rt, "acts") {
			m.act()
		}
		m.compare()
	})
	CheckLedger(t, p)
}

// modelPerson is an account as the model has it.
type modelPerson struct {
	halley.Person
	grants   map[int64]halley.Grant
	secrets  map[storage.SecretKind]string
	sessions map[string]bool
}

// peopleRun is the model with the store that it is held against.
type peopleRun struct {
	t      *testing.T
	rt     *rapid.T
	p      *plot
	people []*modelPerson
	// made counts what got a name of its own.
	made int
}

// administers says whether an account is an administrator of everything as the contract counts them.
func (x *modelPerson) administers() bool {
	if x.State != halley.PersonActive || x.Shared {
		return false
	}
	for _, g := range x.grants {
		if g.Role == halley.Administrator {
			return true
		}
	}
	return false
}

// keeps says whether somebody administers everything after an account became what after makes of it, or nobody did before.
func (m *peopleRun) keeps(x *modelPerson, after modelPerson) bool {
	others := slices.ContainsFunc(m.people, func(o *modelPerson) bool { return o != x && o.administers() })
	return others || !x.administers() || after.administers()
}

// wants holds an outcome against what the model says; "" is success.
func (m *peopleRun) wants(what string, err error, ok bool, otherwise halley.Kind) {
	m.t.Helper()
	if !ok {
		wantKind(m.t, what, err, otherwise)
		return
	}
	must(m.t, what, err)
}

func (m *peopleRun) act() {
	if len(m.people) == 0 || rapid.IntRange(0, 5).Draw(m.rt, "adds") == 0 {
		m.add()
		return
	}
	x := m.people[rapid.IntRange(max(0, len(m.people)-4), len(m.people)-1).Draw(m.rt, "whom")]
	switch rapid.IntRange(0, 6).Draw(m.rt, "act") {
	case 0:
		m.grant(x)
	case 1:
		m.endGrant(x)
	case 2, 3:
		m.change(x)
	case 4:
		m.remove(x)
	case 5:
		m.secret(x)
	default:
		m.session(x)
	}
}

func (m *peopleRun) add() {
	m.made++
	n := NewPerson(fmt.Sprintf("Person %d", m.made))
	n.State = rapid.SampledFrom([]halley.PersonState{halley.PersonInvited, halley.PersonActive}).Draw(m.rt, "state")
	got, err := m.p.AddPerson(m.t.Context(), n, By("eva"))
	must(m.t, "AddPerson", err)
	x := &modelPerson{Person: got, grants: map[int64]halley.Grant{}, secrets: map[storage.SecretKind]string{}, sessions: map[string]bool{}}
	m.people = append(m.people, x)
	// The name is used from now on, in whatever case.
	_, err = m.p.AddPerson(m.t.Context(), NewPerson(fmt.Sprintf("pERSON %d", m.made)), By("eva"))
	m.wants("AddPerson of a name that is used", err, false, halley.Conflict)
}

func (m *peopleRun) grant(x *modelPerson) {
	role := rapid.SampledFrom([]halley.Role{halley.Administrator, halley.Guest}).Draw(m.rt, "role")
	has := false
	for _, g := range x.grants {
		has = has || g.Role == role
	}
	g, err := m.p.AddGrant(m.t.Context(), halley.Grant{PersonID: x.ID, Role: role, OrganizationID: halley.RootOrganization}, By("eva"))
	if x.State == halley.PersonDeleted {
		m.wants("AddGrant to one who is deleted", err, false, halley.NotFound)
		return
	}
	m.wants("AddGrant", err, !has, halley.Conflict)
	if !has {
		x.grants[g.ID] = g
	}
}

func (m *peopleRun) endGrant(x *modelPerson) {
	if len(x.grants) == 0 {
		return
	}
	id := slices.Min(slices.Collect(maps.Keys(x.grants)))
	after := *x
	after.grants = maps.Clone(x.grants)
	delete(after.grants, id)
	ok := m.keeps(x, after)
	m.wants("EndGrant", m.p.EndGrant(m.t.Context(), id, By("eva")), ok, halley.Conflict)
	if ok {
		x.grants = after.grants
	}
}

func (m *peopleRun) change(x *modelPerson) {
	state := rapid.SampledFrom([]halley.PersonState{halley.PersonInvited, halley.PersonActive, halley.PersonDisabled}).Draw(m.rt, "state")
	shared := rapid.Bool().Draw(m.rt, "shared")
	after := *x
	after.State, after.Shared = state, shared
	ok := x.State != halley.PersonDeleted && m.keeps(x, after)
	got, err := m.p.ChangePerson(m.t.Context(), x.ID, storage.PersonUpdate{State: &state, Shared: &shared}, By("eva"))
	m.wants("ChangePerson", err, ok, halley.Conflict)
	if !ok {
		return
	}
	if x.State != halley.PersonDisabled && state == halley.PersonDisabled {
		x.sessions = map[string]bool{}
	}
	x.Person = got
	if got.State != state || got.Shared != shared {
		m.t.Errorf("ChangePerson gave %+v, want it %s, shared %v", got, state, shared)
	}
}

func (m *peopleRun) remove(x *modelPerson) {
	after := *x
	after.State = halley.PersonDeleted
	ok := x.State != halley.PersonDeleted && m.keeps(x, after)
	m.wants("DeletePerson", m.p.DeletePerson(m.t.Context(), x.ID, By("eva")), ok, halley.Conflict)
	if ok {
		x.State = halley.PersonDeleted
		x.grants, x.secrets, x.sessions = map[int64]halley.Grant{}, map[storage.SecretKind]string{}, map[string]bool{}
	}
}

func (m *peopleRun) secret(x *modelPerson) {
	kind := rapid.SampledFrom([]storage.SecretKind{storage.SecretPassword, storage.SecretTOTP}).Draw(m.rt, "kind")
	key := fmt.Sprint(x.ID)
	stored, there := x.secrets[kind]
	if rapid.Bool().Draw(m.rt, "removes") {
		m.wants("RemoveSecret", m.p.RemoveSecret(m.t.Context(), kind, key, "", By("eva")), there, halley.NotFound)
		delete(x.secrets, kind)
		return
	}
	data := rapid.SampledFrom([]string{"", "a", "b"}).Draw(m.rt, "data")
	var was []byte
	if rapid.Bool().Draw(m.rt, "compares") {
		was = []byte(rapid.SampledFrom([]string{"", "a", "b"}).Draw(m.rt, "was"))
	}
	ok := x.State != halley.PersonDeleted && (was == nil || there && stored == string(was))
	err := m.p.SetSecret(m.t.Context(), storage.Secret{Kind: kind, Key: key, PersonID: x.ID, Data: []byte(data), At: Start}, was, "", By("eva"))
	m.wants("SetSecret", err, ok, halley.Conflict)
	if ok {
		x.secrets[kind] = data
	}
}

func (m *peopleRun) session(x *modelPerson) {
	hash := fmt.Sprintf("%s-%d-%d", m.p.journal(1), x.ID, rapid.IntRange(1, 3).Draw(m.rt, "session"))
	if rapid.Bool().Draw(m.rt, "ends") {
		must(m.t, "DeleteSession", m.p.DeleteSession(m.t.Context(), hash))
		delete(x.sessions, hash)
		return
	}
	renews := rapid.Bool().Draw(m.rt, "renews")
	ok := x.State != halley.PersonDeleted && x.State != halley.PersonDisabled && (!renews || x.sessions[hash])
	err := m.p.SaveSession(m.t.Context(), storage.Session{Hash: hash, PersonID: x.ID, ExpiresAt: Start + halley.Day, Renews: renews})
	m.wants("SaveSession", err, ok, halley.NotFound)
	if ok {
		x.sessions[hash] = true
	}
}

// account is all that is kept of one account, as it can be compared.
type account struct {
	Person   halley.Person
	Detail   bool
	Grants   []halley.Grant
	Secrets  map[storage.SecretKind]string
	Sessions []string
}

// compare holds the accounts of the model against those of the store.
func (m *peopleRun) compare() {
	m.t.Helper()
	ctx := m.t.Context()
	states, err := m.p.People(ctx)
	must(m.t, "People", err)
	details, err := m.p.PersonDetails(ctx)
	must(m.t, "PersonDetails", err)
	grants, err := m.p.Grants(ctx)
	must(m.t, "Grants", err)
	secrets, err := m.p.Secrets(ctx, 0)
	must(m.t, "Secrets", err)
	sessions, err := m.p.PersonSessions(ctx, 0, Start)
	must(m.t, "PersonSessions", err)
	for _, x := range m.people {
		want := account{Person: x.Person, Detail: x.State != halley.PersonDeleted, Secrets: x.secrets}
		got := account{Secrets: map[storage.SecretKind]string{}}
		for _, g := range x.grants {
			want.Grants = append(want.Grants, g)
		}
		slices.SortFunc(want.Grants, func(a, b halley.Grant) int { return int(a.ID - b.ID) })
		for hash := range x.sessions {
			want.Sessions = append(want.Sessions, hash)
		}
		slices.Sort(want.Sessions)
		for _, s := range states {
			if s.ID == x.ID {
				got.Person = s
			}
		}
		got.Detail = slices.ContainsFunc(details, func(d halley.PersonDetail) bool { return d.PersonID == x.ID })
		for _, g := range grants {
			if g.PersonID == x.ID && g.To == 0 {
				got.Grants = append(got.Grants, g)
			}
		}
		for _, s := range secrets {
			if s.PersonID == x.ID {
				got.Secrets[s.Kind] = string(s.Data)
			}
		}
		for _, s := range sessions {
			if s.PersonID == x.ID {
				got.Sessions = append(got.Sessions, s.Hash)
			}
		}
		equal(m.t, fmt.Sprintf("what is kept of person %d", x.ID), want, got)
	}
}
