package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"halley"
)

func roleTests() []test {
	return []test{
		{"a custom role has its states", roles},
		{"a role's name is never used again and is no preset's", roleNames},
		{"a custom role is granted at its organization and below, until it is closed", rolesInGrants},
	}
}

// role gives the name of a custom role that no other test on the same store uses.
func (p *plot) role(s string) halley.Role { return halley.Role(fmt.Sprintf("%s-%d", s, p.number)) }

// roleStates lists the states of one role.
func (p *plot) roleStates(t testing.TB, id int64) []halley.CustomRole {
	t.Helper()
	all, err := p.Roles(t.Context())
	must(t, "Roles", err)
	return slices.DeleteFunc(all, func(r halley.CustomRole) bool { return r.ID != id })
}

func roles(t *testing.T, p *plot) {
	first := halley.CustomRole{
		Name: p.role("cook"), OrganizationID: halley.RootOrganization,
		Permissions: []halley.Permission{halley.PermitSampleRead, halley.PermitStatusRead, halley.PermitSampleRead},
	}
	got, err := p.AddRole(t.Context(), first, By("eva"))
	must(t, "AddRole", err)
	first.ID, first.From = got.ID, By("").At
	first.Permissions = []halley.Permission{halley.PermitStatusRead, halley.PermitSampleRead}
	equal(t, "added", first, got)
	second := first
	second.Permissions, second.From = []halley.Permission{halley.PermitStatusRead}, first.From+halley.Minute
	got, err = p.ChangeRole(t.Context(), first.ID, []halley.Permission{halley.PermitStatusRead}, false, at(halley.Minute, "less"))
	must(t, "ChangeRole", err)
	equal(t, "changed", second, got)
	before := version(t, p)
	_, err = p.ChangeRole(t.Context(), first.ID, []halley.Permission{halley.PermitStatusRead}, false, By("eva"))
	must(t, "a change of nothing", err)
	equal(t, "version after a change of nothing", before, version(t, p))
	third := second
	third.Permissions, third.Closed, third.From = []halley.Permission{}, true, first.From+halley.Hour
	got, err = p.ChangeRole(t.Context(), first.ID, []halley.Permission{halley.PermitStatusRead}, true, at(halley.Hour, "unused"))
	must(t, "closing", err)
	equal(t, "closed", third, got)
	_, err = p.ChangeRole(t.Context(), first.ID, []halley.Permission{halley.PermitStatusRead}, false, By("eva"))
	wantKind(t, "a role that is closed", err, halley.NotFound)
	_, err = p.ChangeRole(t.Context(), 1<<40, []halley.Permission{halley.PermitStatusRead}, false, By("eva"))
	wantKind(t, "a role that is not there", err, halley.NotFound)
	p.reopen(t)
	equal(t, "states", []halley.CustomRole{first, second, third}, p.roleStates(t, first.ID))
	equal(t, "audit", []string{"role.add", "role.change", "role.change"}, p.whats(t))
	act := p.acts(t)[1]
	equal(t, "the act", []any{
		fmt.Sprintf("role %d", first.ID), "less",
		any(map[string]any{"permissions": []any{"status.read", "sample.read"}, "closed": false}),
		any(map[string]any{"permissions": []any{"status.read"}, "closed": false}),
	}, []any{act.On, act.Change.Why, any(decoded(t, act.Old)), any(decoded(t, act.New))})
}

func roleNames(t *testing.T, p *plot) {
	add := func(name halley.Role, permissions ...halley.Permission) error {
		_, err := p.AddRole(t.Context(), halley.CustomRole{Name: name, OrganizationID: 1, Permissions: permissions}, By("eva"))
		return err
	}
	must(t, "AddRole", add(p.role("cook"), halley.PermitStatusRead))
	wantCode(t, "a name that is used", add(p.role("cook"), halley.PermitStatusRead), halley.Conflict, "name-used")
	all, err := p.Roles(t.Context())
	must(t, "Roles", err)
	_, err = p.ChangeRole(t.Context(), all[len(all)-1].ID, nil, true, By("eva"))
	must(t, "closing", err)
	wantCode(t, "a name that was used", add(p.role("cook"), halley.PermitStatusRead), halley.Conflict, "name-used")
	for _, preset := range append(halley.PresetRoles(), halley.Reader) {
		wantCode(t, "the name of "+string(preset), add(preset, halley.PermitStatusRead), halley.Conflict, "name-used")
	}
	for _, name := range []halley.Role{"", "Cook", "cook ", "a b", "č", "a_b", halley.Role(strings.Repeat("a", 41))} {
		wantCode(t, fmt.Sprintf("the name %q", name), add(name, halley.PermitStatusRead), halley.Invalid, "bad-name")
	}
	wantKind(t, "no permission", add(p.role("a")), halley.Invalid)
	wantKind(t, "a permission of none", add(p.role("a"), "fly"), halley.Invalid)
	wantKind(t, "what everybody may", add(p.role("a"), halley.PermitSelf), halley.Invalid)
	_, err = p.AddRole(t.Context(), halley.CustomRole{
		Name: p.role("a"), OrganizationID: 1 << 40, Permissions: []halley.Permission{halley.PermitStatusRead},
	}, By("eva"))
	wantKind(t, "a role of no organization", err, halley.NotFound)
}

func rolesInGrants(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	acme, err := p.AddOrganization(t.Context(), halley.Organization{ParentID: halley.RootOrganization, Name: p.name("Acme")}, By("eva"))
	must(t, "AddOrganization", err)
	brno, err := p.AddOrganization(t.Context(), halley.Organization{ParentID: acme.ID, Name: p.name("Brno")}, By("eva"))
	must(t, "AddOrganization", err)
	r, err := p.AddRole(t.Context(), halley.CustomRole{
		Name: p.role("cook"), OrganizationID: acme.ID, Permissions: []halley.Permission{halley.PermitStatusRead},
	}, By("eva"))
	must(t, "AddRole", err)
	grant := func(at halley.OrganizationID) error {
		_, err := p.AddGrant(t.Context(), halley.Grant{PersonID: who.ID, Role: r.Name, OrganizationID: at}, By("eva"))
		return err
	}
	wantKind(t, "above its organization", grant(halley.RootOrganization), halley.NotFound)
	must(t, "at its organization", grant(acme.ID))
	must(t, "below its organization", grant(brno.ID))
	must(t, "EndGrant", p.EndGrant(t.Context(), p.grants(t, who.ID)[0].ID, By("eva")))
	_, err = p.ChangeRole(t.Context(), r.ID, nil, true, By("eva"))
	must(t, "closing", err)
	wantKind(t, "after it was closed", grant(acme.ID), halley.NotFound)
}
