package access_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
	"halley/storage"
)

// chosen is a password that is chosen by a link.
const chosen halley.Secret = "Ferry-to-Zlin.60"

// link makes a link for a person and gives its secret.
func link(t *testing.T, store *accesstest.Memory, p halley.Person) halley.Secret {
	t.Helper()
	l, err := access.NewLink(t.Context(), store, "https://localhost:8443/", p, halley.Change{At: halley.MillisOf(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	secret, ok := strings.CutPrefix(l.URL.Reveal(), "https://localhost:8443/#link=")
	if !ok || len(secret) != 43 || strings.Contains(l.URL.String(), secret) {
		t.Fatalf("the link is of another form, or shows itself: %d characters", len(secret))
	}
	return halley.Secret(secret)
}

func TestLinkLetsAPersonChooseAPasswordOnce(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	p := store.Person(t, "jana", administrator)
	if _, err := store.ChangePerson(t.Context(), p.ID, storage.PersonUpdate{State: new(halley.PersonInvited)}, halley.Change{}); err != nil {
		t.Fatal(err)
	}
	p, _ = store.Directory().Person(p.ID)
	secret := link(t, store, p)
	for range 2 {
		got, err := a.LookLink(t.Context(), secret)
		if err != nil || got.Purpose != access.LinkInvite || got.Name != "jana" || got.Until <= halley.MillisOf(time.Now())+6*halley.Day {
			t.Fatalf("the link is %+v, %v", got, err)
		}
	}
	_, err := a.UseLink(t.Context(), http.Header{}, secret, "password", office)
	checkCode(t, err, halley.Invalid, "password-refused")
	h := http.Header{}
	if _, err = a.UseLink(t.Context(), h, secret, chosen, office); err != nil {
		t.Fatal(err)
	}
	if _, err = find(t, a, cookieOf(t, h).Value); err != nil {
		t.Error(err)
	}
	_, err = a.UseLink(t.Context(), http.Header{}, secret, chosen, office)
	checkUnauthenticated(t, err, "link-not-valid")
	if p, _ = store.Directory().Person(p.ID); p.State != halley.PersonActive {
		t.Errorf("the person is %s, want active", p.State)
	}
	if err := try(t, a, "jana", chosen, office); err != nil {
		t.Errorf("the chosen password: %v", err)
	}
	checkUnauthenticated(t, try(t, a, "jana", accesstest.Password, office), "sign-in-failed")
}

func TestLinkIsUsedByOneOfManyAtOneTime(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	secret := link(t, store, store.Person(t, "jana", administrator))
	var won atomic.Int32
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			_, err := a.UseLink(t.Context(), http.Header{}, secret, chosen, office)
			switch {
			case err == nil:
				won.Add(1)
			case halley.KindOf(err) != halley.Unauthenticated:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 12 used the link", won.Load())
	}
}

func TestLinkEndsSessionsAndFormerLinks(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	p := store.Person(t, "jana", administrator)
	session := signIn(t, a, "jana", office)
	former, secret := link(t, store, p), link(t, store, p)
	_, err := a.LookLink(t.Context(), former)
	checkUnauthenticated(t, err, "link-not-valid")
	if _, err := a.UseLink(t.Context(), http.Header{}, secret, chosen, office); err != nil {
		t.Fatal(err)
	}
	_, err = find(t, a, session)
	checkUnauthenticated(t, err, "session-not-valid")
}

func TestLinkIsNoGood(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, store *accesstest.Memory, p halley.Person) halley.Secret{
		"an hour later": func(t *testing.T, store *accesstest.Memory, p halley.Person) halley.Secret {
			s := link(t, store, p)
			wait(t, time.Hour)
			return s
		},
		"for one who is disabled": func(t *testing.T, store *accesstest.Memory, p halley.Person) halley.Secret {
			s := link(t, store, p)
			if _, err := store.ChangePerson(t.Context(), p.ID, storage.PersonUpdate{State: new(halley.PersonDisabled)}, halley.Change{}); err != nil {
				t.Fatal(err)
			}
			return s
		},
		"made up": func(*testing.T, *accesstest.Memory, halley.Person) halley.Secret { return "AAAA" },
		"empty":   func(*testing.T, *accesstest.Memory, halley.Person) halley.Secret { return "" },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, store := assembled(t)
				secret := spoil(t, store, store.Person(t, "jana", administrator))
				work := a.Passwords.Work()
				_, err := a.UseLink(t.Context(), http.Header{}, secret, chosen, office)
				checkUnauthenticated(t, err, "link-not-valid")
				if a.Passwords.Work() != work {
					t.Error("a link that is no good was work")
				}
			})
		})
	}
}

func TestLinkIsNotLostToAStoreThatGoesAway(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	secret := link(t, store, store.Person(t, "jana", administrator))
	failed := false
	store.FailWith(func(op string) error {
		if op == "set secret" && !failed {
			failed = true
			return &halley.Error{Kind: halley.Unavailable}
		}
		return nil
	})
	if _, err := a.UseLink(t.Context(), http.Header{}, secret, chosen, office); halley.KindOf(err) != halley.Unavailable {
		t.Fatalf("error = %v, want unavailable", err)
	}
	if _, err := a.UseLink(t.Context(), http.Header{}, secret, chosen, office); err != nil {
		t.Errorf("when the store is back: %v", err)
	}
}

// letters is a mail server.
type letters struct {
	mu   sync.Mutex
	sent []string
}

func (l *letters) Mail(_ context.Context, to, _, text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, after, _ := strings.Cut(text, "#link=")
	secret, _, _ := strings.Cut(after, "\n")
	l.sent = append(l.sent, to+" "+secret)
	return nil
}

func TestForgottenPasswordIsReplacedByMail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		post := &letters{}
		a, store := assembled(t, func(o *access.Options) { o.Mail = post })
		jana, eva := store.Person(t, "jana", administrator), store.Person(t, "eva", administrator)
		if _, err := store.ChangePerson(t.Context(), jana.ID, storage.PersonUpdate{Email: new("jana@example.com")}, halley.Change{}); err != nil {
			t.Fatal(err)
		}
		_ = eva // has no address
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = a.Run(ctx) })
		for _, name := range []string{"Jana", "jana", "eva", "nobody"} {
			a.RequestReset(name)
			synctest.Wait()
		}
		stop()
		running.Wait()
		if len(post.sent) != 1 {
			t.Fatalf("%d letters were sent, want 1", len(post.sent))
		}
		to, secret, _ := strings.Cut(post.sent[0], " ")
		if to != "jana@example.com" {
			t.Errorf("the letter went to %s", to)
		}
		if _, err := a.UseLink(t.Context(), http.Header{}, halley.Secret(secret), chosen, office); err != nil {
			t.Error(err)
		}
	})
}

func TestChangedPasswordEndsOtherSessions(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.Person(t, "jana", administrator)
	here, there := signIn(t, a, "jana", office), signIn(t, a, "jana", office)
	caller, err := find(t, a, here)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		former, next halley.Secret
		kind         halley.Kind
		code         string
	}{
		"the former one is wrong":  {"wrong", chosen, halley.Forbidden, "password-wrong"},
		"the new one is the name":  {accesstest.Password, "Jana-1234", halley.Invalid, "password-refused"},
		"the new one has no digit": {accesstest.Password, "Ferry-to-Zlin", halley.Invalid, "password-refused"},
	} {
		h := http.Header{}
		err := a.ChangePassword(t.Context(), h, caller, access.NewPassword{Former: tt.former, Next: tt.next}, with(here))
		checkCode(t, err, tt.kind, tt.code)
		if len(h) != 0 {
			t.Errorf("%s: a cookie was set", name)
		}
	}
	h := http.Header{}
	if err := a.ChangePassword(t.Context(), h, caller, access.NewPassword{Former: accesstest.Password, Next: chosen}, with(here)); err != nil {
		t.Fatal(err)
	}
	if _, err := find(t, a, cookieOf(t, h).Value); err != nil {
		t.Errorf("the own session: %v", err)
	}
	_, err = find(t, a, there)
	checkUnauthenticated(t, err, "session-not-valid")
	if n := len(store.Keys()); n != 1 {
		t.Errorf("%d sessions are left, want 1", n)
	}
}

func TestConfirmationLastsFiveMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		store.Person(t, "jana", administrator)
		cookie := signIn(t, a, "jana", office)
		caller, err := find(t, a, cookie)
		if err != nil || caller.ConfirmedUntil != 0 {
			t.Fatalf("before: %+v, %v", caller, err)
		}
		checkCode(t, a.Confirm(t.Context(), caller, "wrong", "", with(cookie)), halley.Forbidden, "password-wrong")
		if err := a.Confirm(t.Context(), caller, accesstest.Password, "", with(cookie)); err != nil {
			t.Fatal(err)
		}
		want := halley.MillisOf(time.Now()) + 5*halley.Minute
		if caller, err = find(t, a, cookie); err != nil || caller.ConfirmedUntil != want {
			t.Errorf("confirmed until %v, %v, want %v", caller.ConfirmedUntil, err, want)
		}
	})
}

func TestOwnAccountIsChangedWithinBounds(t *testing.T) {
	t.Parallel()
	a, store := assembled(t, func(o *access.Options) { o.SignOutAfter, o.SignOutAtMost = 30, 60 })
	p := store.Person(t, "jana", administrator)
	caller, err := find(t, a, signIn(t, a, "jana", office))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{15, 30, 60}, a.SignOutChoices()); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
	for field, s := range map[string]access.Self{
		"sign_out_minutes": {SignOutMinutes: new(120)},
		"full_name":        {FullName: new("a\u202eb")},
		"email":            {Email: new("jana@example.com\r\nBcc: all@example.com")},
	} {
		if err := a.ChangeSelf(t.Context(), caller, s); fieldOf(err) != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := a.ChangeSelf(t.Context(), caller, access.Self{FullName: new("Jana D."), Email: new("j@example.com"), SignOutMinutes: new(15)}); err != nil {
		t.Fatal(err)
	}
	want := halley.PersonDetail{PersonID: p.ID, FullName: "Jana D.", Email: "j@example.com", SignOutMinutes: 15}
	got := store.Directory().Detail(p.ID)
	got.LastSignInAt = 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("detail (-want +got):\n%s", diff)
	}
}
