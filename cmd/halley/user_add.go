package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"halley"
	"halley/config"
	"halley/server/access"
	"halley/server/directory"
	"halley/server/passwords"
	"halley/server/registry"
	"halley/storage"
)

// newUser is what the options of user add say.
type newUser struct {
	name, role, organization string
	fullName, email          string
	shared                   bool
	places                   []string
	reason                   string
}

func prepareUserAdd(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	var n newUser
	fs.StringVar(&n.name, "name", "", "the `NAME` to sign in with; never used again")
	fs.StringVar(&n.role, "role", "", "the `ROLE`, such as administrator, user or guest")
	fs.StringVar(&n.organization, "organization", "/", "the `PATH` of the organization where the role counts, with all below (default /)")
	fs.StringVar(&n.fullName, "full-name", "", "the person's full `NAME`")
	fs.StringVar(&n.email, "email", "", "the `ADDRESS` to which links for a new password go")
	fs.BoolVar(&n.shared, "shared", false, "several people use the account: it only reads")
	fs.Func("place", "the `NAME` of a place that it reaches; may be given again", func(place string) error {
		n.places = append(n.places, place)
		return nil
	})
	fs.StringVar(&n.reason, "reason", "", "`WHY`, for the audit")
	return func(ctx context.Context, io streams, _ []string) error {
		if err := n.check(); err != nil {
			return err
		}
		return withStore(ctx, st, io, func(o opened) error { return addUser(ctx, io, o, &n) })
	}
}

// check finds what cannot be, before anything is opened or asked for.
func (n *newUser) check() error {
	name, err := access.PersonName(n.name)
	switch {
	case n.name == "":
		return misuse("--name is missing")
	case err != nil:
		return misuse("--name: %s", messageOf(err))
	case n.role == "":
		return misuse("--role is missing: it is one of %s", userRoles())
	case halley.Role(n.role) == halley.Reader:
		return misuse("--role %s is for programs alone: people can be %s", halley.Reader, halley.GuestAdministrator)
	case (halley.Role(n.role) == halley.ViewByMeasuredPlaces) != (len(n.places) > 0):
		return misuse("--place is for the role %s, which needs it", halley.ViewByMeasuredPlaces)
	}
	n.name = name
	if err := access.FullName(n.fullName); err != nil {
		return misuse("--full-name: %s", messageOf(err))
	}
	if err := access.Email(n.email); err != nil {
		return misuse("--email: %s", messageOf(err))
	}
	return nil
}

// userRoles lists the roles that people can have.
func userRoles() string {
	names := make([]string, 0, len(halley.PresetRoles()))
	for _, r := range halley.PresetRoles() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// messageOf gives what an error says to people.
func messageOf(err error) string {
	if e, ok := errors.AsType[*halley.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// addUser asks for the password and adds the account.
func addUser(ctx context.Context, io streams, o opened, n *newUser) error {
	s, err := registry.Read(ctx, o.store)
	if err != nil {
		return err
	}
	if _, used := s.PersonNamed(n.name); used {
		return &halley.Error{
			Kind: halley.Conflict, Op: "add an account", Field: "name", Message: "the name " + cell(n.name) + " is or was used: choose another",
		}
	}
	node, err := openOrganization(s, n.organization)
	if err != nil {
		return err
	}
	grants, err := grantsOf(s, n, node.ID)
	if err != nil {
		return err
	}
	password, err := newPassword(ctx, io)
	if err != nil {
		return err
	}
	local, _, _ := strings.Cut(n.email, "@")
	if err := passwordRule(&o.config.Accounts).Check(password, n.name, n.fullName, local); err != nil {
		return err
	}
	hash, err := passwords.New(passwords.Standard()).Hash(ctx, "", password)
	if err != nil {
		return err
	}
	c := change(n.reason)
	_, err = o.store.AddPerson(ctx, storage.NewPerson{
		Person: halley.Person{
			Name: n.name, State: halley.PersonActive, OrganizationID: node.ID, Source: halley.Local, Shared: n.shared,
		},
		PersonDetail: halley.PersonDetail{FullName: n.fullName, Email: n.email},
		Grants:       grants,
		Secrets:      []storage.Secret{access.PasswordSecret(0, hash, c.At)},
	}, c)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(io.out, "%s can sign in as %s of %s\n", cell(n.name), cell(n.role), cell(s.Path(node.ID)))
	return err
}

// grantsOf gives the first grants of a new account.
func grantsOf(s *directory.State, n *newUser, node halley.OrganizationID) ([]halley.Grant, error) {
	role := halley.Role(n.role)
	if err := grantable(s, role, node); err != nil {
		return nil, err
	}
	if len(n.places) == 0 {
		return []halley.Grant{{Role: role, OrganizationID: node}}, nil
	}
	places, err := placesNamed(s, node, n.places)
	if err != nil {
		return nil, err
	}
	var grants []halley.Grant
	for _, id := range places {
		grants = append(grants, halley.Grant{Role: role, OrganizationID: node, PlaceID: id})
	}
	return grants, nil
}

// passwordRule gives the rule of the configuration.
func passwordRule(a *config.Accounts) passwords.Rule {
	return passwords.Rule{
		Length: a.PasswordLength, Digit: a.PasswordDigit, Upper: a.PasswordUpper, Lower: a.PasswordLower, Special: a.PasswordSpecial,
	}
}
