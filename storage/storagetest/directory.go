package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"halley"
	"halley/storage"
)

func directoryTests() []test {
	return []test{
		{"the root is there from the beginning", rootNode},
		{"a node keeps all its states, and the last is the newest", nodeStates},
		{"names are one's own among the open nodes beside each other", nodeNames},
		{"names and zones that cannot be taken are refused", unfitNodes},
		{"a node moves anywhere but below itself", nodeMoves},
		{"a tree is at most so deep", deepTree},
		{"only an empty node is closed, and nothing comes to a closed one", closedNodes},
		{"the newest state is also the last in time", nodeClocks},
		{"a place keeps all its states, and what it was called", placeStates},
		{"places are listed in pages of whole places", placePages},
		{"names and organizations that places cannot have are refused", unfitPlaces},
		{"only an empty place is closed, and a closed one opens again", closedPlaces},
		{"a change of nothing is none", noChangeOfTree},
		{"every change of the tree moves the registry's version", treeVersions},
		{"what is in the tree is in the ledger", treeLedger},
		{"a token reaches its node, or its places", tokenReach},
		{"tokens for what is not there are refused", unfitTokens},
	}
}

// organization adds a node below another and gives it.
func (p *plot) organization(t testing.TB, name string, above halley.OrganizationID) halley.Organization {
	t.Helper()
	o, err := p.AddOrganization(t.Context(), halley.Organization{ParentID: above, Name: name}, By("eva"))
	must(t, "AddOrganization", err)
	return o
}

// place adds a place and gives it.
func (p *plot) place(t testing.TB, name string, of halley.OrganizationID) halley.Place {
	t.Helper()
	x, err := p.AddPlace(t.Context(), halley.Place{OrganizationID: of, Name: name}, By("eva"))
	must(t, "AddPlace", err)
	return x
}

// nodes lists the states of one node.
func (p *plot) nodes(t testing.TB, id halley.OrganizationID) []halley.Organization {
	t.Helper()
	all, err := p.Organizations(t.Context())
	must(t, "Organizations", err)
	if !slices.IsSortedFunc(all, func(a, b halley.Organization) int { return int(a.ID - b.ID) }) {
		t.Errorf("organizations are not listed by id: %v", all)
	}
	return slices.DeleteFunc(all, func(o halley.Organization) bool { return o.ID != id })
}

// placesOf lists the states of one place.
func (p *plot) placesOf(t testing.TB, id halley.PlaceID) []halley.Place {
	t.Helper()
	all, err := p.PlaceStates(t.Context(), id-1, 1)
	must(t, "PlaceStates", err)
	return all
}

// said gives an act of the plot by its number, from 0, as what, on, old and new.
func (p *plot) said(t testing.TB, n int) []string {
	t.Helper()
	acts := p.acts(t)
	if n < 0 {
		n += len(acts)
	}
	if n < 0 || n >= len(acts) {
		t.Fatalf("there are %d acts", len(acts))
	}
	a := acts[n]
	return []string{a.What, a.On, a.Old, a.New}
}

func rootNode(t *testing.T, p *plot) {
	equal(t, "the root", []halley.Organization{{ID: halley.RootOrganization, TimeZone: "UTC"}}, p.nodes(t, halley.RootOrganization))
	got, err := p.ChangeOrganization(t.Context(), halley.RootOrganization, storage.OrganizationUpdate{
		Name: new("Group"), TimeZone: new("Europe/Prague"),
	}, By("eva"))
	must(t, "ChangeOrganization", err)
	equal(t, "the root with a name", halley.Organization{
		ID: halley.RootOrganization, Name: "Group", TimeZone: "Europe/Prague", From: By("").At,
	}, got)
	for name, u := range map[string]storage.OrganizationUpdate{
		"moving the root":  {ParentID: new(p.organization(t, p.name("Acme"), 0).ID)},
		"closing the root": {Closed: new(true)},
	} {
		_, err := p.ChangeOrganization(t.Context(), halley.RootOrganization, u, By("eva"))
		wantCode(t, name, err, halley.Conflict, "root-stays")
	}
	_, err = p.ChangeOrganization(t.Context(), halley.RootOrganization, storage.OrganizationUpdate{Name: new(""), TimeZone: new("UTC")}, By("eva"))
	must(t, "a root without a name", err)
}

func nodeStates(t *testing.T, p *plot) {
	name := p.name("Acme ❄ \"Brno\" ")
	o, err := p.AddOrganization(t.Context(), halley.Organization{ID: 77, Name: name, Closed: true, TimeZone: "Europe/Prague", From: 5}, By("eva"))
	must(t, "AddOrganization", err)
	want := halley.Organization{
		ID: o.ID, ParentID: halley.RootOrganization, Name: name, TimeZone: "Europe/Prague", From: By("").At,
	}
	equal(t, "what is added", want, o)
	id := fmt.Sprint("organization ", o.ID)
	equal(t, "audit", []string{
		"organization.add", id, "", fmt.Sprintf(`{"name":%s,"parent_id":1,"time_zone":"Europe/Prague"}`, asQuoted(name)),
	}, p.said(t, 0))
	below := p.organization(t, "Cellar", o.ID)
	got, err := p.ChangeOrganization(t.Context(), below.ID, storage.OrganizationUpdate{Name: new("Attic"), TimeZone: new("Asia/Tokyo")}, at(5, "w"))
	must(t, "ChangeOrganization", err)
	second := halley.Organization{ID: below.ID, ParentID: o.ID, Name: "Attic", TimeZone: "Asia/Tokyo", From: By("").At + 5}
	equal(t, "what is changed", second, got)
	equal(t, "all states", []halley.Organization{below, second}, p.nodes(t, below.ID))
	equal(t, "audit of the change", []string{
		"organization.change", fmt.Sprint("organization ", below.ID), `{"name":"Cellar","time_zone":""}`,
		`{"name":"Attic","time_zone":"Asia/Tokyo"}`,
	}, p.said(t, -1))
	p.reopen(t)
	equal(t, "after opening again", []halley.Organization{below, second}, p.nodes(t, below.ID))
	_, err = p.ChangeOrganization(t.Context(), 1<<40, storage.OrganizationUpdate{Name: new("x")}, By("eva"))
	wantKind(t, "changing what is not there", err, halley.NotFound)
}

// asQuoted gives the JSON of a plain text.
func asQuoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func nodeNames(t *testing.T, p *plot) {
	above := p.organization(t, p.name("Acme"), 0)
	first := p.organization(t, "Brno", above.ID)
	_, err := p.AddOrganization(t.Context(), halley.Organization{ParentID: above.ID, Name: "Brno"}, By("eva"))
	wantCode(t, "a name that is used", err, halley.Conflict, "name-used")
	// Texts are compared exactly.
	for _, other := range []string{"brno", "Brno ", "Brnó", "BRNO"} {
		p.organization(t, other, above.ID)
	}
	p.organization(t, "Brno", first.ID)
	_, err = p.ChangeOrganization(t.Context(), p.organization(t, "Zlín", above.ID).ID, storage.OrganizationUpdate{Name: new("Brno")}, By("eva"))
	wantCode(t, "changing to a name that is used", err, halley.Conflict, "name-used")
	// Of a node that is closed the name is free, but then it cannot be opened under it.
	below := p.organization(t, "Olomouc", above.ID)
	_, err = p.ChangeOrganization(t.Context(), below.ID, storage.OrganizationUpdate{Closed: new(true)}, By("eva"))
	must(t, "closing", err)
	p.organization(t, "Olomouc", above.ID)
	_, err = p.ChangeOrganization(t.Context(), below.ID, storage.OrganizationUpdate{Closed: new(false)}, By("eva"))
	wantCode(t, "opening under a name that is used", err, halley.Conflict, "name-used")
	_, err = p.ChangeOrganization(t.Context(), below.ID, storage.OrganizationUpdate{Closed: new(false), Name: new("Olomouc 2")}, By("eva"))
	must(t, "opening under another name", err)
	_, err = p.ChangeOrganization(t.Context(), first.ID, storage.OrganizationUpdate{Name: new("Brno")}, By("eva"))
	must(t, "keeping a name", err)
}

func unfitNodes(t *testing.T, p *plot) {
	n := len(p.whats(t))
	for _, bad := range []string{"", "  ", "a/b", "a\x00b", "a\nb", "\xff", strings.Repeat("x", 201)} {
		_, err := p.AddOrganization(t.Context(), halley.Organization{Name: bad}, By("eva"))
		wantKind(t, fmt.Sprintf("the name %.20q", bad), err, halley.Invalid)
	}
	for _, bad := range []string{"Europe Prague", "a\x00b", strings.Repeat("x", 201), "Evropa/Plzeň", "<b>"} {
		_, err := p.AddOrganization(t.Context(), halley.Organization{Name: p.name("z"), TimeZone: bad}, By("eva"))
		wantKind(t, fmt.Sprintf("the zone %.20q", bad), err, halley.Invalid)
	}
	_, err := p.AddOrganization(t.Context(), halley.Organization{Name: p.name("z"), ParentID: 1 << 40}, By("eva"))
	wantKind(t, "below what is not there", err, halley.NotFound)
	_, err = p.AddOrganization(t.Context(), halley.Organization{Name: p.name("z")}, halley.Change{Actor: By("eva").Actor})
	wantKind(t, "at no time", err, halley.Invalid)
	equal(t, "acts", n, len(p.whats(t)))
	p.organization(t, strings.Repeat("ž", 200-len(p.name("")))+p.name(""), 0)
}

func nodeMoves(t *testing.T, p *plot) {
	a := p.organization(t, p.name("A"), 0)
	b := p.organization(t, "B", a.ID)
	c := p.organization(t, "C", b.ID)
	other := p.organization(t, p.name("Other"), 0)
	for name, to := range map[string]halley.OrganizationID{"itself": a.ID, "its child": b.ID, "its grandchild": c.ID} {
		_, err := p.ChangeOrganization(t.Context(), a.ID, storage.OrganizationUpdate{ParentID: &to}, By("eva"))
		wantCode(t, "moving below "+name, err, halley.Conflict, "below-itself")
	}
	_, err := p.ChangeOrganization(t.Context(), a.ID, storage.OrganizationUpdate{ParentID: new(halley.OrganizationID(1 << 40))}, By("eva"))
	wantKind(t, "moving below what is not there", err, halley.NotFound)
	got, err := p.ChangeOrganization(t.Context(), b.ID, storage.OrganizationUpdate{ParentID: &other.ID}, at(1, "w"))
	must(t, "moving", err)
	equal(t, "above", other.ID, got.ParentID)
	equal(t, "audit", []string{
		"organization.change", fmt.Sprint("organization ", b.ID), fmt.Sprintf(`{"parent_id":%d}`, a.ID), fmt.Sprintf(`{"parent_id":%d}`, other.ID),
	}, p.said(t, -1))
	equal(t, "above in all states", []halley.OrganizationID{a.ID, other.ID}, []halley.OrganizationID{
		p.nodes(t, b.ID)[0].ParentID, p.nodes(t, b.ID)[1].ParentID,
	})
	// A rename leaves it where it is.
	got, err = p.ChangeOrganization(t.Context(), b.ID, storage.OrganizationUpdate{Name: new("B2")}, at(2, "w"))
	must(t, "renaming", err)
	equal(t, "above after a rename", other.ID, got.ParentID)
	p.organization(t, "B2", a.ID)
	_, err = p.ChangeOrganization(t.Context(), b.ID, storage.OrganizationUpdate{ParentID: &a.ID}, at(3, "w"))
	wantCode(t, "moving to where the name is used", err, halley.Conflict, "name-used")
	got, err = p.ChangeOrganization(t.Context(), c.ID, storage.OrganizationUpdate{ParentID: new(halley.OrganizationID(0)), Name: new(p.name("C"))}, at(4, "w"))
	must(t, "moving to the root", err)
	equal(t, "above", halley.RootOrganization, got.ParentID)
}

func deepTree(t *testing.T, p *plot) {
	above, list := halley.RootOrganization, []halley.Organization{}
	for i := range 32 {
		o := p.organization(t, p.name(fmt.Sprint("depth ", i)), above)
		list, above = append(list, o), o.ID
	}
	_, err := p.AddOrganization(t.Context(), halley.Organization{ParentID: above, Name: "more"}, By("eva"))
	wantCode(t, "below the deepest", err, halley.Conflict, "too-deep")
	other := p.organization(t, p.name("other"), 0)
	_, err = p.ChangeOrganization(t.Context(), list[0].ID, storage.OrganizationUpdate{ParentID: &other.ID}, By("eva"))
	wantCode(t, "moving what is deep", err, halley.Conflict, "too-deep")
	_, err = p.ChangeOrganization(t.Context(), list[1].ID, storage.OrganizationUpdate{ParentID: &other.ID}, By("eva"))
	must(t, "moving what fits", err)
}

func closedNodes(t *testing.T, p *plot) {
	a := p.organization(t, p.name("A"), 0)
	b := p.organization(t, "B", a.ID)
	shut := func(id halley.OrganizationID, closed bool) error {
		_, err := p.ChangeOrganization(t.Context(), id, storage.OrganizationUpdate{Closed: &closed}, By("eva"))
		return err
	}
	wantCode(t, "closing with a node below", shut(a.ID, true), halley.Conflict, "not-empty")
	x := p.place(t, "Cold room", b.ID)
	wantCode(t, "closing with a place", shut(b.ID, true), halley.Conflict, "not-empty")
	_, err := p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{Closed: new(true)}, By("eva"))
	must(t, "closing the place", err)
	n := NewPerson(p.name("someone"))
	n.OrganizationID = b.ID
	person, err := p.AddPerson(t.Context(), n, By("eva"))
	must(t, "AddPerson", err)
	wantCode(t, "closing with a person", shut(b.ID, true), halley.Conflict, "not-empty")
	must(t, "DeletePerson", p.DeletePerson(t.Context(), person.ID, By("eva")))
	d := p.nowhere(t, 1, b.ID)
	wantCode(t, "closing with a device", shut(b.ID, true), halley.Conflict, "not-empty")
	retired := halley.DeviceRetired
	_, err = p.ChangeDevice(t.Context(), d, storage.DeviceUpdate{State: &retired}, By("eva"))
	must(t, "retiring the device", err)
	must(t, "closing what is empty", shut(b.ID, true))
	must(t, "closing the node above", shut(a.ID, true))
	equal(t, "closed", true, p.nodes(t, b.ID)[1].Closed)
	_, err = p.AddOrganization(t.Context(), halley.Organization{ParentID: a.ID, Name: "late"}, By("eva"))
	wantKind(t, "a node below a closed one", err, halley.NotFound)
	_, err = p.AddPlace(t.Context(), halley.Place{OrganizationID: a.ID, Name: "late"}, By("eva"))
	wantKind(t, "a place of a closed one", err, halley.NotFound)
	_, err = p.ChangePlace(t.Context(), p.place(t, "room", 0).ID, storage.PlaceUpdate{OrganizationID: &a.ID}, By("eva"))
	wantKind(t, "moving a place to a closed one", err, halley.NotFound)
	_, err = p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{Closed: new(false)}, By("eva"))
	wantCode(t, "opening a place of a closed one", err, halley.Conflict, "above-closed")
	wantCode(t, "opening below a closed one", shut(b.ID, false), halley.Conflict, "above-closed")
	must(t, "opening the upper one", shut(a.ID, false))
	must(t, "opening the lower one", shut(b.ID, false))
}

func nodeClocks(t *testing.T, p *plot) {
	o := p.organization(t, p.name("A"), 0)
	_, err := p.ChangeOrganization(t.Context(), o.ID, storage.OrganizationUpdate{TimeZone: new("Asia/Tokyo")}, at(-halley.Hour, "an earlier clock"))
	must(t, "ChangeOrganization", err)
	x := p.place(t, "room", o.ID)
	_, err = p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{Name: new("hall")}, at(-halley.Hour, "an earlier clock"))
	must(t, "ChangePlace", err)
	nodes, places := p.nodes(t, o.ID), p.placesOf(t, x.ID)
	equal(t, "zones", []string{"", "Asia/Tokyo"}, []string{nodes[0].TimeZone, nodes[1].TimeZone})
	equal(t, "names", []string{"room", "hall"}, []string{places[0].Name, places[1].Name})
	equal(t, "times", []halley.Millis{o.From, o.From, x.From, x.From}, []halley.Millis{nodes[0].From, nodes[1].From, places[0].From, places[1].From})
}

func placeStates(t *testing.T, p *plot) {
	o := p.organization(t, p.name("A"), 0)
	x, err := p.AddPlace(t.Context(), halley.Place{ID: 9, Name: "Kühlraum ❄", Closed: true, From: 1}, By("eva"))
	must(t, "AddPlace", err)
	equal(t, "what is added", halley.Place{
		ID: x.ID, OrganizationID: halley.RootOrganization, Name: "Kühlraum ❄", From: By("").At,
	}, x)
	equal(t, "audit", []string{
		"place.add", fmt.Sprint("place ", x.ID), "", `{"name":"Kühlraum ❄","organization_id":1}`,
	}, p.said(t, -1))
	second, err := p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{OrganizationID: &o.ID}, at(1, "w"))
	must(t, "moving", err)
	third, err := p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{Name: new("Hall")}, at(2, "w"))
	must(t, "renaming", err)
	equal(t, "the last state", halley.Place{ID: x.ID, OrganizationID: o.ID, Name: "Hall", From: By("").At + 2}, third)
	equal(t, "audit of the change", []string{"place.change", fmt.Sprint("place ", x.ID), `{"name":"Kühlraum ❄"}`, `{"name":"Hall"}`}, p.said(t, -1))
	p.reopen(t)
	equal(t, "all states", []halley.Place{x, second, third}, p.placesOf(t, x.ID))
	names, err := p.PlaceNames(t.Context(), []halley.PlaceID{x.ID, 1 << 40})
	must(t, "PlaceNames", err)
	equal(t, "the newest name", map[halley.PlaceID]string{x.ID: "Hall"}, names)
}

func placePages(t *testing.T, p *plot) {
	ids := []halley.PlaceID{}
	for i := range 5 {
		x := p.place(t, fmt.Sprint("place ", i), 0)
		_, err := p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{Name: new(fmt.Sprint("again ", i))}, at(1, "w"))
		must(t, "ChangePlace", err)
		ids = append(ids, x.ID)
	}
	got := []halley.PlaceID{}
	for after := ids[0] - 1; ; {
		page, err := p.PlaceStates(t.Context(), after, 2)
		must(t, "PlaceStates", err)
		if len(page) == 0 {
			break
		}
		if len(page) > 4 {
			t.Errorf("a page of two places has %d states", len(page))
		}
		for _, x := range page {
			got = append(got, x.ID)
			after = x.ID
		}
	}
	want := []halley.PlaceID{}
	for _, id := range ids {
		want = append(want, id, id)
	}
	equal(t, "places", want, got)
}

func unfitPlaces(t *testing.T, p *plot) {
	for _, bad := range []string{"", " ", "a\x00b", "a\tb", "\xff", strings.Repeat("x", 201)} {
		_, err := p.AddPlace(t.Context(), halley.Place{Name: bad}, By("eva"))
		wantKind(t, fmt.Sprintf("the name %.20q", bad), err, halley.Invalid)
	}
	_, err := p.AddPlace(t.Context(), halley.Place{Name: "x", OrganizationID: 1 << 40}, By("eva"))
	wantKind(t, "of an organization that is not there", err, halley.NotFound)
	x := p.place(t, "x", 0)
	_, err = p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{OrganizationID: new(halley.OrganizationID(1 << 40))}, By("eva"))
	wantKind(t, "moving to an organization that is not there", err, halley.NotFound)
	_, err = p.ChangePlace(t.Context(), 1<<40, storage.PlaceUpdate{Name: new("x")}, By("eva"))
	wantKind(t, "changing what is not there", err, halley.NotFound)
	// A device may call itself what people may not call a place; the place can be changed all the same.
	d := WiFi(p.serial(1), 1)
	d.Name = "line\nbreak"
	p.feed().Append(t, d.Upload(0, d.Message(Start, 20)))
	o := p.organization(t, p.name("A"), 0)
	got, err := p.ChangePlace(t.Context(), DeviceOf(t, p, p.serial(1)).PlaceID, storage.PlaceUpdate{OrganizationID: &o.ID}, By("eva"))
	must(t, "moving a place with a device's name", err)
	equal(t, "its name", "line\nbreak", got.Name)
	equal(t, "its device's organization", o.ID, DeviceOf(t, p, p.serial(1)).OrganizationID)
}

func closedPlaces(t *testing.T, p *plot) {
	accepted(t, p)
	d := DeviceOf(t, p, p.serial(1))
	_, err := p.ChangePlace(t.Context(), d.PlaceID, storage.PlaceUpdate{Closed: new(true)}, By("eva"))
	wantCode(t, "closing with a device", err, halley.Conflict, "attached")
	_, err = p.Attach(t.Context(), []halley.Attachment{{ChannelID: p.channel(t, 1), From: Start + halley.Hour}}, By("eva"))
	must(t, "Attach", err)
	_, err = p.ChangePlace(t.Context(), d.PlaceID, storage.PlaceUpdate{Closed: new(true)}, at(1, "w"))
	must(t, "closing", err)
	_, err = p.Attach(t.Context(), []halley.Attachment{{ChannelID: p.channel(t, 1), PlaceID: d.PlaceID, From: Start + 2*halley.Hour}}, By("eva"))
	wantCode(t, "attaching to a closed place", err, halley.Conflict, "place-closed")
	got, err := p.ChangePlace(t.Context(), d.PlaceID, storage.PlaceUpdate{Closed: new(false)}, at(2, "w"))
	must(t, "opening", err)
	equal(t, "closed", false, got.Closed)
	equal(t, "states", []bool{false, true, false}, []bool{
		p.placesOf(t, d.PlaceID)[0].Closed, p.placesOf(t, d.PlaceID)[1].Closed, p.placesOf(t, d.PlaceID)[2].Closed,
	})
}

func noChangeOfTree(t *testing.T, p *plot) {
	o := p.organization(t, p.name("A"), 0)
	x := p.place(t, "x", o.ID)
	before, acts := version(t, p), len(p.whats(t))
	got, err := p.ChangeOrganization(t.Context(), o.ID, storage.OrganizationUpdate{
		Name: &o.Name, ParentID: &o.ParentID, TimeZone: &o.TimeZone, Closed: &o.Closed,
	}, at(1, "w"))
	must(t, "ChangeOrganization", err)
	equal(t, "the organization", o, got)
	place, err := p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{Name: &x.Name, OrganizationID: &o.ID, Closed: &x.Closed}, at(1, "w"))
	must(t, "ChangePlace", err)
	equal(t, "the place", x, place)
	equal(t, "version and acts", []int64{before, int64(acts)}, []int64{version(t, p), int64(len(p.whats(t)))})
}

func treeVersions(t *testing.T, p *plot) {
	last := version(t, p)
	moved := func(what string) {
		t.Helper()
		now := version(t, p)
		if now <= last {
			t.Errorf("%s: the version is %d, was %d", what, now, last)
		}
		last = now
	}
	o := p.organization(t, p.name("A"), 0)
	moved("AddOrganization")
	_, err := p.ChangeOrganization(t.Context(), o.ID, storage.OrganizationUpdate{TimeZone: new("UTC")}, By("eva"))
	must(t, "ChangeOrganization", err)
	moved("ChangeOrganization")
	x := p.place(t, "x", o.ID)
	moved("AddPlace")
	_, err = p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{Name: new("y")}, By("eva"))
	must(t, "ChangePlace", err)
	moved("ChangePlace")
}

func treeLedger(t *testing.T, p *plot) {
	o := p.organization(t, p.name("A"), 0)
	x := p.place(t, "x", o.ID)
	_, err := p.ChangePlace(t.Context(), x.ID, storage.PlaceUpdate{OrganizationID: new(halley.RootOrganization)}, By("eva"))
	must(t, "ChangePlace", err)
	_, err = p.ChangeOrganization(t.Context(), o.ID, storage.OrganizationUpdate{Closed: new(true)}, By("eva"))
	must(t, "ChangeOrganization", err)
	CheckLedger(t, p)
}

func tokenReach(t *testing.T, p *plot) {
	o := p.organization(t, p.name("A"), 0)
	x, y := p.place(t, "x", o.ID), p.place(t, "y", o.ID)
	for i, token := range []storage.Token{
		{Name: p.name("whole"), Role: halley.Guest},
		{Name: p.name("root"), Role: halley.Guest, OrganizationID: halley.RootOrganization},
		{Name: p.name("node"), Role: halley.Administrator, OrganizationID: o.ID},
		{
			Name: p.name("places"), Role: halley.ViewByMeasuredPlaces, OrganizationID: o.ID,
			Places: []halley.PlaceID{y.ID, x.ID, y.ID},
		},
	} {
		token.Hash = p.hash(byte(i + 1))
		made, err := p.CreateToken(t.Context(), token, By("eva"))
		must(t, "CreateToken", err)
		want := token
		want.ID, want.CreatedAt, want.By = made.ID, By("").At, By("eva").Actor
		if want.OrganizationID == halley.RootOrganization {
			want.OrganizationID = 0
		}
		if len(want.Places) > 0 {
			want.Places = []halley.PlaceID{x.ID, y.ID}
		}
		equal(t, "what is made", want, made)
		found, err := p.Token(t.Context(), token.Hash)
		must(t, "Token", err)
		equal(t, "what is found", want, found)
	}
	equal(t, "audit of the last", []string{
		"token.create", "token " + p.name("places"), "",
		fmt.Sprintf(`{"expires":"","organization_id":%d,"place_ids":[%d,%d],"role":"view-by-measured-places"}`, o.ID, x.ID, y.ID),
	}, p.said(t, -1))
	CheckLedger(t, p)
}

func unfitTokens(t *testing.T, p *plot) {
	x := p.place(t, "x", 0)
	shut := p.organization(t, p.name("shut"), 0)
	_, err := p.ChangeOrganization(t.Context(), shut.ID, storage.OrganizationUpdate{Closed: new(true)}, By("eva"))
	must(t, "closing", err)
	for name, c := range map[string]struct {
		token storage.Token
		want  halley.Kind
	}{
		"no role":                           {storage.Token{}, halley.Invalid},
		"places for a role of all places":   {storage.Token{Role: halley.Guest, Places: []halley.PlaceID{x.ID}}, halley.Invalid},
		"no places for a role of places":    {storage.Token{Role: halley.ViewByMeasuredPlaces}, halley.Invalid},
		"a place that is not there":         {storage.Token{Role: halley.ViewByMeasuredPlaces, Places: []halley.PlaceID{1 << 40}}, halley.NotFound},
		"an organization that is not there": {storage.Token{Role: halley.Guest, OrganizationID: 1 << 40}, halley.NotFound},
		"a closed organization":             {storage.Token{Role: halley.Guest, OrganizationID: shut.ID}, halley.NotFound},
		"a role that nobody made":           {storage.Token{Role: "night-watch-of-nobody"}, halley.NotFound},
	} {
		c.token.Name, c.token.Hash = p.name("t"), p.hash(1)
		_, err := p.CreateToken(t.Context(), c.token, By("eva"))
		wantKind(t, name, err, c.want)
	}
}
