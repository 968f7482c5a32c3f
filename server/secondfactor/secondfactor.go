// Package secondfactor keeps what people prove themselves by besides a password: codes of an authenticator app (TOTP, RFC 6238),
// recovery codes and passkeys (WebAuthn). It works on the store, and on the copy of it in memory while the store is away. It asks
// for no password, begins no session and decides nothing about who needs a second factor; that is package access.
//
// Nothing here logs, and no error holds a secret.
package secondfactor

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"

	"halley"
	"halley/server/access"
	"halley/server/once"
	"halley/storage"
)

// The codes of refusals.
const (
	// codeNotValid is that of every second factor that proves nothing.
	codeNotValid = "code-not-valid"
	// codeExists is for setting up what is set up already.
	codeExists = "factor-exists"
	// codeSetUp is for finishing what was not begun, or too long ago.
	codeSetUp = "setup-not-begun"
	// codeNotHere is for passkeys where they cannot work.
	codeNotHere = "passkey-not-here"
	// codePasskey is for an answer of an authenticator that cannot be taken.
	codePasskey = "passkey-not-valid"
)

const (
	// begunFor is how long somebody may take between beginning and finishing a setup or a proof.
	begunFor = 10 * halley.Minute
	// begunAtMost bounds what is remembered of setups that were begun.
	begunAtMost = 10_000
	// tries bounds how often a change is tried again that another one overtook.
	tries = 4
	// auditFactor is the audit word for what changes a person's second factors.
	auditFactor = "person.factor"
)

// Store is what Factors needs of the store; storage.People has it.
type Store interface {
	Secret(ctx context.Context, kind storage.SecretKind, key string, now halley.Millis) (s storage.Secret, found bool, err error)
	Secrets(ctx context.Context, person halley.PersonID) ([]storage.Secret, error)
	SetSecret(ctx context.Context, s storage.Secret, was []byte, what string, c halley.Change) error
	RemoveSecret(ctx context.Context, kind storage.SecretKind, key string, what string, c halley.Change) error
}

// Copy is what is known of secrets while the store is away; directory.State has it.
type Copy interface {
	Secrets(person halley.PersonID, kind storage.SecretKind) []storage.Secret
}

// Options are the parts of Factors.
type Options struct {
	Store Store
	// Copy gives the newest copy of the store's secrets. It is asked only while the store is away.
	Copy func() Copy
	// Issuer names this installation in people's authenticators, such as "Halley".
	Issuer string
	// Hosts are the names by which the viewer is reached, without port. Passkeys work at these and at "localhost".
	Hosts []string
	// StartedAt is when the program began: a code that may have been used before is not taken while the store is away.
	StartedAt halley.Millis
}

// Factors keeps second factors. Its methods may be called at the same time.
type Factors struct {
	Options
	mu sync.Mutex
	// steps is the last time step whose code was taken, of those who used one here.
	steps map[halley.PersonID]int64
	// counters is the last signature counter seen here of a passkey, by its key.
	counters map[string]uint32
	// proofs are the challenges that were answered here.
	proofs *once.Uses
	// setups are the authenticators and ceremonies the passkeys that are being set up.
	setups     map[halley.PersonID]setup
	ceremonies map[halley.PersonID]ceremony
}

// New gives Factors of their parts.
func New(o Options) *Factors {
	hosts := make([]string, 0, len(o.Hosts))
	for _, h := range o.Hosts {
		hosts = append(hosts, strings.ToLower(strings.TrimSuffix(h, ".")))
	}
	o.Hosts = hosts
	return &Factors{
		Options: o,
		steps:   make(map[halley.PersonID]int64), counters: make(map[string]uint32), proofs: once.New(begunAtMost),
		setups: make(map[halley.PersonID]setup), ceremonies: make(map[halley.PersonID]ceremony),
	}
}

// Of says which second factors a person has in force. Recovery codes count only besides another one.
func (f *Factors) Of(ctx context.Context, person halley.PersonID) (access.Factors, error) {
	all, _, err := f.secrets(ctx, person)
	if err != nil {
		return access.Factors{}, err
	}
	var have access.Factors
	for _, s := range all {
		switch s.Kind {
		case storage.SecretTOTP:
			have.TOTP = true
		case storage.SecretPasskey:
			have.Passkeys++
		case storage.SecretRecovery:
			have.RecoveryCodes++
		default:
		}
	}
	return have, nil
}

// CheckCode takes a code of the person's authenticator or a recovery code, each once. Unauthenticated where it is neither;
// Unavailable where it looks like a recovery code and the store is away.
func (f *Factors) CheckCode(ctx context.Context, person halley.PersonID, code string, now halley.Millis) error {
	plain := strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code))
	if len(plain) == recoveryLength {
		return f.useRecovery(ctx, person, strings.ToUpper(plain), now)
	}
	return f.useCode(ctx, person, plain, now)
}

// secrets gives the second factors of a person, and whether they are those of the copy because the store is away.
func (f *Factors) secrets(ctx context.Context, person halley.PersonID) (all []storage.Secret, away bool, err error) {
	all, err = f.Store.Secrets(ctx, person)
	if err == nil {
		return all, false, nil
	}
	if halley.KindOf(err) != halley.Unavailable {
		return nil, false, err
	}
	known := f.Copy()
	for _, kind := range []storage.SecretKind{storage.SecretTOTP, storage.SecretPasskey, storage.SecretRecovery} {
		all = append(all, known.Secrets(person, kind)...)
	}
	return all, true, nil
}

// has says whether a person has a second factor besides recovery codes.
func has(all []storage.Secret) bool {
	for _, s := range all {
		if s.Kind == storage.SecretTOTP || s.Kind == storage.SecretPasskey {
			return true
		}
	}
	return false
}

// withoutLast removes the recovery codes of a person who has no other second factor any more.
func (f *Factors) withoutLast(ctx context.Context, person halley.PersonID, c halley.Change) error {
	all, err := f.Store.Secrets(ctx, person)
	if err != nil || has(all) {
		return err
	}
	return f.removeRecovery(ctx, all, c)
}

// personKey is the key of a secret of which a person has one.
func personKey(person halley.PersonID) string { return strconv.FormatInt(int64(person), 10) }

// errNotValid is the answer to every proof that proves nothing. The cause is for the log.
func errNotValid(cause string) error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: "check a second factor", Code: codeNotValid,
		Message: "this second factor is not right, or was used already: try again, with a new code", Err: errors.New(cause),
	}
}

// sweep forgets what ended before now, and the oldest where there is still too much. The caller holds the lock.
func sweep[K comparable, V interface{ end() halley.Millis }](m map[K]V, now halley.Millis) {
	for k, v := range m {
		if v.end() <= now {
			delete(m, k)
		}
	}
	for len(m) >= begunAtMost {
		var first K
		least := halley.Millis(0)
		for k, v := range m {
			if least == 0 || v.end() < least {
				first, least = k, v.end()
			}
		}
		delete(m, first)
	}
}

var _ access.SecondFactors = (*Factors)(nil)
