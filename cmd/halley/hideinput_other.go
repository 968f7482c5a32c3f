//go:build !linux && !windows

package main

import (
	"errors"
	"os"
)

// hideInput cannot keep this system's terminals from showing what is typed.
func hideInput(*os.File) (show func(), err error) {
	return nil, errors.New("this system is not known")
}
