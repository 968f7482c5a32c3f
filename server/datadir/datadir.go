// Package datadir keeps the folder that belongs to the service alone: it makes it, keeps others out of it, refuses one that
// lies on a network share, and lets one process at a time work in it. It knows nothing of what lies in the folder.
package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"halley"
	"halley/server/durable"
)

// lockName is the file that is locked.
const lockName = "halley.lock"

// Dir is an opened data folder.
type Dir struct {
	path string
	lock *os.File
}

// Open gives the data folder at path, with an absolute path; it makes it where it is not there. The folder is for its owner
// alone: 0700, on Windows SYSTEM, Administrators and the account that made it. An existing folder that others can read is
// tightened where it is empty or one of Halley's, else refused, so that a folder named by mistake is not closed to its users.
//
// It takes no lock: commands that only look need none. Errors are *halley.Error: Invalid where the path cannot be a data
// folder, Forbidden where this account may not use it.
func Open(path string) (*Dir, error) {
	const op = "open the data folder"
	if path == "" {
		return nil, &halley.Error{Kind: halley.Invalid, Op: op, Field: "data", Message: "name a folder"}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &halley.Error{Kind: halley.Internal, Op: op, Field: "data", Err: err}
	}
	if filepath.Dir(abs) == abs {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: op, Field: "data", Message: abs + " is a whole disk; give Halley a folder of its own",
		}
	}
	kind, err := shareKind(existingAncestor(abs))
	if err != nil {
		return nil, openError(op, abs, err)
	}
	if kind != "" {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: op, Code: "network-share", Field: "data",
			Message: fmt.Sprintf("%s lies on a network share (%s), where \"stored\" cannot be promised; name a folder on a disk "+
				"of this machine", abs, kind),
		}
	}
	if err := make700(abs); err != nil {
		return nil, openError(op, abs, err)
	}
	return &Dir{path: abs}, nil
}

// existingAncestor gives path, or the nearest folder above it that is there.
func existingAncestor(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || filepath.Dir(path) == path {
			return path
		}
		path = filepath.Dir(path)
	}
}

// errOthers says that a folder is open to others and holds what is not Halley's.
var errOthers = errors.New("others can read it and it holds other files")

// make700 makes the folder, or makes sure that an existing one is private.
func make700(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return fmt.Errorf("making the folder: %w", err)
		}
		return restrict(path)
	}
	if err != nil {
		return fmt.Errorf("looking at the folder: %w", err)
	}
	if !info.IsDir() {
		return &halley.Error{
			Kind: halley.Invalid, Op: "open the data folder", Field: "data", Message: path + " is a file; name a folder",
		}
	}
	if others, err := isOpenToOthers(path, info); err != nil || !others {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("reading the folder: %w", err)
	}
	switch {
	case len(entries) == 0:
		return restrict(path)
	case isHalleys(entries):
		return tighten(path)
	}
	return errOthers
}

// isHalleys says whether a folder is one of Halley's: a server ran in it, or an installer put nothing but the configuration
// there.
func isHalleys(entries []fs.DirEntry) bool {
	if len(entries) == 1 && entries[0].Name() == "halley.toml" {
		return true
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() == lockName || e.Name() == "halley.db"
	})
}

func openError(op, path string, err error) error {
	if _, ok := errors.AsType[*halley.Error](err); ok {
		return err
	}
	e := &halley.Error{Kind: halley.Internal, Op: op, Field: "data", Err: err}
	switch {
	case errors.Is(err, errOthers):
		e.Kind, e.Code, e.Err = halley.Invalid, "open-to-others", nil
		e.Message = fmt.Sprintf("others can read %s, and it holds files that are not Halley's; give Halley a folder of its own, "+
			"or close this one to others first", path)
	case errors.Is(err, fs.ErrPermission):
		e.Kind, e.Message = halley.Forbidden, fmt.Sprintf("this account may not use %s; run as the account of the service or as "+
			"an administrator", path)
	}
	return e
}

// Path gives the folder's absolute path.
func (d *Dir) Path() string { return d.path }

// Join gives the absolute path of something in the folder.
func (d *Dir) Join(elements ...string) string {
	return filepath.Join(append([]string{d.path}, elements...)...)
}

// Lock takes the folder for this process until Unlock. It does not wait: where another Halley uses the folder it is a Conflict
// that names its process. A process holds it once.
func (d *Dir) Lock() error {
	const op = "lock the data folder"
	if d.lock != nil {
		return &halley.Error{Kind: halley.Conflict, Op: op, Message: "this process holds it already"}
	}
	f, err := os.OpenFile(d.Join(lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return openError(op, d.path, err)
	}
	if err := d.take(f); err != nil {
		_ = f.Close() // nothing was written
		return err
	}
	d.lock = f
	return nil
}

func (d *Dir) take(f *os.File) error {
	const op = "lock the data folder"
	if err := tryLock(f); err != nil {
		if !errors.Is(err, errLocked) {
			return &halley.Error{Kind: halley.Internal, Op: op, Err: err}
		}
		return &halley.Error{
			Kind: halley.Conflict, Op: op, Code: "in-use",
			Message: fmt.Sprintf("another Halley%s uses %s; stop it first, or name another folder", holder(f), d.path),
		}
	}
	if err := giveToOwner(f, d.path); err != nil {
		return &halley.Error{Kind: halley.Internal, Op: op, Err: err}
	}
	// Who holds it, for the message of the next. Only the lock itself counts.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return nil
}

// holder reads which process holds the lock, as " (process 123)"; "" where that is not known.
func holder(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0) // a short file is the rule
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// Unlock gives the folder free. Without a lock it does nothing.
func (d *Dir) Unlock() error {
	if d.lock == nil {
		return nil
	}
	err := d.lock.Close() // the system takes the lock back with it
	d.lock = nil
	if err != nil {
		return &halley.Error{Kind: halley.Internal, Op: "unlock the data folder", Err: err}
	}
	return nil
}

// Free gives how many bytes this account can still write on the folder's disk.
func (d *Dir) Free() (int64, error) {
	free, err := freeBytes(d.path)
	if err != nil {
		return 0, &halley.Error{Kind: halley.Internal, Op: "measure the free disk space", Err: err}
	}
	return free, nil
}

// WriteFilePrivate writes a file in the folder, or in a folder below it that it makes, so that after a crash either all of it
// or what was there before is there. Only the folder's owner can read it: 0600, on Windows SYSTEM, Administrators, the account
// of this process, the folder's owner and the accounts that the folder names, with nothing inherited. The name is relative and stays within the folder, else it is
// Invalid.
func (d *Dir) WriteFilePrivate(name string, data []byte) error {
	return d.StreamFilePrivate(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// StreamFilePrivate is WriteFilePrivate for content that is written bit by bit. Where write fails, the file stays as it was.
func (d *Dir) StreamFilePrivate(name string, write func(io.Writer) error) error {
	const op = "write a private file"
	if !filepath.IsLocal(name) || filepath.Clean(name) == "." {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "name", Message: "name a file within the data folder"}
	}
	if err := d.writeFile(d.Join(name), write); err != nil {
		return openError(op, d.path, err)
	}
	return nil
}

// MakeFile makes an empty file directly in the folder, for the folder's owner alone, where there is none. A database that an
// administrator's command opens first is made so, or the service could not open it afterwards.
func (d *Dir) MakeFile(name string) error {
	const op = "make a file"
	if filepath.Base(name) != name || !filepath.IsLocal(name) || name == "." {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "name", Message: "name a file in the data folder"}
	}
	f, err := os.OpenFile(d.Join(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return openError(op, d.path, err)
	}
	if err := errors.Join(giveToOwner(f, d.path), f.Close()); err != nil {
		return openError(op, d.path, err)
	}
	return nil
}

func (d *Dir) writeFile(path string, write func(io.Writer) error) error {
	folder := filepath.Dir(path)
	if err := d.makeBelow(folder); err != nil {
		return err
	}
	return durable.WriteFile(path, durable.Options{Prepare: func(f *os.File) error { return keepPrivate(f, d.path) }}, write)
}

// makeBelow makes a folder within the data folder, and those on the way.
func (d *Dir) makeBelow(folder string) error {
	if _, err := os.Stat(folder); err == nil || folder == d.path {
		return nil // a data folder that is gone is found when the file is made
	}
	if err := d.makeBelow(filepath.Dir(folder)); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making a folder: %w", err)
	}
	f, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("opening a folder: %w", err)
	}
	if err := errors.Join(giveToOwner(f, d.path), f.Close()); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	return durable.SyncFolder(filepath.Dir(folder))
}
