package viewerapi_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"halley"
	"halley/server/access/accesstest"
	viewerapi "halley/viewer-api"
)

// acts gives how many acts the trail of a world has that are no refusal.
func (w *world) acts(t *testing.T) int {
	t.Helper()
	list, err := w.store.Audit(t.Context(), 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range list {
		if !strings.HasSuffix(list[i].What, ".refuse") {
			n++
		}
	}
	return n
}

// filled puts ids that are there into the path of an operation.
func (w *world) filled(path string) string {
	for part, id := range map[string]any{
		"/people/{id}": w.people["guest"], "/organizations/{id}": w.nodes["/Acme/Brno"], "/places/{id}": w.places["/Acme/Brno"],
		"/devices/{id}": w.device["/Acme/Brno"], "/channels/{id}": w.channel["/Acme/Brno"],
	} {
		path = strings.Replace(path, part, strings.Replace(part, "{id}", fmt.Sprint(id), 1), 1)
	}
	return regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "1")
}

// A page of another site must not act with the cookie that the browser sends along.
func TestAttackByAPageOfAnotherSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cookie(t, "chief")
	before := w.acts(t)
	for _, op := range viewerapi.Operations(w.api) {
		if op.Method == http.MethodGet {
			continue
		}
		for name, header := range map[string][]string{
			"another site":      {"Sec-Fetch-Site", "cross-site"},
			"a sibling":         {"Sec-Fetch-Site", "same-site"},
			"a foreign origin":  {"Origin", "https://evil.example"},
			"a hidden origin":   {"Origin", "null"},
			"a form of a page":  {"Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded"},
			"text of a page":    {"Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"},
			"another port here": {"Origin", "https://localhost:9443"},
		} {
			got := w.attack(t, "chief", op.Method, w.filled(op.Path), `{"why":"an attack"}`, header...)
			if got.status != http.StatusForbidden || got.code() != "cross-origin" {
				t.Errorf("%s by %s: %d %s", op.ID, name, got.status, got.body)
			}
		}
	}
	if after := w.acts(t); after != before {
		t.Errorf("%d acts were done", after-before)
	}
}

func TestAttackByATokenInAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, cookie, _ := strings.Cut(w.cookie(t, "chief"), "=")
	for _, op := range viewerapi.Operations(w.api) {
		if op.Permission == halley.PermitPublic {
			continue
		}
		for _, query := range []string{"access_token=" + w.admin, "token=" + w.admin, "authorization=Bearer%20" + w.admin, "session=" + cookie} {
			got := w.attack(t, "", op.Method, w.filled(op.Path)+"?"+query, "")
			if got.status != http.StatusUnauthorized {
				t.Errorf("%s took %s: %d", op.ID, query[:8], got.status)
			}
			if strings.Contains(got.body, w.admin) || strings.Contains(got.body, cookie) {
				t.Errorf("%s shows the secret back", op.ID)
			}
		}
	}
	if got := w.attack(t, "chief", http.MethodGet, "/api/v1/devices?token="+w.admin, ""); got.status != http.StatusBadRequest || strings.Contains(got.body, w.admin) {
		t.Errorf("beside a session: %d %s", got.status, got.body)
	}
	for name, secret := range map[string]string{"token": w.admin, "cookie": cookie, "password": accesstest.Password.Reveal()} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

// hostile is what somebody may write into any text that they may set.
const hostile = `=HYPERLINK("http://evil.example","x")<script>alert(1)</script><img src=x onerror=alert(2)>'"--`

// plantHostile writes the hostile text wherever a person or a device can, and gives how often it was taken.
func plantHostile(t *testing.T, w *world) (taken int) {
	t.Helper()
	text, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	why := `"why":` + string(text)
	for _, in := range []struct{ method, target, body string }{
		{"POST", "/people", `{"name":"mallory","full_name":` + string(text) + `,"organization_id":{/Acme/Brno},` + why + `}`},
		{"POST", "/people", `{"name":` + string(text) + `,"organization_id":{/Acme/Brno}}`},
		{"PATCH", "/people/{guest}", `{"full_name":` + string(text) + `,` + why + `}`},
		{"PATCH", "/people/{guest}", `{"email":` + string(text) + `,` + why + `}`},
		{"POST", "/people/{guest}/grants", `{"role":"user","organization_id":{/Acme/Brno},` + why + `}`},
		{"POST", "/roles", `{"name":"night-shift","organization_id":{/Acme/Brno},"permissions":["status.read"],` + why + `}`},
		{"POST", "/tokens", `{"name":` + string(text) + `,"role":"guest","organization_id":{/Acme/Brno},` + why + `}`},
		{"POST", "/organizations", `{"parent_id":{/Acme},"name":` + strings.ReplaceAll(string(text), "/", "|") + `}`},
		{"POST", "/places", `{"organization_id":{/Acme/Brno},"name":` + string(text) + `}`},
		{"POST", "/audit/reviews", `{"up_to":1,"note":` + string(text) + `}`},
		{"PATCH", fmt.Sprintf("/devices/%d", w.device["/Acme/Brno"]), `{"name":` + string(text) + `}`},
	} {
		got := w.attack(t, "chief", in.method, "/api/v1"+w.path(in.target), w.path(in.body), "Content-Type", "application/json")
		switch {
		case got.status < http.StatusMultipleChoices:
			taken++
		case got.status != http.StatusBadRequest:
			t.Errorf("%s %s: %d %s", in.method, in.target, got.status, got.body)
		}
	}
	_, err = w.store.Register(t.Context(), halley.DeviceKey{Family: halley.WebSensor, Serial: "00009999"}, hostile,
		halley.Change{Actor: halley.Actor{Kind: "command", Name: hostile}, At: at, Why: hostile})
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

// Whatever people and devices write comes out as data: as JSON that no browser takes for a page.
func TestAttackByScriptInNamesAndNotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if taken := plantHostile(t, w); taken < 7 {
		t.Errorf("only %d texts were taken: the test tries nothing", taken)
	}
	if err := w.devices.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, op := range viewerapi.Operations(w.api) {
		if op.Method != http.MethodGet || op.ID == "getLive" || op.Permission == halley.PermitPublic {
			continue
		}
		got := w.attack(t, "chief", http.MethodGet, w.filled(op.Path), "")
		kind := got.header.Get("Content-Type")
		switch kind {
		case "application/json", "application/problem+json", "application/zip":
		default:
			t.Errorf("%s answers with %q", op.ID, kind)
		}
		if got.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(got.header.Get("Content-Security-Policy"), "default-src 'self'") ||
			got.header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: header %v", op.ID, got.header)
		}
		if strings.Contains(got.body, "<script") || strings.Contains(got.body, "<img") {
			t.Errorf("%s answers with markup: %s", op.ID, got.body)
		}
		if strings.Contains(got.body, "u003cscript") {
			shown++
		}
	}
	if shown < 4 {
		t.Errorf("only %d answers held the text: the test looks at nothing", shown)
	}
}

// A spreadsheet takes what begins with a sign for a formula, and runs it for whoever opens the file.
func TestAttackByFormulasInCSV(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plantHostile(t, w)
	for _, first := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1+1", "a\tb"} {
		err := w.store.NoteAudit(t.Context(), halley.AuditEntry{
			Change: halley.Change{Actor: halley.Actor{Kind: "command", Name: first}, At: at, Why: first}, What: "command.run", On: first, New: first,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got := w.attack(t, "chief", http.MethodGet, "/api/v1/audit", "", "Accept", "text/csv")
	if !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") || got.header.Get("Content-Disposition") != `attachment; filename="audit.csv"` {
		t.Errorf("header %v", got.header)
	}
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) < 20 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	kept := 0
	for _, row := range rows {
		for _, cell := range row {
			if strings.HasPrefix(cell, "'") {
				kept++
			}
			if begin, size := utf8.DecodeRuneInString(strings.TrimSpace(cell)); size > 0 && strings.ContainsRune("=+-@＝", begin) {
				t.Errorf("a formula: %q", cell)
			}
			if strings.ContainsFunc(cell, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
				t.Errorf("a control character: %q", cell)
			}
		}
	}
	if kept < 10 {
		t.Errorf("only %d cells had to be kept from being formulas", kept)
	}
}

// What stands in a header must not end it and begin another.
func TestAttackByLineEndsInHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const line = `x\r\nSet-Cookie: a=b\r\n\r\n<script>`
	for _, in := range []struct{ method, target, body string }{
		{"POST", "/people", `{"name":"` + line + `","organization_id":{/Acme/Brno}}`},
		{"POST", "/people", `{"name":"m","email":"a@b` + line + `","organization_id":{/Acme/Brno}}`},
		{"POST", "/people", `{"name":"m","full_name":"` + line + `","organization_id":{/Acme/Brno}}`},
		{"POST", "/tokens", `{"name":"` + line + `","role":"guest","organization_id":1,"why":"x"}`},
		{"POST", "/roles", `{"name":"` + line + `","organization_id":1,"permissions":["status.read"],"why":"x"}`},
		{"POST", "/organizations", `{"parent_id":1,"name":"` + line + `"}`},
		{"POST", "/places", `{"organization_id":1,"name":"` + line + `"}`},
		{"POST", "/tokens", `{"name":"m","role":"guest","organization_id":1,"why":"` + line + `"}`},
	} {
		got := w.attack(t, "chief", in.method, "/api/v1"+w.path(in.target), w.path(in.body))
		if got.status != http.StatusBadRequest {
			t.Errorf("%s %s took it: %d %s", in.method, in.target, got.status, got.body)
		}
		for name, values := range got.header {
			if strings.ContainsAny(name+strings.Join(values, ""), "\r\n") {
				t.Errorf("header %s: %q", name, values)
			}
		}
	}
	for _, target := range []string{"/%0d%0aSet-Cookie:%20a=b", "/api/v1/people/1%0d%0aX:%20y", "/api/v1/audit?who=%0d%0aX:%20y"} {
		got := w.attack(t, "chief", http.MethodGet, target, "")
		if got.header.Get("Set-Cookie") != "" || got.header.Get("X") != "" {
			t.Errorf("%s: header %v", target, got.header)
		}
	}
}

// Only the connection says who asks, and only the configuration under which names.
func TestAttackByHeadersThatAProxyWouldSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, host := range []string{"evil.example", "localhost.evil.example", "evil.example:8443", "8.8.8.8", "[2001:db8::1]:8443", "localhost:8443@evil.example", ""} {
		got := w.attack(t, "chief", http.MethodGet, "/api/v1/me", "", "Host", host)
		if got.status != http.StatusForbidden || got.code() != "host-not-known" {
			t.Errorf("host %q: %d %s", host, got.status, got.body)
		}
	}
	forged := []string{
		"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "X-Forwarded-For", "203.0.113.66", "Forwarded", "for=203.0.113.66;host=evil.example",
		"X-Real-Ip", "203.0.113.66", "X-Original-URL", "/api/v1/audit", "X-HTTP-Method-Override", "DELETE",
	}
	got := w.attack(t, "chief", http.MethodPost, "/api/v1/people", w.path(`{"name":"mallory","organization_id":{/Acme/Brno},"grants":[]}`), forged...)
	if got.status != http.StatusCreated || !strings.Contains(got.body, `"link":"https://halley.example:8443/#link=`) || strings.Contains(got.body, "evil") {
		t.Errorf("an invitation: %d %s", got.status, got.body)
	}
	body := fmt.Sprintf(`{"name":"guest","password":%q}`, accesstest.Password.Reveal())
	if got = w.attack(t, "", http.MethodPost, "/api/v1/session", body, forged...); got.status != http.StatusNoContent {
		t.Fatalf("sign-in: %d %s", got.status, got.body)
	}
	got = w.ask(t, "brno", http.MethodGet, w.path("/people/{guest}/sessions"), "")
	if got.status != http.StatusOK || strings.Contains(got.body, "203.0.113.66") || strings.Count(got.body, `"id"`) != 1 {
		t.Errorf("sessions: %d %s", got.status, got.body)
	}
	if got = w.attack(t, "guest", http.MethodGet, "/api/v1/me", "", forged...); got.status != http.StatusOK || !strings.Contains(got.body, `"name":"guest"`) {
		t.Errorf("the method or path of a header was taken: %d %s", got.status, got.body)
	}
}

func TestAttackByPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, target := range []string{
		"/../../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../../etc/passwd",
		"/assets/..%5c..%5c..%5cwindows%5cwin.ini", "/assets/%2e%2e%2f%2e%2e%2fhalley.db", "/assets//../halley.db", "/./halley.db",
		"/assets/app.js%00.html", "/.env", "/halley.toml", "/c:/windows/win.ini", "//etc/passwd", "/assets/...%2f...%2f",
	} {
		got := w.attack(t, "", http.MethodGet, target, "")
		if strings.Contains(got.body, "root:") || strings.Contains(got.body, "SQLite") || got.status == http.StatusOK && !strings.Contains(got.body, "INDEX") {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
		if location := got.header.Get("Location"); location != "" && (strings.HasPrefix(location, "//") || strings.Contains(location, "://")) {
			t.Errorf("%s leads to %s", target, location)
		}
	}
	for _, id := range []string{
		"0", "-1", "x", "1.0", "1e0", "0x1", "%31%20", "9223372036854775808", "99999999999999999999999", "..%2f1", "1%2f..%2f2", "1;2", "1%00",
		"%27%20OR%201=1--", "null", "[1]",
	} {
		for _, path := range []string{"/people/%s", "/people/%s/rights", "/organizations/%s", "/places/%s", "/devices/%s", "/channels/%s"} {
			got := w.attack(t, "brno", http.MethodGet, "/api/v1"+fmt.Sprintf(path, id), "")
			if got.status < 300 || got.status == http.StatusForbidden || got.status >= 500 {
				t.Errorf(path+": %d %s", id, got.status, got.body)
			}
		}
		got := w.attack(t, "chief", http.MethodDelete, w.path("/api/v1/people/{guest}/grants/"+id), `{"why":"x"}`)
		if got.status < 300 || got.status >= 500 {
			t.Errorf("grant %s: %d %s", id, got.status, got.body)
		}
	}
}

func TestAttackByMuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cookie(t, "chief")
	before := w.acts(t)
	large := `{"why":"` + strings.Repeat("a", 70<<10) + `"}`
	nested := strings.Repeat(`{"why":`, 8000) + "1" + strings.Repeat("}", 8000)
	list := `{"name":"m","organization_id":1,"grants":[` + strings.TrimSuffix(strings.Repeat(`{"role":"guest","organization_id":1},`, 1500), ",") + `]}`
	places := `{"name":"m","role":"view-by-measured-places","organization_id":1,"why":"x","place_ids":[` + strings.TrimSuffix(strings.Repeat("1,", 5000), ",") + `]}`
	for _, op := range viewerapi.Operations(w.api) {
		if op.Method == http.MethodGet || op.Method == http.MethodDelete && !strings.Contains(op.Path, "/people/") {
			continue
		}
		for name, body := range map[string]string{"large": large, "nested": nested} {
			got := w.attack(t, "chief", op.Method, w.filled(op.Path), body)
			if got.status < 400 || got.status >= 500 || len(got.body) > 4096 {
				if op.ID != "flushJournal" && op.ID != "signOut" { // They read no body.
					t.Errorf("%s, %s: %d %.200s", op.ID, name, got.status, got.body)
				}
			}
		}
	}
	for _, in := range [][2]string{{"/people", list}, {"/tokens", places}, {"/people", `{"name":"` + strings.Repeat("n", 101) + `","organization_id":1}`}} {
		if got := w.attack(t, "chief", http.MethodPost, "/api/v1"+in[0], in[1]); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %.200s", in[0], got.status, got.body)
		}
	}
	for _, query := range []string{"/people?q=", "/audit?q=", "/audit?who=", "/people?limit="} {
		if got := w.attack(t, "chief", http.MethodGet, "/api/v1"+query+strings.Repeat("9", 500), ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, got.status)
		}
	}
	if after := w.acts(t); after != before {
		t.Errorf("%d acts were done", after-before)
	}
}

// A body must not set what its operation does not offer.
func TestAttackByFieldsThatAreNotOffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, who := range []string{"chief", "brno", "guest"} {
		w.cookie(t, who)
	}
	before := w.acts(t)
	for _, in := range []struct{ who, method, target, body string }{
		{"brno", "POST", "/people", `{"name":"m","organization_id":{/Acme/Brno},"state":"active"}`},
		{"brno", "POST", "/people", `{"name":"m","organization_id":{/Acme/Brno},"id":1}`},
		{"brno", "POST", "/people", `{"name":"m","organization_id":{/Acme/Brno},"source":"oidc"}`},
		{"brno", "POST", "/people", `{"name":"m","organization_id":{/Acme/Brno},"password":"Known-password-1"}`},
		{"brno", "POST", "/people", `{"name":"m","organization_id":{/Acme/Brno},"grants":[{"role":"guest","organization_id":{/Acme/Brno},"person_id":1}]}`},
		{"brno", "PATCH", "/people/{guest}", `{"name":"chief","why":"x"}`},
		{"brno", "PATCH", "/people/{guest}", `{"source":"oidc","why":"x"}`},
		{"brno", "PATCH", "/people/{guest}", `{"grants":[],"why":"x"}`},
		{"brno", "POST", "/people/{guest}/grants", `{"role":"guest","organization_id":{/Acme/Brno},"why":"x","id":1}`},
		{"brno", "POST", "/people/{guest}/grants", `{"role":"guest","organization_id":{/Acme/Brno},"why":"x","from":"2020-01-01T00:00:00Z"}`},
		{"brno", "POST", "/people/{guest}/grants", `{"role":"guest","organization_id":{/Acme/Brno},"why":"x","person_id":{brno}}`},
		{"brno", "POST", "/people/{guest}/reset", `{"why":"x","email":"evil@example.net"}`},
		{"brno", "POST", "/tokens", `{"name":"m","role":"guest","organization_id":{/Acme/Brno},"why":"x","hash":"AAAA"}`},
		{"brno", "POST", "/tokens", `{"name":"m","role":"guest","organization_id":{/Acme/Brno},"why":"x","created_at":"2020-01-01T00:00:00Z"}`},
		{"brno", "POST", "/roles", `{"name":"m","organization_id":{/Acme/Brno},"permissions":["status.read"],"why":"x","preset":true}`},
		{"chief", "POST", "/audit/reviews", `{"up_to":1,"who":"somebody else"}`},
		{"chief", "POST", "/audit/reviews", `{"up_to":1,"at":"2020-01-01T00:00:00Z"}`},
		{"guest", "PATCH", "/me", `{"role":"administrator"}`},
		{"guest", "PATCH", "/me", `{"state":"active","shared":false}`},
		{"guest", "PATCH", "/me", `{"organization_id":1}`},
		{"brno", "POST", "/me/show-as", `{"person_id":{guest},"rights":"own"}`},
	} {
		got := w.attack(t, in.who, in.method, "/api/v1"+w.path(in.target), w.path(in.body))
		if got.status != http.StatusBadRequest || got.code() != "not-valid" {
			t.Errorf("%s %s %s: %d %s", in.method, in.target, in.body, got.status, got.body)
		}
	}
	if after := w.acts(t); after != before {
		t.Errorf("%d acts were done", after-before)
	}
}
