package sqlkit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"halley"
)

const (
	// selectRoles reads all states of custom roles; roleScan scans it.
	selectRoles = `
SELECT r.role_id, r.name, r.organization_id, x.number, x.at, x.permissions, x.closed
  FROM role r
  JOIN role_description x ON x.role_id = r.role_id`

	rolesOrder = " ORDER BY r.role_id, x.number"
)

// customRole is a role with the number of its newest description.
type customRole struct {
	halley.CustomRole
	number int64
}

func roleScan(scan func(...any) error) (customRole, error) {
	var r customRole
	var permissions string
	if err := scan(&r.ID, &r.Name, &r.OrganizationID, &r.number, &r.From, &permissions, &r.Closed); err != nil {
		return r, err
	}
	r.Permissions = []halley.Permission{}
	if err := json.Unmarshal([]byte(permissions), &r.Permissions); err != nil {
		return r, fmt.Errorf("the permissions of role %d: %w", r.ID, err)
	}
	return r, nil
}

func onRole(id int64) string { return "role " + strconv.FormatInt(id, 10) }

// Roles lists all states of all custom roles, by id, then From, then age.
func (s *Store) Roles(ctx context.Context) ([]halley.CustomRole, error) {
	list := []halley.CustomRole{}
	err := s.query(ctx, func(scan func(...any) error) error {
		r, err := roleScan(scan)
		list = append(list, r.CustomRole)
		return err
	}, selectRoles+rolesOrder)
	if err != nil {
		return nil, s.fail("list roles", err)
	}
	return list, nil
}

// describeRole adds the next state of a role.
func (c *change) describeRole(r *customRole, at halley.Millis, auditID int64) {
	r.number++
	r.From = max(at, r.From)
	c.add(factRoleDescription, r.ID, r.number, int64(r.From), asJSON(r.Permissions), yes(r.Closed), auditID)
}

// AddRole adds a custom role.
func (s *Store) AddRole(ctx context.Context, n halley.CustomRole, ch halley.Change) (halley.CustomRole, error) {
	const op = "add a role"
	r := customRole{CustomRole: n}
	if err := validRole(op, &r, ch); err != nil {
		return halley.CustomRole{}, err
	}
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		g, err := c.granting(ctx, op)
		if err != nil {
			return err
		}
		if err := g.openNode(r.OrganizationID); err != nil {
			return err
		}
		if _, used := g.roles[r.Name]; used || r.Name.Preset() {
			return &halley.Error{
				Kind: halley.Conflict, Op: op, Code: "name-used", Field: "name",
				Message: "this is or was the name of a role, and a name is never used again: take another one",
			}
		}
		if r.ID, err = c.nextID(ctx, "role"); err != nil {
			return err
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{Change: ch, What: "role.add", On: onRole(r.ID), New: asJSON(map[string]any{
			"name": r.Name, "organization": r.OrganizationID, "permissions": r.Permissions,
		})})
		if err != nil {
			return err
		}
		c.add(factRole, r.ID, string(r.Name), int64(r.OrganizationID), int64(ch.At), auditID)
		c.describeRole(&r, ch.At, auditID)
		return c.bumpRegistry(ctx)
	})
	if err != nil {
		return halley.CustomRole{}, err
	}
	return r.CustomRole, nil
}

func validRole(op string, r *customRole, ch halley.Change) (err error) {
	if err := validChange(op, ch); err != nil {
		return err
	}
	if !r.Name.WellFormed() {
		return &halley.Error{
			Kind: halley.Invalid, Op: op, Code: "bad-name", Field: "name", Message: "the name has 1 to 40 of a to z, 0 to 9 and -",
		}
	}
	r.Closed, r.From, r.number = false, 0, 0
	r.Permissions, err = orderedPermissions(op, r.Permissions)
	return err
}

// orderedPermissions gives permissions in the order in which they are shown, each once. There must be one.
func orderedPermissions(op string, list []halley.Permission) ([]halley.Permission, error) {
	all := halley.Permissions()
	for _, p := range list {
		if !slices.Contains(all, p) {
			return nil, unfit(op, "permissions", fmt.Sprintf("there is no permission %q", p))
		}
	}
	ordered := slices.DeleteFunc(all, func(p halley.Permission) bool { return !slices.Contains(list, p) })
	if len(ordered) == 0 {
		return nil, unfit(op, "permissions", "name at least one permission")
	}
	return ordered, nil
}

// ChangeRole changes what a custom role holds, or closes it. One that is closed is not there any more.
func (s *Store) ChangeRole(
	ctx context.Context, id int64, permissions []halley.Permission, closed bool, ch halley.Change,
) (halley.CustomRole, error) {
	const op = "change a role"
	var r customRole
	err := validChange(op, ch)
	if err == nil && !closed {
		permissions, err = orderedPermissions(op, permissions)
	}
	if err != nil {
		return halley.CustomRole{}, err
	}
	if closed {
		permissions = []halley.Permission{}
	}
	err = s.write(ctx, op, func(ctx context.Context, c *change) error {
		r = customRole{}
		err := c.each(ctx, func(scan func(...any) error) (err error) {
			r, err = roleScan(scan)
			return err
		}, selectRoles+" WHERE r.role_id = @role"+rolesOrder, args("role", id)...)
		if err == nil && (r.ID == 0 || r.Closed) {
			err = notFound(op, "role", id)
		}
		if err != nil || !closed && slices.Equal(permissions, r.Permissions) {
			return err
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "role.change", On: onRole(id),
			Old: asJSON(map[string]any{"permissions": r.Permissions, "closed": r.Closed}),
			New: asJSON(map[string]any{"permissions": permissions, "closed": closed}),
		})
		if err != nil {
			return err
		}
		r.Permissions, r.Closed = permissions, closed
		c.describeRole(&r, ch.At, auditID)
		return c.bumpRegistry(ctx)
	})
	if err != nil {
		return halley.CustomRole{}, err
	}
	return r.CustomRole, nil
}
