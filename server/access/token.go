package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"halley"
	"halley/server/directory"
	"halley/server/reach"
	"halley/storage"
)

const (
	// tokenPrefix lets people and secret scanners see what a leaked text is.
	tokenPrefix = "halley_"
	// tokenLifetime is how long a token lives when nobody says otherwise.
	tokenLifetime = 90 * 24 * time.Hour
	// longestLifetime keeps expiry times in what a store can hold.
	longestLifetime = 10 * 366 * 24 * time.Hour
	// tokenKept is how long a found token is trusted without asking the store again, so that a revoked one ends within it.
	tokenKept = 3 * time.Second
	// tokensKept bounds the memory that found tokens take.
	tokensKept = 1024
	// tokenPatience is how long the store is waited for about a token that this server's copy does not know.
	tokenPatience = time.Second
	// nameRunes is the longest name of a token, in characters.
	nameRunes = 200
	// tokenPlaces is how many places a token can name.
	tokenPlaces = 1000
)

// Never is the lifetime of a token that does not end.
const Never time.Duration = -1

// TokenStore is what Tokens needs of the store; storage.Access has it.
type TokenStore interface {
	CreateToken(ctx context.Context, t storage.Token, c halley.Change) (storage.Token, error)
	Token(ctx context.Context, hash []byte) (storage.Token, error)
	RevokeToken(ctx context.Context, name string, c halley.Change) error
}

// KnownTokens is this server's own copy of the tokens; *registry.Registry has it. It follows the store within seconds.
type KnownTokens interface {
	// Token gives the token with this hash, also where it was revoked or has expired; ok is false where it is not known.
	Token(hash [sha256.Size]byte) (t storage.Token, ok bool)
}

// Tokens makes, finds and revokes bearer tokens. Its methods may be called at the same time.
type Tokens struct {
	store TokenStore
	known KnownTokens

	mu    sync.Mutex
	found map[[sha256.Size]byte]foundToken
}

// foundToken is a token that the store knew a moment ago.
type foundToken struct {
	token storage.Token
	until time.Time
}

// NewTokens gives Tokens over a store alone.
func NewTokens(store TokenStore) *Tokens { return NewKnownTokens(store, noTokens{}) }

// NewKnownTokens gives Tokens over a store that may be away, and this server's own copy of them. The store is asked only for a
// token that the copy does not know, for a second at most.
func NewKnownTokens(store TokenStore, known KnownTokens) *Tokens {
	return &Tokens{store: store, known: known, found: make(map[[sha256.Size]byte]foundToken)}
}

// noTokens is a copy without tokens.
type noTokens struct{}

// Token knows none.
func (noTokens) Token([sha256.Size]byte) (storage.Token, bool) { return storage.Token{}, false }

// NewToken says what token to make.
type NewToken struct {
	// Name is unique among the tokens that count: 1 to 200 characters without control characters.
	Name string
	// Role is halley.Reader where it is empty. Whether a custom role is there, and may be given, is the caller's to look at.
	Role halley.Role
	// OrganizationID is the node that it reaches, with all below; 0 is the root.
	OrganizationID halley.OrganizationID
	// Places are the only ones that it reaches: some for halley.ViewByMeasuredPlaces, at most 1000, none for every other role.
	Places []halley.PlaceID
	// Lifetime is 90 days where it is 0; Never for a token that does not end; ten years at most.
	Lifetime time.Duration
}

// ParseLifetime reads the lifetime of a token as people write it: "never", a number of days such as "90d", or a duration such
// as "24h". The empty text gives 0, the default.
func ParseLifetime(s string) (time.Duration, error) {
	switch s {
	case "":
		return 0, nil
	case "never":
		return Never, nil
	}
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		if n, err = strconv.Atoi(days); err == nil {
			d = time.Duration(min(max(n, 0), 100_000)) * 24 * time.Hour
		}
	}
	if err != nil || d <= 0 || d > longestLifetime {
		return 0, &halley.Error{
			Kind: halley.Invalid, Op: "read a token's lifetime", Code: "expires-not-valid", Field: "expires",
			Message: `write "never", a number of days such as "90d" or a time such as "24h", ten years at most`,
		}
	}
	return d, nil
}

// Create makes a token and gives its text, which is kept nowhere and can be shown this once. Errors: Invalid where name, role
// or lifetime is wrong, Conflict where the name is used.
func (t *Tokens) Create(ctx context.Context, n NewToken, c halley.Change) (string, storage.Token, error) {
	token, err := n.token(c.At)
	if err != nil {
		return "", storage.Token{}, err
	}
	text := tokenPrefix + rand.Text()
	hash := sha256.Sum256([]byte(text))
	token.Hash = hash[:]
	token, err = t.store.CreateToken(ctx, token, c)
	if err != nil {
		return "", storage.Token{}, err
	}
	return text, token, nil
}

// token checks n and gives the row to store, still without its hash.
func (n NewToken) token(at halley.Millis) (storage.Token, error) {
	const op = "create a token"
	role := n.Role
	if role == "" {
		role = halley.Reader
	}
	lifetime := n.Lifetime
	if lifetime == 0 {
		lifetime = tokenLifetime
	}
	switch {
	case !validName(n.Name):
		return storage.Token{}, &halley.Error{
			Kind: halley.Invalid, Op: op, Code: "name-not-valid", Field: "name",
			Message: "give the token a name of 1 to 200 characters without control characters",
		}
	case !role.WellFormed():
		return storage.Token{}, &halley.Error{
			Kind: halley.Invalid, Op: op, Code: "role-not-valid", Field: "role",
			Message: `write a role such as "reader", "user" or "administrator"`,
		}
	case (role == halley.ViewByMeasuredPlaces) != (len(n.Places) > 0) || len(n.Places) > tokenPlaces:
		return storage.Token{}, &halley.Error{
			Kind: halley.Invalid, Op: op, Code: "places-not-valid", Field: "place_ids",
			Message: "name the places, 1000 at most, for the role view-by-measured-places, and none for every other role",
		}
	case lifetime != Never && (lifetime < 0 || lifetime > longestLifetime):
		return storage.Token{}, &halley.Error{
			Kind: halley.Invalid, Op: op, Code: "expires-not-valid", Field: "expires",
			Message: "let the token end within ten years, or never",
		}
	}
	token := storage.Token{Name: n.Name, Role: role, OrganizationID: n.OrganizationID, Places: n.Places, CreatedAt: at}
	if lifetime != Never {
		token.ExpiresAt = at + halley.Millis(lifetime.Milliseconds())
	}
	return token, nil
}

// validName says whether name can be a token's: text that prints, and not blank.
func validName(name string) bool {
	if !utf8.ValidString(name) || strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > nameRunes {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
}

// Revoke ends the token of this name. It ends within seconds in every process, and at once in this one where that has no copy of
// the store's tokens. NotFound where there
// is none that still counts.
func (t *Tokens) Revoke(ctx context.Context, name string, c halley.Change) error {
	err := t.store.RevokeToken(ctx, name, c)
	t.mu.Lock()
	clear(t.found)
	t.mu.Unlock()
	return err
}

// Find gives the token that this text is. Unauthenticated where it is unknown, revoked or expired at now: with one that has been revoked
// or has expired comes the token all the same. Unavailable where neither
// this server's copy nor the store can say. A token that another process made counts at once, for only tokens that were found are
// remembered, for three seconds.
func (t *Tokens) Find(ctx context.Context, text string, now time.Time) (storage.Token, error) {
	if !strings.HasPrefix(text, tokenPrefix) {
		return storage.Token{}, errUnknownToken()
	}
	token, err := t.lookUp(ctx, sha256.Sum256([]byte(text)), now)
	if err != nil {
		return token, err
	}
	if token.Expired(halley.MillisOf(now)) {
		return token, unauthenticated("token-expired", "this token has expired: make another with `halley token create`")
	}
	return token, nil
}

// CallerOf gives who presents a token that counts, with the rights that it has by a directory.
func CallerOf(token storage.Token, by *directory.State) Caller {
	return Caller{
		Kind: ByToken, Name: token.Name, Role: token.Role, Rights: by.RightsOfToken(token),
		Session: token.Actor().Session, ExpiresAt: token.ExpiresAt,
	}
}

// lookUp gives the token of this hash from this server's copy, from memory or from the store; one that was revoked with the error.
func (t *Tokens) lookUp(ctx context.Context, hash [sha256.Size]byte, now time.Time) (storage.Token, error) {
	if token, ok := t.known.Token(hash); ok {
		if token.RevokedAt != 0 {
			t.forget(hash)
			return token, errUnknownToken()
		}
		return token, nil
	}
	t.mu.Lock()
	found, ok := t.found[hash]
	t.mu.Unlock()
	if ok && now.Before(found.until) {
		return found.token, nil
	}
	token, err := t.ask(ctx, hash)
	switch {
	case halley.KindOf(err) == halley.NotFound || err == nil && subtle.ConstantTimeCompare(token.Hash, hash[:]) != 1:
		t.forget(hash)
		return storage.Token{}, errUnknownToken()
	case err == nil && token.RevokedAt != 0:
		t.forget(hash)
		return token, errUnknownToken()
	case err != nil:
		return storage.Token{}, err
	}
	t.remember(hash, foundToken{token: token, until: now.Add(tokenKept)}, now)
	return token, nil
}

// ask looks a token up in the store.
func (t *Tokens) ask(ctx context.Context, hash [sha256.Size]byte) (storage.Token, error) {
	bounded, cancel := context.WithTimeout(ctx, tokenPatience)
	defer cancel()
	token, err := t.store.Token(bounded, hash[:])
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return storage.Token{}, &halley.Error{
			Kind: halley.Unavailable, Op: "authenticate", Code: reach.CodeAway,
			Message: "the database does not answer and this server has no copy of this token: try again in a minute", Err: err,
		}
	}
	return token, err
}

// remember keeps a found token; the memory is bounded by dropping what is out of date, and all where that is not enough.
func (t *Tokens) remember(hash [sha256.Size]byte, f foundToken, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.found) >= tokensKept {
		for k, v := range t.found {
			if !now.Before(v.until) {
				delete(t.found, k)
			}
		}
		if len(t.found) >= tokensKept {
			clear(t.found)
		}
	}
	t.found[hash] = f
}

func (t *Tokens) forget(hash [sha256.Size]byte) {
	t.mu.Lock()
	delete(t.found, hash)
	t.mu.Unlock()
}

func errUnknownToken() error {
	return unauthenticated("token-not-valid", "this token is not known: make one with `halley token create`")
}

// unauthenticated gives the error for a caller who is not known.
func unauthenticated(code, message string) error {
	return &halley.Error{Kind: halley.Unauthenticated, Op: "authenticate", Code: code, Message: message}
}
