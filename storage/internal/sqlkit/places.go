package sqlkit

import (
	"context"
	"strconv"

	"halley"
	"halley/storage"
)

const (
	// placeColumns are what placeScan scans, of place p and place_description x.
	placeColumns = `
SELECT p.place_id, COALESCE(x.organization_id, p.organization_id), x.name, COALESCE(x.closed, 0), x.at, x.number
  FROM `

	// The page of places stands between the two.
	selectPage    = "(SELECT place_id, organization_id FROM place WHERE place_id > @after ORDER BY place_id"
	fromPlacePage = `) p
  JOIN place_description x ON x.place_id = p.place_id
 ORDER BY p.place_id, x.at, x.number`

	selectPlace = placeColumns + `place p
  JOIN place_description x ON x.place_id = p.place_id
   AND x.number = (SELECT MAX(n.number) FROM place_description n WHERE n.place_id = p.place_id)
 WHERE p.place_id = @place`
)

// place is a place as it is now, with the number of that state.
type place struct {
	halley.Place
	number int64
}

func placeScan(scan func(...any) error) (place, error) {
	var p place
	err := scan(&p.ID, &p.OrganizationID, &p.Name, &p.Closed, &p.From, &p.number)
	return p, err
}

func onPlace(id halley.PlaceID) string { return "place " + strconv.FormatInt(int64(id), 10) }

// PlaceStates lists all states of the places with ids above after, by id, then From, then age, of at most limit places.
func (s *Store) PlaceStates(ctx context.Context, after halley.PlaceID, limit int) ([]halley.Place, error) {
	list := []halley.Place{}
	err := s.query(ctx, func(scan func(...any) error) error {
		p, err := placeScan(scan)
		if n := len(list); n > 0 && list[n-1].Name == p.Name {
			// A state that changes something else shares the text.
			p.Name = list[n-1].Name
		}
		list = append(list, p.Place)
		return err
	}, placeColumns+selectPage+s.dialect.Limit+fromPlacePage, args("after", int64(after), "limit", max(limit, 1))...)
	if err != nil {
		return nil, s.fail("list the places", err)
	}
	return list, nil
}

// place reads a place as it is now; NotFound where it is not there.
func (c *change) place(ctx context.Context, op string, id halley.PlaceID) (place, error) {
	var p place
	err := c.each(ctx, func(scan func(...any) error) (err error) {
		p, err = placeScan(scan)
		return err
	}, selectPlace, args("place", int64(id))...)
	if err == nil && p.ID == 0 {
		err = notFound(op, "place", int64(id))
	}
	return p, err
}

// openPlace is place for what cannot be done with one that is closed: it gives Conflict.
func (c *change) openPlace(ctx context.Context, op string, id halley.PlaceID) (place, error) {
	p, err := c.place(ctx, op, id)
	if err == nil && p.Closed {
		err = conflict(op, codePlaceClosed, "the place is closed: open it again, or choose another one")
	}
	return p, err
}

// validPlace holds a change to what can be stored; a nil name is not changed. One that a device gave may be other than people may
// give.
func validPlace(op string, name *string, ch halley.Change) error {
	if err := validChange(op, ch); err != nil || name == nil {
		return err
	}
	if why := badName(*name); why != "" {
		return &halley.Error{Kind: halley.Invalid, Op: op, Code: "bad-name", Field: "name", Message: why}
	}
	return nil
}

// AddPlace adds a place.
func (s *Store) AddPlace(ctx context.Context, p halley.Place, ch halley.Change) (halley.Place, error) {
	const op = "add a place"
	p.Closed, p.From = false, ch.At
	if p.OrganizationID == 0 {
		p.OrganizationID = halley.RootOrganization
	}
	if err := validPlace(op, &p.Name, ch); err != nil {
		return halley.Place{}, err
	}
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		if err := c.nodeOpen(ctx, op, p.OrganizationID); err != nil {
			return err
		}
		id, err := c.nextID(ctx, "place")
		if err != nil {
			return err
		}
		p.ID = halley.PlaceID(id)
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "place.add", On: onPlace(p.ID),
			New: asJSON(map[string]any{"name": p.Name, "organization_id": p.OrganizationID}),
		})
		if err != nil {
			return err
		}
		c.addPlace(p, auditID)
		return c.bumpRegistry(ctx)
	})
	if err != nil {
		return halley.Place{}, err
	}
	return p, nil
}

// addPlace adds a place with its first description.
func (c *change) addPlace(p halley.Place, auditID int64) {
	c.add(factPlace, int64(p.ID), int64(p.OrganizationID), int64(p.From))
	c.add(factPlaceDescription, int64(p.ID), int64(1), int64(p.From), p.Name, orNull(auditID), none, none)
}

// ChangePlace changes what u names.
func (s *Store) ChangePlace(ctx context.Context, id halley.PlaceID, u storage.PlaceUpdate, ch halley.Change) (halley.Place, error) {
	const op = "change a place"
	if err := validPlace(op, u.Name, ch); err != nil {
		return halley.Place{}, err
	}
	var now place
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		var err error
		if now, err = c.place(ctx, op, id); err != nil {
			return err
		}
		was, d := now, newDifference()
		set(d, "name", &now.Name, u.Name)
		set(d, "organization_id", &now.OrganizationID, rootFor(u.OrganizationID))
		set(d, "closed", &now.Closed, u.Closed)
		if len(d.new) == 0 {
			return nil
		}
		if err := c.fitPlace(ctx, op, was, now); err != nil {
			return err
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "place.change", On: onPlace(id), Old: asJSON(d.old), New: asJSON(d.new),
		})
		if err != nil {
			return err
		}
		now.number++
		// The newest state is also the last in time, whatever the clocks of two servers say.
		now.From = max(now.From, ch.At)
		c.add(factPlaceDescription, int64(id), now.number, int64(now.From), now.Name, auditID, int64(now.OrganizationID),
			markOrNull(now.Closed))
		return c.bumpRegistry(ctx)
	})
	if err != nil {
		return halley.Place{}, err
	}
	return now.Place, nil
}

// fitPlace refuses a state of a place that is not allowed.
func (c *change) fitPlace(ctx context.Context, op string, was, now place) error {
	if now.OrganizationID != was.OrganizationID {
		if err := c.nodeOpen(ctx, op, now.OrganizationID); err != nil {
			return err
		}
	}
	switch {
	case now.Closed && !was.Closed:
		there, err := c.attachedTo(ctx, now.ID)
		if err == nil && there {
			err = conflict(op, codeAttached, "something is attached to the place: take it from there first")
		}
		return err
	case was.Closed && !now.Closed:
		t, err := c.tree(ctx)
		if err == nil && t[now.OrganizationID].Closed {
			err = conflict(op, codeAboveClosed, "the organization of the place is closed: open that one first, or move the place")
		}
		return err
	}
	return nil
}
