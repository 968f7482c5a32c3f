// Package passwords hashes passwords with Argon2id and says which may be chosen. It asks nobody: what is common is in a list inside
// the program.
//
// No error holds a password.
package passwords

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/text/unicode/norm"

	"halley"
)

const (
	// atOnce is how many hashes are made at one time: more would take the memory, two keep a small machine's processors busy.
	atOnce = 2
	// mostWaiting bounds who waits for one, waitingOfOne who of them may come from the same place. At some 30 ms a hash the last one
	// waits for a second.
	mostWaiting  = 64
	waitingOfOne = 16
	// busyFor is how long a caller is asked to wait where there is no room.
	busyFor = 2 * time.Second
	// longestBytes bounds what is hashed.
	longestBytes = 1024
)

// Hasher hashes and checks passwords, two at one time. Its methods may be called at the same time.
type Hasher struct {
	parameters Parameters
	slots      chan struct{}
	// nobody is the hash that is checked for people who have none, so that it is the same work.
	nobody func() hashed
	work   atomic.Int64

	mu      sync.Mutex
	waiting map[string]int
	total   int
}

// New gives a Hasher whose new hashes have these parameters. It panics where they are out of bounds, for they come from the program.
func New(p Parameters) *Hasher {
	if !p.valid() {
		panic(fmt.Sprintf("parameters of Argon2id out of bounds: %+v", p))
	}
	h := &Hasher{parameters: p, slots: make(chan struct{}, atOnce), waiting: make(map[string]int)}
	h.nobody = sync.OnceValue(func() hashed { return nobodysHash(p) })
	return h
}

// nobodysHash gives a hash that no password has: its key was never made by one.
func nobodysHash(p Parameters) hashed {
	h := hashed{Parameters: p, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
	copy(h.salt, "no one's hash at")
	return h
}

// BusyError says that too many passwords wait to be looked at.
type BusyError struct{}

// Error gives one line.
func (*BusyError) Error() string { return "too many passwords are being looked at" }

// RetryAfter gives how long to stay away.
func (*BusyError) RetryAfter() time.Duration { return busyFor }

// Hash gives the PHC form of a password's hash. From says who asks: of one place only some may wait. TooMany where there is no room.
func (h *Hasher) Hash(ctx context.Context, from string, password halley.Secret) (string, error) {
	leave, err := h.enter(ctx, from)
	if err != nil {
		return "", err
	}
	defer leave()
	return newHash(h.parameters, prepared(password)).String(), nil
}

// Verify checks a password against a hash in PHC form; an empty one, and one that cannot be read, fit no password and are the same
// work. Weaker says that the hash fits and should be made anew, for it is less work than New was told. TooMany where there is no room.
func (h *Hasher) Verify(ctx context.Context, from, phc string, password halley.Secret) (ok, weaker bool, err error) {
	against, readErr := parseHash(phc)
	if readErr != nil {
		against = h.nobody()
	}
	leave, err := h.enter(ctx, from)
	if err != nil {
		return false, false, err
	}
	defer leave()
	ok = against.matches(prepared(password)) && readErr == nil
	return ok, ok && against.weakerThan(h.parameters), nil
}

// Work says how many hashes were made so far.
func (h *Hasher) Work() int64 { return h.work.Load() }

// enter waits for a free place and gives what leaves it again.
func (h *Hasher) enter(ctx context.Context, from string) (leave func(), err error) {
	if !h.queue(from) {
		return nil, &halley.Error{
			Kind: halley.TooMany, Op: "look at a password", Code: "too-many-attempts",
			Message: "too many people are signing in at this moment: try again in a few seconds", Err: &BusyError{},
		}
	}
	defer h.unqueue(from)
	select {
	case h.slots <- struct{}{}:
		h.work.Add(1)
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to look at a password: %w", ctx.Err())
	}
}

func (h *Hasher) queue(from string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.total >= mostWaiting || h.waiting[from] >= waitingOfOne {
		return false
	}
	h.total++
	h.waiting[from]++
	return true
}

func (h *Hasher) unqueue(from string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.total--
	h.waiting[from]--
	if h.waiting[from] <= 0 {
		delete(h.waiting, from)
	}
}

// prepared gives the bytes of a password that are hashed: normalised, so that it does not matter on which keyboard its letters were
// composed, and no more than there may be.
func prepared(password halley.Secret) []byte {
	b := norm.NFKC.Bytes([]byte(password.Reveal()))
	return b[:min(len(b), longestBytes)]
}
