package access

import (
	"context"
	"errors"
	"net/http"
	"time"

	"halley"
	"halley/storage"
)

// FirstAccount is the account of the first administrator.
type FirstAccount struct {
	// Secret is that of the first sign-in; "" where the visitor's session is that of the first sign-in already.
	Secret         halley.Secret
	Name, FullName string
	Password       halley.Secret
}

// MakeFirst makes the first administrator, at the root, uses the secret up and begins a session. Conflict with the code
// "accounts-exist" where there is an account; Unauthenticated with "secret-not-valid"; Invalid where the name or the password will not
// do, which leaves the secret good; Unavailable while the store is away.
func (a *Access) MakeFirst(ctx context.Context, h http.Header, f FirstAccount, v Visitor) (Caller, error) {
	if err := a.mayMakeFirst(ctx); err != nil {
		return Caller{}, err
	}
	name, err := PersonName(f.Name)
	if err != nil {
		return Caller{}, err
	}
	if err := FullName(f.FullName); err != nil {
		return Caller{}, err
	}
	if err := a.Rule.Check(f.Password, name, f.FullName); err != nil {
		return Caller{}, err
	}
	claimed, err := a.claimFirst(ctx, f, v)
	if err != nil {
		return Caller{}, err
	}
	person, at, err := a.addFirst(ctx, name, f, v)
	if err != nil {
		return Caller{}, errors.Join(err, a.giveBack(claimed))
	}
	if claimed != "" {
		// The claimed file can no longer be used; where it cannot be removed now, the next Issue does it.
		_ = a.First.discard(claimed)
	}
	return a.begin(ctx, h, proved{Person: person, at: at}, v)
}

// mayMakeFirst says whether there is no account yet. The store itself is asked, for the copy may be behind.
func (a *Access) mayMakeFirst(ctx context.Context) error {
	if !a.attempts.Allow() {
		return &halley.Error{
			Kind: halley.TooMany, Op: "make the first account", Code: "too-many-attempts",
			Message: "there were too many attempts: wait a minute and try again",
		}
	}
	people, err := a.People.People(ctx)
	if err != nil {
		return awayFor("accounts", err)
	}
	if len(people) > 0 {
		return &halley.Error{
			Kind: halley.Conflict, Op: "make the first account", Code: "accounts-exist",
			Message: "there is an account already: sign in, or run `halley user reset --name NAME` on the server",
		}
	}
	return nil
}

// claimFirst takes the secret, or accepts the session that it began; it gives what discard or giveBack need, "" for a session.
func (a *Access) claimFirst(ctx context.Context, f FirstAccount, v Visitor) (string, error) {
	if f.Secret != "" {
		return a.First.claim(f.Secret.Reveal(), halley.MillisOf(time.Now()))
	}
	caller, err := a.Authenticate(ctx, Presented{Cookie: v.FormerCookie})
	if err != nil || caller.Must != MustAccount {
		return "", errSecretNotValid()
	}
	return "", nil
}

func (a *Access) giveBack(claimed string) error {
	if claimed == "" {
		return nil
	}
	return a.First.restore(claimed)
}

// addFirst adds the account.
func (a *Access) addFirst(ctx context.Context, name string, f FirstAccount, v Visitor) (halley.Person, halley.Millis, error) {
	hash, err := a.Passwords.Hash(ctx, v.site(), f.Password)
	if err != nil {
		return halley.Person{}, 0, err
	}
	now := halley.MillisOf(time.Now())
	person, err := a.People.AddPerson(ctx, storage.NewPerson{
		Person: halley.Person{
			Name: name, State: halley.PersonActive, OrganizationID: halley.RootOrganization, Source: halley.Local,
		},
		PersonDetail: halley.PersonDetail{FullName: f.FullName},
		Grants:       []halley.Grant{{Role: halley.Administrator, OrganizationID: halley.RootOrganization}},
		Secrets:      []storage.Secret{PasswordSecret(0, hash, now)},
	}, halley.Change{Actor: halley.Actor{Kind: string(BySession), Name: firstAccount}, At: now})
	if err != nil {
		return halley.Person{}, 0, awayFor("accounts", err)
	}
	return person, now, a.Directory.Refresh(ctx)
}
