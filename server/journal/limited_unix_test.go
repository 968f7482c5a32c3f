//go:build unix

package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"halley"
	"halley/server/journal"
)

// playLimited appends until the system refuses to let a file grow, which SQLite reports as an I/O error, and prints what
// became of it.
func playLimited(what string) int {
	bytes, dir, _ := strings.Cut(what, ":")
	most, err := strconv.ParseUint(bytes, 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	signal.Ignore(unix.SIGXFSZ)
	limit := unix.Rlimit{Cur: most, Max: unix.RLIM_INFINITY}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx := context.Background()
	failed := make(chan error, 2)
	j, err := journal.Open(ctx, journal.Options{Dir: dir, Fail: func(err error) { failed <- err }})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	n := 0
	for ; err == nil; n++ {
		_, err = j.Append(ctx, random(n))
	}
	report("acknowledged", n-1)
	report("kind", halley.KindOf(err))
	report("told", <-failed != nil)
	_, err = j.Append(ctx, upload(n))
	report("kind later", halley.KindOf(err))
	report("state", j.Usage().State)
	report("closed with an error", j.Close(ctx) != nil)
	report("told again", len(failed))
	return 0
}

func report(what string, value any) { _, _ = fmt.Fprintf(os.Stdout, "%s: %v\n", what, value) }

func TestFailedDiskEndsTheJournalAndTellsOnce(t *testing.T) {
	t.Parallel()
	cases := map[string]int{
		"when an entry is written":            256 << 10,
		"when the log is moved into the file": 5 << 20,
	}
	for name, bytes := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failDisk(t, bytes)
		})
	}
}

func failDisk(t *testing.T, bytes int) {
	t.Helper()
	dir := t.TempDir()
	out, _, wait := start(t, fmt.Sprintf("limited:%d:%s", bytes, dir))
	defer wait()
	var got []string
	var acknowledged int
	for out.Scan() {
		if _, err := fmt.Sscanf(out.Text(), "acknowledged: %d", &acknowledged); err != nil {
			got = append(got, out.Text())
		}
	}
	want := []string{
		fmt.Sprintf("kind: %v", halley.Unavailable), "told: true", fmt.Sprintf("kind later: %v", halley.Unavailable),
		"state: failing", "closed with an error: true", "told again: 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the program said (-want +got):\n%s", diff)
	}
	j := open(t, journal.Options{Dir: dir})
	all := readAll(t, j, 0, 100)
	if acknowledged == 0 || len(all) != acknowledged {
		t.Errorf("%d entries were acknowledged, %d are there", acknowledged, len(all))
	}
	for i, e := range all {
		if want := upload(i).Serial; e.Serial != want {
			t.Errorf("entry %d is of %s, want %s", e.Seq, e.Serial, want)
		}
	}
	if _, err := j.Append(t.Context(), upload(1)); err != nil {
		t.Errorf("append after a new start: %v", errors.Unwrap(err))
	}
}
