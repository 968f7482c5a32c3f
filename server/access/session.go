package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/alexedwards/scs/v2"

	"halley"
	"halley/storage"
)

// CookieName is the name of the session cookie. The prefix makes browsers insist on Secure, the path "/" and no domain.
const CookieName = "__Host-halley"

const (
	// sessionLifetime ends every session.
	sessionLifetime = 12 * time.Hour
	// activityStep is how exactly activity is kept: a session is written once in this time and not with every request. It
	// shortens the idle time by as much at most.
	activityStep = time.Minute
	// sessionIDLen is how much of the hash of a cookie names its session.
	sessionIDLen = 12
)

// SessionStore is what Sessions needs of the store; storage.Access and storage.People have it.
type SessionStore interface {
	Session(ctx context.Context, hash string, now halley.Millis) (data []byte, found bool, err error)
	SaveSession(ctx context.Context, s storage.Session) error
	DeleteSession(ctx context.Context, hash string) error
	PersonSessions(ctx context.Context, person halley.PersonID, now halley.Millis) ([]storage.Session, error)
}

// Sessions keeps the sessions of browsers in the store, by the hash of their cookie. Its methods may be called at the same
// time.
type Sessions struct {
	manager *scs.SessionManager
	store   *sessionStore
}

// NewSessions gives Sessions over a store.
func NewSessions(store SessionStore) *Sessions {
	kept := &sessionStore{store: store, ended: make(map[string]time.Time)}
	// scs.New would start a goroutine that nobody can end. What it sets besides is set here. When a session is idle is its person's
	// own choice and looked at in check; the store keeps none beyond the longest choice.
	m := &scs.SessionManager{
		Store:            kept,
		Codec:            sessionCodec{},
		HashTokenInStore: true,
		IdleTimeout:      longestIdle,
		Lifetime:         sessionLifetime,
		Cookie: scs.SessionCookie{
			Name: CookieName, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode, Persist: true,
		},
	}
	return &Sessions{manager: m, store: kept}
}

// longestIdle is the longest choice of when to be signed out.
const longestIdle = 120 * time.Minute

// held is what a session holds.
type held struct {
	// id tells the session from every other.
	id string
	// person is 0 in the session of the first sign-in.
	person halley.PersonID
	// begun, seen and deadline are when it began, when somebody was there last, and when it ends at the latest.
	begun, seen, deadline halley.Millis
	// proved is when the password was set that began it; 0 where it did not need one. A later one ends the session.
	proved halley.Millis
	// confirmed is until when critical changes may be made; 0 for never.
	confirmed halley.Millis
	// showAs is the person as whom things are shown.
	showAs         halley.PersonID
	address, agent string
}

// The names of the values of a session.
const (
	valuePerson    = "person"
	valueBegun     = "begun"
	valueSeen      = "seen"
	valueProved    = "proved"
	valueConfirmed = "confirmed"
	valueShowAs    = "show-as"
	valueAddress   = "address"
	valueAgent     = "agent"
)

// values gives what scs keeps of it.
func (v held) values() map[string]string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return map[string]string{
		valuePerson: number(int64(v.person)), valueBegun: number(int64(v.begun)), valueSeen: number(int64(v.seen)),
		valueProved: number(int64(v.proved)), valueConfirmed: number(int64(v.confirmed)), valueShowAs: number(int64(v.showAs)),
		valueAddress: v.address, valueAgent: v.agent,
	}
}

// heldOf reads what values gave; ok is false for what it did not.
func heldOf(get func(string) string) (v held, ok bool) {
	ok = true
	number := func(name string) int64 {
		n, err := strconv.ParseInt(get(name), 10, 64)
		ok = ok && err == nil && n >= 0
		return n
	}
	v = held{
		person: halley.PersonID(number(valuePerson)), begun: halley.Millis(number(valueBegun)), seen: halley.Millis(number(valueSeen)),
		proved: halley.Millis(number(valueProved)), confirmed: halley.Millis(number(valueConfirmed)),
		showAs: halley.PersonID(number(valueShowAs)), address: get(valueAddress), agent: get(valueAgent),
	}
	return v, ok
}

// begin begins a session in place of the one that the former cookie names, and sets its cookie on h. Whatever cookie came, the new one
// is made here.
func (s *Sessions) begin(ctx context.Context, h http.Header, formerCookie string, v held) (held, error) {
	const op = "beginning a session"
	if former, err := s.load(ctx, formerCookie); err == nil {
		if err = s.manager.Destroy(former); err != nil {
			return held{}, fmt.Errorf("%s: %w", op, err)
		}
	} else if halley.KindOf(err) != halley.Unauthenticated {
		return held{}, err
	}
	fresh, err := s.manager.Load(ctx, "")
	if err != nil {
		return held{}, fmt.Errorf("%s: %w", op, err)
	}
	now := halley.MillisOf(time.Now())
	v.begun, v.seen = now, now
	return s.commit(fresh, h, v)
}

// commit writes a session under a new cookie, which it sets on h, or as it was where h is nil.
func (s *Sessions) commit(ctx context.Context, h http.Header, v held) (held, error) {
	for name, value := range v.values() {
		s.manager.Put(ctx, name, value)
	}
	token, _, err := s.manager.Commit(context.WithValue(ctx, keptKey{}, kept{person: v.person, renews: h == nil}))
	switch {
	case errors.Is(err, errSessionEnded), halley.KindOf(err) == halley.NotFound:
		return held{}, errNoSession()
	case err != nil:
		return held{}, fmt.Errorf("keeping a session: %w", err)
	}
	if h != nil {
		// The cookie lives as long as a session can; that it is idle is the server's to see.
		s.manager.WriteSessionCookie(ctx, headerOnly{h}, token, s.manager.Deadline(ctx))
	}
	v.id, v.deadline = sessionID(token), halley.MillisOf(s.manager.Deadline(ctx))
	return v, nil
}

// find gives what the session of a cookie holds, in a context in which it can be committed anew. Unauthenticated where there is no such
// session.
func (s *Sessions) find(ctx context.Context, cookie string) (context.Context, held, error) {
	loaded, err := s.load(ctx, cookie)
	if err != nil {
		return ctx, held{}, err
	}
	v, ok := heldOf(func(name string) string { return s.manager.GetString(loaded, name) })
	v.id, v.deadline = sessionID(cookie), halley.MillisOf(s.manager.Deadline(loaded))
	if !ok || time.Now().After(s.manager.Deadline(loaded)) {
		return ctx, held{}, errNoSession()
	}
	return loaded, v, nil
}

// seen keeps the session of a context that find gave from ending as idle. It is written once a minute.
func (s *Sessions) seen(ctx context.Context, v held) error {
	now := halley.MillisOf(time.Now())
	if age := now - v.seen; age >= 0 && age < halley.Millis(activityStep.Milliseconds()) {
		return nil
	}
	v.seen = now
	_, err := s.commit(ctx, nil, v)
	return err
}

// change writes what change makes of the session of a cookie.
func (s *Sessions) change(ctx context.Context, cookie string, change func(*held)) error {
	ctx, v, err := s.find(ctx, cookie)
	if err != nil {
		return err
	}
	change(&v)
	_, err = s.commit(ctx, nil, v)
	return err
}

// renew gives the session of a cookie a new cookie, so that one that somebody else may know is worth nothing any more. It does not
// prolong it.
func (s *Sessions) renew(ctx context.Context, h http.Header, cookie string, change func(*held)) error {
	found, v, err := s.find(ctx, cookie)
	if err != nil {
		return err
	}
	change(&v)
	deadline := s.manager.Deadline(found)
	if err = s.manager.RenewToken(found); err != nil {
		return fmt.Errorf("renewing a session: %w", err)
	}
	s.manager.SetDeadline(found, deadline)
	_, err = s.commit(found, h, v)
	return err
}

// end ends the session of this cookie, where there is one, and takes the cookie back on h.
func (s *Sessions) end(ctx context.Context, h http.Header, cookie string) error {
	loaded, err := s.load(ctx, cookie)
	switch {
	case err == nil:
		if err = s.manager.Destroy(loaded); err != nil {
			return fmt.Errorf("ending a session: %w", err)
		}
	case halley.KindOf(err) != halley.Unauthenticated:
		return err
	}
	s.manager.WriteSessionCookie(ctx, headerOnly{h}, "", time.Time{})
	return nil
}

// load reads the session of a cookie into a context. It is Unauthenticated where the store has none, and where what it has
// cannot be read.
func (s *Sessions) load(ctx context.Context, cookie string) (context.Context, error) {
	if cookie == "" {
		return ctx, errNoSession()
	}
	loaded, err := s.manager.Load(ctx, cookie)
	var unreadable *unreadableSessionError
	switch {
	case errors.As(err, &unreadable):
		return ctx, errNoSession()
	case err != nil:
		return ctx, fmt.Errorf("reading a session: %w", err)
	case s.manager.Token(loaded) == "":
		return ctx, errNoSession()
	}
	return loaded, nil
}

// Session is a session as its person and an administrator see it.
type Session struct {
	// ID names it; it is not its secret.
	ID                         string
	BegunAt, SeenAt, ExpiresAt halley.Millis
	// Address and Agent say from where and by what browser it began.
	Address, Agent string
}

// list gives the sessions of a person by begin; sessions that cannot be read are left out.
func (s *Sessions) list(ctx context.Context, person halley.PersonID) ([]Session, error) {
	stored, err := s.store.store.PersonSessions(ctx, person, halley.MillisOf(time.Now()))
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	list := []Session{}
	for _, each := range stored {
		deadline, values, err := sessionCodec{}.Decode(each.Data)
		if err != nil {
			continue
		}
		v, ok := heldOf(func(name string) string { text, _ := values[name].(string); return text })
		if !ok || v.person != person || len(each.Hash) < sessionIDLen {
			continue
		}
		list = append(list, Session{
			ID: each.Hash[:sessionIDLen], BegunAt: v.begun, SeenAt: v.seen, ExpiresAt: halley.MillisOf(deadline),
			Address: v.address, Agent: v.agent,
		})
	}
	return list, nil
}

// endWhere ends those sessions of a person that which picks by their id, and says how many.
func (s *Sessions) endWhere(ctx context.Context, person halley.PersonID, which func(id string) bool) (int, error) {
	stored, err := s.store.store.PersonSessions(ctx, person, halley.MillisOf(time.Now()))
	if err != nil {
		return 0, fmt.Errorf("looking for sessions: %w", err)
	}
	ended := 0
	for _, each := range stored {
		if len(each.Hash) < sessionIDLen || !which(each.Hash[:sessionIDLen]) {
			continue
		}
		if err := s.store.DeleteCtx(ctx, each.Hash); err != nil {
			return ended, fmt.Errorf("ending a session: %w", err)
		}
		ended++
	}
	return ended, nil
}

// sessionID gives the name of a session: the beginning of the hash under which the store keeps it.
func sessionID(cookie string) string {
	hash := sha256.Sum256([]byte(cookie))
	return base64.RawURLEncoding.EncodeToString(hash[:])[:sessionIDLen]
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
