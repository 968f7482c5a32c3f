package viewerapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
)

// credentials is the body of a sign-in.
func credentials(name string, password halley.Secret) string {
	return fmt.Sprintf(`{"name":%q,"password":%q}`, name, password.Reveal())
}

// signedInAs signs somebody in with the password of accesstest and gives the header of later requests.
func signedInAs(t *testing.T, k *kit, name string) map[string]string {
	t.Helper()
	got := k.do(t, request{method: "POST", target: "/api/v1/session", body: credentials(name, accesstest.Password)})
	if got.status != http.StatusNoContent {
		t.Fatalf("signing in: %d %s", got.status, got.body)
	}
	return cookieHeader(got)
}

// cookieHeader gives the header by which a browser sends back the cookie that was set.
func cookieHeader(got answer) map[string]string {
	pair, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return map[string]string{"Cookie": pair}
}

func TestPersonSignsInAndSeesThemself(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	p := k.store.Person(t, "jana", halley.Grant{Role: halley.Administrator})
	cookie := signedInAs(t, k, "Jana")
	got := k.do(t, request{target: "/api/v1/me", header: cookie})
	var me struct {
		Name, Kind, Role, Must, Source string
		PersonID                       int64 `json:"person_id"`
		Roles                          []struct{ Role, Organization string }
		Permissions                    []string
		SignOutChoices                 []int `json:"sign_out_choices"`
		SignOutMinutes                 int   `json:"sign_out_minutes"`
	}
	if err := json.Unmarshal([]byte(got.body), &me); err != nil || got.status != http.StatusOK {
		t.Fatalf("me: %d %s %v", got.status, got.body, err)
	}
	if me.Name != "jana" || me.Kind != "session" || me.PersonID != int64(p.ID) || me.Role != "administrator" || me.Must != "" || me.Source != "local" ||
		len(me.Roles) != 1 || me.Roles[0].Organization != "/" || len(me.Permissions) != len(halley.Permissions()) ||
		me.SignOutMinutes != 60 || len(me.SignOutChoices) != 4 {
		t.Errorf("me: %s", got.body)
	}
	got = k.do(t, request{method: "PATCH", target: "/api/v1/me", header: cookie, body: `{"full_name":"Jana D.","sign_out_minutes":15}`})
	if got.status != http.StatusOK || !strings.Contains(got.body, `"full_name":"Jana D."`) || !strings.Contains(got.body, `"sign_out_minutes":15`) {
		t.Errorf("changed: %d %s", got.status, got.body)
	}
}

func TestSignInAnswersTheSameWhateverIsWrong(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	k.store.Person(t, "jana", halley.Grant{Role: halley.Administrator})
	answers := map[string]string{}
	for name, body := range map[string]string{
		"a wrong password": credentials("jana", "wrong"), "nobody's name": credentials("nobody", accesstest.Password),
		"script for a name": credentials("<script>alert(1)</script>", "x"),
	} {
		got := k.do(t, request{method: "POST", target: "/api/v1/session", body: body})
		checkProblem(t, got, http.StatusUnauthorized, "sign-in-failed", "")
		answers[got.body] = name
	}
	if len(answers) != 1 {
		t.Errorf("there are %d different answers: %v", len(answers), answers)
	}
}

func TestGuessingIsAskedToWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, quietParts())
		for range 5 {
			k.do(t, request{method: "POST", target: "/api/v1/session", body: credentials("jana", "wrong")})
		}
		got := k.do(t, request{method: "POST", target: "/api/v1/session", body: credentials("jana", "wrong")})
		checkProblem(t, got, http.StatusTooManyRequests, "too-many-attempts", "")
		if after := got.header.Get("Retry-After"); after != "1" {
			t.Errorf("Retry-After = %q, want 1", after)
		}
	})
}

func TestFirstAccountIsMadeOnce(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	ways := k.do(t, request{target: "/api/v1/sign-in"})
	if ways.status != http.StatusOK || !strings.Contains(ways.body, `"first":true`) {
		t.Fatalf("before: %d %s", ways.status, ways.body)
	}
	attempt := func(name string) answer {
		secret, err := k.access.First.Issue(halley.MillisOf(time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"secret":%q,"name":%q,"password":%q}`, secret, name, accesstest.Password.Reveal())
		return k.do(t, request{method: "POST", target: "/api/v1/first-account", body: body})
	}
	got := attempt("jana")
	if got.status != http.StatusNoContent {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if me := k.do(t, request{target: "/api/v1/me", header: cookieHeader(got)}); me.status != http.StatusOK || !strings.Contains(me.body, `"must":""`) {
		t.Errorf("me: %d %s", me.status, me.body)
	}
	checkProblem(t, attempt("eva"), http.StatusConflict, "accounts-exist", "")
	if ways := k.do(t, request{target: "/api/v1/sign-in"}); !strings.Contains(ways.body, `"first":false`) {
		t.Errorf("afterwards: %s", ways.body)
	}
}

func TestPasswordIsChanged(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	k.store.Person(t, "jana", halley.Grant{Role: halley.Administrator})
	here, there := signedInAs(t, k, "jana"), signedInAs(t, k, "jana")
	change := func(former, next halley.Secret) answer {
		body := fmt.Sprintf(`{"password":%q,"new_password":%q}`, former.Reveal(), next.Reveal())
		return k.do(t, request{method: "POST", target: "/api/v1/me/password", header: here, body: body})
	}
	checkProblem(t, change("wrong", "Ferry-to-Zlin.60"), http.StatusForbidden, "password-wrong", "")
	checkProblem(t, change(accesstest.Password, "Password1!"), http.StatusBadRequest, "password-refused", "new_password")
	got := change(accesstest.Password, "Ferry-to-Zlin.60")
	if got.status != http.StatusNoContent {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for name, tt := range map[string]struct {
		header map[string]string
		want   int
	}{"the new cookie": {cookieHeader(got), 200}, "the former": {here, 401}, "another session": {there, 401}} {
		if me := k.do(t, request{target: "/api/v1/me", header: tt.header}); me.status != tt.want {
			t.Errorf("%s: %d, want %d", name, me.status, tt.want)
		}
	}
}

func TestOwnSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	k.store.Person(t, "jana", halley.Grant{Role: halley.Administrator})
	here, there := signedInAs(t, k, "jana"), signedInAs(t, k, "jana")
	var page struct {
		Sessions []struct {
			ID   string
			This bool
		}
	}
	got := k.do(t, request{target: "/api/v1/me/sessions", header: here})
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || len(page.Sessions) != 2 {
		t.Fatalf("%d %s %v", got.status, got.body, err)
	}
	for _, s := range page.Sessions {
		if s.This {
			continue
		}
		if got := k.do(t, request{method: "DELETE", target: "/api/v1/me/sessions/" + s.ID, header: here}); got.status != http.StatusNoContent {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if me := k.do(t, request{target: "/api/v1/me", header: there}); me.status != http.StatusUnauthorized {
		t.Errorf("the session that was ended: %d", me.status)
	}
	if me := k.do(t, request{target: "/api/v1/me", header: here}); me.status != http.StatusOK {
		t.Errorf("the own session: %d", me.status)
	}
}

func TestLinkIsLookedAtAndUsedOnce(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	p := k.store.Person(t, "jana", halley.Grant{Role: halley.Administrator})
	l, err := access.NewLink(t.Context(), k.store, "", p, halley.Change{At: halley.MillisOf(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(l.URL.Reveal(), "=")
	look := func() answer {
		return k.do(t, request{method: "POST", target: "/api/v1/links/look", body: fmt.Sprintf(`{"secret":%q}`, secret)})
	}
	if got := look(); got.status != http.StatusOK || !strings.Contains(got.body, `"purpose":"reset","name":"jana"`) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	use := request{method: "POST", target: "/api/v1/links", body: fmt.Sprintf(`{"secret":%q,"password":"Ferry-to-Zlin.60"}`, secret)}
	if got := k.do(t, use); got.status != http.StatusNoContent || got.header.Get("Set-Cookie") == "" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	checkProblem(t, k.do(t, use), http.StatusUnauthorized, "link-not-valid", "")
	checkProblem(t, look(), http.StatusUnauthorized, "link-not-valid", "")
}

func TestForgottenPasswordIsHeardWhoeverAsks(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	k.store.Person(t, "jana", halley.Grant{Role: halley.Administrator})
	for _, name := range []string{"jana", "nobody"} {
		got := k.do(t, request{method: "POST", target: "/api/v1/password-reset", body: fmt.Sprintf(`{"name":%q}`, name)})
		if got.status != http.StatusNoContent || got.body != "" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func TestProgramHasNoAccountToChange(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	for target, body := range map[string]string{
		"/api/v1/me/password":     `{"password":"a","new_password":"b"}`,
		"/api/v1/me/confirmation": `{"password":"a"}`,
	} {
		got := k.do(t, request{method: "POST", target: target, token: k.admin, body: body})
		checkProblem(t, got, http.StatusForbidden, "no-account", "")
	}
}
