// Package durable writes files so that they are there whole or not at all, and stay: also after a crash or a power failure.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Options say how a file is written. The zero value writes one for its owner alone, on a disk of this machine.
type Options struct {
	// Prepare is given the file before there is anything to read in it, to say who may; nil leaves it to its owner: 0600, on Windows
	// what the folder passes on.
	Prepare func(*os.File) error
	// Shared says that the folder may be on a share or a disk that cannot sync folders; that is no error then.
	Shared bool
}

// WriteFile has write write a file in place of one that may be there, and returns when it is on stable storage with its name. Where
// anything fails, what was there before is there. It makes no folder.
func WriteFile(path string, o Options, write func(io.Writer) error) (err error) {
	name, folder := filepath.Base(path), filepath.Dir(path)
	f, err := os.CreateTemp(folder, "."+name+".new-*") // 0600
	if err != nil {
		return fmt.Errorf("making %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // Windows removes no open file; it may be closed already
			_ = os.Remove(f.Name())
		}
	}()
	if o.Prepare != nil {
		if err := o.Prepare(f); err != nil {
			return err
		}
	}
	if err := write(f); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("naming %s: %w", name, err)
	}
	if o.Shared {
		return SyncShared(folder)
	}
	return SyncFolder(folder)
}

// Content writes content that is in memory.
func Content(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

// SyncShared is SyncFolder for a folder that may be on a share or a disk that cannot do that: there names are written at once, or
// nobody can say when.
func SyncShared(path string) error {
	err := SyncFolder(path)
	for _, cannot := range []error{syscall.EINVAL, syscall.EBADF, errors.ErrUnsupported, fs.ErrPermission} {
		if errors.Is(err, cannot) {
			return nil
		}
	}
	return err
}
