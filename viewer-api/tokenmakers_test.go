package viewerapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
)

// makeToken has somebody make a token by the API and gives its text.
func (w *world) makeToken(t *testing.T, header map[string]string, name string, role halley.Role, node string) string {
	t.Helper()
	body := fmt.Sprintf(`{"name":%q,"role":%q,"organization_id":%d,"why":"x"}`, name, role, w.nodes[node])
	got := w.do(t, request{method: http.MethodPost, target: "/api/v1/tokens", body: body, header: header})
	var made struct{ Token string }
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || got.status != http.StatusCreated {
		t.Fatalf("making %s: %d %s", name, got.status, got.body)
	}
	return made.Token
}

// maker is who made a token, as the API says it.
type maker struct {
	Kind, Name  string
	PersonID    *halley.PersonID `json:"person_id"`
	PersonState *string          `json:"person_state"`
}

// makers gives who made the tokens that a list or a person shows, by name.
func makers(t *testing.T, got answer) map[string]maker {
	t.Helper()
	var page struct {
		Tokens []struct {
			Name   string
			MadeBy maker `json:"made_by"`
		}
	}
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	list := map[string]maker{}
	for _, token := range page.Tokens {
		list[token.Name] = token.MadeBy
	}
	return list
}

func TestATokenSaysWhoMadeItAlsoWhenTheyAreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	of := func(who string) map[string]string { return map[string]string{"Cookie": w.cookie(t, who)} }
	first := w.makeToken(t, of("brno"), "first", halley.Administrator, "/Acme/Brno")
	second := w.makeToken(t, map[string]string{"Authorization": "Bearer " + first}, "second", halley.Guest, "/Acme/Brno")
	w.makeToken(t, of("chief"), "from above", halley.Guest, "/Acme/Brno")
	w.makeToken(t, of("brno"), "ended", halley.Guest, "/Acme/Brno")
	w.change(t, http.StatusNoContent, "brno", "DELETE", fmt.Sprintf("/tokens/%d", w.tokenID(t, "ended")), `{"why":"x"}`)
	brno, chief, active, deleted := w.people["brno"], w.people["chief"], "active", "deleted"
	if diff := cmp.Diff(map[string]maker{
		"administrator": {Kind: "program", Name: "test"},
		"first":         {"session", "brno", &brno, &active},
		"second":        {"token", "first", &brno, &active},
		"ended":         {"session", "brno", &brno, &active},
		"from above":    {"session", "chief", &chief, &active},
	}, makers(t, w.ask(t, "chief", http.MethodGet, "/tokens", ""))); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	if got := makers(t, w.ask(t, "brno", http.MethodGet, "/tokens", ""))["from above"]; got.Name != "chief" || got.PersonID != nil || got.PersonState != nil {
		t.Errorf("of somebody whom one does not see: %+v", got)
	}
	person := w.path("/people/{brno}")
	if diff := cmp.Diff(map[string]maker{
		"first": {"session", "brno", &brno, &active}, "second": {"token", "first", &brno, &active},
	}, makers(t, w.ask(t, "chief", http.MethodGet, person, ""))); diff != "" {
		t.Errorf("what brno's account leaves behind (-want +got):\n%s", diff)
	}
	w.change(t, http.StatusNoContent, "chief", "DELETE", "/people/{brno}", `{"why":"left"}`)
	for name, got := range makers(t, w.ask(t, "chief", http.MethodGet, person, "")) {
		if diff := cmp.Diff(&deleted, got.PersonState); diff != "" || got.PersonID == nil {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := w.do(t, request{target: "/api/v1/me", token: second}); got.status != http.StatusOK {
		t.Errorf("a program ended with the account of a person: %d %s", got.status, got.body)
	}
}
