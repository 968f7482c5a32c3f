package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

const (
	// opSignIn is what is being done.
	opSignIn = "sign in"
	// evenStep hides how long a directory service took to say no: where one is asked, refusals are given on whole steps since the
	// attempt began.
	evenStep = time.Second
)

// Credentials are what a person types.
type Credentials struct {
	Name     string
	Password halley.Secret
	// Code is of the authenticator, or a recovery code; "" for none.
	Code halley.Secret
}

// SignIn begins a session for a name and password, whose cookie it sets on h in place of the former one. Whatever is wrong the error is
// Unauthenticated with the code "sign-in-failed", after the same work. Where name and password are right and there is a second factor
// it is a *SecondFactorError, or has the code "code-not-valid". TooMany where the pair of name and address has to wait.
func (a *Access) SignIn(ctx context.Context, h http.Header, c Credentials, v Visitor) (Caller, error) {
	begun := time.Now()
	who := newPair(c.Name, v)
	try, err := a.guesses.begin(who, begun)
	if err != nil {
		a.noteRefusal(ctx, who)
		return Caller{}, err
	}
	defer try.undone()
	p, err := a.prove(ctx, c.Name, c.Password, v)
	if err == nil {
		err = a.proveFactor(ctx, p, c.Code, v)
	}
	if err != nil {
		if halley.KindOf(err) == halley.Unauthenticated && !isSecondFactorNeeded(err) && !errors.Is(err, errElsewhereAway) {
			try.failed(time.Now())
			a.noteRefusal(ctx, who)
		}
		a.evenOut(ctx, begun, err)
		return Caller{}, err
	}
	caller, err := a.begin(ctx, h, p, v)
	if err == nil {
		try.succeeded()
	}
	return caller, err
}

// proved is a person who has proved who they are.
type proved struct {
	halley.Person
	// at is when the password was set that proved it; 0 where it is not kept here.
	at halley.Millis
	// vouched says that another source vouches for the person, so that no second factor is asked for here.
	vouched bool
}

// prove finds out whose name and password these are. It is one hash whatever the outcome.
func (a *Access) prove(ctx context.Context, name string, password halley.Secret, v Visitor) (proved, error) {
	state := a.Directory.Directory()
	person, known := state.PersonNamed(name)
	secret, local := localPassword(state, person, known)
	ok, weaker, err := a.Passwords.Verify(ctx, v.site(), string(secret.Data), password)
	switch {
	case err != nil:
		return proved{}, err
	case local && ok:
		if weaker {
			a.hashAnew(ctx, v.site(), secret, password)
		}
		return proved{Person: person, at: secret.At}, nil
	case local, a.Elsewhere == nil, known && person.Source != halley.LDAP:
		return proved{}, errSignIn()
	}
	return a.proveElsewhere(ctx, name, password)
}

// localPassword gives the hash of somebody who may sign in with a password that is kept here.
func localPassword(state *directory.State, person halley.Person, known bool) (storage.Secret, bool) {
	if !known || person.Source != halley.Local || person.State != halley.PersonActive {
		return storage.Secret{}, false
	}
	list := state.Secrets(person.ID, storage.SecretPassword)
	if len(list) == 0 {
		return storage.Secret{}, false
	}
	return list[0], true
}

// hashAnew replaces a hash that is less work than those of today. Where that fails the next sign-in tries again.
func (a *Access) hashAnew(ctx context.Context, from string, secret storage.Secret, password halley.Secret) {
	hash, err := a.Passwords.Hash(ctx, from, password)
	if err == nil {
		was := secret.Data
		secret.Data = []byte(hash)
		err = a.People.SetSecret(ctx, secret, was, "", a.byProgram())
	}
	if err != nil && halley.KindOf(err) != halley.Unavailable && halley.KindOf(err) != halley.Conflict {
		a.Log.WarnContext(ctx, "a password could not be hashed anew; the next sign-in tries again", "err", err)
	}
}

// byProgram says that the program itself changes something.
func (a *Access) byProgram() halley.Change {
	return halley.Change{Actor: halley.Actor{Kind: "program", Name: "halley"}, At: halley.MillisOf(time.Now())}
}

// evenOut waits until a whole step has passed since an attempt began that is refused, where a directory service may have been asked.
func (a *Access) evenOut(ctx context.Context, begun time.Time, err error) {
	if a.Elsewhere == nil || halley.KindOf(err) != halley.Unauthenticated {
		return
	}
	timer := time.NewTimer(evenStep - time.Since(begun)%evenStep)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// begin begins the session of somebody who has proved everything, and notes it.
func (a *Access) begin(ctx context.Context, h http.Header, p proved, v Visitor) (Caller, error) {
	seed := held{person: p.ID, proved: p.at, address: v.Address, agent: v.agent()}
	if p.vouched {
		// There is no password to enter anew: that they come from there just now is the confirmation.
		seed.confirmed = halley.MillisOf(time.Now()) + confirmedFor
	}
	begun, err := a.Sessions.begin(ctx, h, v.FormerCookie, seed)
	if err != nil {
		h.Del("Set-Cookie")
		return Caller{}, err
	}
	c := Caller{Kind: BySession, Name: p.Name, Session: begun.id}
	err = a.Audit.NoteAudit(ctx, halley.AuditEntry{
		Change: halley.Change{Actor: c.Actor(), At: begun.begun}, What: "session.begin", On: personWord(p.ID),
	})
	if err != nil {
		// Nobody is signed in without a trace.
		h.Del("Set-Cookie")
		_, endErr := a.Sessions.endWhere(ctx, p.ID, func(id string) bool { return id == begun.id })
		return Caller{}, errors.Join(err, endErr)
	}
	a.noteSignIn(ctx, p.ID, begun.begun)
	return a.caller(ctx, a.Directory.Directory(), begun)
}

// personWord names a person in the audit trail.
func personWord(id halley.PersonID) string { return "person " + strconv.FormatInt(int64(id), 10) }

func errSignIn() error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: opSignIn, Code: "sign-in-failed",
		Message: "name and password do not fit, or the account cannot be used: try again, or ask an administrator",
	}
}

// SignInFirst uses up the secret of the first sign-in and begins a session with all rights, in which an account is to be made. The
// secret stays good where the session cannot be stored. Unauthenticated where it is wrong, used or expired, and once there is an
// account; TooMany where attempts come too fast.
func (a *Access) SignInFirst(ctx context.Context, h http.Header, secret string, v Visitor) (Caller, error) {
	if err := a.mayComeFirst(); err != nil {
		return Caller{}, err
	}
	now := halley.MillisOf(time.Now())
	claimed, err := a.First.claim(secret, now)
	if err != nil {
		return Caller{}, err
	}
	caller, err := a.beginFirst(ctx, h, v)
	if err != nil {
		h.Del("Set-Cookie")
		return Caller{}, errors.Join(err, a.First.restore(claimed))
	}
	// The claimed file can no longer be used; where it cannot be removed now, the next Issue does it.
	_ = a.First.discard(claimed)
	return caller, nil
}

// mayComeFirst says whether a first sign-in can still be.
func (a *Access) mayComeFirst() error {
	if !a.attempts.Allow() {
		return &halley.Error{
			Kind: halley.TooMany, Op: opSignIn, Code: "too-many-attempts",
			Message: "there were too many attempts to sign in: wait a minute and try again",
		}
	}
	if len(a.Directory.Directory().People()) > 0 {
		return errSecretNotValid()
	}
	return nil
}

// beginFirst begins the session of the first sign-in and notes it.
func (a *Access) beginFirst(ctx context.Context, h http.Header, v Visitor) (Caller, error) {
	begun, err := a.Sessions.begin(ctx, h, v.FormerCookie, held{address: v.Address, agent: v.agent()})
	if err != nil {
		return Caller{}, err
	}
	caller, err := a.caller(ctx, a.Directory.Directory(), begun)
	if err != nil {
		return Caller{}, err
	}
	err = a.Audit.NoteAudit(ctx, halley.AuditEntry{
		Change: halley.Change{Actor: caller.Actor(), At: begun.begun}, What: "session.begin", On: "first sign-in",
	})
	if err != nil {
		return Caller{}, fmt.Errorf("noting the first sign-in: %w", err)
	}
	return caller, nil
}
