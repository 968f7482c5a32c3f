package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// PasswordSource checks names and passwords elsewhere, such as in Active Directory.
type PasswordSource interface {
	// Check gives who the name and password belong to. Unauthenticated where they do not fit or the person may not use Halley;
	// Unavailable where nobody answers.
	Check(ctx context.Context, name string, password halley.Secret) (Outside, error)
}

// Outside is somebody for whom another source vouches.
type Outside struct {
	// Source is halley.LDAP or halley.OIDC.
	Source halley.SignInSource
	// Subject names the person for ever at that source, with the issuer where there may be several; at most 300 bytes.
	Subject string
	// Name is what the account is called when it is made here; a name in use gets the sign-in refused.
	Name string
	// FullName and Email replace those known here; "" leaves them.
	FullName, Email string
	// Grants become the person's grants, exactly; nil leaves them to people here.
	Grants []halley.Grant
}

// errElsewhereAway marks a refusal that says nothing about the person: the directory service did not answer.
var errElsewhereAway = errors.New("the directory service does not answer")

// proveElsewhere asks the directory service. What it cannot say is answered like a wrong password, so that nobody learns which names
// are known; the log says why.
func (a *Access) proveElsewhere(ctx context.Context, name string, password halley.Secret) (proved, error) {
	o, err := a.Elsewhere.Check(ctx, name, password)
	if err != nil {
		if halley.KindOf(err) == halley.Unauthenticated {
			return proved{}, errSignIn()
		}
		if ctx.Err() != nil {
			return proved{}, err
		}
		a.Log.WarnContext(ctx, "the directory service could not be asked about a sign-in", "err", err)
		return proved{}, errors.Join(errSignIn(), errElsewhereAway)
	}
	person, err := a.adopt(ctx, o)
	return proved{Person: person}, err
}

// SignInOutside begins a session for somebody for whom an issuer of OpenID Connect vouches: it makes or updates the account and its
// grants. No second factor is asked for, for that is the issuer's to do. Unauthenticated with the code "sign-in-failed" where the
// account is disabled or deleted or its name belongs to another one; Unavailable where something would have to be written and the
// store is away.
func (a *Access) SignInOutside(ctx context.Context, h http.Header, o Outside, v Visitor) (Caller, error) {
	person, err := a.adopt(ctx, o)
	if err != nil {
		return Caller{}, err
	}
	return a.begin(ctx, h, proved{Person: person, vouched: true}, v)
}

// identityKey gives the key under which somebody is known who is of another source.
func (o Outside) identityKey() string { return string(o.Source) + "|" + o.Subject }

// adopt gives the account of somebody from another source: makes it where it is new, and brings it into step.
func (a *Access) adopt(ctx context.Context, o Outside) (halley.Person, error) {
	if o.Source == halley.Local || o.Source == "" || o.Subject == "" {
		return halley.Person{}, fmt.Errorf("nobody can come from the source %q without a subject", o.Source)
	}
	state := a.Directory.Directory()
	if tie, ok := state.Secret(storage.SecretIdentity, o.identityKey()); ok {
		person, known := state.Person(tie.PersonID)
		if !known {
			return halley.Person{}, errSignIn()
		}
		return a.inStep(ctx, state, person, o)
	}
	if person, ok := state.PersonNamed(o.Name); ok {
		return a.tie(ctx, state, person, o)
	}
	return a.admit(ctx, o)
}

// tie ties an account that was made here for somebody of another source to who comes first under its name. A name of another source,
// or one that is tied already, is never taken over.
func (a *Access) tie(ctx context.Context, state *directory.State, person halley.Person, o Outside) (halley.Person, error) {
	if person.Source != o.Source || len(state.Secrets(person.ID, storage.SecretIdentity)) > 0 || person.State == halley.PersonDeleted {
		a.Log.WarnContext(ctx, "somebody from another source was refused, for the name is another account's", "source", string(o.Source), "person", int64(person.ID))
		return halley.Person{}, errSignIn()
	}
	c := a.byProgram()
	err := a.People.SetSecret(ctx, storage.Secret{
		Kind: storage.SecretIdentity, Key: o.identityKey(), PersonID: person.ID, Data: []byte("{}"), At: c.At,
	}, nil, "person.tie", c)
	if err != nil {
		return halley.Person{}, fmt.Errorf("tying an account to its source: %w", err)
	}
	if err := a.Directory.Refresh(ctx); err != nil {
		return halley.Person{}, err
	}
	return a.inStep(ctx, a.Directory.Directory(), person, o)
}

// admit makes the account of somebody who comes from another source for the first time.
func (a *Access) admit(ctx context.Context, o Outside) (halley.Person, error) {
	name, err := PersonName(o.Name)
	if err != nil {
		a.Log.WarnContext(ctx, "somebody from another source was refused, for their name there cannot be one here", "source", string(o.Source))
		return halley.Person{}, errSignIn()
	}
	c := a.byProgram()
	c.Why = "signed in by " + string(o.Source)
	home := halley.RootOrganization
	if len(o.Grants) > 0 {
		home = o.Grants[0].OrganizationID
	}
	person, err := a.People.AddPerson(ctx, storage.NewPerson{
		Person:       halley.Person{Name: name, State: halley.PersonActive, OrganizationID: home, Source: o.Source},
		PersonDetail: halley.PersonDetail{FullName: shortened(o.FullName, fullNameRunes), Email: shortened(o.Email, emailBytes)},
		Grants:       o.Grants,
		Secrets:      []storage.Secret{{Kind: storage.SecretIdentity, Key: o.identityKey(), Data: []byte("{}"), At: c.At}},
	}, c)
	if err != nil {
		return halley.Person{}, fmt.Errorf("making an account of another source: %w", err)
	}
	return person, a.Directory.Refresh(ctx)
}

// inStep brings an account into step with its source, as far as something has changed there.
func (a *Access) inStep(ctx context.Context, state *directory.State, person halley.Person, o Outside) (halley.Person, error) {
	if person.Source != o.Source || person.State == halley.PersonDisabled || person.State == halley.PersonDeleted {
		return halley.Person{}, errSignIn()
	}
	var u storage.PersonUpdate
	if person.State == halley.PersonInvited {
		u.State = new(halley.PersonActive)
	}
	known := state.Detail(person.ID)
	if full := shortened(o.FullName, fullNameRunes); full != "" && full != known.FullName {
		u.FullName = &full
	}
	if email := shortened(o.Email, emailBytes); email != "" && email != known.Email {
		u.Email = &email
	}
	changed := u != storage.PersonUpdate{}
	c := a.byProgram()
	c.Why = "signed in by " + string(o.Source)
	if changed {
		_, err := a.People.ChangePerson(ctx, person.ID, u, c)
		// A new full name can wait for the store; being active cannot.
		if err != nil && (u.State != nil || halley.KindOf(err) != halley.Unavailable) {
			return halley.Person{}, fmt.Errorf("bringing an account into step: %w", err)
		}
	}
	regranted, err := a.regrant(ctx, state, person.ID, o.Grants, c)
	if err != nil {
		return halley.Person{}, err
	}
	if !changed && !regranted {
		return person, nil
	}
	if err := a.Directory.Refresh(ctx); err != nil && halley.KindOf(err) != halley.Unavailable {
		return halley.Person{}, err
	}
	if now, ok := a.Directory.Directory().Person(person.ID); ok {
		person = now
	}
	return person, nil
}

// regrant makes the grants of a person those of another source. Nil leaves them.
func (a *Access) regrant(
	ctx context.Context, state *directory.State, id halley.PersonID, wanted []halley.Grant, c halley.Change,
) (changed bool, err error) {
	if wanted == nil {
		return false, nil
	}
	same := func(g, o halley.Grant) bool {
		return g.Role == o.Role && g.OrganizationID == o.OrganizationID && g.PlaceID == o.PlaceID
	}
	had := state.Grants(id)
	for _, g := range wanted {
		if slices.ContainsFunc(had, func(o halley.Grant) bool { return same(g, o) }) {
			continue
		}
		g.PersonID, changed = id, true
		if _, err := a.People.AddGrant(ctx, g, c); err != nil && halley.KindOf(err) != halley.Conflict {
			return changed, fmt.Errorf("granting what another source says: %w", err)
		}
	}
	for _, o := range had {
		if slices.ContainsFunc(wanted, func(g halley.Grant) bool { return same(g, o) }) {
			continue
		}
		changed = true
		// The last administrator stays, whatever the source says.
		if err := a.People.EndGrant(ctx, o.ID, c); err != nil && halley.KindOf(err) != halley.Conflict && halley.KindOf(err) != halley.NotFound {
			return changed, fmt.Errorf("ending what another source does not say: %w", err)
		}
	}
	return changed, nil
}
