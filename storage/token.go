package storage

import (
	"strconv"

	"halley"
)

// actorToken is the kind of an actor that is a token.
const actorToken = "token"

// Actor gives the token as the audit names it where it acts.
func (t Token) Actor() halley.Actor {
	return halley.Actor{Kind: actorToken, Name: t.Name, Session: "token " + strconv.FormatInt(t.ID, 10)}
}

// Expired says whether its time is over at an instant.
func (t Token) Expired(at halley.Millis) bool { return t.ExpiresAt != 0 && at >= t.ExpiresAt }

// Counts says whether it still lets a program in at an instant.
func (t Token) Counts(at halley.Millis) bool { return t.RevokedAt == 0 && !t.Expired(at) }
