package viewerapi

import (
	"context"

	"halley"
	"halley/server/directory"
	"halley/server/people"
	"halley/storage"
)

// makerView says who made a token. PersonID and PersonState are of the person behind it, whose token it was that made it where a token
// did; null where no person is, as behind a command on the server, and for those who do not see that person.
type makerView struct {
	Kind        string              `json:"kind"`
	Name        string              `json:"name"`
	PersonID    *halley.PersonID    `json:"person_id"`
	PersonState *halley.PersonState `json:"person_state"`
}

// newMakerView shows who made a token. all are all tokens that there are.
func newMakerView(rights directory.Rights, all []storage.Token, t *storage.Token) makerView {
	v := makerView{Kind: t.By.Kind, Name: t.By.Name}
	p, there := people.Behind(rights.State(), all, t.By)
	if there && rights.AtPerson(halley.PermitPersonRead, p.ID) {
		v.PersonID, v.PersonState = &p.ID, &p.State
	}
	return v
}

// tokensOf lists the tokens that count at an instant and that a person or a token of theirs made, as far as the caller may see the tokens
// of their nodes; nil while the store cannot be read.
func (a *API) tokensOf(ctx context.Context, rights directory.Rights, id halley.PersonID, now halley.Millis) ([]tokenView, error) {
	all, err := a.People.Records.Tokens(ctx)
	switch {
	case err != nil && halley.KindOf(err) == halley.Unavailable:
		return nil, nil
	case err != nil:
		return nil, err
	}
	list := []tokenView{}
	for _, t := range people.TokensOf(rights.State(), all, id, now) {
		if rights.AtOrganization(halley.PermitTokenRead, people.NodeOfToken(t)) {
			list = append(list, newTokenView(rights, all, &t))
		}
	}
	return list, nil
}
