package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
)

const identityFile = "journal-identity.json"

// renew gives the journal a new id and checks what Renew gives.
func renew(t *testing.T, j *journal.Journal, why string) string {
	t.Helper()
	before := j.ID()
	oldID, freshID, err := j.Renew(t.Context(), why)
	if err != nil {
		t.Fatalf("renew: %v", err)
	}
	if oldID != before || freshID != j.ID() || freshID == oldID || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(freshID) {
		t.Fatalf("renew gave %s and %s, the journal was %s and is %s", oldID, freshID, before, j.ID())
	}
	return freshID
}

// hashes gives the running hash at every entry from the one before the first.
func hashes(t *testing.T, j *journal.Journal) [][32]byte {
	t.Helper()
	var all [][32]byte
	for seq := j.First() - 1; seq <= j.Last(); seq++ {
		all = append(all, hashAt(t, j, seq))
	}
	return all
}

func TestARenewedJournalIsTheSameUnderAnotherID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	options := journal.Options{Dir: dir, FileBytes: 32 << 10}
	j := open(t, options)
	ids := map[string]bool{j.ID(): true}
	var want []journal.Entry
	for round := range 4 {
		for n := range 3 {
			want = append(want, add(t, j, random(10*round+n))...)
		}
		before := hashes(t, j)
		id := renew(t, j, fmt.Sprintf("round %d", round))
		if ids[id] {
			t.Fatalf("the id %s was given before", id)
		}
		ids[id] = true
		if diff := cmp.Diff(before, hashes(t, j)[:len(before)]); diff != "" {
			t.Errorf("round %d: hashes changed (-before +after):\n%s", round, diff)
		}
		all := readAll(t, j, 0, 100)
		event := all[len(all)-1]
		var noted map[string]string
		if err := json.Unmarshal(event.Body, &noted); err != nil || event.Kind != journal.Event {
			t.Fatalf("the last entry is %+v", event)
		}
		if noted["event"] != "journal-renewed" || noted["new"] != id || noted["why"] != fmt.Sprintf("round %d", round) {
			t.Errorf("round %d: the journal notes %s", round, event.Body)
		}
		want = append(want, event)
		if round == 1 {
			closeNow(t, j)
			j = open(t, options)
		}
		if j.ID() != id {
			t.Errorf("round %d: opened again the journal is %s, want %s", round, j.ID(), id)
		}
		if diff := cmp.Diff(want, readAll(t, j, 0, 2), wholeBodies); diff != "" {
			t.Errorf("round %d: the journal holds (-want +got):\n%s", round, diff)
		}
	}
	if len(databases(t, dir)) < 2 {
		t.Errorf("the journal has %v, want a file that began after the first renewal", names(t, dir))
	}
}

func TestAJournalBeginsAtWhatIsNotPruned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir, FileBytes: 32 << 10})
	if j.First() != 1 {
		t.Errorf("an empty journal begins at %d, want 1", j.First())
	}
	for n := range 12 {
		add(t, j, random(n))
	}
	p, err := j.Prune(t.Context(), j.Last(), 0)
	if err != nil || p.Files == 0 {
		t.Fatalf("prune: %+v, %v", p, err)
	}
	if j.First() != p.LastSeq+1 || j.First() > j.Last() {
		t.Errorf("after pruning up to %d of %d the journal begins at %d", p.LastSeq, j.Last(), j.First())
	}
	before := hashes(t, j)
	renew(t, j, "test")
	if diff := cmp.Diff(before, hashes(t, j)[:len(before)]); diff != "" {
		t.Errorf("hashes of a pruned journal changed (-before +after):\n%s", diff)
	}
	if got := readAll(t, j, 0, 100); got[0].Seq != j.First() {
		t.Errorf("reading begins at %d, want %d", got[0].Seq, j.First())
	}
}

// TestAnInterruptedRenewalLeavesOneID sets up what is on the disk after each step of Renew.
func TestAnInterruptedRenewalLeavesOneID(t *testing.T) {
	t.Parallel()
	const fresh = "0123456789abcdef0123456789abcdef"
	whole := func(origin, id string) string {
		return fmt.Sprintf(`{"format":1,"origin":%q,"id":%q,"renewals":[]}`, origin, id)
	}
	tests := map[string]struct {
		// files gives what lies beside the journal of this id.
		files func(origin string) map[string]string
		want  string
	}{
		"before it began":             {func(string) map[string]string { return nil }, ""},
		"when the new file was begun": {func(string) map[string]string { return map[string]string{identityFile + ".new": `{"form`} }, ""},
		"when the new file was whole": {func(o string) map[string]string { return map[string]string{identityFile + ".new": whole(o, fresh)} }, ""},
		"when it had its name":        {func(o string) map[string]string { return map[string]string{identityFile: whole(o, fresh)} }, fresh},
		"at the second, before it had": {func(o string) map[string]string {
			return map[string]string{identityFile: whole(o, fresh), identityFile + ".new": "{"}
		}, fresh},
		"and it belongs to another": {func(string) map[string]string {
			return map[string]string{identityFile: whole(strings.Repeat("a", 32), fresh)}
		}, ""},
		"and it cannot be read": {func(string) map[string]string { return map[string]string{identityFile: "\x00\x00\x00"} }, ""},
		"and its id is none":    {func(o string) map[string]string { return map[string]string{identityFile: whole(o, "")} }, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := open(t, journal.Options{Dir: dir})
			origin := j.ID()
			want := add(t, j, upload(1), upload(2))
			closeNow(t, j)
			for file, content := range tc.files(origin) {
				write(t, filepath.Join(dir, file), []byte(content))
			}
			j = open(t, journal.Options{Dir: dir})
			wanted := tc.want
			if wanted == "" {
				wanted = origin
			}
			if j.ID() != wanted {
				t.Errorf("the journal is %s, want %s", j.ID(), wanted)
			}
			if diff := cmp.Diff(want, readAll(t, j, 0, 10), wholeBodies); diff != "" {
				t.Errorf("the journal holds (-want +got):\n%s", diff)
			}
			for _, n := range names(t, dir) {
				if n == identityFile+".new" {
					t.Errorf("the folder holds %v", names(t, dir))
				}
			}
			id := renew(t, j, "again")
			closeNow(t, j)
			if j = open(t, journal.Options{Dir: dir}); j.ID() != id {
				t.Errorf("after the next renewal the journal is %s, want %s", j.ID(), id)
			}
		})
	}
}

func TestAnIdentityOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	closeNow(t, open(t, journal.Options{Dir: dir}))
	write(t, filepath.Join(dir, identityFile), []byte(`{"format":2}`))
	j, err := journal.Open(t.Context(), journal.Options{Dir: dir})
	if err == nil {
		closeNow(t, j)
	}
	if e := new(halley.Error); !errors.As(err, &e) || e.Code != "journal-newer" {
		t.Errorf("open gave %v, want journal-newer", err)
	}
}

func TestAnIDThatCannotBeKeptStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	before := j.ID()
	// A folder in the place of the new file.
	if err := os.MkdirAll(filepath.Join(dir, identityFile+".new", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Renew(t.Context(), "test"); halley.KindOf(err) != halley.Unavailable {
		t.Errorf("renew gave %v, want Unavailable", err)
	}
	if j.ID() != before || j.Last() != 0 {
		t.Errorf("the journal is %s with %d entries, want %s with none", j.ID(), j.Last(), before)
	}
	add(t, j, upload(1))
	closeNow(t, j)
	if _, _, err := j.Renew(t.Context(), "test"); halley.KindOf(err) != halley.Unavailable {
		t.Errorf("renew after Close gave %v, want Unavailable", err)
	}
}

func TestTheIdentityIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the rights of the folder count there")
	}
	dir := t.TempDir()
	renew(t, open(t, journal.Options{Dir: dir}), "test")
	info, err := os.Stat(filepath.Join(dir, identityFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the identity: %v, %v; want the mode 0600", info, err)
	}
}

func TestOldRenewalsAreForgotten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	var last string
	for n := range 105 {
		last = renew(t, j, strconv.Itoa(n))
	}
	content, err := os.ReadFile(filepath.Join(dir, identityFile))
	if err != nil {
		t.Fatal(err)
	}
	var i struct {
		Renewals []struct{ New, Why string }
	}
	if err := json.Unmarshal(content, &i); err != nil {
		t.Fatal(err)
	}
	if n := len(i.Renewals); n != 100 || i.Renewals[0].Why != "5" || i.Renewals[99].New != last {
		t.Errorf("%d renewals are kept, %+v", n, i.Renewals)
	}
}

func TestRenewingDisturbsNobody(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Dir: t.TempDir(), FileBytes: 32 << 10})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for c := range 4 {
		wg.Go(func() {
			for n := range 40 {
				if _, err := j.Append(ctx, upload(100*c+n)); err != nil {
					t.Errorf("append: %v", err)
					return
				}
				if _, err := j.Hash(ctx, j.Last()); err != nil || j.ID() == "" {
					t.Errorf("hash: %v", err)
				}
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			for range 5 {
				if _, _, err := j.Renew(ctx, "test"); err != nil {
					t.Errorf("renew: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(readAll(t, j, 0, 50)); got != 4*40+3*5 {
		t.Errorf("the journal holds %d entries, want %d", got, 4*40+3*5)
	}
}

func TestAKilledRenewalLeavesTheOldIDOrTheNew(t *testing.T) {
	t.Parallel()
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	for round := range rounds {
		out, kill, wait := start(t, "renew:"+dir)
		var ids []string
		for n := 0; out.Scan(); n++ {
			if len(out.Text()) == 32 {
				ids = append(ids, out.Text())
			}
			if n == 3*round {
				kill()
			}
		}
		wait()
		j := open(t, journal.Options{Dir: dir})
		all := readAll(t, j, 0, 1000)
		for i, e := range all {
			if e.Seq != uint64(i+1) {
				t.Fatalf("entry %d has sequence number %d", i+1, e.Seq)
			}
		}
		if len(ids) == 0 {
			t.Fatal("the program said nothing")
		}
		// The program prints an id after Renew has returned: at most one more was begun.
		history := renewals(t, dir)
		if at := len(history) - 1; at >= 0 && history[at] != ids[len(ids)-1] && (at == 0 || history[at-1] != ids[len(ids)-1]) {
			t.Errorf("the program was told %s last, the journal was renewed to %v", ids[len(ids)-1], history)
		}
		if len(history) > 0 && j.ID() != history[len(history)-1] {
			t.Errorf("the journal is %s, it was renewed to %v", j.ID(), history)
		}
		closeNow(t, j)
	}
	if len(renewals(t, dir)) < rounds {
		t.Errorf("the journal was renewed to %v in %d rounds", renewals(t, dir), rounds)
	}
}

// renewals gives the ids that the identity file lists.
func renewals(t *testing.T, dir string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, identityFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var i struct {
		Renewals []struct{ New string }
	}
	if err := json.Unmarshal(content, &i); err != nil {
		t.Fatalf("%s: %v", content, err)
	}
	var all []string
	for _, r := range i.Renewals {
		all = append(all, r.New)
	}
	return all
}

// playRenew is the program that renews the journal in dir again and again, and prints each id once it counts.
func playRenew(dir string) int {
	ctx := context.Background()
	j, err := journal.Open(ctx, journal.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		if _, err := fmt.Fprintln(os.Stdout, j.ID()); err != nil {
			return 1
		}
		if _, _, err := j.Renew(ctx, "test"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}
