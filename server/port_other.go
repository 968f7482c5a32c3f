//go:build !linux

package server

import (
	"errors"
	"syscall"
)

// wsaAddrInUse is WSAEADDRINUSE, which Windows gives for a busy port.
const wsaAddrInUse = syscall.Errno(10048)

func isInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse)
}

// ownerOf cannot tell on this system; the message says how to find out.
func ownerOf(string) string { return " (netstat -ano names its process)" }
