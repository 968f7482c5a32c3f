package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"halley"
	"halley/storage"
)

// confirmedFor is how long a session may make critical changes after the password was entered anew.
const confirmedFor = 5 * halley.Minute

// NewPassword is a password and the one that it takes the place of.
type NewPassword struct{ Former, Next halley.Secret }

// ChangePassword sets the password of a caller who enters the one before, ends the person's other sessions and gives this one a new
// cookie. Forbidden with the code "password-wrong" where the former password is, and where there is none to change here; Invalid with
// "password-refused"; TooMany as for SignIn; Unavailable while the store is away.
func (a *Access) ChangePassword(ctx context.Context, h http.Header, c Caller, p NewPassword, v Visitor) error {
	state := a.Directory.Directory()
	person, ok := state.Person(c.PersonID)
	switch {
	case !ok || c.Kind != BySession:
		return errNoAccount()
	case person.Source != halley.Local:
		return forbidden("password-elsewhere", "your password is kept elsewhere: change it where you change that of your computer")
	case c.Shared:
		return errShared()
	}
	if err := a.enterAnew(ctx, c, p.Former, v); err != nil {
		return err
	}
	if err := a.Rule.Check(p.Next, aboutPerson(state, person)...); err != nil {
		return inField(err, "new_password")
	}
	hash, err := a.Passwords.Hash(ctx, v.site(), p.Next)
	if err != nil {
		return err
	}
	at, err := a.putPassword(ctx, state, person, hash, halley.Change{Actor: c.Actor(), At: halley.MillisOf(time.Now())})
	if err != nil {
		return awayFor("passwords", err)
	}
	if err := a.Sessions.renew(ctx, h, v.FormerCookie, func(v *held) { v.proved = at }); err != nil {
		return err
	}
	own := sessionOf(h)
	if _, err := a.Sessions.endWhere(ctx, person.ID, func(id string) bool { return id != own }); err != nil {
		a.Log.WarnContext(ctx, "the sessions before a new password end by themselves: they could not be removed", "err", err)
	}
	return a.refreshed(ctx)
}

// sessionOf names the session whose cookie was set on h.
func sessionOf(h http.Header) string {
	for _, c := range (&http.Response{Header: h}).Cookies() {
		if c.Name == CookieName && c.Value != "" {
			return sessionID(c.Value)
		}
	}
	return ""
}

// refreshed takes over what was just written. Where that fails, the copy follows within seconds anyway.
func (a *Access) refreshed(ctx context.Context) error {
	if err := a.Directory.Refresh(ctx); err != nil && halley.KindOf(err) != halley.Unavailable {
		return fmt.Errorf("taking over what was written: %w", err)
	}
	return nil
}

// enterAnew checks the password of a caller again, slowed down as for signing in.
func (a *Access) enterAnew(ctx context.Context, c Caller, password halley.Secret, v Visitor) error {
	who := newPair(c.Name, v)
	try, err := a.guesses.begin(who, time.Now())
	if err != nil {
		return err
	}
	defer try.undone()
	p, err := a.prove(ctx, c.Name, password, v)
	if err == nil && p.ID != c.PersonID {
		err = errSignIn()
	}
	if err == nil {
		try.succeeded()
		return nil
	}
	if halley.KindOf(err) == halley.Unauthenticated {
		try.failed(time.Now())
		a.noteRefusal(ctx, who)
		return forbidden("password-wrong", "this is not your password: try again")
	}
	return err
}

// notSignIn makes a refusal of a code one of somebody who is signed in: Unauthenticated would say that the session has ended.
func notSignIn(err error) error {
	if e, ok := errors.AsType[*halley.Error](err); ok && e.Kind == halley.Unauthenticated {
		return forbidden(e.Code, e.Message)
	}
	return err
}

// inField names the input that is wrong as the caller knows it.
func inField(err error, field string) error {
	if e, ok := errors.AsType[*halley.Error](err); ok {
		named := *e
		named.Field = field
		return &named
	}
	return err
}

// Confirm notes that the caller has entered the password anew, so that the session may make critical changes for five minutes. Who
// has no password here or in a directory service gives a code, or signs in again. A code that comes is checked in any case.
func (a *Access) Confirm(ctx context.Context, c Caller, password, code halley.Secret, v Visitor) error {
	person, ok := a.Directory.Directory().Person(c.PersonID)
	if !ok || c.Kind != BySession {
		return errNoAccount()
	}
	if person.Source != halley.OIDC {
		if err := a.enterAnew(ctx, c, password, v); err != nil {
			return err
		}
	} else if code == "" {
		return forbidden("sign-in-again", "sign out and in again: for five minutes after that you can make this change")
	}
	if code != "" {
		if a.Factors == nil {
			return notSignIn(errCode())
		}
		if err := a.checkCode(ctx, person.ID, code); err != nil {
			return notSignIn(err)
		}
	}
	until := halley.MillisOf(time.Now()) + confirmedFor
	return a.Sessions.change(ctx, v.FormerCookie, func(v *held) { v.confirmed = until })
}

// Renew gives the session of a cookie a new one, as is due when what somebody can do with it has grown, such as after a second factor
// was set up.
func (a *Access) Renew(ctx context.Context, h http.Header, cookie string) error {
	return a.Sessions.renew(ctx, h, cookie, func(*held) {})
}

// Self is what a person may change of their own account; nil fields stay.
type Self struct {
	FullName, Email *string
	SignOutMinutes  *int
}

// ChangeSelf changes the caller's own account. Invalid names the field; Forbidden for a shared account; Unavailable while the store is
// away.
func (a *Access) ChangeSelf(ctx context.Context, c Caller, s Self) error {
	switch {
	case c.PersonID == 0 || c.Kind != BySession:
		return errNoAccount()
	case c.Shared:
		return errShared()
	}
	u := storage.PersonUpdate{FullName: s.FullName, Email: s.Email, SignOutMinutes: s.SignOutMinutes}
	if s.FullName != nil {
		if err := FullName(*s.FullName); err != nil {
			return err
		}
	}
	if s.Email != nil {
		if err := Email(*s.Email); err != nil {
			return err
		}
	}
	if s.SignOutMinutes != nil && !slices.Contains(a.SignOutChoices(), *s.SignOutMinutes) {
		return &halley.Error{
			Kind: halley.Invalid, Op: "change an account", Code: "not-valid", Field: "sign_out_minutes",
			Message: "choose one of the numbers that `sign_out_choices` lists",
		}
	}
	if u == (storage.PersonUpdate{}) {
		return nil
	}
	_, err := a.People.ChangePerson(ctx, c.PersonID, u, halley.Change{Actor: c.Actor(), At: halley.MillisOf(time.Now())})
	if err != nil {
		return awayFor("accounts", err)
	}
	return a.refreshed(ctx)
}

// defaultSignOut is after how many minutes people are signed out where nobody says otherwise.
const defaultSignOut = 60

// SignOutChoices lists after how many minutes without activity people may be signed out.
func (a *Access) SignOutChoices() []int {
	list := []int{}
	for _, minutes := range []int{15, 30, 60, 120} {
		if minutes <= a.SignOutAtMost {
			list = append(list, minutes)
		}
	}
	return list
}

// SignOutMinutes says after how many minutes without activity a person is signed out.
func (a *Access) SignOutMinutes(id halley.PersonID) int { return a.idle(a.Directory.Directory(), id) }

func forbidden(code, message string) error {
	return &halley.Error{Kind: halley.Forbidden, Op: "change an account", Code: code, Message: message}
}

func errNoAccount() error {
	return forbidden("no-account", "this is for people who are signed in with an account of their own")
}

func errShared() error {
	return forbidden("account-shared", "this account is shared by several people and only reads: ask an administrator to change it")
}
