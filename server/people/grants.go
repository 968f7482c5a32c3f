package people

import (
	"context"
	"slices"

	"halley"
	"halley/server/directory"
)

// Grant gives a person a role at a node or place. Errors: NotFound, Forbidden for one's own account, for what by does not hold there
// and for a person who holds more, Conflict where the same counts already.
func (r *Rules) Grant(ctx context.Context, g halley.Grant, by By) (halley.Grant, error) {
	const op = "grant a role"
	s, end, err := r.begin(ctx)
	if err != nil {
		return halley.Grant{}, err
	}
	defer end()
	if _, err := target(op, s, by, g.PersonID); err != nil {
		return halley.Grant{}, err
	}
	if err := notSelf(op, by, g.PersonID); err != nil {
		return halley.Grant{}, err
	}
	if err := giveable(op, s, by, g); err != nil {
		return halley.Grant{}, err
	}
	if len(s.Grants(g.PersonID)) >= GrantsMost {
		return halley.Grant{}, &halley.Error{
			Kind: halley.Conflict, Op: op, Code: "too-many-grants", Message: "this person has as many grants as one can have: end some first",
		}
	}
	g, err = r.Store.AddGrant(ctx, halley.Grant{
		PersonID: g.PersonID, Role: g.Role, OrganizationID: g.OrganizationID, PlaceID: g.PlaceID,
	}, by.Change)
	if err != nil {
		return halley.Grant{}, err //nolint:wrapcheck // the store says it itself
	}
	r.changed(ctx)
	return g, nil
}

// EndGrant takes a role from a person. Errors as of Grant; Conflict where it would leave nobody to administer the root.
func (r *Rules) EndGrant(ctx context.Context, person halley.PersonID, id int64, by By) error {
	const op = "end a grant"
	s, end, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if _, err := target(op, s, by, person); err != nil {
		return err
	}
	list := s.Grants(person)
	i := slices.IndexFunc(list, func(g halley.Grant) bool { return g.ID == id })
	if i < 0 || !SeesNode(by.Rights, list[i].OrganizationID) {
		return notThere(op, "grant")
	}
	if err := notSelf(op, by, person); err != nil {
		return err
	}
	if !mayGive(s, by.Rights, list[i].Role, list[i].OrganizationID) {
		return notHeld(op, list[i].Role)
	}
	if g := list[i]; g.Role == halley.Administrator && g.OrganizationID == halley.RootOrganization {
		if err := staying(op, s, person); err != nil {
			return err
		}
	}
	if err := r.Store.EndGrant(ctx, id, by.Change); err != nil {
		return err //nolint:wrapcheck // the store says it itself
	}
	r.changed(ctx)
	return nil
}

// giveable refuses a grant that cannot be, or that by may not give.
func giveable(op string, s *directory.State, by By, g halley.Grant) error {
	if err := openNode(op, s, by, g.OrganizationID, halley.PermitPersonChange); err != nil {
		return err
	}
	if err := offered(op, s, g.Role, g.OrganizationID, false); err != nil {
		return err
	}
	if !mayGive(s, by.Rights, g.Role, g.OrganizationID) {
		return notHeld(op, g.Role)
	}
	if (g.Role == halley.ViewByMeasuredPlaces) != (g.PlaceID != 0) {
		return invalid(op, "place_id", "the role view-by-measured-places names a place, and no other role does")
	}
	if g.PlaceID == 0 {
		return nil
	}
	return placeOf(op, s, by, g.PlaceID, g.OrganizationID)
}

// placeOf refuses a place that is not open at a node or below it, or of which by must not know.
func placeOf(op string, s *directory.State, by By, id halley.PlaceID, node halley.OrganizationID) error {
	p, there := s.Place(id)
	if !there || !s.Within(p.OrganizationID, node) || !by.Rights.AtPlace(halley.PermitPlaceRead, id) && !SeesNode(by.Rights, p.OrganizationID) {
		return notThere(op, "place at this organization")
	}
	if p.Closed {
		return &halley.Error{Kind: halley.Conflict, Op: op, Code: "place-closed", Field: "place_id", Message: "this place is closed: choose an open one"}
	}
	return nil
}

// offered refuses a role that is not there, or that cannot be given at a node.
func offered(op string, s *directory.State, role halley.Role, node halley.OrganizationID, token bool) error {
	if slices.Contains(halley.PresetRoles(), role) || token && role == halley.Reader {
		return nil
	}
	if c, there := customRole(s, role); there && !c.Closed && s.Within(node, c.OrganizationID) {
		return nil
	}
	return invalid(op, "role", "there is no such role at this organization: see the list of roles")
}

func customRole(s *directory.State, role halley.Role) (halley.CustomRole, bool) {
	list := s.CustomRoles()
	i := slices.IndexFunc(list, func(c halley.CustomRole) bool { return c.Name == role })
	if i < 0 {
		return halley.CustomRole{}, false
	}
	return list[i], true
}

// mayGive says whether a role at a node is for rights to give or take: they hold person.change and all of it there, or are those of
// a role that appoints it. Permissions of the server count at the root alone, and must be held there. A role that is closed holds
// nothing.
func mayGive(s *directory.State, by directory.Rights, role halley.Role, node halley.OrganizationID) bool {
	if !by.AtOrganization(halley.PermitPersonChange, node) {
		return false
	}
	list, _ := s.RolePermissions(role)
	short, ofServer := lacking(by, list, node)
	if !short && !ofServer {
		return true
	}
	return !ofServer && appoints(s, by, role, node)
}

// lacking says whether rights lack a permission of a list at a node, and whether they lack one of the server, where it counts.
func lacking(by directory.Rights, list []halley.Permission, node halley.OrganizationID) (short, ofServer bool) {
	for _, p := range list {
		switch {
		case p.OfServer() && node != halley.RootOrganization:
		case by.AtOrganization(p, node):
		case p.OfServer():
			ofServer = true
		default:
			short = true
		}
	}
	return short, ofServer
}

// appoints says whether one of the roles that rights come from appoints another at a node.
func appoints(s *directory.State, by directory.Rights, role halley.Role, node halley.OrganizationID) bool {
	return slices.ContainsFunc(by.Grants(), func(g halley.Grant) bool {
		return g.PlaceID == 0 && s.Within(node, g.OrganizationID) && slices.Contains(g.Role.Appoints(), role)
	})
}

// SeesNode says whether rights let somebody know of a node.
func SeesNode(by directory.Rights, id halley.OrganizationID) bool {
	return by.AtOrganization(halley.PermitOrganizationRead, id) || by.AtOrganization(halley.PermitPersonRead, id) ||
		by.AtOrganization(halley.PermitPersonChange, id)
}

// notHeld says that a role holds more than the one who would give or take it.
func notHeld(op string, role halley.Role) error {
	return &halley.Error{
		Kind: halley.Forbidden, Op: op, Code: "role-not-held", Field: "role",
		Message: "nobody gives or takes what they do not hold there themselves, and the role " + string(role) + " holds more than you do",
	}
}
