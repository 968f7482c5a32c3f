package storage

import (
	"slices"

	"halley"
)

// Makers gives who is behind an actor: the actor itself, and behind a token who made it, and so on, for a token can make others. Last comes
// the account of a person, the user of a command on the server, or a token of which nothing is known. tokens are all that there are, also
// those that were revoked.
func Makers(tokens []Token, a halley.Actor) []halley.Actor {
	chain := []halley.Actor{a}
	// A token is younger than its maker, so that no chain is longer than there are tokens.
	for a.Kind == actorToken && len(chain) <= len(tokens) {
		i := slices.IndexFunc(tokens, func(t Token) bool { return a.Session == t.Actor().Session })
		if i < 0 {
			break
		}
		a = tokens[i].By
		chain = append(chain, a)
	}
	return chain
}
