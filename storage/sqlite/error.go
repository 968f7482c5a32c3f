package sqlite

import (
	"context"
	"errors"
	"fmt"

	engine "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"halley"
	"halley/storage"
)

// mapError turns a failure of SQLite into what the contract of storage says, by its result code and never by its text.
func mapError(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*halley.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	fail := func(kind halley.Kind, code, message string) error {
		return &halley.Error{Kind: kind, Op: op, Code: code, Message: message, Err: err}
	}
	e, ok := errors.AsType[*engine.Error](err)
	if !ok {
		return fail(halley.Internal, "", "the store failed")
	}
	switch e.Code() {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_ROWID:
		return fail(halley.Conflict, "", "it is there already")
	}
	// The low byte is the primary code.
	switch e.Code() & 0xFF {
	case codes.SQLITE_FULL:
		return fail(halley.Unavailable, storage.CodeFull, "the disk of the database is full")
	case codes.SQLITE_READONLY, codes.SQLITE_PERM:
		return fail(halley.Unavailable, storage.CodeReadOnly, "the database cannot be written: check the rights of its file and folder")
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fail(halley.Unavailable, "busy", "another program holds the database")
	case codes.SQLITE_CANTOPEN:
		return fail(halley.Unavailable, "cannot-open", "the database file cannot be opened: check the rights of its file and folder")
	case codes.SQLITE_IOERR:
		return fail(halley.Unavailable, "disk-error", "the disk of the database reports an error")
	case codes.SQLITE_CORRUPT:
		return fail(halley.Internal, "damaged", "the database file is damaged: restore a backup")
	case codes.SQLITE_NOTADB:
		return fail(halley.Internal, "not-a-database", "the file is not a database of Halley, or it is damaged: restore a backup")
	}
	return fail(halley.Internal, "", "the store failed")
}
