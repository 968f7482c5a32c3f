package sqlkit

import (
	"context"

	"halley"
	"halley/storage"
)

// ChangePerson changes what u names and what is another value.
func (s *Store) ChangePerson(ctx context.Context, id halley.PersonID, u storage.PersonUpdate, ch halley.Change) (halley.Person, error) {
	const op = "change a person"
	var p person
	if err := validPersonUpdate(op, u, ch); err != nil {
		return halley.Person{}, err
	}
	err := s.write(ctx, op, func(ctx context.Context, c *change) (err error) {
		if p, err = c.livingPerson(ctx, op, id); err != nil {
			return err
		}
		return c.updatePerson(ctx, op, &p, personChange{u, ch})
	})
	if err != nil {
		return halley.Person{}, err
	}
	return p.Person, nil
}

// personChange is a change of a person and who makes it.
type personChange struct {
	storage.PersonUpdate
	by halley.Change
}

func validPersonUpdate(op string, u storage.PersonUpdate, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	state, source := halley.PersonActive, halley.Local
	if u.State != nil {
		state = *u.State
	}
	if u.Source != nil {
		source = *u.Source
	}
	if err := validAccount(op, state, source); err != nil {
		return err
	}
	var d halley.PersonDetail
	changeDetail(&d, u, map[string]any{})
	return validDetail(op, &d)
}

// put changes a value where another is asked for, and notes the two.
func put[T comparable](value, wanted *T, field string, before, after map[string]any) {
	if wanted == nil || *wanted == *value {
		return
	}
	before[field], after[field] = *value, *wanted
	*value = *wanted
}

// changeDetail changes details, and notes of each only that it changed. It says whether one did.
func changeDetail(d *halley.PersonDetail, u storage.PersonUpdate, after map[string]any) bool {
	changed := false
	note := func(field string) { after[field], changed = "changed", true }
	if u.FullName != nil && *u.FullName != d.FullName {
		d.FullName = *u.FullName
		note("full_name")
	}
	if u.Email != nil && *u.Email != d.Email {
		d.Email = *u.Email
		note("email")
	}
	if u.SignOutMinutes != nil && *u.SignOutMinutes != d.SignOutMinutes {
		d.SignOutMinutes = *u.SignOutMinutes
		note("sign_out_minutes")
	}
	return changed
}

// updatePerson writes what is another value than now.
func (c *change) updatePerson(ctx context.Context, op string, p *person, u personChange) error {
	last := p.Person
	before, after := map[string]any{}, map[string]any{}
	if u.OrganizationID != nil && *u.OrganizationID != p.OrganizationID {
		g, err := c.granting(ctx, op)
		if err != nil {
			return err
		}
		if err := g.openNode(*u.OrganizationID); err != nil {
			return err
		}
	}
	put(&p.State, u.State, "state", before, after)
	put(&p.OrganizationID, u.OrganizationID, "organization", before, after)
	put(&p.Source, u.Source, "source", before, after)
	put(&p.Shared, u.Shared, "shared", before, after)
	account := p.Person != last

	var d halley.PersonDetail
	if _, err := c.one(ctx, []any{&d.PersonID, &d.FullName, &d.Email, &d.SignOutMinutes, &d.LastSignInAt},
		selectDetails+" WHERE person_id = @person", args("person", int64(p.ID))...); err != nil {
		return err
	}
	detail := changeDetail(&d, u.PersonUpdate, after)
	if !account && !detail {
		return nil
	}
	if err := c.keepAdministrator(ctx, op, func(g administratorGrant) bool {
		return g.person != p.ID || p.State == halley.PersonActive && !p.Shared
	}); err != nil {
		return err
	}
	e := halley.AuditEntry{Change: u.by, What: "person.change", On: onPerson(p.ID), New: asJSON(after)}
	if len(before) > 0 {
		e.Old = asJSON(before)
	}
	auditID, err := c.audit(ctx, e)
	if err != nil {
		return err
	}
	if account {
		c.describePerson(p, u.by.At, auditID)
	}
	if detail {
		if err := c.erase(ctx); err != nil {
			return err
		}
		if err := c.exec(ctx, updateDetail, args("person", int64(p.ID), "name", d.FullName, "email", d.Email, "minutes", int64(d.SignOutMinutes))...); err != nil {
			return err
		}
	}
	if p.State == halley.PersonDisabled && last.State != halley.PersonDisabled {
		if err := c.endSessions(ctx, p.ID); err != nil {
			return err
		}
		if err := c.withdrawLinks(ctx, p.ID); err != nil {
			return err
		}
	}
	return c.bumpRegistry(ctx)
}

// DeletePerson erases details and secrets, ends grants and sessions, and leaves the name.
func (s *Store) DeletePerson(ctx context.Context, id halley.PersonID, ch halley.Change) error {
	const op = "delete a person"
	if err := validChange(op, ch); err != nil {
		return err
	}
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		p, err := c.livingPerson(ctx, op, id)
		if err != nil {
			return err
		}
		if err := c.keepAdministrator(ctx, op, func(g administratorGrant) bool { return g.person != id }); err != nil {
			return err
		}
		grants, err := c.countingGrants(ctx, id)
		if err != nil {
			return err
		}
		ended := []int64{}
		for _, g := range grants {
			ended = append(ended, g.ID)
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "person.delete", On: onPerson(id),
			Old: asJSON(map[string]any{"state": p.State, "grants": ended}), New: asJSON(map[string]any{"state": halley.PersonDeleted}),
		})
		if err != nil {
			return err
		}
		p.State = halley.PersonDeleted
		c.describePerson(&p, ch.At, auditID)
		for _, g := range grants {
			c.endGrant(g, ch.At, auditID)
		}
		return c.erasePerson(ctx, id)
	})
}

// erasePerson removes what is kept of a person besides the facts.
func (c *change) erasePerson(ctx context.Context, id halley.PersonID) error {
	c.forgets = true
	if err := c.erase(ctx); err != nil {
		return err
	}
	for _, text := range []string{
		"DELETE FROM person_detail WHERE person_id = @person",
		"DELETE FROM person_secret WHERE person_id = @person",
	} {
		if err := c.exec(ctx, text, args("person", int64(id))...); err != nil {
			return err
		}
	}
	if err := c.endSessions(ctx, id); err != nil {
		return err
	}
	return c.bumpRegistry(ctx)
}

// NoteSignIn notes when a person signed in last.
func (s *Store) NoteSignIn(ctx context.Context, id halley.PersonID, at halley.Millis) error {
	const op = "note a sign-in"
	if !at.Storable() {
		return unfit(op, "at", "the time must lie in the years 2000 to 2099")
	}
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		n, err := c.affect(ctx, "UPDATE person_detail SET last_sign_in_at = @at WHERE person_id = @person",
			args("at", int64(at), "person", int64(id))...)
		if err == nil && n == 0 {
			err = notFound(op, "person", int64(id))
		}
		return err
	})
}
