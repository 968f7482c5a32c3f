package viewerapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
	"halley/server/secondfactor"
	"halley/server/secondfactor/factortest"
	viewerapi "halley/viewer-api"
)

// site is where the viewer of these tests is opened.
const site = "https://localhost:8443"

// factorKit is a kit whose people can have second factors: jana has the password of accesstest, and wall is shared.
type factorKit struct {
	*kit
	jana halley.PersonID
}

func newFactorKit(t *testing.T, change ...func(*viewerapi.Options)) *factorKit {
	t.Helper()
	p := quietParts()
	k := newKit(t, p, append([]func(*viewerapi.Options){func(o *viewerapi.Options) {
		store, _ := o.Directory.(*accesstest.Memory)
		factors := secondfactor.New(secondfactor.Options{
			Store: store, Copy: func() secondfactor.Copy { return store.Directory() }, Issuer: "Halley",
		})
		with := store.Options(t)
		with.Factors = factors
		o.Access, o.Factors = watchedAccess{access.New(with), p}, factors
	}}, change...)...)
	jana := k.store.Person(t, "jana", halley.Grant{Role: halley.User})
	return &factorKit{kit: k, jana: jana.ID}
}

// ask sends a request of a browser by https.
func (k *factorKit) ask(t *testing.T, method, path, body string, cookie map[string]string) answer {
	t.Helper()
	return k.do(t, request{method: method, target: site + path, body: body, header: cookie})
}

// signIn signs jana in and gives the header of later requests.
func (k *factorKit) signIn(t *testing.T, code string) (map[string]string, answer) {
	t.Helper()
	got := k.ask(t, "POST", "/api/v1/session", fmt.Sprintf(`{"name":"jana","password":%q,"code":%q}`, string(accesstest.Password), code), nil)
	return cookieFrom(got), got
}

// cookieFrom gives the header with the session cookie that an answer sets; nil for none.
func cookieFrom(got answer) map[string]string {
	for _, line := range got.header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(line, ";")
		if strings.HasPrefix(pair, access.CookieName+"=") && pair != access.CookieName+"=" {
			return map[string]string{"Cookie": pair}
		}
	}
	return nil
}

// confirm gives the password anew.
func (k *factorKit) confirm(t *testing.T, cookie map[string]string) {
	t.Helper()
	got := k.ask(t, "POST", "/api/v1/me/confirmation", fmt.Sprintf(`{"password":%q}`, string(accesstest.Password)), cookie)
	if got.status != http.StatusNoContent {
		t.Fatalf("giving the password anew: %d %s", got.status, got.body)
	}
}

// authenticator sets one up and gives its secret, the recovery codes and the new cookie.
func (k *factorKit) authenticator(t *testing.T, cookie map[string]string) (string, []string, map[string]string) {
	t.Helper()
	var setup struct{ Secret, URI, QR string }
	got := k.ask(t, "POST", "/api/v1/me/totp", "{}", cookie)
	if err := json.Unmarshal([]byte(got.body), &setup); err != nil || got.status != http.StatusOK || !strings.HasPrefix(setup.QR, "data:image/png;base64,") {
		t.Fatalf("beginning: %d %s %v", got.status, got.body, err)
	}
	wrong := k.ask(t, "POST", "/api/v1/me/totp/confirmation", `{"code":"no code"}`, cookie)
	checkProblem(t, wrong, http.StatusForbidden, "code-not-valid", "")
	// The step before this one, so that the code of this one is left for what comes next.
	got = k.ask(t, "POST", "/api/v1/me/totp/confirmation", fmt.Sprintf(`{"code":%q}`, k.code(t, setup.Secret, -1)), cookie)
	var codes struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	if err := json.Unmarshal([]byte(got.body), &codes); err != nil || got.status != http.StatusOK || len(codes.RecoveryCodes) != 10 {
		t.Fatalf("confirming: %d %s %v", got.status, got.body, err)
	}
	anew := cookieFrom(got)
	if anew == nil || anew["Cookie"] == cookie["Cookie"] {
		t.Error("the session keeps its cookie")
	}
	checkProblem(t, k.ask(t, "GET", "/api/v1/me", "", cookie), http.StatusUnauthorized, "session-not-valid", "")
	return setup.Secret, codes.RecoveryCodes, anew
}

func (*factorKit) code(t *testing.T, secret string, step int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(step)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestAuthenticatorFromSetupToRemoval(t *testing.T) {
	t.Parallel()
	k := newFactorKit(t)
	cookie, _ := k.signIn(t, "")
	secret, recovery, cookie := k.authenticator(t, cookie)
	checkProblem(t, k.ask(t, "POST", "/api/v1/me/totp/confirmation", `{"code":"123456"}`, cookie), http.StatusConflict, "setup-not-begun", "")

	_, got := k.signIn(t, "")
	needed := checkSecondFactor(t, got)
	if diff := cmp.Diff([]string{"totp", "recovery"}, needed.Factors); diff != "" || cookieFrom(got) != nil {
		t.Errorf("factors (-want +got):\n%s", diff)
	}
	code := k.code(t, secret, 1)
	if _, got = k.signIn(t, code); got.status != http.StatusNoContent {
		t.Fatalf("signing in with a code: %d %s", got.status, got.body)
	}
	_, got = k.signIn(t, code)
	checkProblem(t, got, http.StatusUnauthorized, "code-not-valid", "")
	if _, got = k.signIn(t, recovery[0]); got.status != http.StatusNoContent {
		t.Errorf("signing in with a recovery code: %d %s", got.status, got.body)
	}
	_, got = k.signIn(t, recovery[0])
	checkProblem(t, got, http.StatusUnauthorized, "code-not-valid", "")

	for _, r := range [][2]string{
		{"DELETE", "/api/v1/me/totp"}, {"POST", "/api/v1/me/totp"}, {"POST", "/api/v1/me/recovery-codes"}, {"POST", "/api/v1/me/passkeys/options"},
	} {
		checkProblem(t, k.ask(t, r[0], r[1], "", cookie), http.StatusForbidden, "confirmation-needed", "")
	}
	k.confirm(t, cookie)
	checkProblem(t, k.ask(t, "POST", "/api/v1/me/totp", "{}", cookie), http.StatusConflict, "factor-exists", "")
	if got = k.ask(t, "POST", "/api/v1/me/recovery-codes", "{}", cookie); got.status != http.StatusOK || strings.Contains(got.body, recovery[1]) {
		t.Errorf("new recovery codes: %d", got.status)
	}
	_, got = k.signIn(t, recovery[1])
	checkProblem(t, got, http.StatusUnauthorized, "code-not-valid", "")
	if got = k.ask(t, "DELETE", "/api/v1/me/totp", "", cookie); got.status != http.StatusNoContent {
		t.Fatalf("removing: %d %s", got.status, got.body)
	}
	checkProblem(t, k.ask(t, "DELETE", "/api/v1/me/totp", "", cookie), http.StatusNotFound, "not-found", "")
	checkProblem(t, k.ask(t, "POST", "/api/v1/me/recovery-codes", "{}", cookie), http.StatusConflict, "no-second-factor", "")
	if _, got = k.signIn(t, ""); got.status != http.StatusNoContent {
		t.Errorf("signing in without a second factor: %d", got.status)
	}
	if log := k.log.String(); strings.Contains(log, secret) || strings.Contains(log, recovery[0]) || strings.Contains(log, code) {
		t.Error("a secret stands in the log")
	}
	for _, e := range k.store.Audited() {
		if text := fmt.Sprint(e); strings.Contains(text, secret) || strings.Contains(text, recovery[0]) {
			t.Errorf("a secret stands in the audit: %v", e)
		}
	}
}

// secondFactor is what comes where a second factor is needed.
type secondFactor struct {
	Factors []string
	Pending string
	Passkey json.RawMessage
}

func checkSecondFactor(t *testing.T, got answer) secondFactor {
	t.Helper()
	checkProblem(t, got, http.StatusUnauthorized, "second-factor-needed", "")
	var needed secondFactor
	if err := json.Unmarshal([]byte(got.body), &needed); err != nil || needed.Pending == "" {
		t.Fatalf("%s, %v", got.body, err)
	}
	return needed
}

// addPasskey gives jana a passkey and gives it with the new cookie.
func (k *factorKit) addPasskey(t *testing.T, cookie map[string]string) (*factortest.Authenticator, map[string]string) {
	t.Helper()
	a, err := factortest.NewAuthenticator(site)
	if err != nil {
		t.Fatal(err)
	}
	options := k.ask(t, "POST", "/api/v1/me/passkeys/options", "{}", cookie)
	if options.status != http.StatusOK {
		t.Fatalf("options: %d %s", options.status, options.body)
	}
	made, err := a.Make(json.RawMessage(options.body))
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"name":"<b>blue</b> key","credential":%s}`, made)
	got := k.ask(t, "POST", "/api/v1/me/passkeys", body, cookie)
	if got.status != http.StatusCreated || cookieFrom(got) == nil {
		t.Fatalf("adding: %d %s", got.status, got.body)
	}
	return a, cookieFrom(got)
}

func TestPasskeyFromSetupToRemoval(t *testing.T) {
	t.Parallel()
	k := newFactorKit(t)
	cookie, _ := k.signIn(t, "")
	a, cookie := k.addPasskey(t, cookie)
	var list struct {
		Passkeys []struct {
			ID, Name, Host string
			Copied         bool
		}
	}
	got := k.ask(t, "GET", "/api/v1/me/passkeys", "", cookie)
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || len(list.Passkeys) != 1 ||
		list.Passkeys[0].ID != a.ID() || list.Passkeys[0].Name != "<b>blue</b> key" || list.Passkeys[0].Host != "localhost" {
		t.Errorf("passkeys: %s, %v", got.body, err)
	}
	_, got = k.signIn(t, "")
	needed := checkSecondFactor(t, got)
	proof, err := a.Use(needed.Passkey)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"pending":%q,"credential":%s}`, needed.Pending, proof)
	got = k.ask(t, "POST", "/api/v1/session/passkey", body, nil)
	if got.status != http.StatusNoContent || cookieFrom(got) == nil {
		t.Fatalf("signing in: %d %s", got.status, got.body)
	}
	got = k.ask(t, "POST", "/api/v1/session/passkey", body, nil)
	if got.status != http.StatusUnauthorized || cookieFrom(got) != nil {
		t.Errorf("signing in by the same answer: %d %s", got.status, got.body)
	}
	checkProblem(t, k.ask(t, "DELETE", "/api/v1/me/passkeys/"+a.ID(), "", cookie), http.StatusForbidden, "confirmation-needed", "")
	k.confirm(t, cookie)
	checkProblem(t, k.ask(t, "DELETE", "/api/v1/me/passkeys/nobodys", "", cookie), http.StatusNotFound, "not-found", "")
	if got = k.ask(t, "DELETE", "/api/v1/me/passkeys/"+a.ID(), "", cookie); got.status != http.StatusNoContent {
		t.Errorf("removing: %d %s", got.status, got.body)
	}
	if _, got = k.signIn(t, ""); got.status != http.StatusNoContent {
		t.Errorf("signing in without a second factor: %d", got.status)
	}
}

func TestPasskeyOfAnotherOriginSignsNobodyIn(t *testing.T) {
	t.Parallel()
	k := newFactorKit(t)
	cookie, _ := k.signIn(t, "")
	a, _ := k.addPasskey(t, cookie)
	a.Origin = "https://localhost.evil.example:8443"
	_, got := k.signIn(t, "")
	needed := checkSecondFactor(t, got)
	proof, err := a.Use(needed.Passkey)
	if err != nil {
		t.Fatal(err)
	}
	got = k.ask(t, "POST", "/api/v1/session/passkey", fmt.Sprintf(`{"pending":%q,"credential":%s}`, needed.Pending, proof), nil)
	checkProblem(t, got, http.StatusUnauthorized, "code-not-valid", "")
	if cookieFrom(got) != nil {
		t.Error("a session began")
	}
}

func TestWhoHasNoSecondFactor(t *testing.T) {
	t.Parallel()
	k := newFactorKit(t)
	wall := k.store.Person(t, "wall", halley.Grant{Role: halley.Guest})
	shared := true
	if _, err := k.store.ChangePerson(t.Context(), wall.ID, storageUpdate(&shared), halley.Change{}); err != nil {
		t.Fatal(err)
	}
	got := k.ask(t, "POST", "/api/v1/session", fmt.Sprintf(`{"name":"wall","password":%q}`, string(accesstest.Password)), nil)
	cookie := cookieFrom(got)
	for _, r := range [][3]string{
		{"POST", "/api/v1/me/totp", ""},
		{"POST", "/api/v1/me/totp/confirmation", `{"code":"123456"}`},
		{"DELETE", "/api/v1/me/totp", ""},
		{"POST", "/api/v1/me/recovery-codes", ""},
		{"POST", "/api/v1/me/passkeys/options", ""},
		{"POST", "/api/v1/me/passkeys", `{"name":"x","credential":{"id":"x","rawId":"x","type":"public-key","response":{}}}`},
		{"GET", "/api/v1/me/passkeys", ""},
		{"DELETE", "/api/v1/me/passkeys/x", ""},
	} {
		byToken := k.do(t, request{method: r[0], target: r[1], body: r[2], token: k.admin})
		checkProblem(t, byToken, http.StatusForbidden, "no-account", "")
		byWall := k.ask(t, r[0], r[1], r[2], cookie)
		if byWall.status != http.StatusForbidden {
			t.Errorf("%s %s by a shared account: %d %s", r[0], r[1], byWall.status, byWall.body)
		}
		checkProblem(t, k.ask(t, r[0], r[1], r[2], nil), http.StatusUnauthorized, "credentials-missing", "")
	}
}

func TestFactorRequestsThatCannotBeRight(t *testing.T) {
	t.Parallel()
	k := newFactorKit(t)
	cookie, _ := k.signIn(t, "")
	for name, tt := range map[string]struct{ path, body, field string }{
		"no code":                   {"/api/v1/me/totp/confirmation", `{}`, "code"},
		"a code without end":        {"/api/v1/me/totp/confirmation", `{"code":"` + strings.Repeat("1", 1025) + `"}`, "code"},
		"a field besides":           {"/api/v1/me/totp", `{"person_id":1}`, "person_id"},
		"no name":                   {"/api/v1/me/passkeys", `{"credential":{}}`, "name"},
		"a name that does not show": {"/api/v1/me/passkeys", `{"name":"\u202e","credential":{"id":"x","rawId":"x","type":"public-key","response":{}}}`, "name"},
		"a name without end":        {"/api/v1/me/passkeys", `{"name":"` + strings.Repeat("n", 101) + `","credential":{}}`, "name"},
		"no credential":             {"/api/v1/me/passkeys", `{"name":"x"}`, "credential"},
		"no pending":                {"/api/v1/session/passkey", `{"credential":{}}`, "pending"},
		"no answer":                 {"/api/v1/session/passkey", `{"pending":"x"}`, "credential"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := k.do(t, request{
				method: "POST", target: site + tt.path, body: tt.body, header: cookie, wrong: name != "a name that does not show",
			})
			checkProblem(t, got, http.StatusBadRequest, "not-valid", tt.field)
		})
	}
	huge := `{"name":"x","credential":{"id":"` + string(bytes.Repeat([]byte("x"), 65<<10)) + `","rawId":"x","type":"public-key","response":{}}}`
	checkProblem(t, k.ask(t, "POST", "/api/v1/me/passkeys", huge, cookie), http.StatusRequestEntityTooLarge, "too-large", "")
}
