//go:build unix

package datadir_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"halley"
	"halley/server/datadir"
)

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestFolderIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		files []string
		mode  fs.FileMode // of the folder before; 0 where it is not there
		want  fs.FileMode // after; 0 where it is refused
	}{
		"a new one is private":                         {nil, 0, 0o700},
		"an empty one is tightened":                    {nil, 0o755, 0o700},
		"one of Halley's is tightened":                 {[]string{"halley.lock", "other"}, 0o755, 0o700},
		"one with a store is tightened":                {[]string{"halley.db", "other"}, 0o770, 0o700},
		"one with only the configuration is tightened": {[]string{"halley.toml"}, 0o755, 0o700},
		"a private one is left":                        {[]string{"other"}, 0o700, 0o700},
		"one that others use is refused":               {[]string{"other"}, 0o755, 0},
		"one of many programs is refused":              {[]string{"halley.toml", "other"}, 0o755, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "data")
			if c.mode != 0 {
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Fatal(err)
				}
				for _, file := range c.files {
					if err := os.WriteFile(filepath.Join(path, file), nil, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.Chmod(path, c.mode); err != nil {
					t.Fatal(err)
				}
			}
			_, err := datadir.Open(path)
			if c.want == 0 {
				if got, want := kindAndCode(err), fmt.Sprintf("%d open-to-others", halley.Invalid); got != want {
					t.Errorf("open gave %s, want %s", got, want)
				}
				c.want = c.mode
			} else if err != nil {
				t.Fatalf("open: %v", err)
			}
			if got := mode(t, path); got != c.want {
				t.Errorf("the folder's mode is %o, want %o", got, c.want)
			}
		})
	}
}

func TestFilesAreForTheOwnerAlone(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "data"))
	if err := os.WriteFile(d.Join("old"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(d.Join("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"old", "keys/new"} {
		if err := d.WriteFilePrivate(name, []byte("secret")); err != nil {
			t.Fatal(err)
		}
		if got := mode(t, d.Join(name)); got != 0o600 {
			t.Errorf("the mode of %s is %o, want 600", name, got)
		}
	}
	if got := mode(t, d.Join("keys")); got != 0o700 {
		t.Errorf("the mode of the folder below is %o, want 700", got)
	}
	if err := d.Lock(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Unlock() }()
	if got := mode(t, d.Join("halley.lock")); got != 0o600 {
		t.Errorf("the mode of the lock is %o, want 600", got)
	}
}

func TestFilesThatRootMakesBelongToTheFoldersOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, who alone may give files away")
	}
	const uid = 12345
	d := open(t, filepath.Join(t.TempDir(), "data"))
	if err := os.Chown(d.Path(), uid, uid); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteFilePrivate("keys/secret", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := d.Lock(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Unlock() }()
	if err := d.MakeFile("halley.db"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"keys", "keys/secret", "halley.lock", "halley.db"} {
		info, err := os.Stat(d.Join(name))
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := info.Sys().(*syscall.Stat_t); !ok || s.Uid != uid || s.Gid != uid {
			t.Errorf("%s belongs to %d:%d, want %d", name, s.Uid, s.Gid, uid)
		}
	}
}

func TestFolderOfAnotherAccountIsForbidden(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may use every folder")
	}
	base := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(base, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := datadir.Open(filepath.Join(base, "data")); halley.KindOf(err) != halley.Forbidden {
		t.Errorf("open gave %v, want forbidden", err)
	}
}
