package backup_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"halley"
	"halley/server/backup"
	"halley/server/journal"
	"halley/storage"
	"halley/storage/ledger"
)

// site is a server that is backed up: a journal, and a store that is a file with the number up to which the journal is recorded.
type site struct {
	t       *testing.T
	data    string
	journal *journal.Journal
	options backup.Options
	engine  *engine
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, data: filepath.Join(t.TempDir(), "data")}
	must(t, os.MkdirAll(filepath.Join(s.data, "keys"), 0o700))
	var err error
	s.journal, err = journal.Open(t.Context(), journal.Options{Dir: s.data, FileBytes: 1})
	must(t, err)
	t.Cleanup(func() { _ = s.journal.Close(context.WithoutCancel(t.Context())) })
	s.write("keys/self-signed.pem", "the TLS key")
	s.write("keys/ledger-alpha.key", "PRIVATE")
	s.write("keys/ledger-alpha.pub", "the public key")
	s.write("keys/drill.key", "PRIVATE")
	s.write("halley.toml", "node = \"alpha\"\n")
	s.write("quarantine.db", "what is held")
	s.engine = &engine{data: s.data, journal: s.journal.ID()}
	s.options = backup.Options{
		Data: s.data, Keys: filepath.Join(s.data, "keys"), Version: "1.2.3", Node: "alpha", Store: s.engine,
		CopyFile: func(_ context.Context, from, to string) error {
			text, err := os.ReadFile(from)
			return errors.Join(err, os.WriteFile(to, text, 0o600))
		},
		Settings: []byte("node = alpha\n"), ConfigFile: filepath.Join(s.data, "halley.toml"),
		Without: []string{filepath.Join(s.data, "keys", "drill.key")},
		Scratch: filepath.Join(t.TempDir(), "scratch"), Log: slog.New(slog.DiscardHandler),
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) write(name, text string) {
	s.t.Helper()
	must(s.t, os.WriteFile(filepath.Join(s.data, filepath.FromSlash(name)), []byte(text), 0o600))
}

// receive appends so many entries, one flush each.
func (s *site) receive(n int) {
	s.t.Helper()
	for range n {
		_, err := s.journal.Append(s.t.Context(), journal.Entry{Kind: journal.Upload, Family: "websensor", Serial: "00000001", Body: []byte("body " + strings.Repeat("x", 50))})
		must(s.t, err)
	}
}

// record moves the store to the journal's end.
func (s *site) record() { s.engine.set(s.journal.Last()) }

// backup writes one and gives its result.
func (s *site) backup(to backup.Target) backup.Result {
	s.t.Helper()
	return backup.Write(s.t.Context(), s.options, []backup.Target{to})[0]
}

// mustBackup writes one that has to work.
func (s *site) mustBackup(to backup.Target) backup.Result {
	s.t.Helper()
	r := s.backup(to)
	must(s.t, r.Err)
	if r.Warning != "" {
		s.t.Fatal(r.Warning)
	}
	return r
}

func place(t *testing.T, at string) backup.Target {
	t.Helper()
	to, err := backup.OpenTarget(backup.Place{At: at, Make: true})
	must(t, err)
	return to
}

// restoreOptions restore into a new folder.
func restoreOptions(t *testing.T, from backup.Target) (backup.RestoreOptions, *engine) {
	t.Helper()
	e := &engine{}
	return backup.RestoreOptions{
		From: from, Data: filepath.Join(t.TempDir(), "new"), Store: e, Actor: halley.Actor{Kind: "command", Name: "test"},
	}, e
}

// files lists what a folder holds, with slashes.
func files(t *testing.T, folder string) []string {
	t.Helper()
	var list []string
	must(t, filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			var rel string
			rel, err = filepath.Rel(folder, path)
			list = append(list, filepath.ToSlash(rel))
		}
		return err
	}))
	return list
}

// reread opens the journal of a folder and gives its last number.
func reread(t *testing.T, dir string) uint64 {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: dir})
	must(t, err)
	last := j.Last()
	entries, err := j.Read(t.Context(), 0, 1_000_000)
	must(t, err)
	if uint64(len(entries)) != last {
		t.Errorf("the journal ends at %d and gives %d entries", last, len(entries))
	}
	must(t, j.Close(t.Context()))
	return last
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*halley.Error](err); ok {
		return e.Code
	}
	return ""
}

// engine is a store for tests: a file that holds a number.
type engine struct {
	data, journal string
	// fail fails the next copy; landed are the stores that were opened.
	fail   error
	mu     sync.Mutex
	landed []*store
}

func (e *engine) set(n uint64) {
	if err := os.WriteFile(filepath.Join(e.data, "store"), fmt.Append(nil, n), 0o600); err != nil {
		panic(err)
	}
}

func (e *engine) Kind() string { return "sqlite" }

func (e *engine) Room(context.Context) int64 { return 0 }

func (e *engine) Copy(ctx context.Context, o backup.CopyOptions) (backup.StoreCopy, error) {
	if e.fail != nil {
		return backup.StoreCopy{}, e.fail
	}
	text, err := os.ReadFile(filepath.Join(e.data, "store"))
	if errors.Is(err, os.ErrNotExist) {
		text, err = []byte("0"), nil
	}
	c := backup.StoreCopy{Path: filepath.Join(o.Scratch, "store"), At: halley.MillisOf(time.Now())}
	if err = errors.Join(err, os.WriteFile(c.Path, text, 0o600)); err != nil {
		return c, err
	}
	s := &store{path: c.Path, journal: o.JournalID}
	c.Info, c.Heads, err = backup.Describe(ctx, s, e.Kind(), o.JournalID)
	return c, err
}

func (e *engine) Land(_ context.Context, o backup.LandOptions) (backup.Landing, error) {
	return &landing{engine: e, path: filepath.Join(o.Data, "store")}, nil
}

type landing struct {
	engine *engine
	path   string
}

func (l *landing) Path() string { return l.path }

func (l *landing) Open(context.Context) (storage.Store, error) {
	s := &store{path: l.path}
	l.engine.mu.Lock()
	defer l.engine.mu.Unlock()
	l.engine.landed = append(l.engine.landed, s)
	return s, nil
}

func (l *landing) Keep(context.Context) error { return nil }

func (l *landing) Discard(context.Context) error { return nil }

// store answers what backups ask.
type store struct {
	storage.Store
	path, journal string
	proofs        []storage.Proof
}

func (s *store) number() (n uint64) {
	text, err := os.ReadFile(s.path)
	if err == nil {
		_, err = fmt.Sscan(string(text), &n)
	}
	if err != nil {
		panic(err)
	}
	return n
}

func (s *store) LedgerHeads(context.Context) (ledger.Heads, error) {
	return ledger.Heads{Batches: []ledger.Head{{Node: "alpha", ID: int64(s.number()), Digest: ledger.Digest{1}}}, Fact: ledger.Head{ID: 3, Digest: ledger.Digest{2}}}, nil
}

func (s *store) Info(context.Context) (storage.Info, error) {
	return storage.Info{Samples: int64(s.number())}, nil
}

func (s *store) Position(context.Context, string) (storage.Position, error) {
	return storage.Position{Seq: s.number()}, nil
}

func (s *store) AddProof(_ context.Context, p storage.Proof, _ halley.Change) (int64, error) {
	s.proofs = append(s.proofs, p)
	return 1, nil
}

func (s *store) Close() error { return nil }

// keys makes a pair.
func keys(t *testing.T) (public string, private []age.Identity) {
	t.Helper()
	text, public, err := backup.NewKey()
	must(t, err)
	file := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	private, err = backup.ReadKeys(file)
	must(t, err)
	return public, private
}

// faulty is a place that fails where a test wants it.
type faulty struct {
	backup.Target
	// after is how many bytes of a piece it takes.
	after int
	piece string
	err   error
}

func (f *faulty) Put(ctx context.Context, name, piece string, estimate int64, write func(io.Writer) error) error {
	return f.Target.Put(ctx, name, piece, estimate, func(w io.Writer) error {
		if piece == f.piece {
			w = &limited{w: w, left: f.after, err: f.err}
		}
		return write(w)
	})
}

type limited struct {
	w    io.Writer
	left int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, l.err
	}
	l.left -= len(p)
	return l.w.Write(p)
}
