//go:build unix

package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// errLocked says that another process holds the lock.
var errLocked = errors.New("another process holds the lock")

// tryLock locks the open file for this process, without waiting.
func tryLock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return errLocked
	case err != nil:
		return fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	return nil
}

// isOpenToOthers says whether anyone but the owner has rights on the folder.
func isOpenToOthers(_ string, info fs.FileInfo) (bool, error) {
	return info.Mode().Perm()&0o077 != 0, nil
}

// restrict closes a folder to others.
func restrict(path string) error {
	if err := os.Chmod(path, 0o700); err != nil { //nolint:gosec // a folder needs its execute bit
		return fmt.Errorf("closing the folder to others: %w", err)
	}
	return nil
}

// tighten closes one of Halley's own folders to others.
func tighten(path string) error { return restrict(path) }

// keepPrivate makes sure that only the owner of the data folder can read a file.
func keepPrivate(f *os.File, folder string) error {
	if err := f.Chmod(0o600); err != nil {
		return fmt.Errorf("closing a file to others: %w", err)
	}
	return giveToOwner(f, folder)
}

// giveToOwner gives a file that root has made to the folder's owner: a command that an administrator runs must not leave what
// the service cannot read.
func giveToOwner(f *os.File, folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("looking at the folder's owner: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("giving a file to the folder's owner: %w", err)
	}
	return nil
}

// freeBytes gives what is left for this account, not what is left for root.
func freeBytes(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", path, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // the types differ between systems
}
