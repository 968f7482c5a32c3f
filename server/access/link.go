package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// LinkPurpose says what a one-time link is for.
type LinkPurpose string

// The purposes of a link.
const (
	// LinkInvite lets somebody new choose a password.
	LinkInvite LinkPurpose = "invite"
	// LinkReset lets somebody choose a new one.
	LinkReset LinkPurpose = "reset"
)

// How long links can be used.
const (
	inviteValid = 7 * halley.Day
	resetValid  = halley.Hour
)

// linkSecretBytes bounds what is looked up as the secret of a link.
const linkSecretBytes = 200

// Link is a one-time link. The secret in it is kept nowhere, and lets whoever has it choose the person's password.
type Link struct {
	// URL opens the viewer; the secret stands behind "#", which browsers never send.
	URL   halley.Secret
	Until halley.Millis
}

// storedLink is what the store keeps of a link besides its hash.
type storedLink struct {
	Purpose LinkPurpose `json:"purpose"`
}

// NewLinkSecret makes a link for a person who is about to be added, whose ID is filled in by storage.People.AddPerson.
func NewLinkSecret(address string, purpose LinkPurpose, now halley.Millis) (Link, storage.Secret, error) {
	data, err := json.Marshal(storedLink{Purpose: purpose})
	if err != nil {
		return Link{}, storage.Secret{}, fmt.Errorf("describing a link: %w", err)
	}
	valid := resetValid
	if purpose == LinkInvite {
		valid = inviteValid
	}
	secret := randomText()
	l := Link{URL: halley.Secret(strings.TrimRight(address, "/") + "/#link=" + secret), Until: now + valid}
	return l, storage.Secret{Kind: storage.SecretLink, Key: linkKey(secret), Data: data, At: now, ExpiresAt: l.Until}, nil
}

// linkKey gives the key under which the store knows a link.
func linkKey(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewLink makes a link for a person in place of all that were made before, with an audit row "person.reset".
func NewLink(ctx context.Context, people People, address string, person halley.Person, c halley.Change) (Link, error) {
	if person.Source != halley.Local || person.State == halley.PersonDeleted || person.State == halley.PersonDisabled {
		return Link{}, &halley.Error{
			Kind: halley.Conflict, Op: "make a link", Code: "no-password-here",
			Message: "this account has no password that could be set here: it is disabled or deleted, or another source checks it",
		}
	}
	purpose := LinkReset
	if person.State == halley.PersonInvited {
		purpose = LinkInvite
	}
	if err := withdrawLinks(ctx, people, person.ID, c); err != nil {
		return Link{}, err
	}
	l, secret, err := NewLinkSecret(address, purpose, c.At)
	if err != nil {
		return Link{}, err
	}
	secret.PersonID = person.ID
	if err := people.SetSecret(ctx, secret, nil, "person.reset", c); err != nil {
		return Link{}, fmt.Errorf("keeping a link: %w", err)
	}
	return l, nil
}

// withdrawLinks removes the links of a person that were not used.
func withdrawLinks(ctx context.Context, people People, id halley.PersonID, c halley.Change) error {
	list, err := people.Secrets(ctx, id)
	if err != nil {
		return fmt.Errorf("looking for former links: %w", err)
	}
	for _, s := range list {
		if s.Kind != storage.SecretLink {
			continue
		}
		if err := people.RemoveSecret(ctx, s.Kind, s.Key, "", c); err != nil && halley.KindOf(err) != halley.NotFound {
			return fmt.Errorf("removing a former link: %w", err)
		}
	}
	return nil
}

// Looked is what a link is for.
type Looked struct {
	Purpose LinkPurpose
	// Name is the account's.
	Name  string
	Until halley.Millis
}

// LookLink says what a link is for, without using it up. Unauthenticated with the code "link-not-valid" where there is none that can be
// used; Unavailable while the store is away.
func (a *Access) LookLink(ctx context.Context, secret halley.Secret) (Looked, error) {
	found, person, err := a.findLink(ctx, secret)
	if err != nil {
		return Looked{}, err
	}
	return Looked{Purpose: found.purpose, Name: person.Name, Until: found.ExpiresAt}, nil
}

// foundLink is a link that can be used.
type foundLink struct {
	storage.Secret
	purpose LinkPurpose
}

func (a *Access) findLink(ctx context.Context, secret halley.Secret) (foundLink, halley.Person, error) {
	none := func(err error) (foundLink, halley.Person, error) { return foundLink{}, halley.Person{}, err }
	if n := len(secret.Reveal()); n == 0 || n > linkSecretBytes {
		return none(errLink())
	}
	stored, ok, err := a.People.Secret(ctx, storage.SecretLink, linkKey(secret.Reveal()), halley.MillisOf(time.Now()))
	if err != nil {
		return none(awayFor("links", err))
	}
	var what storedLink
	if !ok || json.Unmarshal(stored.Data, &what) != nil {
		return none(errLink())
	}
	person, known := a.Directory.Directory().Person(stored.PersonID)
	if !known {
		// The copy may be a second behind whoever made the person and the link.
		if err := a.Directory.Refresh(ctx); err != nil {
			return none(awayFor("links", err))
		}
		person, known = a.Directory.Directory().Person(stored.PersonID)
	}
	if !known || person.Source != halley.Local || person.State == halley.PersonDisabled || person.State == halley.PersonDeleted {
		return none(errLink())
	}
	return foundLink{Secret: stored, purpose: what.Purpose}, person, nil
}

// UseLink sets a person's password by a link, of which several at one time can use it once, makes the account active, ends its other
// sessions and begins one; where a second factor is set up it is asked for as SignIn does. Unauthenticated with the code
// "link-not-valid"; Invalid with "password-refused", which leaves the link good; Unavailable while the store is away.
func (a *Access) UseLink(ctx context.Context, h http.Header, secret, password halley.Secret, v Visitor) (Caller, error) {
	found, person, err := a.findLink(ctx, secret)
	if err != nil {
		return Caller{}, err
	}
	state := a.Directory.Directory()
	if err := a.Rule.Check(password, aboutPerson(state, person)...); err != nil {
		return Caller{}, err
	}
	hash, err := a.Passwords.Hash(ctx, v.site(), password)
	if err != nil {
		return Caller{}, err
	}
	c := halley.Change{Actor: halley.Actor{Kind: string(BySession), Name: person.Name}, At: halley.MillisOf(time.Now())}
	err = a.People.RemoveSecret(ctx, storage.SecretLink, found.Key, "", c)
	switch {
	case halley.KindOf(err) == halley.NotFound && err != nil:
		return Caller{}, errLink()
	case err != nil:
		return Caller{}, awayFor("links", err)
	}
	at, err := a.putPassword(ctx, state, person, hash, c)
	if err == nil && person.State == halley.PersonInvited {
		person, err = a.People.ChangePerson(ctx, person.ID, storage.PersonUpdate{State: new(halley.PersonActive)}, c)
	}
	if err != nil {
		// The link is not to be lost to a store that went away in between.
		return Caller{}, errors.Join(awayFor("links", err), a.People.SetSecret(ctx, found.Secret, nil, "", c))
	}
	return a.afterPassword(ctx, h, proved{Person: person, at: at}, v)
}

// putPassword keeps a password's hash and says since when it counts: later than the one before, whatever the clock says.
func (a *Access) putPassword(
	ctx context.Context, state *directory.State, person halley.Person, hash string, c halley.Change,
) (halley.Millis, error) {
	secret := PasswordSecret(person.ID, hash, max(c.At, passwordSetAt(state, person.ID)+1))
	return secret.At, a.People.SetSecret(ctx, secret, nil, "person.password", c)
}

// PasswordSecret gives a hash as the store keeps it.
func PasswordSecret(id halley.PersonID, hash string, at halley.Millis) storage.Secret {
	return storage.Secret{Kind: storage.SecretPassword, Key: strconv.FormatInt(int64(id), 10), PersonID: id, Data: []byte(hash), At: at}
}

// afterPassword ends what began with another password and begins a session, or asks for the second factor.
func (a *Access) afterPassword(ctx context.Context, h http.Header, p proved, v Visitor) (Caller, error) {
	if _, err := a.Sessions.endWhere(ctx, p.ID, func(string) bool { return true }); err != nil {
		a.Log.WarnContext(ctx, "the sessions before a new password end by themselves: they could not be removed", "err", err)
	}
	if err := a.Directory.Refresh(ctx); err != nil {
		return Caller{}, awayFor("links", err)
	}
	if err := a.proveFactor(ctx, p, "", v); err != nil {
		return Caller{}, err
	}
	return a.begin(ctx, h, p, v)
}

// aboutPerson gives what a person's password must not be made of.
func aboutPerson(state *directory.State, person halley.Person) []string {
	detail := state.Detail(person.ID)
	local, _, _ := strings.Cut(detail.Email, "@")
	return []string{person.Name, detail.FullName, local}
}

func errLink() error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: "use a link", Code: "link-not-valid",
		Message: "this link is wrong, used or too old: ask an administrator for another",
	}
}

// awayFor says what cannot be done while the store is away; other errors stay.
func awayFor(what string, err error) error {
	if halley.KindOf(err) != halley.Unavailable {
		return err
	}
	return &halley.Error{
		Kind: halley.Unavailable, Op: "change an account",
		Message: "the database is away, and " + what + " wait for it: signing in goes on, try this again later", Err: err,
	}
}
