package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"halley"
)

// Target is a place that keeps backups. Names are those of backups as they lie there. Errors are *halley.Error where a person can do
// something; Unavailable with CodeTarget where the place cannot be reached or is full.
type Target interface {
	// String names the place without secrets.
	String() string
	// Ready makes sure that the place is there.
	Ready(ctx context.Context) error
	// Put writes a piece of a backup that is not complete yet. estimate is about how many bytes it may have.
	Put(ctx context.Context, name, piece string, estimate int64, write func(io.Writer) error) error
	// Complete writes the manifest: from then on the backup counts.
	Complete(ctx context.Context, name string, manifest []byte) error
	// Discard removes what there is of a backup that is not complete.
	Discard(ctx context.Context, name string) error
	// Incomplete lists what was begun and not completed.
	Incomplete(ctx context.Context) ([]string, error)
	// List lists the complete backups in no order.
	List(ctx context.Context) ([]string, error)
	// Manifest gives the text of a complete backup's manifest.
	Manifest(ctx context.Context, name string) ([]byte, error)
	// Open opens a piece of a complete backup.
	Open(ctx context.Context, name, piece string) (io.ReadCloser, error)
	// Remove removes the manifest and then these pieces of a complete backup, and nothing else.
	Remove(ctx context.Context, name string, pieces []string) error
}

// Place says where a backup goes or comes from, and what it takes to reach it.
type Place struct {
	// At is a folder, or s3://BUCKET/PREFIX.
	At string
	// Make lets a folder be made where it is missing, directly in one that is there. A scheduled backup leaves that: a share that is
	// not mounted would be taken for an empty folder.
	Make bool
	S3   S3Options
}

const s3Scheme = "s3://"

// OpenTarget gives a place.
func OpenTarget(p Place) (Target, error) {
	if strings.HasPrefix(p.At, s3Scheme) {
		return newS3(p)
	}
	return newFolder(p)
}

// targetError says that a place failed.
func targetError(where Target, what string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*halley.Error](err); ok {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", what, err)
	}
	e := &halley.Error{Kind: halley.Unavailable, Op: what, Code: CodeTarget, Err: err}
	switch {
	case isFull(err):
		e.Message = "there is no room left in " + where.String() + ": free some space there, or name another place"
	case errors.Is(err, fs.ErrPermission):
		e.Message = "this account may not use " + where.String() + ": give it the right to write there"
	case errors.Is(err, fs.ErrNotExist):
		e.Message = where.String() + " is not there: see that the share is mounted and the folder exists"
	default:
		e.Message = where.String() + " cannot be used: see that it is there and that this account may write to it"
	}
	return e
}

// isFull says that a disk or a share has no room.
func isFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	n, ok := errors.AsType[syscall.Errno](err)
	const handleDiskFull, diskFull = 39, 112 // winerror.h
	return ok && runtime.GOOS == "windows" && (n == handleDiskFull || n == diskFull)
}

// PlaceName gives a place as its Target names it.
func PlaceName(at string) string {
	if strings.HasPrefix(at, s3Scheme) {
		return at
	}
	if abs, err := filepath.Abs(at); err == nil {
		return abs
	}
	return at
}
