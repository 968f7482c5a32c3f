package viewerapi

import (
	"net/http"

	"halley"
	"halley/server/directory"
	"halley/server/people"
)

// roleView is a role. ID is null for a preset; OrganizationID is null there too, and where the caller does not see the node.
type roleView struct {
	ID             *int64                 `json:"id"`
	Name           halley.Role            `json:"name"`
	Preset         bool                   `json:"preset"`
	OrganizationID *halley.OrganizationID `json:"organization_id"`
	Permissions    []halley.Permission    `json:"permissions"`
	Closed         bool                   `json:"closed"`
}

// permissionView is a permission.
type permissionView struct {
	Permission halley.Permission `json:"permission"`
	OfServer   bool              `json:"of_server"`
	Reads      bool              `json:"reads"`
}

func newRoleView(rights directory.Rights, r halley.CustomRole) roleView {
	v := roleView{ID: &r.ID, Name: r.Name, Permissions: r.Permissions, Closed: r.Closed}
	if people.SeesNode(rights, r.OrganizationID) {
		v.OrganizationID = &r.OrganizationID
	}
	if r.Permissions == nil {
		v.Permissions = []halley.Permission{}
	}
	return v
}

// listRoles lists the presets and the custom roles that can be granted where the caller sees the tree, with all permissions.
func (a *API) listRoles(w http.ResponseWriter, r *http.Request) error {
	if q := newQuery(r); q.err != nil {
		return q.err
	}
	var page struct {
		Roles       []roleView       `json:"roles"`
		Permissions []permissionView `json:"permissions"`
	}
	for _, role := range halley.PresetRoles() {
		page.Roles = append(page.Roles, roleView{Name: role, Preset: true, Permissions: role.Permissions()})
	}
	rights := rightsOf(r)
	for _, role := range rights.State().CustomRoles() {
		if people.SeesRole(rights.State(), rights, role) {
			page.Roles = append(page.Roles, newRoleView(rights, role))
		}
	}
	for _, p := range halley.Permissions() {
		page.Permissions = append(page.Permissions, permissionView{Permission: p, OfServer: p.OfServer(), Reads: p.Reads()})
	}
	return writeJSON(w, page)
}

// addRole adds a custom role.
func (a *API) addRole(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name           halley.Role           `json:"name"`
		OrganizationID halley.OrganizationID `json:"organization_id"`
		Permissions    []halley.Permission   `json:"permissions"`
		Why            string                `json:"why"`
	}
	if err := readReasoned(w, r, &in, &in.Why); err != nil {
		return err
	}
	role, err := a.People.Rules.AddRole(r.Context(), halley.CustomRole{
		Name: in.Name, OrganizationID: in.OrganizationID, Permissions: in.Permissions,
	}, by(r, in.Why))
	if err != nil {
		return err
	}
	return writeCreated(w, newRoleView(rightsOf(r), role))
}

// changeRole changes what a custom role holds.
func (a *API) changeRole(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in struct {
		Permissions []halley.Permission `json:"permissions"`
		Why         string              `json:"why"`
	}
	if err := readReasoned(w, r, &in, &in.Why); err != nil {
		return err
	}
	role, err := a.People.Rules.ChangeRole(r.Context(), id, in.Permissions, by(r, in.Why))
	if err != nil {
		return err
	}
	return writeJSON(w, newRoleView(rightsOf(r), role))
}

// closeRole ends a custom role for good.
func (a *API) closeRole(w http.ResponseWriter, r *http.Request) error {
	id, why, err := pathReasoned(w, r)
	if err != nil {
		return err
	}
	return done(w, a.People.Rules.CloseRole(r.Context(), id, by(r, why)))
}
