package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"halley"
	"halley/server/journal"
)

// fill opens a journal in a folder and appends so many entries, one a flush.
func fill(t *testing.T, dir string, fileBytes int64, n int) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: dir, FileBytes: fileBytes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close(context.WithoutCancel(t.Context())) })
	for i := range n {
		if _, err := j.Append(t.Context(), journal.Entry{Kind: journal.Upload, Family: "modem", Serial: "1", Body: fmt.Append(nil, "entry ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// unpack writes the files of a snapshot into a new folder.
func unpack(t *testing.T, s *journal.Snapshot) string {
	t.Helper()
	dir := t.TempDir()
	for i := range s.Files {
		text, err := io.ReadAll(s.Files[i].Reader())
		if err != nil || int64(len(text)) != s.Files[i].Bytes {
			t.Fatalf("%s: %d bytes instead of %d, %v", s.Files[i].Name, len(text), s.Files[i].Bytes, err)
		}
		if err := os.WriteFile(filepath.Join(dir, s.Files[i].Name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func snapshot(t *testing.T, dir string) *journal.Snapshot {
	t.Helper()
	s, err := journal.TakeSnapshot(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// reopened opens the journal of a folder as a server does and gives all its entries.
func reopened(t *testing.T, dir string) (id string, entries []journal.Entry) {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close(context.WithoutCancel(t.Context())) }()
	entries, err = j.Read(t.Context(), 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	return j.ID(), entries
}

func TestSnapshotIsTheJournalAsItStood(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fileBytes     int64
		close, rename bool
	}{
		"of one file":                  {fileBytes: 0},
		"of several files":             {fileBytes: 1},
		"of a journal nobody writes":   {fileBytes: 1, close: true},
		"of one that got another name": {fileBytes: 1, rename: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := fill(t, dir, c.fileBytes, 20)
			if c.rename {
				if _, _, err := j.Renew(t.Context(), "a test"); err != nil {
					t.Fatal(err)
				}
			}
			last, id := j.Last(), j.ID()
			hash, err := j.Hash(t.Context(), last)
			if err != nil {
				t.Fatal(err)
			}
			if c.close {
				if err := j.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			s := snapshot(t, dir)
			if !c.close {
				if _, err := j.Append(t.Context(), journal.Entry{Kind: journal.Upload, Body: []byte("later")}); err != nil {
					t.Fatal(err)
				}
			}
			if s.Last != last || s.First != 1 || s.ID != id || s.Hash != hash {
				t.Errorf("the snapshot is %d to %d of %s, want 1 to %d of %s", s.First, s.Last, s.ID, last, id)
			}
			gotID, entries := reopened(t, unpack(t, s))
			if gotID != id || uint64(len(entries)) != last {
				t.Errorf("its copy is the journal %s with %d entries, want %s with %d", gotID, len(entries), id, last)
			}
			if found, err := journal.IDOf(t.Context(), dir); err != nil || found != id {
				t.Errorf("the folder's journal goes by %s, %v", found, err)
			}
		})
	}
}

func TestSnapshotHoldsWhatWasAcknowledgedBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := fill(t, dir, 1, 1)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if _, err := j.Append(context.WithoutCancel(ctx), journal.Entry{Kind: journal.Upload, Body: []byte("x")}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range 5 {
		before := j.Last()
		s := snapshot(t, dir)
		if s.Last < before {
			t.Errorf("%d was acknowledged before, the snapshot ends at %d", before, s.Last)
		}
		c, found, err := journal.Inspect(t.Context(), unpack(t, s), s.Last)
		if err != nil || !found || c.Last != s.Last || c.HashAt != s.Hash {
			t.Errorf("its copy ends at %d (%v, %v), want %d", c.Last, found, err, s.Last)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFilesOfASnapshotOutliveTheirRemoval(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := fill(t, dir, 1, 10)
	s := snapshot(t, dir)
	if _, err := j.Prune(t.Context(), j.Last(), 0); err != nil && !errors.Is(err, os.ErrPermission) {
		t.Logf("a system that keeps open files: %v", err)
	}
	if _, entries := reopened(t, unpack(t, s)); len(entries) != 10 {
		t.Errorf("the copy holds %d entries", len(entries))
	}
	if later := snapshot(t, dir); later.Last != 10 {
		t.Errorf("a snapshot after the removal ends at %d", later.Last)
	}
}

func TestNoJournalIsToldFromADamagedOne(t *testing.T) {
	t.Parallel()
	if _, err := journal.TakeSnapshot(t.Context(), t.TempDir(), t.TempDir()); halley.KindOf(err) != halley.NotFound {
		t.Errorf("an empty folder: %v", err)
	}
	dir := t.TempDir()
	if err := fill(t, dir, 0, 50).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "journal-*.db"))
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	// The pack of every row (RFC 8878, 3.1.1): pages that were split hold old copies of some.
	text = bytes.ReplaceAll(text, []byte{0x28, 0xb5, 0x2f, 0xfd}, []byte{0x28, 0xb5, 0x2f, 0xff})
	if err := os.WriteFile(files[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, taken := journal.TakeSnapshot(t.Context(), dir, t.TempDir())
	_, _, inspected := journal.Inspect(t.Context(), dir, 0)
	if taken == nil || inspected == nil {
		t.Errorf("a damaged file: %v and %v", taken, inspected)
	}
}

func TestInspectFindsAFileThatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := fill(t, dir, 1, 10).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "journal-*.db"))
	if err := os.Remove(files[4]); err != nil {
		t.Fatal(err)
	}
	if _, _, err := journal.Inspect(t.Context(), dir, 0); err == nil {
		t.Error("nothing was found")
	}
}

func TestCutAfterAnInstant(t *testing.T) {
	t.Parallel()
	for _, fileBytes := range []int64{0, 1} {
		t.Run(map[int64]string{0: "within a file", 1: "between files"}[fileBytes], func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := fill(t, dir, fileBytes, 10)
			e, err := j.Entry(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			for halley.MillisOf(time.Now()) <= e.ReceivedAt()+1 {
				continue
			}
			for range 5 {
				if _, err := j.Append(t.Context(), journal.Entry{Kind: journal.Upload, Body: []byte("later")}); err != nil {
					t.Fatal(err)
				}
			}
			if err := j.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			aside := filepath.Join(t.TempDir(), "aside")
			if cut, err := journal.CutAfter(t.Context(), dir, e.ReceivedAt(), aside); !cut || err != nil {
				t.Fatalf("cut %v, %v", cut, err)
			}
			if _, entries := reopened(t, dir); len(entries) != 10 {
				t.Errorf("%d entries are left", len(entries))
			}
			if left, _ := os.ReadDir(aside); len(left) == 0 {
				t.Error("nothing lies aside")
			}
			if cut, err := journal.CutAfter(t.Context(), dir, e.ReceivedAt(), aside); cut || err != nil {
				t.Errorf("cut again: %v, %v", cut, err)
			}
		})
	}
}
