package viewerapi

import (
	"net/http"
	"slices"
	"sync"

	"halley"
)

// callerChanges tells open streams that callers may have lost something: a session or token was ended on this server, or what somebody
// holds was changed. What is ended on another server, or by a command, a stream finds out by itself: by this server's copy of the
// directory, and within recheckEvery.
type callerChanges struct {
	mu   sync.Mutex
	next chan struct{}
}

// wait gives a channel that is closed with the next change.
func (c *callerChanges) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

// tell lets all who wait know of a change.
func (c *callerChanges) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

// telling gives the handler of an operation that tells the open streams what it did to callers. Each stream asks for its rights anew
// then, so that only operations tell that cannot be called again and again for nothing.
func (a *API) telling(op *operation) handlerFunc {
	if !op.endsCallers() {
		return op.serve
	}
	serve := op.serve
	return func(w http.ResponseWriter, r *http.Request) error {
		err := serve(w, r)
		switch halley.KindOf(err) {
		case halley.Invalid, halley.Unauthenticated, halley.Forbidden, halley.NotFound, halley.Conflict, halley.TooLarge, halley.TooMany:
			return err // It was refused.
		case halley.Unavailable, halley.Internal:
			// This may have come behind the change.
		}
		a.callers.tell()
		return err
	}
}

// endsCallers says whether an operation may end sessions or tokens or change what somebody holds.
func (op *operation) endsCallers() bool {
	switch op.ID {
	case "signOut", "endMySession", "changePassword", "useLink":
		return true
	}
	return op.Method != http.MethodGet && slices.Contains([]halley.Permission{
		halley.PermitPersonChange, halley.PermitRoleChange, halley.PermitTokenChange,
	}, op.Permission)
}

// outdated says whether the rights of a stream must be looked at anew: something was told since, or the directory is another one.
func (s *stream) outdated(changed <-chan struct{}) bool {
	select {
	case <-changed:
		return true
	default:
		return s.api.Directory.Directory() != s.rights.State()
	}
}
