package secondfactor

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"sync/atomic"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"halley"
	"halley/storage"
)

const (
	// stepLength is how long a code counts; slack is by how many steps the clock of an authenticator may be wrong.
	stepLength = 30 * halley.Second
	slack      = 1
	// secretBytes is the length of an authenticator's secret, that of the hash, as RFC 4226 recommends.
	secretBytes = 20
	// wrongAtMost bounds the attempts to confirm one setup.
	wrongAtMost = 10
	// qrPixels is the length of a side of the picture.
	qrPixels = 240
)

// Setup is what a person enters into an authenticator.
type Setup struct {
	// Secret is in base32, for typing; URI holds the same, for authenticators; QR is a picture of the URI as a data URI of a PNG.
	Secret, URI, QR halley.Secret
}

// shared is what is stored of an authenticator.
type shared struct {
	Secret string `json:"secret"`
	// Step is the last time step whose code was taken.
	Step int64 `json:"step"`
}

// setup is an authenticator that is not in force yet.
type setup struct {
	secret string
	until  halley.Millis
	wrong  *atomic.Int32
}

func (s setup) end() halley.Millis { return s.until }

// BeginTOTP makes the secret of a new authenticator, which is in force once ConfirmTOTP has seen a code of it. What was begun lives
// in the memory of this server, for ten minutes. Conflict where the person has an authenticator.
func (f *Factors) BeginTOTP(ctx context.Context, person halley.PersonID, name string, now halley.Millis) (Setup, error) {
	if err := f.noTOTP(ctx, person, now); err != nil {
		return Setup{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: f.Issuer, AccountName: name, Period: uint(stepLength / halley.Second), SecretSize: secretBytes,
		Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return Setup{}, fmt.Errorf("making an authenticator's secret: %w", err)
	}
	picture, err := key.Image(qrPixels, qrPixels)
	if err != nil {
		return Setup{}, fmt.Errorf("drawing an authenticator's secret: %w", err)
	}
	var drawn bytes.Buffer
	if err = png.Encode(&drawn, picture); err != nil {
		return Setup{}, fmt.Errorf("drawing an authenticator's secret: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	sweep(f.setups, now)
	f.setups[person] = setup{secret: key.Secret(), until: now + begunFor, wrong: &atomic.Int32{}}
	return Setup{
		Secret: halley.Secret(key.Secret()), URI: halley.Secret(key.URL()),
		QR: halley.Secret("data:image/png;base64," + base64.StdEncoding.EncodeToString(drawn.Bytes())),
	}, nil
}

// noTOTP is a Conflict where the person has an authenticator.
func (f *Factors) noTOTP(ctx context.Context, person halley.PersonID, now halley.Millis) error {
	_, found, err := f.Store.Secret(ctx, storage.SecretTOTP, personKey(person), now)
	if err == nil && found {
		err = &halley.Error{
			Kind: halley.Conflict, Op: "set up an authenticator", Code: codeExists,
			Message: "there is an authenticator already: remove it first",
		}
	}
	return err
}

// ConfirmTOTP puts the authenticator that BeginTOTP began in force where code is one of its codes, and gives new recovery codes in
// place of all former ones. They cannot be shown again. Unauthenticated where the code is wrong; Conflict where nothing was begun.
func (f *Factors) ConfirmTOTP(ctx context.Context, person halley.PersonID, code string, c halley.Change) ([]halley.Secret, error) {
	begun, err := f.begunTOTP(person, c.At)
	if err != nil {
		return nil, err
	}
	step, ok := matching(begun.secret, code, c.At)
	if !ok {
		if begun.wrong.Add(1) >= wrongAtMost {
			f.forgetTOTP(person)
		}
		return nil, errNotValid("no code of the authenticator that is being set up")
	}
	if err = f.noTOTP(ctx, person, c.At); err != nil {
		return nil, err
	}
	codes, err := f.NewRecoveryCodes(ctx, person, c)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(shared{Secret: begun.secret, Step: step})
	if err != nil {
		return nil, fmt.Errorf("keeping an authenticator: %w", err)
	}
	s := storage.Secret{Kind: storage.SecretTOTP, Key: personKey(person), PersonID: person, Data: data, At: c.At}
	if err = f.Store.SetSecret(ctx, s, nil, auditFactor, c); err != nil {
		return nil, err
	}
	f.forgetTOTP(person)
	return codes, nil
}

// begunTOTP gives the authenticator that the person began to set up.
func (f *Factors) begunTOTP(person halley.PersonID, now halley.Millis) (setup, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.setups[person]
	if !ok || s.until <= now {
		return setup{}, &halley.Error{
			Kind: halley.Conflict, Op: "set up an authenticator", Code: codeSetUp,
			Message: "no authenticator is being set up, or it took longer than ten minutes: begin again",
		}
	}
	return s, nil
}

func (f *Factors) forgetTOTP(person halley.PersonID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.setups, person)
}

// RemoveTOTP removes the person's authenticator, and the recovery codes where no passkey is left. NotFound where there is none.
func (f *Factors) RemoveTOTP(ctx context.Context, person halley.PersonID, c halley.Change) error {
	if err := f.Store.RemoveSecret(ctx, storage.SecretTOTP, personKey(person), auditFactor, c); err != nil {
		return err
	}
	f.mu.Lock()
	delete(f.steps, person)
	f.mu.Unlock()
	return f.withoutLast(ctx, person, c)
}

// useCode takes a code of the person's authenticator. Codes of the same time step and of earlier ones are not taken again: the store
// decides between servers, and memory while the store is away.
func (f *Factors) useCode(ctx context.Context, person halley.PersonID, code string, now halley.Millis) error {
	for range tries {
		held, err := f.authenticator(ctx, person, now)
		if err != nil {
			return err
		}
		step, ok := matching(held.Secret, code, now)
		switch {
		case !ok:
			return errNotValid("no code of this time")
		case step <= held.Step:
			return errNotValid("a code of this time step or a later one was used")
		case held.away && step <= stepOf(f.StartedAt)+slack:
			return errNotValid("the code may have been used before the program began, and the store cannot be asked")
		}
		former, ok := f.claimStep(person, step)
		if !ok {
			return errNotValid("a code of this time step or a later one was used here")
		}
		if held.away {
			return nil
		}
		err = f.storeStep(ctx, person, held, step, now)
		switch halley.KindOf(err) {
		case halley.Conflict:
			// Another server took a code meanwhile, or the authenticator is another one: look again.
			f.releaseStep(person, step, former)
			continue
		case halley.Unavailable:
			// The store went away in between. Memory has it.
			return nil
		default:
			return err
		}
	}
	return errNotValid("other codes were used at the same time")
}

// heldTOTP is a stored authenticator.
type heldTOTP struct {
	shared
	data []byte
	away bool
}

// authenticator gives the person's authenticator: the store's, or that of the copy while the store is away.
func (f *Factors) authenticator(ctx context.Context, person halley.PersonID, now halley.Millis) (heldTOTP, error) {
	s, found, err := f.Store.Secret(ctx, storage.SecretTOTP, personKey(person), now)
	var held heldTOTP
	if halley.KindOf(err) == halley.Unavailable && err != nil {
		held.away, err = true, nil
		if known := f.Copy().Secrets(person, storage.SecretTOTP); len(known) > 0 {
			s, found = known[0], true
		}
	}
	switch {
	case err != nil:
		return held, err
	case !found || s.PersonID != person:
		return held, errNotValid("the person has no authenticator")
	}
	held.data = s.Data
	if err = json.Unmarshal(s.Data, &held.shared); err != nil {
		return held, fmt.Errorf("reading an authenticator of person %d: %w", person, err)
	}
	return held, nil
}

// storeStep notes the step in the store. Of several at one time exactly one succeeds; the others get Conflict.
func (f *Factors) storeStep(ctx context.Context, person halley.PersonID, held heldTOTP, step int64, now halley.Millis) error {
	data, err := json.Marshal(shared{Secret: held.Secret, Step: step})
	if err != nil {
		return fmt.Errorf("keeping an authenticator: %w", err)
	}
	s := storage.Secret{Kind: storage.SecretTOTP, Key: personKey(person), PersonID: person, Data: data, At: now}
	return f.Store.SetSecret(ctx, s, held.data, "", byProgram(now))
}

// claimStep takes a step for one caller of this server, and gives the one that was taken before; ok is false where it or a later one
// is taken.
func (f *Factors) claimStep(person halley.PersonID, step int64) (former int64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	former = f.steps[person]
	if step <= former {
		return former, false
	}
	f.steps[person] = step
	return former, true
}

// releaseStep gives a step back that was not used after all.
func (f *Factors) releaseStep(person halley.PersonID, step, former int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.steps[person] == step {
		f.steps[person] = former
	}
}

// matching gives the time step of which code is the code, of those that count at now.
func matching(secret, code string, now halley.Millis) (step int64, ok bool) {
	current := stepOf(now)
	// Every step is looked at, so that the answer takes the same time whichever it is. The earliest one wins: the later ones stay
	// good for the codes that come next.
	for at := current + slack; at >= current-slack; at-- {
		if at < 0 {
			continue
		}
		right, err := hotp.ValidateCustom(code, uint64(at), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && right {
			step, ok = at, true
		}
	}
	return step, ok
}

func stepOf(at halley.Millis) int64 { return int64(at / stepLength) }

// byProgram is the change that notes a use, which leaves no audit row of its own.
func byProgram(now halley.Millis) halley.Change {
	return halley.Change{Actor: halley.Actor{Kind: "program", Name: "sign-in"}, At: now}
}
