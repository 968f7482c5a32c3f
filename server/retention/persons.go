package retention

import (
	"context"
	"slices"

	"halley"
	"halley/storage"
)

// samePerson says whether one person may be behind both of two actors. A token stands for whoever made it with an account, and for the
// token that made it; one that was made by a command on the server stands for itself alone, for there it is made for somebody else. Names
// are compared whatever they are names of: two sessions of an account are one person, and a user of the operating system counts as the
// account of the same name.
func (r *Retention) samePerson(ctx context.Context, a, b halley.Actor) (bool, error) {
	tokens, err := r.store.Tokens(ctx)
	if err != nil {
		return false, err
	}
	behind := namesBehind(tokens, b)
	return slices.ContainsFunc(namesBehind(tokens, a), func(name string) bool { return slices.Contains(behind, name) }), nil
}

// namesBehind gives the names of those who may be behind an actor, in the form in which names are compared.
func namesBehind(tokens []storage.Token, a halley.Actor) []string {
	var names []string
	for i, m := range storage.Makers(tokens, a) {
		if i == 0 || m.Kind == "session" || m.Kind == "token" {
			names = append(names, storage.NameKey(m.Name))
		}
	}
	return names
}
