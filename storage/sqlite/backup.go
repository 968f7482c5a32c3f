package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	driver "modernc.org/sqlite"

	"halley"
)

const (
	// stepPages is how many pages are copied at a time: with pages of 4 KiB, 1 MiB.
	stepPages = 256
	// longestRest bounds the pause after each step, for a disk that is slow anyway.
	longestRest = 50 * time.Millisecond

	opCopy = "copy the database"
)

// Copied says what Copy copied.
type Copied struct {
	// At is an instant before the copy's: every transaction that had ended then is in it.
	At halley.Millis
	// Bytes is the size of the copy.
	Bytes int64
}

// Copy copies a SQLite database as it stands at one moment into a file that must not be there yet, for the owner alone, and has
// SQLite check the copy. Others, also other processes, go on reading and writing meanwhile: the copy is read from one snapshot in
// small steps, each followed by a rest as long as it took, with memory that does not grow with the database. The log of the
// database grows by what is written meanwhile. Where it fails or ctx ends no copy is left.
//
// NotFound where there is no database at from, Unavailable with CodeFull of package storage where the copy's disk is full.
func Copy(ctx context.Context, from, to string) (_ Copied, err error) {
	if _, err := os.Stat(from); err != nil {
		return Copied{}, &halley.Error{Kind: halley.NotFound, Op: opCopy, Message: "there is no database " + from, Err: err}
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Copied{}, &halley.Error{Kind: halley.Unavailable, Op: opCopy, Message: "the file " + to + " cannot be made", Err: err}
	}
	defer func() {
		if err != nil {
			removeCopy(to)
		}
	}()
	if err := f.Close(); err != nil {
		return Copied{}, mapError(opCopy, err)
	}
	done := Copied{At: halley.MillisOf(time.Now())}
	if err := copyAll(ctx, from, to); err != nil {
		if ctx.Err() != nil {
			return Copied{}, fmt.Errorf("%s: %w", opCopy, ctx.Err())
		}
		return Copied{}, mapError(opCopy, err)
	}
	if err := QuickCheck(ctx, to); err != nil {
		return Copied{}, err
	}
	info, err := os.Stat(to)
	if err != nil {
		return Copied{}, mapError(opCopy, err)
	}
	done.Bytes = info.Size()
	return done, nil
}

// removeCopy removes a database with what SQLite puts beside it.
func removeCopy(path string) {
	for _, suffix := range []string{"-shm", "-wal", "-journal", ""} {
		_ = os.Remove(path + suffix) // what is left over is found by the next who makes this file
	}
}

// copyAll copies from one snapshot, which the transaction of a connection of its own holds.
func copyAll(ctx context.Context, from, to string) (err error) {
	db, err := openPlain(from, "mode=rw", "query_only(ON)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rollback(tx)) }()
	// The snapshot begins with the first look at the file.
	var objects int
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return err
	}
	return conn.Raw(func(raw any) error { return copySteps(ctx, raw, to) })
}

// copySteps copies page after page over the driver's connection.
func copySteps(ctx context.Context, raw any, to string) error {
	source, ok := raw.(interface {
		NewBackup(to string) (*driver.Backup, error)
	})
	if !ok {
		return errors.New("the driver cannot copy a database that is in use")
	}
	// The copy is no use to anybody before it is complete, so that it need not be flushed on the way.
	b, err := source.NewBackup(plainDSN(to, "mode=rw", "synchronous(OFF)"))
	if err != nil {
		return err
	}
	for {
		began := time.Now()
		more, err := b.Step(stepPages)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(err, b.Finish())
		}
		if !more {
			return b.Finish()
		}
		rest(ctx, min(time.Since(began), longestRest))
	}
}

// rest leaves the disk to others for a while.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// QuickCheck has SQLite look whether a database that nobody else uses is sound. An Invalid error with the code "damaged" says what
// it found.
func QuickCheck(ctx context.Context, path string) (err error) {
	const op = "check the database"
	db, err := openPlain(path, "mode=rw", "query_only(ON)")
	if err != nil {
		return mapError(op, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return mapError(op, err)
	}
	if found != "ok" {
		return &halley.Error{
			Kind: halley.Invalid, Op: op, Code: "damaged", Message: "the database " + filepath.Base(path) + " is damaged: " + found,
		}
	}
	return nil
}

// openPlain opens a database with one connection, and nothing but what it takes to read it.
func openPlain(path, mode string, pragmas ...string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", plainDSN(path, mode, append([]string{"busy_timeout(10000)", "trusted_schema(OFF)"}, pragmas...)...))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func plainDSN(path, mode string, pragmas ...string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a Windows path begins with its drive
	}
	query := url.Values{"_pragma": pragmas}
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: mode + "&" + query.Encode()}).String()
}
