package oidcsignin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/config"
	"halley/server/access"
	"halley/server/grouproles"
	"halley/server/oidcsignin"
	"halley/server/oidcsignin/issuertest"
)

const (
	viewer   = "https://halley.example:8443"
	callback = viewer + "/api/v1/session/oidc/main/callback"
)

// tree knows the organizations of the tests.
type tree map[string]halley.OrganizationID

func (t tree) FindPath(path string) (halley.OrganizationID, bool) {
	id, ok := t[path]
	return id, ok
}

func startIssuer(t *testing.T) *issuertest.Issuer {
	t.Helper()
	i, err := issuertest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	return i
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func settings(t *testing.T, i *issuertest.Issuer) config.OIDC {
	t.Helper()
	c := config.Defaults().OIDC
	c.Issuer, c.ClientID = i.URL, issuertest.ClientID
	c.ClientSecretFile = writeFile(t, "secret", issuertest.ClientSecret+"\n")
	c.Certificate = writeFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate().Raw})))
	c.Groups = []string{"laboratory -> user@/Acme/Brno", "admins -> administrator@/", "everybody -> guest@/Gone"}
	return c
}

func signIn(t *testing.T, c config.OIDC) *oidcsignin.SignIn {
	t.Helper()
	s, err := oidcsignin.New(oidcsignin.Options{
		Config: c, Tree: func() grouproles.Tree { return tree{"/": 1, "/Acme/Brno": 3} }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// journey is a sign-in on its way.
type journey struct {
	begun oidcsignin.Begun
	back  *url.URL
}

// travel sends a person to the issuer and back.
func travel(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer, to string) journey {
	t.Helper()
	begun, err := s.Begin(t.Context(), "main", viewer, to)
	if err != nil {
		t.Fatal(err)
	}
	back, err := i.SignIn(begun.URL)
	if err != nil {
		t.Fatal(err)
	}
	return journey{begun, back}
}

func finish(t *testing.T, s *oidcsignin.SignIn, j journey) (access.Outside, string, error) {
	t.Helper()
	return s.Finish(t.Context(), oidcsignin.Returned{Issuer: "main", Cookie: j.begun.Cookie, Query: j.back.Query()})
}

// checkCode fails where err has another code, or shows a secret.
func checkCode(t *testing.T, err error, code string) {
	t.Helper()
	e, ok := errors.AsType[*halley.Error](err)
	if !ok || e.Code != code {
		t.Errorf("error = %v, want code %q", err, code)
	}
	if err != nil && strings.Contains(err.Error(), issuertest.ClientSecret) {
		t.Errorf("the error shows the secret: %v", err)
	}
}

func TestPeopleOfAnIssuerSignIn(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	s := signIn(t, settings(t, i))
	j := travel(t, s, i, "/places/7?from=x")
	if got, _, _ := strings.Cut(j.back.String(), "?"); got != callback {
		t.Errorf("the issuer sends back to %s, want %s", got, callback)
	}
	jana, to, err := finish(t, s, j)
	if err != nil {
		t.Fatal(err)
	}
	if to != "/places/7?from=x" {
		t.Errorf("went to %q", to)
	}
	if !strings.HasSuffix(jana.Subject, ":subject 1") {
		t.Errorf("the subject is %q", jana.Subject)
	}
	jana.Subject = ""
	want := access.Outside{
		Source: halley.OIDC, Name: "jana", FullName: "Jana Nováková", Email: "jana@acme.test",
		Grants: []halley.Grant{{Role: halley.User, OrganizationID: 3}},
	}
	if diff := cmp.Diff(want, jana); diff != "" {
		t.Errorf("who came (-want +got):\n%s", diff)
	}
	if n := i.Asked("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("the issuer was asked about itself %d times", n)
	}
}

func TestWhatIssuersSay(t *testing.T) {
	t.Parallel()
	say := func(name string, v any) func(*issuertest.Issuer) {
		return func(i *issuertest.Issuer) {
			i.Claims = func(c map[string]any) {
				if v == nil {
					delete(c, name)
					return
				}
				c[name] = v
			}
		}
	}
	laboratory := []halley.Grant{{Role: halley.User, OrganizationID: 3}}
	tests := map[string]struct {
		issuer   func(*issuertest.Issuer)
		settings func(*config.OIDC)
		want     func(*access.Outside)
		code     string
	}{
		"one group as a text":  {issuer: say("groups", "laboratory")},
		"a group in a claim":   {issuer: say("realm_access", map[string]any{"roles": []string{"admins"}}), settings: func(c *config.OIDC) { c.GroupsClaim = "realm_access.roles" }, want: func(o *access.Outside) { o.Grants = []halley.Grant{{Role: halley.Administrator, OrganizationID: 1}} }},
		"a claim with a point": {issuer: say("acme.groups", []string{"laboratory"}), settings: func(c *config.OIDC) { c.GroupsClaim = "acme.groups" }},
		"an address that is not checked": {
			issuer: say("email_verified", false), want: func(o *access.Outside) { o.Email = "" },
		},
		"another claim for the name": {settings: func(c *config.OIDC) { c.NameClaim = "email" }, want: func(o *access.Outside) { o.Name = "jana@acme.test" }},
		"no groups are mapped":       {settings: func(c *config.OIDC) { c.Groups = nil }, want: func(o *access.Outside) { o.Grants = nil }},
		"groups only when asked": {issuer: func(i *issuertest.Issuer) {
			say("groups", nil)(i)
			i.UserInfo = map[string]any{"sub": "subject 1", "groups": []string{"laboratory"}, "preferred_username": "somebody else"}
		}},
		"groups of somebody else when asked": {issuer: func(i *issuertest.Issuer) {
			say("groups", nil)(i)
			i.UserInfo = map[string]any{"sub": "subject 2", "groups": []string{"admins"}}
		}, code: oidcsignin.CodeFailed},
		"no answer when asked":     {issuer: say("groups", nil), code: oidcsignin.CodeAway},
		"in no group":              {issuer: say("groups", []string{}), code: oidcsignin.CodeNoRole},
		"in a group that is none":  {issuer: say("groups", []string{"LABORATORY", "laboratory "}), code: oidcsignin.CodeNoRole},
		"groups that are no texts": {issuer: say("groups", []any{1, true, nil, []string{"admins"}}), code: oidcsignin.CodeNoRole},
		"groups elsewhere":         {issuer: func(i *issuertest.Issuer) { i.Claims = overage }, code: oidcsignin.CodeFailed},
		"no name": {issuer: func(i *issuertest.Issuer) {
			say("preferred_username", nil)(i)
			i.UserInfo = map[string]any{"sub": "subject 1"}
		}, code: oidcsignin.CodeFailed},
		"a subject without end": {issuer: say("sub", strings.Repeat("s", 256)), code: oidcsignin.CodeFailed},
		"no subject":            {issuer: say("sub", nil), code: oidcsignin.CodeFailed},
		"several clients, and ours": {issuer: func(i *issuertest.Issuer) {
			i.Claims = func(c map[string]any) { c["aud"], c["azp"] = []string{"x", "halley"}, "halley" }
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := startIssuer(t)
			if tt.issuer != nil {
				tt.issuer(i)
			}
			c := settings(t, i)
			if tt.settings != nil {
				tt.settings(&c)
			}
			s := signIn(t, c)
			got, _, err := finish(t, s, travel(t, s, i, "/"))
			if tt.code != "" {
				checkCode(t, err, tt.code)
				return
			}
			want := access.Outside{
				Source: halley.OIDC, Subject: got.Subject, Name: "jana", FullName: "Jana Nováková", Email: "jana@acme.test", Grants: laboratory,
			}
			if tt.want != nil {
				tt.want(&want)
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// overage is what Microsoft Entra says of people in very many groups.
func overage(c map[string]any) {
	delete(c, "groups")
	c["_claim_names"] = map[string]any{"groups": "src1"}
	c["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": "https://graph.example/groups"}}
}

// TestTokensThatProveNothing has the issuer, or somebody on the way, give tokens that must not be taken.
func TestTokensThatProveNothing(t *testing.T) {
	t.Parallel()
	claim := func(name string, v any) func(*issuertest.Issuer) {
		return func(i *issuertest.Issuer) { i.Claims = func(c map[string]any) { c[name] = v } }
	}
	sign := func(how func(i *issuertest.Issuer, c map[string]any) string) func(*issuertest.Issuer) {
		return func(i *issuertest.Issuer) { i.Sign = func(c map[string]any) string { return how(i, c) } }
	}
	tests := map[string]func(*issuertest.Issuer){
		"for another client":                claim("aud", "somebody else"),
		"for several clients without ours":  claim("aud", []string{"a", "b"}),
		"for several clients, by nobody":    claim("aud", []string{"halley", "b"}),
		"made for another client":           claim("azp", "somebody else"),
		"of another issuer":                 claim("iss", "https://evil.example"),
		"expired":                           claim("exp", time.Now().Add(-time.Second).Unix()),
		"without an end":                    claim("exp", nil),
		"of the future":                     claim("iat", time.Now().Add(time.Hour).Unix()),
		"not valid yet":                     claim("nbf", time.Now().Add(time.Hour).Unix()),
		"of another sign-in":                claim("nonce", "another one"),
		"without a nonce":                   claim("nonce", ""),
		"with the hash of another token":    claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"signed by nobody":                  sign(func(_ *issuertest.Issuer, c map[string]any) string { return unsigned(c, "none") }),
		"signed by nobody, written as None": sign(func(_ *issuertest.Issuer, c map[string]any) string { return unsigned(c, "None") }),
		"without a signature": sign(func(i *issuertest.Issuer, c map[string]any) string {
			t := i.Signed(c)
			return t[:strings.LastIndex(t, ".")+1]
		}),
		"changed afterwards": sign(func(i *issuertest.Issuer, c map[string]any) string {
			parts := strings.Split(i.Signed(c), ".")
			c["groups"] = []string{"admins"}
			parts[1] = issuertest.Encoded(c)
			return strings.Join(parts, ".")
		}),
		"signed with another key": sign(func(i *issuertest.Issuer, c map[string]any) string { return foreign(i, c, nil) }),
		"signed with a key that it brings along": sign(func(i *issuertest.Issuer, c map[string]any) string {
			return foreign(i, c, map[string]any{"jku": i.URL + "/evil"})
		}),
		"signed with the public key as a secret": sign(symmetric),
		"that is none":                           sign(func(*issuertest.Issuer, map[string]any) string { return "no token" }),
		"that is empty":                          sign(func(*issuertest.Issuer, map[string]any) string { return "" }),
		"that is missing":                        func(i *issuertest.Issuer) { i.Token = func(a map[string]any) { delete(a, "id_token") } },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := startIssuer(t)
			spoil(i)
			s := signIn(t, settings(t, i))
			_, _, err := finish(t, s, travel(t, s, i, "/"))
			checkCode(t, err, oidcsignin.CodeFailed)
		})
	}
}

func unsigned(c map[string]any, alg string) string {
	return issuertest.Encoded(map[string]any{"alg": alg, "typ": "JWT"}) + "." + issuertest.Encoded(c) + "."
}

func foreign(i *issuertest.Issuer, c, more map[string]any) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return ""
	}
	header := map[string]any{"alg": "ES256", "kid": i.KeyID()}
	maps.Copy(header, more)
	return issuertest.SignedBy(key, header, c)
}

func symmetric(i *issuertest.Issuer, c map[string]any) string {
	text := issuertest.Encoded(map[string]any{"alg": "HS256", "kid": i.KeyID()}) + "." + issuertest.Encoded(c)
	mac := hmac.New(sha256.New, i.Certificate().RawSubjectPublicKeyInfo)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// TestAttacksOnTheWayBack plays what somebody could do to a browser that comes back.
func TestAttacksOnTheWayBack(t *testing.T) {
	t.Parallel()
	set := func(j *journey, name, v string) {
		q := j.back.Query()
		q.Set(name, v)
		j.back.RawQuery = q.Encode()
	}
	tests := map[string]struct {
		attack func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey
		code   string
	}{
		"without a cookie": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j := travel(t, s, i, "/")
			j.begun.Cookie = ""
			return j
		}, oidcsignin.CodeExpired},
		"with a cookie of one's own": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j := travel(t, s, i, "/")
			j.begun.Cookie = halley.Secret(base64.RawURLEncoding.EncodeToString([]byte(`{"state":"x"}`)))
			return j
		}, oidcsignin.CodeExpired},
		"with the cookie of another server": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			return travel(t, signIn(t, settings(t, i)), i, "/")
		}, oidcsignin.CodeExpired},
		"with the state of somebody else": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j, other := travel(t, s, i, "/"), travel(t, s, i, "/")
			set(&j, "state", other.back.Query().Get("state"))
			return j
		}, oidcsignin.CodeExpired},
		"without a state": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j := travel(t, s, i, "/")
			set(&j, "state", "")
			return j
		}, oidcsignin.CodeExpired},
		"with two states": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j := travel(t, s, i, "/")
			j.back.RawQuery += "&state=another"
			return j
		}, oidcsignin.CodeExpired},
		"with the code of somebody else": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j, victim := travel(t, s, i, "/"), travel(t, s, i, "/")
			set(&j, "code", victim.back.Query().Get("code")) // PKCE: the verifier is another one
			return j
		}, oidcsignin.CodeFailed},
		"with a made-up code": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j := travel(t, s, i, "/")
			set(&j, "code", "made up")
			return j
		}, oidcsignin.CodeFailed},
		"with two codes": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j := travel(t, s, i, "/")
			j.back.RawQuery += "&code=another"
			return j
		}, oidcsignin.CodeFailed},
		"without a code": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j := travel(t, s, i, "/")
			set(&j, "code", "")
			return j
		}, oidcsignin.CodeFailed},
		"from another issuer": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j := travel(t, s, i, "/")
			set(&j, "iss", "https://evil.example")
			return j
		}, oidcsignin.CodeFailed},
		"a second time": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			j := travel(t, s, i, "/")
			if _, _, err := finish(t, s, j); err != nil {
				t.Fatal(err)
			}
			return j
		}, oidcsignin.CodeExpired},
		"after saying no": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			i.Callback = func(back url.Values) { back.Del("code"); back.Set("error", "access_denied") }
			return travel(t, s, i, "/")
		}, oidcsignin.CodeCancelled},
		"with an error": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			i.Callback = func(back url.Values) { back.Set("error", "<script>alert(1)</script>") }
			return travel(t, s, i, "/")
		}, oidcsignin.CodeFailed},
		"from an issuer that must name itself": {func(t *testing.T, s *oidcsignin.SignIn, i *issuertest.Issuer) journey {
			i.Discovery = func(says map[string]any) { says["authorization_response_iss_parameter_supported"] = true }
			return travel(t, s, i, "/")
		}, oidcsignin.CodeFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := startIssuer(t)
			s := signIn(t, settings(t, i))
			_, _, err := finish(t, s, tt.attack(t, s, i))
			checkCode(t, err, tt.code)
		})
	}
}

func TestNobodyIsSentElsewhere(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	s := signIn(t, settings(t, i))
	for _, to := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "/api/v1/devices"} {
		if _, went, err := finish(t, s, travel(t, s, i, to)); err != nil || went != "/" {
			t.Errorf("%q leads to %q, %v", to, went, err)
		}
	}
}

func TestKeysOfTheIssuerChange(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	s := signIn(t, settings(t, i))
	for range 3 {
		if _, _, err := finish(t, s, travel(t, s, i, "/")); err != nil {
			t.Fatal(err)
		}
		if err := i.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	if n := i.Asked("/keys"); n != 3 {
		t.Errorf("the keys were asked for %d times, want once for each", n)
	}
}

func TestIssuerThatIsAway(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	i.Break(true)
	s := signIn(t, settings(t, i))
	for range 3 {
		_, err := s.Begin(t.Context(), "main", viewer, "/")
		checkCode(t, err, oidcsignin.CodeAway)
		if halley.KindOf(err) != halley.Unavailable {
			t.Errorf("kind %d, want unavailable", halley.KindOf(err))
		}
	}
	if n := i.Asked("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("an issuer that does not answer was asked %d times within a moment", n)
	}
}

func TestIssuerIsAskedAgain(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	i.Break(true)
	s := signIn(t, settings(t, i))
	_, err := s.Begin(t.Context(), "main", viewer, "/")
	checkCode(t, err, oidcsignin.CodeAway)
	i.Break(false)
	oidcsignin.LetTimePass(s)
	if _, _, err = finish(t, s, travel(t, s, i, "/")); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	i.Break(true)
	j, err := s.Begin(t.Context(), "main", viewer, "/")
	if err != nil || j.URL == "" {
		t.Errorf("what it said about itself is forgotten: %v", err)
	}
}

// TestIssuersThatCannotBeUsed has the issuer say things about itself that must not be followed.
func TestIssuersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	says := func(name string, v any) func(*issuertest.Issuer) {
		return func(i *issuertest.Issuer) { i.Discovery = func(d map[string]any) { d[name] = v } }
	}
	for name, spoil := range map[string]func(*issuertest.Issuer){
		"it is another one":              says("issuer", "https://evil.example"),
		"people sign in without TLS":     says("authorization_endpoint", "http://login.example/authorize"),
		"people sign in by script":       says("authorization_endpoint", "javascript:alert(1)"),
		"it does not say where":          says("authorization_endpoint", ""),
		"it takes no S256":               says("code_challenge_methods_supported", []string{"plain"}),
		"its tokens are at another host": says("token_endpoint", "https://203.0.113.7/token"),
		"its keys are at another host":   says("jwks_uri", "https://203.0.113.7/keys"),
		"its tokens are given in clear":  says("token_endpoint", "http://127.0.0.1:1/token"),
		"its tokens are at another port": says("token_endpoint", "https://127.0.0.1:1/token"),
		"its tokens need another secret": func(i *issuertest.Issuer) {
			i.Discovery = func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"} }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := startIssuer(t)
			spoil(i)
			s := signIn(t, settings(t, i))
			begun, err := s.Begin(t.Context(), "main", viewer, "/")
			if err != nil {
				checkCode(t, err, oidcsignin.CodeAway)
				return
			}
			back, err := i.SignIn(begun.URL)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = finish(t, s, journey{begun, back})
			if halley.KindOf(err) != halley.Unavailable && halley.KindOf(err) != halley.Unauthenticated {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestSettingsOfTheClient(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*config.OIDC)
		begins bool
	}{
		"a wrong secret":                   {func(c *config.OIDC) { c.ClientSecretFile = writeSecret(c, "wrong") }, true},
		"an empty secret":                  {func(c *config.OIDC) { c.ClientSecretFile = writeSecret(c, "\n") }, false},
		"no file with the secret":          {func(c *config.OIDC) { c.ClientSecretFile += ".gone" }, false},
		"no secret where one is needed":    {func(c *config.OIDC) { c.ClientSecretFile = "" }, true},
		"an authority that did not sign":   {func(c *config.OIDC) { c.Certificate = "" }, false},
		"no certificate in the file":       {func(c *config.OIDC) { c.Certificate = c.ClientSecretFile }, false},
		"no file with the certificate":     {func(c *config.OIDC) { c.Certificate += ".gone" }, false},
		"an issuer by plain HTTP":          {func(c *config.OIDC) { c.Issuer = "http://" + strings.TrimPrefix(c.Issuer, "https://") }, false},
		"an issuer that nobody answers at": {func(c *config.OIDC) { c.Issuer = "https://127.0.0.1:1" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := startIssuer(t)
			c := settings(t, i)
			tt.change(&c)
			s := signIn(t, c)
			begun, err := s.Begin(t.Context(), "main", viewer, "/")
			if !tt.begins {
				checkCode(t, err, oidcsignin.CodeAway)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			back, err := i.SignIn(begun.URL)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = finish(t, s, journey{begun, back})
			checkCode(t, err, oidcsignin.CodeAway)
		})
	}
}

func writeSecret(c *config.OIDC, text string) string {
	path := c.ClientSecretFile + ".other"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return ""
	}
	return path
}

func TestOtherIssuersAreNotThere(t *testing.T) {
	t.Parallel()
	s := signIn(t, settings(t, startIssuer(t)))
	if _, err := s.Begin(t.Context(), "other", viewer, "/"); halley.KindOf(err) != halley.NotFound {
		t.Errorf("begin: %v", err)
	}
	if _, _, err := s.Finish(t.Context(), oidcsignin.Returned{Issuer: "other"}); halley.KindOf(err) != halley.NotFound {
		t.Errorf("finish: %v", err)
	}
	if diff := cmp.Diff([]oidcsignin.Issuer{{ID: "main", Name: "Company sign-in"}}, s.Issuers()); diff != "" {
		t.Errorf("issuers (-want +got):\n%s", diff)
	}
}
