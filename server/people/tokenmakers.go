package people

import (
	"halley"
	"halley/server/directory"
	"halley/storage"
)

// Behind gives the person behind an actor: who signed in, or who made the token that acts. all are all tokens that there are, also those
// that were revoked. there is false where no person is, as behind a command on the server.
func Behind(s *directory.State, all []storage.Token, a halley.Actor) (p halley.Person, there bool) {
	chain := storage.Makers(all, a)
	last := chain[len(chain)-1]
	if last.Kind != "session" {
		return p, false
	}
	return s.PersonNamed(last.Name)
}

// TokensOf lists those of all tokens that count at an instant and that a person, or a token of theirs, made. They count on when the person
// is gone: who takes the account away decides.
func TokensOf(s *directory.State, all []storage.Token, id halley.PersonID, now halley.Millis) []storage.Token {
	var list []storage.Token
	for _, t := range all {
		if !t.Counts(now) {
			continue
		}
		if p, there := Behind(s, all, t.By); there && p.ID == id {
			list = append(list, t)
		}
	}
	return list
}
