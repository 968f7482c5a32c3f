package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	// openReaders is how many files are kept open for reading.
	openReaders = 4
	// readerConnections is how many followers may read one file at a time.
	readerConnections = 4
)

// readers keeps the files that were read last open, read-only, apart from the writer's connection.
type readers struct {
	journalID string

	mu     sync.Mutex
	open   []*reader // the one used last comes last
	closed bool
	// current is the path of the file that is written.
	current string
}

// reader is one file open for reading. Whoever uses it holds inUse for reading; whoever closes it, for writing.
type reader struct {
	path string
	meta fileMeta
	db   *sql.DB
	dec  *zstd.Decoder

	inUse sync.RWMutex
}

// acquire gives a file open for reading, until release is called.
func (rs *readers) acquire(ctx context.Context, f *file) (r *reader, release func(), err error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.closed {
		return nil, nil, errClosed("read the journal")
	}
	i := slices.IndexFunc(rs.open, func(r *reader) bool { return r.path == f.path })
	if i >= 0 {
		r = rs.open[i]
		rs.open = append(slices.Delete(rs.open, i, i+1), r)
	} else {
		if len(rs.open) >= openReaders {
			if err := rs.drop(0); err != nil {
				return nil, nil, err
			}
		}
		if r, err = rs.openFile(ctx, f); err != nil {
			return nil, nil, err
		}
		rs.open = append(rs.open, r)
	}
	r.inUse.RLock()
	return r, r.inUse.RUnlock, nil
}

// drop waits for those who use the i-th open file and closes it.
func (rs *readers) drop(i int) error {
	r := rs.open[i]
	rs.open = slices.Delete(rs.open, i, i+1)
	r.inUse.Lock()
	defer r.inUse.Unlock()
	r.dec.Close()
	if err := r.db.Close(); err != nil {
		return fmt.Errorf("closing a journal file: %w", err)
	}
	return nil
}

// without runs do while nobody reads the file and nobody can begin to.
func (rs *readers) without(path string, do func() error) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var err error
	if i := slices.IndexFunc(rs.open, func(r *reader) bool { return r.path == path }); i >= 0 {
		err = rs.drop(i)
	}
	return errors.Join(err, do())
}

// close closes all files. Later calls of acquire fail.
func (rs *readers) close() error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.closed = true
	var errs []error
	for len(rs.open) > 0 {
		errs = append(errs, rs.drop(0))
	}
	return errors.Join(errs...)
}

// openFile opens f and makes sure that it belongs to this journal. A file that is not written any more and has no log is read
// without locks and leaves nothing beside it; with a log, that has to be read too.
func (rs *readers) openFile(ctx context.Context, f *file) (*reader, error) {
	mode := "mode=ro"
	if f.path != rs.current && !f.hasLog() {
		mode = "mode=ro&immutable=1"
	}
	db, err := sql.Open("sqlite", dsn(f.path, mode, "busy_timeout(5000)", "query_only(ON)", "cache_size(-512)",
		"trusted_schema(OFF)"))
	if err != nil {
		return nil, fmt.Errorf("opening a journal file: %w", err)
	}
	db.SetMaxOpenConns(readerConnections)
	db.SetMaxIdleConns(readerConnections)
	r := &reader{path: f.path, db: db}
	if r.meta, err = readMeta(ctx, db); err == nil && (r.meta.journalID != rs.journalID || r.meta.first != f.first) {
		err = fmt.Errorf("%w: %s", errForeign, f.path)
	}
	if err == nil {
		r.dec, err = newDecoder(r.meta.dictionary)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}
