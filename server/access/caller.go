// Package access says who asks: it keeps the bearer tokens of programs, the sessions of browsers and the first sign-in. It
// decides nothing about what a caller may do; that is halley.Role.May, asked by package viewerapi.
//
// Nothing here logs, and no error holds a secret.
package access

import (
	"context"

	"halley"
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

// Caller is who asks.
type Caller struct {
	Kind CallerKind
	// Name is the account of a session or the name of a token.
	Name string
	Role halley.Role
	// Session tells this session or token from every other without being its secret.
	Session string
	// ExpiresAt is when the session or token ends at the latest; 0 for never.
	ExpiresAt halley.Millis
}

// Actor gives the caller as the audit names it.
func (c Caller) Actor() halley.Actor {
	return halley.Actor{Kind: string(c.Kind), Name: c.Name, Session: c.Session}
}

// callerKey is the key of the Caller in a context.
type callerKey struct{}

// WithCaller gives a context that carries c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom gives the Caller that ctx carries; ok is false where it carries none.
func CallerFrom(ctx context.Context) (c Caller, ok bool) {
	c, ok = ctx.Value(callerKey{}).(Caller)
	return c, ok
}
