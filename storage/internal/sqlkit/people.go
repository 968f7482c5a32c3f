package sqlkit

import (
	"context"
	"strconv"

	"halley"
	"halley/storage"
)

const (
	// selectPeople reads all states of accounts; personScan scans it.
	selectPeople = `
SELECT p.person_id, p.name, p.created_at, x.number, x.at, x.state, x.organization_id, x.source, x.shared
  FROM person p
  JOIN person_description x ON x.person_id = p.person_id`

	peopleOrder = " ORDER BY p.person_id, x.number"

	selectDetails = "SELECT person_id, full_name, email, sign_out_minutes, last_sign_in_at FROM person_detail"

	insertDetail = `
INSERT INTO person_detail (person_id, full_name, email, sign_out_minutes, last_sign_in_at)
VALUES (@person, @name, @email, @minutes, @last)`

	updateDetail = "UPDATE person_detail SET full_name = @name, email = @email, sign_out_minutes = @minutes WHERE person_id = @person"
)

// codePersonGone is the code of errors about an account that was deleted.
const codePersonGone = "person-deleted"

// The bounds of what is known of a person, in UTF-16 units.
const (
	maxFullName = 200
	maxEmail    = 254
)

// person is an account with the number of its newest description.
type person struct {
	halley.Person
	number int64
}

func personScan(scan func(...any) error) (person, error) {
	var p person
	err := scan(&p.ID, &p.Name, &p.CreatedAt, &p.number, &p.From, &p.State, &p.OrganizationID, &p.Source, &p.Shared)
	return p, err
}

func onPerson(id halley.PersonID) string { return "person " + strconv.FormatInt(int64(id), 10) }

// unfit is what the methods give for a field that cannot be taken as it is.
func unfit(op, field, message string) error {
	return &halley.Error{Kind: halley.Invalid, Op: op, Field: field, Message: message}
}

// People lists all states of all accounts, by id, then From, then age.
func (s *Store) People(ctx context.Context) ([]halley.Person, error) {
	list := []halley.Person{}
	w := words{}
	err := s.query(ctx, func(scan func(...any) error) error {
		p, err := personScan(scan)
		p.Name = w.one(p.Name)
		p.State, p.Source = halley.PersonState(w.one(string(p.State))), halley.SignInSource(w.one(string(p.Source)))
		list = append(list, p.Person)
		return err
	}, selectPeople+peopleOrder)
	if err != nil {
		return nil, s.fail("list people", err)
	}
	return list, nil
}

// PersonDetails lists what else is known of people, by id.
func (s *Store) PersonDetails(ctx context.Context) ([]halley.PersonDetail, error) {
	list := []halley.PersonDetail{}
	err := s.query(ctx, func(scan func(...any) error) error {
		d, err := detailScan(scan)
		list = append(list, d)
		return err
	}, selectDetails+" ORDER BY person_id")
	if err != nil {
		return nil, s.fail("list people", err)
	}
	return list, nil
}

func detailScan(scan func(...any) error) (halley.PersonDetail, error) {
	var d halley.PersonDetail
	err := scan(&d.PersonID, &d.FullName, &d.Email, &d.SignOutMinutes, &d.LastSignInAt)
	return d, err
}

// person reads an account as it is now; NotFound where it is not there.
func (c *change) person(ctx context.Context, op string, id halley.PersonID) (person, error) {
	var p person
	err := c.each(ctx, func(scan func(...any) error) (err error) {
		p, err = personScan(scan)
		return err
	}, selectPeople+" WHERE p.person_id = @person"+peopleOrder, args("person", int64(id))...)
	if err == nil && p.ID == 0 {
		err = notFound(op, "person", int64(id))
	}
	return p, err
}

// livingPerson is person for what cannot be done with an account that was deleted: it gives Conflict.
func (c *change) livingPerson(ctx context.Context, op string, id halley.PersonID) (person, error) {
	p, err := c.person(ctx, op, id)
	if err == nil && p.State == halley.PersonDeleted {
		err = &halley.Error{
			Kind: halley.Conflict, Op: op, Code: codePersonGone, Message: "this account was deleted: invite the person anew under another name",
		}
	}
	return p, err
}

// describePerson adds the next state of an account. Its time is not before the last one's, so that the newest is also the last in
// time, whatever the clocks of two servers say.
func (c *change) describePerson(p *person, at halley.Millis, auditID int64) {
	p.number++
	p.From = max(at, p.From)
	c.add(factPersonDescription, int64(p.ID), p.number, int64(p.From), string(p.State), int64(p.OrganizationID), string(p.Source),
		yes(p.Shared), auditID)
}

// AddPerson adds an account with its first grants.
func (s *Store) AddPerson(ctx context.Context, n storage.NewPerson, ch halley.Change) (halley.Person, error) {
	const op = "add a person"
	if err := validPerson(op, &n, ch); err != nil {
		return halley.Person{}, err
	}
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		if err := c.nameUnused(ctx, op, n.Name); err != nil {
			return err
		}
		g, err := c.granting(ctx, op)
		if err != nil {
			return err
		}
		if err := g.openNode(n.OrganizationID); err != nil {
			return err
		}
		id, err := c.nextID(ctx, "person")
		if err != nil {
			return err
		}
		n.Person.ID, n.PersonDetail.PersonID = halley.PersonID(id), halley.PersonID(id)
		if err := g.check(ctx, n.Grants); err != nil {
			return err
		}
		for i := range n.Secrets {
			if err := c.secretFree(ctx, op, n.Secrets[i]); err != nil {
				return err
			}
		}
		return c.addPerson(ctx, &n, ch)
	})
	if err != nil {
		return halley.Person{}, err
	}
	return n.Person, nil
}

// addPerson writes what AddPerson has looked at.
func (c *change) addPerson(ctx context.Context, n *storage.NewPerson, ch halley.Change) error {
	p := &person{Person: n.Person}
	auditID, err := c.audit(ctx, halley.AuditEntry{Change: ch, What: "person.add", On: onPerson(p.ID), New: asJSON(map[string]any{
		"name": p.Name, "state": p.State, "organization": p.OrganizationID, "source": p.Source, "shared": p.Shared,
	})})
	if err != nil {
		return err
	}
	c.add(factPerson, int64(p.ID), p.Name, int64(ch.At), auditID)
	p.CreatedAt = ch.At
	c.describePerson(p, ch.At, auditID)
	n.Person = p.Person
	for i := range n.Grants {
		n.Grants[i].PersonID = p.ID
		if err := c.addGrant(ctx, &n.Grants[i], ch); err != nil {
			return err
		}
	}
	if err := c.putDetail(ctx, &n.PersonDetail); err != nil {
		return err
	}
	for _, x := range n.Secrets {
		x.PersonID = p.ID
		if personal(x.Kind) {
			x.Key = strconv.FormatInt(int64(p.ID), 10)
		}
		if err := c.putSecret(ctx, x, false); err != nil {
			return err
		}
	}
	return c.bumpRegistry(ctx)
}

// putDetail writes what else is known of a person.
func (c *change) putDetail(ctx context.Context, d *halley.PersonDetail) error {
	return c.exec(ctx, insertDetail, args("person", int64(d.PersonID), "name", d.FullName, "email", d.Email,
		"minutes", int64(d.SignOutMinutes), "last", int64(d.LastSignInAt))...)
}

// nameUnused refuses a name that somebody has or had. The names are compared here, for each engine has its own mind about case.
func (c *change) nameUnused(ctx context.Context, op, name string) error {
	folded, used := storage.NameKey(name), false
	err := c.each(ctx, func(scan func(...any) error) error {
		var other string
		err := scan(&other)
		used = used || storage.NameKey(other) == folded
		return err
	}, "SELECT name FROM person")
	if err == nil && used {
		err = &halley.Error{
			Kind: halley.Conflict, Op: op, Code: "name-used", Field: "name",
			Message: "this name is or was somebody's, and a name is never used again: take another one",
		}
	}
	return err
}

func validPerson(op string, n *storage.NewPerson, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	name, why := storage.PersonName(n.Name)
	if why != "" {
		return &halley.Error{Kind: halley.Invalid, Op: op, Code: "bad-name", Field: "name", Message: why}
	}
	n.Name = name
	if err := validAccount(op, n.State, n.Source); err != nil {
		return err
	}
	if err := validDetail(op, &n.PersonDetail); err != nil {
		return err
	}
	for i := range n.Secrets {
		if err := validSecret(op, &n.Secrets[i], true); err != nil {
			return err
		}
	}
	for i := range n.Grants {
		if err := validGrant(op, &n.Grants[i]); err != nil {
			return err
		}
	}
	return nil
}

func validAccount(op string, state halley.PersonState, source halley.SignInSource) error {
	switch state {
	case halley.PersonInvited, halley.PersonActive, halley.PersonDisabled:
	case halley.PersonDeleted:
		return unfit(op, "state", "an account is deleted, and not changed to that")
	default:
		return unfit(op, "state", "the state is one of invited, active, disabled")
	}
	switch source {
	case halley.Local, halley.LDAP, halley.OIDC:
		return nil
	}
	return unfit(op, "source", "the source is one of local, ldap, oidc")
}

func validDetail(op string, d *halley.PersonDetail) error {
	if why := badText(d.FullName, maxFullName); why != "" {
		return unfit(op, "full_name", why)
	}
	if why := badText(d.Email, maxEmail); why != "" {
		return unfit(op, "email", why)
	}
	switch d.SignOutMinutes {
	case 0, 15, 30, 60, 120:
	default:
		return unfit(op, "sign_out_minutes", "a person is signed out after 15, 30, 60 or 120 minutes")
	}
	if d.LastSignInAt != 0 && !d.LastSignInAt.Storable() {
		return unfit(op, "last_sign_in_at", "the time must lie in the years 2000 to 2099")
	}
	return nil
}
