package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"halley"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// crashEnv holds the path of the database in the process that is killed.
const crashEnv = "HALLEY_TEST_CRASH"

// crashBatch is how many messages a batch has.
const crashBatch = 50

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		fmt.Fprintln(os.Stderr, appendForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// appendForEver goes on behind what is stored and prints each sequence number once it is stored, until it is killed.
func appendForEver(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	if err != nil {
		return err
	}
	at, err := s.Position(ctx, storagetest.Journal)
	if err != nil {
		return err
	}
	// A process that was killed holds its lease still.
	lease, _, err := s.TakeLease(ctx, fmt.Sprintf("rollups behind %d", at.Seq), "crash", time.Hour)
	if err != nil {
		return err
	}
	f := storagetest.NewFeed(s)
	f.Seq = at.Seq
	d := storagetest.WiFi("21000001", 2)
	for {
		uploads := make([]storage.Upload, 0, crashBatch)
		for i := range uint64(crashBatch) {
			uploads = append(uploads, d.Upload(0, d.Message(storagetest.Start+halley.Millis(f.Seq+i)*halley.Minute, 1)))
		}
		if _, err := s.Append(ctx, f.Batch(uploads...)); err != nil {
			return err
		}
		if _, err := s.RollUp(ctx, lease, 2); err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, f.Seq)
	}
}

// TestKillLosesNothing kills a process that appends, over and over, and looks whether what it said was stored is there, whole
// and once.
func TestKillLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "halley.db")
	for round := range 4 {
		said := killAfter(t, path, 3+5*round)
		s := open(t, path)
		at, err := s.Position(t.Context(), storagetest.Journal)
		if err != nil {
			t.Fatal(err)
		}
		if at.Seq < said || at.Seq%crashBatch != 0 {
			t.Errorf("the position is %d after %d was said to be stored", at.Seq, said)
		}
		list := storagetest.SamplesOf(t, s, 1)
		if len(list) != int(at.Seq) {
			t.Errorf("there are %d samples, want %d", len(list), at.Seq)
		}
		for i, sm := range list {
			if want := storagetest.Start + halley.Millis(i)*halley.Minute; sm.At != want {
				t.Fatalf("sample %d is of %v, want %v", i, sm.At, want)
			}
		}
		got, err := s.Buckets(t.Context(), storage.BucketQuery{
			Channel: 1, From: storagetest.Start, To: storagetest.Start + 1000*halley.Day, Width: halley.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		var n int64
		for _, b := range got {
			n += b.Count
		}
		if n != int64(len(list)) {
			t.Errorf("the buckets hold %d values, want %d", n, len(list))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := table(t, foreign(t, path), "PRAGMA integrity_check"); got != "ok\n" {
		t.Errorf("integrity_check says %s", got)
	}
}

// killAfter runs the appending process, kills it after so many lines and gives the last number that it printed.
func killAfter(t *testing.T, path string, lines int) uint64 {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	command.Env = append(os.Environ(), crashEnv+"="+path)
	var said uint64
	var problem strings.Builder
	command.Stderr = &problem
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for n := 0; in.Scan(); n++ {
		if said, err = strconv.ParseUint(in.Text(), 10, 64); err != nil {
			t.Errorf("the process printed %q", in.Text())
		}
		if n == lines {
			if err := command.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := command.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the process ended by itself: %v %s", err, problem.String())
	}
	return said
}
