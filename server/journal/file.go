package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"halley"
	"halley/server/durable"
)

const (
	// fileFormat is the version of the tables.
	fileFormat = 1
	// applicationID marks a journal file ("HALJ"), see https://www.sqlite.org/pragma.html#pragma_application_id.
	applicationID = 0x48414c4a
	// newSuffix ends the name of a file that is not complete yet.
	newSuffix = ".new"
	// dayLayout prints the UTC day in a file's name.
	dayLayout = "20060102"
)

var fileName = regexp.MustCompile(`^journal-(\d{8})-(\d{12,19})\.db$`)

// file is one file of a journal.
type file struct {
	path string
	// day is the UTC day of its first entry, as in its name.
	day string
	// first is the first sequence number it holds, or will hold.
	first uint64
	// bytes is its size once it is no longer written.
	bytes int64
}

// parseFile reads what a file's name says.
func parseFile(path string) (file, bool) {
	m := fileName.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return file{}, false
	}
	first, err := strconv.ParseUint(m[2], 10, 63)
	return file{path: path, day: m[1], first: first}, err == nil && first > 0
}

// newFile names the file that begins with the sequence number first at a receive time.
func newFile(dir string, first uint64, micros int64) file {
	day := dayOf(micros)
	return file{path: filepath.Join(dir, fmt.Sprintf("journal-%s-%012d.db", day, first)), day: day, first: first}
}

func dayOf(micros int64) string { return time.UnixMicro(micros).UTC().Format(dayLayout) }

// size gives what a file takes on disk, with the write-ahead log beside it.
func (f *file) size() int64 {
	var n int64
	for _, path := range []string{f.path, f.path + "-wal"} {
		if info, err := os.Stat(path); err == nil {
			n += info.Size()
		}
	}
	return n
}

// hasLog says whether a write-ahead log with content lies beside the file.
func (f *file) hasLog() bool {
	info, err := os.Stat(f.path + "-wal")
	return err == nil && info.Size() > 0
}

// fileMeta is the one row of meta.
type fileMeta struct {
	journalID  string
	first      uint64
	previous   [32]byte
	dictionary []byte
}

// errForeign says that a file with a journal's name is a database that this program did not make, or not as it made it.
var errForeign = errors.New("the file is not one of this journal")

const selectMeta = `SELECT format, journal_id, first_seq, previous_hash, dictionary FROM meta`

// readMeta reads and checks a file's meta row.
func readMeta(ctx context.Context, db *sql.DB) (fileMeta, error) {
	var (
		m        fileMeta
		format   int
		first    int64
		previous []byte
	)
	err := db.QueryRowContext(ctx, selectMeta).Scan(&format, &m.journalID, &first, &previous, &m.dictionary)
	if c, ok := errors.AsType[coded](err); ok && c.Code() == sqlite3.SQLITE_ERROR || errors.Is(err, sql.ErrNoRows) {
		return fileMeta{}, fmt.Errorf("%w: it has no meta row: %w", errForeign, err)
	}
	if err != nil {
		return fileMeta{}, fmt.Errorf("reading the file's meta row: %w", err)
	}
	if format != fileFormat {
		return fileMeta{}, &halley.Error{
			Kind: halley.Unavailable, Op: opOpen, Code: "journal-newer",
			Message: fmt.Sprintf("a file has format %d and this program knows %d: start the version that wrote it", format, fileFormat),
		}
	}
	if first < 1 || len(previous) != len(m.previous) {
		return fileMeta{}, fmt.Errorf("%w: its meta row is not complete", errForeign)
	}
	copy(m.previous[:], previous)
	m.first = uint64(first)
	return m, nil
}

const schema = `
CREATE TABLE meta (
	format        INTEGER NOT NULL,
	journal_id    TEXT NOT NULL,
	first_seq     INTEGER NOT NULL,
	previous_hash BLOB NOT NULL,
	dictionary    BLOB NOT NULL
) STRICT;
CREATE TABLE flush (
	first_seq INTEGER PRIMARY KEY,
	count     INTEGER NOT NULL,
	at_micros INTEGER NOT NULL,
	hash      BLOB NOT NULL,
	pack      BLOB NOT NULL
) STRICT;`

const insertMeta = `INSERT INTO meta (format, journal_id, first_seq, previous_hash, dictionary) VALUES (?, ?, ?, ?, ?)`

// createFile makes f with its meta row and gives it its name when it is complete and on stable storage.
func createFile(ctx context.Context, f *file, m *fileMeta) (err error) {
	temporary := f.path + newSuffix
	defer func() {
		if err != nil {
			removeFile(temporary)
		}
	}()
	removeFile(temporary)
	// Made here first, so that it and the files that SQLite puts beside it are for the owner alone.
	empty, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("making a journal file: %w", err)
	}
	if err := empty.Close(); err != nil {
		return fmt.Errorf("making a journal file: %w", err)
	}
	if err := fillFile(ctx, temporary, m); err != nil {
		return err
	}
	if err := syncFile(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, f.path); err != nil {
		return fmt.Errorf("naming a journal file: %w", err)
	}
	return durable.SyncFolder(filepath.Dir(f.path))
}

func fillFile(ctx context.Context, path string, m *fileMeta) (err error) {
	db, err := sql.Open("sqlite", dsn(path, "mode=rw", "page_size("+strconv.Itoa(pageSize)+")", "synchronous(FULL)"))
	if err != nil {
		return fmt.Errorf("making a journal file: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("making a journal file: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // says only that the transaction is done, where it is
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("making a journal file: %w", err)
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id=%d", applicationID)); err != nil {
		return fmt.Errorf("making a journal file: %w", err)
	}
	dictionary := m.dictionary
	if dictionary == nil {
		dictionary = []byte{}
	}
	if _, err := tx.ExecContext(ctx, insertMeta, fileFormat, m.journalID, int64(m.first), m.previous[:], dictionary); err != nil {
		return fmt.Errorf("making a journal file: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("making a journal file: %w", err)
	}
	// The mode is kept in the file. It is set last: until here the rollback journal makes creation one step.
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode=WAL"); err != nil {
		return fmt.Errorf("making a journal file: %w", err)
	}
	return nil
}

// syncFile flushes a file that nothing else has open.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("opening a journal file to sync it: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("syncing a journal file: %w", err)
	}
	return nil
}

// removeFile removes a database and what SQLite puts beside it, the database last: while it is there, so is its log.
func removeFile(path string) {
	for _, suffix := range []string{"-shm", "-wal", "-journal", ""} {
		_ = os.Remove(path + suffix) // what is left over is found by the caller, or at the next start
	}
}

// dsn names a database to the driver. Pragmas are part of it, because a pool sets up every connection from it.
func dsn(path, mode string, pragmas ...string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a Windows path: file:///C:/...
	}
	u := url.URL{Scheme: "file", Path: slashed}
	var b strings.Builder
	b.WriteString(u.String() + "?" + mode)
	for _, p := range pragmas {
		b.WriteString("&_pragma=" + url.QueryEscape(p))
	}
	return b.String()
}
