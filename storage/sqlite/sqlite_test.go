package sqlite_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	paths := map[storage.Store]string{}
	openAt := func(t testing.TB, path string) storage.Store {
		t.Helper()
		s := open(t, path)
		mu.Lock()
		defer mu.Unlock()
		paths[s] = path
		return s
	}
	storagetest.Run(t, func(t testing.TB) storage.Store {
		t.Helper()
		return openAt(t, filepath.Join(t.TempDir(), "halley.db"))
	}, func(t testing.TB, s storage.Store) storage.Store {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(errors.Join(errors.New("closing to open again"), err))
		}
		mu.Lock()
		path := paths[s]
		mu.Unlock()
		return openAt(t, path)
	})
}
