package secondfactor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"halley"
)

// usedAtMost bounds the challenges that are remembered of a passkey. Nobody signs in so often within ten minutes.
const usedAtMost = 20

// usedChallenge is a challenge that was answered.
type usedChallenge struct {
	// Hash tells it from all others.
	Hash  string        `json:"hash"`
	Until halley.Millis `json:"until"`
}

// begunProof is what is kept between BeginPasskey and FinishPasskey, by the caller.
type begunProof struct {
	Session webauthn.SessionData `json:"session"`
	At      halley.Millis        `json:"at"`
}

// BeginPasskey gives what the browser is to be asked, and what FinishPasskey needs of it, for ten minutes and one answer. Both are nil
// where the person has no passkey that works at this origin: another second factor must do there.
func (f *Factors) BeginPasskey(ctx context.Context, person halley.PersonID, origin string) (json.RawMessage, []byte, error) {
	if !f.Hosted(origin) {
		return nil, nil, nil
	}
	site, err := f.site(origin)
	if err != nil {
		return nil, nil, err
	}
	passkeys, _, err := f.usable(ctx, person, site.Config.RPID)
	if err != nil {
		return nil, nil, err
	}
	who := account{person: Person{ID: person}}
	for i := range passkeys {
		who.credentials = append(who.credentials, passkeys[i].Credential)
	}
	if len(who.credentials) == 0 {
		return nil, nil, nil
	}
	assertion, session, err := site.BeginLogin(who)
	if err != nil {
		return nil, nil, fmt.Errorf("asking for a passkey: %w", err)
	}
	options, err := json.Marshal(assertion)
	if err != nil {
		return nil, nil, fmt.Errorf("asking for a passkey: %w", err)
	}
	state, err := json.Marshal(begunProof{Session: *session, At: halley.MillisOf(time.Now())})
	if err != nil {
		return nil, nil, fmt.Errorf("asking for a passkey: %w", err)
	}
	return options, state, nil
}

// FinishPasskey checks what the browser answered. Unauthenticated where it proves nothing: wrong, late, answered before, or of a
// passkey that may have been copied.
func (f *Factors) FinishPasskey(ctx context.Context, person halley.PersonID, state []byte, answer json.RawMessage, origin string) error {
	site, err := f.site(origin)
	if err != nil {
		return err
	}
	now := halley.MillisOf(time.Now())
	var begun begunProof
	if err = json.Unmarshal(state, &begun); err != nil {
		return fmt.Errorf("reading what a proof began with: %w", err)
	}
	if now >= begun.At+begunFor || begun.At > now+halley.Minute {
		return errNoProof(fmt.Errorf("it was begun at %s", begun.At))
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return errNoProof(err)
	}
	for range tries {
		err = f.prove(ctx, person, proof{site: site, begun: begun, answer: parsed, now: now})
		if halley.KindOf(err) != halley.Conflict {
			return err
		}
		// Another proof of the same passkey overtook this one: look again.
	}
	return errNoProof(err)
}

// proof is an answer to a challenge.
type proof struct {
	site   *webauthn.WebAuthn
	begun  begunProof
	answer *protocol.ParsedCredentialAssertionData
	now    halley.Millis
}

// prove checks an answer against the passkeys as they are now, and notes its use. Conflict where they changed meanwhile.
func (f *Factors) prove(ctx context.Context, person halley.PersonID, p proof) error {
	passkeys, away, err := f.usable(ctx, person, p.site.Config.RPID)
	if err != nil {
		return err
	}
	if away && p.begun.At < f.StartedAt {
		return errNoProof(errors.New("it was begun before the program, and the store cannot be asked"))
	}
	who := account{person: Person{ID: person}}
	for i := range passkeys {
		who.credentials = append(who.credentials, passkeys[i].Credential)
	}
	proven, err := p.site.ValidateLogin(who, p.begun.Session, p.answer)
	if err != nil {
		return errNoProof(err)
	}
	i := slices.IndexFunc(passkeys, func(h held) bool { return bytes.Equal(h.Credential.ID, proven.ID) })
	if i < 0 {
		return errNoProof(errors.New("the passkey is not the person's"))
	}
	h := passkeys[i]
	former := h.Credential.Authenticator.SignCount
	h.Credential = *proven
	if proven.Authenticator.CloneWarning || f.wentBack(h, p.answer.Response.AuthenticatorData.Counter) {
		h.Credential.Authenticator.SignCount = former
		return f.refuseCopied(ctx, person, h, p.now, away)
	}
	return f.noteProof(ctx, person, h, p, away)
}

// wentBack says whether a signature's counter is not above the last one seen here. Authenticators without a counter always say 0.
func (f *Factors) wentBack(h held, counter uint32) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.counters[credentialKey(h.Credential.ID)]
	return last != 0 && counter <= last
}

// refuseCopied takes a passkey out of use whose counter went back: of two that have the same key nobody knows which is the person's.
func (f *Factors) refuseCopied(ctx context.Context, person halley.PersonID, h held, now halley.Millis, away bool) error {
	h.Copied = true
	if !away {
		c := byProgram(now)
		c.Why = "the counter of a passkey went back: somebody may have a copy of it, so it is taken no more"
		if err := f.keep(ctx, person, h, auditFactor, c); err != nil {
			return err
		}
	}
	return errNoProof(errors.New("the counter of the passkey went back"))
}

// noteProof notes that a challenge was answered, and the counter: in the store, which decides between servers, and in memory.
func (f *Factors) noteProof(ctx context.Context, person halley.PersonID, h held, p proof, away bool) error {
	sum := sha256.Sum256([]byte(p.begun.Session.Challenge))
	used := usedChallenge{Hash: base64.RawURLEncoding.EncodeToString(sum[:16]), Until: p.begun.At + begunFor}
	h.Used = slices.DeleteFunc(h.Used, func(u usedChallenge) bool { return u.Until <= p.now })
	if slices.ContainsFunc(h.Used, func(u usedChallenge) bool { return u.Hash == used.Hash }) || len(h.Used) >= usedAtMost {
		return errNoProof(errors.New("this challenge was answered, or too many were"))
	}
	if !f.proofs.Take(used.Hash, used.Until, p.now) {
		return errNoProof(errors.New("this challenge was answered here"))
	}
	if !away {
		h.Used = append(h.Used, used)
		err := f.keep(ctx, person, h, "", byProgram(p.now))
		if err != nil && halley.KindOf(err) != halley.Unavailable {
			f.proofs.GiveBack(used.Hash)
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := credentialKey(h.Credential.ID)
	f.counters[key] = max(f.counters[key], h.Credential.Authenticator.SignCount)
	return nil
}

// usable gives the passkeys of a person that work at a host.
func (f *Factors) usable(ctx context.Context, person halley.PersonID, host string) (list []held, away bool, err error) {
	all, away, err := f.secrets(ctx, person)
	if err != nil {
		return nil, away, err
	}
	if list, err = heldIn(all); err != nil {
		return nil, away, err
	}
	return slices.DeleteFunc(list, func(h held) bool { return h.Host != host || h.Copied }), away, nil
}

// errNoProof is the answer to every passkey that proves nothing. The cause is for the log.
func errNoProof(cause error) error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: "check a passkey", Code: codePasskey,
		Message: "the passkey was not taken: try again, or use another second factor", Err: cause,
	}
}
