package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/internal/sqlkit"
	"halley/storage/storagetest"
)

// gate is a database that is ready when it is told to be.
type gate struct {
	asked  atomic.Int64
	closed atomic.Bool
}

func (g *gate) change(d *sqlkit.Dialect, c *counter) {
	d.Generation = c.connections.Load
	d.Ready = func(ctx context.Context, db *sql.DB) (int, error) {
		g.asked.Add(1)
		if g.closed.Load() {
			return 0, &halley.Error{Kind: halley.Unavailable, Op: "test", Code: storage.CodeOlderSchema, Message: "run halley init"}
		}
		return 2, db.PingContext(ctx)
	}
}

// calls are one method of each part of the contract.
func calls(ctx context.Context, k *kit) map[string]func() error {
	f := storagetest.NewFeed(k.Store)
	d := storagetest.WiFi("21000001", 1)
	batch := f.Batch(d.Upload(0, d.Message(storagetest.Start, 20)))
	return map[string]func() error{
		"Append":    func() error { _, err := k.Append(ctx, batch); return err },
		"Position":  func() error { _, err := k.Position(ctx, "journal"); return err },
		"Devices":   func() error { _, err := k.Devices(ctx, storage.DeviceFilter{}); return err },
		"Latest":    func() error { _, err := k.Latest(ctx, nil); return err },
		"Tokens":    func() error { _, err := k.Tokens(ctx); return err },
		"TakeLease": func() error { _, _, err := k.TakeLease(ctx, "a", "b", time.Hour); return err },
		"Attend":    func() error { _, err := k.Attend(ctx, storage.Node{Name: "a", JournalID: "b"}); return err },
		"DaysDue":   func() error { _, err := k.DaysDue(ctx, 1, 1); return err },
	}
}

func TestNothingIsAskedOfADatabaseThatIsNotReady(t *testing.T) {
	t.Parallel()
	g := &gate{}
	g.closed.Store(true)
	k := openKit(t, dbPath(t), g.change)
	for name, call := range calls(t.Context(), k) {
		before := k.statements.Load()
		wantError(t, call(), halley.Unavailable, storage.CodeOlderSchema)
		if n := k.statements.Load() - before; n != 0 {
			t.Errorf("%s asked the database %d times", name, n)
		}
	}
	if info, err := k.Info(t.Context()); err != nil || info.Schema != 0 || info.Kind != "sqlite" {
		t.Errorf("Info = %+v, %v; want the kind alone", info, err)
	}
	g.closed.Store(false)
	for name, call := range calls(t.Context(), k) {
		if err := call(); err != nil {
			t.Errorf("%s when the database is ready: %v", name, err)
		}
	}
	if info, err := k.Info(t.Context()); err != nil || info.Schema != 2 || info.Bytes == 0 || info.Engine == "" {
		t.Errorf("Info = %+v, %v; want schema, size and engine", info, err)
	}
	asked := g.asked.Load()
	for name, call := range calls(t.Context(), k) {
		if err := call(); err != nil && name != "Append" {
			t.Errorf("%s again: %v", name, err)
		}
	}
	if n := g.asked.Load() - asked; n != 0 {
		t.Errorf("it was asked %d times more whether the database is ready", n)
	}
}

func TestManyCallersAskOnceWhetherTheDatabaseIsReady(t *testing.T) {
	t.Parallel()
	begun, answer := make(chan struct{}), make(chan struct{})
	var asked atomic.Int64
	k := openKit(t, dbPath(t), func(d *sqlkit.Dialect, _ *counter) {
		d.Ready = func(context.Context, *sql.DB) (int, error) {
			if asked.Add(1) == 1 {
				close(begun)
				<-answer
			}
			return 2, nil
		}
	})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := k.Tokens(t.Context()); err != nil {
				t.Errorf("Tokens: %v", err)
			}
		})
	}
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Tokens(ctx); err == nil {
		t.Error("a caller who has given up waits for the answer")
	}
	close(answer)
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("it was asked %d times, want once", n)
	}
}

// TestAnotherServerIsNotTakenForTheFormer has the database fail over to a server that lost the newest batch, on which somebody
// else used the same numbers for something else meanwhile.
func TestAnotherServerIsNotTakenForTheFormer(t *testing.T) {
	t.Parallel()
	former, other := dbPath(t), dbPath(t)
	g := &gate{}
	k := openKit(t, former, g.change)
	f := storagetest.NewFeed(k.Store)
	first := storagetest.WiFi("21000001", 1)
	f.Append(t, first.Upload(0, first.Message(storagetest.Start, 1)))
	copyFile(t, former, other)
	// What the other server never saw: a device with two channels. There it is another one with three.
	lost := storagetest.WiFi("21000002", 2)
	f.Append(t, lost.Upload(0, lost.Message(storagetest.Start, 1)))
	if list, err := k.Latest(t.Context(), nil); err != nil || len(list) != 2 {
		t.Fatalf("Latest = %v, %v", list, err)
	}
	second := storagetest.NewFeed(open(t, other))
	second.Seq, second.Journal = 1, "journal-2"
	stranger := storagetest.WiFi("21000003", 3)
	second.Append(t, stranger.Upload(0, stranger.Message(storagetest.Start, 7)))

	asked := g.asked.Load()
	k.file.Store(&other)
	latest, err := k.Latest(t.Context(), []halley.DeviceID{2})
	if err != nil || len(latest) != 1 || len(latest[0].Values) != 3 {
		t.Errorf("Latest behind the other server = %+v, %v; want three values", latest, err)
	}
	f.Seq = 1
	got := f.Append(t, lost.Upload(0, lost.Message(storagetest.Start+halley.Minute, 2)))
	want := storage.Appended{BatchID: 3, Messages: 1, Samples: 2, DevicesChanged: true, Digest: got.Digest}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Append behind the other server (-want +got):\n%s", diff)
	}
	if got := storagetest.DeviceOf(t, k.Store, "21000002").ID; got != 3 {
		t.Errorf("the device that was lost has the number %d, want a new one", got)
	}
	if g.asked.Load() == asked {
		t.Error("nobody asked whether the other server is ready")
	}
	info, err := k.Info(t.Context())
	if err != nil || info.Kind != "sqlite" {
		t.Errorf("Info = %+v, %v", info, err)
	}
}

// copyFile copies a database that is not written at the moment, with its log.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(from + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
