package sqlkit

import (
	"context"
	"fmt"
	"slices"

	"halley"
	"halley/storage"
)

const (
	// selectGrants reads grants with their ends; grantScan scans it.
	selectGrants = `
SELECT g.role_grant_id, g.person_id, g.role, g.organization_id, COALESCE(g.place_id, 0), g.from_at, COALESCE(e.ended_at, 0)
  FROM role_grant g
  LEFT JOIN role_grant_end e ON e.role_grant_id = g.role_grant_id`

	// selectAdministrators reads the grants by which people are administrators of everything.
	selectAdministrators = `
SELECT g.role_grant_id, g.person_id
  FROM role_grant g
  JOIN person_description x ON x.person_id = g.person_id
   AND x.number = (SELECT MAX(n.number) FROM person_description n WHERE n.person_id = g.person_id)
  LEFT JOIN role_grant_end e ON e.role_grant_id = g.role_grant_id
 WHERE g.role = @role AND g.organization_id = @root AND e.role_grant_id IS NULL AND x.state = @state AND x.shared = 0`

	selectGrantNodes = `
SELECT o.organization_id, COALESCE(x.parent_id, o.parent_id, 0), COALESCE(x.closed, 0)
  FROM organization o
  JOIN organization_description x ON x.organization_id = o.organization_id
   AND x.number = (SELECT MAX(n.number) FROM organization_description n WHERE n.organization_id = o.organization_id)`

	selectPlaceNode = `
SELECT COALESCE(x.organization_id, p.organization_id), COALESCE(x.closed, 0)
  FROM place p
  JOIN place_description x ON x.place_id = p.place_id
   AND x.number = (SELECT MAX(n.number) FROM place_description n WHERE n.place_id = p.place_id)
 WHERE p.place_id = @place`
)

func grantScan(scan func(...any) error) (halley.Grant, error) {
	var g halley.Grant
	err := scan(&g.ID, &g.PersonID, &g.Role, &g.OrganizationID, &g.PlaceID, &g.From, &g.To)
	return g, err
}

// Grants lists all grants that ever counted, by id.
func (s *Store) Grants(ctx context.Context) ([]halley.Grant, error) {
	list := []halley.Grant{}
	w := words{}
	err := s.query(ctx, func(scan func(...any) error) error {
		g, err := grantScan(scan)
		g.Role = halley.Role(w.one(string(g.Role)))
		list = append(list, g)
		return err
	}, selectGrants+" ORDER BY g.role_grant_id")
	if err != nil {
		return nil, s.fail("list grants", err)
	}
	return list, nil
}

// countingGrants lists the grants of a person that have not ended, by id.
func (c *change) countingGrants(ctx context.Context, id halley.PersonID) ([]halley.Grant, error) {
	var list []halley.Grant
	err := c.each(ctx, func(scan func(...any) error) error {
		g, err := grantScan(scan)
		list = append(list, g)
		return err
	}, selectGrants+" WHERE g.person_id = @person AND e.role_grant_id IS NULL ORDER BY g.role_grant_id", args("person", int64(id))...)
	return list, err
}

// granting is what is known of what grants name while some are added.
type granting struct {
	c     *change
	op    string
	nodes map[halley.OrganizationID]grantNode
	roles map[halley.Role]customRole
}

// grantNode is a node of the tree as it is now.
type grantNode struct {
	parent halley.OrganizationID
	closed bool
}

// granting reads the tree and the custom roles.
func (c *change) granting(ctx context.Context, op string) (*granting, error) {
	g := &granting{c: c, op: op, nodes: map[halley.OrganizationID]grantNode{}, roles: map[halley.Role]customRole{}}
	err := c.each(ctx, func(scan func(...any) error) error {
		var id halley.OrganizationID
		var n grantNode
		err := scan(&id, &n.parent, &n.closed)
		g.nodes[id] = n
		return err
	}, selectGrantNodes)
	if err != nil {
		return nil, err
	}
	return g, c.each(ctx, func(scan func(...any) error) error {
		r, err := roleScan(scan)
		g.roles[r.Name] = r
		return err
	}, selectRoles+rolesOrder)
}

// openNode refuses a node that is not there or closed.
func (g *granting) openNode(id halley.OrganizationID) error {
	if n, there := g.nodes[id]; !there || n.closed {
		return notFound(g.op, "organization", int64(id))
	}
	return nil
}

// within says whether a node is another or lies below it.
func (g *granting) within(id, above halley.OrganizationID) bool {
	// The tree has no circle; the bound holds against a database that somebody else has written to.
	for range len(g.nodes) {
		if id == above {
			return true
		}
		n, there := g.nodes[id]
		if !there {
			return false
		}
		id = n.parent
	}
	return false
}

// check refuses grants that name what is not there, and one that another of the list repeats.
func (g *granting) check(ctx context.Context, list []halley.Grant) error {
	for i := range list {
		if err := g.checkOne(ctx, &list[i]); err != nil {
			return err
		}
		if slices.ContainsFunc(list[:i], func(o halley.Grant) bool { return sameGrant(&o, &list[i]) }) {
			return grantThere(g.op)
		}
	}
	return nil
}

func (g *granting) checkOne(ctx context.Context, x *halley.Grant) error {
	if err := g.openNode(x.OrganizationID); err != nil {
		return err
	}
	if !slices.Contains(halley.PresetRoles(), x.Role) {
		r, there := g.roles[x.Role]
		if !there || r.Closed || !g.within(x.OrganizationID, r.OrganizationID) {
			return &halley.Error{Kind: halley.NotFound, Op: g.op, Field: "role", Message: "there is no such role at this organization"}
		}
	}
	if x.PlaceID == 0 {
		return nil
	}
	var node halley.OrganizationID
	closed := false
	found, err := g.c.one(ctx, []any{&node, &closed}, selectPlaceNode, args("place", int64(x.PlaceID))...)
	if err == nil && (!found || closed || !g.within(node, x.OrganizationID)) {
		err = notFound(g.op, "place", int64(x.PlaceID))
	}
	return err
}

// sameGrant says whether two grants give one person the same.
func sameGrant(a, b *halley.Grant) bool {
	return a.Role == b.Role && a.OrganizationID == b.OrganizationID && a.PlaceID == b.PlaceID
}

func grantThere(op string) error {
	return &halley.Error{Kind: halley.Conflict, Op: op, Code: "grant-exists", Message: "the person has this role there already"}
}

func validGrant(op string, g *halley.Grant) error {
	switch {
	case g.Role == "" || badText(string(g.Role), maxText) != "":
		return unfit(op, "role", "name the role")
	case g.Role == halley.ViewByMeasuredPlaces && g.PlaceID == 0:
		return unfit(op, "place_id", "this role is given at a place: name it")
	case g.Role != halley.ViewByMeasuredPlaces && g.PlaceID != 0:
		return unfit(op, "place_id", "only the role "+string(halley.ViewByMeasuredPlaces)+" is given at a place")
	}
	return nil
}

// AddGrant gives a person a role.
func (s *Store) AddGrant(ctx context.Context, g halley.Grant, ch halley.Change) (halley.Grant, error) {
	const op = "grant a role"
	if err := validChange(op, ch); err != nil {
		return halley.Grant{}, err
	}
	if err := validGrant(op, &g); err != nil {
		return halley.Grant{}, err
	}
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		p, err := c.person(ctx, op, g.PersonID)
		if err != nil {
			return err
		}
		if p.State == halley.PersonDeleted {
			return notFound(op, "person", int64(g.PersonID))
		}
		there, err := c.granting(ctx, op)
		if err != nil {
			return err
		}
		if err := there.check(ctx, []halley.Grant{g}); err != nil {
			return err
		}
		has, err := c.countingGrants(ctx, g.PersonID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(has, func(o halley.Grant) bool { return sameGrant(&o, &g) }) {
			return grantThere(op)
		}
		if err := c.addGrant(ctx, &g, ch); err != nil {
			return err
		}
		return c.bumpRegistry(ctx)
	})
	if err != nil {
		return halley.Grant{}, err
	}
	return g, nil
}

// addGrant writes a grant that was looked at, with its audit row.
func (c *change) addGrant(ctx context.Context, g *halley.Grant, ch halley.Change) (err error) {
	if g.ID, err = c.nextID(ctx, "role_grant"); err != nil {
		return err
	}
	g.From, g.To = ch.At, 0
	auditID, err := c.audit(ctx, halley.AuditEntry{Change: ch, What: "grant.add", On: onPerson(g.PersonID), New: asJSON(grantFigures(g))})
	if err != nil {
		return err
	}
	c.add(factRoleGrant, g.ID, int64(g.PersonID), string(g.Role), int64(g.OrganizationID), orNull(int64(g.PlaceID)), int64(g.From), auditID)
	return nil
}

// grantFigures is what the audit trail says of a grant.
func grantFigures(g *halley.Grant) map[string]any {
	m := map[string]any{"grant": g.ID, "role": g.Role, "organization": g.OrganizationID}
	if g.PlaceID != 0 {
		m["place"] = g.PlaceID
	}
	return m
}

// endGrant ends a grant, not before it began.
func (c *change) endGrant(g halley.Grant, at halley.Millis, auditID int64) {
	c.add(factRoleGrantEnd, g.ID, int64(max(at, g.From)), auditID)
}

// EndGrant takes a role from a person.
func (s *Store) EndGrant(ctx context.Context, id int64, ch halley.Change) error {
	const op = "end a grant"
	if err := validChange(op, ch); err != nil {
		return err
	}
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		var g halley.Grant
		err := c.each(ctx, func(scan func(...any) error) (err error) {
			g, err = grantScan(scan)
			return err
		}, selectGrants+" WHERE g.role_grant_id = @grant AND e.role_grant_id IS NULL", args("grant", id)...)
		if err == nil && g.ID == 0 {
			err = &halley.Error{Kind: halley.NotFound, Op: op, Message: fmt.Sprintf("there is no grant %d that still counts", id)}
		}
		if err != nil {
			return err
		}
		if err := c.keepAdministrator(ctx, op, func(o administratorGrant) bool { return o.id != id }); err != nil {
			return err
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{Change: ch, What: "grant.end", On: onPerson(g.PersonID), Old: asJSON(grantFigures(&g))})
		if err != nil {
			return err
		}
		c.endGrant(g, ch.At, auditID)
		return c.bumpRegistry(ctx)
	})
}

// administratorGrant is a grant by which somebody who may sign in is an administrator of everything.
type administratorGrant struct {
	id     int64
	person halley.PersonID
}

// keepAdministrator refuses a change after which nobody can give rights any more: stays says of a grant whether it counts after it
// too. Where there was no administrator before, nothing is lost.
func (c *change) keepAdministrator(ctx context.Context, op string, stays func(administratorGrant) bool) error {
	before, after := false, false
	err := c.each(ctx, func(scan func(...any) error) error {
		var g administratorGrant
		err := scan(&g.id, &g.person)
		before, after = true, after || stays(g)
		return err
	}, selectAdministrators, args("role", string(halley.Administrator), "root", int64(halley.RootOrganization), "state", string(halley.PersonActive))...)
	if err == nil && before && !after {
		err = &halley.Error{
			Kind: halley.Conflict, Op: op, Code: "last-administrator",
			Message: "this is the last administrator of the whole installation: make another one first",
		}
	}
	return err
}

var _ storage.People = (*Store)(nil)
