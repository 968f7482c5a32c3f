package sqlkit

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"halley"
	"halley/storage"
)

const (
	// selectOrganizations reads all states of all nodes; nodeScan scans it.
	selectOrganizations = `
SELECT o.organization_id, COALESCE(x.parent_id, o.parent_id, 0), x.name, x.time_zone, COALESCE(x.closed, 0), x.at, x.number
  FROM organization o
  JOIN organization_description x ON x.organization_id = o.organization_id
 ORDER BY o.organization_id, x.at, x.number`

	// selectTree reads the newest state of each.
	selectTree = `
SELECT o.organization_id, COALESCE(x.parent_id, o.parent_id, 0), x.name, x.time_zone, COALESCE(x.closed, 0), x.at, x.number
  FROM organization o
  JOIN organization_description x ON x.organization_id = o.organization_id
   AND x.number = (SELECT MAX(n.number) FROM organization_description n WHERE n.organization_id = o.organization_id)`
)

// The codes of what cannot be done with the tree.
const (
	codeNameUsed       = "name-used"
	codeRootStays      = "root-stays"
	codeBelowItself    = "below-itself"
	codeNotEmpty       = "not-empty"
	codeAboveClosed    = "above-closed"
	codeTooDeep        = "too-deep"
	codePlaceClosed    = "place-closed"
	codeAttached       = "attached"
	codeNotAccepted    = "not-accepted"
	codeTooEarly       = "too-early"
	codeSeriesUsed     = "series-used"
	codeNotAtPlace     = "not-at-place"
	codeNoChannels     = "no-channels"
	codeChannelEnded   = "channel-ended"
	codeAcceptedBefore = "accepted-before"
)

// node is a node of the tree as it is now, with the number of that state.
type node struct {
	halley.Organization
	number int64
}

func nodeScan(scan func(...any) error) (node, error) {
	var n node
	err := scan(&n.ID, &n.ParentID, &n.Name, &n.TimeZone, &n.Closed, &n.From, &n.number)
	return n, err
}

func onOrganization(id halley.OrganizationID) string {
	return "organization " + strconv.FormatInt(int64(id), 10)
}

// organizationOrNull gives the node of a column in which the root is NULL.
func organizationOrNull(id halley.OrganizationID) sql.NullInt64 {
	if id == halley.RootOrganization {
		id = 0
	}
	return orNull(int64(id))
}

// none is a number that is NULL.
var none sql.NullInt64

// rootFor gives the root for 0.
func rootFor(id *halley.OrganizationID) *halley.OrganizationID {
	if id != nil && *id == 0 {
		root := halley.RootOrganization
		return &root
	}
	return id
}

// markOrNull gives 1 for true; what is not so is NULL, as in rows from before the column.
func markOrNull(b bool) sql.NullInt64 { return orNull(yes(b)) }

// conflict is what the present state does not allow.
func conflict(op, code, message string) error {
	return &halley.Error{Kind: halley.Conflict, Op: op, Code: code, Message: message}
}

// Organizations lists all states of all nodes, by id, then From, then age.
func (s *Store) Organizations(ctx context.Context) ([]halley.Organization, error) {
	list := []halley.Organization{}
	w := words{}
	err := s.query(ctx, func(scan func(...any) error) error {
		n, err := nodeScan(scan)
		n.Name, n.TimeZone = w.one(n.Name), w.one(n.TimeZone)
		list = append(list, n.Organization)
		return err
	}, selectOrganizations)
	if err != nil {
		return nil, s.fail("list the organizations", err)
	}
	return list, nil
}

// tree is all nodes as they are now.
type tree map[halley.OrganizationID]node

func (c *change) tree(ctx context.Context) (tree, error) {
	t := tree{}
	err := c.each(ctx, func(scan func(...any) error) error {
		n, err := nodeScan(scan)
		t[n.ID] = n
		return err
	}, selectTree)
	return t, err
}

// openNode refuses a node that is not there or closed. 0 is the root.
func (t tree) openNode(op string, id halley.OrganizationID) (node, error) {
	if id == 0 {
		id = halley.RootOrganization
	}
	n, there := t[id]
	if !there || n.Closed {
		return node{}, notFound(op, "open organization", int64(id))
	}
	return n, nil
}

// nodeOpen is openNode for changes that ask for one node only.
func (c *change) nodeOpen(ctx context.Context, op string, id halley.OrganizationID) error {
	t, err := c.tree(ctx)
	if err == nil {
		_, err = t.openNode(op, id)
	}
	return err
}

// within says whether a node is another one or below it.
func (t tree) within(id, above halley.OrganizationID) bool {
	// A tree of so many nodes is at most so deep.
	for range len(t) {
		if id == above {
			return true
		}
		n, there := t[id]
		if !there || n.ParentID == 0 {
			return false
		}
		id = n.ParentID
	}
	return false
}

// maxDepth is how many nodes there are at most from below the root down to the last.
const maxDepth = 32

func tooDeep(op string) error {
	return conflict(op, codeTooDeep, fmt.Sprintf("organizations lie at most %d below each other: choose another place in the tree", maxDepth))
}

// depth gives how far below the root a node is.
func (t tree) depth(id halley.OrganizationID) int {
	n := 0
	for t[id].ParentID != 0 && n <= len(t) {
		id = t[id].ParentID
		n++
	}
	return n
}

// height gives how many nodes there are from a node down to the lowest below it, itself among them.
func (t tree) height(id halley.OrganizationID) int {
	above, most := t.depth(id), 0
	for other := range t {
		if t.within(other, id) {
			most = max(most, t.depth(other)-above)
		}
	}
	return most + 1
}

// fits refuses an open node that has the name of an open sibling.
func (t tree) fits(op string, o *halley.Organization) error {
	for id, n := range t {
		if id != o.ID && n.ParentID == o.ParentID && !n.Closed && n.Name == o.Name {
			return &halley.Error{
				Kind: halley.Conflict, Op: op, Code: codeNameUsed, Field: "name",
				Message: "there is an organization of this name beside it: take another name",
			}
		}
	}
	return nil
}

// validOrganization holds what people say of a node to what can be stored.
func validOrganization(op string, o *halley.Organization, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	// The root may have no name.
	if o.ID != halley.RootOrganization || o.Name != "" {
		why := badName(o.Name)
		if why == "" && strings.Contains(o.Name, "/") {
			why = "the name must not hold a /, which parts the names of a path"
		}
		if why != "" {
			return &halley.Error{Kind: halley.Invalid, Op: op, Code: "bad-name", Field: "name", Message: why}
		}
	}
	if badText(o.TimeZone, maxText) != "" || strings.ContainsFunc(o.TimeZone, notOfZone) {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "time_zone", Message: "give a time zone such as Europe/Prague"}
	}
	return nil
}

// notOfZone says of a letter that no name of a time zone has it.
func notOfZone(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/_+-", r)
}

// AddOrganization adds a node.
func (s *Store) AddOrganization(ctx context.Context, o halley.Organization, ch halley.Change) (halley.Organization, error) {
	const op = "add an organization"
	o.ID, o.Closed, o.From = 0, false, ch.At
	if err := validOrganization(op, &o, ch); err != nil {
		return halley.Organization{}, err
	}
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		t, err := c.tree(ctx)
		if err != nil {
			return err
		}
		above, err := t.openNode(op, o.ParentID)
		if err != nil {
			return err
		}
		o.ParentID = above.ID
		if t.depth(above.ID) >= maxDepth {
			return tooDeep(op)
		}
		if err := t.fits(op, &o); err != nil {
			return err
		}
		id, err := c.nextID(ctx, "organization")
		if err != nil {
			return err
		}
		o.ID = halley.OrganizationID(id)
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "organization.add", On: onOrganization(o.ID),
			New: asJSON(map[string]any{"name": o.Name, "parent_id": o.ParentID, "time_zone": o.TimeZone}),
		})
		if err != nil {
			return err
		}
		c.add(factOrganization, id, int64(o.ParentID), int64(o.From))
		c.add(factOrganizationDescription, id, int64(1), int64(o.From), o.Name, o.TimeZone, auditID, none, none)
		return c.bumpRegistry(ctx)
	})
	if err != nil {
		return halley.Organization{}, err
	}
	return o, nil
}

// difference gathers what a change changes, for the audit trail.
type difference struct{ old, new map[string]any }

func newDifference() difference { return difference{old: map[string]any{}, new: map[string]any{}} }

// set takes over a value that is given and another one.
func set[T comparable](d difference, name string, value, given *T) {
	if given == nil || *given == *value {
		return
	}
	d.old[name], d.new[name] = *value, *given
	*value = *given
}

// ChangeOrganization changes what u names.
func (s *Store) ChangeOrganization(
	ctx context.Context, id halley.OrganizationID, u storage.OrganizationUpdate, ch halley.Change,
) (halley.Organization, error) {
	const op = "change an organization"
	var now node
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		t, err := c.tree(ctx)
		if err != nil {
			return err
		}
		n, there := t[id]
		if !there {
			return notFound(op, "organization", int64(id))
		}
		now = n
		was, d := now, newDifference()
		set(d, "name", &now.Name, u.Name)
		set(d, "time_zone", &now.TimeZone, u.TimeZone)
		if id != halley.RootOrganization {
			u.ParentID = rootFor(u.ParentID)
		}
		set(d, "parent_id", &now.ParentID, u.ParentID)
		set(d, "closed", &now.Closed, u.Closed)
		if err := validOrganization(op, &now.Organization, ch); err != nil || len(d.new) == 0 {
			return err
		}
		if err := c.fitNode(ctx, op, t, was, now); err != nil {
			return err
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "organization.change", On: onOrganization(id), Old: asJSON(d.old), New: asJSON(d.new),
		})
		if err != nil {
			return err
		}
		now.number++
		// The newest state is also the last in time, whatever the clocks of two servers say.
		now.From = max(now.From, ch.At)
		c.add(factOrganizationDescription, int64(id), now.number, int64(now.From), now.Name, now.TimeZone, auditID,
			orNull(int64(now.ParentID)), markOrNull(now.Closed))
		return c.bumpRegistry(ctx)
	})
	if err != nil {
		return halley.Organization{}, err
	}
	return now.Organization, nil
}

// fitNode refuses a state of a node that the tree does not allow.
func (c *change) fitNode(ctx context.Context, op string, t tree, was, now node) error {
	switch {
	case now.ID == halley.RootOrganization && (now.ParentID != 0 || now.Closed):
		return conflict(op, codeRootStays, "the root cannot be moved or closed")
	case now.ID == halley.RootOrganization:
		return nil
	case now.Closed && !was.Closed:
		return c.emptyNode(ctx, op, t, now.ID)
	}
	if now.ParentID != was.ParentID {
		if _, err := t.openNode(op, now.ParentID); err != nil {
			return err
		}
		if t.within(now.ParentID, now.ID) {
			return conflict(op, codeBelowItself, "an organization cannot be moved below itself")
		}
		if t.depth(now.ParentID)+t.height(now.ID) > maxDepth {
			return tooDeep(op)
		}
	}
	if now.Closed {
		return nil
	}
	if t[now.ParentID].Closed {
		return conflict(op, codeAboveClosed, "the organization above it is closed: open that one first")
	}
	return t.fits(op, &now.Organization)
}

// Each of these counts what keeps a node from being closed.
const (
	countPlaces = `
SELECT COUNT(*)
  FROM place p
  JOIN place_description x ON x.place_id = p.place_id
   AND x.number = (SELECT MAX(n.number) FROM place_description n WHERE n.place_id = p.place_id)
 WHERE COALESCE(x.organization_id, p.organization_id) = @organization AND COALESCE(x.closed, 0) = 0`

	countDevices = `
SELECT COUNT(*)
  FROM device_description x
 WHERE x.place_id IS NULL AND x.organization_id = @organization
   AND x.state <> 'rejected' AND x.state <> 'retired'
   AND x.number = (SELECT MAX(n.number) FROM device_description n WHERE n.device_id = x.device_id)`

	countPeople = `
SELECT COUNT(*)
  FROM person_description x
 WHERE x.organization_id = @organization AND x.state <> 'deleted'
   AND x.number = (SELECT MAX(n.number) FROM person_description n WHERE n.person_id = x.person_id)`
)

// emptyNode refuses a node that has something open: nodes, places, devices or people.
func (c *change) emptyNode(ctx context.Context, op string, t tree, id halley.OrganizationID) error {
	has := []string{}
	for _, n := range t {
		if n.ParentID == id && !n.Closed {
			has = append(has, "organizations")
			break
		}
	}
	for _, k := range []struct{ what, text string }{{"places", countPlaces}, {"devices", countDevices}, {"people", countPeople}} {
		var n int64
		if _, err := c.one(ctx, []any{&n}, k.text, args("organization", int64(id))...); err != nil {
			return err
		}
		if n > 0 {
			has = append(has, k.what)
		}
	}
	if len(has) == 0 {
		return nil
	}
	return conflict(op, codeNotEmpty, "the organization still has "+strings.Join(slices.Compact(has), ", ")+": move or close them first")
}
