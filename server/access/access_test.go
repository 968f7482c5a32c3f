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

// office is where most visitors of the tests sit.
var office = access.Visitor{Address: "192.0.2.7", Agent: "a browser", Origin: "https://localhost:8443"}

// administrator is a grant at the root.
var administrator = halley.Grant{Role: halley.Administrator}

// assembled is an Access with its parts, which a test may change.
func assembled(t *testing.T, change ...func(*access.Options)) (*access.Access, *accesstest.Memory) {
	t.Helper()
	store := &accesstest.Memory{}
	o := store.Options(t)
	for _, c := range change {
		c(&o)
	}
	return access.New(o), store
}

func issueNow(t *testing.T, f *access.FirstSignIn) string {
	t.Helper()
	secret, err := f.Issue(halley.MillisOf(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// signIn signs somebody in with the password of accesstest and gives the cookie.
func signIn(t *testing.T, a *access.Access, name string, v access.Visitor) string {
	t.Helper()
	h := http.Header{}
	if _, err := a.SignIn(t.Context(), h, access.Credentials{Name: name, Password: accesstest.Password}, v); err != nil {
		t.Fatalf("signing in: %v", err)
	}
	return cookieOf(t, h).Value
}

// cookieOf gives the one cookie that was set.
func cookieOf(t *testing.T, h http.Header) *http.Cookie {
	t.Helper()
	cookies := (&http.Response{Header: h}).Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies were set, want 1", len(cookies))
	}
	return cookies[0]
}

// with gives office with a cookie.
func with(cookie string) access.Visitor {
	v := office
	v.FormerCookie = cookie
	return v
}

// find authenticates a cookie.
func find(t *testing.T, a *access.Access, cookie string) (access.Caller, error) {
	t.Helper()
	return a.Authenticate(t.Context(), access.Presented{Cookie: cookie})
}

// checkCode compares the code of an error.
func checkCode(t *testing.T, err error, kind halley.Kind, code string) {
	t.Helper()
	e, ok := errors.AsType[*halley.Error](err)
	if !ok || e.Kind != kind || e.Code != code {
		t.Errorf("error = %v, want kind %d with the code %q", err, kind, code)
	}
}

func TestFirstSignInAndSignOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		h := http.Header{}
		caller, err := a.SignInFirst(t.Context(), h, issueNow(t, a.First), office)
		if err != nil {
			t.Fatal(err)
		}
		cookie := cookieOf(t, h).Value
		got, err := find(t, a, cookie)
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]access.Caller{"signed in": caller, "found": got} {
			if c.Role != halley.Administrator || c.Must != access.MustAccount || !c.Rights.Holds(halley.PermitServerRead) || c.PersonID != 0 {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if err := a.SignOut(t.Context(), http.Header{}, cookie); err != nil {
			t.Fatal(err)
		}
		_, err = find(t, a, cookie)
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

func TestFirstSignInKeepsTheSecretWhenTheSessionCannotBeStored(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{"save session", "note audit"} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			a, store := assembled(t)
			secret := issueNow(t, a.First)
			away := &halley.Error{Kind: halley.Unavailable}
			store.FailWith(func(op string) error {
				if op == broken {
					return away
				}
				return nil
			})
			h := http.Header{}
			if _, err := a.SignInFirst(t.Context(), h, secret, office); halley.KindOf(err) != halley.Unavailable {
				t.Fatalf("error = %v, want unavailable", err)
			}
			if h.Get("Set-Cookie") != "" {
				t.Error("a cookie was set")
			}
			store.FailWith(nil)
			if _, err := a.SignInFirst(t.Context(), http.Header{}, secret, office); err != nil {
				t.Errorf("when the store is back: %v", err)
			}
		})
	}
}

func TestFirstSignInAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _ := assembled(t)
		secret := issueNow(t, a.First)
		attempt := func(s string) error {
			_, err := a.SignInFirst(t.Context(), http.Header{}, s, office)
			return err
		}
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

func TestFirstAccount(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	secret := halley.Secret(issueNow(t, a.First))
	attempt := func(f access.FirstAccount, v access.Visitor) (http.Header, error) {
		h := http.Header{}
		_, err := a.MakeFirst(t.Context(), h, f, v)
		return h, err
	}
	good := access.FirstAccount{Secret: secret, Name: "Jana", FullName: "Jana Dvořák", Password: accesstest.Password}
	for name, tt := range map[string]struct {
		change func(*access.FirstAccount)
		kind   halley.Kind
		code   string
	}{
		"a wrong secret":    {func(f *access.FirstAccount) { f.Secret = "wrong" }, halley.Unauthenticated, "secret-not-valid"},
		"no secret":         {func(f *access.FirstAccount) { f.Secret = "" }, halley.Unauthenticated, "secret-not-valid"},
		"a bad name":        {func(f *access.FirstAccount) { f.Name = "a/b" }, halley.Invalid, "name-not-valid"},
		"a common password": {func(f *access.FirstAccount) { f.Password = "Password1!" }, halley.Invalid, "password-refused"},
	} {
		f := good
		tt.change(&f)
		if _, err := attempt(f, office); err == nil {
			t.Errorf("%s was taken", name)
		} else {
			checkCode(t, err, tt.kind, tt.code)
		}
	}
	h, err := attempt(good, office)
	if err != nil {
		t.Fatal(err)
	}
	caller, err := find(t, a, cookieOf(t, h).Value)
	if err != nil || caller.Name != "Jana" || caller.Must != "" || caller.Role != halley.Administrator ||
		!caller.Rights.Holds(halley.PermitServerRead) {
		t.Errorf("the first administrator is %+v, %v", caller, err)
	}
	good.Name, good.Secret = "Eva", halley.Secret(issueNow(t, a.First))
	_, err = attempt(good, office)
	checkCode(t, err, halley.Conflict, "accounts-exist")
	_, err = a.SignInFirst(t.Context(), http.Header{}, good.Secret.Reveal(), office)
	checkUnauthenticated(t, err, "secret-not-valid")
	if n := len(store.Directory().People()); n != 1 {
		t.Errorf("there are %d accounts, want 1", n)
	}
}

func TestSessionOfTheFirstSignInMakesAnAccountAndEndsWithIt(t *testing.T) {
	t.Parallel()
	a, _ := assembled(t)
	h := http.Header{}
	if _, err := a.SignInFirst(t.Context(), h, issueNow(t, a.First), office); err != nil {
		t.Fatal(err)
	}
	first := cookieOf(t, h).Value
	other := http.Header{}
	if _, err := a.SignInFirst(t.Context(), other, issueNow(t, a.First), office); err != nil {
		t.Fatal(err)
	}
	f := access.FirstAccount{Name: "jana", Password: accesstest.Password}
	if _, err := a.MakeFirst(t.Context(), http.Header{}, f, with(first)); err != nil {
		t.Fatal(err)
	}
	for name, cookie := range map[string]string{"its own": first, "another": cookieOf(t, other).Value} {
		if _, err := find(t, a, cookie); halley.KindOf(err) != halley.Unauthenticated {
			t.Errorf("%s session of the first sign-in goes on: %v", name, err)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.Person(t, "jana", administrator)
	token := create(t, a.Tokens, access.NewToken{Name: "program"})
	cookie := signIn(t, a, "jana", office)
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
			if err != nil || got.Kind != tt.wantKind || !got.Rights.Holds(halley.PermitSampleRead) {
				t.Errorf("caller %+v, %v, want kind %q", got, err, tt.wantKind)
			}
		})
	}
}

func TestSignOutWithoutASessionIsDone(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
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
	got, ok := access.CallerFrom(access.WithCaller(t.Context(), access.Caller{Kind: access.ByToken, Name: "x"}))
	if !ok || got.Name != "x" {
		t.Errorf("caller = %v, %v", got, ok)
	}
}

// fieldOf gives the field that an error names.
func fieldOf(err error) string {
	e, ok := errors.AsType[*halley.Error](err)
	if !ok {
		return ""
	}
	return e.Field
}
