package viewerapi

import (
	"halley"
	"halley/server/directory"
)

// organizations reads organization_id and sub, which narrow a list to a node and, unless sub is false, all below it. It gives nil where
// the list is not narrowed, and the first mistake of the whole query, so it is read last. NotFound where there is no such node, or the
// caller may see neither it nor any of the list there.
func (q *query) organizations(rights directory.Rights, p halley.Permission) (func(halley.OrganizationID) bool, error) {
	id := halley.OrganizationID(q.number("organization_id", 1, 1<<62, 0))
	sub := !q.values.Has("sub") || q.flag("sub")
	switch {
	case q.err != nil:
		return nil, q.err
	case id == 0 && sub:
		return nil, nil //nolint:nilnil // nil is everything, as the comment says
	case id == 0:
		return nil, invalid("sub", "say of which organization: organization_id")
	}
	node := thing{scopeOrganization, int64(id)}
	if !node.held(rights, halley.PermitOrganizationRead) && !node.held(rights, p) {
		return nil, node.missing()
	}
	if !sub {
		return func(o halley.OrganizationID) bool { return o == id }, nil
	}
	state := rights.State()
	return func(o halley.OrganizationID) bool { return state.Within(o, id) }, nil
}
