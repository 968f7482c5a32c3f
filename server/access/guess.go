package access

import (
	"fmt"
	"sync"
	"time"

	"halley"
	"halley/storage"
)

const (
	// freeFailures is how often a name may fail from one place before the pair has to wait, failureWindow how long a failure counts.
	freeFailures  = 5
	failureWindow = 15 * time.Minute
	// longestWait is the most that a pair has to wait between two attempts.
	longestWait = 15 * time.Minute
	// mostPairs bounds the memory that the table takes. Those that failed most are kept longest.
	mostPairs = 10_000
	// triedNameRunes cuts the names that strangers type.
	triedNameRunes = 100
)

// pair is a name and a place from which it was tried. Both count together only, so that nobody shuts others out: neither by failing in
// their name, nor by failing from an address that they share.
type pair struct{ name, site string }

// newPair gives the pair of what was typed and where.
func newPair(name string, v Visitor) pair {
	return pair{name: shortened(storage.NameKey(name), triedNameRunes), site: v.site()}
}

// tries is what is known of a pair.
type tries struct {
	failures int
	last     time.Time
	// running are attempts that have not ended. They count as failures until they do, so that many at once gain nothing.
	running int
}

// wait gives how long the pair must leave between the last failure and the next attempt.
func (t tries) wait() time.Duration {
	beyond := t.failures + t.running - freeFailures
	if beyond < 0 {
		return 0
	}
	return min(time.Second<<min(beyond, 20), longestWait)
}

// forgotten says that so long ago nothing counts any more.
func (t tries) forgotten(now time.Time) bool {
	return t.running == 0 && now.Sub(t.last) >= t.wait()+failureWindow
}

// guesses slows down those who guess. Its methods may be called at the same time.
type guesses struct {
	mu    sync.Mutex
	pairs map[pair]tries
}

func newGuesses() *guesses { return &guesses{pairs: make(map[pair]tries)} }

// WaitError says that somebody has to wait, and how long.
type WaitError struct {
	// After is at least a second.
	After time.Duration
}

// Error gives one line.
func (e *WaitError) Error() string { return "wait " + e.After.String() }

// RetryAfter gives how long to wait.
func (e *WaitError) RetryAfter() time.Duration { return e.After }

// attempt is one that was let through and has not ended.
type attempt struct {
	of   *guesses
	pair pair
	once sync.Once
}

// begin lets an attempt of a pair through, or says how long to wait: TooMany.
func (g *guesses) begin(p pair, now time.Time) (*attempt, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.pairs[p]
	if t.forgotten(now) {
		t = tries{}
	}
	if left := t.last.Add(t.wait()).Sub(now); t.wait() > 0 && left > 0 {
		return nil, tooMany(left)
	}
	if _, known := g.pairs[p]; !known {
		g.makeRoom(now)
	}
	t.running++
	// An attempt that runs counts from its beginning.
	t.last = now
	g.pairs[p] = t
	return &attempt{of: g, pair: p}, nil
}

func tooMany(left time.Duration) error {
	seconds := max(int64((left+time.Second-1)/time.Second), 1)
	return &halley.Error{
		Kind: halley.TooMany, Op: "sign in", Code: "too-many-attempts",
		Message: fmt.Sprintf("there were too many attempts with this name from here: wait %s and try again", spoken(seconds)),
		Err:     &WaitError{After: time.Duration(seconds) * time.Second},
	}
}

// spoken gives a number of seconds in words.
func spoken(seconds int64) string {
	switch {
	case seconds == 1:
		return "a second"
	case seconds < 120:
		return fmt.Sprintf("%d seconds", seconds)
	}
	return fmt.Sprintf("%d minutes", (seconds+59)/60)
}

// failed counts the attempt as a failure.
func (a *attempt) failed(now time.Time) {
	a.end(func(t *tries) { t.failures++; t.last = now })
}

// succeeded forgets what the pair failed before.
func (a *attempt) succeeded() { a.end(func(t *tries) { t.failures = 0 }) }

// undone counts the attempt as none: it said nothing about who asks.
func (a *attempt) undone() { a.end(func(*tries) {}) }

func (a *attempt) end(note func(*tries)) {
	a.once.Do(func() {
		a.of.mu.Lock()
		defer a.of.mu.Unlock()
		t := a.of.pairs[a.pair]
		t.running = max(t.running-1, 0)
		note(&t)
		if t.failures == 0 && t.running == 0 {
			delete(a.of.pairs, a.pair)
			return
		}
		a.of.pairs[a.pair] = t
	})
}

// makeRoom keeps the table within its bound: what counts no more goes first, then what failed least and longest ago. So somebody who
// fills it with names of their own invention does not wash out the pair that they guess at.
func (g *guesses) makeRoom(now time.Time) {
	if len(g.pairs) < mostPairs {
		return
	}
	for p, t := range g.pairs {
		if t.forgotten(now) {
			delete(g.pairs, p)
		}
	}
	for len(g.pairs) >= mostPairs {
		var least pair
		var of tries
		found := false
		for p, t := range g.pairs {
			if t.running > 0 {
				continue
			}
			if !found || t.failures < of.failures || t.failures == of.failures && t.last.Before(of.last) {
				least, of, found = p, t, true
			}
		}
		if !found {
			return // so many cannot be running: fewer may wait for their password to be looked at
		}
		delete(g.pairs, least)
	}
}

// Failures sums up the sign-ins that failed in the last quarter of an hour.
type Failures struct {
	// Attempts is how many.
	Attempts int
	// NamesFromOne is how many different names failed from the one place where most did; SitesOfOne from how many places the one name
	// failed that did from most; AttemptsOfOne how often one name failed from one place.
	NamesFromOne, SitesOfOne, AttemptsOfOne int
}

// The counts from which failures look like somebody guessing.
const (
	guessedNames    = 10
	guessedSites    = 5
	guessedAttempts = 10
)

// Guessing says that it looks as if somebody guesses passwords.
func (f Failures) Guessing() bool {
	return f.NamesFromOne >= guessedNames || f.SitesOfOne >= guessedSites || f.AttemptsOfOne >= guessedAttempts
}

// Text says in plain English what was seen; "" where nothing looks like guessing.
func (f Failures) Text() string {
	const advice = ": somebody may be guessing passwords. The audit trail lists the names under session.refuse"
	switch {
	case f.NamesFromOne >= guessedNames:
		return fmt.Sprintf("In the last 15 minutes signing in failed %d times, with %d different names from one address%s.",
			f.Attempts, f.NamesFromOne, advice)
	case f.SitesOfOne >= guessedSites:
		return fmt.Sprintf("In the last 15 minutes signing in failed %d times, with one name from %d different addresses%s.",
			f.Attempts, f.SitesOfOne, advice)
	case f.AttemptsOfOne >= guessedAttempts:
		return fmt.Sprintf("In the last 15 minutes signing in failed %d times, %d of them with one name from one address%s.",
			f.Attempts, f.AttemptsOfOne, advice)
	}
	return ""
}

// sum counts the failures of the last quarter of an hour.
func (g *guesses) sum(now time.Time) Failures {
	g.mu.Lock()
	defer g.mu.Unlock()
	var f Failures
	names, sites := make(map[string]int), make(map[string]int)
	for p, t := range g.pairs {
		if t.failures == 0 || now.Sub(t.last) >= failureWindow {
			continue
		}
		f.Attempts += t.failures
		names[p.site]++
		sites[p.name]++
		f.AttemptsOfOne = max(f.AttemptsOfOne, t.failures)
		f.NamesFromOne = max(f.NamesFromOne, names[p.site])
		f.SitesOfOne = max(f.SitesOfOne, sites[p.name])
	}
	return f
}
