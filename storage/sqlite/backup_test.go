package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"halley"
	"halley/storage/sqlite"
)

// tableOf opens a database with one table whose rows are counted.
func tableOf(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, b BLOB NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return db
}

func insertRows(ctx context.Context, db *sql.DB, n int) error {
	_, err := db.ExecContext(ctx, "INSERT INTO t (b) SELECT randomblob(4000) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ?1) SELECT x FROM c)", n)
	return err
}

func TestCopyIsOneMomentWhileOthersWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := tableOf(t, filepath.Join(dir, "a.db"))
	const before, each = 2000, 7
	if err := insertRows(t.Context(), db, before); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	written := make(chan int, 1)
	started := make(chan struct{})
	go func() {
		n := before
		for ctx.Err() == nil && insertRows(context.WithoutCancel(ctx), db, each) == nil {
			if n += each; n == before+each {
				close(started)
			}
		}
		written <- n
	}()
	<-started
	done, err := sqlite.Copy(t.Context(), filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db"))
	stop()
	all := <-written
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "b.db")); err != nil || info.Size() != done.Bytes || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy is %v, %v; %d bytes were told", info, err, done.Bytes)
	}
	var n int
	if err := tableOf(t, filepath.Join(dir, "b.db")).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM t").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n < before+each || n > all || (n-before)%each != 0 {
		t.Errorf("the copy holds %d rows; there were %d, then %d more at a time up to %d", n, before, each, all)
	}
}

func TestCopyThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := insertRows(t.Context(), tableOf(t, filepath.Join(dir, "a.db")), 500); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(dir, "damaged.db")
	db := tableOf(t, damaged)
	if err := insertRows(t.Context(), db, 500); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		text[40*4096+i] = 0xff // the head of a page of the table
	}
	if err := os.WriteFile(damaged, text, 0o600); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context //nolint:containedctx // one case is about it
		from string
		is   func(error) bool
	}{
		"where it is broken off":         {over, "a.db", func(err error) bool { return errors.Is(err, context.Canceled) }},
		"where there is nothing to copy": {t.Context(), "nothing.db", func(err error) bool { return halley.KindOf(err) == halley.NotFound }},
		"where the database is damaged":  {t.Context(), "damaged.db", func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := filepath.Join(t.TempDir(), "copy.db")
			if _, err := sqlite.Copy(c.ctx, filepath.Join(dir, c.from), to); !c.is(err) {
				t.Errorf("it says %v", err)
			}
			if left, _ := filepath.Glob(to + "*"); len(left) > 0 {
				t.Errorf("it leaves %v", left)
			}
		})
	}
}

func TestCopyDoesNotWriteOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tableOf(t, filepath.Join(dir, "a.db"))
	to := filepath.Join(dir, "b.db")
	if err := os.WriteFile(to, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Copy(t.Context(), filepath.Join(dir, "a.db"), to); err == nil {
		t.Error("it wrote over a file")
	}
	if text, err := os.ReadFile(to); err != nil || string(text) != "somebody's" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}
