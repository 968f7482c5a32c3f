package ledger_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"halley"
	"halley/config"
	"halley/server/ledger"
	"halley/server/mail"
	"halley/storage"
	chains "halley/storage/ledger"
	"halley/storage/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// postbox keeps e-mails.
type postbox struct {
	mu   sync.Mutex
	sent []mail.Message
	fail error
}

func (p *postbox) Send(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail == nil {
		p.sent = append(p.sent, m)
	}
	return p.fail
}

// rig is the ledger of a server with a store of its own.
type rig struct {
	*ledger.Ledger
	store  storage.Store
	keys   *ledger.Keys
	folder string
	post   *postbox
}

func openStore(t *testing.T, path string) storage.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// newRig makes the ledger of the server line-2 in a folder, which may be that of an earlier one, on a store.
func newRig(t *testing.T, folder string, store storage.Store, change ...func(*ledger.Options)) *rig {
	t.Helper()
	r := &rig{store: store, folder: folder, post: &postbox{}}
	r.keys = openKeys(t, filepath.Join(folder, "keys"))
	o := ledger.Options{
		Node: "line-2", Version: "test", Keys: r.keys, Store: store,
		Trusted: func() ([]chains.Key, error) { return ledger.TrustedKeys(filepath.Join(folder, "keys")) },
		Config:  config.Ledger{CheckpointEvery: config.Duration{Duration: time.Hour}, VerifyAt: "03:30"},
		Mailer:  r.post, Folder: folder,
		Write:   func(name string, data []byte) error { return os.WriteFile(filepath.Join(folder, name), data, 0o600) },
		Uploads: func() int { return 0 }, Busy: func() bool { return false },
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, c := range change {
		c(&o)
	}
	r.Ledger = ledger.New(o)
	return r
}

// outside names places.
func outside(places ...string) func(*ledger.Options) {
	return func(o *ledger.Options) { o.Config.Outside = places }
}

// note adds a fact to the store.
func note(t *testing.T, store storage.Store, what string) {
	t.Helper()
	err := store.NoteAudit(t.Context(), halley.AuditEntry{
		Change: halley.Change{Actor: halley.Actor{Kind: "program", Name: "test"}, At: halley.MillisOf(time.Now())}, What: what, On: "x",
	})
	if err != nil {
		t.Fatalf("noting %s: %v", what, err)
	}
}

// checkpoint makes checkpoints of these kinds.
func (r *rig) checkpoint(t *testing.T, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		if err := r.Checkpoint(t.Context(), kind); err != nil {
			t.Fatalf("checkpoint %s: %v", kind, err)
		}
	}
}

// kinds gives the kinds of all checkpoints in the store.
func kinds(t *testing.T, store storage.Store) []string {
	t.Helper()
	list, err := store.Checkpoints(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range list {
		all = append(all, c.Kind)
	}
	return all
}

// codes gives the codes of the findings.
func (r *rig) codes() []string {
	var all []string
	for _, f := range r.Findings() {
		all = append(all, f.Code)
	}
	slices.Sort(all)
	return all
}
