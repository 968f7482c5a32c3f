package journal

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isDiskFull says whether err is the operating system's own word for a full disk or a used-up quota.
func isDiskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) ||
		errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}
