package journal

import (
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"

	"halley"
)

// severity says what a failed write means for the journal.
type severity int

const (
	// passing: something else was in the way; the next flush tries again.
	passing severity = iota
	// diskFull: nothing was written; the next flush tries again.
	diskFull
	// fatal: what is on the disk is no longer certain; only a new start, which reads it again, can tell.
	fatal
)

// coded is an error that carries an extended result code of SQLite (https://www.sqlite.org/rescode.html).
type coded interface {
	error
	Code() int
}

// severityOf tells by the code, never by the text.
func severityOf(err error) severity {
	if isDiskFull(err) {
		return diskFull
	}
	c, ok := errors.AsType[coded](err)
	if !ok {
		return passing
	}
	if c.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
		// The index of the write-ahead log could not grow: the disk is full before anything was written.
		return diskFull
	}
	switch c.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return diskFull
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fatal
	}
	return passing
}

const opAppend = "append to the journal"

// errClosed answers every call after Close.
func errClosed(op string) error {
	return &halley.Error{Kind: halley.Unavailable, Op: op, Code: "journal-closed", Message: "the journal is closed"}
}

// unavailable is what callers of Append get for a group that could not be written.
func unavailable(err error) error {
	e := &halley.Error{Kind: halley.Unavailable, Op: opAppend, Err: err}
	switch severityOf(err) {
	case diskFull:
		e.Code, e.Message = "journal-full", "the journal's disk is full"
	case fatal:
		e.Code, e.Message = "journal-failing", "the journal's disk has failed and the server must be started again"
	default:
		e.Code, e.Message = "journal-busy", "the journal cannot be written at the moment"
	}
	return e
}

// damaged says that a file cannot be what this program wrote, and what to do.
func damaged(path string, err error) error {
	return &halley.Error{
		Kind: halley.Internal, Op: "open the journal", Code: "journal-damaged",
		Message: fmt.Sprintf("%s is damaged. Nothing was changed. Make a copy of it, then put back the journal's files from a "+
			"backup; or move all journal-* files out of the data folder to begin an empty journal, and keep them: "+
			"uploads that were not recorded yet are only in them", path),
		Err: err,
	}
}
