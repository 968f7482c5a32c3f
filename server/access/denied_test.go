package access_test

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
)

// row is what a refusal leaves in the audit trail.
type row struct{ What, Kind, Who, On, New string }

func deniedRows(store *accesstest.Memory) []row {
	var list []row
	for _, e := range store.Audited() {
		if e.What == "access.refuse" || e.What == "token.refuse" {
			list = append(list, row{e.What, e.Change.Actor.Kind, e.Change.Actor.Name, e.On, e.New})
		}
	}
	return list
}

func TestDeniedOperationsAreAuditedAndCounted(t *testing.T) {
	t.Parallel()
	eva := access.Caller{Kind: access.BySession, Name: "eva", Session: "1"}
	change := access.Denied{Operation: "changePlace", On: "place 7", Status: http.StatusForbidden, Code: "permission-missing"}
	read := access.Denied{Operation: "getPlace", On: "place 7", Reads: true, Status: http.StatusNotFound, Code: "not-found"}
	changed := func(count string) row {
		return row{
			"access.refuse", "session", "eva", "place 7",
			`{"operation":"changePlace","status":403,"code":"permission-missing","count":` + count + `}`,
		}
	}
	looked := func(on, count string) row {
		return row{"access.refuse", "session", "eva", on, `{"operation":"getPlace","status":404,"code":"not-found","count":` + count + `}`}
	}
	tests := map[string]struct {
		denied []access.Denied
		times  int
		wait   time.Duration
		want   []row
	}{
		"at once":                       {[]access.Denied{change, read}, 1, 0, []row{changed("1"), looked("place 7", "1")}},
		"a change again after a minute": {[]access.Denied{change}, 20, 2 * time.Minute, []row{changed("1"), changed("19")}},
		"a read again not before an hour is over": {
			[]access.Denied{read}, 20, 59 * time.Minute, []row{looked("place 7", "1")},
		},
		"a read again after an hour, with what it was refused last": {
			[]access.Denied{read, {Operation: "getPlace", On: "place 8", Reads: true, Status: http.StatusNotFound, Code: "not-found"}},
			10, 61 * time.Minute,
			[]row{looked("place 7", "1"), looked("place 8", "19")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, store := assembled(t)
				ctx, stop := context.WithCancel(t.Context())
				var running sync.WaitGroup
				running.Go(func() { _ = a.Run(ctx) })
				for range tt.times {
					for _, d := range tt.denied {
						a.NoteDenied(t.Context(), eva, d)
					}
				}
				wait(t, tt.wait)
				got := deniedRows(store)
				stop()
				running.Wait()
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestTokensThatDoNotCountAreAudited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		known := knownTokens{}
		a, store := assembled(t, func(o *access.Options) { o.Tokens = access.NewKnownTokens(o.People.(*accesstest.Memory), known) })
		by := halley.Change{At: halley.MillisOf(time.Now())}
		text, token, err := a.Tokens.Create(t.Context(), access.NewToken{Name: "wall"}, by)
		if err != nil {
			t.Fatal(err)
		}
		expiring, _, err := a.Tokens.Create(t.Context(), access.NewToken{Name: "door", Lifetime: time.Minute}, by)
		if err != nil {
			t.Fatal(err)
		}
		if err = a.Tokens.Revoke(t.Context(), token.Name, by); err != nil {
			t.Fatal(err)
		}
		token.RevokedAt = by.At
		known[sha256.Sum256([]byte(text))] = token
		wait(t, time.Minute)
		for range 5 {
			for _, bearer := range []string{text, expiring, "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA", "halley_BBBBBBBBBBBBBBBBBBBBBBBBBB", "nonsense"} {
				if _, err := a.Authenticate(t.Context(), access.Presented{Bearer: bearer}); halley.KindOf(err) != halley.Unauthenticated {
					t.Fatalf("%v, want that it does not count", err)
				}
			}
		}
		want := []row{
			{"token.refuse", "token", "wall", "token 1", `{"code":"token-not-valid","count":1}`},
			{"token.refuse", "token", "door", "token 2", `{"code":"token-expired","count":1}`},
			{"token.refuse", "token", "", "token", `{"code":"token-not-valid","count":1}`},
		}
		if diff := cmp.Diff(want, deniedRows(store)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	})
}

func TestTokensAreNotRefusedWhileNobodyCanSay(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.FailWith(func(op string) error {
		if op == "note audit" {
			return nil
		}
		return &halley.Error{Kind: halley.Unavailable}
	})
	if _, err := a.Authenticate(t.Context(), access.Presented{Bearer: "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA"}); err == nil {
		t.Fatal("a token counts that nobody knows")
	}
	if diff := cmp.Diff([]row(nil), deniedRows(store)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
