package access_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
)

// assembled is an Access with its parts.
func assembled(t *testing.T) (*access.Access, *accesstest.Memory, *access.FirstSignIn) {
	t.Helper()
	store := &accesstest.Memory{}
	f := first(t.TempDir())
	a := access.New(access.Options{Tokens: access.NewTokens(store), Sessions: access.NewSessions(store), First: f, Audit: store})
	return a, store, f
}

func issueNow(t *testing.T, f *access.FirstSignIn) string {
	t.Helper()
	secret, err := f.Issue(halley.MillisOf(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestFirstSignInAndSignOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store, f := assembled(t)
		h := http.Header{}
		caller, err := a.SignIn(t.Context(), h, issueNow(t, f), "")
		if err != nil {
			t.Fatal(err)
		}
		cookie := cookieOf(t, h).Value
		got, err := a.Authenticate(t.Context(), access.Presented{Cookie: cookie})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(caller, got); diff != "" {
			t.Errorf("caller afterwards (-signed in +found):\n%s", diff)
		}
		if caller.Role != halley.Administrator {
			t.Errorf("the first one has the role %s", caller.Role)
		}
		if err := a.SignOut(t.Context(), http.Header{}, cookie); err != nil {
			t.Fatal(err)
		}
		_, err = a.Authenticate(t.Context(), access.Presented{Cookie: cookie})
		checkUnauthenticated(t, err, "session-not-valid")
		by := halley.Change{Actor: caller.Actor(), At: halley.MillisOf(time.Now())}
		want := []halley.AuditEntry{
			{Change: by, What: "session.begin", On: "first sign-in"},
			{Change: by, What: "session.end", On: "session"},
		}
		if diff := cmp.Diff(want, store.Audited()); diff != "" {
			t.Errorf("audit (-want +got):\n%s", diff)
		}
	})
}

func TestSignInKeepsTheSecretWhenTheSessionCannotBeStored(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{"save session", "note audit"} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			a, store, f := assembled(t)
			secret := issueNow(t, f)
			away := &halley.Error{Kind: halley.Unavailable}
			store.FailWith(func(op string) error {
				if op == broken {
					return away
				}
				return nil
			})
			h := http.Header{}
			if _, err := a.SignIn(t.Context(), h, secret, ""); halley.KindOf(err) != halley.Unavailable {
				t.Fatalf("error = %v, want unavailable", err)
			}
			if h.Get("Set-Cookie") != "" {
				t.Error("a cookie was set")
			}
			store.FailWith(nil)
			if _, err := a.SignIn(t.Context(), http.Header{}, secret, ""); err != nil {
				t.Errorf("when the store is back: %v", err)
			}
		})
	}
}

func TestSignInAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _, f := assembled(t)
		secret := issueNow(t, f)
		attempt := func(s string) error { _, err := a.SignIn(t.Context(), http.Header{}, s, ""); return err }
		refused := 0
		for range 100 {
			if halley.KindOf(attempt("wrong")) == halley.TooMany {
				refused++
			}
		}
		if refused != 80 {
			t.Errorf("%d of 100 attempts at once were refused, want 80", refused)
		}
		wait(t, time.Second)
		if err := attempt(secret); err != nil {
			t.Errorf("a second later: %v", err)
		}
	})
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	a, _, f := assembled(t)
	token := create(t, a.Tokens, access.NewToken{Name: "program"})
	h := http.Header{}
	if _, err := a.SignIn(t.Context(), h, issueNow(t, f), ""); err != nil {
		t.Fatal(err)
	}
	cookie := cookieOf(t, h).Value
	tests := map[string]struct {
		in       access.Presented
		wantKind access.CallerKind
		wantCode string
	}{
		"token":                                {in: access.Presented{Bearer: token}, wantKind: access.ByToken},
		"cookie":                               {in: access.Presented{Cookie: cookie}, wantKind: access.BySession},
		"a token goes before a cookie":         {in: access.Presented{Bearer: token, Cookie: cookie}, wantKind: access.ByToken},
		"a cookie does not mend a wrong token": {in: access.Presented{Bearer: "wrong", Cookie: cookie}, wantCode: "token-not-valid"},
		"a token is no cookie":                 {in: access.Presented{Cookie: token}, wantCode: "session-not-valid"},
		"a cookie is no token":                 {in: access.Presented{Bearer: cookie}, wantCode: "token-not-valid"},
		"nothing":                              {wantCode: "credentials-missing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := a.Authenticate(t.Context(), tt.in)
			if tt.wantCode != "" {
				checkUnauthenticated(t, err, tt.wantCode)
				return
			}
			if err != nil || got.Kind != tt.wantKind {
				t.Errorf("caller of kind %q, %v, want %q", got.Kind, err, tt.wantKind)
			}
		})
	}
}

func TestSignOutWithoutASessionIsDone(t *testing.T) {
	t.Parallel()
	a, store, _ := assembled(t)
	if err := a.SignOut(t.Context(), http.Header{}, "nobody's"); err != nil {
		t.Error(err)
	}
	if got := store.Audited(); len(got) != 0 {
		t.Errorf("audit rows of nobody: %v", got)
	}
	away := errors.New("away")
	store.FailWith(func(string) error { return away })
	if err := a.SignOut(t.Context(), http.Header{}, "somebody's"); !errors.Is(err, away) {
		t.Errorf("error = %v, want the cause", err)
	}
}

func TestCallerInContext(t *testing.T) {
	t.Parallel()
	if _, ok := access.CallerFrom(t.Context()); ok {
		t.Error("an empty context has a caller")
	}
	want := access.Caller{Kind: access.ByToken, Name: "x"}
	got, ok := access.CallerFrom(access.WithCaller(t.Context(), want))
	if !ok || got != want {
		t.Errorf("caller = %v, %v, want %v", got, ok, want)
	}
}
