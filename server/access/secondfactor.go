package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"halley"
)

const (
	// pendingFor is how long a sign-in waits for its second factor, mostPending how many may wait. Each began with a right password.
	pendingFor  = 5 * time.Minute
	mostPending = 1000
	// pendingTries is how often a passkey may fail before the password is asked for again.
	pendingTries = 5
	// codesAtOnce and codeEvery bound wrong codes of one person from wherever they come, for there are only a million. Whoever meets
	// this knows the password; a passkey is still taken.
	codesAtOnce = 10
	codeEvery   = 90 * time.Second
)

// SecondFactorError says that name and password are right and a second factor is missing. It is Unauthenticated with the code
// "second-factor-needed".
type SecondFactorError struct {
	// Factors are what can be answered with: "totp", "passkey", "recovery".
	Factors []string
	// Pending names this sign-in to FinishSecondFactor.
	Pending string
	// Passkey is what to ask the browser for; nil where there is no passkey.
	Passkey json.RawMessage
}

// Error gives one line.
func (*SecondFactorError) Error() string { return "a second factor is needed" }

// Unwrap gives what it is as a *halley.Error.
func (*SecondFactorError) Unwrap() error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: opSignIn, Code: "second-factor-needed",
		Message: "give the code of your authenticator, or use your passkey",
	}
}

func isSecondFactorNeeded(err error) bool {
	_, ok := err.(*SecondFactorError) //nolint:errorlint // it is given as it is, never wrapped
	return ok
}

func errCode() error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: opSignIn, Code: "code-not-valid",
		Message: "this code is wrong, too old or used already: wait for the next one and try again",
	}
}

// proveFactor checks the code of somebody whose password is right, where a second factor is set up. Without one given it is a
// *SecondFactorError.
func (a *Access) proveFactor(ctx context.Context, p proved, code halley.Secret, v Visitor) error {
	if a.Factors == nil || p.vouched {
		return nil
	}
	factors, err := a.Factors.Of(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("looking for second factors: %w", err)
	}
	switch {
	case !factors.Any():
		return nil
	case code != "":
		return a.checkCode(ctx, p.ID, code)
	}
	return a.askFactor(ctx, p, factors, v)
}

// checkCode checks a code, unless too many were wrong.
func (a *Access) checkCode(ctx context.Context, id halley.PersonID, code halley.Secret) error {
	now := time.Now()
	if !a.codes.allow(id, now) {
		return &halley.Error{
			Kind: halley.TooMany, Op: opSignIn, Code: "too-many-attempts",
			Message: "there were too many wrong codes for this account: wait two minutes and try again",
			Err:     &WaitError{After: codeEvery},
		}
	}
	err := a.Factors.CheckCode(ctx, id, code.Reveal(), halley.MillisOf(now))
	switch {
	case err == nil:
		a.codes.forget(id)
	case halley.KindOf(err) == halley.Unauthenticated:
		return errCode()
	}
	return err
}

// askFactor keeps the sign-in until its second factor comes.
func (a *Access) askFactor(ctx context.Context, p proved, factors Factors, v Visitor) error {
	needed := &SecondFactorError{Factors: factors.words()}
	waiting := pendingSignIn{who: p, until: time.Now().Add(pendingFor), tries: pendingTries}
	if factors.Passkeys > 0 {
		options, state, err := a.Factors.BeginPasskey(ctx, p.ID, v.Origin)
		if err != nil {
			return fmt.Errorf("asking for a passkey: %w", err)
		}
		needed.Passkey, waiting.state = options, state
		if options == nil {
			// No passkey works where the browser sees this viewer, such as at an address by numbers.
			factors.Passkeys = 0
			needed.Factors = factors.words()
		}
	}
	needed.Pending = a.pending.add(waiting, time.Now())
	return needed
}

// FinishSecondFactor goes on with a sign-in that waits for a passkey, and begins the session. Unauthenticated with the code
// "code-not-valid" where the passkey proves nothing, and "sign-in-failed" where no sign-in waits under that name any more.
func (a *Access) FinishSecondFactor(
	ctx context.Context, h http.Header, pending string, credential json.RawMessage, v Visitor,
) (Caller, error) {
	waiting, ok := a.pending.take(pending, time.Now())
	if !ok || a.Factors == nil || waiting.state == nil {
		return Caller{}, errSignIn()
	}
	err := a.Factors.FinishPasskey(ctx, waiting.who.ID, waiting.state, credential, v.Origin)
	if halley.KindOf(err) == halley.Unauthenticated && err != nil {
		waiting.tries--
		a.pending.putBack(pending, waiting)
		a.noteRefusal(ctx, newPair(waiting.who.Name, v))
		return Caller{}, errCode()
	}
	if err != nil {
		a.pending.putBack(pending, waiting)
		return Caller{}, err
	}
	// What was proved minutes ago must still hold.
	state := a.Directory.Directory()
	person, known := state.Person(waiting.who.ID)
	if !known || !stillProved(state, person, waiting.who.at) {
		return Caller{}, errSignIn()
	}
	return a.begin(ctx, h, waiting.who, v)
}

// pendingSignIn is one whose password was right and whose second factor is missing.
type pendingSignIn struct {
	who   proved
	state []byte
	until time.Time
	tries int
}

// pendings are the sign-ins that wait. They are this server's own and end with it.
type pendings struct {
	mu      sync.Mutex
	waiting map[string]pendingSignIn
}

func newPendings() *pendings { return &pendings{waiting: make(map[string]pendingSignIn)} }

// add keeps a sign-in and gives its name, which nobody can guess.
func (p *pendings) add(s pendingSignIn, now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, other := range p.waiting {
		if !now.Before(other.until) {
			delete(p.waiting, name)
		}
	}
	for len(p.waiting) >= mostPending {
		oldest := ""
		for name, other := range p.waiting {
			if oldest == "" || other.until.Before(p.waiting[oldest].until) {
				oldest = name
			}
		}
		delete(p.waiting, oldest)
	}
	name := randomText()
	p.waiting[name] = s
	return name
}

// take gives a sign-in to one of those who ask for it at one time.
func (p *pendings) take(name string, now time.Time) (pendingSignIn, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.waiting[name]
	delete(p.waiting, name)
	return s, ok && now.Before(s.until) && s.tries > 0
}

// putBack lets a sign-in that failed be tried again.
func (p *pendings) putBack(name string, s pendingSignIn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[name] = s
}

// randomText gives 256 bits as a text that needs no escaping.
func randomText() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// codeLimits bound wrong codes for each person. Only people who exist, and whose password is known, have one.
type codeLimits struct {
	mu sync.Mutex
	of map[halley.PersonID]*rate.Limiter
}

func newCodeLimits() *codeLimits { return &codeLimits{of: make(map[halley.PersonID]*rate.Limiter)} }

func (c *codeLimits) allow(id halley.PersonID, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := c.of[id]
	if limit == nil {
		limit = rate.NewLimiter(rate.Every(codeEvery), codesAtOnce)
		c.of[id] = limit
	}
	return limit.AllowN(now, 1)
}

// forget begins anew after a right code.
func (c *codeLimits) forget(id halley.PersonID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, id)
}
