package viewerapi

import (
	"context"
	"net/http"

	"halley"
	"halley/server/access"
)

// Accounts signs people in and changes their own accounts; *access.Access has these methods, and says what they refuse.
type Accounts interface {
	SignIn(ctx context.Context, h http.Header, c access.Credentials, v access.Visitor) (access.Caller, error)
	SignInFirst(ctx context.Context, h http.Header, secret string, v access.Visitor) (access.Caller, error)
	MakeFirst(ctx context.Context, h http.Header, f access.FirstAccount, v access.Visitor) (access.Caller, error)
	SignOut(ctx context.Context, h http.Header, cookie string) error
	RequestReset(name string)
	LookLink(ctx context.Context, secret halley.Secret) (access.Looked, error)
	UseLink(ctx context.Context, h http.Header, secret, password halley.Secret, v access.Visitor) (access.Caller, error)
	ChangeSelf(ctx context.Context, c access.Caller, s access.Self) error
	ChangePassword(ctx context.Context, h http.Header, c access.Caller, p access.NewPassword, v access.Visitor) error
	Confirm(ctx context.Context, c access.Caller, password, code halley.Secret, v access.Visitor) error
	PersonSessions(ctx context.Context, id halley.PersonID) ([]access.Session, error)
	EndOwnSession(ctx context.Context, c access.Caller, session string) error
	FactorsOf(ctx context.Context, id halley.PersonID) (access.Factors, error)
	NeedsSecondFactor(id halley.PersonID) bool
	SignOutMinutes(id halley.PersonID) int
	SignOutChoices() []int
	SignInState() access.SignInState
}

var (
	_ Accounts  = (*access.Access)(nil)
	_ Directory = access.Directory(nil)
)
