package access_test

import (
	"context"
	"errors"
	"testing"

	"halley/server/access"
	"halley/server/access/accesstest"
	"halley/server/directory"
)

// lagging is a copy that knows nobody until it is refreshed.
type lagging struct {
	*accesstest.Memory
	fresh bool
	err   error
}

func (l *lagging) Directory() *directory.State {
	if l.fresh {
		return l.Memory.Directory()
	}
	return directory.New(&directory.Data{})
}

func (l *lagging) Refresh(context.Context) error {
	l.fresh = l.err == nil
	return l.err
}

func TestACopyThatLagsBehindEndsNoSession(t *testing.T) {
	t.Parallel()
	here, store := assembled(t)
	store.Person(t, "jana", administrator)
	cookie := signIn(t, here, "jana", office)
	// Another server of the same database, which has not heard of jana yet and cannot ask at first.
	behind := &lagging{Memory: store, err: errors.New("away")}
	o := store.Options(t)
	o.Directory = behind
	there := access.New(o)
	_, err := find(t, there, cookie)
	checkUnauthenticated(t, err, "session-not-valid")
	if _, err := find(t, here, cookie); err != nil {
		t.Fatalf("the other server has ended the session: %v", err)
	}
	behind.err = nil
	if c, err := find(t, there, cookie); err != nil || c.Name != "jana" {
		t.Errorf("on the other server it is %q, %v", c.Name, err)
	}
}
