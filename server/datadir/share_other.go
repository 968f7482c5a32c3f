//go:build unix && !linux

package datadir

// shareKind cannot tell here.
func shareKind(string) (string, error) { return "", nil }
