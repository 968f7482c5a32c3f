// Package issuertest is an issuer of OpenID Connect for tests, on this machine: discovery, a page to sign in, codes with PKCE, tokens
// and keys. It checks what an issuer must, and can be made to say what none should. It is no issuer for anything else.
package issuertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Client is what the issuer knows of this server.
const (
	ClientID     = "halley"
	ClientSecret = "the client's secret of the test"
)

// Issuer is a running issuer. The functions may be set before it is asked; nil ones change nothing.
type Issuer struct {
	*httptest.Server
	// Claims changes what the id_token says. Sign makes the token of the claims in place of Issuer.Signed.
	Claims func(claims map[string]any)
	Sign   func(claims map[string]any) string
	// Discovery changes what the issuer says about itself, Callback where it sends people back, Token what it answers for a code.
	Discovery func(says map[string]any)
	Callback  func(back url.Values)
	Token     func(answer map[string]any)
	// UserInfo is what it says of the person when it is asked; nil says nothing.
	UserInfo map[string]any

	mu     sync.Mutex
	key    *ecdsa.PrivateKey
	keyID  string
	codes  map[string]authorization
	asked  map[string]int
	broken bool
}

// authorization is what belongs to a code.
type authorization struct{ redirect, nonce, challenge string }

// New starts an issuer with TLS, whose authority is Issuer.Certificate.
func New() (*Issuer, error) {
	i := &Issuer{codes: make(map[string]authorization), asked: make(map[string]int)}
	if err := i.Rotate(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("GET /userinfo", i.userInfo)
	i.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.asked[r.URL.Path]++
		broken := i.broken
		i.mu.Unlock()
		if broken {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return i, nil
}

// Rotate makes a new key, with which every later token is signed.
func (i *Issuer) Rotate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key, i.keyID = key, rand.Text()
	return nil
}

// Break has the issuer answer nothing but failures, or not any more.
func (i *Issuer) Break(broken bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.broken = broken
}

// Asked says how often a path was asked for.
func (i *Issuer) Asked(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

// SignIn does what a browser does: it goes where the viewer sent it, as a person who agrees to everything, and gives the address that
// it is sent back to.
func (i *Issuer) SignIn(address string) (*url.URL, error) {
	client := i.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Get(address) //nolint:noctx // a test's own browser
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return answer.Location()
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	says := map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
		"jwks_uri": i.URL + "/keys", "userinfo_endpoint": i.URL + "/userinfo", "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
		"code_challenge_methods_supported": []string{"S256"},
	}
	if i.Discovery != nil {
		i.Discovery(says)
	}
	write(w, says)
}

func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	scopes := strings.Fields(q.Get("scope"))
	if q.Get("response_type") != "code" || q.Get("client_id") != ClientID || q.Get("code_challenge_method") != "S256" ||
		len(q.Get("code_challenge")) != 43 || q.Get("state") == "" || q.Get("nonce") == "" || len(scopes) == 0 || scopes[0] != "openid" {
		http.Error(w, "this request is not as it should be", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	i.mu.Lock()
	i.codes[code] = authorization{redirect: q.Get("redirect_uri"), nonce: q.Get("nonce"), challenge: q.Get("code_challenge")}
	i.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	if i.Callback != nil {
		i.Callback(back)
	}
	w.Header().Set("Location", q.Get("redirect_uri")+"?"+back.Encode())
	w.WriteHeader(http.StatusFound)
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id != ClientID || secret != url.QueryEscape(ClientSecret) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	i.mu.Lock()
	a, known := i.codes[r.PostFormValue("code")]
	delete(i.codes, r.PostFormValue("code"))
	i.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if !known || a.redirect != r.PostFormValue("redirect_uri") || subtle.ConstantTimeCompare([]byte(challenge), []byte(a.challenge)) != 1 {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	now := time.Now()
	claims := map[string]any{
		"iss": i.URL, "sub": "subject 1", "aud": ClientID, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": a.nonce,
		"preferred_username": "jana", "name": "Jana Nováková", "email": "jana@acme.test", "groups": []string{"laboratory", "everybody"},
	}
	if i.Claims != nil {
		i.Claims(claims)
	}
	sign := i.Sign
	if sign == nil {
		sign = i.Signed
	}
	answer := map[string]any{"access_token": "the access token", "token_type": "Bearer", "expires_in": 60, "id_token": sign(claims)}
	if i.Token != nil {
		i.Token(answer)
	}
	write(w, answer)
}

// Signed gives the token of claims, signed with ES256 as it should be.
func (i *Issuer) Signed(claims map[string]any) string {
	i.mu.Lock()
	key, id := i.key, i.keyID
	i.mu.Unlock()
	return SignedBy(key, map[string]any{"alg": "ES256", "kid": id, "typ": "JWT"}, claims)
}

// KeyID gives the name of the key that signs now.
func (i *Issuer) KeyID() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keyID
}

// SignedBy gives the token of claims signed with any key.
func SignedBy(key *ecdsa.PrivateKey, header, claims map[string]any) string {
	text := Encoded(header) + "." + Encoded(claims)
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return ""
	}
	const half = 32
	signature := make([]byte, 2*half)
	r.FillBytes(signature[:half])
	s.FillBytes(signature[half:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// Encoded gives a part of a token.
func Encoded(v map[string]any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	key, id := i.key, i.keyID
	i.mu.Unlock()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	const half = 32
	write(w, map[string]any{"keys": []map[string]any{{
		"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
		"x": base64.RawURLEncoding.EncodeToString(point[1 : 1+half]), "y": base64.RawURLEncoding.EncodeToString(point[1+half:]),
	}}})
}

func (i *Issuer) userInfo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer the access token" || i.UserInfo == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	write(w, maps.Clone(i.UserInfo))
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"error":"` + code + `"}`)) // The client is gone where this fails.
}

func write(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // The client is gone where this fails.
}
