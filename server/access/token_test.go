package access_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
	"halley/server/directory"
	"halley/storage"
)

var (
	// now is the instant of tests that do not wait.
	now    = time.Date(2026, 11, 21, 13, 16, 0, 0, time.UTC)
	byTest = halley.Change{Actor: halley.Actor{Kind: "command", Name: "tester"}, At: halley.MillisOf(now)}
)

func TestCreateToken(t *testing.T) {
	t.Parallel()
	at := halley.MillisOf(now)
	tests := map[string]struct {
		in        access.NewToken
		want      storage.Token
		wantField string
	}{
		"a reader for 90 days unless said otherwise": {
			in:   access.NewToken{Name: "backup"},
			want: storage.Token{ID: 1, Name: "backup", Role: halley.Reader, CreatedAt: at, ExpiresAt: at + 90*halley.Day},
		},
		"an administrator for a day": {
			in:   access.NewToken{Name: "ops", Role: halley.Administrator, Lifetime: 24 * time.Hour},
			want: storage.Token{ID: 1, Name: "ops", Role: halley.Administrator, CreatedAt: at, ExpiresAt: at + halley.Day},
		},
		"one that never ends": {
			in:   access.NewToken{Name: "wall", Lifetime: access.Never},
			want: storage.Token{ID: 1, Name: "wall", Role: halley.Reader, CreatedAt: at},
		},
		"refused without a name":                  {in: access.NewToken{}, wantField: "name"},
		"refused with a blank name":               {in: access.NewToken{Name: "  "}, wantField: "name"},
		"refused with a control character":        {in: access.NewToken{Name: "a\x1bb"}, wantField: "name"},
		"refused with a turn of direction":        {in: access.NewToken{Name: "a\u202eb"}, wantField: "name"},
		"refused with a name too long":            {in: access.NewToken{Name: strings.Repeat("é", 201)}, wantField: "name"},
		"refused with a role that does not exist": {in: access.NewToken{Name: "x", Role: "King!"}, wantField: "role"},
		"refused without the places that its role names": {
			in: access.NewToken{Name: "x", Role: halley.ViewByMeasuredPlaces}, wantField: "place_ids",
		},
		"refused with places that its role does not name": {
			in: access.NewToken{Name: "x", Role: halley.User, Places: []halley.PlaceID{3}}, wantField: "place_ids",
		},
		"for named places of a node": {
			in:   access.NewToken{Name: "map", Role: halley.ViewByMeasuredPlaces, OrganizationID: 4, Places: []halley.PlaceID{3}},
			want: storage.Token{ID: 1, Name: "map", Role: halley.ViewByMeasuredPlaces, OrganizationID: 4, Places: []halley.PlaceID{3}, CreatedAt: at, ExpiresAt: at + 90*halley.Day},
		},
		"refused for a negative time": {in: access.NewToken{Name: "x", Lifetime: -2}, wantField: "expires"},
		"refused for a hundred years": {in: access.NewToken{Name: "x", Lifetime: 876_000 * time.Hour}, wantField: "expires"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, got, err := access.NewTokens(&accesstest.Memory{}).Create(t.Context(), tt.in, byTest)
			if tt.wantField != "" {
				checkInvalid(t, err, tt.wantField)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(`^halley_[A-Z2-7]{26}$`).MatchString(text) {
				t.Errorf("the token does not have the form of one")
			}
			sum := sha256.Sum256([]byte(text))
			tt.want.Hash = sum[:]
			tt.want.By = byTest.Actor
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("stored token (-want +got):\n%s", diff)
			}
		})
	}
}

func checkInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var e *halley.Error
	if !errors.As(err, &e) || e.Kind != halley.Invalid || e.Field != field || e.Message == "" {
		t.Errorf("error = %v, want an invalid %s with a message", err, field)
	}
}

func TestTokenNamesAreUnique(t *testing.T) {
	t.Parallel()
	tokens := access.NewTokens(&accesstest.Memory{})
	create(t, tokens, access.NewToken{Name: "one"})
	_, _, err := tokens.Create(t.Context(), access.NewToken{Name: "one"}, byTest)
	if halley.KindOf(err) != halley.Conflict {
		t.Errorf("second token of a name: %v, want a conflict", err)
	}
}

func TestParseLifetime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in     string
		want   time.Duration
		failed bool
	}{
		"empty is the default": {in: "", want: 0},
		"never":                {in: "never", want: access.Never},
		"a time":               {in: "24h", want: 24 * time.Hour},
		"days":                 {in: "90d", want: 90 * 24 * time.Hour},
		"no days":              {in: "0d", failed: true},
		"negative days":        {in: "-3d", failed: true},
		"negative":             {in: "-24h", failed: true},
		"too long":             {in: "100000d", failed: true},
		"beyond all numbers":   {in: "99999999999999999999d", failed: true},
		"words":                {in: "soon", failed: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := access.ParseLifetime(tt.in)
			if tt.failed {
				checkInvalid(t, err, "expires")
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("ParseLifetime(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
			}
		})
	}
}

func create(t *testing.T, tokens *access.Tokens, n access.NewToken) string {
	t.Helper()
	text, _, err := tokens.Create(t.Context(), n, halley.Change{At: halley.MillisOf(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestFindTokenSaysWhoAsks(t *testing.T) {
	t.Parallel()
	tokens := access.NewTokens(&accesstest.Memory{})
	text, stored, err := tokens.Create(t.Context(), access.NewToken{Name: "backup"}, byTest)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tokens.Find(t.Context(), text, now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(stored, got); diff != "" {
		t.Errorf("token (-made +found):\n%s", diff)
	}
}

func TestTokenHasTheRightsOfItsNode(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.Arrange(func(d *directory.Data) {
		d.Organizations = []halley.Organization{{ID: 2, ParentID: 1, Name: "Acme"}, {ID: 3, ParentID: 1, Name: "Beta"}}
	})
	text := create(t, a.Tokens, access.NewToken{Name: "acme", Role: halley.User, OrganizationID: 2})
	c, err := a.Authenticate(t.Context(), access.Presented{Bearer: text})
	if err != nil {
		t.Fatal(err)
	}
	wantActor := halley.Actor{Kind: "token", Name: "acme", Session: "token 1"}
	if diff := cmp.Diff(wantActor, c.Actor()); diff != "" {
		t.Errorf("actor (-want +got):\n%s", diff)
	}
	own, other := c.Rights.AtOrganization(halley.PermitPlaceRead, 2), c.Rights.AtOrganization(halley.PermitPlaceRead, 3)
	if c.Role != halley.User || !own || other {
		t.Errorf("role %q, place.read at its own node %v, at another %v", c.Role, own, other)
	}
}

func TestFindTokenRefuses(t *testing.T) {
	t.Parallel()
	tokens := access.NewTokens(&accesstest.Memory{})
	text, _, err := tokens.Create(t.Context(), access.NewToken{Name: "short", Lifetime: time.Hour}, byTest)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		text     string
		at       time.Time
		wantCode string
	}{
		"one that is no token":          {text: "password", at: now, wantCode: "token-not-valid"},
		"one that nobody made":          {text: "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA", at: now, wantCode: "token-not-valid"},
		"one that differs by a letter":  {text: text[:len(text)-1] + "1", at: now, wantCode: "token-not-valid"},
		"one at the instant of its end": {text: text, at: now.Add(time.Hour), wantCode: "token-expired"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tokens.Find(t.Context(), tt.text, tt.at)
			checkUnauthenticated(t, err, tt.wantCode)
			if strings.Contains(err.Error(), tt.text) {
				t.Error("the error holds the token")
			}
		})
	}
}

func checkUnauthenticated(t *testing.T, err error, code string) {
	t.Helper()
	var e *halley.Error
	if !errors.As(err, &e) || e.Kind != halley.Unauthenticated || e.Code != code || e.Message == "" {
		t.Errorf("error = %v, want unauthenticated with code %s and a message", err, code)
	}
}

func TestTokenOfAnotherProcessCountsAtOnce(t *testing.T) {
	t.Parallel()
	store := &accesstest.Memory{}
	here, there := access.NewTokens(store), access.NewTokens(store)
	if _, err := here.Find(t.Context(), "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA", now); err == nil {
		t.Fatal("a token that nobody made was found")
	}
	text := create(t, there, access.NewToken{Name: "new"})
	if _, err := here.Find(t.Context(), text, time.Now()); err != nil {
		t.Errorf("a token that another process made just now: %v", err)
	}
}

func TestTokenRevokedElsewhereEndsWithinSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &accesstest.Memory{}
		here, there := access.NewTokens(store), access.NewTokens(store)
		text := create(t, there, access.NewToken{Name: "old"})
		find := func() error { _, err := here.Find(t.Context(), text, time.Now()); return err }
		for range 100 {
			if err := find(); err != nil {
				t.Fatal(err)
			}
		}
		if got := store.Lookups(); got != 1 {
			t.Errorf("the store was asked %d times for 100 requests at once, want 1", got)
		}
		if err := there.Revoke(t.Context(), "old", byTest); err != nil {
			t.Fatal(err)
		}
		wait(t, 3*time.Second)
		checkUnauthenticated(t, find(), "token-not-valid")
	})
}

// wait lets time pass in a synctest bubble.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

func TestTokenRevokedHereEndsAtOnce(t *testing.T) {
	t.Parallel()
	tokens := access.NewTokens(&accesstest.Memory{})
	text := create(t, tokens, access.NewToken{Name: "old"})
	at := time.Now()
	if _, err := tokens.Find(t.Context(), text, at); err != nil {
		t.Fatal(err)
	}
	if err := tokens.Revoke(t.Context(), "old", byTest); err != nil {
		t.Fatal(err)
	}
	_, err := tokens.Find(t.Context(), text, at)
	checkUnauthenticated(t, err, "token-not-valid")
	if err := tokens.Revoke(t.Context(), "old", byTest); halley.KindOf(err) != halley.NotFound {
		t.Errorf("revoking twice: %v, want not found", err)
	}
}

// A store may give a token that was revoked, or one of another hash: neither counts.
func TestWhatTheStoreGivesIsCheckedAgain(t *testing.T) {
	t.Parallel()
	const text = "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA"
	right := sha256.Sum256([]byte(text))
	for name, given := range map[string]storage.Token{
		"revoked":      {ID: 1, Name: "x", Role: halley.Administrator, Hash: right[:], RevokedAt: 1},
		"another hash": {ID: 1, Name: "x", Role: halley.Administrator, Hash: right[1:]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := access.NewTokens(givingStore{token: given}).Find(t.Context(), text, now)
			checkUnauthenticated(t, err, "token-not-valid")
		})
	}
}

// givingStore gives one token for every hash.
type givingStore struct {
	access.TokenStore
	token storage.Token
}

func (g givingStore) Token(context.Context, []byte) (storage.Token, error) { return g.token, nil }

func TestManyTokensStayBounded(t *testing.T) {
	t.Parallel()
	tokens := access.NewTokens(&accesstest.Memory{})
	at := time.Now()
	for i := range 1100 {
		text := create(t, tokens, access.NewToken{Name: strings.Repeat("n", i%100+1) + time.Duration(i).String()})
		if _, err := tokens.Find(t.Context(), text, at); err != nil {
			t.Fatal(err)
		}
	}
	if got := access.FoundTokens(tokens); got > 1024 {
		t.Errorf("%d found tokens are remembered, want at most 1024", got)
	}
}

func TestFindTokenSaysWhenTheStoreIsAway(t *testing.T) {
	t.Parallel()
	store := &accesstest.Memory{}
	store.FailWith(func(string) error { return &halley.Error{Kind: halley.Unavailable} })
	_, err := access.NewTokens(store).Find(context.Background(), "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA", now)
	if halley.KindOf(err) != halley.Unavailable {
		t.Errorf("error = %v, want unavailable: an away store must not look like a wrong token", err)
	}
}

// knownTokens is a copy of the store's tokens.
type knownTokens map[[sha256.Size]byte]storage.Token

func (k knownTokens) Token(hash [sha256.Size]byte) (storage.Token, bool) {
	t, ok := k[hash]
	return t, ok
}

func TestAKnownTokenNeedsNoStore(t *testing.T) {
	t.Parallel()
	at := halley.MillisOf(now)
	tests := map[string]struct {
		known     storage.Token
		wantCode  string // of the refusal
		lookups   int
		storeAway bool
	}{
		"one that counts":              {known: storage.Token{ID: 1, Name: "wall", Role: halley.Reader, ExpiresAt: at + 1}},
		"also while the store is away": {known: storage.Token{ID: 1, Name: "wall", Role: halley.Reader}, storeAway: true},
		"one that was revoked":         {known: storage.Token{ID: 1, RevokedAt: at - 1}, wantCode: "token-not-valid"},
		"one that has expired":         {known: storage.Token{ID: 1, ExpiresAt: at}, wantCode: "token-expired"},
		"one that the copy lacks":      {wantCode: "token-not-valid", lookups: 1},
		"one that nobody can look up":  {wantCode: "gone", storeAway: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const text = "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA"
			known := knownTokens{}
			if tt.known.ID != 0 {
				known[sha256.Sum256([]byte(text))] = tt.known
			}
			store := &accesstest.Memory{}
			if tt.storeAway {
				store.FailWith(func(string) error { return &halley.Error{Kind: halley.Unavailable, Code: "gone"} })
			}
			c, err := access.NewKnownTokens(store, known).Find(t.Context(), text, now)
			code := ""
			if e, ok := errors.AsType[*halley.Error](err); ok {
				code = e.Code
			}
			if code != tt.wantCode || err == nil && c.Name != tt.known.Name {
				t.Errorf("caller %+v, %v; want the code %q", c, err, tt.wantCode)
			}
			if got := store.Lookups(); got != tt.lookups {
				t.Errorf("the store was asked %d times, want %d", got, tt.lookups)
			}
		})
	}
}

// hangingStore does not answer until the caller gives up.
type hangingStore struct{ access.TokenStore }

func (hangingStore) Token(ctx context.Context, _ []byte) (storage.Token, error) {
	<-ctx.Done()
	return storage.Token{}, ctx.Err()
}

func TestAStoreThatHangsIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := access.NewTokens(hangingStore{}).Find(t.Context(), "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA", began)
		if halley.KindOf(err) != halley.Unavailable || time.Since(began) > time.Second {
			t.Errorf("%v after %v, want Unavailable within a second", err, time.Since(began))
		}
	})
}
