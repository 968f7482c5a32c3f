package oidcsignin

import "time"

// LetTimePass has an issuer that could not be asked be asked again.
func LetTimePass(s *SignIn) {
	s.provider.mu.Lock()
	defer s.provider.mu.Unlock()
	s.provider.failedAt = s.provider.failedAt.Add(-time.Hour)
}
