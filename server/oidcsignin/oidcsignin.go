// Package oidcsignin has people sign in with an issuer of OpenID Connect: by the authorization code, with PKCE, state and nonce. It
// connects to the hosts that the configuration names, and to no other; it begins no session and stores nothing.
package oidcsignin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"halley"
	"halley/config"
	"halley/server/access"
	"halley/server/grouproles"
)

const (
	opBegin  = "begin a sign-in elsewhere"
	opFinish = "finish a sign-in elsewhere"
	// issuerID names the one issuer in addresses.
	issuerID = "main"
	// clockSlack is by how much the issuer's clock may be ahead.
	clockSlack = 5 * time.Minute
	// codeBytes bounds what an issuer sends along in an address.
	codeBytes = 8192
)

// CookieName is the name of the cookie that a browser keeps while its person is at the issuer.
const CookieName = "__Host-halley-oidc"

// TicketAge is how long that cookie is good for.
const TicketAge = time.Duration(ticketFor) * time.Millisecond

// The codes with which a sign-in ends that fails.
const (
	// CodeFailed is for an answer of the issuer that proves nothing.
	CodeFailed = "oidc-failed"
	// CodeAway is for an issuer that does not answer, or not as it should.
	CodeAway = "oidc-away"
	// CodeCancelled is for a person who did not sign in at the issuer.
	CodeCancelled = "oidc-cancelled"
	// CodeExpired is for a sign-in that this server does not know, or not any more.
	CodeExpired = "oidc-expired"
	// CodeNoRole is for a person whom the issuer knows and who is in none of the groups.
	CodeNoRole = "no-role"
)

// Options are the parts of a SignIn.
type Options struct {
	Config config.OIDC
	// Tree gives the organizations as they are now.
	Tree func() grouproles.Tree
	Log  *slog.Logger
}

// SignIn has people sign in with one issuer. Its methods may be called at the same time.
type SignIn struct {
	Options
	provider *provider
	tickets  *tickets
	roles    grouproles.Roles
}

// Issuer is an issuer as people choose it.
type Issuer struct {
	// ID stands in addresses; Name on the button.
	ID, Name string
}

// New gives a SignIn as [oidc] says. It asks the issuer nothing yet and reads no file.
func New(o Options) (*SignIn, error) {
	sealed, err := newTickets()
	if err != nil {
		return nil, err
	}
	return &SignIn{
		Options: o, provider: &provider{config: o.Config}, tickets: sealed,
		roles: grouproles.Roles{Section: "[oidc] groups", Mappings: o.Config.Mappings(), Tree: o.Tree, Log: o.Log},
	}, nil
}

// Close ends the connections to the issuer that nobody uses.
func (s *SignIn) Close() { s.provider.close() }

// Issuers lists the issuers that people can choose.
func (s *SignIn) Issuers() []Issuer { return []Issuer{{ID: issuerID, Name: s.Config.Button}} }

// Begun is a sign-in that was begun.
type Begun struct {
	// URL is where the browser goes; Cookie is the value of the cookie that it brings back.
	URL    string
	Cookie halley.Secret
}

// Begin sends somebody to an issuer. Origin is where the browser sees the viewer, such as "https://halley.example:8443", and to the
// path where the person goes afterwards; another host is never gone to. NotFound where there is no such issuer; Unavailable where it
// does not answer.
func (s *SignIn) Begin(ctx context.Context, issuer, origin, to string) (Begun, error) {
	if issuer != issuerID {
		return Begun{}, &halley.Error{Kind: halley.NotFound, Op: opBegin, Message: "there is no such issuer"}
	}
	known, err := s.provider.get(ctx)
	if err != nil {
		return Begun{}, s.away(opBegin, err)
	}
	k := ticket{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		Redirect: origin + "/api/v1/session/oidc/" + issuerID + "/callback",
		To:       LocalPath(to), Until: halley.MillisOf(time.Now()) + ticketFor,
	}
	cookie, err := s.tickets.close(k, issuer)
	if err != nil {
		return Begun{}, err
	}
	client, err := s.provider.oauth(known, k.Redirect)
	if err != nil {
		return Begun{}, s.away(opBegin, err)
	}
	return Begun{
		URL:    client.AuthCodeURL(k.State, oidc.Nonce(k.Nonce), oauth2.S256ChallengeOption(k.Verifier)),
		Cookie: halley.Secret(cookie),
	}, nil
}

// Returned is what a browser brings back from an issuer.
type Returned struct {
	Issuer string
	// Cookie is the value of the cookie that it was sent away with; "" for none.
	Cookie halley.Secret
	// Query is that of the address to which the issuer sent it.
	Query url.Values
}

// Finish gives who came back, and the path where they go. Every failure carries one of the codes above.
func (s *SignIn) Finish(ctx context.Context, r Returned) (o access.Outside, to string, err error) {
	if r.Issuer != issuerID {
		return o, "", &halley.Error{Kind: halley.NotFound, Op: opFinish, Message: "there is no such issuer"}
	}
	k, err := s.ticketOf(r)
	if err != nil {
		return o, "", err
	}
	known, err := s.provider.get(ctx)
	if err != nil {
		return o, "", s.away(opFinish, err)
	}
	code, err := s.codeOf(r.Query, known)
	if err != nil {
		return o, "", err
	}
	client, err := s.provider.oauth(known, k.Redirect)
	if err != nil {
		return o, "", s.away(opFinish, err)
	}
	token, err := client.Exchange(oidc.ClientContext(ctx, known.client), code, oauth2.VerifierOption(k.Verifier))
	if err != nil {
		return o, "", s.exchangeError(err)
	}
	id, said, err := s.verify(ctx, known, token, k.Nonce)
	if err != nil {
		return o, "", err
	}
	if err = s.complete(ctx, known, token, id.Subject, said); err != nil {
		if halley.KindOf(err) == halley.Unauthenticated {
			return o, "", err
		}
		return o, "", s.away(opFinish, err)
	}
	o, err = s.outside(ctx, id.Subject, said)
	return o, k.To, err
}

// ticketOf takes the ticket of a browser that comes back, where it is the one with which it left.
func (s *SignIn) ticketOf(r Returned) (ticket, error) {
	now := halley.MillisOf(time.Now())
	k, err := s.tickets.open(r.Cookie.Reveal(), r.Issuer, now)
	if err != nil {
		return k, expired(err)
	}
	state := r.Query["state"]
	if len(state) != 1 || subtle.ConstantTimeCompare([]byte(state[0]), []byte(k.State)) != 1 {
		return k, expired(errors.New("the state is another one"))
	}
	if !s.tickets.use(k, now) {
		return k, expired(errors.New("the ticket was used"))
	}
	return k, nil
}

// codeOf gives the code with which the issuer sent somebody back.
func (s *SignIn) codeOf(q url.Values, known *discovered) (string, error) {
	for name := range q {
		if len(q[name]) != 1 || len(q.Get(name)) > codeBytes {
			return "", failed(fmt.Errorf("the issuer sent %q more than once, or too much of it", name))
		}
	}
	if by := q.Get("iss"); by != s.Config.Issuer && (by != "" || known.namesItself) {
		return "", failed(errors.New("the answer is that of another issuer"))
	}
	switch q.Get("error") {
	case "":
	case "access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required":
		return "", &halley.Error{
			Kind: halley.Unauthenticated, Op: opFinish, Code: CodeCancelled, Message: "you did not sign in there: try again",
		}
	default:
		return "", failed(fmt.Errorf("the issuer says %.100q", q.Get("error")))
	}
	if q.Get("code") == "" {
		return "", failed(errors.New("the issuer sent no code"))
	}
	return q.Get("code"), nil
}

// verify checks what the issuer says of the person: signed by it, for this server, now, and for this sign-in.
func (s *SignIn) verify(ctx context.Context, known *discovered, token *oauth2.Token, nonce string) (*oidc.IDToken, claims, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return nil, nil, failed(errors.New("the issuer sent no id_token"))
	}
	id, err := known.Verifier(&oidc.Config{ClientID: s.Config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, nil, failed(err)
	}
	said := claims{}
	if err = id.Claims(&said); err != nil {
		return nil, nil, failed(err)
	}
	party := said.text("azp")
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		err = errors.New("the token is that of another sign-in")
	case party != "" && party != s.Config.ClientID, party == "" && len(id.Audience) > 1:
		err = errors.New("the token was made for another client")
	case id.IssuedAt.After(time.Now().Add(clockSlack)):
		err = errors.New("the token is of the future: compare the clocks")
	case id.AccessTokenHash != "":
		err = id.VerifyAccessToken(token.AccessToken)
	}
	if err != nil {
		return nil, nil, failed(err)
	}
	return id, said, nil
}

// exchangeError says what an issuer means that gave no token.
func (s *SignIn) exchangeError(err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return s.away(opFinish, err)
	}
	// The answer may hold what must not be shown; its code and status say what went wrong.
	cause := fmt.Errorf("the issuer gave no token: %.100q, status %d", answer.ErrorCode, answer.Response.StatusCode)
	if slices.Contains([]string{"invalid_grant", "invalid_request"}, answer.ErrorCode) {
		return failed(cause)
	}
	return s.away(opFinish, cause)
}

// away says that the issuer did not answer, or not as it should.
func (*SignIn) away(op string, err error) error {
	message := "the sign-in service does not answer: try again later, or sign in with an account of Halley"
	if errors.Is(err, errNotNamed) {
		message = "the sign-in service is at a host that [oidc] hosts does not name: tell your administrator"
	}
	return &halley.Error{Kind: halley.Unavailable, Op: op, Code: CodeAway, Message: message, Err: err}
}

// failed says that what came from the issuer proves nothing. The cause is for the log.
func failed(cause error) error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: opFinish, Code: CodeFailed,
		Message: "the sign-in service did not confirm who you are: try again, or tell your administrator", Err: cause,
	}
}

// expired says that this server does not know of the sign-in, or not any more.
func expired(cause error) error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: opFinish, Code: CodeExpired,
		Message: "this sign-in took too long, or began elsewhere: try again", Err: cause,
	}
}

func invalid(field, message string, err error) error {
	return &halley.Error{Kind: halley.Invalid, Op: "set up sign-in elsewhere", Field: field, Message: message, Err: err}
}
