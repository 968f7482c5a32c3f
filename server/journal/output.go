package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

const (
	// pageSize is that of a file, in bytes: larger ones save no space (measured), and a commit writes whole pages.
	pageSize = 4096
	// checkpointBytes is how much may be written to the write-ahead log before it is moved into the file.
	checkpointBytes = 4 << 20
	// logBytes is the size at which the log is cut back although readers then have to wait a moment.
	logBytes = 16 << 20
)

// output is the file that is written, with its one connection. It belongs to the writer's goroutine.
type output struct {
	file
	meta   fileMeta
	db     *sql.DB
	insert *sql.Stmt
	enc    *zstd.Encoder
	// pack is reused from flush to flush.
	pack []byte
	// size estimates the file's bytes; unmoved those in the log since the last checkpoint.
	size, unmoved int64
	rows          int
}

const insertRow = `INSERT INTO flush (first_seq, count, at_micros, hash, pack) VALUES (?, ?, ?, ?, ?)`

// openOutput opens a complete file for writing.
func openOutput(ctx context.Context, f *file) (*output, error) {
	db, err := openWriter(ctx, f.path)
	if err != nil {
		return nil, err
	}
	o := &output{file: *f, size: f.size(), db: db}
	if err := o.prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return o, nil
}

// prepare reads the file's meta row and makes ready to write.
func (o *output) prepare(ctx context.Context) (err error) {
	if o.meta, err = readMeta(ctx, o.db); err != nil {
		return err
	}
	if o.meta.first != o.first {
		return fmt.Errorf("%w: its name does not fit what it holds", errForeign)
	}
	if o.enc, err = newEncoder(o.meta.dictionary); err != nil {
		return err
	}
	if o.insert, err = o.db.PrepareContext(ctx, insertRow); err != nil {
		return fmt.Errorf("preparing to write the journal: %w", err)
	}
	return nil
}

// openWriter opens a file with the one connection that may write it. Checkpoints are the writer's own: SQLite would hide the
// errors of automatic ones, a failed sync among them.
func openWriter(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "mode=rw", "busy_timeout(5000)", "synchronous(FULL)",
		"wal_autocheckpoint(0)", "journal_size_limit("+strconv.Itoa(logBytes)+")", "cache_size(-1024)", "trusted_schema(OFF)"))
	if err != nil {
		return nil, fmt.Errorf("opening a journal file: %w", err)
	}
	db.SetMaxOpenConns(1)
	if err := checkPragmas(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// checkPragmas makes sure that the connection keeps what Append promises.
func checkPragmas(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return fmt.Errorf("opening a journal file: %w", err)
	}
	var synchronous int
	if err := db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return fmt.Errorf("opening a journal file: %w", err)
	}
	if mode != "wal" || synchronous != 2 {
		return fmt.Errorf("%w: its mode is %s, synchronous %d", errForeign, mode, synchronous)
	}
	return nil
}

// write commits r, whose pack is compressed here. The statement is its own transaction: after an error SQLite has taken all of
// it back, and the frames it left in the log are written over by the next.
func (o *output) write(ctx context.Context, r *row, previous [32]byte, entries []byte) error {
	o.pack = o.enc.EncodeAll(entries, o.pack[:0])
	r.pack = o.pack
	r.hash = chain(previous, r)
	if _, err := o.insert.ExecContext(ctx, int64(r.first), int64(r.count), r.micros, r.hash[:], r.pack); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	o.rows++
	o.size += int64(len(r.pack)) + 64
	// A row touches the page it begins in, the pages it goes on in, mostly an inner one, and the first, which counts them all.
	o.unmoved += (int64(len(r.pack))/pageSize + 3) * pageSize
	if cap(o.pack) > maxSpareBytes {
		o.pack = nil
	}
	return nil
}

// checkpoint moves the log into the file where enough has gathered. Readers are not disturbed, unless the log has outgrown
// its bound because they kept it from beginning anew.
func (o *output) checkpoint(ctx context.Context, readers *readers) error {
	if o.unmoved < checkpointBytes {
		return nil
	}
	o.unmoved = 0
	if err := moveLog(ctx, o.db, "PASSIVE"); err != nil {
		return err
	}
	if info, err := os.Stat(o.path + "-wal"); err != nil || info.Size() < logBytes {
		return nil //nolint:nilerr // a log that is not there is small
	}
	return readers.without(o.path, func() error { return moveLog(ctx, o.db, "PASSIVE") })
}

// moveLog runs a checkpoint of the given mode (https://www.sqlite.org/pragma.html#pragma_wal_checkpoint).
func moveLog(ctx context.Context, db *sql.DB, mode string) error {
	var busy, frames, moved int
	if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("moving the journal's log into its file: %w", err)
	}
	return nil
}

// seal moves all of the log into the file and closes it, so that it stands alone. Where the log cannot be moved, it stays
// beside the file and is read with it. Nobody may be reading the file.
func (o *output) seal(ctx context.Context) error {
	err := errors.Join(moveLog(ctx, o.db, "TRUNCATE"), o.insert.Close(), o.db.Close(), o.enc.Close())
	o.bytes = o.file.size()
	return err
}

// isDue says whether an entry received at micros belongs into a new file.
func (o *output) isDue(micros, fileBytes int64, dictionary []byte) bool {
	if o.rows == 0 {
		return false
	}
	return o.size >= fileBytes || dayOf(micros) > o.day || !slices.Equal(o.meta.dictionary, dictionary)
}
