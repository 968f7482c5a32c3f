package oidcsignin_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // The database of the issuer.

	"halley"
	"halley/config"
	"halley/server/access"
	"halley/server/oidcsignin"
	"halley/server/oidcsignin/issuertest"
)

const (
	glewlwydTables  = "/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz"
	glewlwydModules = "/usr/lib/glewlwyd"
	// startWithin bounds how long it may take until it answers.
	startWithin = 20 * time.Second
	janaSecret  = "Jana's password"
	// plainSecret needs no escaping, which this issuer does not undo.
	plainSecret = "secret-of-the-client-0123456789"
)

// glewlwyd is an issuer of OpenID Connect that others wrote, as a process of its own on this machine's loopback.
type glewlwyd struct {
	url    string
	client *http.Client
}

// startGlewlwyd starts one with a client and a person, or skips.
func startGlewlwyd(t *testing.T) *glewlwyd {
	t.Helper()
	program, err := exec.LookPath("glewlwyd")
	if err == nil {
		_, err = os.Stat(glewlwydTables)
	}
	if err != nil {
		t.Skip("sign-in with an issuer of OpenID Connect that others wrote was not tested: glewlwyd is not installed (apt install glewlwyd)")
	}
	folder := t.TempDir()
	makeTables(t, filepath.Join(folder, "issuer.db"))
	// Between finding a free port and taking it somebody else may take it.
	for range 5 {
		if g, ok := runGlewlwyd(t, program, folder); ok {
			g.fill(t)
			return g
		}
	}
	t.Fatal("glewlwyd does not start")
	return nil
}

// makeTables makes the database of the issuer, as its package does.
func makeTables(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(glewlwydTables)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(io.LimitReader(packed, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err = db.ExecContext(t.Context(), string(text)); err != nil {
		t.Fatal(err)
	}
}

func runGlewlwyd(t *testing.T, program, folder string) (*glewlwyd, bool) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	if err = l.Close(); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(glewlwydConf, port, address, glewlwydModules, filepath.Join(folder, "issuer.db"))
	conf := filepath.Join(folder, "issuer.conf")
	if err = os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--config-file="+conf)
	log := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err = cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	g := &glewlwyd{url: "http://" + address, client: &http.Client{
		Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(startWithin); time.Now().Before(end); {
		select {
		case <-ended:
			t.Logf("glewlwyd ended: %s", log)
			return nil, false
		case <-tick.C:
		}
		if status, _ := g.ask(t.Context(), http.MethodGet, "/config", nil); status == http.StatusOK {
			return g, true
		}
	}
	return nil, false
}

// ask asks the issuer's own API.
func (g *glewlwyd) ask(ctx context.Context, method, path string, body any) (status int, answer string) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err.Error()
	}
	r, err := http.NewRequestWithContext(ctx, method, g.url+path, bytes.NewReader(text))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := g.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(content)
}

func (g *glewlwyd) must(t *testing.T, method, path string, body any) {
	t.Helper()
	if status, answer := g.ask(t.Context(), method, path, body); status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
}

// fill sets it up as an administrator would: a client, a person, and the person's consent.
func (g *glewlwyd) fill(t *testing.T) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	// Its package makes this administrator.
	g.must(t, "POST", "/api/auth/", object{"username": "admin", "password": "password"})
	g.must(t, "POST", "/api/mod/plugin/", object{"module": "oidc", "name": "oidc", "display_name": "oidc", "enabled": true, "parameters": object{
		"iss": g.url + "/api/oidc", "jwt-type": "rsa", "jwt-key-size": "256",
		"key":                   string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"cert":                  string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		"access-token-duration": 3600, "refresh-token-duration": 3600, "code-duration": 600, "refresh-token-rolling": true,
		"allow-non-oidc": false, "auth-type-code-enabled": true, "auth-type-code-revoke-replayed": true, "auth-type-refresh-enabled": true,
		"jwks-show": true, "pkce-allowed": true, "pkce-method-plain-allowed": false, "pkce-required": true, "subject-type": "public",
		"allowed-scope": []string{"openid"}, "scope": []string{}, "additional-parameters": []string{},
		"name-claim": "mandatory", "email-claim": "mandatory", "scope-claim": "no",
		"claims": []object{
			{"name": "preferred_username", "user-property": "username", "type": "string", "mandatory": true},
			{"name": "groups", "user-property": "scope", "type": "string", "mandatory": true},
		},
	}})
	g.must(t, "POST", "/api/scope/", object{"name": "laboratory", "display_name": "x", "password_required": false, "scheme": object{}})
	g.must(t, "POST", "/api/user/", object{
		"username": "jana", "name": "Jana Nováková", "email": "jana@acme.test", "password": janaSecret, "enabled": true,
		"scope": []string{"openid", "g_profile", "laboratory"},
	})
	g.must(t, "POST", "/api/client/", object{
		"client_id": issuertest.ClientID, "name": "Halley", "password": plainSecret, "client_secret": plainSecret,
		"confidential": true, "enabled": true, "scope": []string{}, "redirect_uri": []string{callback}, "authorization_type": []string{"code"},
		"token_endpoint_auth_method": []string{"client_secret_basic"},
	})
	g.must(t, "DELETE", "/api/auth/?username=admin", nil)
	g.must(t, "POST", "/api/auth/", object{"username": "jana", "password": janaSecret})
	g.must(t, "PUT", "/api/auth/grant/"+issuertest.ClientID, object{"scope": "openid"})
}

// visit goes where the viewer sent the browser, as Jana who has signed in there and agreed.
func (g *glewlwyd) visit(t *testing.T, address string) *url.URL {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"&g_continue", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := g.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil || !strings.HasPrefix(back.String(), callback+"?") {
		t.Fatalf("the issuer answers %d %v %v", resp.StatusCode, back, err)
	}
	return back
}

func (g *glewlwyd) settings(t *testing.T, secret string) config.OIDC {
	t.Helper()
	c := config.Defaults().OIDC
	c.Issuer, c.ClientID, c.ClientSecretFile = g.url+"/api/oidc", issuertest.ClientID, writeFile(t, "secret", secret)
	c.Scopes = []string{}
	c.Groups = []string{"laboratory -> user@/Acme/Brno"}
	return c
}

// TestSignInWithGlewlwyd has people sign in with a real issuer: with the right client, the wrong one, somebody else's code, and a code
// that was used.
func TestSignInWithGlewlwyd(t *testing.T) {
	t.Parallel()
	g := startGlewlwyd(t)
	s := signIn(t, g.settings(t, plainSecret))
	begin := func() journey {
		begun, err := s.Begin(t.Context(), "main", viewer, "/places")
		if err != nil {
			t.Fatal(err)
		}
		return journey{begun, g.visit(t, begun.URL)}
	}
	one := begin()
	jana, to, err := finish(t, s, one)
	if err != nil || to != "/places" {
		t.Fatalf("to %q, %v", to, err)
	}
	want := access.Outside{
		Source: halley.OIDC, Subject: jana.Subject, Name: "jana", FullName: "Jana Nováková", Email: "jana@acme.test",
		Grants: []halley.Grant{{Role: halley.User, OrganizationID: 3}},
	}
	if diff := cmp.Diff(want, jana); diff != "" {
		t.Errorf("who came (-want +got):\n%s", diff)
	}
	if again, _, err := finish(t, s, begin()); err != nil || again.Subject != jana.Subject {
		t.Errorf("the second time the subject is %q, %v, want %q", again.Subject, err, jana.Subject)
	}
	mine, victim := begin(), begin()
	q := mine.back.Query()
	q.Set("code", victim.back.Query().Get("code"))
	mine.back.RawQuery = q.Encode()
	_, _, err = finish(t, s, mine)
	if halley.KindOf(err) == halley.Internal || err == nil {
		t.Errorf("with somebody else's code: %v", err)
	}
	used := begin()
	q = used.back.Query()
	q.Set("code", one.back.Query().Get("code"))
	used.back.RawQuery = q.Encode()
	if _, _, err = finish(t, s, used); err == nil {
		t.Error("a used code signs in")
	}
	wrong := signIn(t, g.settings(t, "another-secret"))
	begun, err := wrong.Begin(t.Context(), "main", viewer, "/")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = finish(t, wrong, journey{begun, g.visit(t, begun.URL)})
	checkCode(t, err, oidcsignin.CodeAway)
}

const glewlwydConf = `port=%[1]s
bind_address="127.0.0.1"
external_url="http://%[2]s"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="ERROR"
cookie_secure=0
session_expiration=3600
session_key="GLEWLWYD2_SESSION_ID"
admin_session_authentication="cookie"
profile_session_authentication="cookie"
login_api_enabled=true
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="%[3]s/user"
client_module_path="%[3]s/client"
user_auth_scheme_module_path="%[3]s/scheme"
plugin_module_path="%[3]s/plugin"
use_secure_connection=false
secure_connection_key_file="%[4]s.key"
secure_connection_pem_file="%[4]s.pem"
secure_connection_ca_file="%[4]s.ca"
hash_algorithm="SHA512"
database = { type = "sqlite3" path = "%[4]s" };
`
