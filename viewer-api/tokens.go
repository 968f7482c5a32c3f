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
	MadeBy         makerView             `json:"made_by"`
}

// newTokenView shows a token. all are all tokens that there are.
func newTokenView(rights directory.Rights, all []storage.Token, t *storage.Token) tokenView {
	v := tokenView{
		ID: t.ID, Name: t.Name, Role: t.Role, OrganizationID: people.NodeOfToken(*t), PlaceIDs: t.Places,
		CreatedAt: Time(t.CreatedAt), ExpiresAt: Time(t.ExpiresAt), RevokedAt: Time(t.RevokedAt), MadeBy: newMakerView(rights, all, t),
	}
	v.Organization = rights.State().Path(v.OrganizationID)
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
	for i := range tokens {
		if rights.AtOrganization(halley.PermitTokenRead, people.NodeOfToken(tokens[i])) {
			page.Tokens = append(page.Tokens, newTokenView(rights, tokens, &tokens[i]))
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
	if err := readReasoned(w, r, &in, &in.Why); err != nil {
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
	// It is made. Where the others cannot be read a moment later, only who is behind a token that made this one is not said.
	all, err := a.People.Records.Tokens(r.Context())
	if err != nil {
		all = []storage.Token{t}
	}
	return writeCreated(w, struct {
		tokenView
		Token string `json:"token"`
	}{newTokenView(rightsOf(r), all, &t), text})
}

// revokeToken ends a token. 404 where there is none that counts, or the caller does not see it.
func (a *API) revokeToken(w http.ResponseWriter, r *http.Request) error {
	id, why, err := pathReasoned(w, r)
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
	if err := a.People.Tokens.Revoke(r.Context(), tokens[i].Name, by.Change); err != nil {
		return err
	}
	if err := a.Directory.Refresh(r.Context()); err != nil {
		a.Log.WarnContext(r.Context(), "a revoked token counts on this server until the store can be read again", "token", tokens[i].Name, "err", err)
	}
	return done(w, nil)
}
