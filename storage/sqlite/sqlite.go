package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	// The driver registers itself under the name "sqlite".
	_ "modernc.org/sqlite"

	"halley"
	"halley/storage"
	"halley/storage/internal/sqlkit"
)

// Options say which file to open.
type Options struct {
	// Path is the database file; it is made where it is not there, for its owner alone.
	Path string
	// Log gets what an administrator should know of, such as a migration; nil for none.
	Log *slog.Logger
}

// Store is a storage.Store in one SQLite file.
type Store struct {
	*sqlkit.Store
	writer *sql.DB
}

const (
	// readers is how many connections read at a time.
	readers = 4
	// busyMillis is how long a statement waits for another process that writes.
	busyMillis = 10_000
	// applicationID marks the file as Halley's ("Haly").
	applicationID = 0x48616c79
)

// pragmas are set on every connection, because the pool may open further ones at any time, and checked after opening.
var pragmas = []struct{ name, value, want string }{
	{"busy_timeout", strconv.Itoa(busyMillis), strconv.Itoa(busyMillis)},
	{"journal_mode", "WAL", "wal"},
	{"synchronous", "FULL", "2"},
	{"foreign_keys", "ON", "1"},
	{"recursive_triggers", "ON", "1"},
	{"trusted_schema", "OFF", "0"},
	// A longer log than SQLite's own 4 MB spares writing pages twice that several batches change.
	{"wal_autocheckpoint", "4000", "4000"},
	{"journal_size_limit", "67108864", "67108864"},
}

// Open opens the database, makes it where it is not there, and brings an older schema up to date after a backup beside it.
func Open(ctx context.Context, o Options) (*Store, error) {
	const op = "open the store"
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, &halley.Error{Kind: halley.Invalid, Op: op, Field: "path", Message: "the path cannot be used", Err: err}
	}
	if err := create(path); err != nil {
		return nil, &halley.Error{Kind: halley.Unavailable, Op: op, Message: "the file " + path + " cannot be opened", Err: err}
	}
	writer, err := connect(ctx, path, 1, "cache_size(-32000)", overwriteCheap)
	if err != nil {
		return nil, mapError(op, err)
	}
	schema, err := migrate(ctx, writer, path, o.Log)
	if err != nil {
		return nil, errors.Join(mapError(op, err), writer.Close())
	}
	// What is read again lies in the system's cache anyway; a larger one of each connection's own would only take memory.
	reader, err := connect(ctx, path, readers, "cache_size(-2000)", "query_only(ON)")
	if err != nil {
		return nil, errors.Join(mapError(op, err), writer.Close())
	}
	kit, err := sqlkit.New(ctx, sqlkit.Config{Dialect: dialect(), Reader: reader, Writer: writer, Log: o.Log, Schema: schema})
	if err != nil {
		return nil, errors.Join(err, reader.Close(), writer.Close())
	}
	return &Store{Store: kit, writer: writer}, nil
}

// create makes an empty file that only its owner may read, because SQLite itself would follow the umask. Its log takes over
// the mode.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// connect opens a pool whose connections have the pragmas, and checks that one has.
func connect(ctx context.Context, path string, most int, extra ...string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, extra))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	for _, p := range pragmas {
		var got string
		err := db.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got)
		if err == nil && got != p.want {
			err = fmt.Errorf("the setting %s is %s, not %s", p.name, got, p.want)
		}
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// dsn names the file as a URI, so that no character of its path means anything. Transactions that write begin by taking the
// lock, because one that finds out later that it cannot have it would have to be run again.
func dsn(path string, extra []string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		// A Windows path begins with its drive.
		slashed = "/" + slashed
	}
	q := url.Values{"_txlock": {"immediate"}}
	for _, p := range pragmas {
		q.Add("_pragma", p.name+"("+p.value+")")
	}
	for _, p := range extra {
		q.Add("_pragma", p)
	}
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: q.Encode()}).String()
}

var _ storage.Store = (*Store)(nil)
