package viewerapi

import (
	"net/http"
	"slices"

	"halley"
	"halley/server/access"
	"halley/server/directory"
	"halley/server/people"
	"halley/storage"
)

// tokenView is a program's token without what it is known by.
type tokenView struct {
	ID             int64                 `json:"id"`
	Name           string                `json:"name"`
	Role           halley.Role           `json:"role"`
	OrganizationID halley.OrganizationID `json:"organization_id"`
	Organization   string                `json:"organization"`
	PlaceIDs       []halley.PlaceID      `json:"place_ids"`
	CreatedAt      Time                  `json:"created_at"`
	ExpiresAt      Time                  `json:"expires_at"`
	RevokedAt      Time                  `json:"revoked_at"`
}

func newTokenView(s *directory.State, t storage.Token) tokenView {
	v := tokenView{
		ID: t.ID, Name: t.Name, Role: t.Role, OrganizationID: people.NodeOfToken(t), PlaceIDs: t.Places,
		CreatedAt: Time(t.CreatedAt), ExpiresAt: Time(t.ExpiresAt), RevokedAt: Time(t.RevokedAt),
	}
	v.Organization = s.Path(v.OrganizationID)
	if v.PlaceIDs == nil {
		v.PlaceIDs = []halley.PlaceID{}
	}
	return v
}

// listTokens lists the tokens of the nodes that the caller may see the tokens of, by id.
func (a *API) listTokens(w http.ResponseWriter, r *http.Request) error {
	if q := newQuery(r); q.err != nil {
		return q.err
	}
	tokens, err := a.People.Records.Tokens(r.Context())
	if err != nil {
		return err
	}
	rights := rightsOf(r)
	page := struct {
		Tokens []tokenView `json:"tokens"`
	}{[]tokenView{}}
	for _, t := range tokens {
		if rights.AtOrganization(halley.PermitTokenRead, people.NodeOfToken(t)) {
			page.Tokens = append(page.Tokens, newTokenView(rights.State(), t))
		}
	}
	return writeJSON(w, page)
}

// createToken makes a token that may do no more than its maker, and shows it this once.
func (a *API) createToken(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name           string                `json:"name"`
		Role           halley.Role           `json:"role"`
		OrganizationID halley.OrganizationID `json:"organization_id"`
		PlaceIDs       []halley.PlaceID      `json:"place_ids"`
		Expires        string                `json:"expires"`
		Why            string                `json:"why"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if err := checkWhy(in.Why, true); err != nil {
		return err
	}
	lifetime, err := access.ParseLifetime(in.Expires)
	if err != nil {
		return err
	}
	by := by(r, in.Why)
	if err := a.People.Rules.CheckToken(storage.Token{Role: in.Role, OrganizationID: in.OrganizationID, Places: in.PlaceIDs}, by); err != nil {
		return err
	}
	text, t, err := a.People.Tokens.Create(r.Context(), access.NewToken{
		Name: in.Name, Role: in.Role, OrganizationID: in.OrganizationID, Places: in.PlaceIDs, Lifetime: lifetime,
	}, by.Change)
	if err != nil {
		return err
	}
	return writeCreated(w, struct {
		tokenView
		Token string `json:"token"`
	}{newTokenView(rightsOf(r).State(), t), text})
}

// revokeToken ends a token. 404 where there is none that counts, or the caller does not see it.
func (a *API) revokeToken(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	why, err := readWhy(w, r)
	if err != nil {
		return err
	}
	tokens, err := a.People.Records.Tokens(r.Context())
	if err != nil {
		return err
	}
	by := by(r, why)
	i := slices.IndexFunc(tokens, func(t storage.Token) bool { return t.ID == id && t.RevokedAt == 0 })
	if i < 0 {
		return &halley.Error{Kind: halley.NotFound, Op: "revoke a token", Message: "there is no such token"}
	}
	if err := a.People.Rules.CheckRevoke(tokens[i], by); err != nil {
		return err
	}
	return done(w, a.People.Tokens.Revoke(r.Context(), tokens[i].Name, by.Change))
}
