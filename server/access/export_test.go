package access

// FoundTokens says how many found tokens are remembered.
func FoundTokens(t *Tokens) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.found)
}
