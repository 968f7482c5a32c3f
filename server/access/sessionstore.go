package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"halley"
	"halley/storage"
)

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

// kept is what the store is to know of a session besides what scs says of it; commit puts it into the context.
type kept struct {
	person halley.PersonID
	// renews says that the session must be there still.
	renews bool
}

// keptKey is the key of a kept in a context.
type keptKey struct{}

// CommitCtx writes one session.
func (s *sessionStore) CommitCtx(ctx context.Context, hash string, data []byte, expiry time.Time) error {
	k, ok := ctx.Value(keptKey{}).(kept)
	if !ok {
		return errors.New("a session of nobody cannot be kept")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ended := s.ended[hash]; ended {
		return errSessionEnded
	}
	return s.store.SaveSession(ctx, storage.Session{
		Hash: hash, PersonID: k.person, Data: data, ExpiresAt: halley.MillisOf(expiry), Renews: k.renews,
	})
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
