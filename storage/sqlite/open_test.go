package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// run runs statements as another program would.
func run(t testing.TB, path string, statements ...string) {
	t.Helper()
	db := foreign(t, path)
	for _, st := range statements {
		if _, err := db.ExecContext(t.Context(), st); err != nil {
			t.Fatalf("%s: %v", st, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, kind halley.Kind, code string) {
	t.Helper()
	e, ok := errors.AsType[*halley.Error](err)
	if !ok || e.Kind != kind || e.Code != code {
		t.Fatalf("got %v, want a *halley.Error of kind %d with code %q", err, kind, code)
	}
}

func TestOpenRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, statement string
		kind            halley.Kind
		code            string
	}{
		{"a newer schema", "INSERT INTO schema_migration VALUES (5, 'later', 'x', 1)", halley.Conflict, "newer-schema"},
		{"a migration of another build", "UPDATE schema_migration SET checksum = 'x'", halley.Conflict, "other-schema"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "halley.db")
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			run(t, path, c.statement)
			_, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
			wantError(t, err, c.kind, c.code)
		})
	}
	t.Run("a database of another program", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "halley.db")
		run(t, path, "CREATE TABLE other (a)")
		_, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
		wantError(t, err, halley.Conflict, "not-ours")
	})
	t.Run("a file that is no database", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "halley.db")
		if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
		wantError(t, err, halley.Internal, "not-a-database")
	})
	t.Run("a folder that is not there", func(t *testing.T) {
		t.Parallel()
		_, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "none", "halley.db")})
		wantError(t, err, halley.Unavailable, "")
	})
}

func TestOpenMigratesAfterABackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "halley.db")
	s := open(t, path)
	d := storagetest.WiFi("21000001", 1)
	storagetest.NewFeed(s).Append(t, d.Upload(0, d.Message(storagetest.Start, 20)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	next, broken := fstest.MapFS{}, fstest.MapFS{}
	names, err := filepath.Glob(filepath.Join("migrations", "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// A checkout may have turned the line ends.
		next[filepath.ToSlash(name)] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(text), "\n", "\r\n"))}
		broken[filepath.ToSlash(name)] = next[filepath.ToSlash(name)]
	}
	next["migrations/0005_more.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE more (a); INSERT INTO more VALUES (1);")}
	broken["migrations/0005_more.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE more (a); CREATE TABLE more (a);")}
	if _, err := sqlite.MigrateFiles(t.Context(), path, broken); err == nil {
		t.Fatal("a broken migration succeeded")
	}
	db := foreign(t, path)
	if got := table(t, db, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'more'"); got != "0\n" {
		t.Errorf("a broken migration left %s tables", got)
	}
	for _, f := range backups(t, dir) {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	number, err := sqlite.MigrateFiles(t.Context(), path, next)
	if err != nil || number != 5 {
		t.Fatalf("migrating = %d, %v; want 5", number, err)
	}
	if got := table(t, db, "SELECT number, name FROM schema_migration"); got != "1|first\n2|shared\n3|proof\n4|people\n5|more\n" {
		t.Errorf("schema_migration holds %q", got)
	}
	list := backups(t, dir)
	if len(list) != 1 {
		t.Fatalf("there are %d backups, want 1", len(list))
	}
	if got := table(t, foreign(t, list[0]), "SELECT COUNT(*) FROM samples"); got != "1\n" {
		t.Errorf("the backup holds %q samples, want 1", got)
	}
	if number, err := sqlite.MigrateFiles(t.Context(), path, next); err != nil || number != 5 || len(backups(t, dir)) != 1 {
		t.Errorf("migrating again = %d, %v", number, err)
	}
}

func backups(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*.backup"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("rights come from the folder on Windows")
	}
	path := filepath.Join(t.TempDir(), "a b?c#%41;ü.db")
	s := open(t, path)
	d := storagetest.WiFi("21000001", 1)
	storagetest.NewFeed(s).Append(t, d.Upload(0, d.Message(storagetest.Start, 20)))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%q has the rights %o, want 600", suffix, got)
		}
	}
}

func TestTwoProcessesShareAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "halley.db")
	a, b := open(t, path), open(t, path)
	f := storagetest.NewFeed(a)
	d := storagetest.WiFi("21000001", 1)
	f.Append(t, d.Upload(0, d.Message(storagetest.Start, 20)))
	name := "Cold room"
	if _, err := b.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{Name: &name}, storagetest.By("eva")); err != nil {
		t.Fatal(err)
	}
	d.Name = "its own new name"
	f.Append(t, d.Upload(0, d.Message(storagetest.Start+halley.Hour, 21)))
	f.Store = b
	f.Append(t, d.Upload(0, d.Message(storagetest.Start+halley.Hour+1, 22)))
	f.Store = a
	f.Append(t, d.Upload(0, d.Message(storagetest.Start+3*halley.Hour, 23)))
	if got := storagetest.DeviceOf(t, a, "21000001").Name; got != name {
		t.Errorf("the device is called %q, want %q", got, name)
	}
	// The hour to which both added must not be summed up from what one of them knew.
	q := storage.BucketQuery{Channel: 1, From: storagetest.Start, To: storagetest.Start + halley.Day, Width: halley.Hour}
	want := []storage.Bucket{
		{Start: storagetest.Start, Count: 1, Min: 20, Max: 20, Sum: 20},
		{Start: storagetest.Start + halley.Hour, Count: 2, Min: 21, Max: 22, Sum: 43},
		{Start: storagetest.Start + 3*halley.Hour, Count: 1, Min: 23, Max: 23, Sum: 23},
	}
	got, err := a.Buckets(t.Context(), q)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Buckets: %v (-want +got):\n%s", err, diff)
	}
}
