package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"halley"
)

// CookieName is the name of the session cookie. The prefix makes browsers insist on Secure, the path "/" and no domain.
const CookieName = "__Host-halley"

const (
	// sessionIdle ends a session that nobody uses.
	sessionIdle = 60 * time.Minute
	// sessionLifetime ends every session.
	sessionLifetime = 12 * time.Hour
	// activityStep is how exactly activity is kept: a session is written once in this time and not with every request. It
	// shortens the idle time by as much at most.
	activityStep = time.Minute
)

// The values of a session.
const (
	sessionName = "name"
	sessionRole = "role"
	sessionSeen = "seen"
)

// SessionStore is what Sessions needs of the store; storage.Access has it.
type SessionStore interface {
	Session(ctx context.Context, hash string, now halley.Millis) (data []byte, found bool, err error)
	SaveSession(ctx context.Context, hash string, data []byte, expires halley.Millis) error
	DeleteSession(ctx context.Context, hash string) error
}

// Sessions keeps the sessions of browsers in the store, by the hash of their cookie. Its methods may be called at the same
// time.
type Sessions struct {
	manager *scs.SessionManager
}

// NewSessions gives Sessions over a store.
func NewSessions(store SessionStore) *Sessions {
	// scs.New would start a goroutine that nobody can end. What it sets besides is set here.
	m := &scs.SessionManager{
		Store:            &sessionStore{store: store, ended: make(map[string]time.Time)},
		Codec:            sessionCodec{},
		HashTokenInStore: true,
		IdleTimeout:      sessionIdle,
		Lifetime:         sessionLifetime,
		Cookie: scs.SessionCookie{
			Name: CookieName, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode, Persist: true,
		},
	}
	return &Sessions{manager: m}
}

// Begin begins a session for the named account, in place of the one that the former cookie names, and sets its cookie on h.
func (s *Sessions) Begin(ctx context.Context, h http.Header, formerCookie string, account Caller) (Caller, error) {
	const op = "begin a session"
	ctx, err := s.load(ctx, formerCookie)
	if err != nil && halley.KindOf(err) != halley.Unauthenticated {
		return Caller{}, err
	}
	if err != nil {
		// The former session cannot be read; a new one has no need of it.
		if ctx, err = s.manager.Load(ctx, ""); err != nil {
			return Caller{}, fmt.Errorf("%s: %w", op, err)
		}
	}
	if err = s.manager.Clear(ctx); err != nil {
		return Caller{}, fmt.Errorf("%s: %w", op, err)
	}
	if err = s.manager.RenewToken(ctx); err != nil {
		return Caller{}, fmt.Errorf("%s: %w", op, err)
	}
	s.manager.Put(ctx, sessionName, account.Name)
	s.manager.Put(ctx, sessionRole, string(account.Role))
	s.manager.Put(ctx, sessionSeen, time.Now().UTC().Format(time.RFC3339))
	token, _, err := s.manager.Commit(ctx)
	if err != nil {
		return Caller{}, fmt.Errorf("%s: %w", op, err)
	}
	// The cookie lives as long as a session can; that it is idle is the server's to see.
	s.manager.WriteSessionCookie(ctx, headerOnly{h}, token, s.manager.Deadline(ctx))
	return s.caller(ctx, token), nil
}

// Find gives who holds this cookie; Unauthenticated where there is no such session. Activity keeps the session from ending as
// idle.
func (s *Sessions) Find(ctx context.Context, cookie string, activity bool) (Caller, error) {
	ctx, err := s.load(ctx, cookie)
	if err != nil {
		return Caller{}, err
	}
	c := s.caller(ctx, cookie)
	if !c.Role.Valid() || c.Name == "" || time.Now().After(s.manager.Deadline(ctx)) {
		return Caller{}, errNoSession()
	}
	if !activity {
		return c, nil
	}
	now := time.Now().UTC()
	seen, err := time.Parse(time.RFC3339, s.manager.GetString(ctx, sessionSeen))
	if age := now.Sub(seen); err == nil && age >= 0 && age < activityStep {
		return c, nil
	}
	s.manager.Put(ctx, sessionSeen, now.Format(time.RFC3339))
	_, _, err = s.manager.Commit(ctx)
	switch {
	case errors.Is(err, errSessionEnded):
		return Caller{}, errNoSession()
	case err != nil:
		return Caller{}, fmt.Errorf("keep a session: %w", err)
	}
	return c, nil
}

// End ends the session of this cookie, where there is one, and takes the cookie back on h.
func (s *Sessions) End(ctx context.Context, h http.Header, cookie string) error {
	ctx, err := s.load(ctx, cookie)
	if err != nil && halley.KindOf(err) != halley.Unauthenticated {
		return err
	}
	if err == nil {
		if err = s.manager.Destroy(ctx); err != nil {
			return fmt.Errorf("end a session: %w", err)
		}
	}
	s.manager.WriteSessionCookie(ctx, headerOnly{h}, "", time.Time{})
	return nil
}

// load reads the session of a cookie into a context. It is Unauthenticated where the store has none, and where what it has
// cannot be read; the context is of use even then.
func (s *Sessions) load(ctx context.Context, cookie string) (context.Context, error) {
	loaded, err := s.manager.Load(ctx, cookie)
	var unreadable *unreadableSessionError
	switch {
	case errors.As(err, &unreadable):
		return ctx, errNoSession()
	case err != nil:
		return ctx, fmt.Errorf("read a session: %w", err)
	case cookie == "" || s.manager.Token(loaded) == "":
		return loaded, errNoSession()
	}
	return loaded, nil
}

// caller gives who the loaded session belongs to. Its identity is the beginning of the hash under which the store keeps it.
func (s *Sessions) caller(ctx context.Context, cookie string) Caller {
	hash := sha256.Sum256([]byte(cookie))
	return Caller{
		Kind:      BySession,
		Name:      s.manager.GetString(ctx, sessionName),
		Role:      halley.Role(s.manager.GetString(ctx, sessionRole)),
		Session:   base64.RawURLEncoding.EncodeToString(hash[:9]),
		ExpiresAt: halley.MillisOf(s.manager.Deadline(ctx)),
	}
}

func errNoSession() error {
	return unauthenticated("session-not-valid", "this session has ended: sign in again")
}

// headerOnly lets scs set a cookie where there is no response writer at hand.
type headerOnly struct{ header http.Header }

// Header gives the header that the cookie goes to.
func (h headerOnly) Header() http.Header { return h.header }

// Write drops b: there is no body.
func (h headerOnly) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader does nothing: the answer is another's to begin.
func (h headerOnly) WriteHeader(int) {}

// endedKept is how long a session that was ended is remembered, so that a request that had read it before does not write it
// anew. No request lies between reading and writing as long as this.
const endedKept = time.Minute

// errSessionEnded says that a session was ended since it was read.
var errSessionEnded = errors.New("the session has been ended")

// sessionStore fits a SessionStore to scs.
type sessionStore struct {
	store SessionStore

	// mu lets no session be written while one is removed.
	mu    sync.Mutex
	ended map[string]time.Time
}

// FindCtx reads one session.
func (s *sessionStore) FindCtx(ctx context.Context, hash string) (data []byte, found bool, err error) {
	return s.store.Session(ctx, hash, halley.MillisOf(time.Now()))
}

// CommitCtx writes one session.
func (s *sessionStore) CommitCtx(ctx context.Context, hash string, data []byte, expiry time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ended := s.ended[hash]; ended {
		return errSessionEnded
	}
	return s.store.SaveSession(ctx, hash, data, halley.MillisOf(expiry))
}

// DeleteCtx removes one session; none is no error.
func (s *sessionStore) DeleteCtx(ctx context.Context, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for h, at := range s.ended {
		if now.Sub(at) > endedKept {
			delete(s.ended, h)
		}
	}
	s.ended[hash] = now
	return s.store.DeleteSession(ctx, hash)
}

// Find is FindCtx for the older interface, which scs asks for and never calls.
func (s *sessionStore) Find(hash string) (data []byte, found bool, err error) {
	return s.FindCtx(context.Background(), hash)
}

// Commit is CommitCtx for the older interface.
func (s *sessionStore) Commit(hash string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), hash, data, expiry)
}

// Delete is DeleteCtx for the older interface.
func (s *sessionStore) Delete(hash string) error { return s.DeleteCtx(context.Background(), hash) }

// sessionCodec writes sessions as JSON: other tools can read it, and reading it cannot make anything but texts.
type sessionCodec struct{}

// storedSession is a session as it lies in the store.
type storedSession struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// unreadableSessionError is session data that no codec of ours has written.
type unreadableSessionError struct{ cause error }

// Error gives one line.
func (e *unreadableSessionError) Error() string {
	return "session data cannot be read: " + e.cause.Error()
}

// Encode writes a session whose values are texts.
func (sessionCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	stored := storedSession{Deadline: deadline, Values: make(map[string]string, len(values))}
	for k, v := range values {
		text, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("session value %s is not a text", k)
		}
		stored.Values[k] = text
	}
	return json.Marshal(stored)
}

// Decode reads what Encode wrote.
func (sessionCodec) Decode(data []byte) (time.Time, map[string]any, error) {
	var stored storedSession
	if err := json.Unmarshal(data, &stored); err != nil {
		return time.Time{}, nil, &unreadableSessionError{cause: err}
	}
	values := make(map[string]any, len(stored.Values))
	for k, v := range stored.Values {
		values[k] = v
	}
	return stored.Deadline, values, nil
}

var _ scs.CtxStore = (*sessionStore)(nil)
