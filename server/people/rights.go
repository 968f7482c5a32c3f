package people

import (
	"slices"

	"halley"
	"halley/server/directory"
)

// Report is what a person could do at an instant.
type Report struct {
	At     halley.Millis
	Person halley.Person
	// Grants counted then; an account that was not active could do nothing with them.
	Grants []halley.Grant
	// Nodes are those where something is held, in the order of their paths. What is held at a node is held below it too: a node is
	// named where it is more than at the nodes above it.
	Nodes  []NodeRights
	Places []PlaceRights
}

// NodeRights is what is held at a node and below it.
type NodeRights struct {
	ID   halley.OrganizationID
	Path string
	// Permissions are in the order of halley.Permissions.
	Permissions []halley.Permission
}

// PlaceRights is what is held at a place that a grant names.
type PlaceRights struct {
	ID          halley.PlaceID
	Name        string
	Node        halley.OrganizationID
	Permissions []halley.Permission
}

// RightsAt tells what a person could do at an instant, now where at is 0, as far as by may know of the nodes. NotFound for a person
// who was not there then, or whom by may not see.
func (r *Rules) RightsAt(id halley.PersonID, at halley.Millis, by directory.Rights) (Report, error) {
	const op = "look at a person's rights"
	if !by.AtPerson(halley.PermitPersonRead, id) {
		return Report{}, notThere(op, "person")
	}
	s := r.Directory.Directory()
	if at != 0 {
		s = s.AsOf(at)
	}
	p, there := s.Person(id)
	if !there {
		return Report{}, &halley.Error{
			Kind: halley.NotFound, Op: op, Code: "person-not-there-then", Message: "this person had no account then: choose a later date",
		}
	}
	seen := func(g halley.Grant) bool { return SeesNode(by, g.OrganizationID) }
	grants := slices.DeleteFunc(s.Grants(id), func(g halley.Grant) bool { return !seen(g) })
	held := s.RightsOf(id)
	report := Report{At: at, Person: p, Grants: grants, Nodes: []NodeRights{}, Places: []PlaceRights{}}
	for _, node := range s.Below(halley.RootOrganization) {
		granted := slices.ContainsFunc(grants, func(g halley.Grant) bool { return g.PlaceID == 0 && g.OrganizationID == node })
		if !granted {
			continue
		}
		list := heldWhere(func(p halley.Permission) bool { return held.AtOrganization(p, node) })
		if len(list) == 0 || inherited(s, report.Nodes, node, list) {
			continue
		}
		report.Nodes = append(report.Nodes, NodeRights{ID: node, Path: s.Path(node), Permissions: list})
	}
	for _, g := range grants {
		place, there := s.Place(g.PlaceID)
		if g.PlaceID == 0 || !there || slices.ContainsFunc(report.Places, func(p PlaceRights) bool { return p.ID == g.PlaceID }) {
			continue
		}
		list := heldWhere(func(p halley.Permission) bool { return held.AtPlace(p, g.PlaceID) })
		if len(list) > 0 {
			report.Places = append(report.Places, PlaceRights{ID: place.ID, Name: place.Name, Node: place.OrganizationID, Permissions: list})
		}
	}
	return report, nil
}

func heldWhere(holds func(halley.Permission) bool) []halley.Permission {
	return slices.DeleteFunc(halley.Permissions(), func(p halley.Permission) bool { return !holds(p) })
}

// inherited says that a node above holds the same already, but for what counts at the root alone.
func inherited(s *directory.State, above []NodeRights, node halley.OrganizationID, list []halley.Permission) bool {
	return slices.ContainsFunc(above, func(n NodeRights) bool {
		lower := slices.DeleteFunc(slices.Clone(n.Permissions), halley.Permission.OfServer)
		return s.Within(node, n.ID) && slices.Equal(lower, slices.DeleteFunc(slices.Clone(list), halley.Permission.OfServer))
	})
}
