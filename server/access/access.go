package access

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"halley"
	"halley/server/directory"
	"halley/server/passwords"
	"halley/storage"
)

const (
	// attemptsAtOnce and attemptEvery bound first sign-ins of all callers together: no secret of 128 bits can be guessed, so this
	// keeps attempts from becoming load, and needs to remember no address.
	attemptsAtOnce = 20
	attemptEvery   = time.Second
	// firstAccount is the name of the one who signs in first.
	firstAccount = "first administrator"
)

// Auditor writes what changes nothing in the store but must be known, such as a sign-in, also while the store is away.
type Auditor interface {
	NoteAudit(ctx context.Context, e halley.AuditEntry) error
}

// Directory is this server's own copy of the people and what they may do; *registry.Registry has it.
type Directory interface {
	Directory() *directory.State
	// Refresh takes over what has changed in the store.
	Refresh(ctx context.Context) error
}

// People is what Access changes of people in the store; storage.People has it.
type People interface {
	People(ctx context.Context) ([]halley.Person, error)
	AddPerson(ctx context.Context, p storage.NewPerson, c halley.Change) (halley.Person, error)
	ChangePerson(ctx context.Context, id halley.PersonID, u storage.PersonUpdate, c halley.Change) (halley.Person, error)
	NoteSignIn(ctx context.Context, id halley.PersonID, at halley.Millis) error
	AddGrant(ctx context.Context, g halley.Grant, c halley.Change) (halley.Grant, error)
	EndGrant(ctx context.Context, id int64, c halley.Change) error
	Secret(ctx context.Context, kind storage.SecretKind, key string, now halley.Millis) (s storage.Secret, found bool, err error)
	Secrets(ctx context.Context, person halley.PersonID) ([]storage.Secret, error)
	SetSecret(ctx context.Context, s storage.Secret, was []byte, what string, c halley.Change) error
	RemoveSecret(ctx context.Context, kind storage.SecretKind, key string, what string, c halley.Change) error
}

// Mailer sends e-mail to one person; Post on *mail.Sender fits it.
type Mailer interface {
	// Mail hands a plain text to the mail server.
	Mail(ctx context.Context, to, subject, text string) error
}

// Options are the parts of an Access. All must be given but Factors, Elsewhere and Mail.
type Options struct {
	Tokens    *Tokens
	Sessions  *Sessions
	First     *FirstSignIn
	Audit     Auditor
	Directory Directory
	People    People
	Passwords *passwords.Hasher
	// Rule says which passwords may be chosen.
	Rule passwords.Rule
	// Factors checks second factors; nil asks for none.
	Factors SecondFactors
	// Elsewhere checks passwords that are not kept here; nil where all are.
	Elsewhere PasswordSource
	// Mail sends links; nil where there is no mail server.
	Mail Mailer
	// NeedSecondFactor are the roles whose people must have one.
	NeedSecondFactor []halley.Role
	// SignOutAfter is after how many minutes without activity people are signed out who chose nothing else, SignOutAtMost the longest that
	// they may choose: 15, 30, 60 or 120. 0 is 60 and 120.
	SignOutAfter, SignOutAtMost int
	// ConfirmCritical says that critical changes ask for the password anew.
	ConfirmCritical bool
	// Address is where people open the viewer, such as "https://halley.example:8443"; links are made of it.
	Address string
	Log     *slog.Logger
}

// Access finds out who asks, and signs people in and out. Its methods may be called at the same time; Run is called once.
type Access struct {
	Options
	attempts *rate.Limiter
	guesses  *guesses
	// codes slows down guessing at second factors, for which the password must be known.
	codes    *codeLimits
	pending  *pendings
	refusals *refusals[pair]
	denied   *refusals[deniedKey]
	late     *lateSignIns
	resets   chan resetRequest
}

// New gives an Access of its parts.
func New(o Options) *Access {
	if o.SignOutAfter == 0 {
		o.SignOutAfter = defaultSignOut
	}
	if o.SignOutAtMost == 0 {
		o.SignOutAtMost = int(longestIdle / time.Minute)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Access{
		Options: o, attempts: rate.NewLimiter(rate.Every(attemptEvery), attemptsAtOnce),
		guesses: newGuesses(), codes: newCodeLimits(), pending: newPendings(), late: newLateSignIns(),
		refusals: newRefusals[pair](mostRefusals), denied: newRefusals[deniedKey](mostDenied),
		resets: make(chan resetRequest, resetsWaiting),
	}
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

// Authenticate gives who asks, with the rights of now. A token goes before a cookie. Unauthenticated where neither is valid;
// Unavailable where the store cannot be asked.
func (a *Access) Authenticate(ctx context.Context, p Presented) (Caller, error) {
	switch {
	case p.Bearer != "":
		token, err := a.Tokens.Find(ctx, p.Bearer, time.Now())
		if err != nil {
			a.noteRefusedToken(ctx, token, err)
			return Caller{}, err
		}
		return CallerOf(token, a.Directory.Directory()), nil
	case p.Cookie != "":
		return a.bySession(ctx, p)
	}
	return Caller{}, unauthenticated("credentials-missing", "sign in, or send a token as `Authorization: Bearer TOKEN`")
}

// bySession gives who holds a cookie. A session that must not go on is ended for good.
func (a *Access) bySession(ctx context.Context, p Presented) (Caller, error) {
	found, v, err := a.Sessions.find(ctx, p.Cookie)
	if err != nil {
		return Caller{}, err
	}
	state, err := a.standing(ctx, p, v)
	if err != nil {
		return Caller{}, err
	}
	c, err := a.caller(ctx, state, v)
	if err != nil {
		return Caller{}, err
	}
	if !p.Passive {
		if err := a.Sessions.seen(found, v); err != nil {
			return Caller{}, err
		}
	}
	return c, nil
}

// standing gives the directory by which a session goes on. It ends one that must not. A session that began on another server may know
// of more than this server's copy does, such as a password that was set there a moment ago, so that nothing is ended by an old copy.
func (a *Access) standing(ctx context.Context, p Presented, v held) (*directory.State, error) {
	now := halley.MillisOf(time.Now())
	if state := a.Directory.Directory(); a.goesOn(state, v, now) {
		return state, nil
	}
	if err := a.Directory.Refresh(ctx); err != nil {
		// Nobody can say now. It does not count, and is not ended either.
		return nil, errNoSession()
	}
	state := a.Directory.Directory()
	if a.goesOn(state, v, now) {
		return state, nil
	}
	if err := a.Sessions.end(ctx, http.Header{}, p.Cookie); err != nil {
		a.Log.WarnContext(ctx, "a session that is over could not be removed", "err", err)
	}
	return nil, errNoSession()
}

// goesOn says whether a session still counts: its person may sign in, was there recently enough, and has the password by which it
// began. The session of the first sign-in ends with the first account.
func (a *Access) goesOn(state *directory.State, v held, now halley.Millis) bool {
	if now-v.seen >= halley.Millis(a.idle(state, v.person))*halley.Minute {
		return false
	}
	if v.person == 0 {
		return len(state.People()) == 0
	}
	person, ok := state.Person(v.person)
	return ok && stillProved(state, person, v.proved)
}

// stillProved says that what a person proved holds: the account may be used, and its password is the one that was entered.
func stillProved(state *directory.State, person halley.Person, proved halley.Millis) bool {
	if person.State != halley.PersonActive {
		return false
	}
	return person.Source != halley.Local || passwordSetAt(state, person.ID) <= proved
}

// idle gives after how many minutes without activity a person is signed out.
func (a *Access) idle(state *directory.State, id halley.PersonID) int {
	minutes := a.SignOutAfter
	if chosen := state.Detail(id).SignOutMinutes; chosen > 0 {
		minutes = chosen
	}
	return min(minutes, a.SignOutAtMost)
}

// passwordSetAt says when a person's password was set; 0 where there is none.
func passwordSetAt(state *directory.State, id halley.PersonID) halley.Millis {
	if list := state.Secrets(id, storage.SecretPassword); len(list) > 0 {
		return list[0].At
	}
	return 0
}

// caller gives who holds a session that goes on.
func (a *Access) caller(ctx context.Context, state *directory.State, v held) (Caller, error) {
	c := Caller{Kind: BySession, Session: v.id, ExpiresAt: v.deadline, PersonID: v.person, ConfirmedUntil: v.confirmed}
	if v.person == 0 {
		c.Name, c.Role, c.Rights, c.Must = firstAccount, halley.Administrator, state.FullRights(), MustAccount
		return c, nil
	}
	person, _ := state.Person(v.person)
	c.Name, c.FullName, c.Shared, c.Rights = person.Name, state.Detail(v.person).FullName, person.Shared, state.RightsOf(v.person)
	if grants := state.Grants(v.person); len(grants) > 0 {
		c.Role = grants[0].Role
	}
	if person.Shared {
		c.Rights = c.Rights.ReadOnly()
	}
	missing, err := a.lacksFactor(ctx, state, v.person)
	if err != nil {
		return Caller{}, err
	}
	switch {
	case missing:
		c.Must, c.Rights = MustSecondFactor, state.RightsOf(0)
	case v.showAs != 0:
		c.ShowAs, c.Rights = v.showAs, c.Rights.Within(state.RightsOf(v.showAs)).ReadOnly()
	}
	return c, nil
}

// NeedsSecondFactor says whether a role of a person asks for a second factor. What another source vouches for by itself, without a
// password that passes through here, has its factors there.
func (a *Access) NeedsSecondFactor(id halley.PersonID) bool {
	return a.needsFactor(a.Directory.Directory(), id)
}

func (a *Access) needsFactor(state *directory.State, id halley.PersonID) bool {
	person, ok := state.Person(id)
	if !ok || a.Factors == nil || person.Source == halley.OIDC {
		return false
	}
	for _, g := range state.Grants(id) {
		if slices.Contains(a.NeedSecondFactor, g.Role) {
			return true
		}
	}
	return false
}

// lacksFactor says that a person must have a second factor and has none.
func (a *Access) lacksFactor(ctx context.Context, state *directory.State, id halley.PersonID) (bool, error) {
	if !a.needsFactor(state, id) {
		return false, nil
	}
	factors, err := a.Factors.Of(ctx, id)
	if err != nil {
		return false, fmt.Errorf("looking for second factors: %w", err)
	}
	return !factors.Any(), nil
}

// SignOut ends the session of this cookie and takes the cookie back on h.
func (a *Access) SignOut(ctx context.Context, h http.Header, cookie string) error {
	_, v, err := a.Sessions.find(ctx, cookie)
	if err != nil && halley.KindOf(err) != halley.Unauthenticated {
		return err
	}
	known := err == nil
	if err = a.Sessions.end(ctx, h, cookie); err != nil || !known {
		return err
	}
	c := Caller{Kind: BySession, Name: firstAccount, Session: v.id}
	if person, ok := a.Directory.Directory().Person(v.person); ok {
		c.Name = person.Name
	}
	return a.Audit.NoteAudit(ctx, halley.AuditEntry{
		Change: halley.Change{Actor: c.Actor(), At: halley.MillisOf(time.Now())}, What: "session.end", On: "session",
	})
}

// Failures sums up the sign-ins that failed of late, for the status.
func (a *Access) Failures() Failures { return a.guesses.sum(time.Now()) }
