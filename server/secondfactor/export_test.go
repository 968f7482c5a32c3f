package secondfactor

import "halley"

// Matching gives the time step of which code is the code, of those that count at now.
func Matching(secret, code string, now halley.Millis) (int64, bool) {
	return matching(secret, code, now)
}
