package viewerapi_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"halley/storage/sqlite"
)

// madeStore is an embedded store without content. Each test takes a copy of it: making the tables anew takes longer than most tests.
var madeStore = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "halley.db")
	store, err := sqlite.Open(context.Background(), sqlite.Options{Path: path})
	if err != nil {
		return nil, err
	}
	if err = store.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// openSQLite opens an embedded store of the test's own, and closes it at its end.
func openSQLite(tb testing.TB) *sqlite.Store {
	tb.Helper()
	made, err := madeStore()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "halley.db")
	if err = os.WriteFile(path, made, 0o600); err != nil {
		tb.Fatal(err)
	}
	store, err := sqlite.Open(tb.Context(), sqlite.Options{Path: path})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	return store
}
