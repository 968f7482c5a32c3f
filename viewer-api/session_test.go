package viewerapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"halley"
)

func nowTime() time.Time { return time.Now() }

// signInBody issues a first sign-in and gives the request that uses it.
func signInBody(t *testing.T, k *kit) request {
	t.Helper()
	secret, err := k.access.First.Issue(halley.MillisOf(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return request{method: http.MethodPost, target: "/api/v1/session", body: fmt.Sprintf(`{"secret":%q}`, secret)}
}

func TestBrowserSignsInAndOut(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts(), withViewer)
	server := httptest.NewTLSServer(k.api)
	defer server.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := server.Client()
	browser.Jar = jar
	do := func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var text strings.Builder
		if _, err := fmt.Fprint(&text, readAll(t, resp)); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, text.String()
	}
	if status, _ := do("GET", "/", ""); status != http.StatusOK {
		t.Fatalf("the page is answered %d before signing in", status)
	}
	if status, _ := do("GET", "/api/v1/me", ""); status != http.StatusUnauthorized {
		t.Fatalf("before signing in: %d", status)
	}
	in := signInBody(t, k)
	if status, body := do("POST", in.target, in.body); status != http.StatusNoContent || body != "" {
		t.Fatalf("signing in: %d %s", status, body)
	}
	status, body := do("GET", "/api/v1/me", "")
	var me struct{ Name, Kind, Role string }
	if err := json.Unmarshal([]byte(body), &me); err != nil || status != http.StatusOK || me.Kind != "session" || me.Role != "administrator" {
		t.Fatalf("me: %d %s %v", status, body, err)
	}
	if status, _ := do("POST", "/api/v1/journal/flush", ""); status != http.StatusForbidden {
		t.Errorf("before there is an account the journal is flushed: %d", status)
	}
	if status, _ := do("POST", in.target, in.body); status != http.StatusUnauthorized {
		t.Errorf("the secret was taken twice: %d", status)
	}
	if status, _ := do("DELETE", "/api/v1/session", ""); status != http.StatusNoContent {
		t.Fatalf("signing out: %d", status)
	}
	if status, _ := do("GET", "/api/v1/me", ""); status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", status)
	}
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	var b strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buffer)
		b.Write(buffer[:n])
		if err != nil {
			return b.String()
		}
	}
}

func TestSignInRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body        string
		status      int
		code, field string
		wrong       bool
	}{
		"another secret":  {`{"secret":"AAAAAAAAAAAAAAAAAAAAAAAAAA"}`, 401, "secret-not-valid", "", false},
		"nothing":         {`{}`, 400, "not-valid", "name", true},
		"an empty secret": {`{"secret":""}`, 400, "not-valid", "name", true},
		"no password":     {`{"name":"jana"}`, 400, "not-valid", "password", true},
		"nobody's name":   {`{"name":"jana","password":"x","code":"1"}`, 401, "sign-in-failed", "", false},
		"no body":         {``, 400, "not-valid", "name", true},
		"a long secret":   {`{"secret":"` + strings.Repeat("A", 201) + `"}`, 400, "not-valid", "secret", true},
		"a number":        {`{"secret":1}`, 400, "not-valid", "secret", true},
		"a name besides":  {`{"secret":"A","name":"B"}`, 400, "not-valid", "secret", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, quietParts())
			good := signInBody(t, k)
			got := k.do(t, request{method: "POST", target: "/api/v1/session", body: tt.body, wrong: tt.wrong})
			checkProblem(t, got, tt.status, tt.code, tt.field)
			if got.header.Get("Set-Cookie") != "" {
				t.Error("a cookie was set")
			}
			if got := k.do(t, good); got.status != http.StatusNoContent {
				t.Errorf("the right secret afterwards: %d", got.status)
			}
		})
	}
}

func TestSecretEndsAfterAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, quietParts())
		in := signInBody(t, k)
		wait(t, time.Hour)
		checkProblem(t, k.do(t, in), http.StatusUnauthorized, "secret-not-valid", "")
	})
}

// wait lets time pass in a synctest bubble.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

func TestOneOfTwoSignInsWins(t *testing.T) {
	t.Parallel()
	for range 10 {
		k := newKit(t, quietParts())
		in := signInBody(t, k)
		var won atomic.Int32
		var both sync.WaitGroup
		begin := make(chan struct{})
		for range 2 {
			both.Go(func() {
				<-begin
				switch got := k.do(t, in); got.status {
				case http.StatusNoContent:
					won.Add(1)
				case http.StatusUnauthorized:
				default:
					t.Errorf("status %d: %s", got.status, got.body)
				}
			})
		}
		close(begin)
		both.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d of two won", won.Load())
		}
	}
}

func TestAttemptsToSignInAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, quietParts())
		for range 20 {
			k.do(t, request{method: "POST", target: "/api/v1/session", body: `{"secret":"A"}`})
		}
		got := k.do(t, request{method: "POST", target: "/api/v1/session", body: `{"secret":"A"}`})
		checkProblem(t, got, http.StatusTooManyRequests, "too-many-attempts", "")
		if got.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestSessionIsIdleWithoutRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, quietParts())
		cookie := signedIn(t, k)
		me := request{target: "/api/v1/me", header: cookie}
		for range 10 {
			wait(t, 50*time.Minute)
			if got := k.do(t, me); got.status != http.StatusOK {
				t.Fatalf("status %d in use", got.status)
			}
		}
		wait(t, 61*time.Minute)
		checkProblem(t, k.do(t, me), http.StatusUnauthorized, "session-not-valid", "")
	})
}

// signedIn signs in and gives the header of later requests.
func signedIn(t *testing.T, k *kit) map[string]string {
	t.Helper()
	got := k.do(t, signInBody(t, k))
	if got.status != http.StatusNoContent {
		t.Fatalf("signing in: %d %s", got.status, got.body)
	}
	pair, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return map[string]string{"Cookie": pair}
}

func TestTokenThatSignsOutGoesOn(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	if got := k.do(t, request{method: "DELETE", target: "/api/v1/session", token: k.reader}); got.status != http.StatusNoContent {
		t.Fatalf("status %d", got.status)
	}
	if got := k.get(t, "/api/v1/me"); got.status != http.StatusOK {
		t.Errorf("the token has ended: %d", got.status)
	}
}
