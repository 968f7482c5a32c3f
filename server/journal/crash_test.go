package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"halley/server/journal"
)

// play is the program that the tests of this file start: it appends to the journal in dir from many callers and prints the
// sequence number and the number in the body of every entry that was acknowledged. It ends when its standard input does.
func play(dir string) int {
	if limited, ok := strings.CutPrefix(dir, "limited:"); ok {
		return playLimited(limited)
	}
	if renewed, ok := strings.CutPrefix(dir, "renew:"); ok {
		return playRenew(renewed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	j, err := journal.Open(ctx, journal.Options{Dir: dir, FileBytes: 32 << 10})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		cancel()
		return 1
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for n := c; ctx.Err() == nil; n += 16 {
				e, err := j.Append(ctx, upload(n))
				if err != nil {
					return
				}
				_, _ = fmt.Fprintf(os.Stdout, "%d %s\n", e.Seq, e.Serial) // a single write: lines stay whole
			}
		})
	}
	wg.Wait()
	return 0
}

// start starts the test binary as play. What it printed before kill can still be read; wait is called behind the last line.
func start(t *testing.T, dir string) (out *bufio.Scanner, kill, wait func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asProgram+"="+dir)
	cmd.Stderr = t.Output()
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return bufio.NewScanner(stdout), func() { _ = cmd.Process.Kill() }, func() {
		_ = cmd.Process.Kill()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
	}
}

func TestKilledProgramLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	acknowledged := map[uint64]string{}
	var id string
	for range rounds {
		out, kill, wait := start(t, dir)
		killed := 1 + rand.IntN(400)
		for n := 0; out.Scan(); n++ {
			if n == killed {
				kill()
			}
			seq, serial, ok := strings.Cut(out.Text(), " ")
			number, err := strconv.ParseUint(seq, 10, 64)
			if !ok || err != nil || len(serial) != 8 {
				continue // the line that was being printed
			}
			if before, twice := acknowledged[number]; twice {
				t.Fatalf("sequence number %d was given twice: to %s and %s", number, before, serial)
			}
			acknowledged[number] = serial
		}
		wait()
		checkAcknowledged(t, dir, acknowledged, &id)
	}
	if len(acknowledged) < rounds {
		t.Errorf("only %d entries were acknowledged in %d rounds", len(acknowledged), rounds)
	}
	if len(databases(t, dir)) < 2 && !testing.Short() {
		t.Errorf("the journal never began another file: %v", names(t, dir))
	}
}

// checkAcknowledged opens the journal and looks for every entry that was acknowledged.
func checkAcknowledged(t *testing.T, dir string, acknowledged map[uint64]string, id *string) {
	t.Helper()
	j := open(t, journal.Options{Dir: dir, FileBytes: 32 << 10})
	if *id == "" {
		*id = j.ID()
	}
	if j.ID() != *id {
		t.Fatalf("the journal's id became %s, it was %s", j.ID(), *id)
	}
	all := readAll(t, j, 0, 100)
	for i, e := range all {
		if e.Seq != uint64(i+1) {
			t.Fatalf("entry %d has sequence number %d", i+1, e.Seq)
		}
		if e.Kind != journal.Upload {
			t.Fatalf("entry %d is of kind %d: %s", e.Seq, e.Kind, e.Body)
		}
	}
	for seq, serial := range acknowledged {
		if seq > uint64(len(all)) || all[seq-1].Serial != serial {
			t.Fatalf("entry %d of %s was acknowledged and is not there (%d entries)", seq, serial, len(all))
		}
	}
	closeNow(t, j)
}
