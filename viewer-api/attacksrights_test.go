package viewerapi_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// Nobody comes to more than they have.
func TestAttackByRaisingOnesOwnRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, p := range worldPeople {
		w.cookie(t, p.name)
	}
	before := w.acts(t)
	why := `,"why":"an attack"}`
	for name, in := range map[string]struct {
		who, method, target, body string
		status                    int
		code                      string
	}{
		"a role for oneself":               {"brno", "POST", "/people/{brno}/grants", `{"role":"guest","organization_id":{/Acme/Brno}` + why, 403, "own-account"},
		"a higher role for oneself":        {"brno", "POST", "/people/{brno}/grants", `{"role":"administrator","organization_id":{/}` + why, 403, "own-account"},
		"a role at the node above":         {"brno", "POST", "/people/{guest}/grants", `{"role":"administrator","organization_id":{/Acme}` + why, 404, "not-found"},
		"a role at the root":               {"brno", "POST", "/people/{guest}/grants", `{"role":"administrator","organization_id":{/}` + why, 404, "not-found"},
		"a role at a sibling":              {"brno", "POST", "/people/{guest}/grants", `{"role":"guest","organization_id":{/Acme/Prague}` + why, 404, "not-found"},
		"a role at another customer":       {"acme", "POST", "/people/{guest}/grants", `{"role":"guest","organization_id":{/Zeta}` + why, 404, "not-found"},
		"a role that one does not hold":    {"distributor", "POST", "/people/{guest}/grants", `{"role":"user","organization_id":{/Acme/Brno}` + why, 403, "role-not-held"},
		"the server by a distributor":      {"distributor", "POST", "/people/{guest}/grants", `{"role":"administrator","organization_id":{/}` + why, 403, "role-not-held"},
		"the keeper by a distributor":      {"distributor", "POST", "/people/{guest}/grants", `{"role":"service-administrator","organization_id":{/}` + why, 403, "role-not-held"},
		"a role by a guest":                {"guest", "POST", "/people/{guest}/grants", `{"role":"user","organization_id":{/Acme/Brno}` + why, 403, "permission-missing"},
		"a role by a shared account":       {"wall", "POST", "/people/{guest}/grants", `{"role":"user","organization_id":{/Acme/Brno}` + why, 403, "permission-missing"},
		"a role by one who only reads":     {"watcher", "POST", "/people/{guest}/grants", `{"role":"user","organization_id":{/Acme/Brno}` + why, 403, "permission-missing"},
		"a preset of tokens":               {"brno", "POST", "/people/{guest}/grants", `{"role":"reader","organization_id":{/Acme/Brno}` + why, 400, "not-valid"},
		"somebody invited above":           {"brno", "POST", "/people", `{"name":"m","organization_id":{/Acme}}`, 404, "not-found"},
		"somebody invited as more":         {"brno", "POST", "/people", `{"name":"m","organization_id":{/Acme/Brno},"grants":[{"role":"administrator","organization_id":{/Acme}}]}`, 404, "not-found"},
		"one's own state":                  {"brno", "PATCH", "/people/{brno}", `{"state":"disabled"` + why, 403, "own-account"},
		"one's own home":                   {"acme", "PATCH", "/people/{acme}", `{"organization_id":{/Acme/Brno}` + why, 403, "own-account"},
		"a shared account that writes":     {"wall", "PATCH", "/people/{wall}", `{"shared":false` + why, 403, "permission-missing"},
		"a person into another customer":   {"brno", "PATCH", "/people/{guest}", `{"organization_id":{/Zeta}` + why, 404, "not-found"},
		"the password of one above":        {"brno", "POST", "/people/{keeper}/reset", `{"why":"x"}`, 403, "person-may-more"},
		"the address of one above":         {"brno", "PATCH", "/people/{keeper}", `{"email":"evil@example.net"` + why, 403, "person-may-more"},
		"the second factor of one above":   {"brno", "DELETE", "/people/{keeper}/second-factor", `{"why":"x"}`, 403, "person-may-more"},
		"the sessions of one above":        {"brno", "DELETE", "/people/{keeper}/sessions", ``, 403, "person-may-more"},
		"the end of one above":             {"brno", "DELETE", "/people/{keeper}", `{"why":"x"}`, 403, "person-may-more"},
		"the password of the chief":        {"distributor", "POST", "/people/{chief}/reset", `{"why":"x"}`, 403, "person-may-more"},
		"the chief's end by a distributor": {"distributor", "DELETE", "/people/{chief}", `{"why":"x"}`, 403, "person-may-more"},
		"a role of one's own, above":       {"brno", "POST", "/roles", `{"name":"m","organization_id":{/Acme},"permissions":["status.read"]` + why, 404, "not-found"},
		"a role of the server, below":      {"acme", "POST", "/roles", `{"name":"m","organization_id":{/Acme},"permissions":["server.read"]` + why, 400, "not-valid"},
		"a token above":                    {"brno", "POST", "/tokens", `{"name":"m","role":"guest","organization_id":{/Acme}` + why, 404, "not-found"},
		"a token at the root":              {"acme", "POST", "/tokens", `{"name":"m","role":"administrator","organization_id":{/}` + why, 404, "not-found"},
		"a token for a place elsewhere":    {"brno", "POST", "/tokens", `{"name":"m","role":"view-by-measured-places","organization_id":{/Acme/Brno},"place_ids":[2]` + why, 404, "not-found"},
		"a token by one who only reads":    {"watcher", "POST", "/tokens", `{"name":"m","role":"guest","organization_id":{/}` + why, 403, "permission-missing"},
		"a mark on the trail, below":       {"brno", "POST", "/audit/reviews", `{"up_to":1}`, 403, "permission-missing"},
		"a mark by one who only reads":     {"watcher", "POST", "/audit/reviews", `{"up_to":1}`, 403, "permission-missing"},
		"one's own node to the root":       {"brno", "PATCH", "/organizations/{/Acme/Brno}", `{"parent_id":{/}` + why, 404, "not-found"},
		"one's own node to a customer":     {"acme", "PATCH", "/organizations/{/Acme}", `{"parent_id":{/Zeta}` + why, 404, "not-found"},
		"another's node below one's own":   {"acme", "PATCH", "/organizations/{/Zeta}", `{"parent_id":{/Acme}` + why, 404, "not-found"},
		"a sibling renamed":                {"brno", "PATCH", "/organizations/{/Acme/Prague}", `{"name":"mine"` + why, 404, "not-found"},
		"showing as one out of sight":      {"brno", "POST", "/me/show-as", `{"person_id":{zeta}}`, 404, "not-found"},
		"showing as the chief":             {"brno", "POST", "/me/show-as", `{"person_id":{chief}}`, 404, "not-found"},
		"showing as, by a guest":           {"guest", "POST", "/me/show-as", `{"person_id":{brno}}`, 403, "permission-missing"},
	} {
		got := w.attack(t, in.who, in.method, "/api/v1"+w.path(in.target), w.path(in.body))
		if got.status != in.status || got.code() != in.code {
			t.Errorf("%s: %d %s, want %d %s", name, got.status, got.body, in.status, in.code)
		}
	}
	if after := w.acts(t); after != before {
		t.Errorf("%d acts were done", after-before)
	}
}

// A place is moved only by who may change it at both ends, and a device likewise.
func TestAttackByMovingThings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	place := func(node string) string { return fmt.Sprintf("/api/v1/places/%d", w.places[node]) }
	for name, in := range map[string]struct{ who, method, target, body string }{
		"one's place to another": {"brno", "PATCH", place("/Acme/Brno"), `{"organization_id":{/Zeta},"why":"x"}`},
		"another's place here":   {"brno", "PATCH", place("/Zeta"), `{"organization_id":{/Acme/Brno},"why":"x"}`},
		"another's channel here": {"brno", "POST", place("/Acme/Brno") + "/attachments", fmt.Sprintf(`{"channel_ids":[%d],"why":"x"}`, w.channel["/Zeta"])},
		"another's device in a swap": {
			"brno", "POST", place("/Acme/Brno") + "/swap",
			fmt.Sprintf(`{"from_device":%d,"to_device":%d,"channels":[],"retire":false,"why":"x"}`, w.device["/Acme/Brno"], w.device["/Zeta"]),
		},
	} {
		if got := w.attack(t, in.who, in.method, in.target, w.path(in.body)); got.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// A role that is made wider reaches only what the one who widens it holds.
func TestAttackByWideningARole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	post := func(who, target, body string) answer { return w.ask(t, who, http.MethodPost, target, w.path(body)) }
	made := post("chief", "/roles", `{"name":"hiring","organization_id":{/},"permissions":["organization.read","person.read","person.change","role.change"],"why":"x"}`)
	if made.status != http.StatusCreated {
		t.Fatalf("role: %d %s", made.status, made.body)
	}
	if got := post("chief", w.path("/people/{guest}/grants"), `{"role":"hiring","organization_id":{/},"why":"x"}`); got.status != http.StatusCreated {
		t.Fatalf("grant: %d %s", got.status, got.body)
	}
	for name, in := range map[string]struct{ method, target, body string }{
		"the role that one has": {"PATCH", "/roles/1", `{"permissions":["organization.read","person.read","person.change","role.change","server.read"],"why":"x"}`},
		"a new role":            {"POST", "/roles", `{"name":"all","organization_id":{/},"permissions":["retention.decide"],"why":"x"}`},
	} {
		got := w.attack(t, "guest", in.method, "/api/v1"+in.target, w.path(in.body))
		if got.status != http.StatusForbidden || got.code() != "permission-not-held" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	got := w.attack(t, "guest", http.MethodPost, w.path("/api/v1/people/{payer}/grants"), w.path(`{"role":"administrator","organization_id":{/Acme},"why":"x"}`))
	if got.status != http.StatusForbidden || got.code() != "role-not-held" {
		t.Errorf("a role by an accomplice: %d %s", got.status, got.body)
	}
}

// "Show as" shows what both may see, and changes nothing.
func TestAttackByShowingAs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	show := func(who, whom string) {
		t.Helper()
		if got := w.ask(t, who, http.MethodPost, "/me/show-as", w.path(`{"person_id":{`+whom+`}}`)); got.status != http.StatusNoContent {
			t.Fatalf("%s as %s: %d %s", who, whom, got.status, got.body)
		}
	}
	own := w.ask(t, "brno", http.MethodGet, "/organizations", "").body
	show("brno", "keeper") // Who holds more.
	if got := w.ask(t, "brno", http.MethodGet, "/organizations", ""); strings.Count(got.body, `"path"`) != strings.Count(own, `"path"`) {
		t.Errorf("organizations: %s", got.body)
	}
	for _, target := range []string{"/organizations/{/Zeta}", "/organizations/{/Acme/Prague}", "/people/{zeta}", "/people/{acme}"} {
		if got := w.attack(t, "brno", http.MethodGet, "/api/v1"+w.path(target), ""); got.status != http.StatusNotFound {
			t.Errorf("%s is shown: %d", target, got.status)
		}
	}
	show("chief", "guest")
	if got := w.attack(t, "chief", http.MethodGet, "/api/v1/people", ""); got.status != http.StatusForbidden {
		t.Errorf("the chief sees people as a guest: %d", got.status)
	}
	before := w.acts(t)
	for _, op := range viewerapi.Operations(w.api) {
		if op.Method == http.MethodGet || op.Permission == halley.PermitPublic || op.ID == "endShowAs" || op.ID == "signOut" {
			continue
		}
		got := w.attack(t, "chief", op.Method, w.filled(op.Path), `{"why":"an attack"}`)
		refused := op.Permission.Reads() && got.status >= 400 && got.status < 500
		if got.status != http.StatusForbidden && !refused && op.ID != "flushJournal" {
			t.Errorf("%s: %d %s", op.ID, got.status, got.body)
		}
	}
	if after := w.acts(t); after != before {
		t.Errorf("%d acts were done", after-before)
	}
	if got := w.ask(t, "chief", http.MethodDelete, "/me/show-as", ""); got.status != http.StatusNoContent {
		t.Errorf("end: %d %s", got.status, got.body)
	}
	if got := w.ask(t, "chief", http.MethodGet, "/people", ""); got.status != http.StatusOK {
		t.Errorf("afterwards: %d", got.status)
	}
	var noted []string
	list, err := w.store.AuditWhere(t.Context(), storage.AuditFilter{What: "show-as.*", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		noted = append(noted, list[i].Change.Actor.Name+" "+list[i].What+" "+list[i].On)
	}
	want := []string{"chief show-as.end " + w.path("person {guest}"), "chief show-as.begin " + w.path("person {guest}"), "brno show-as.begin " + w.path("person {keeper}")}
	if diff := cmp.Diff(want, noted); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
	got := w.do(t, request{method: http.MethodPost, target: "/api/v1/me/show-as", token: w.admin, body: w.path(`{"person_id":{guest}}`)})
	if got.status != http.StatusForbidden || got.code() != "session-needed" {
		t.Errorf("a program: %d %s", got.status, got.body)
	}
}

// What lies outside answers as if it were not there.
func TestAttackByCountingThroughIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _, err := w.access.Tokens.Create(t.Context(), accessToken("of zeta", w.nodes["/Zeta"]), aTest())
	if err != nil || token == "" {
		t.Fatal(err)
	}
	role := w.ask(t, "zeta", http.MethodPost, "/roles", w.path(`{"name":"of-zeta","organization_id":{/Zeta},"permissions":["status.read"],"why":"x"}`))
	if role.status != http.StatusCreated {
		t.Fatalf("role: %d %s", role.status, role.body)
	}
	outside := map[string][]int64{
		"/people/":        {int64(w.people["zeta"]), int64(w.people["chief"]), int64(w.people["acme"])},
		"/organizations/": {int64(w.nodes["/Zeta"]), int64(w.nodes["/Acme/Prague"]), int64(w.nodes["/Acme"]), 1},
		"/places/":        {int64(w.places["/Zeta"]), int64(w.places["/Acme/Prague"])},
		"/devices/":       {int64(w.device["/Zeta"]), int64(w.device["/Acme/Prague"])},
		"/channels/":      {int64(w.channel["/Zeta"]), int64(w.channel["/Acme/Prague"])},
		"/roles/":         {1},
		"/tokens/":        {w.tokenID(t, "of zeta")},
	}
	const absent = 987654
	looked := 0
	for _, op := range viewerapi.Operations(w.api) {
		for kind, ids := range outside {
			rest, ok := strings.CutPrefix(op.Path, "/api/v1"+kind+"{id}")
			if !ok {
				continue
			}
			rest = strings.NewReplacer("{grant}", "1", "{session}", "AAAA").Replace(rest)
			for _, body := range []string{`{"why":"x"}`, `{"why":"x","name":"m"}`, ``} {
				want := w.attack(t, "brno", op.Method, fmt.Sprintf("/api/v1%s%d%s", kind, absent, rest), body)
				for _, id := range ids {
					got := w.attack(t, "brno", op.Method, fmt.Sprintf("/api/v1%s%d%s", kind, id, rest), body)
					same := strings.ReplaceAll(want.body, strconv.Itoa(absent), strconv.FormatInt(id, 10))
					if got.status != want.status || got.body != same || got.status < 400 {
						t.Errorf("%s of %s%d: %d %s, want as absent: %d %s", op.ID, kind, id, got.status, got.body, want.status, want.body)
					}
					looked++
				}
			}
		}
	}
	if looked < 100 {
		t.Errorf("only %d requests were tried", looked)
	}
	for _, in := range []string{
		`{"role":"guest","organization_id":%d,"why":"x"}`, `{"role":"view-by-measured-places","organization_id":{/Acme/Brno},"place_id":%d,"why":"x"}`,
	} {
		want := w.attack(t, "brno", http.MethodPost, w.path("/api/v1/people/{guest}/grants"), w.path(fmt.Sprintf(in, absent)))
		for _, id := range []int{int(w.nodes["/Zeta"]), int(w.nodes["/Acme"]), int(w.places["/Zeta"])} {
			if id == int(w.places["/Acme/Brno"]) || id == int(w.nodes["/Acme/Brno"]) {
				continue
			}
			got := w.attack(t, "brno", http.MethodPost, w.path("/api/v1/people/{guest}/grants"), w.path(fmt.Sprintf(in, id)))
			if got.status != want.status || got.body != want.body {
				t.Errorf(in+": %d %s, want as absent: %d %s", id, got.status, got.body, want.status, want.body)
			}
		}
	}
	for _, target := range []string{"/people?organization_id=%d", "/audit?organization_id=%d", "/usage?organization_id=%d", "/places?organization_id=%d"} {
		want := w.attack(t, "brno", http.MethodGet, "/api/v1"+fmt.Sprintf(target, absent), "")
		got := w.attack(t, "brno", http.MethodGet, "/api/v1"+fmt.Sprintf(target, w.nodes["/Zeta"]), "")
		if got.status != http.StatusNotFound || got.status != want.status || got.body != want.body {
			t.Errorf(target+": %d %s, want as absent: %d %s", w.nodes["/Zeta"], got.status, got.body, want.status, want.body)
		}
	}
}
