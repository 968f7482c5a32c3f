package access

import (
	"context"
	"encoding/json"

	"halley"
)

// Factors counts what a person has set up besides the password.
type Factors struct {
	TOTP                    bool
	Passkeys, RecoveryCodes int
}

// Any says that there is a second factor, so that it is asked for. Recovery codes alone are none.
func (f Factors) Any() bool { return f.TOTP || f.Passkeys > 0 }

// words gives what can be answered with, as the API names it.
func (f Factors) words() []string {
	words := []string{}
	if f.TOTP {
		words = append(words, "totp")
	}
	if f.Passkeys > 0 {
		words = append(words, "passkey")
	}
	if f.RecoveryCodes > 0 {
		words = append(words, "recovery")
	}
	return words
}

// SecondFactors checks what people prove themselves by besides the password. Its methods may be called at the same time, and answer
// from this server's own copy where they can, so that people sign in while the database is away.
type SecondFactors interface {
	// Of counts what a person has set up.
	Of(ctx context.Context, id halley.PersonID) (Factors, error)
	// CheckCode takes a code of the authenticator or a recovery code, each once. Unauthenticated where it is wrong or used.
	CheckCode(ctx context.Context, id halley.PersonID, code string, now halley.Millis) error
	// BeginPasskey gives what the browser is to be asked, and what FinishPasskey needs of it later. Origin is that of the viewer, such
	// as "https://halley.example:8443".
	BeginPasskey(ctx context.Context, id halley.PersonID, origin string) (options json.RawMessage, state []byte, err error)
	// FinishPasskey checks what the browser answered. Unauthenticated where it proves nothing.
	FinishPasskey(ctx context.Context, id halley.PersonID, state []byte, answer json.RawMessage, origin string) error
}
