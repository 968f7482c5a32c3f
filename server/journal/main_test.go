package journal_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"halley"
	"halley/server/journal"
)

// asProgram names the variable that makes the test binary play another program: see crash_test.go.
const asProgram = "HALLEY_JOURNAL_TEST"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asProgram); dir != "" {
		os.Exit(play(dir))
	}
	goleak.VerifyTestMain(m)
}

// open opens a journal and closes it with the test.
func open(t *testing.T, options journal.Options) *journal.Journal {
	t.Helper()
	if options.Log == nil {
		options.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	j, err := journal.Open(t.Context(), options)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { closeNow(t, j) })
	return j
}

func closeNow(t *testing.T, j *journal.Journal) {
	t.Helper()
	if err := j.Close(t.Context()); err != nil && t.Context().Err() == nil {
		t.Errorf("close: %v", err)
	}
}

// upload is an entry whose serial number and body say n.
func upload(n int) journal.Entry {
	return journal.Entry{
		Kind: journal.Upload, Family: halley.WiFi, Serial: fmt.Sprintf("%08d", n), Body: fmt.Appendf(nil, `{"Order":%d}`, n),
	}
}

// add appends entries one after the other and gives them as stored.
func add(t *testing.T, j *journal.Journal, entries ...journal.Entry) []journal.Entry {
	t.Helper()
	stored := make([]journal.Entry, 0, len(entries))
	for _, e := range entries {
		s, err := j.Append(t.Context(), e)
		if err != nil {
			t.Fatalf("append: %v", err)
		}
		stored = append(stored, s)
	}
	return stored
}

// readAll follows the journal from a sequence number to its end.
func readAll(t *testing.T, j *journal.Journal, after uint64, limit int) []journal.Entry {
	t.Helper()
	var all []journal.Entry
	for {
		entries, err := j.Read(t.Context(), after, limit)
		if err != nil {
			t.Fatalf("read after %d: %v", after, err)
		}
		if len(entries) == 0 {
			return all
		}
		all = append(all, entries...)
		after = entries[len(entries)-1].Seq
	}
}

// names gives the names of the files in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// databases gives the paths of a journal's files, ascending.
func databases(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "journal-*.db"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// noise gives n bytes that do not compress, the same for the same seed.
func noise(seed, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	b := make([]byte, n)
	_, _ = r.Read(b) // never fails
	return b
}
