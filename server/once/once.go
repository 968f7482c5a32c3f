// Package once remembers what was used, so that it is used once: an answer that proves something must prove it a single time.
package once

import (
	"sync"

	"halley"
)

// Uses remembers in memory what was used until it holds no longer anyway. Its methods may be called at the same time.
type Uses struct {
	most int
	mu   sync.Mutex
	// until is to when each thing that was used would hold.
	until map[string]halley.Millis
}

// New gives Uses that remember most things at one time.
func New(most int) *Uses { return &Uses{most: most, until: make(map[string]halley.Millis)} }

// Take uses a thing that holds until an instant; false where it was used before, or where too much is remembered to know more. What
// held until now or earlier is forgotten: the caller refuses such a thing.
func (u *Uses) Take(thing string, until, now halley.Millis) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for t, end := range u.until {
		if end <= now {
			delete(u.until, t)
		}
	}
	if _, taken := u.until[thing]; taken || len(u.until) >= u.most {
		return false
	}
	u.until[thing] = until
	return true
}

// GiveBack has a thing count as not used: its use came to nothing.
func (u *Uses) GiveBack(thing string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.until, thing)
}
