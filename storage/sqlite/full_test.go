package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	engine "modernc.org/sqlite"

	"halley"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// TestFullDiskIsSaidAndGoesOn bounds the database's pages, which SQLite reports like a full disk, and lets it grow again.
func TestFullDiskIsSaidAndGoesOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "halley.db")
	s := open(t, path)
	f := storagetest.NewFeed(s)
	d := storagetest.WiFi("21000001", 8)
	f.Append(t, d.Upload(0, d.Message(storagetest.Start, 20)))
	if err := sqlite.LimitPages(t.Context(), s, 120); err != nil {
		t.Fatal(err)
	}
	batch := func() storage.Batch {
		var uploads []storage.Upload
		for range 200 {
			uploads = append(uploads, d.Upload(0, d.Message(storagetest.Start+halley.Millis(f.Seq)*halley.Second+
				halley.Millis(len(uploads)+1), 20)))
		}
		return f.Batch(uploads...)
	}
	b := batch()
	stored := 1
	var err error
	for range 100 {
		if _, err = s.Append(t.Context(), b); err != nil {
			break
		}
		stored += len(b.Uploads)
		b = batch()
	}
	wantError(t, err, halley.Unavailable, "disk-full")
	if got := len(storagetest.SamplesOf(t, s, 8)); got != stored {
		t.Errorf("there are %d samples after a full disk, want %d", got, stored)
	}
	if err := sqlite.LimitPages(t.Context(), s, 1_000_000); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), b); err != nil {
		t.Fatalf("Append when there is room again: %v", err)
	}
	if got, want := len(storagetest.SamplesOf(t, s, 8)), stored+len(b.Uploads); got != want {
		t.Errorf("there are %d samples when there is room again, want %d", got, want)
	}
}

// failure makes SQLite itself give an error.
func failure(t *testing.T, statements ...string) error {
	t.Helper()
	db := foreign(t, filepath.Join(t.TempDir(), "any.db"))
	db.SetMaxOpenConns(1)
	for i, st := range statements {
		if _, err := db.ExecContext(t.Context(), st); err != nil {
			if i != len(statements)-1 {
				t.Fatalf("%s: %v", st, err)
			}
			return err
		}
	}
	t.Fatal("nothing failed")
	return nil
}

func TestErrorsAreMappedByCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		statements []string
		kind       halley.Kind
		code       string
	}{
		{"a key that is there", []string{"CREATE TABLE a (b PRIMARY KEY) WITHOUT ROWID", "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (1)"}, halley.Conflict, ""},
		{"a value that is unique", []string{"CREATE TABLE a (b UNIQUE)", "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (1)"}, halley.Conflict, ""},
		{"a row that is there", []string{"CREATE TABLE a (b INTEGER PRIMARY KEY)", "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (1)"}, halley.Conflict, ""},
		{"a database that may not be written", []string{"PRAGMA query_only = ON", "CREATE TABLE a (b)"}, halley.Unavailable, "read-only"},
		{"a full database", []string{"CREATE TABLE a (b)", "PRAGMA max_page_count = 2", "INSERT INTO a VALUES (zeroblob(100000))"}, halley.Unavailable, "disk-full"},
		{"a mistake of ours", []string{"SELECT nothing FROM nowhere"}, halley.Internal, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := failure(t, c.statements...)
			wantError(t, sqlite.MapError("test", fmt.Errorf("wrapped: %w", err)), c.kind, c.code)
			if _, ok := errors.AsType[*engine.Error](sqlite.MapError("test", err)); !ok {
				t.Error("the cause is lost")
			}
		})
	}
	if err := sqlite.MapError("test", nil); err != nil {
		t.Errorf("MapError(nil) = %v", err)
	}
	if err := sqlite.MapError("test", context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("MapError(Canceled) = %v", err)
	}
}

func TestBusyDatabaseIsSaid(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "any.db")
	a, b := foreign(t, path), foreign(t, path)
	a.SetMaxOpenConns(1)
	for _, st := range []string{"CREATE TABLE a (b)", "BEGIN IMMEDIATE"} {
		if _, err := a.ExecContext(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.ExecContext(t.Context(), "INSERT INTO a VALUES (1)")
	wantError(t, sqlite.MapError("test", err), halley.Unavailable, "busy")
}
