package viewerapi_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access/accesstest"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// read asks for something as a person and reads the answer.
func (w *world) read(t *testing.T, who, target string, v any) {
	t.Helper()
	got := w.ask(t, who, http.MethodGet, target, "")
	if got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", target, got.status, got.body)
	}
	if err := json.Unmarshal([]byte(got.body), v); err != nil {
		t.Fatal(err)
	}
}

// change changes something as a person and wants a status.
func (w *world) change(t *testing.T, status int, who, method, target, body string) answer {
	t.Helper()
	got := w.ask(t, who, method, w.path(target), w.path(body))
	if got.status != status {
		t.Fatalf("%s %s: %d %s, want %d", method, target, got.status, got.body, status)
	}
	return got
}

// names lists the people that somebody sees.
func (w *world) names(t *testing.T, who, query string) []string {
	t.Helper()
	var page struct{ People []struct{ Name string } }
	w.read(t, who, w.path("/people"+query), &page)
	names := []string{}
	for _, p := range page.People {
		names = append(names, p.Name)
	}
	return names
}

func TestPeopleAreListedWhereTheyMayBeSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		who, query string
		want       []string
	}{
		{"brno", "", []string{"brno", "guest", "wall", "keeper"}},
		{"acme", "", []string{"acme", "brno", "guest", "wall", "payer", "keeper"}},
		{"acme", "?organization_id={/Acme}&sub=false", []string{"acme", "payer"}},
		{"acme", "?organization_id={/Acme/Brno}&q=GUE", []string{"guest"}},
		{"chief", "?limit=2", []string{"chief", "acme"}},
		{"chief", "?limit=2&after=2", []string{"brno", "guest"}},
		{"chief", "?state=disabled", []string{}},
		{"watcher", "?organization_id={/Zeta}", []string{"zeta"}},
	} {
		if diff := cmp.Diff(c.want, w.names(t, c.who, c.query)); diff != "" {
			t.Errorf("%s%s (-want +got):\n%s", c.who, c.query, diff)
		}
	}
	if got := w.ask(t, "guest", http.MethodGet, "/people", ""); got.status != http.StatusForbidden {
		t.Errorf("a guest: %d", got.status)
	}
}

func TestFromInvitationToDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.change(t, http.StatusCreated, "brno", "POST", "/people",
		`{"name":"Nora","full_name":"Nora N.","email":"nora@example.net","organization_id":{/Acme/Brno},"grants":[{"role":"user","organization_id":{/Acme/Brno}}]}`)
	var invited struct {
		Person struct {
			ID     int64
			State  string
			Grants []struct {
				ID                 int64
				Role, Organization string
			}
		}
		Link   string
		Mailed bool
	}
	if err := json.Unmarshal([]byte(made.body), &invited); err != nil {
		t.Fatal(err)
	}
	p := invited.Person
	if p.State != "invited" || len(p.Grants) != 1 || p.Grants[0].Organization != "/Acme/Brno" || invited.Mailed {
		t.Fatalf("invited %+v", invited)
	}
	id := fmt.Sprintf("/people/%d", p.ID)
	_, secret, _ := strings.Cut(invited.Link, "#link=")
	body := fmt.Sprintf(`{"secret":%q,"password":%q}`, secret, accesstest.Password.Reveal())
	used := w.do(t, request{method: "POST", target: "/api/v1/links", body: body})
	if used.status != http.StatusNoContent {
		t.Fatalf("the link: %d %s", used.status, used.body)
	}
	w.cookies["Nora"], _, _ = strings.Cut(used.header.Get("Set-Cookie"), ";")
	if got := w.do(t, request{method: "POST", target: "/api/v1/links", body: body}); got.status != http.StatusUnauthorized {
		t.Errorf("the link again: %d", got.status)
	}
	if err := w.devices.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.ask(t, "Nora", http.MethodGet, "/places", ""); got.status != http.StatusOK || strings.Count(got.body, `"Cold room`) != 1 {
		t.Errorf("Nora sees %d %s", got.status, got.body)
	}
	w.change(t, http.StatusOK, "brno", "POST", id+"/reset", `{"why":"forgotten"}`)
	granted := w.change(t, http.StatusCreated, "brno", "POST", id+"/grants", `{"role":"device-administrator","organization_id":{/Acme/Brno},"why":"she knows them"}`)
	if !strings.Contains(granted.body, `"role":"device-administrator"`) {
		t.Errorf("granted %s", granted.body)
	}
	w.change(t, http.StatusConflict, "brno", "POST", id+"/grants", `{"role":"device-administrator","organization_id":{/Acme/Brno},"why":"again"}`)
	w.change(t, http.StatusNoContent, "brno", "DELETE", fmt.Sprintf("%s/grants/%d", id, p.Grants[0].ID), `{"why":"no longer"}`)
	w.change(t, http.StatusNotFound, "brno", "DELETE", fmt.Sprintf("%s/grants/%d", id, p.Grants[0].ID), `{"why":"no longer"}`)
	changed := w.change(t, http.StatusOK, "brno", "PATCH", id, `{"state":"disabled","why":"away for a year"}`)
	if !strings.Contains(changed.body, `"state":"disabled"`) {
		t.Errorf("changed %s", changed.body)
	}
	if got := w.ask(t, "Nora", http.MethodGet, "/me", ""); got.status != http.StatusUnauthorized {
		t.Errorf("a disabled account goes on: %d", got.status)
	}
	w.change(t, http.StatusConflict, "brno", "POST", id+"/reset", `{"why":"forgotten"}`)
	w.change(t, http.StatusNoContent, "brno", "DELETE", id, `{"why":"has left"}`)
	if names := w.names(t, "brno", "?state=deleted"); !slices.Equal(names, []string{"Nora"}) || slices.Contains(w.names(t, "brno", ""), "Nora") {
		t.Errorf("deleted: %v", names)
	}
	w.change(t, http.StatusConflict, "brno", "POST", "/people", `{"name":"NORA","organization_id":{/Acme/Brno}}`)
	w.change(t, http.StatusConflict, "chief", "POST", "/people", `{"name":"nora","organization_id":{/Zeta}}`)
	checkNothingPersonalIsAudited(t, w, p.ID)
}

// checkNothingPersonalIsAudited looks for what must not be in the trail.
func checkNothingPersonalIsAudited(t *testing.T, w *world, id int64) {
	t.Helper()
	list, err := w.store.AuditWhere(t.Context(), storage.AuditFilter{On: fmt.Sprintf("person %d", id), Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	acts := map[string]bool{}
	for i := range list {
		e := &list[i]
		acts[e.What] = true
		if text := e.Old + e.New + e.Change.Why; strings.Contains(text, "nora@") || strings.Contains(text, "Nora N.") {
			t.Errorf("%s holds personal data: %s %s", e.What, e.Old, e.New)
		}
	}
	for _, what := range []string{"person.add", "grant.add", "grant.end", "person.reset", "person.change", "person.delete"} {
		if !acts[what] {
			t.Errorf("%s is not in the trail: %v", what, acts)
		}
	}
}

// Where a reason matters there is no way without.
func TestReasonsAreAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cookie(t, "chief")
	before := w.acts(t)
	for _, in := range [][3]string{
		{"PATCH", "/people/{guest}", `{"state":"disabled"}`},
		{"DELETE", "/people/{guest}", `{}`},
		{"DELETE", "/people/{guest}", ``},
		{"POST", "/people/{guest}/reset", `{"why":"  "}`},
		{"DELETE", "/people/{guest}/second-factor", `{}`},
		{"POST", "/people/{guest}/grants", `{"role":"user","organization_id":{/Acme/Brno}}`},
		{"DELETE", "/people/{guest}/grants/4", `{}`},
		{"POST", "/roles", `{"name":"m","organization_id":1,"permissions":["status.read"]}`},
		{"POST", "/tokens", `{"name":"m","role":"guest","organization_id":1}`},
		{"DELETE", "/tokens/1", `{"why":""}`},
	} {
		got := w.attack(t, "chief", in[0], "/api/v1"+w.path(in[1]), w.path(in[2]))
		if got.status != http.StatusBadRequest || got.code() != "reason-required" || !strings.Contains(got.body, `"field":"why"`) {
			t.Errorf("%s %s: %d %s", in[0], in[1], got.status, got.body)
		}
	}
	long := w.attack(t, "chief", "DELETE", w.path("/api/v1/people/{guest}"), `{"why":"`+strings.Repeat("w", 1001)+`"}`)
	if long.status != http.StatusBadRequest {
		t.Errorf("a reason without end: %d", long.status)
	}
	if after := w.acts(t); after != before {
		t.Errorf("%d acts were done", after-before)
	}
}

func TestRightsOfAPersonAreToldForADate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change(t, http.StatusCreated, "chief", "POST", "/people/{guest}/grants",
		fmt.Sprintf(`{"role":"view-by-measured-places","organization_id":{/Zeta},"place_id":%d,"why":"x"}`, w.places["/Zeta"]))
	var rights struct {
		At, State     string
		Grants        []struct{ Role string }
		Organizations []struct {
			Path        string
			Permissions []string
		}
		Places []struct{ Name string }
	}
	w.read(t, "chief", w.path("/people/{guest}/rights"), &rights)
	if len(rights.Organizations) != 1 || rights.Organizations[0].Path != "/Acme/Brno" || len(rights.Places) != 1 || rights.Places[0].Name != "Cold room of Zeta" ||
		rights.State != "active" || len(rights.Organizations[0].Permissions) != len(halley.Guest.Permissions()) {
		t.Errorf("rights %+v", rights)
	}
	w.read(t, "brno", w.path("/people/{guest}/rights"), &rights)
	if len(rights.Organizations) != 1 || len(rights.Places) != 0 || len(rights.Grants) != 1 {
		t.Errorf("what lies elsewhere is shown: %+v", rights)
	}
	if got := w.ask(t, "chief", http.MethodGet, w.path("/people/{guest}/rights?at=2020-01-01T00:00:00Z"), ""); got.status != http.StatusNotFound {
		t.Errorf("before the account: %d", got.status)
	}
	if got := w.ask(t, "chief", http.MethodGet, w.path("/people/{guest}/rights?at=2099-01-01T00:00:00Z"), ""); got.status != http.StatusBadRequest {
		t.Errorf("in the future: %d", got.status)
	}
}

func TestRolesAreMadeChangedAndClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var list struct {
		Roles []struct {
			ID             *int64
			Name           string
			Preset, Closed bool
			OrganizationID *int64 `json:"organization_id"`
			Permissions    []string
		}
		Permissions []struct{ Permission string }
	}
	w.change(t, http.StatusCreated, "acme", "POST", "/roles", `{"name":"night-shift","organization_id":{/Acme},"permissions":["sample.read","status.read"],"why":"x"}`)
	w.read(t, "brno", "/roles", &list)
	last := list.Roles[len(list.Roles)-1]
	if len(list.Roles) != len(halley.PresetRoles())+1 || last.Name != "night-shift" || last.Preset || last.OrganizationID != nil ||
		!slices.Equal(last.Permissions, []string{"status.read", "sample.read"}) || len(list.Permissions) != len(halley.Permissions()) {
		t.Errorf("roles %+v", list)
	}
	id := fmt.Sprintf("/roles/%d", *last.ID)
	w.change(t, http.StatusCreated, "brno", "POST", "/people/{guest}/grants", `{"role":"night-shift","organization_id":{/Acme/Brno},"why":"x"}`)
	w.change(t, http.StatusForbidden, "brno", "PATCH", id, `{"permissions":["status.read"],"why":"x"}`)
	w.change(t, http.StatusNotFound, "zeta", "PATCH", id, `{"permissions":["status.read"],"why":"x"}`)
	w.change(t, http.StatusOK, "acme", "PATCH", id, `{"permissions":["status.read","device.change"],"why":"x"}`)
	w.change(t, http.StatusNoContent, "acme", "DELETE", id, `{"why":"x"}`)
	w.change(t, http.StatusConflict, "acme", "DELETE", id, `{"why":"x"}`)
	w.change(t, http.StatusConflict, "acme", "POST", "/roles", `{"name":"night-shift","organization_id":{/Acme},"permissions":["status.read"],"why":"x"}`)
	w.read(t, "zeta", "/roles", &list)
	if len(list.Roles) != len(halley.PresetRoles()) {
		t.Errorf("another customer sees %d roles", len(list.Roles))
	}
}

func TestTokensAreMadeAndEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.change(t, http.StatusCreated, "brno", "POST", "/tokens",
		fmt.Sprintf(`{"name":"door","role":"view-by-measured-places","organization_id":{/Acme/Brno},"place_ids":[%d],"expires":"24h","why":"x"}`, w.places["/Acme/Brno"]))
	var token struct {
		ID           int64
		Token        string
		Organization string
		ExpiresAt    *string `json:"expires_at"`
	}
	if err := json.Unmarshal([]byte(made.body), &token); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(token.Token, "halley_") || token.Organization != "/Acme/Brno" || token.ExpiresAt == nil {
		t.Fatalf("token %s", made.body)
	}
	if got := w.do(t, request{target: "/api/v1/places", token: token.Token}); strings.Count(got.body, `"Cold room`) != 1 {
		t.Errorf("the token sees %s", got.body)
	}
	for who, n := range map[string]int{"chief": 2, "acme": 1, "brno": 1, "zeta": 0, "watcher": 2} {
		got := w.ask(t, who, http.MethodGet, "/tokens", "")
		if strings.Count(got.body, `"id"`) != n || strings.Contains(got.body, "halley_") {
			t.Errorf("%s sees %s", who, got.body)
		}
	}
	id := fmt.Sprintf("/tokens/%d", token.ID)
	w.change(t, http.StatusConflict, "brno", "POST", "/tokens", `{"name":"door","role":"guest","organization_id":{/Acme/Brno},"why":"x"}`)
	w.change(t, http.StatusBadRequest, "brno", "POST", "/tokens", `{"name":"gate","role":"guest","organization_id":{/Acme/Brno},"expires":"soon","why":"x"}`)
	w.change(t, http.StatusNotFound, "zeta", "DELETE", id, `{"why":"x"}`)
	w.change(t, http.StatusNoContent, "acme", "DELETE", id, `{"why":"moved"}`)
	w.change(t, http.StatusNotFound, "acme", "DELETE", id, `{"why":"moved"}`)
}

// entries lists the trail as somebody sees it.
func (w *world) entries(t *testing.T, who, query string) []string {
	t.Helper()
	var page struct {
		Entries []struct{ What, On string }
		Next    *string
	}
	w.read(t, who, w.path("/audit"+query), &page)
	list := []string{}
	for _, e := range page.Entries {
		list = append(list, e.What+" "+e.On)
	}
	return list
}

func TestTheTrailShowsWhatWasDoneWhereOneMaySee(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change(t, http.StatusCreated, "chief", "POST", "/tokens", `{"name":"in Brno","role":"guest","organization_id":{/Acme/Brno},"why":"for the door"}`)
	w.change(t, http.StatusCreated, "chief", "POST", "/tokens", `{"name":"in Zeta","role":"guest","organization_id":{/Zeta},"why":"for the door"}`)
	w.change(t, http.StatusCreated, "chief", "POST", "/roles", `{"name":"of-acme","organization_id":{/Acme},"permissions":["status.read"],"why":"x"}`)
	for _, node := range []string{"/Acme/Brno", "/Zeta"} {
		w.change(t, http.StatusOK, "chief", "PATCH", fmt.Sprintf("/devices/%d", w.device[node]), `{"name":"other"}`)
	}
	everything := w.entries(t, "chief", "?limit=1000")
	seen := w.entries(t, "brno", "?limit=1000")
	for _, want := range []string{
		"token.create token in Brno", w.path("organization.add organization {/Acme/Brno}"), w.path("person.add person {guest}"),
		fmt.Sprintf("place.add place %d", w.places["/Acme/Brno"]), fmt.Sprintf("device.rename device %d", w.device["/Acme/Brno"]),
	} {
		if !slices.Contains(everything, want) {
			t.Errorf("the chief does not see %q", want)
		}
		if slices.Contains(everything, want) && !slices.Contains(seen, want) {
			t.Errorf("brno does not see %q", want)
		}
	}
	for _, never := range []string{
		"token.create token in Zeta", "token.create token administrator", w.path("organization.add organization {/Zeta}"), w.path("person.add person {chief}"),
		fmt.Sprintf("place.add place %d", w.places["/Zeta"]), fmt.Sprintf("device.rename device %d", w.device["/Zeta"]), "role.add role 1",
	} {
		if slices.Contains(seen, never) {
			t.Errorf("brno sees %q", never)
		}
	}
	within := w.entries(t, "chief", "?organization_id={/Zeta}&limit=1000")
	if !slices.Contains(within, "token.create token in Zeta") || slices.Contains(within, "token.create token in Brno") || len(within) >= len(everything) {
		t.Errorf("of Zeta: %v", within)
	}
	if got := w.entries(t, "chief", "?q=FOR+THE+door"); !slices.Equal(got, []string{"token.create token in Zeta", "token.create token in Brno"}) {
		t.Errorf("with the reason: %v", got)
	}
	if got := w.entries(t, "acme", "?q=role.add"); !slices.Equal(got, []string{"role.add role 1"}) {
		t.Errorf("with the act: %v", got)
	}
	got := w.do(t, request{
		target: "/api/v1/audit?q=token.create", header: map[string]string{"Cookie": w.cookie(t, "brno"), "Accept": "text/csv"},
	})
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != 2 || !strings.Contains(strings.Join(rows[1], " "), "token in Brno") {
		t.Errorf("taken away: %v %v", rows, err)
	}
}

func TestReviewsMarkTheTrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var list struct {
		Reviews []struct {
			UpTo      int64 `json:"up_to"`
			Who, Note string
		}
		Unreviewed int
	}
	w.read(t, "chief", "/audit/reviews", &list)
	all := w.acts(t)
	if len(list.Reviews) != 0 || list.Unreviewed < all {
		t.Errorf("before: %+v", list)
	}
	w.change(t, http.StatusCreated, "chief", "POST", "/audit/reviews", `{"up_to":5,"note":"looked through for the audit"}`)
	w.change(t, http.StatusConflict, "chief", "POST", "/audit/reviews", `{"up_to":4}`)
	w.change(t, http.StatusConflict, "chief", "POST", "/audit/reviews", `{"up_to":4711}`)
	w.read(t, "brno", "/audit/reviews", &list)
	if len(list.Reviews) != 1 || list.Reviews[0].UpTo != 5 || list.Reviews[0].Who != "chief" || list.Reviews[0].Note != "" {
		t.Errorf("to somebody who sees a part of the trail: %+v", list)
	}
	if seen := len(w.entries(t, "brno", "?limit=1000")); list.Unreviewed < 1 || list.Unreviewed > seen {
		t.Errorf("brno is told of %d acts and sees %d", list.Unreviewed, seen)
	}
	w.read(t, "chief", "/audit/reviews", &list)
	if list.Reviews[0].Note == "" || list.Unreviewed < all-5 || list.Unreviewed > all+5 {
		t.Errorf("afterwards: %+v, of %d acts", list, all)
	}
	if got := w.entries(t, "chief", "?what=audit.review"); len(got) != 1 {
		t.Errorf("in the trail: %v", got)
	}
}

func TestUsageIsCountedByOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.parts.ofDays = func(from, to int64) ([]viewerapi.DeviceCompleteness, error) {
		if to-from != 7 {
			t.Errorf("asked for %d days", to-from)
		}
		return []viewerapi.DeviceCompleteness{{
			Device: halley.Device{ID: w.device["/Acme/Brno"]}, Total: storage.DayCount{Received: 300}, Days: make([]storage.DayCount, 3),
		}}, nil
	}
	w.change(t, http.StatusNoContent, "chief", "DELETE", "/people/{wall}", `{"why":"x"}`)
	type counts struct {
		Path                              string
		Places, Devices, People, Channels int
		SamplesPerDay                     int `json:"samples_per_day"`
	}
	var usage struct {
		Organizations []counts
		Total         counts
	}
	w.read(t, "payer", "/usage", &usage)
	want := []counts{
		{Path: "/Acme", People: 2},
		{Path: "/Acme/Brno", Places: 1, Devices: 1, People: 3, Channels: 1, SamplesPerDay: 100},
		{Path: "/Acme/Prague", Places: 1, Devices: 1, Channels: 1},
	}
	if diff := cmp.Diff(want, usage.Organizations); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(counts{Places: 2, Devices: 2, People: 5, Channels: 2, SamplesPerDay: 100}, usage.Total); diff != "" {
		t.Errorf("in all (-want +got):\n%s", diff)
	}
	w.read(t, "payer", w.path("/usage?organization_id={/Acme}&sub=false"), &usage)
	if len(usage.Organizations) != 1 {
		t.Errorf("of one node: %+v", usage)
	}
	if got := w.ask(t, "guest", http.MethodGet, "/usage", ""); got.status != http.StatusForbidden {
		t.Errorf("a guest: %d", got.status)
	}
}
