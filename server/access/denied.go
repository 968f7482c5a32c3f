package access

import (
	"context"
	"errors"
	"time"

	"halley"
	"halley/storage"
)

const (
	actDenied       = "access.refuse"
	actTokenRefused = "token.refuse"
	// deniedChangeEvery and deniedReadEvery are how often the same caller leaves a row of the same operation: what changes something
	// is rare, while a program that may not read asks again and again.
	deniedChangeEvery = time.Minute
	deniedReadEvery   = time.Hour
	// mostDenied is how many rows all callers leave in a minute together.
	mostDenied = 100
)

// Denied is an operation that somebody who is known may not call.
type Denied struct {
	// Operation is its name in openapi.yaml, On the thing as the audit trail names it, such as "place 7".
	Operation, On string
	// Reads says that it changes nothing.
	Reads bool
	// Status and Code are those of the answer.
	Status int
	Code   string
}

// deniedKey is what one row is about.
type deniedKey struct {
	what            string
	actor           halley.Actor
	operation, code string
	status          int
}

// NoteDenied has the audit trail say that a caller was refused an operation: at once, and then at most a row a minute for each caller
// and operation, a row an hour for one that only reads. It was refused whether or not that can be noted.
func (a *Access) NoteDenied(ctx context.Context, c Caller, d Denied) {
	every := deniedChangeEvery
	if d.Reads {
		every = deniedReadEvery
	}
	a.noteDenied(ctx, deniedKey{actDenied, c.Actor(), d.Operation, d.Code, d.Status}, d.On, every)
}

// noteRefusedToken notes that a token was shown that does not count: by its name where it was revoked or has expired, without one where
// nobody knows it: its ID is 0.
func (a *Access) noteRefusedToken(ctx context.Context, token storage.Token, refused error) {
	e, ok := errors.AsType[*halley.Error](refused)
	if !ok || e.Kind != halley.Unauthenticated {
		return
	}
	actor, on := halley.Actor{Kind: string(ByToken)}, "token"
	if token.ID != 0 {
		actor = token.Actor()
		on = actor.Session
	}
	a.noteDenied(ctx, deniedKey{what: actTokenRefused, actor: actor, code: e.Code}, on, deniedReadEvery)
}

func (a *Access) noteDenied(ctx context.Context, k deniedKey, on string, every time.Duration) {
	if row, ok := a.denied.add(k, on, every, time.Now()); ok {
		a.writeDenied(ctx, row)
	}
}

func (a *Access) writeDenied(ctx context.Context, row refusalRow[deniedKey]) {
	a.writeRefused(ctx, row.of.actor, row.of.what, row.on, struct {
		Operation string `json:"operation,omitempty"`
		Status    int    `json:"status,omitempty"`
		Code      string `json:"code"`
		Count     int    `json:"count"`
		Others    int    `json:"others,omitempty"`
	}{row.of.operation, row.of.status, row.of.code, row.count, row.others})
}
