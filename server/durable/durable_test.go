package durable_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley/server/durable"
)

// content gives the names and texts of the files in a folder.
func content(t *testing.T, folder string) map[string]string {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, f := range list {
		text, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		have[f.Name()] = string(text)
	}
	return have
}

func TestAFileIsReplacedAsAWhole(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		folder := t.TempDir()
		path := filepath.Join(folder, "file")
		for _, text := range []string{"the first", "the second"} {
			if err := durable.WriteFile(path, durable.Options{Shared: shared}, durable.Content([]byte(text))); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"file": text}, content(t, folder)); diff != "" {
				t.Errorf("the folder (-want +got):\n%s", diff)
			}
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("others may read it: %v", info.Mode())
		}
	}
}

func TestWhatCannotBeWrittenLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	half := func(w io.Writer) error {
		_, err := fmt.Fprint(w, "the sec")
		return errors.Join(err, broken)
	}
	tests := map[string]struct {
		options durable.Options
		write   func(io.Writer) error
	}{
		"where the writing breaks off":         {durable.Options{}, half},
		"where the file cannot be made so":     {durable.Options{Prepare: func(*os.File) error { return broken }}, durable.Content([]byte("the second"))},
		"where a file that was closed is used": {durable.Options{Prepare: func(f *os.File) error { return errors.Join(f.Close(), broken) }}, half},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, "file")
			if err := os.WriteFile(path, []byte("the first"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := durable.WriteFile(path, tt.options, tt.write); !errors.Is(err, broken) {
				t.Errorf("it says %v, want %v", err, broken)
			}
			if diff := cmp.Diff(map[string]string{"file": "the first"}, content(t, folder)); diff != "" {
				t.Errorf("the folder (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFileIsPreparedBeforeItHoldsAnything(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	prepared := durable.Options{Prepare: func(f *os.File) error {
		if info, err := f.Stat(); err != nil || info.Size() != 0 {
			return fmt.Errorf("it holds something: %w", err)
		}
		return f.Chmod(0o640)
	}}
	path := filepath.Join(folder, "file")
	if err := durable.WriteFile(path, prepared, durable.Content([]byte("text"))); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("it is %v, %v, want 0640", info, err)
	}
}

func TestNoFolderIsMade(t *testing.T) {
	t.Parallel()
	gone := filepath.Join(t.TempDir(), "gone")
	if err := durable.WriteFile(filepath.Join(gone, "file"), durable.Options{}, durable.Content(nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("writing says %v, want %v", err, fs.ErrNotExist)
	}
	for name, sync := range map[string]func(string) error{"own": durable.SyncFolder, "shared": durable.SyncShared} {
		if err := sync(gone); runtime.GOOS != "windows" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("syncing a folder that is not there (%s) says %v, want %v", name, err, fs.ErrNotExist)
		}
	}
}
