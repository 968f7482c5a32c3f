package access

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"halley"
)

const (
	// attemptsAtOnce and attemptEvery bound sign-ins of all callers together: no secret of 128 bits can be guessed, so this
	// keeps attempts from becoming load, and needs to remember no address.
	attemptsAtOnce = 20
	attemptEvery   = time.Second
	// firstAccount is the name of the one who signs in first.
	firstAccount = "first administrator"
)

// Auditor writes what changes nothing in the store but must be known, such as a sign-in; storage.Registry has it.
type Auditor interface {
	NoteAudit(ctx context.Context, e halley.AuditEntry) error
}

// Options are the parts of an Access.
type Options struct {
	Tokens   *Tokens
	Sessions *Sessions
	First    *FirstSignIn
	Audit    Auditor
}

// Access finds out who asks, and signs people in and out. Its methods may be called at the same time.
type Access struct {
	Options
	attempts *rate.Limiter
}

// New gives an Access of its parts.
func New(o Options) *Access {
	return &Access{Options: o, attempts: rate.NewLimiter(rate.Every(attemptEvery), attemptsAtOnce)}
}

// Presented is what a request brings to prove who asks.
type Presented struct {
	// Bearer is the token of the Authorization header; "" for none.
	Bearer string
	// Cookie is the value of the session cookie; "" for none.
	Cookie string
	// Passive says that the request does not show that a person is there, so that it does not keep a session from ending.
	Passive bool
}

// Authenticate gives who asks. A token goes before a cookie. Unauthenticated where neither is valid; Unavailable where the
// store cannot be asked.
func (a *Access) Authenticate(ctx context.Context, p Presented) (Caller, error) {
	switch {
	case p.Bearer != "":
		return a.Tokens.Find(ctx, p.Bearer, time.Now())
	case p.Cookie != "":
		return a.Sessions.Find(ctx, p.Cookie, !p.Passive)
	}
	return Caller{}, unauthenticated("credentials-missing", "sign in, or send a token as `Authorization: Bearer TOKEN`")
}

// SignIn uses up the secret of the first sign-in and begins a session, whose cookie it sets on h in place of the former one.
// The secret stays good where the session cannot be stored. Unauthenticated where it is wrong, used or expired; TooMany where
// attempts come too fast.
func (a *Access) SignIn(ctx context.Context, h http.Header, secret, formerCookie string) (Caller, error) {
	if !a.attempts.Allow() {
		return Caller{}, &halley.Error{
			Kind: halley.TooMany, Op: "sign in", Code: "too-many-attempts",
			Message: "there were too many attempts to sign in: wait a minute and try again",
		}
	}
	now := halley.MillisOf(time.Now())
	claimed, err := a.First.claim(secret, now)
	if err != nil {
		return Caller{}, err
	}
	caller, err := a.begin(ctx, h, formerCookie, now)
	if err != nil {
		h.Del("Set-Cookie")
		return Caller{}, errors.Join(err, a.First.restore(claimed))
	}
	// The claimed file can no longer be used; where it cannot be removed now, the next Issue does it.
	_ = a.First.discard(claimed)
	return caller, nil
}

// begin begins the session of the first administrator and notes it in the audit.
func (a *Access) begin(ctx context.Context, h http.Header, formerCookie string, now halley.Millis) (Caller, error) {
	account := Caller{Name: firstAccount, Role: halley.Administrator}
	caller, err := a.Sessions.Begin(ctx, h, formerCookie, account)
	if err != nil {
		return Caller{}, err
	}
	err = a.Audit.NoteAudit(ctx, halley.AuditEntry{
		Change: halley.Change{Actor: caller.Actor(), At: now}, What: "session.begin", On: "first sign-in",
	})
	return caller, err
}

// SignOut ends the session of this cookie and takes the cookie back on h.
func (a *Access) SignOut(ctx context.Context, h http.Header, cookie string) error {
	caller, err := a.Sessions.Find(ctx, cookie, false)
	if err != nil && halley.KindOf(err) != halley.Unauthenticated {
		return err
	}
	known := err == nil
	if err = a.Sessions.End(ctx, h, cookie); err != nil || !known {
		return err
	}
	return a.Audit.NoteAudit(ctx, halley.AuditEntry{
		Change: halley.Change{Actor: caller.Actor(), At: halley.MillisOf(time.Now())}, What: "session.end", On: "session",
	})
}
