package journal_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
)

func openMemory(t *testing.T, dir string) *journal.Memory {
	t.Helper()
	m, err := journal.OpenMemory(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("opening the memory: %v", err)
	}
	return m
}

// recorded is a batch of the node n and the journal j.
func recorded(first, last uint64, batch int64) journal.Remembered {
	return journal.Remembered{
		Node: "n", JournalID: "j", FirstSeq: first, LastSeq: last, Batch: batch, Digest: [32]byte{byte(batch), 1}, At: halley.Millis(1000 * batch),
	}
}

func under(r journal.Remembered, node, id string) journal.Remembered {
	r.Node, r.JournalID = node, id
	return r
}

func remember(t *testing.T, m *journal.Memory, list ...journal.Remembered) {
	t.Helper()
	for _, r := range list {
		if err := m.Remember(r, 1); err != nil {
			t.Fatalf("remembering %d to %d: %v", r.FirstSeq, r.LastSeq, err)
		}
	}
}

func remembered(t *testing.T, dir string) []journal.Remembered {
	t.Helper()
	var all []journal.Remembered
	for r, err := range journal.ReadRemembered(t.Context(), dir) {
		if err != nil {
			t.Fatalf("reading what is remembered: %v", err)
		}
		all = append(all, r)
	}
	return all
}

func TestWhatWasRecordedIsRememberedAcrossAStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := []journal.Remembered{recorded(1, 5, 1), recorded(6, 6, 2), under(recorded(7, 9, 3), "n", "other"), recorded(10, 12, 4)}
	remember(t, openMemory(t, dir), want[:3]...)
	m := openMemory(t, dir)
	remember(t, m, want[3])
	if diff := cmp.Diff(want, remembered(t, dir)); diff != "" {
		t.Errorf("remembered (-want +got):\n%s", diff)
	}
	for name, tc := range map[string]struct {
		node, id string
		want     journal.Remembered
	}{
		"the newest":                   {"n", "j", want[3]},
		"that of another id":           {"n", "other", want[2]},
		"none under a name never used": {"m", "j", journal.Remembered{}},
	} {
		got, found, err := m.Last(tc.node, tc.id)
		if err != nil || found != (tc.want.Batch != 0) || got != tc.want {
			t.Errorf("last, %s: %+v, %v, %v", name, got, found, err)
		}
	}
}

func TestABatchIsRecalledByAnyOfItsNumbers(t *testing.T) {
	t.Parallel()
	m := openMemory(t, t.TempDir())
	first, gap, again, other := recorded(1, 5, 1), recorded(9, 12, 2), recorded(1, 5, 3), under(recorded(3, 12, 4), "n", "renewed")
	remember(t, m, first, gap, again, other)
	tests := map[string]struct {
		seq  uint64
		id   string
		want journal.Remembered
	}{
		"the newest of one range":                 {1, "j", again},
		"from within":                             {4, "j", again},
		"one of its own name before others":       {10, "j", gap},
		"one of another name where there is none": {7, "j", other},
		"by the other name":                       {4, "renewed", other},
		"nothing behind all":                      {13, "j", journal.Remembered{}},
	}
	for name, tc := range tests {
		got, found, err := m.Recall(t.Context(), tc.seq, "n", tc.id)
		if err != nil || found != (tc.want.Batch != 0) || got != tc.want {
			t.Errorf("%s: %+v, %v, %v, want %+v", name, got, found, err, tc.want)
		}
	}
}

func TestTheNextBatchIsRecalledFromAGap(t *testing.T) {
	t.Parallel()
	m := openMemory(t, t.TempDir())
	remember(t, m, recorded(1, 5, 1), recorded(20, 30, 2), recorded(9, 12, 3))
	got, found, err := m.Recall(t.Context(), 6, "n", "j")
	if err != nil || !found || got != recorded(9, 12, 3) {
		t.Errorf("recalled from the gap: %+v, %v, %v", got, found, err)
	}
}

func TestWhatIsFarBehindIsRecalledToo(t *testing.T) {
	t.Parallel()
	m := openMemory(t, t.TempDir())
	var last journal.Remembered
	for i := range int64(600) {
		last = recorded(uint64(i)*1000+1, uint64(i+1)*1000, i+1)
		remember(t, m, last)
	}
	for _, seq := range []uint64{1, 250_500, 599_500, 500} {
		got, found, err := m.Recall(t.Context(), seq, "n", "j")
		if err != nil || !found || got.FirstSeq > seq || got.LastSeq < seq {
			t.Errorf("%d: %+v, %v, %v", seq, got, found, err)
		}
	}
}

func TestATornEndIsNoError(t *testing.T) {
	t.Parallel()
	kept := []journal.Remembered{recorded(1, 5, 1), recorded(6, 6, 2)}
	tests := map[string]struct {
		damage func([]byte) []byte
		want   []journal.Remembered
	}{
		"half a batch":       {func(b []byte) []byte { return append(b, 1, 2, 3) }, kept},
		"a batch of nothing": {func(b []byte) []byte { return append(b, make([]byte, 76)...) }, kept},
		"a batch cut short":  {func(b []byte) []byte { return b[:len(b)-1] }, kept[:1]},
		"no batch":           {func(b []byte) []byte { return b[:len("halley recorded 1\nn\nj\n\n")] }, nil},
		"no whole beginning": {func([]byte) []byte { return []byte("halley rec") }, nil},
		"an empty file":      {func([]byte) []byte { return nil }, nil},
		"something else":     {func([]byte) []byte { return []byte("a\nb\nc\n\nd") }, nil},
		"other lines follow": {func([]byte) []byte { return []byte("halley recorded 1\nn\nj\nmore\n") }, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			remember(t, openMemory(t, dir), kept...)
			path := filepath.Join(dir, "recorded-00000001.log")
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tc.damage(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, remembered(t, dir)); diff != "" {
				t.Errorf("read by another process (-want +got):\n%s", diff)
			}
			next := recorded(7, 8, 3)
			remember(t, openMemory(t, dir), next)
			if diff := cmp.Diff(append(slices.Clip(tc.want), next), remembered(t, dir)); diff != "" {
				t.Errorf("after one more (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADamagedBatchIsLeftOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	remember(t, openMemory(t, dir), recorded(1, 5, 1), recorded(6, 6, 2), recorded(7, 9, 3))
	path := filepath.Join(dir, "recorded-00000001.log")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-2*76+20] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]journal.Remembered{recorded(1, 5, 1), recorded(7, 9, 3)}, remembered(t, dir)); diff != "" {
		t.Errorf("remembered (-want +got):\n%s", diff)
	}
}

func TestWhatTheJournalHasNoMoreIsForgotten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := openMemory(t, dir)
	const many = 15_000 // more than a file holds
	for i := range uint64(many) {
		if err := m.Remember(recorded(i+1, i+1, int64(i+1)), 1); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(remembered(t, dir)); n != many {
		t.Fatalf("%d batches are remembered, want %d", n, many)
	}
	// Another name begins a file.
	if err := m.Remember(under(recorded(many+1, many+1, 1), "m", "j"), many); err != nil {
		t.Fatal(err)
	}
	all := remembered(t, dir)
	if first := all[0].FirstSeq; first == 1 || first > many || all[len(all)-1].FirstSeq != many+1 {
		t.Errorf("remembered from %d to %d, want what the journal has and no whole file more", first, all[len(all)-1].FirstSeq)
	}
	if _, found, err := openMemory(t, dir).Last("n", "j"); !found || err != nil {
		t.Errorf("the last under the former name: %v, %v", found, err)
	}
}
