package access_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
)

var account = access.Caller{Name: "someone", Role: halley.Administrator}

// begin begins a session and gives its cookie as a browser keeps it.
func begin(t *testing.T, s *access.Sessions, former string) (*http.Cookie, access.Caller) {
	t.Helper()
	h := http.Header{}
	caller, err := s.Begin(t.Context(), h, former, account)
	if err != nil {
		t.Fatal(err)
	}
	return cookieOf(t, h), caller
}

func cookieOf(t *testing.T, h http.Header) *http.Cookie {
	t.Helper()
	cookies := (&http.Response{Header: h}).Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies were set, want 1", len(cookies))
	}
	return cookies[0]
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &accesstest.Memory{}
		cookie, caller := begin(t, access.NewSessions(store), "")
		type attributes struct {
			Name, Path, Domain string
			Secure, HTTPOnly   bool
			SameSite           http.SameSite
			MaxAge             int
		}
		want := attributes{Name: "__Host-halley", Path: "/", Secure: true, HTTPOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 43201}
		got := attributes{cookie.Name, cookie.Path, cookie.Domain, cookie.Secure, cookie.HttpOnly, cookie.SameSite, cookie.MaxAge}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("cookie (-want +got):\n%s", diff)
		}
		sum := sha256.Sum256([]byte(cookie.Value))
		if diff := cmp.Diff([]string{base64.RawURLEncoding.EncodeToString(sum[:])}, store.Keys()); diff != "" {
			t.Errorf("keys in the store, want the hash alone (-want +got):\n%s", diff)
		}
		wantCaller := access.Caller{
			Kind: access.BySession, Name: "someone", Role: halley.Administrator, Session: caller.Session,
			ExpiresAt: halley.MillisOf(time.Now().Add(12 * time.Hour)),
		}
		if diff := cmp.Diff(wantCaller, caller); diff != "" {
			t.Errorf("caller (-want +got):\n%s", diff)
		}
		if caller.Session == "" || strings.Contains(cookie.Value, caller.Session) {
			t.Error("the name of the session must tell it from others and hold nothing of its cookie")
		}
	})
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		every    time.Duration
		activity bool
		alive    time.Duration
		gone     time.Duration
	}{
		"after an hour without use":               {every: 12 * time.Hour, activity: true, alive: 0, gone: time.Hour},
		"after an hour of requests that are none": {every: 5 * time.Minute, activity: false, alive: 55 * time.Minute, gone: time.Hour},
		"after twelve hours of use":               {every: 20 * time.Minute, activity: true, alive: 11*time.Hour + 40*time.Minute, gone: 12*time.Hour + time.Minute},
		"not at 59 minutes of pauses":             {every: 58 * time.Minute, activity: true, alive: 10 * time.Hour, gone: 13 * time.Hour},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := access.NewSessions(&accesstest.Memory{})
				cookie, _ := begin(t, s, "")
				begun := time.Now()
				for time.Since(begun) <= tt.alive {
					if _, err := s.Find(t.Context(), cookie.Value, tt.activity); err != nil {
						t.Fatalf("after %v: %v", time.Since(begun), err)
					}
					wait(t, tt.every)
				}
				if rest := tt.gone - time.Since(begun); rest > 0 {
					wait(t, rest)
				}
				_, err := s.Find(t.Context(), cookie.Value, tt.activity)
				checkUnauthenticated(t, err, "session-not-valid")
			})
		})
	}
}

func TestSessionIsWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		writes := 0
		store := &accesstest.Memory{}
		store.FailWith(func(op string) error {
			mu.Lock()
			defer mu.Unlock()
			if op == "save session" {
				writes++
			}
			return nil
		})
		s := access.NewSessions(store)
		cookie, _ := begin(t, s, "")
		for range 300 {
			if _, err := s.Find(t.Context(), cookie.Value, true); err != nil {
				t.Fatal(err)
			}
			wait(t, time.Second)
		}
		if writes != 5 {
			t.Errorf("300 requests in five minutes wrote the session %d times, want 5", writes)
		}
	})
}

func TestSignInRenewsTheSession(t *testing.T) {
	t.Parallel()
	store := &accesstest.Memory{}
	s := access.NewSessions(store)
	first, _ := begin(t, s, "")
	second, _ := begin(t, s, first.Value)
	if first.Value == second.Value {
		t.Error("the second sign-in kept the cookie")
	}
	_, err := s.Find(t.Context(), first.Value, true)
	checkUnauthenticated(t, err, "session-not-valid")
	if _, err := s.Find(t.Context(), second.Value, true); err != nil {
		t.Error(err)
	}
	if got := len(store.Keys()); got != 1 {
		t.Errorf("%d sessions are left, want 1", got)
	}
}

func TestSignInTakesNoCookieOfAnother(t *testing.T) {
	t.Parallel()
	s := access.NewSessions(&accesstest.Memory{})
	cookie, _ := begin(t, s, "chosen by someone else")
	if cookie.Value == "chosen by someone else" {
		t.Error("a session began under a cookie that somebody else chose")
	}
}

func TestEndedSessionIsGone(t *testing.T) {
	t.Parallel()
	store := &accesstest.Memory{}
	s := access.NewSessions(store)
	cookie, _ := begin(t, s, "")
	h := http.Header{}
	if err := s.End(t.Context(), h, cookie.Value); err != nil {
		t.Fatal(err)
	}
	if got := cookieOf(t, h); got.MaxAge != -1 || got.Value != "" || !got.Secure {
		t.Errorf("the cookie was not taken back: %v", got)
	}
	_, err := s.Find(t.Context(), cookie.Value, true)
	checkUnauthenticated(t, err, "session-not-valid")
	if len(store.Keys()) != 0 {
		t.Error("the store still has the session")
	}
	if err := s.End(t.Context(), http.Header{}, cookie.Value); err != nil {
		t.Errorf("ending it twice: %v", err)
	}
}

// A request that read the session before it was ended must not write it anew.
func TestEndedSessionDoesNotComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &endsAfterRead{Memory: &accesstest.Memory{}}
		s := access.NewSessions(store)
		cookie, _ := begin(t, s, "")
		wait(t, 2*time.Minute) // Now activity is due to be written.
		store.end = func() {
			store.end = nil
			if err := s.End(t.Context(), http.Header{}, cookie.Value); err != nil {
				t.Error(err)
			}
		}
		_, err := s.Find(t.Context(), cookie.Value, true)
		checkUnauthenticated(t, err, "session-not-valid")
		if got := store.Keys(); len(got) != 0 {
			t.Errorf("the ended session is in the store again")
		}
	})
}

// endsAfterRead is a store in which a session is ended right after it was read.
type endsAfterRead struct {
	*accesstest.Memory
	end func()
}

func (e *endsAfterRead) Session(ctx context.Context, hash string, at halley.Millis) ([]byte, bool, error) {
	data, found, err := e.Memory.Session(ctx, hash, at)
	if e.end != nil {
		e.end()
	}
	return data, found, err
}

func TestSessionDataThatCannotBeReadIsNoSession(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{"not JSON": "\x00\xff", "empty object": "{}", "no role": `{"deadline":"2126-01-01T00:00:00Z","values":{"name":"x"}}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &accesstest.Memory{}
			s := access.NewSessions(store)
			cookie, _ := begin(t, s, "")
			store.Spoil([]byte(data))
			_, err := s.Find(t.Context(), cookie.Value, true)
			checkUnauthenticated(t, err, "session-not-valid")
			if again, _ := begin(t, s, cookie.Value); again.Value == cookie.Value {
				t.Error("a new session kept the cookie")
			}
		})
	}
}

func TestSessionSaysWhenTheStoreIsAway(t *testing.T) {
	t.Parallel()
	away := &halley.Error{Kind: halley.Unavailable}
	store := &accesstest.Memory{}
	s := access.NewSessions(store)
	cookie, _ := begin(t, s, "")
	store.FailWith(func(string) error { return away })
	_, find := s.Find(t.Context(), cookie.Value, true)
	_, begun := s.Begin(t.Context(), http.Header{}, "", account)
	end := s.End(t.Context(), http.Header{}, cookie.Value)
	for name, err := range map[string]error{"find": find, "begin": begun, "end": end} {
		if halley.KindOf(err) != halley.Unavailable {
			t.Errorf("%s: %v, want unavailable", name, err)
		}
	}
}

func TestAnyCookieIsOnlyACookie(t *testing.T) {
	t.Parallel()
	s := access.NewSessions(&accesstest.Memory{})
	for _, cookie := range []string{"", "x", strings.Repeat("A", 43), "\x00", "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		if _, err := s.Find(t.Context(), cookie, true); halley.KindOf(err) != halley.Unauthenticated {
			t.Errorf("cookie %q: %v, want unauthenticated", cookie, err)
		}
	}
}
