package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"halley"
)

const opSnapshot = "copy the journal"

// IdentityFile is the name of the file, beside those with entries, that says by which id a journal goes.
const IdentityFile = identityName

// Snapshot is a journal as it stood at one moment. Its files are held open until Close, so that pruning does not take them away.
type Snapshot struct {
	// Origin is the id in the files, ID the one by which the journal goes.
	Origin, ID string
	// At is an instant before the snapshot: every entry that was durable then is in it.
	At halley.Millis
	// First and Last are the sequence numbers of the oldest and the newest entry, as Journal gives them.
	First, Last uint64
	// Hash is the running hash after Last.
	Hash [32]byte
	// Files are those to keep, for an empty folder: Open continues the journal there.
	Files []SnapshotFile
}

// SnapshotFile is one file of a Snapshot.
type SnapshotFile struct {
	// Name is its name in the journal's folder.
	Name  string
	Bytes int64
	from  io.ReaderAt
	close func() error
}

// Reader gives its content from the beginning.
func (f *SnapshotFile) Reader() io.Reader { return io.NewSectionReader(f.from, 0, f.Bytes) }

// Close lets go of the files.
func (s *Snapshot) Close() error {
	var errs []error
	for _, f := range s.Files {
		if f.close != nil {
			errs = append(errs, f.close())
		}
	}
	return errors.Join(errs...)
}

// TakeSnapshot gives the journal of a folder as it stands now, whether a server writes it meanwhile or not. Files that are not
// written any more are read as they lie; the newest is copied into the folder scratch, row by row, and its running hash checked.
// NotFound where there is no journal.
func TakeSnapshot(ctx context.Context, dir, scratch string) (_ *Snapshot, err error) {
	s := &Snapshot{At: halley.MillisOf(time.Now())}
	defer func() {
		if err != nil {
			err = errors.Join(readError(opSnapshot, err), s.Close())
		}
	}()
	files, err := lookFor(dir)
	if err != nil {
		return nil, err
	}
	for i := range files {
		if err := s.take(ctx, &files[i], scratch, i == len(files)-1); err != nil {
			return nil, err
		}
	}
	if len(s.Files) == 0 {
		return nil, errNoJournal(dir)
	}
	if err := s.takeIdentity(dir); err != nil {
		return nil, err
	}
	return s, nil
}

// take adds a file. One that is gone was pruned: what is older is gone too.
func (s *Snapshot) take(ctx context.Context, f *file, scratch string, newest bool) error {
	name := filepath.Base(f.path)
	if newest || f.hasLog() {
		to := file{path: filepath.Join(scratch, name), day: f.day, first: f.first}
		c, err := copyRows(ctx, f, &to, nil)
		if err != nil {
			return damagedUnlessGone(ctx, f.path, err)
		}
		s.Origin, s.Last, s.Hash = c.meta.journalID, c.last, c.hash
		f = &to
	}
	content, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) && !newest {
		err := s.Close() // what is older is gone too
		s.Files = nil
		return err
	}
	if err != nil {
		return fmt.Errorf("opening a journal file: %w", err)
	}
	info, err := content.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("looking at a journal file: %w", err), content.Close())
	}
	if len(s.Files) == 0 {
		s.First = f.first
	}
	s.Files = append(s.Files, SnapshotFile{Name: name, Bytes: info.Size(), from: content, close: content.Close})
	return nil
}

// damagedUnlessGone says that a file cannot be read, unless something else is in the way.
func damagedUnlessGone(ctx context.Context, path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return openDamage(ctx, path, err)
}

// takeIdentity adds the file that says by which id the journal goes, where there is one that counts.
func (s *Snapshot) takeIdentity(dir string) error {
	s.ID = s.Origin
	content, err := os.ReadFile(filepath.Join(dir, identityName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the journal's identity: %w", err)
	}
	var i identity
	if json.Unmarshal(content, &i) != nil || i.Format > identityFormat || i.Origin != s.Origin || !idForm.MatchString(i.ID) {
		return nil //nolint:nilerr // it counts for nothing where the journal is opened either
	}
	s.ID = i.ID
	s.Files = append(s.Files, SnapshotFile{Name: identityName, Bytes: int64(len(content)), from: bytes.NewReader(content)})
	return nil
}

// lookFor finds the journal's files, ascending, and changes nothing.
func lookFor(dir string) ([]file, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the journal's folder: %w", err)
	}
	var files []file
	for _, entry := range entries {
		if f, ok := parseFile(filepath.Join(dir, entry.Name())); ok {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b file) int { return int(int64(a.first) - int64(b.first)) })
	return files, nil
}

// copiedRows says what copyRows copied.
type copiedRows struct {
	meta fileMeta
	rows int
	last uint64
	hash [32]byte
	// cut says that keep ended the copy before the file's end.
	cut bool
}

// copyRows copies a file row by row as it stands at one moment and checks its running hash. keep, where it is not nil, ends the
// copy before the first row for which it is false.
func copyRows(ctx context.Context, from, to *file, keep func(in *reader, r *row) (bool, error)) (c copiedRows, err error) {
	in, err := openAlone(ctx, from)
	if err != nil {
		return copiedRows{}, err
	}
	defer func() { err = errors.Join(err, in.db.Close()); in.dec.Close() }()
	if err := createFile(ctx, to, &in.meta); err != nil {
		return copiedRows{}, err
	}
	out, err := sql.Open("sqlite", dsn(to.path, "mode=rw", "synchronous(OFF)"))
	if err != nil {
		return copiedRows{}, fmt.Errorf("opening the copy: %w", err)
	}
	out.SetMaxOpenConns(1)
	c = copiedRows{meta: in.meta, last: in.meta.first - 1, hash: in.meta.previous}
	insert := &rowWriter{db: out}
	err = in.rows(ctx, in.meta.first, maxSeq, func(r *row) (bool, error) {
		if keep != nil {
			if more, err := keep(in, r); err != nil || !more {
				c.cut = true
				return false, err
			}
		}
		c.rows, c.last, c.hash = c.rows+1, r.last(), r.hash
		return true, insert.add(ctx, r)
	})
	if err == nil {
		err = insert.end(ctx)
	}
	return c, errors.Join(err, insert.close(), out.Close())
}

// rowWriter adds rows in transactions of some hundred.
type rowWriter struct {
	db   *sql.DB
	tx   *sql.Tx
	rows int
}

// rowsAtOnce is how many rows one transaction of a copy holds.
const rowsAtOnce = 500

func (w *rowWriter) add(ctx context.Context, r *row) (err error) {
	if w.tx == nil {
		if w.tx, err = w.db.BeginTx(ctx, nil); err != nil {
			return fmt.Errorf("writing the copy: %w", err)
		}
	}
	if _, err := w.tx.ExecContext(ctx, insertRow, int64(r.first), int64(r.count), r.micros, r.hash[:], r.pack); err != nil {
		return fmt.Errorf("writing the copy: %w", err)
	}
	w.rows++
	if w.rows%rowsAtOnce == 0 {
		return w.commit()
	}
	return nil
}

func (w *rowWriter) commit() error {
	if w.tx == nil {
		return nil
	}
	err := w.tx.Commit()
	w.tx = nil
	if err != nil {
		return fmt.Errorf("writing the copy: %w", err)
	}
	return nil
}

// end moves everything into the file itself.
func (w *rowWriter) end(ctx context.Context) error {
	if err := w.commit(); err != nil {
		return err
	}
	return moveLog(ctx, w.db, "TRUNCATE")
}

// close takes back what was not committed.
func (w *rowWriter) close() error {
	if w.tx == nil {
		return nil
	}
	err := w.tx.Rollback()
	w.tx = nil
	if err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("taking the copy back: %w", err)
	}
	return nil
}

// openAlone opens a file for reading whichever journal it belongs to, whether somebody writes it or not. Where its folder cannot be
// written it is read as it lies, if all of it is in the file itself.
func openAlone(ctx context.Context, f *file) (*reader, error) {
	in, err := openIn(ctx, f, "mode=rw")
	if err != nil && !f.hasLog() {
		if lying, again := openIn(ctx, f, "mode=ro&immutable=1"); again == nil {
			return lying, nil
		}
	}
	return in, err
}

func openIn(ctx context.Context, f *file, mode string) (*reader, error) {
	if _, err := os.Stat(f.path); err != nil {
		return nil, fmt.Errorf("looking at a journal file: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(f.path, mode, "busy_timeout(5000)", "query_only(ON)", "cache_size(-512)", "trusted_schema(OFF)"))
	if err != nil {
		return nil, fmt.Errorf("opening a journal file: %w", err)
	}
	db.SetMaxOpenConns(readerConnections)
	r := &reader{path: f.path, db: db}
	if r.meta, err = readMeta(ctx, db); err == nil && r.meta.first != f.first {
		err = fmt.Errorf("%w: its name does not fit what it holds", errForeign)
	}
	if err == nil {
		r.dec, err = newDecoder(r.meta.dictionary)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

// IDOf gives the id by which the journal of a folder goes, whether a server writes it or not. NotFound where there is no journal.
func IDOf(ctx context.Context, dir string) (string, error) {
	files, err := lookFor(dir)
	if err != nil {
		return "", readError(opSnapshot, err)
	}
	if len(files) == 0 {
		return "", errNoJournal(dir)
	}
	newest := &files[len(files)-1]
	in, err := openAlone(ctx, newest)
	if err != nil {
		return "", readError(opSnapshot, damagedUnlessGone(ctx, newest.path, err))
	}
	s := &Snapshot{Origin: in.meta.journalID}
	in.dec.Close()
	if err := errors.Join(in.db.Close(), s.takeIdentity(dir)); err != nil {
		return "", readError(opSnapshot, err)
	}
	return s.ID, nil
}

func errNoJournal(dir string) error {
	return &halley.Error{Kind: halley.NotFound, Op: opSnapshot, Code: "no-journal", Message: "there is no journal in " + dir}
}

// FirstOf gives the first sequence number that a file of a journal holds, by its name; 0 for what is none.
func FirstOf(name string) uint64 {
	f, ok := parseFile(name)
	if !ok {
		return 0
	}
	return f.first
}
