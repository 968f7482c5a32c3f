package access

import "time"

// FoundTokens says how many found tokens are remembered.
func FoundTokens(t *Tokens) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.found)
}

// MostPairs is how many pairs of name and address are remembered.
const MostPairs = mostPairs

// Pairs says how many are.
func Pairs(a *Access) int {
	a.guesses.mu.Lock()
	defer a.guesses.mu.Unlock()
	return len(a.guesses.pairs)
}

// Fail counts a failure without hashing anything.
func Fail(a *Access, name string, v Visitor) {
	if attempt, err := a.guesses.begin(newPair(name, v), time.Now()); err == nil {
		attempt.failed(time.Now())
	}
}
