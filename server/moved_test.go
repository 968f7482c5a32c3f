package server_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// moveTo copies the store of a folder into another file, as a move does, and closes it for everybody.
func moveTo(t *testing.T, store *sqlite.Store, from, to string) {
	t.Helper()
	err := store.MoveOut(t.Context(), "the other file", func(ctx context.Context) error {
		db, err := sql.Open("sqlite", from)
		if err != nil {
			return err
		}
		_, err = db.ExecContext(ctx, "VACUUM INTO ?1", to)
		return errors.Join(err, db.Close())
	})
	if err != nil {
		t.Fatalf("moving the store: %v", err)
	}
}

func TestAServerGoesOverToTheStoreItsContentMovedTo(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	from, to := filepath.Join(folder, "halley.db"), filepath.Join(folder, "other.db")
	o := options(folder, nil)
	var opened atomic.Pointer[sqlite.Store]
	o.OpenStore = func(ctx context.Context) (storage.Store, error) {
		s, err := sqlite.Open(ctx, sqlite.Options{Path: from})
		opened.Store(s)
		return s, err
	}
	// named is the file that the configuration names by now.
	var named atomic.Pointer[string]
	o.NextStore = func(ctx context.Context) (storage.Store, error) {
		path := named.Load()
		if path == nil {
			return nil, nil
		}
		return sqlite.Open(ctx, sqlite.Options{Path: *path, Log: slog.New(slog.DiscardHandler)})
	}
	r := startOn(t, o)
	r.confirmed(t, at(t, 0))
	r.flush(t)
	moveTo(t, opened.Load(), from, to)

	// The configuration still names the old store, then one that holds nothing: neither is taken.
	r.confirmed(t, at(t, 1))
	_, _, _ = r.Flush(t.Context()) // asks for a batch, which the store refuses
	r.until(t, "a store that has moved", func(st server.Status) bool { return st.Recorder.Code == storage.CodeMoved })
	empty := filepath.Join(folder, "empty.db")
	named.Store(&empty)
	r.confirmed(t, at(t, 2))
	if st := r.Status(); st.Store.State == storage.OK {
		t.Errorf("the state is %s while the store is elsewhere", st.Store.State)
	}
	named.Store(&to)
	r.confirmed(t, at(t, 3))
	r.flushed(t)

	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: to})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	devices, err := s.Devices(t.Context(), storage.DeviceFilter{})
	if err != nil || len(devices) != 1 {
		t.Fatalf("devices: %v, %v; want one", devices, err)
	}
	var instants []halley.Millis
	for _, sample := range storagetest.SamplesOf(t, s, storagetest.ChannelsOf(t, s, devices[0].Serial)[0].ID) {
		instants = append(instants, sample.At%halley.Hour/halley.Minute)
	}
	if diff := cmp.Diff([]halley.Millis{0, 1, 2, 3}, instants); diff != "" {
		t.Errorf("minutes of the samples in the new store (-want +got):\n%s", diff)
	}
}
