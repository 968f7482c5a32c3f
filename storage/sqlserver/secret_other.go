//go:build !windows

package sqlserver

import (
	"errors"
	"fmt"
	"io/fs"
)

// tooOpen says why a file may not hold a password, or "".
func tooOpen(info fs.FileInfo) string {
	const others = 0o007
	if !info.Mode().IsRegular() {
		return "is not a file"
	}
	if mode := info.Mode().Perm(); mode&others != 0 {
		return fmt.Sprintf("can be reached by every user of this machine (mode %04o); take that away: chmod o= FILE", mode)
	}
	return ""
}

// protect encrypts for this machine alone; nil where the system has no such thing.
func protect([]byte) ([]byte, error) { return nil, nil }

// unprotect decrypts what protect gave.
func unprotect([]byte) ([]byte, error) {
	return nil, errors.New("only the Windows machine that protected it can read it")
}
