package people

import (
	"slices"

	"halley"
	"halley/storage"
)

// CheckToken says whether by may make a token of this role at this node and these places: it holds nothing there that by does not.
func (r *Rules) CheckToken(t storage.Token, by By) error {
	const op = "make a token"
	s := r.Directory.Directory()
	if err := openNode(op, s, by, t.OrganizationID, halley.PermitTokenChange); err != nil {
		return err
	}
	if err := offered(op, s, t.Role, t.OrganizationID, true); err != nil {
		return err
	}
	list, _ := s.RolePermissions(t.Role)
	if short, ofServer := lacking(by.Rights, list, t.OrganizationID); short || ofServer {
		return notHeld(op, t.Role)
	}
	switch {
	case (t.Role == halley.ViewByMeasuredPlaces) != (len(t.Places) != 0):
		return invalid(op, "place_ids", "the role view-by-measured-places names places, and no other role does")
	case len(t.Places) > PlacesMost:
		return invalid(op, "place_ids", "name at most 100 places")
	}
	for i, id := range t.Places {
		if slices.Contains(t.Places[:i], id) {
			return invalid(op, "place_ids", "name each place once")
		}
		if err := placeOf(op, s, by, id, t.OrganizationID); err != nil {
			return err
		}
	}
	return nil
}

// CheckRevoke says whether by may end a token: whoever may make tokens at its node.
func (r *Rules) CheckRevoke(t storage.Token, by By) error {
	const op = "revoke a token"
	node := NodeOfToken(t)
	switch {
	case by.Rights.AtOrganization(halley.PermitTokenChange, node):
		return nil
	case by.Rights.AtOrganization(halley.PermitTokenRead, node):
		return missing(op, halley.PermitTokenChange)
	}
	return notThere(op, "token")
}

// NodeOfToken gives the node that a token reaches.
func NodeOfToken(t storage.Token) halley.OrganizationID {
	if t.OrganizationID == 0 {
		return halley.RootOrganization
	}
	return t.OrganizationID
}
