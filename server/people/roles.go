package people

import (
	"context"
	"slices"
	"strings"

	"halley"
	"halley/server/directory"
)

// AddRole adds a custom role. Nobody puts in a permission that they do not hold at its node.
func (r *Rules) AddRole(ctx context.Context, role halley.CustomRole, by By) (halley.CustomRole, error) {
	const op = "add a role"
	if err := CheckRoleName(role.Name); err != nil {
		return halley.CustomRole{}, err
	}
	s, end, err := r.begin(ctx)
	if err != nil {
		return halley.CustomRole{}, err
	}
	defer end()
	if err := openNode(op, s, by, role.OrganizationID, halley.PermitRoleChange); err != nil {
		return halley.CustomRole{}, err
	}
	if role.Permissions, err = permissions(op, role.Permissions, role.OrganizationID); err != nil {
		return halley.CustomRole{}, err
	}
	if err := heldAt(op, by.Rights, role.Permissions, role.OrganizationID); err != nil {
		return halley.CustomRole{}, err
	}
	open := slices.DeleteFunc(s.CustomRoles(), func(c halley.CustomRole) bool { return c.Closed })
	if len(open) >= RolesMost {
		return halley.CustomRole{}, &halley.Error{
			Kind: halley.Conflict, Op: op, Code: "too-many-roles", Message: "there are as many roles as there can be: close some first",
		}
	}
	role, err = r.Store.AddRole(ctx, halley.CustomRole{
		Name: role.Name, OrganizationID: role.OrganizationID, Permissions: role.Permissions,
	}, by.Change)
	if err != nil {
		return halley.CustomRole{}, err //nolint:wrapcheck // the store says it itself
	}
	r.changed(ctx)
	return role, nil
}

// ChangeRole changes what a custom role holds. What is put in must be held by by at the role's node; taking out is free.
func (r *Rules) ChangeRole(ctx context.Context, id int64, list []halley.Permission, by By) (halley.CustomRole, error) {
	const op = "change a role"
	return r.changeRole(ctx, op, id, by, func(role halley.CustomRole) ([]halley.Permission, error) {
		list, err := permissions(op, list, role.OrganizationID)
		if err != nil {
			return nil, err
		}
		added := slices.DeleteFunc(slices.Clone(list), func(p halley.Permission) bool { return slices.Contains(role.Permissions, p) })
		return list, heldAt(op, by.Rights, added, role.OrganizationID)
	})
}

// CloseRole ends a custom role: whoever has it holds nothing by it from now on, and it cannot be granted.
func (r *Rules) CloseRole(ctx context.Context, id int64, by By) error {
	_, err := r.changeRole(ctx, "close a role", id, by, nil)
	return err
}

// changeRole changes a role to what next gives, or closes it where next is nil.
func (r *Rules) changeRole(ctx context.Context, op string, id int64, by By, next func(halley.CustomRole) ([]halley.Permission, error)) (halley.CustomRole, error) {
	s, end, err := r.begin(ctx)
	if err != nil {
		return halley.CustomRole{}, err
	}
	defer end()
	list := s.CustomRoles()
	i := slices.IndexFunc(list, func(c halley.CustomRole) bool { return c.ID == id })
	switch {
	case i < 0 || !SeesRole(s, by.Rights, list[i]):
		return halley.CustomRole{}, notThere(op, "role")
	case !by.Rights.AtOrganization(halley.PermitRoleChange, list[i].OrganizationID):
		return halley.CustomRole{}, missing(op, halley.PermitRoleChange)
	case list[i].Closed:
		return halley.CustomRole{}, &halley.Error{Kind: halley.Conflict, Op: op, Code: "role-closed", Message: "this role is closed: make another one"}
	}
	var holds []halley.Permission
	if next != nil {
		if holds, err = next(list[i]); err != nil {
			return halley.CustomRole{}, err
		}
	}
	role, err := r.Store.ChangeRole(ctx, id, holds, next == nil, by.Change)
	if err != nil {
		return halley.CustomRole{}, err //nolint:wrapcheck // the store says it itself
	}
	r.changed(ctx)
	return role, nil
}

// SeesRole says whether rights let somebody know of a custom role: it can be granted where they see the tree.
func SeesRole(s *directory.State, by directory.Rights, role halley.CustomRole) bool {
	return by.AtOrganization(halley.PermitOrganizationRead, role.OrganizationID) ||
		slices.ContainsFunc(by.Grants(), func(g halley.Grant) bool {
			return s.Within(g.OrganizationID, role.OrganizationID) && by.AtOrganization(halley.PermitOrganizationRead, g.OrganizationID)
		})
}

// CheckRoleName says what is wrong with the name of a custom role.
func CheckRoleName(name halley.Role) error {
	const op = "check the name of a role"
	if !name.WellFormed() || strings.Trim(string(name), "-") != string(name) {
		return invalid(op, "name", "write a name of 1 to 40 small letters a to z, digits and -, such as night-shift")
	}
	if name.Preset() {
		return invalid(op, "name", "Halley has a role of this name itself: choose another one")
	}
	return nil
}

// permissions puts the permissions of a role in the order in which they are shown, and refuses those that are none or cannot count.
func permissions(op string, list []halley.Permission, node halley.OrganizationID) ([]halley.Permission, error) {
	if len(list) == 0 || len(list) > len(halley.Permissions()) {
		return nil, invalid(op, "permissions", "name the permissions of the role, each once")
	}
	seen := make(map[halley.Permission]bool, len(list))
	for _, p := range list {
		switch {
		case !slices.Contains(halley.Permissions(), p):
			return nil, invalid(op, "permissions", "one of these is no permission: see the list of roles")
		case seen[p]:
			return nil, invalid(op, "permissions", "name each permission once: "+string(p)+" is there twice")
		case p.OfServer() && node != halley.RootOrganization:
			return nil, invalid(op, "permissions", string(p)+" concerns the server as a whole and counts at the root alone")
		}
		seen[p] = true
	}
	return slices.DeleteFunc(halley.Permissions(), func(p halley.Permission) bool { return !seen[p] }), nil
}

// heldAt refuses permissions that are not held at a node.
func heldAt(op string, by directory.Rights, list []halley.Permission, node halley.OrganizationID) error {
	for _, p := range list {
		if !by.AtOrganization(p, node) {
			return &halley.Error{
				Kind: halley.Forbidden, Op: op, Code: "permission-not-held", Field: "permissions",
				Message: "nobody puts in what they do not hold there themselves: you do not hold " + string(p),
			}
		}
	}
	return nil
}
