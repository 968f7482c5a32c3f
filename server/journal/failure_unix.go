//go:build !windows

package journal

import (
	"errors"

	"golang.org/x/sys/unix"
)

// isDiskFull says whether err is the operating system's own word for a full disk or a used-up quota.
func isDiskFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}
