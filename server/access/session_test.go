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
	"halley/storage"
)

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		person := store.Person(t, "jana", administrator)
		h := http.Header{}
		caller, err := a.SignIn(t.Context(), h, access.Credentials{Name: "jana", Password: accesstest.Password}, office)
		if err != nil {
			t.Fatal(err)
		}
		cookie := cookieOf(t, h)
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
		if caller.ExpiresAt != halley.MillisOf(time.Now().Add(12*time.Hour)) || caller.PersonID != person.ID || caller.Name != "jana" {
			t.Errorf("caller %+v", caller)
		}
		if caller.Session == "" || strings.Contains(cookie.Value, caller.Session) {
			t.Error("the name of the session must tell it from others and hold nothing of its cookie")
		}
	})
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		choice  int // of the person; 0 for none
		every   time.Duration
		passive bool
		alive   time.Duration
		gone    time.Duration
	}{
		"after an hour without use":               {every: 12 * time.Hour, alive: 0, gone: time.Hour},
		"after an hour of requests that are none": {every: 5 * time.Minute, passive: true, alive: 55 * time.Minute, gone: time.Hour},
		"after twelve hours of use":               {every: 20 * time.Minute, alive: 11*time.Hour + 40*time.Minute, gone: 12*time.Hour + time.Minute},
		"not at 59 minutes of pauses":             {every: 58 * time.Minute, alive: 10 * time.Hour, gone: 13 * time.Hour},
		"after 15 minutes by one's own choice":    {choice: 15, every: 5 * time.Minute, passive: true, alive: 10 * time.Minute, gone: 15 * time.Minute},
		"after 90 minutes at most":                {choice: 120, every: 10 * time.Minute, passive: true, alive: 80 * time.Minute, gone: 90 * time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, store := assembled(t, func(o *access.Options) { o.SignOutAfter, o.SignOutAtMost = 60, 90 })
				person := store.Person(t, "jana", administrator)
				if tt.choice != 0 {
					if _, err := store.ChangePerson(t.Context(), person.ID, storage.PersonUpdate{SignOutMinutes: &tt.choice}, halley.Change{}); err != nil {
						t.Fatal(err)
					}
				}
				cookie := signIn(t, a, "jana", office)
				in := access.Presented{Cookie: cookie, Passive: tt.passive}
				begun := time.Now()
				for time.Since(begun) <= tt.alive {
					if _, err := a.Authenticate(t.Context(), in); err != nil {
						t.Fatalf("after %v: %v", time.Since(begun), err)
					}
					wait(t, tt.every)
				}
				if rest := tt.gone - time.Since(begun); rest > 0 {
					wait(t, rest)
				}
				_, err := a.Authenticate(t.Context(), in)
				checkUnauthenticated(t, err, "session-not-valid")
				if len(store.Keys()) != 0 && time.Since(begun) < 2*time.Hour {
					t.Error("the session that is over is still in the store")
				}
			})
		})
	}
}

func TestSessionIsWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		writes := 0
		a, store := assembled(t)
		store.Person(t, "jana", administrator)
		store.FailWith(func(op string) error {
			mu.Lock()
			defer mu.Unlock()
			if op == "save session" {
				writes++
			}
			return nil
		})
		cookie := signIn(t, a, "jana", office)
		for range 300 {
			if _, err := find(t, a, cookie); err != nil {
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
	a, store := assembled(t)
	store.Person(t, "jana", administrator)
	first := signIn(t, a, "jana", office)
	second := signIn(t, a, "jana", with(first))
	if first == second {
		t.Error("the second sign-in kept the cookie")
	}
	_, err := find(t, a, first)
	checkUnauthenticated(t, err, "session-not-valid")
	if _, err := find(t, a, second); err != nil {
		t.Error(err)
	}
	if got := len(store.Keys()); got != 1 {
		t.Errorf("%d sessions are left, want 1", got)
	}
}

func TestSignInTakesNoCookieOfAnother(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.Person(t, "jana", administrator)
	if got := signIn(t, a, "jana", with("chosen by someone else")); got == "chosen by someone else" {
		t.Error("a session began under a cookie that somebody else chose")
	}
}

// Whatever raises what a session can do gives it a new cookie and ends the former one.
func TestCookieIsNewAfterEveryProof(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.Person(t, "jana", administrator)
	for name, prove := range map[string]func(h http.Header, cookie string) error{
		"a second factor": func(h http.Header, cookie string) error { return a.Renew(t.Context(), h, cookie) },
		"a new password": func(h http.Header, cookie string) error {
			caller, err := find(t, a, cookie)
			if err != nil {
				return err
			}
			return a.ChangePassword(t.Context(), h, caller, access.NewPassword{Former: accesstest.Password, Next: "Tram-to-Kromeriz.59"}, with(cookie))
		},
	} {
		before := signIn(t, a, "jana", office)
		h := http.Header{}
		if err := prove(h, before); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := find(t, a, before); halley.KindOf(err) != halley.Unauthenticated {
			t.Errorf("%s: the former cookie still counts: %v", name, err)
		}
		if _, err := find(t, a, cookieOf(t, h).Value); err != nil {
			t.Errorf("%s: the new cookie: %v", name, err)
		}
		if name == "a new password" {
			break
		}
	}
}

func TestRenewedSessionDoesNotLiveLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		store.Person(t, "jana", administrator)
		cookie := signIn(t, a, "jana", office)
		want, err := find(t, a, cookie)
		if err != nil {
			t.Fatal(err)
		}
		wait(t, 30*time.Minute)
		h := http.Header{}
		if err := a.Renew(t.Context(), h, cookie); err != nil {
			t.Fatal(err)
		}
		got, err := find(t, a, cookieOf(t, h).Value)
		if err != nil || got.ExpiresAt != want.ExpiresAt {
			t.Errorf("the renewed session ends at %v, %v, want %v", got.ExpiresAt, err, want.ExpiresAt)
		}
	})
}

func TestEndedSessionIsGone(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.Person(t, "jana", administrator)
	cookie := signIn(t, a, "jana", office)
	h := http.Header{}
	if err := a.SignOut(t.Context(), h, cookie); err != nil {
		t.Fatal(err)
	}
	if got := cookieOf(t, h); got.MaxAge != -1 || got.Value != "" || !got.Secure {
		t.Errorf("the cookie was not taken back: %v", got)
	}
	_, err := find(t, a, cookie)
	checkUnauthenticated(t, err, "session-not-valid")
	if len(store.Keys()) != 0 {
		t.Error("the store still has the session")
	}
	if err := a.SignOut(t.Context(), http.Header{}, cookie); err != nil {
		t.Errorf("ending it twice: %v", err)
	}
}

// A request that read the session before it was ended must not write it anew.
func TestEndedSessionDoesNotComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &endsAfterRead{Memory: &accesstest.Memory{}}
		o := store.Options(t)
		o.Sessions = access.NewSessions(store)
		a := access.New(o)
		store.Person(t, "jana", administrator)
		cookie := signIn(t, a, "jana", office)
		wait(t, 2*time.Minute) // Now activity is due to be written.
		store.end = func() {
			store.end = nil
			if err := a.SignOut(t.Context(), http.Header{}, cookie); err != nil {
				t.Error(err)
			}
		}
		_, err := find(t, a, cookie)
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
	for name, data := range map[string]string{
		"not JSON": "\x00\xff", "empty object": "{}",
		"of an earlier version": `{"deadline":"2126-01-01T00:00:00Z","values":{"name":"x","role":"administrator"}}`,
		"of nobody's number":    `{"deadline":"2126-01-01T00:00:00Z","values":{"person":"-1"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, store := assembled(t)
			store.Person(t, "jana", administrator)
			cookie := signIn(t, a, "jana", office)
			store.Spoil([]byte(data))
			_, err := find(t, a, cookie)
			checkUnauthenticated(t, err, "session-not-valid")
			if again := signIn(t, a, "jana", with(cookie)); again == cookie {
				t.Error("a new session kept the cookie")
			}
		})
	}
}

func TestSessionSaysWhenTheStoreIsAway(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.Person(t, "jana", administrator)
	cookie := signIn(t, a, "jana", office)
	store.FailWith(func(string) error { return &halley.Error{Kind: halley.Unavailable} })
	_, found := find(t, a, cookie)
	_, begun := a.SignIn(t.Context(), http.Header{}, access.Credentials{Name: "jana", Password: accesstest.Password}, office)
	ended := a.SignOut(t.Context(), http.Header{}, cookie)
	for name, err := range map[string]error{"find": found, "begin": begun, "end": ended} {
		if halley.KindOf(err) != halley.Unavailable {
			t.Errorf("%s: %v, want unavailable", name, err)
		}
	}
}

func TestAnyCookieIsOnlyACookie(t *testing.T) {
	t.Parallel()
	a, _ := assembled(t)
	for _, cookie := range []string{"x", strings.Repeat("A", 43), "\x00", "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		if _, err := find(t, a, cookie); halley.KindOf(err) != halley.Unauthenticated {
			t.Errorf("cookie %q: %v, want unauthenticated", cookie, err)
		}
	}
}

func TestSessionsEndWhereThePersonMayNotGoOn(t *testing.T) {
	t.Parallel()
	state := func(s halley.PersonState) func(*testing.T, *access.Access, *accesstest.Memory, halley.PersonID) {
		return func(t *testing.T, _ *access.Access, store *accesstest.Memory, id halley.PersonID) {
			if _, err := store.ChangePerson(t.Context(), id, storage.PersonUpdate{State: &s}, halley.Change{At: 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]func(*testing.T, *access.Access, *accesstest.Memory, halley.PersonID){
		"disabled": state(halley.PersonDisabled),
		"deleted":  state(halley.PersonDeleted),
		"another password": func(t *testing.T, _ *access.Access, store *accesstest.Memory, id halley.PersonID) {
			at := halley.MillisOf(time.Now()) + 1
			if err := store.SetSecret(t.Context(), access.PasswordSecret(id, "$x", at), nil, "", halley.Change{At: at}); err != nil {
				t.Fatal(err)
			}
		},
		"ended by an administrator": func(t *testing.T, a *access.Access, _ *accesstest.Memory, id halley.PersonID) {
			if n, err := a.EndPersonSessions(t.Context(), id, ""); n != 2 || err != nil {
				t.Fatalf("%d sessions ended, %v, want 2", n, err)
			}
		},
	}
	for name, stop := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, store := assembled(t)
			person := store.Person(t, "jana", administrator)
			store.Person(t, "eva", administrator)
			one, two, others := signIn(t, a, "jana", office), signIn(t, a, "jana", office), signIn(t, a, "eva", office)
			stop(t, a, store, person.ID)
			for _, cookie := range []string{one, two} {
				_, err := find(t, a, cookie)
				checkUnauthenticated(t, err, "session-not-valid")
			}
			if _, err := find(t, a, others); err != nil {
				t.Errorf("somebody else's session ended too: %v", err)
			}
			if n := len(store.Keys()); n != 1 {
				t.Errorf("%d sessions are in the store, want 1", n)
			}
		})
	}
}

func TestOwnSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		jana, eva := store.Person(t, "jana", administrator), store.Person(t, "eva", administrator)
		here := signIn(t, a, "jana", office)
		begun := halley.MillisOf(time.Now())
		wait(t, time.Minute)
		there := signIn(t, a, "jana", access.Visitor{Address: "2001:db8::1", Agent: "b\x00ad\u202e agent"})
		hers := signIn(t, a, "eva", office)
		caller, err := find(t, a, here)
		if err != nil {
			t.Fatal(err)
		}
		list, err := a.PersonSessions(t.Context(), jana.ID)
		if err != nil || len(list) != 2 {
			t.Fatalf("sessions %v, %v, want 2", list, err)
		}
		want := map[string]access.Session{}
		minute := 60 * halley.Second
		want[caller.Session] = access.Session{
			ID: caller.Session, BegunAt: begun, SeenAt: begun + minute, ExpiresAt: begun + minute + halley.Hour, Address: "192.0.2.7", Agent: "a browser",
		}
		for _, s := range list {
			if s.ID != caller.Session {
				want[s.ID] = access.Session{
					ID: s.ID, BegunAt: begun + minute, SeenAt: begun + minute, ExpiresAt: begun + minute + halley.Hour, Address: "2001:db8::1", Agent: "bad agent",
				}
				if err := a.EndOwnSession(t.Context(), caller, s.ID); err != nil {
					t.Error(err)
				}
			}
		}
		got := map[string]access.Session{list[0].ID: list[0], list[1].ID: list[1]}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sessions (-want +got):\n%s", diff)
		}
		if _, err := find(t, a, there); halley.KindOf(err) != halley.Unauthenticated {
			t.Errorf("the session that was ended: %v", err)
		}
		her, err := a.PersonSessions(t.Context(), eva.ID)
		if err != nil || len(her) != 1 {
			t.Fatalf("eva's sessions: %v, %v", her, err)
		}
		if err := a.EndOwnSession(t.Context(), caller, her[0].ID); halley.KindOf(err) != halley.NotFound {
			t.Errorf("somebody else's session: %v, want not found", err)
		}
		if _, err := find(t, a, hers); err != nil {
			t.Error(err)
		}
	})
}

func TestShowAsGivesOnlyWhatBothMayRead(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.Person(t, "jana", administrator)
	guest := store.Person(t, "guest one", halley.Grant{Role: halley.Guest})
	cookie := signIn(t, a, "jana", office)
	if err := a.ShowAs(t.Context(), cookie, guest.ID); err != nil {
		t.Fatal(err)
	}
	caller, err := find(t, a, cookie)
	if err != nil || caller.ShowAs != guest.ID || caller.Name != "jana" {
		t.Fatalf("caller %+v, %v", caller, err)
	}
	if !caller.Rights.Holds(halley.PermitSampleRead) || caller.Rights.Holds(halley.PermitAuditRead) || caller.Rights.Holds(halley.PermitPersonChange) {
		t.Errorf("permissions %v", caller.Rights.Permissions())
	}
	if err := a.ShowAs(t.Context(), cookie, 0); err != nil {
		t.Fatal(err)
	}
	if caller, err = find(t, a, cookie); err != nil || caller.ShowAs != 0 || !caller.Rights.Holds(halley.PermitPersonChange) {
		t.Errorf("afterwards: %+v, %v", caller, err)
	}
}
