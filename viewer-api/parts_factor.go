package viewerapi

import (
	"context"
	"encoding/json"
	"net/http"

	"halley"
	"halley/server/access"
	"halley/server/oidcsignin"
	"halley/server/secondfactor"
)

// Factors keeps what people prove themselves by besides a password; *secondfactor.Factors has these methods, and says what they
// refuse.
type Factors interface {
	Of(ctx context.Context, id halley.PersonID) (access.Factors, error)
	BeginTOTP(ctx context.Context, id halley.PersonID, name string, now halley.Millis) (secondfactor.Setup, error)
	ConfirmTOTP(ctx context.Context, id halley.PersonID, code string, c halley.Change) ([]halley.Secret, error)
	RemoveTOTP(ctx context.Context, id halley.PersonID, c halley.Change) error
	NewRecoveryCodes(ctx context.Context, id halley.PersonID, c halley.Change) ([]halley.Secret, error)
	PasskeyOptions(ctx context.Context, p secondfactor.Person, origin string, now halley.Millis) (json.RawMessage, error)
	AddPasskey(ctx context.Context, n secondfactor.NewPasskey, c halley.Change) (secondfactor.Passkey, error)
	Passkeys(ctx context.Context, id halley.PersonID) ([]secondfactor.Passkey, error)
	RemovePasskey(ctx context.Context, id halley.PersonID, passkey string, c halley.Change) error
}

// OIDC has people sign in with an issuer of OpenID Connect; *oidcsignin.SignIn has these methods.
type OIDC interface {
	Begin(ctx context.Context, issuer, origin, to string) (oidcsignin.Begun, error)
	Finish(ctx context.Context, r oidcsignin.Returned) (o access.Outside, to string, err error)
}

// FurtherSignIn finishes what a name and a password alone do not; *access.Access has these methods.
type FurtherSignIn interface {
	FinishSecondFactor(
		ctx context.Context, h http.Header, pending string, credential json.RawMessage, v access.Visitor,
	) (access.Caller, error)
	SignInOutside(ctx context.Context, h http.Header, o access.Outside, v access.Visitor) (access.Caller, error)
	// NoteRefused has the audit trail say that a sign-in elsewhere was refused, of "" where nobody knows whose it was.
	NoteRefused(ctx context.Context, name string, v access.Visitor)
	// Renew gives the session of a cookie a new one.
	Renew(ctx context.Context, h http.Header, cookie string) error
}

var (
	_ Factors       = (*secondfactor.Factors)(nil)
	_ OIDC          = (*oidcsignin.SignIn)(nil)
	_ FurtherSignIn = (*access.Access)(nil)
)
