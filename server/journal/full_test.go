package journal_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	sqlite3 "modernc.org/sqlite/lib"

	"halley"
	"halley/server/journal"
)

// limitPages lets the file that db writes have at most n pages: beyond them SQLite finds the disk full. 0 gives it room.
func limitPages(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	if n == 0 {
		n = 1 << 30
	}
	var got int
	if err := db.QueryRowContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count=%d", n)).Scan(&got); err != nil {
		t.Fatalf("limit the file to %d pages: %v", n, err)
	}
}

func TestFullDiskRefusesAndGoesOnWithRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var file atomic.Pointer[sql.DB]
	options := journal.WithOpened(journal.Options{Dir: dir, Fail: func(err error) { t.Errorf("the journal failed: %v", err) }},
		func(db *sql.DB) { file.Store(db) })
	j := open(t, options)
	var want []journal.Entry
	next := 0
	for range 3 {
		limitPages(t, file.Load(), 1) // no fewer than there are
		var err error
		for err == nil {
			var e journal.Entry
			if e, err = j.Append(t.Context(), random(next)); err == nil {
				want = append(want, e)
			}
			next++
		}
		if halley.KindOf(err) != halley.Unavailable {
			t.Fatalf("append to a full disk gave %v", err)
		}
		if e := new(halley.Error); !errors.As(err, &e) || e.Message != "the journal's disk is full" {
			t.Errorf("append to a full disk says %q", err)
		}
		if got := j.Usage().State; got != journal.StateFull {
			t.Errorf("the state is %q, want full", got)
		}
		if got := j.Last(); got != uint64(len(want)) {
			t.Errorf("the last sequence number is %d, want %d", got, len(want))
		}
		limitPages(t, file.Load(), 0)
		want = append(want, add(t, j, random(next), random(next+1))...)
		next += 2
		if got := j.Usage().State; got != journal.StateOK {
			t.Errorf("the state is %q, want ok", got)
		}
	}
	if diff := cmp.Diff(want, readAll(t, j, 0, 100), wholeBodies); diff != "" {
		t.Errorf("the journal holds (-acknowledged +got):\n%s", diff)
	}
	closeNow(t, j)
	if diff := cmp.Diff(want, readAll(t, open(t, journal.Options{Dir: dir}), 0, 100), wholeBodies); diff != "" {
		t.Errorf("after a new start the journal holds (-acknowledged +got):\n%s", diff)
	}
}

// random is an entry with a body of 3 kB that does not compress.
func random(n int) journal.Entry {
	e := upload(n)
	e.Body = noise(n, 3000)
	return e
}

type codedError int

func (e codedError) Error() string { return fmt.Sprintf("code %d", int(e)) }
func (e codedError) Code() int     { return int(e) }

func TestSeverityIsToldByTheCode(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		err  error
		want int
	}{
		"no space left":            {syscall.ENOSPC, int(journal.SeverityDiskFull)},
		"SQLite finds no space":    {codedError(sqlite3.SQLITE_FULL), int(journal.SeverityDiskFull)},
		"no space for the index":   {codedError(sqlite3.SQLITE_IOERR_SHMSIZE), int(journal.SeverityDiskFull)},
		"a failed sync":            {codedError(sqlite3.SQLITE_IOERR_FSYNC), int(journal.SeverityFatal)},
		"a failed sync of a name":  {codedError(sqlite3.SQLITE_IOERR_DIR_FSYNC), int(journal.SeverityFatal)},
		"a failed write":           {codedError(sqlite3.SQLITE_IOERR_WRITE), int(journal.SeverityFatal)},
		"a damaged file":           {codedError(sqlite3.SQLITE_CORRUPT), int(journal.SeverityFatal)},
		"another program's lock":   {codedError(sqlite3.SQLITE_BUSY), int(journal.SeverityPassing)},
		"a file that is not there": {codedError(sqlite3.SQLITE_CANTOPEN), int(journal.SeverityPassing)},
		"anything else":            {errors.New("anything else"), int(journal.SeverityPassing)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := journal.SeverityOf(fmt.Errorf("writing: %w", c.err)); got != c.want {
				t.Errorf("severity %d, want %d", got, c.want)
			}
		})
	}
}

func TestLogIsMovedIntoTheFileAndStaysSmall(t *testing.T) {
	t.Parallel()
	const megabyte = 1 << 20
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	next := 0
	appendMegabytes := func(n int) {
		for range n {
			e := upload(next)
			e.Body = noise(next, megabyte)
			add(t, j, e)
			next++
		}
	}
	sizes := func() (file, log int64) {
		path := databases(t, dir)[0]
		for suffix, size := range map[string]*int64{"": &file, "-wal": &log} {
			info, err := os.Stat(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			*size = info.Size()
		}
		return file, log
	}
	appendMegabytes(12)
	if file, log := sizes(); file < 7*megabyte || log > 6*megabyte {
		t.Errorf("the file has %d bytes and its log %d, want most in the file", file, log)
	}
	// Another program reads and so keeps the log from beginning anew; the journal goes on.
	tx, err := openDatabase(t, databases(t, dir)[0]).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM flush").Scan(&rows); err != nil || rows != 12 {
		t.Fatalf("the other program sees %d rows, %v", rows, err)
	}
	appendMegabytes(24)
	if _, log := sizes(); log < 20*megabyte {
		t.Errorf("the log has %d bytes although another program reads from it", log)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	appendMegabytes(10)
	if _, log := sizes(); log > 17*megabyte {
		t.Errorf("the log has %d bytes after the other program left", log)
	}
	for i, e := range readAll(t, j, 0, 1) {
		if !bytes.Equal(e.Body, noise(i, megabyte)) {
			t.Errorf("the body of entry %d was changed", e.Seq)
		}
	}
	if j.Last() != 46 {
		t.Errorf("the journal holds %d entries, want 46", j.Last())
	}
}
