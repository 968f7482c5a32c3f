package journal_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
)

func TestReopenContinues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want []journal.Entry
	var id string
	var hash [32]byte
	for round := range 4 {
		j := open(t, journal.Options{Dir: dir, Dictionary: []byte("a dictionary")})
		if round == 0 {
			id, hash = j.ID(), hashAt(t, j, 0)
		}
		if j.ID() != id || hashAt(t, j, j.Last()) != hash || j.Last() != uint64(len(want)) {
			t.Fatalf("round %d: id %s, last %d, hash %x; want %s, %d, %x", round, j.ID(), j.Last(), hashAt(t, j, j.Last()), id, len(want), hash)
		}
		if diff := cmp.Diff(want, readAll(t, j, 0, 2), wholeBodies); diff != "" {
			t.Errorf("round %d: the journal holds (-want +got):\n%s", round, diff)
		}
		want = append(want, add(t, j, upload(1), upload(2), upload(3))...)
		hash = hashAt(t, j, j.Last())
		closeNow(t, j)
		if got := names(t, dir); len(got) != 1 {
			t.Errorf("round %d: after Close the folder holds %v, want one file that stands alone", round, got)
		}
	}
	for i := 1; i < len(want); i++ {
		if want[i].Seq != want[i-1].Seq+1 || want[i].ReceivedMicros <= want[i-1].ReceivedMicros {
			t.Errorf("entry %d does not follow the one before", want[i].Seq)
		}
	}
}

func hashAt(t *testing.T, j *journal.Journal, seq uint64) [32]byte {
	t.Helper()
	h, err := j.Hash(t.Context(), seq)
	if err != nil {
		t.Fatalf("hash at %d: %v", seq, err)
	}
	return h
}

func TestReopenWithAnotherDictionaryBeginsAFileAndReadsBoth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want []journal.Entry
	for _, dictionary := range []string{"", "the first dictionary", "the second dictionary", ""} {
		j := open(t, journal.Options{Dir: dir, Dictionary: []byte(dictionary)})
		want = append(want, add(t, j, upload(1), upload(2))...)
		if diff := cmp.Diff(want, readAll(t, j, 0, 100), wholeBodies); diff != "" {
			t.Errorf("with dictionary %q the journal holds (-want +got):\n%s", dictionary, diff)
		}
		closeNow(t, j)
	}
	if got := len(databases(t, dir)); got != 4 {
		t.Errorf("the journal has %d files, want 4", got)
	}
}

func TestRunningHashIsAsDocumented(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	if err := journal.AppendTogether(t.Context(), j, []journal.Entry{upload(1), upload(2)}); err != nil {
		t.Fatal(err)
	}
	add(t, j, upload(3))
	db := openDatabase(t, databases(t, dir)[0])
	hash := sha256.Sum256([]byte("halley journal " + j.ID()))
	if got := hashAt(t, j, 0); got != hash {
		t.Errorf("the hash of the empty journal is %x, want %x", got, hash)
	}
	for _, row := range []struct{ first, count uint64 }{{1, 2}, {3, 1}} {
		var pack []byte
		if err := db.QueryRowContext(t.Context(), "SELECT pack FROM flush WHERE first_seq=? AND count=?", row.first, row.count).Scan(&pack); err != nil {
			t.Fatal(err)
		}
		b := binary.BigEndian.AppendUint64(hash[:], row.first)
		b = binary.BigEndian.AppendUint64(b, row.count)
		hash = sha256.Sum256(append(b, pack...))
		for seq := row.first; seq < row.first+row.count; seq++ {
			if got := hashAt(t, j, seq); got != hash {
				t.Errorf("the hash at %d is %x, want %x", seq, got, hash)
			}
		}
	}
	if _, err := j.Hash(t.Context(), 4); halley.KindOf(err) != halley.NotFound {
		t.Errorf("the hash after the end gave %v, want not found", err)
	}
}

func openDatabase(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestOpenRefusesADamagedNewestFile(t *testing.T) {
	t.Parallel()
	statement := func(query string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db := openDatabase(t, path)
			r, err := db.ExecContext(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := r.RowsAffected(); n == 0 || err != nil {
				t.Fatalf("%s changed nothing: %v", query, err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := map[string]func(*testing.T, string){
		"an entry was changed":      statement(`UPDATE flush SET pack = CAST(substr(pack, 1, length(pack)-1) || x'00' AS BLOB) WHERE first_seq = 2`),
		"a row was removed":         statement(`DELETE FROM flush WHERE first_seq = 2`),
		"the first row was removed": statement(`DELETE FROM flush WHERE first_seq = 1`),
		"a hash was changed":        statement(`UPDATE flush SET hash = zeroblob(32) WHERE first_seq = 3`),
		"a hash was cut":            statement(`UPDATE flush SET hash = x'00' WHERE first_seq = 3`),
		"a count was changed":       statement(`UPDATE flush SET count = 2 WHERE first_seq = 3`),
		"the time was changed":      statement(`UPDATE flush SET at_micros = at_micros + 1 WHERE first_seq = 3`),
		"rows changed their places": statement(`UPDATE flush SET pack = (SELECT pack FROM flush f WHERE f.first_seq = 4 - flush.first_seq)`),
		"the id was changed":        statement(`UPDATE meta SET journal_id = 'another'`),
		"the meta row was removed":  statement(`DELETE FROM meta`),
		"it was made empty":         func(t *testing.T, path string) { write(t, path, nil) },
		"it is something else":      func(t *testing.T, path string) { write(t, path, []byte(strings.Repeat("something else ", 1000))) },
		"pages were overwritten": func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			clear(b[4096:])
			write(t, path, b)
		},
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := open(t, journal.Options{Dir: dir})
			add(t, j, upload(1), upload(2), upload(3))
			closeNow(t, j)
			path := databases(t, dir)[0]
			damage(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			j, err = journal.Open(t.Context(), journal.Options{Dir: dir})
			if err == nil {
				t.Fatalf("the journal opened: %v", j.Close(t.Context()))
			}
			e := new(halley.Error)
			if !errors.As(err, &e) || e.Code != "journal-damaged" || !strings.Contains(e.Message, path) {
				t.Errorf("open gave %v, want an error that names the file and says what to do", err)
			}
			if after, err := os.ReadFile(path); err != nil || !slices.Equal(after, before) {
				t.Errorf("opening changed the damaged file: %v", err)
			}
			if got := databases(t, dir); len(got) != 1 {
				t.Errorf("opening made another file: %v", got)
			}
		})
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReadFindsTamperingInAnOldFile(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"an entry was changed":  `UPDATE flush SET pack = CAST(substr(pack, 1, length(pack)-1) || x'00' AS BLOB) WHERE first_seq = 2`,
		"the last was removed":  `DELETE FROM flush WHERE first_seq = 2`,
		"the first was removed": `DELETE FROM flush WHERE first_seq = 1`,
		"it is another's":       `UPDATE meta SET journal_id = 'another'`,
	}
	for name, query := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			first := open(t, journal.Options{Dir: dir})
			add(t, first, upload(1), upload(2))
			closeNow(t, first)
			second := open(t, journal.Options{Dir: dir, Dictionary: []byte("another, so that a file begins")})
			add(t, second, upload(3))
			closeNow(t, second)
			db := openDatabase(t, databases(t, dir)[0])
			if _, err := db.ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			j := open(t, journal.Options{Dir: dir, Dictionary: []byte("another, so that a file begins")})
			if got, err := j.Read(t.Context(), 0, 100); halley.KindOf(err) != halley.Internal || err == nil {
				t.Errorf("read gave %d entries and %v, want an error", len(got), err)
			}
			if got, err := j.Read(t.Context(), 2, 100); err != nil || len(got) != 1 {
				t.Errorf("the newest file gave %d entries and %v, want 1", len(got), err)
			}
		})
	}
}

func TestOpenClearsWhatARotationLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	want := add(t, j, upload(1))
	closeNow(t, j)
	for _, name := range []string{
		"journal-20261121-000000000002.db.new", "journal-20261121-000000000002.db.new-journal",
	} {
		write(t, filepath.Join(dir, name), []byte("half"))
	}
	others := []string{"halley.db", "journal-notes.txt", "journal-1.db", "journal-20261121-000000000000.db", "note.new"}
	for _, name := range others {
		write(t, filepath.Join(dir, name), []byte("not ours"))
	}
	j = open(t, journal.Options{Dir: dir})
	if diff := cmp.Diff(want, readAll(t, j, 0, 100), wholeBodies); diff != "" {
		t.Errorf("the journal holds (-want +got):\n%s", diff)
	}
	closeNow(t, j)
	got := names(t, dir)
	for _, name := range others {
		if !slices.Contains(got, name) {
			t.Errorf("opening removed %s, which is not the journal's", name)
		}
	}
	if len(got) != len(others)+1 {
		t.Errorf("the folder holds %v", got)
	}
}

// interrupted makes a journal of three entries in two files, where the program ended just after it began the second: the log
// still lies beside the first.
func interrupted(t *testing.T) (dir string, options journal.Options, want []journal.Entry) {
	t.Helper()
	// A copy of the folder while a log lies beside its only file.
	live, dir, next := t.TempDir(), t.TempDir(), t.TempDir()
	j := open(t, journal.Options{Dir: live})
	want = add(t, j, upload(1), upload(2))
	copyFiles(t, live, dir)
	closeNow(t, j)
	// In another copy the next file begins; that is put beside the first.
	copyFiles(t, dir, next)
	j = open(t, journal.Options{Dir: next, Dictionary: []byte("another")})
	want = append(want, add(t, j, upload(3))...)
	closeNow(t, j)
	if err := os.Remove(databases(t, next)[0]); err != nil {
		t.Fatal(err)
	}
	copyFiles(t, next, dir)
	if info, err := os.Stat(databases(t, dir)[0] + "-wal"); err != nil || info.Size() == 0 || len(databases(t, dir)) != 2 {
		t.Fatalf("the folder holds %v, want a file with its log and one more: %v", names(t, dir), err)
	}
	return dir, journal.Options{Dir: dir, Dictionary: []byte("another")}, want
}

func TestOpenMovesTheLogOfAnInterruptedRotation(t *testing.T) {
	t.Parallel()
	dir, options, want := interrupted(t)
	j := open(t, options)
	if _, err := os.Stat(databases(t, dir)[0] + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the log still lies beside the old file: %v", err)
	}
	if diff := cmp.Diff(want, readAll(t, j, 0, 100), wholeBodies); diff != "" {
		t.Errorf("the journal holds (-want +got):\n%s", diff)
	}
}

func TestReadOfAnOldFileTakesItsLogToo(t *testing.T) {
	t.Parallel()
	dir, options, want := interrupted(t)
	aside := t.TempDir()
	copyFiles(t, dir, aside)
	j := open(t, options)
	copyFiles(t, aside, dir, filepath.Base(databases(t, dir)[0])) // as if the log could not be moved
	if diff := cmp.Diff(want, readAll(t, j, 0, 100), wholeBodies); diff != "" {
		t.Errorf("the journal holds (-want +got):\n%s", diff)
	}
}

// copyFiles copies the files of a folder whose names begin with one of the prefixes; all where there is none.
func copyFiles(t *testing.T, from, to string, prefixes ...string) {
	t.Helper()
	for _, name := range names(t, from) {
		if len(prefixes) > 0 && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, name), b)
	}
}

func TestOpenNeedsAFolder(t *testing.T) {
	t.Parallel()
	if _, err := journal.Open(t.Context(), journal.Options{}); halley.KindOf(err) != halley.Invalid {
		t.Errorf("open without a folder gave %v, want invalid", err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := journal.Open(t.Context(), journal.Options{Dir: missing}); err == nil {
		t.Error("open in a folder that is not there gave no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := journal.Open(ctx, journal.Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("open with an ended context gave %v", err)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("it left %v", got)
	}
}

func TestOpenContinuesAfterAnInterruptedRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	ahead := appendAt(t, j, upload(1), journal.Opened(j).Add(time.Hour), 0)
	hash := hashAt(t, j, ahead.Seq)
	closeNow(t, j)
	another := journal.Options{Dir: dir, Dictionary: []byte("another")}
	j = open(t, another)
	add(t, j, upload(2))
	closeNow(t, j)
	// The newest file is complete, and the program ended before its first row.
	db := openDatabase(t, databases(t, dir)[1])
	if _, err := db.ExecContext(t.Context(), "DELETE FROM flush"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, another)
	if j.Last() != ahead.Seq || hashAt(t, j, ahead.Seq) != hash {
		t.Errorf("the journal ends at %d, hash %x; want %d, %x", j.Last(), hashAt(t, j, j.Last()), ahead.Seq, hash)
	}
	next := add(t, j, upload(3))[0]
	if next.Seq != ahead.Seq+2 || next.ReceivedMicros <= ahead.ReceivedMicros { // an event of the clock lies between
		t.Errorf("the next entry is %d at %d, want %d after %d", next.Seq, next.ReceivedMicros, ahead.Seq+2, ahead.ReceivedMicros)
	}
	if got := len(databases(t, dir)); got != 2 {
		t.Errorf("the journal has %d files, want 2", got)
	}
}
