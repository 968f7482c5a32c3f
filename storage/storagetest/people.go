package storagetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"halley"
	"halley/storage"
)

func peopleTests() []test {
	return []test{
		// The first is the only one that makes administrators of the whole installation, of which one always stays.
		{"the last administrator stays", lastAdministrator},
		{"an account has its states, its details and its first grants and secrets", accounts},
		{"a name is never used again, in whatever case", personNames},
		{"names that cannot be told apart or typed are refused", badPersonNames},
		{"accounts without a fit value are refused", unfitPeople},
		{"a person that cannot be added leaves nothing", nothingOfAPerson},
		{"a change names what changed, and of personal data that it did", personChanges},
		{"a change of nothing is none", noPersonChange},
		{"the newest state of an account is also the last in time", personClocks},
		{"deletion erases the data and leaves the name", deletion},
		{"no personal data get into the ledger", ledgerOfPeople},
		{"every change of people moves the registry's version, and what servers do not copy does not", peopleVersions},
		{"a sign-in is noted without an audit row", signIns},
	}
}

// person adds an active person of a name of the plot's own, with these grants, and gives it.
func (p *plot) person(t testing.TB, name string, grants ...halley.Grant) halley.Person {
	t.Helper()
	n := NewPerson(p.name(name))
	n.Grants = grants
	got, err := p.AddPerson(t.Context(), n, By("eva"))
	must(t, "AddPerson", err)
	return got
}

// NewPerson is an active person of the root with details.
func NewPerson(name string) storage.NewPerson {
	return storage.NewPerson{
		Person:       halley.Person{Name: name, State: halley.PersonActive, OrganizationID: halley.RootOrganization, Source: halley.Local},
		PersonDetail: halley.PersonDetail{FullName: "Eva Nováková", Email: "eva@example.com", SignOutMinutes: 30},
	}
}

// at gives a change of eva's so much later than By.
func at(later halley.Millis, why string) halley.Change {
	c := By("eva")
	c.At += later
	c.Why = why
	return c
}

// states lists the states of one account.
func (p *plot) states(t testing.TB, id halley.PersonID) []halley.Person {
	t.Helper()
	all, err := p.People(t.Context())
	must(t, "People", err)
	if !slices.IsSortedFunc(all, func(a, b halley.Person) int { return int(a.ID - b.ID) }) {
		t.Errorf("people are not listed by id: %v", all)
	}
	return slices.DeleteFunc(all, func(x halley.Person) bool { return x.ID != id })
}

// detail gives what else is known of a person.
func (p *plot) detail(t testing.TB, id halley.PersonID) (halley.PersonDetail, bool) {
	t.Helper()
	all, err := p.PersonDetails(t.Context())
	must(t, "PersonDetails", err)
	i := slices.IndexFunc(all, func(d halley.PersonDetail) bool { return d.PersonID == id })
	if i < 0 {
		return halley.PersonDetail{}, false
	}
	return all[i], true
}

// grants lists all grants of a person.
func (p *plot) grants(t testing.TB, id halley.PersonID) []halley.Grant {
	t.Helper()
	all, err := p.Grants(t.Context())
	must(t, "Grants", err)
	return slices.DeleteFunc(all, func(g halley.Grant) bool { return g.PersonID != id })
}

func accounts(t *testing.T, p *plot) {
	n := NewPerson(p.name("eva"))
	n.State, n.Shared, n.Source = halley.PersonInvited, true, halley.LDAP
	n.Grants = []halley.Grant{
		{Role: halley.User, OrganizationID: halley.RootOrganization}, {Role: halley.AlarmAdministrator, OrganizationID: halley.RootOrganization},
	}
	n.Secrets = []storage.Secret{
		{Kind: storage.SecretPassword, Data: []byte("$argon2id$"), At: Start},
		{Kind: storage.SecretLink, Key: p.name("hash"), Data: []byte("{}"), At: Start, ExpiresAt: Start + halley.Day},
	}
	got, err := p.AddPerson(t.Context(), n, at(0, "a colleague"))
	must(t, "AddPerson", err)
	want := n.Person
	want.ID, want.CreatedAt, want.From = got.ID, By("").At, By("").At
	equal(t, "added", want, got)
	equal(t, "states", []halley.Person{want}, p.states(t, got.ID))
	d, _ := p.detail(t, got.ID)
	equal(t, "detail", halley.PersonDetail{PersonID: got.ID, FullName: "Eva Nováková", Email: "eva@example.com", SignOutMinutes: 30}, d)
	grants := p.grants(t, got.ID)
	equal(t, "grants", []halley.Grant{
		{ID: grants[0].ID, PersonID: got.ID, Role: halley.User, OrganizationID: 1, From: By("").At},
		{ID: grants[0].ID + 1, PersonID: got.ID, Role: halley.AlarmAdministrator, OrganizationID: 1, From: By("").At},
	}, grants)
	secrets, err := p.Secrets(t.Context(), got.ID)
	must(t, "Secrets", err)
	equal(t, "secrets", []storage.Secret{
		{Kind: storage.SecretLink, Key: p.name("hash"), PersonID: got.ID, Data: []byte("{}"), At: Start, ExpiresAt: Start + halley.Day},
		{Kind: storage.SecretPassword, Key: fmt.Sprint(got.ID), PersonID: got.ID, Data: []byte("$argon2id$"), At: Start},
	}, secrets)
	equal(t, "audit", []string{"person.add", "grant.add", "grant.add"}, p.whats(t))
	for _, a := range p.acts(t) {
		equal(t, "the reason and what was acted on", []string{"a colleague", fmt.Sprintf("person %d", got.ID)}, []string{a.Change.Why, a.On})
	}
	p.reopen(t)
	equal(t, "states after opening again", []halley.Person{want}, p.states(t, got.ID))
	second := p.person(t, "adam")
	if second.ID <= got.ID {
		t.Errorf("the second person has the id %d after %d", second.ID, got.ID)
	}
}

func personNames(t *testing.T, p *plot) {
	gone := p.person(t, "Müller Straße ÅΣ")
	must(t, "DeletePerson", p.DeletePerson(t.Context(), gone.ID, By("eva")))
	for _, name := range []string{
		"Müller Straße ÅΣ", "müller straße åσ", "MÜLLER STRASSE Åς", "Mu\u0308ller Straße A\u030aσ", "Ｍüller Straße \u212bΣ",
	} {
		_, err := p.AddPerson(t.Context(), NewPerson(p.name(name)), By("eva"))
		wantCode(t, fmt.Sprintf("AddPerson(%q)", name), err, halley.Conflict, "name-used")
	}
	for _, name := range []string{"Muller Straße ÅΣ", "Müller Strase ÅΣ", "Müller-Straße ÅΣ"} {
		_, err := p.AddPerson(t.Context(), NewPerson(p.name(name)), By("eva"))
		must(t, fmt.Sprintf("AddPerson(%q)", name), err)
	}
	// A name is kept as it was given, letters composed.
	got := p.person(t, "Zoe\u0308 O")
	equal(t, "name", p.name("Zo\u00eb O"), got.Name)
	equal(t, "stored name", p.name("Zo\u00eb O"), p.states(t, got.ID)[0].Name)
	for _, name := range []string{"a@b.example", "a_b-c+d.e", "Ева", "王芳", "12", strings.Repeat("é", 95), strings.Repeat("𐐀", 47)} {
		p.person(t, name)
	}
}

func badPersonNames(t *testing.T, p *plot) {
	for what, name := range map[string]string{
		"none": "", "a blank": " ", "a blank at the end": "eva ", "a blank at the beginning": " eva", "two blanks": "eva  b",
		"101 letters": strings.Repeat("é", 101), "51 letters that count twice": strings.Repeat("𐐀", 51), "a slash": "a/b", "a quote": `a"b`, "a tag": "a<b>", "a line break": "a\nb", "a NUL": "a\x00b",
		"no UTF-8": "a\xff", "a hidden letter": "a\u3164b", "a mark of direction": "a\u202eb", "a joiner": "a\u200db", "a hard blank": "a\u00a0b",
		"a mark alone": "a\u0301\u0301b", "an emoji": "a🥶b", "a comma": "a,b",
	} {
		_, err := p.AddPerson(t.Context(), NewPerson(name), By("eva"))
		wantCode(t, what, err, halley.Invalid, "bad-name")
	}
	equal(t, "audit", []string{}, p.whats(t))
}

func unfitPeople(t *testing.T, p *plot) {
	for what, spoil := range map[string]func(n *storage.NewPerson){
		"a state of none":            func(n *storage.NewPerson) { n.State = "" },
		"deleted from the beginning": func(n *storage.NewPerson) { n.State = halley.PersonDeleted },
		"a source of none":           func(n *storage.NewPerson) { n.Source = "saml" },
		"a full name too long":       func(n *storage.NewPerson) { n.FullName = strings.Repeat("é", 201) },
		"an address too long":        func(n *storage.NewPerson) { n.Email = strings.Repeat("a", 255) },
		"a NUL in an address":        func(n *storage.NewPerson) { n.Email = "a\x00" },
		"a time of its own":          func(n *storage.NewPerson) { n.SignOutMinutes = 7 },
		"a sign-in before all time":  func(n *storage.NewPerson) { n.LastSignInAt = 1 },
		"a grant of nothing":         func(n *storage.NewPerson) { n.Grants = []halley.Grant{{OrganizationID: 1}} },
		"a guest of a place": func(n *storage.NewPerson) {
			n.Grants = []halley.Grant{{Role: halley.Guest, OrganizationID: 1, PlaceID: 1}}
		},
		"a guest of places, of none": func(n *storage.NewPerson) {
			n.Grants = []halley.Grant{{Role: halley.ViewByMeasuredPlaces, OrganizationID: 1}}
		},
		"a secret of no kind":    func(n *storage.NewPerson) { n.Secrets = []storage.Secret{{Kind: "pin", Key: "1", At: Start}} },
		"a secret without a key": func(n *storage.NewPerson) { n.Secrets = []storage.Secret{{Kind: storage.SecretLink, At: Start}} },
		"a secret of no time":    func(n *storage.NewPerson) { n.Secrets = []storage.Secret{{Kind: storage.SecretLink, Key: "a"}} },
	} {
		n := NewPerson(p.name("eva"))
		spoil(&n)
		_, err := p.AddPerson(t.Context(), n, By("eva"))
		wantKind(t, what, err, halley.Invalid)
	}
	for what, spoil := range map[string]func(n *storage.NewPerson){
		"an organization that is not there": func(n *storage.NewPerson) { n.OrganizationID = 1 << 40 },
		"a grant at no organization": func(n *storage.NewPerson) {
			n.Grants = []halley.Grant{{Role: halley.User, OrganizationID: 1 << 40}}
		},
		"a grant of no role": func(n *storage.NewPerson) { n.Grants = []halley.Grant{{Role: "cook", OrganizationID: 1}} },
		"a grant of a role that only tokens have": func(n *storage.NewPerson) {
			n.Grants = []halley.Grant{{Role: halley.Reader, OrganizationID: 1}}
		},
		"a grant at no place": func(n *storage.NewPerson) {
			n.Grants = []halley.Grant{{Role: halley.ViewByMeasuredPlaces, OrganizationID: 1, PlaceID: 1 << 40}}
		},
	} {
		n := NewPerson(p.name("eva"))
		spoil(&n)
		_, err := p.AddPerson(t.Context(), n, By("eva"))
		wantKind(t, what, err, halley.NotFound)
	}
	_, err := p.AddPerson(t.Context(), NewPerson(p.name("eva")), halley.Change{Actor: halley.Actor{Name: "eva"}})
	wantKind(t, "a change of no time", err, halley.Invalid)
	equal(t, "audit", []string{}, p.whats(t))
}

func nothingOfAPerson(t *testing.T, p *plot) {
	first := p.person(t, "adam")
	link := storage.Secret{Kind: storage.SecretLink, Key: p.name("link"), PersonID: first.ID, Data: []byte("{}"), At: Start}
	must(t, "SetSecret", p.SetSecret(t.Context(), link, nil, "", By("eva")))
	acts, before := p.whats(t), version(t, p)
	n := NewPerson(p.name("eva"))
	n.Secrets = []storage.Secret{link}
	_, err := p.AddPerson(t.Context(), n, By("eva"))
	wantCode(t, "a link that is another's", err, halley.Conflict, "secret-taken")
	n.Secrets = nil
	guest := halley.Grant{Role: halley.Guest, OrganizationID: 1}
	n.Grants = []halley.Grant{guest, guest}
	_, err = p.AddPerson(t.Context(), n, By("eva"))
	wantCode(t, "a grant twice", err, halley.Conflict, "grant-exists")
	equal(t, "audit", acts, p.whats(t))
	equal(t, "version", before, version(t, p))
	n.Grants = n.Grants[:1]
	_, err = p.AddPerson(t.Context(), n, By("eva"))
	must(t, "AddPerson", err)
}

func personChanges(t *testing.T, p *plot) {
	node, err := p.AddOrganization(t.Context(), halley.Organization{ParentID: halley.RootOrganization, Name: p.name("Acme")}, By("eva"))
	must(t, "AddOrganization", err)
	who := p.person(t, "eva")
	got, err := p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{
		State: new(halley.PersonDisabled), OrganizationID: new(node.ID), Shared: new(true), Source: new(halley.OIDC),
		FullName: new("Eva Malá"), Email: new("mala@example.com"), SignOutMinutes: new(120),
	}, at(halley.Minute, "married"))
	must(t, "ChangePerson", err)
	want := who
	want.State, want.OrganizationID, want.Shared, want.Source = halley.PersonDisabled, node.ID, true, halley.OIDC
	want.From += halley.Minute
	equal(t, "changed", want, got)
	equal(t, "states", []halley.Person{who, want}, p.states(t, who.ID))
	d, _ := p.detail(t, who.ID)
	equal(t, "detail", halley.PersonDetail{PersonID: who.ID, FullName: "Eva Malá", Email: "mala@example.com", SignOutMinutes: 120}, d)
	acts := p.acts(t)
	last := acts[len(acts)-1]
	equal(t, "act", []string{"person.change", fmt.Sprintf("person %d", who.ID), "married"}, []string{last.What, last.On, last.Change.Why})
	equal(t, "before", map[string]any{"state": "active", "organization": 1.0, "shared": false, "source": "local"}, decoded(t, last.Old))
	equal(t, "after", map[string]any{
		"state": "disabled", "organization": float64(node.ID), "shared": true, "source": "oidc",
		"full_name": "changed", "email": "changed", "sign_out_minutes": "changed",
	}, decoded(t, last.New))

	_, err = p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{Email: new("")}, By("eva"))
	must(t, "ChangePerson of an address", err)
	equal(t, "states after a change of details", 2, len(p.states(t, who.ID)))
	for what, u := range map[string]storage.PersonUpdate{
		"deleted by a change": {State: new(halley.PersonDeleted)}, "of no state": {State: new(halley.PersonState("x"))},
		"of no source": {Source: new(halley.SignInSource("x"))}, "an address too long": {Email: new(strings.Repeat("a", 255))},
		"a time of its own": {SignOutMinutes: new(1)},
	} {
		_, err = p.ChangePerson(t.Context(), who.ID, u, By("eva"))
		wantKind(t, what, err, halley.Invalid)
	}
	_, err = p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{OrganizationID: new(halley.OrganizationID(1 << 40))}, By("eva"))
	wantKind(t, "into an organization that is not there", err, halley.NotFound)
	_, err = p.ChangePerson(t.Context(), 1<<40, storage.PersonUpdate{Shared: new(true)}, By("eva"))
	wantKind(t, "a person that is not there", err, halley.NotFound)
}

// decoded gives what a text of JSON holds.
func decoded(t testing.TB, text string) map[string]any {
	t.Helper()
	var m map[string]any
	must(t, "decoding "+text, json.Unmarshal([]byte(text), &m))
	return m
}

func noPersonChange(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	acts, before := p.whats(t), version(t, p)
	for _, u := range []storage.PersonUpdate{
		{},
		{
			State: new(who.State), OrganizationID: new(who.OrganizationID), Shared: new(false), Source: new(halley.Local),
			FullName: new("Eva Nováková"), Email: new("eva@example.com"), SignOutMinutes: new(30),
		},
	} {
		got, err := p.ChangePerson(t.Context(), who.ID, u, at(halley.Hour, ""))
		must(t, "ChangePerson", err)
		equal(t, "person", who, got)
	}
	equal(t, "audit", acts, p.whats(t))
	equal(t, "version", before, version(t, p))
}

func personClocks(t *testing.T, p *plot) {
	who := p.person(t, "eva", halley.Grant{Role: halley.Guest, OrganizationID: 1})
	// The clock of the server that makes the next change is an hour behind.
	got, err := p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{Shared: new(true)}, at(-halley.Hour, ""))
	must(t, "ChangePerson", err)
	equal(t, "from", who.From, got.From)
	must(t, "EndGrant", p.EndGrant(t.Context(), p.grants(t, who.ID)[0].ID, at(-halley.Hour, "")))
	g := p.grants(t, who.ID)[0]
	equal(t, "the end of the grant", g.From, g.To)
}

func deletion(t *testing.T, p *plot) {
	who := p.person(t, "eva", halley.Grant{Role: halley.User, OrganizationID: 1}, halley.Grant{Role: halley.Guest, OrganizationID: 1})
	other := p.person(t, "adam", halley.Grant{Role: halley.User, OrganizationID: 1})
	must(t, "EndGrant", p.EndGrant(t.Context(), p.grants(t, who.ID)[1].ID, By("eva")))
	for _, id := range []halley.PersonID{who.ID, other.ID} {
		for _, kind := range []storage.SecretKind{storage.SecretPassword, storage.SecretTOTP} {
			must(t, "SetSecret", p.SetSecret(t.Context(), storage.Secret{Kind: kind, Key: fmt.Sprint(id), PersonID: id, At: Start}, nil, "", By("eva")))
		}
		must(t, "SaveSession", p.SaveSession(t.Context(),
			storage.Session{Hash: fmt.Sprintf("%s-%d", p.journal(1), id), PersonID: id, ExpiresAt: Start + 100*halley.Day}))
	}
	must(t, "DeletePerson", p.DeletePerson(t.Context(), who.ID, at(halley.Hour, "left")))

	want := who
	want.State, want.From = halley.PersonDeleted, who.From+halley.Hour
	equal(t, "states", []halley.Person{who, want}, p.states(t, who.ID))
	if d, there := p.detail(t, who.ID); there {
		t.Errorf("what was known of the person is there still: %+v", d)
	}
	for _, g := range p.grants(t, who.ID) {
		if g.To == 0 {
			t.Errorf("the grant %+v counts still", g)
		}
	}
	for id, n := range map[halley.PersonID]int{who.ID: 0, other.ID: 1} {
		secrets, err := p.Secrets(t.Context(), id)
		must(t, "Secrets", err)
		sessions, err := p.PersonSessions(t.Context(), id, Start)
		must(t, "PersonSessions", err)
		equal(t, fmt.Sprintf("secrets and sessions of person %d", id), []int{2 * n, n}, []int{len(secrets), len(sessions)})
	}
	if _, there := p.detail(t, other.ID); !there || p.grants(t, other.ID)[0].To != 0 {
		t.Error("another person lost something")
	}
	acts := p.acts(t)
	equal(t, "the last act", []string{"person.delete", fmt.Sprintf("person %d", who.ID), "left"},
		[]string{acts[len(acts)-1].What, acts[len(acts)-1].On, acts[len(acts)-1].Change.Why})

	// What is gone stays so.
	wantCode(t, "DeletePerson again", p.DeletePerson(t.Context(), who.ID, By("eva")), halley.Conflict, "person-deleted")
	_, err := p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{State: new(halley.PersonActive)}, By("eva"))
	wantCode(t, "ChangePerson", err, halley.Conflict, "person-deleted")
	_, err = p.AddGrant(t.Context(), halley.Grant{PersonID: who.ID, Role: halley.Guest, OrganizationID: 1}, By("eva"))
	wantKind(t, "AddGrant", err, halley.NotFound)
	wantKind(t, "SetSecret", p.SetSecret(t.Context(),
		storage.Secret{Kind: storage.SecretPassword, Key: fmt.Sprint(who.ID), PersonID: who.ID, At: Start}, nil, "", By("eva")), halley.Conflict)
	wantKind(t, "SaveSession", p.SaveSession(t.Context(),
		storage.Session{Hash: p.journal(2), PersonID: who.ID, ExpiresAt: Start + 100*halley.Day}), halley.NotFound)
	wantKind(t, "NoteSignIn", p.NoteSignIn(t.Context(), who.ID, Start), halley.NotFound)
	wantKind(t, "DeletePerson of nobody", p.DeletePerson(t.Context(), 1<<40, By("eva")), halley.NotFound)
}

func signIns(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	acts, before := p.whats(t), version(t, p)
	must(t, "NoteSignIn", p.NoteSignIn(t.Context(), who.ID, Start+halley.Day))
	d, _ := p.detail(t, who.ID)
	equal(t, "last sign-in", Start+halley.Day, d.LastSignInAt)
	_, err := p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{Email: new("b@example.com")}, By("eva"))
	must(t, "ChangePerson", err)
	d, _ = p.detail(t, who.ID)
	equal(t, "last sign-in after a change", Start+halley.Day, d.LastSignInAt)
	equal(t, "audit", append(acts, "person.change"), p.whats(t))
	equal(t, "versions", before+1, version(t, p))
	wantKind(t, "NoteSignIn of nobody", p.NoteSignIn(t.Context(), 1<<40, Start), halley.NotFound)
	wantKind(t, "NoteSignIn at no time", p.NoteSignIn(t.Context(), who.ID, 0), halley.Invalid)
}
