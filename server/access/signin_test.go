package access_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	"halley/server/passwords"
	"halley/storage"
)

// try attempts to sign in and gives how that ended.
func try(t *testing.T, a *access.Access, name string, password halley.Secret, v access.Visitor) error {
	t.Helper()
	_, err := a.SignIn(t.Context(), http.Header{}, access.Credentials{Name: name, Password: password}, v)
	return err
}

// village adds people of every sort.
func village(t *testing.T, store *accesstest.Memory) {
	t.Helper()
	for name, change := range map[string]storage.PersonUpdate{
		"active":   {},
		"invited":  {State: new(halley.PersonInvited)},
		"disabled": {State: new(halley.PersonDisabled)},
		"deleted":  {State: new(halley.PersonDeleted)},
		"issuer's": {Source: new(halley.OIDC)},
		"ldap":     {Source: new(halley.LDAP)},
	} {
		p := store.Person(t, name, administrator)
		if _, err := store.ChangePerson(t.Context(), p.ID, change, halley.Change{}); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever is wrong the answer and the work are the same: one hash.
func TestSignInSaysNothingOfWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, elsewhere := range []access.PasswordSource{nil, refusing{}} {
		t.Run(fmt.Sprintf("directory service %T", elsewhere), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, store := assembled(t, func(o *access.Options) { o.Elsewhere = elsewhere })
				village(t, store)
				var first string
				for _, tt := range []struct {
					name     string
					password halley.Secret
				}{
					{"nobody", "Wrong-1"},
					{"active", "Wrong-1"},
					{"invited", accesstest.Password},
					{"disabled", accesstest.Password},
					{"deleted", accesstest.Password},
					{"issuer's", accesstest.Password},
					{"ldap", accesstest.Password},
					{"a\x00b", "x"},
					{strings.Repeat("long", 250), "x"},
				} {
					before, begun := a.Passwords.Work(), time.Now()
					err := try(t, a, tt.name, tt.password, office)
					checkUnauthenticated(t, err, "sign-in-failed")
					if n := a.Passwords.Work() - before; n != 1 {
						t.Errorf("%q: %d hashes, want 1", tt.name, n)
					}
					e, _ := errors.AsType[*halley.Error](err)
					if first == "" {
						first = e.Message
					}
					if e.Message != first || e.Field != "" {
						t.Errorf("%q: %q, want %q", tt.name, e.Message, first)
					}
					want := time.Duration(0)
					if elsewhere != nil {
						want = time.Second
					}
					if took := time.Since(begun); took != want {
						t.Errorf("%q took %v, want %v", tt.name, took, want)
					}
				}
				if err := try(t, a, "ACTIVE ", accesstest.Password, office); err != nil {
					t.Errorf("the right password, in another case: %v", err)
				}
			})
		})
	}
}

// refusing is a directory service that takes its time to know nobody.
type refusing struct{}

func (refusing) Check(context.Context, string, halley.Secret) (access.Outside, error) {
	timer := time.NewTimer(300 * time.Millisecond)
	<-timer.C
	return access.Outside{}, &halley.Error{Kind: halley.Unauthenticated}
}

func TestGuessingAtOneAccountIsSlowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		store.Person(t, "jana", administrator)
		for range 5 {
			checkUnauthenticated(t, try(t, a, "jana", "wrong", office), "sign-in-failed")
		}
		// The waits double up to a quarter of an hour, and hold for the right password too.
		for _, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
			want := time.Duration(seconds) * time.Second
			err := try(t, a, "Jana", accesstest.Password, office)
			checkCode(t, err, halley.TooMany, "too-many-attempts")
			var waits *access.WaitError
			if !errors.As(err, &waits) || waits.RetryAfter() != want {
				t.Fatalf("the wait is %v, want %v", err, want)
			}
			wait(t, want)
			checkUnauthenticated(t, try(t, a, "jana", "wrong", office), "sign-in-failed")
		}
		wait(t, 15*time.Minute)
		if err := try(t, a, "jana", accesstest.Password, office); err != nil {
			t.Errorf("the right password after the wait: %v", err)
		}
		if err := try(t, a, "jana", accesstest.Password, office); err != nil {
			t.Errorf("after signing in: %v", err)
		}
	})
}

// Neither the name alone is slowed nor the address alone.
func TestGuessingShutsNobodyOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		store.Person(t, "jana", administrator)
		store.Person(t, "eva", administrator)
		attacker := access.Visitor{Address: "198.51.100.9"}
		for range 50 {
			_ = try(t, a, "jana", "wrong", attacker)
		}
		if err := try(t, a, "jana", accesstest.Password, office); err != nil {
			t.Errorf("jana from elsewhere: %v", err)
		}
		if err := try(t, a, "eva", accesstest.Password, attacker); err != nil {
			t.Errorf("eva from the attacker's address: %v", err)
		}
	})
}

func TestIPv6IsCountedBySite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		store.Person(t, "jana", administrator)
		from := func(address string) error { return try(t, a, "jana", "wrong", access.Visitor{Address: address}) }
		for i := range 5 {
			_ = from(fmt.Sprintf("2001:db8:0:1::%d", i+1))
		}
		if err := from("2001:db8:0:1:ffff::1"); halley.KindOf(err) != halley.TooMany {
			t.Errorf("the same site: %v, want too many", err)
		}
		if err := from("2001:db8:0:2::1"); halley.KindOf(err) != halley.Unauthenticated {
			t.Errorf("another site: %v, want refused", err)
		}
		for range 5 {
			_ = from("192.0.2.1")
		}
		if err := from("::ffff:192.0.2.1"); halley.KindOf(err) != halley.TooMany {
			t.Errorf("an IPv4 address written as IPv6: %v, want too many", err)
		}
	})
}

// Many attempts at one time must not get through before the first has failed.
func TestAttemptsAtOneTimeGainNothing(t *testing.T) {
	t.Parallel()
	a, store := assembled(t, func(o *access.Options) {
		o.Passwords = passwords.New(passwords.Parameters{MemoryKiB: 1024, Passes: 1, Lanes: 1})
	})
	store.Person(t, "jana", administrator)
	var hashed atomic.Int32
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() {
			if err := try(t, a, "jana", "wrong", office); halley.KindOf(err) == halley.Unauthenticated {
				hashed.Add(1)
			}
		})
	}
	all.Wait()
	if n := hashed.Load(); n > 5 {
		t.Errorf("%d of 60 attempts at one time were looked at, want 5 at most", n)
	}
}

func TestManyNamesFromOneAddressAndOneNameFromManyAreSeen(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		attempt func(t *testing.T, a *access.Access, i int)
		n       int
		want    access.Failures
		text    string
	}{
		"many names from one address": {
			func(t *testing.T, a *access.Access, i int) { _ = try(t, a, fmt.Sprint("name ", i), "x", office) }, 10,
			access.Failures{Attempts: 10, NamesFromOne: 10, SitesOfOne: 1, AttemptsOfOne: 1},
			"10 different names",
		},
		"one name from many addresses": {
			func(t *testing.T, a *access.Access, i int) {
				_ = try(t, a, "jana", "x", access.Visitor{Address: fmt.Sprintf("192.0.2.%d", i)})
			}, 5,
			access.Failures{Attempts: 5, NamesFromOne: 1, SitesOfOne: 5, AttemptsOfOne: 1},
			"5 different addresses",
		},
		"one name from one address": {
			func(t *testing.T, a *access.Access, _ int) {
				_ = try(t, a, "jana", "x", office)
				wait(t, 16*time.Second)
			}, 10,
			access.Failures{Attempts: 10, NamesFromOne: 1, SitesOfOne: 1, AttemptsOfOne: 10},
			"10 of them",
		},
		"a few mistakes": {
			func(t *testing.T, a *access.Access, i int) { _ = try(t, a, fmt.Sprint("name ", i%3), "x", office) }, 9,
			access.Failures{Attempts: 9, NamesFromOne: 3, SitesOfOne: 1, AttemptsOfOne: 3},
			"",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, _ := assembled(t)
				for i := range tt.n {
					tt.attempt(t, a, i)
				}
				got := a.Failures()
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("failures (-want +got):\n%s", diff)
				}
				if got.Guessing() != (tt.text != "") || !strings.Contains(got.Text(), tt.text) || strings.Contains(got.Text(), "192.0.2") {
					t.Errorf("guessing %v, %q, want %q in it and no address", got.Guessing(), got.Text(), tt.text)
				}
				wait(t, 15*time.Minute)
				if got := a.Failures(); got != (access.Failures{}) {
					t.Errorf("a quarter of an hour later: %+v", got)
				}
			})
		})
	}
}

// refusals gives the audit rows of refused sign-ins.
func refusals(store *accesstest.Memory) []halley.AuditEntry {
	var list []halley.AuditEntry
	for _, e := range store.Audited() {
		if e.What == "session.refuse" {
			list = append(list, e)
		}
	}
	return list
}

func TestRefusalsAreAuditedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		jana := store.Person(t, "jana", administrator)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = a.Run(ctx) })
		for range 4 {
			_ = try(t, a, "jana", "wrong", office)
		}
		long := strings.Repeat("x", 300)
		_ = try(t, a, long+"\x00\u202e", "wrong", office)
		wait(t, 2*time.Minute)
		stop()
		running.Wait()
		type row struct{ Who, On, New string }
		var got []row
		for _, e := range refusals(store) {
			got = append(got, row{e.Change.Actor.Name, e.On, e.New})
		}
		on := fmt.Sprint("person ", jana.ID)
		want := []row{
			{"jana", on, `{"count":1}`}, {long[:100], "sign-in", `{"count":1}`}, {"jana", on, `{"count":3}`},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	})
}

func TestRefusalsCannotFillTheDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		const attempts = 3000
		for i := range attempts {
			_ = try(t, a, fmt.Sprint("name ", i), "wrong", office)
		}
		if n := len(refusals(store)); n != 30 {
			t.Errorf("%d failures of as many names left %d rows in a minute, want 30", attempts, n)
		}
		wait(t, time.Minute)
		_ = try(t, a, "name 0", "wrong", office)
		var last struct{ Count, Others int }
		list := refusals(store)
		if err := json.Unmarshal([]byte(list[len(list)-1].New), &last); err != nil || last.Others != attempts-1000 {
			t.Errorf("the next row says %+v, %v, want %d others", last, err, attempts-1000)
		}
	})
}

func TestTableOfPairsIsBoundedAndKeepsWhoGuesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		store.Person(t, "jana", administrator)
		for range 12 {
			_ = try(t, a, "jana", "wrong", office)
			wait(t, time.Second)
		}
		for i := range access.MostPairs + 200 {
			access.Fail(a, fmt.Sprint("name ", i), office)
		}
		if n := access.Pairs(a); n > access.MostPairs {
			t.Errorf("%d pairs are kept, want %d at most", n, access.MostPairs)
		}
		if err := try(t, a, "jana", accesstest.Password, office); halley.KindOf(err) != halley.TooMany {
			t.Errorf("the pair that was guessed at was washed out: %v", err)
		}
	})
}

func TestWeakHashIsMadeAnewAtSignIn(t *testing.T) {
	t.Parallel()
	strong := passwords.Parameters{MemoryKiB: 64, Passes: 2, Lanes: 1}
	a, store := assembled(t, func(o *access.Options) { o.Passwords = passwords.New(strong) })
	person := store.Person(t, "jana", administrator) // hashed with accesstest.Cheap
	before := store.Directory().Secrets(person.ID, storage.SecretPassword)[0]
	cookie := signIn(t, a, "jana", office)
	after := store.Directory().Secrets(person.ID, storage.SecretPassword)[0]
	if !strings.Contains(string(after.Data), "m=64,t=2,p=1") {
		t.Errorf("the hash is %q", after.Data)
	}
	if after.At != before.At {
		t.Error("the password counts as a new one, which would end sessions")
	}
	if _, err := find(t, a, cookie); err != nil {
		t.Error(err)
	}
	work := a.Passwords.Work()
	signIn(t, a, "jana", office)
	if n := a.Passwords.Work() - work; n != 1 {
		t.Errorf("signing in again was %d hashes, want 1", n)
	}
}

func TestSigningInGoesOnWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := assembled(t)
		person := store.Person(t, "jana", administrator)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = a.Run(ctx) })
		away := &halley.Error{Kind: halley.Unavailable}
		store.FailWith(func(op string) error {
			switch op {
			case "session", "save session", "person sessions", "delete session", "note audit":
				return nil // these are this server's own
			}
			return away
		})
		at := halley.MillisOf(time.Now())
		caller, err := find(t, a, signIn(t, a, "jana", office))
		if err != nil || !caller.Rights.Holds(halley.PermitPersonChange) {
			t.Fatalf("caller %+v, %v", caller, err)
		}
		err = a.ChangePassword(t.Context(), http.Header{}, caller, access.NewPassword{Former: accesstest.Password, Next: "Tram-to-Kromeriz.59"}, office)
		if e, ok := errors.AsType[*halley.Error](err); !ok || e.Kind != halley.Unavailable || !strings.Contains(e.Message, "database is away") {
			t.Errorf("changing the password: %v, want what is away", err)
		}
		wait(t, time.Minute)
		store.FailWith(nil)
		wait(t, time.Minute)
		stop()
		running.Wait()
		if got := store.Directory().Detail(person.ID).LastSignInAt; got != at {
			t.Errorf("the last sign-in is %v, want %v", got, at)
		}
	})
}

func TestSharedAccountOnlyReads(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	p := store.Person(t, "wall", administrator)
	if _, err := store.ChangePerson(t.Context(), p.ID, storage.PersonUpdate{Shared: new(true)}, halley.Change{}); err != nil {
		t.Fatal(err)
	}
	caller, err := find(t, a, signIn(t, a, "wall", office))
	if err != nil || !caller.Shared || !caller.Rights.Holds(halley.PermitSampleRead) || caller.Rights.Holds(halley.PermitDeviceChange) {
		t.Fatalf("caller %+v, %v", caller, err)
	}
	for name, err := range map[string]error{
		"password":  a.ChangePassword(t.Context(), http.Header{}, caller, access.NewPassword{Former: accesstest.Password, Next: "Tram-to-Kromeriz.59"}, office),
		"full name": a.ChangeSelf(t.Context(), caller, access.Self{FullName: new("x")}),
	} {
		checkCode(t, err, halley.Forbidden, "account-shared")
		_ = name
	}
}
