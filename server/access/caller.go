// Package access says who asks: it signs people in and out, keeps their sessions, slows down those who guess, hands out one-time
// links, and knows the bearer tokens of programs. What a caller may do where is package directory's to say; package viewerapi asks
// it before it answers.
//
// Nothing here logs a name, and no error, audit row or log line holds a password, a secret or an address.
package access

import (
	"context"

	"halley"
	"halley/server/directory"
)

// CallerKind says by what a caller proved who it is.
type CallerKind string

// The kinds of caller. They are the same words as in halley.Actor.
const (
	// BySession is a person in a browser.
	BySession CallerKind = "session"
	// ByToken is a program.
	ByToken CallerKind = "token"
)

// The values of Caller.Must.
const (
	// MustSecondFactor may do nothing but set up a second factor, for a role of the person needs one.
	MustSecondFactor = "second-factor"
	// MustAccount is the session of the first sign-in, in which an account is to be made.
	MustAccount = "account"
)

// Caller is who asks.
type Caller struct {
	Kind CallerKind
	// Name is the account of a session or the name of a token.
	Name string
	// PersonID is 0 for a token and for the first sign-in.
	PersonID halley.PersonID
	// FullName may be empty.
	FullName string
	// Role is that of the first grant or of the token, to be shown; "" where there is none.
	Role halley.Role
	// Rights are those of now. With Must = MustSecondFactor there are none; with ShowAs only what both may read.
	Rights directory.Rights
	// Session tells this session or token from every other without being its secret.
	Session string
	// ExpiresAt is when the session or token ends at the latest; 0 for never.
	ExpiresAt halley.Millis
	// Must is what has to be done before anything else: "", MustSecondFactor or MustAccount.
	Must string
	// ConfirmedUntil is until when this session may make critical changes; 0 where the password was not entered anew.
	ConfirmedUntil halley.Millis
	// ShowAs is the person as whom things are shown; 0 for nobody.
	ShowAs halley.PersonID
	// Shared marks an account that several people use: it only reads, and changes nothing of itself.
	Shared bool
}

// Actor gives the caller as the audit names it.
func (c Caller) Actor() halley.Actor {
	return halley.Actor{Kind: string(c.Kind), Name: c.Name, Session: c.Session}
}

// callerKey is the key of the Caller in a context.
type callerKey struct{}

// WithCaller gives a context that carries c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, &c)
}

// CallerFrom gives the Caller that ctx carries; ok is false where it carries none.
func CallerFrom(ctx context.Context) (c Caller, ok bool) {
	carried, ok := ctx.Value(callerKey{}).(*Caller)
	if !ok {
		return Caller{}, false
	}
	return *carried, true
}

// DropRights takes the rights from the Caller that ctx carries: the whole directory by which they are told would stay in memory for as
// long as the request lasts. It is for a request that lasts and looks at the rights of now by itself, and must not be called while
// another goroutine asks for the Caller of ctx.
func DropRights(ctx context.Context) {
	if carried, ok := ctx.Value(callerKey{}).(*Caller); ok {
		carried.Rights = directory.Rights{}
	}
}
