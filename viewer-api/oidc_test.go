package viewerapi_test

import (
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halley"
	"halley/config"
	"halley/server/grouproles"
	"halley/server/oidcsignin"
	"halley/server/oidcsignin/issuertest"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// storageUpdate makes an account shared.
func storageUpdate(shared *bool) storage.PersonUpdate { return storage.PersonUpdate{Shared: shared} }

// rootTree knows the root alone.
type rootTree struct{}

func (rootTree) FindPath(path string) (halley.OrganizationID, bool) {
	return halley.RootOrganization, path == "/"
}

// withIssuer gives a kit that has people sign in with an issuer of its own.
func withIssuer(t *testing.T) (*factorKit, *issuertest.Issuer) {
	t.Helper()
	issuer, err := issuertest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	folder := t.TempDir()
	c := config.Defaults().OIDC
	c.Issuer, c.ClientID = issuer.URL, issuertest.ClientID
	c.ClientSecretFile, c.Certificate = filepath.Join(folder, "secret"), filepath.Join(folder, "ca.pem")
	c.Groups = []string{"laboratory -> user@/"}
	err = errors.Join(
		os.WriteFile(c.ClientSecretFile, []byte(issuertest.ClientSecret), 0o600),
		os.WriteFile(c.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuer.Certificate().Raw}), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	s, err := oidcsignin.New(oidcsignin.Options{
		Config: c, Tree: func() grouproles.Tree { return rootTree{} }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return newFactorKit(t, func(o *viewerapi.Options) { o.OIDC = s }), issuer
}

// ticketFrom gives the header with the cookie of a sign-in elsewhere.
func ticketFrom(t *testing.T, got answer) map[string]string {
	t.Helper()
	line := got.header.Get("Set-Cookie")
	pair, rest, _ := strings.Cut(line, ";")
	if !strings.HasPrefix(pair, "__Host-halley-oidc=") {
		t.Fatalf("no ticket: %q", line)
	}
	for _, part := range []string{"Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600"} {
		if !strings.Contains(rest, part) {
			t.Errorf("the ticket %q lacks %s", rest, part)
		}
	}
	return map[string]string{"Cookie": pair}
}

// goThere begins a sign-in and has the issuer send the browser back.
func (k *factorKit) goThere(t *testing.T, issuer *issuertest.Issuer, to string) (back *url.URL, ticket map[string]string) {
	t.Helper()
	begun := k.ask(t, "GET", "/api/v1/session/oidc/main?to="+url.QueryEscape(to), "", nil)
	if begun.status != http.StatusSeeOther || !strings.HasPrefix(begun.header.Get("Location"), issuer.URL+"/authorize?") {
		t.Fatalf("beginning: %d %q", begun.status, begun.header.Get("Location"))
	}
	back, err := issuer.SignIn(begun.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if back.Scheme+"://"+back.Host != site {
		t.Fatalf("the issuer sends back to %s", back)
	}
	return back, ticketFrom(t, begun)
}

func TestBrowserSignsInWithAnIssuer(t *testing.T) {
	t.Parallel()
	k, issuer := withIssuer(t)
	issuer.Claims = func(c map[string]any) { c["preferred_username"] = "eva" }
	back, ticket := k.goThere(t, issuer, "/places/7?from=x")
	got := k.ask(t, "GET", back.RequestURI(), "", ticket)
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/places/7?from=x" {
		t.Fatalf("coming back: %d %q %s", got.status, got.header.Get("Location"), k.log)
	}
	cookie := cookieFrom(got)
	if cookie == nil {
		t.Fatal("no session began")
	}
	if gone := strings.Join(got.header.Values("Set-Cookie"), "\n"); !strings.Contains(gone, "__Host-halley-oidc=; Path=/; Max-Age=0") {
		t.Errorf("the ticket stays: %s", gone)
	}
	me := k.ask(t, "GET", "/api/v1/me", "", cookie)
	for _, part := range []string{`"name":"eva"`, `"source":"oidc"`, `"full_name":"Jana Nováková"`, `"role":"user"`} {
		if !strings.Contains(me.body, part) {
			t.Errorf("me lacks %s: %s", part, me.body)
		}
	}
	again := k.ask(t, "GET", back.RequestURI(), "", ticket)
	if again.header.Get("Location") != "/#sign-in=oidc-expired" || cookieFrom(again) != nil {
		t.Errorf("the same way back again: %d %q", again.status, again.header.Get("Location"))
	}
}

func TestFailuresOfAnIssuerEndOnTheSignInPage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spoil func(k *factorKit, issuer *issuertest.Issuer)
		code  string
	}{
		"no": {func(_ *factorKit, i *issuertest.Issuer) {
			i.Callback = func(b url.Values) { b.Set("error", "access_denied") }
		}, "oidc-cancelled"},
		"another client": {func(_ *factorKit, i *issuertest.Issuer) { i.Claims = func(c map[string]any) { c["aud"] = "x" } }, "oidc-failed"},
		"no role": {func(_ *factorKit, i *issuertest.Issuer) {
			i.Claims = func(c map[string]any) { c["groups"] = []string{} }
		}, "no-role"},
		"no token":      {func(_ *factorKit, i *issuertest.Issuer) { i.Token = func(a map[string]any) { clear(a) } }, "oidc-away"},
		"a name in use": {func(*factorKit, *issuertest.Issuer) {}, "sign-in-failed"},
		"a name that is none": {func(_ *factorKit, i *issuertest.Issuer) {
			i.Claims = func(c map[string]any) { c["preferred_username"] = "<script>alert(1)</script>" }
		}, "sign-in-failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, issuer := withIssuer(t)
			tt.spoil(k, issuer)
			back, ticket := k.goThere(t, issuer, "/")
			got := k.ask(t, "GET", back.RequestURI(), "", ticket)
			if got.status != http.StatusSeeOther || got.header.Get("Location") != "/#sign-in="+tt.code || cookieFrom(got) != nil {
				t.Errorf("%d %q, want %s: %s", got.status, got.header.Get("Location"), tt.code, k.log)
			}
			if strings.Contains(k.log.String(), issuertest.ClientSecret) {
				t.Error("the client's secret stands in the log")
			}
		})
	}
}

func TestIssuerLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	k, issuer := withIssuer(t)
	issuer.Claims = func(c map[string]any) { c["preferred_username"] = "eva" }
	for _, to := range []string{"//evil.example", "https://evil.example", "/\\evil.example", "/api/v1/devices", "/\r\nSet-Cookie: x=y"} {
		back, ticket := k.goThere(t, issuer, to)
		if got := k.ask(t, "GET", back.RequestURI(), "", ticket); got.header.Get("Location") != "/" {
			t.Errorf("%q leads to %q", to, got.header.Get("Location"))
		}
	}
}

func TestSignInElsewhereIsBoundToTheBrowser(t *testing.T) {
	t.Parallel()
	k, issuer := withIssuer(t)
	issuer.Claims = func(c map[string]any) { c["preferred_username"] = "eva" }
	mine, _ := k.goThere(t, issuer, "/")
	_, ticket := k.goThere(t, issuer, "/")
	for name, cookie := range map[string]map[string]string{"of another sign-in": ticket, "none": nil} {
		got := k.ask(t, "GET", mine.RequestURI(), "", cookie)
		if got.header.Get("Location") != "/#sign-in=oidc-expired" || cookieFrom(got) != nil {
			t.Errorf("with the ticket %s: %q", name, got.header.Get("Location"))
		}
	}
}

func TestIssuerThatIsAwayEndsOnTheSignInPage(t *testing.T) {
	t.Parallel()
	k, issuer := withIssuer(t)
	issuer.Break(true)
	got := k.ask(t, "GET", "/api/v1/session/oidc/main", "", nil)
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/#sign-in=oidc-away" {
		t.Errorf("%d %q", got.status, got.header.Get("Location"))
	}
	if _, local := k.signIn(t, ""); local.status != http.StatusNoContent {
		t.Errorf("an account of Halley meanwhile: %d", local.status)
	}
}

func TestIssuersThatAreNotThere(t *testing.T) {
	t.Parallel()
	k, _ := withIssuer(t)
	without := newFactorKit(t)
	for _, path := range []string{"/api/v1/session/oidc/other", "/api/v1/session/oidc/other/callback"} {
		checkProblem(t, k.ask(t, "GET", path, "", nil), http.StatusNotFound, "not-found", "")
	}
	for _, path := range []string{"/api/v1/session/oidc/main", "/api/v1/session/oidc/main/callback"} {
		checkProblem(t, without.ask(t, "GET", path, "", nil), http.StatusNotFound, "not-found", "")
	}
	twice := k.do(t, request{target: site + "/api/v1/session/oidc/main?to=/&to=//evil.example", wrong: false})
	checkProblem(t, twice, http.StatusBadRequest, "not-valid", "to")
}
