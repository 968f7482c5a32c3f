package secondfactor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"halley"
	"halley/storage"
)

const (
	// recoveryCodes is how many codes a person gets at a time.
	recoveryCodes = 10
	// recoveryLength is the number of letters of a code, of 5 bits each: 80 bits cannot be guessed, nor found from the hash.
	recoveryLength = 16
	// recoveryGroup is after how many letters a hyphen stands.
	recoveryGroup = 4
)

// NewRecoveryCodes makes ten new codes in place of all former ones. Each works once in place of another second factor, and they
// cannot be shown again.
func (f *Factors) NewRecoveryCodes(ctx context.Context, person halley.PersonID, c halley.Change) ([]halley.Secret, error) {
	all, err := f.Store.Secrets(ctx, person)
	if err != nil {
		return nil, err
	}
	if err = f.removeRecovery(ctx, all, c); err != nil {
		return nil, err
	}
	codes := make([]halley.Secret, 0, recoveryCodes)
	for i := range recoveryCodes {
		letters := rand.Text()[:recoveryLength]
		s := storage.Secret{
			Kind: storage.SecretRecovery, Key: recoveryHash(person, letters), PersonID: person, Data: []byte("{}"), At: c.At,
		}
		// One audit row stands for all ten.
		what := ""
		if i == 0 {
			what = auditFactor
		}
		if err = f.Store.SetSecret(ctx, s, nil, what, c); err != nil {
			return nil, err
		}
		codes = append(codes, halley.Secret(shown(letters)))
	}
	return codes, nil
}

// removeRecovery removes the recovery codes among all.
func (f *Factors) removeRecovery(ctx context.Context, all []storage.Secret, c halley.Change) error {
	for _, s := range all {
		if s.Kind != storage.SecretRecovery {
			continue
		}
		err := f.Store.RemoveSecret(ctx, s.Kind, s.Key, "", c)
		if err != nil && halley.KindOf(err) != halley.NotFound {
			return err
		}
	}
	return nil
}

// useRecovery uses a recovery code up: the store decides that this happens once, so it must be there.
func (f *Factors) useRecovery(ctx context.Context, person halley.PersonID, letters string, now halley.Millis) error {
	c := byProgram(now)
	c.Why = "a recovery code was used"
	err := f.Store.RemoveSecret(ctx, storage.SecretRecovery, recoveryHash(person, letters), auditFactor, c)
	switch {
	case err == nil:
		return nil
	case halley.KindOf(err) == halley.NotFound:
		return errNotValid("no recovery code of this person")
	case halley.KindOf(err) == halley.Unavailable:
		return &halley.Error{
			Kind: halley.Unavailable, Op: "use a recovery code", Code: storeCode(err),
			Message: "a recovery code works only while the database can be reached: use another second factor, or try again later", Err: err,
		}
	}
	return fmt.Errorf("using a recovery code: %w", err)
}

// storeCode gives the code of a failure of the store.
func storeCode(err error) string {
	if e, ok := errors.AsType[*halley.Error](err); ok {
		return e.Code
	}
	return ""
}

// recoveryHash is the key of a recovery code. It holds for one person alone.
func recoveryHash(person halley.PersonID, letters string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "halley recovery code of person %d: %s", person, letters))
	return hex.EncodeToString(sum[:])
}

// shown gives a code as people read it: "ABCD-EFGH-IJKL-MNOP".
func shown(letters string) string {
	var b strings.Builder
	for i, r := range letters {
		if i > 0 && i%recoveryGroup == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}
