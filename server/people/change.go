package people

import (
	"context"

	"halley"
	"halley/server/access"
	"halley/server/directory"
	"halley/storage"
)

// Invited is somebody who was asked in or gets another password.
type Invited struct {
	Person halley.Person
	Link   access.Link
	// Mailed says that a mail server took the link.
	Mailed bool
}

// Invite adds an account with its first grants and makes the link for its first sign-in. Errors: Invalid for what cannot be, Forbidden
// for grants that by may not give, NotFound for organizations and places that by may not know of, Conflict where the name was used.
func (r *Rules) Invite(ctx context.Context, n storage.NewPerson, by By) (Invited, error) {
	const op = "invite a person"
	if err := checkTexts(&n.Name, &n.FullName, &n.Email); err != nil {
		return Invited{}, err
	}
	if len(n.Grants) > GrantsMost {
		return Invited{}, invalid(op, "grants", "give at most 100 grants")
	}
	s, end, err := r.begin(ctx)
	if err != nil {
		return Invited{}, err
	}
	defer end()
	if err := openNode(op, s, by, n.OrganizationID, halley.PermitPersonChange); err != nil {
		return Invited{}, err
	}
	for _, g := range n.Grants {
		if err := giveable(op, s, by, g); err != nil {
			return Invited{}, err
		}
	}
	link, secret, err := access.NewLinkSecret(r.Address, access.LinkInvite, by.At)
	if err != nil {
		return Invited{}, err //nolint:wrapcheck // it says what it did
	}
	n.State, n.Source, n.Secrets = halley.PersonInvited, halley.Local, []storage.Secret{secret}
	p, err := r.Store.AddPerson(ctx, n, by.Change)
	if err != nil {
		return Invited{}, err //nolint:wrapcheck // the store says it itself
	}
	r.changed(ctx)
	return Invited{Person: p, Link: link, Mailed: r.Links.SendLink(ctx, n.Email, access.LinkInvite, link)}, nil
}

// checkTexts checks what is given of a person's texts.
func checkTexts(name, full, email *string) error {
	for _, c := range []struct {
		text  *string
		check func(string) error
	}{{name, CheckName}, {full, CheckFullName}, {email, CheckEmail}} {
		if c.text == nil {
			continue
		}
		if err := c.check(*c.text); err != nil {
			return err
		}
	}
	return nil
}

// Change changes what u names of an account. Of their own nobody changes more than name and address for mail.
func (r *Rules) Change(ctx context.Context, id halley.PersonID, u storage.PersonUpdate, by By) (halley.Person, error) {
	const op = "change a person"
	if err := checkTexts(nil, u.FullName, u.Email); err != nil {
		return halley.Person{}, err
	}
	s, end, err := r.begin(ctx)
	if err != nil {
		return halley.Person{}, err
	}
	defer end()
	p, err := target(op, s, by, id)
	if err != nil {
		return halley.Person{}, err
	}
	if err := r.changeable(op, s, p, u, by); err != nil {
		return halley.Person{}, err
	}
	if p, err = r.Store.ChangePerson(ctx, id, u, by.Change); err != nil {
		return halley.Person{}, err //nolint:wrapcheck // the store says it itself
	}
	r.changed(ctx)
	return p, nil
}

// changeable refuses a change that by may not make.
func (r *Rules) changeable(op string, s *directory.State, p halley.Person, u storage.PersonUpdate, by By) error {
	if u.State != nil || u.Shared != nil || u.OrganizationID != nil {
		if err := notSelf(op, by, p.ID); err != nil {
			return err
		}
	}
	if err := lesser(op, s, by, p.ID); err != nil {
		return err
	}
	if u.Email != nil {
		// A forgotten password goes to this address.
		if err := noWayIn(op, s, by, p); err != nil {
			return err
		}
	}
	if u.OrganizationID != nil {
		if err := openNode(op, s, by, *u.OrganizationID, halley.PermitPersonChange); err != nil {
			return err
		}
	}
	if u.State != nil {
		switch {
		case *u.State != halley.PersonActive && *u.State != halley.PersonDisabled:
			return invalid(op, "state", `write "active" or "disabled"`)
		case *u.State == halley.PersonActive && !everSignedIn(s, p):
			return &halley.Error{
				Kind: halley.Conflict, Op: op, Code: "person-invited", Field: "state",
				Message: "this person has not chosen a password yet: make another link for them instead",
			}
		}
	}
	if u.State != nil && *u.State == halley.PersonDisabled || u.Shared != nil && *u.Shared {
		return staying(op, s, p.ID)
	}
	return nil
}

// everSignedIn says that a person has something to sign in with. An account of another source is checked there.
func everSignedIn(s *directory.State, p halley.Person) bool {
	return p.State == halley.PersonActive || p.Source != halley.Local || len(s.Secrets(p.ID, storage.SecretPassword)) > 0
}

// Delete erases a person but for the name. Nobody deletes themselves, or the last who administers the root.
func (r *Rules) Delete(ctx context.Context, id halley.PersonID, by By) error {
	const op = "delete a person"
	s, end, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if _, err := other(op, s, by, id); err != nil {
		return err
	}
	if err := staying(op, s, id); err != nil {
		return err
	}
	if err := r.Store.DeletePerson(ctx, id, by.Change); err != nil {
		return err //nolint:wrapcheck // the store says it itself
	}
	r.changed(ctx)
	return nil
}

// other gives a person who is not by and does not hold more.
func other(op string, s *directory.State, by By, id halley.PersonID) (halley.Person, error) {
	p, err := target(op, s, by, id)
	if err != nil {
		return p, err
	}
	if err := notSelf(op, by, id); err != nil {
		return p, err
	}
	return p, lesser(op, s, by, id)
}

// Reset makes a link by which a person chooses another password, in place of links that they had. The former password stays good
// until the link is used. Conflict for an account that is disabled, or whose password another source checks.
func (r *Rules) Reset(ctx context.Context, id halley.PersonID, by By) (Invited, error) {
	s, end, err := r.begin(ctx)
	if err != nil {
		return Invited{}, err
	}
	defer end()
	const op = "reset a password"
	p, err := other(op, s, by, id)
	if err == nil {
		err = noWayIn(op, s, by, p)
	}
	if err != nil {
		return Invited{}, err
	}
	link, err := access.NewLink(ctx, r.Store, r.Address, p, by.Change)
	if err != nil {
		return Invited{}, err //nolint:wrapcheck // it says what it did
	}
	purpose := access.LinkReset
	if p.State == halley.PersonInvited {
		purpose = access.LinkInvite
	}
	return Invited{Person: p, Link: link, Mailed: r.Links.SendLink(ctx, s.Detail(id).Email, purpose, link)}, nil
}

// RemoveFactors takes a person's second factors away, as when a telephone is lost.
func (r *Rules) RemoveFactors(ctx context.Context, id halley.PersonID, by By) error {
	const op = "remove second factors"
	s, end, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	p, err := other(op, s, by, id)
	if err == nil {
		err = noWayIn(op, s, by, p)
	}
	if err != nil {
		return err
	}
	err = r.removeSecrets(ctx, id, by, storage.SecretTOTP, storage.SecretPasskey, storage.SecretRecovery)
	r.changed(ctx)
	return err
}

// removeSecrets removes what a person has of some kinds. What somebody else removes meanwhile is gone as well.
func (r *Rules) removeSecrets(ctx context.Context, id halley.PersonID, by By, kinds ...storage.SecretKind) error {
	list, err := r.Store.Secrets(ctx, id)
	if err != nil {
		return err //nolint:wrapcheck // the store says it itself
	}
	for _, secret := range list {
		for _, kind := range kinds {
			if secret.Kind != kind {
				continue
			}
			err := r.Store.RemoveSecret(ctx, kind, secret.Key, "person.factor", by.Change)
			if err != nil && halley.KindOf(err) != halley.NotFound {
				return err //nolint:wrapcheck // the store says it itself
			}
		}
	}
	return nil
}

// MayEndSessions says whether by may end the sessions of a person.
func (r *Rules) MayEndSessions(id halley.PersonID, by By) error {
	_, err := other("end sessions", r.Directory.Directory(), by, id)
	return err
}
