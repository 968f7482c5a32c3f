package directory

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"halley"
)

// tree is the organizations as they hang together.
type tree struct {
	nodes map[halley.OrganizationID]halley.Organization
	// order holds the numbers of all nodes as a walk of the tree meets them; those below a node follow it.
	order []halley.OrganizationID
	// place is where a node stands in order, end where what is below it ends.
	place, end map[halley.OrganizationID]int
	path       map[halley.OrganizationID]string
	found      map[string]halley.OrganizationID
}

// plant hangs nodes below each other. What does not hang together with the root is left out: the store lets it not come about.
func plant(nodes map[halley.OrganizationID]halley.Organization) tree {
	t := tree{
		nodes: nodes,
		place: make(map[halley.OrganizationID]int, len(nodes)), end: make(map[halley.OrganizationID]int, len(nodes)),
		path: make(map[halley.OrganizationID]string, len(nodes)), found: make(map[string]halley.OrganizationID, len(nodes)),
	}
	below := make(map[halley.OrganizationID][]halley.OrganizationID)
	for id, o := range nodes {
		if id != halley.RootOrganization {
			below[o.ParentID] = append(below[o.ParentID], id)
		}
	}
	byName := func(a, b halley.OrganizationID) int {
		return cmp.Or(strings.Compare(nodes[a].Name, nodes[b].Name), cmp.Compare(a, b))
	}
	var walk func(id halley.OrganizationID, path string)
	walk = func(id halley.OrganizationID, path string) {
		t.place[id] = len(t.order)
		t.order = append(t.order, id)
		t.path[id] = cmp.Or(path, "/")
		if _, taken := t.found[t.path[id]]; !taken || !nodes[id].Closed {
			t.found[t.path[id]] = id
		}
		slices.SortFunc(below[id], byName)
		for _, child := range below[id] {
			walk(child, path+"/"+nodes[child].Name)
		}
		t.end[id] = len(t.order)
	}
	if _, there := nodes[halley.RootOrganization]; there {
		walk(halley.RootOrganization, "")
	}
	return t
}

// Organization gives a node.
func (s *State) Organization(id halley.OrganizationID) (halley.Organization, bool) {
	o, ok := s.tree.nodes[id]
	return o, ok
}

// Organizations lists all nodes by id, also those that are closed.
func (s *State) Organizations() []halley.Organization { return sorted(s.tree.nodes) }

// Path names a node by the names from the root down, such as "/Acme/Brno"; the root is "/". "" for a node that is not there.
func (s *State) Path(id halley.OrganizationID) string { return s.tree.path[id] }

// FindPath gives the node that a path names; the first "/" may be left out. Of an open and a closed node of one path it is the open
// one.
func (s *State) FindPath(path string) (halley.OrganizationID, bool) {
	id, ok := s.tree.found["/"+strings.Trim(path, "/")]
	return id, ok
}

// Paths lists the paths of all open nodes in order.
func (s *State) Paths() []string {
	list := slices.Sorted(maps.Keys(s.tree.found))
	return slices.DeleteFunc(list, func(p string) bool { return s.tree.nodes[s.tree.found[p]].Closed })
}

// Within says whether a node is above or stands below it. A node that is not there is within none.
func (s *State) Within(node, above halley.OrganizationID) bool {
	at, there := s.tree.place[node]
	begin, known := s.tree.place[above]
	return there && known && at >= begin && at < s.tree.end[above]
}

// Below lists a node and all below it, in the order of a walk by names.
func (s *State) Below(id halley.OrganizationID) []halley.OrganizationID {
	begin, known := s.tree.place[id]
	if !known {
		return nil
	}
	return slices.Clone(s.tree.order[begin:s.tree.end[id]])
}

// Zone gives the time zone that counts at a node: its own, else that of the nearest node above that has one, else "UTC".
func (s *State) Zone(id halley.OrganizationID) string {
	for range len(s.tree.nodes) {
		o, there := s.tree.nodes[id]
		if !there {
			break
		}
		if o.TimeZone != "" {
			return o.TimeZone
		}
		id = o.ParentID
	}
	return "UTC"
}
