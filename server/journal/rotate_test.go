package journal_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
)

func TestFileEndsAtItsSize(t *testing.T) {
	t.Parallel()
	const fileBytes = 100 << 10
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir, FileBytes: fileBytes})
	var want []journal.Entry
	for n := range 150 {
		want = append(want, add(t, j, random(n))...)
	}
	if diff := cmp.Diff(want, readAll(t, j, 0, 7), wholeBodies); diff != "" {
		t.Errorf("the journal holds (-want +got):\n%s", diff)
	}
	closeNow(t, j)
	paths := databases(t, dir)
	if len(paths) < 4 || len(paths) != len(names(t, dir)) {
		t.Errorf("the folder holds %v, want at least four files that stand alone", names(t, dir))
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || info.Size() > fileBytes*3/2 {
			t.Errorf("%s has %d bytes (%v), want about %d", path, info.Size(), err, fileBytes)
		}
		if info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
			t.Errorf("%s can be read by others: %v", path, info.Mode())
		}
	}
	j = open(t, journal.Options{Dir: dir, FileBytes: fileBytes})
	if diff := cmp.Diff(want, readAll(t, j, 0, 1000), wholeBodies); diff != "" {
		t.Errorf("after a new start the journal holds (-want +got):\n%s", diff)
	}
}

func TestFileEndsWithTheDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC, 2000-01-01
		dir := t.TempDir()
		j := open(t, journal.Options{Dir: dir})
		var want []journal.Entry
		for _, pause := range []time.Duration{0, 24*time.Hour - time.Second, time.Second, 72 * time.Hour} {
			<-time.After(pause)
			want = append(want, add(t, j, upload(1))...)
		}
		got := names(t, dir)
		got = slices.DeleteFunc(got, func(name string) bool { return filepath.Ext(name) != ".db" })
		if diff := cmp.Diff([]string{
			"journal-20000101-000000000001.db", "journal-20000102-000000000003.db", "journal-20000105-000000000004.db",
		}, got); diff != "" {
			t.Errorf("the files (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, readAll(t, j, 0, 100), wholeBodies); diff != "" {
			t.Errorf("the journal holds (-want +got):\n%s", diff)
		}
		closeNow(t, j)
	})
}

func TestReceiveTimesRiseWhenTheClockWasPutBackWhileClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	future := journal.Opened(j).Add(48 * time.Hour)
	ahead := appendAt(t, j, upload(1), future, 0)
	closeNow(t, j)
	for round := range 2 { // the second time the newest file is another one
		j = open(t, journal.Options{Dir: dir, Dictionary: []byte{byte(round)}})
		add(t, j, upload(2))
		closeNow(t, j)
	}
	j = open(t, journal.Options{Dir: dir})
	all := readAll(t, j, 0, 100)
	for i := range all {
		if i > 0 && all[i].ReceivedMicros <= all[i-1].ReceivedMicros {
			t.Errorf("entry %d was received at %d, the one before at %d", all[i].Seq, all[i].ReceivedMicros, all[i-1].ReceivedMicros)
		}
	}
	kinds := []journal.Kind{}
	for _, e := range all[slices.IndexFunc(all, func(e journal.Entry) bool { return e.Seq == ahead.Seq }):] {
		kinds = append(kinds, e.Kind)
	}
	if diff := cmp.Diff([]journal.Kind{journal.Upload, journal.Event, journal.Upload, journal.Event, journal.Upload}, kinds); diff != "" {
		t.Errorf("the kinds of entry (-want +got):\n%s", diff)
	}
}

func TestPruneRemovesOldestRecordedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir, FileBytes: 40 << 10})
	var want []journal.Entry
	for n := range 60 {
		want = append(want, add(t, j, random(n))...)
	}
	readAll(t, j, 0, 10) // so that files are open
	before := j.Usage()
	if before.Files != len(databases(t, dir)) || before.Files < 5 {
		t.Fatalf("the journal says it has %d files, the folder holds %v", before.Files, names(t, dir))
	}
	second := secondOf(t, dir, 1)
	prune := func(recorded uint64, keep int64) journal.Pruned {
		t.Helper()
		p, err := j.Prune(t.Context(), recorded, keep)
		if err != nil {
			t.Fatalf("prune: %v", err)
		}
		return p
	}
	if got := prune(j.Last(), before.Bytes); got != (journal.Pruned{}) {
		t.Errorf("within the budget it removed %+v", got)
	}
	if got := prune(second-2, 0); got != (journal.Pruned{}) {
		t.Errorf("a file that is not wholly recorded went: %+v", got)
	}
	atBorder := hashAt(t, j, second-1)
	got := prune(second-1, 0)
	if got.Files != 1 || got.LastSeq != second-1 || got.Bytes <= 0 {
		t.Errorf("it removed %+v, want the first file", got)
	}
	if hash := hashAt(t, j, second-1); hash != atBorder {
		t.Errorf("the hash before the oldest file is %x, want %x", hash, atBorder)
	}
	if diff := cmp.Diff(want[second-1:], readAll(t, j, 0, 100), wholeBodies); diff != "" {
		t.Errorf("the journal holds (-want +got):\n%s", diff)
	}
	for _, seq := range []uint64{1, second - 1} {
		if _, err := j.Entry(t.Context(), seq); halley.KindOf(err) != halley.NotFound {
			t.Errorf("entry %d gave %v, want not found", seq, err)
		}
	}
	if _, err := j.Hash(t.Context(), second-2); halley.KindOf(err) != halley.NotFound {
		t.Errorf("a hash that was pruned gave %v, want not found", err)
	}
	last := j.Last()
	if got := prune(last, 0); got.Files != before.Files-2 {
		t.Errorf("it removed %+v, want all but the newest file", got)
	}
	if got := names(t, dir); len(got) != 3 {
		t.Errorf("the folder holds %v, want one file with its log and index", got)
	}
	closeNow(t, j)
	j = open(t, journal.Options{Dir: dir, FileBytes: 40 << 10})
	if e := add(t, j, upload(1))[0]; e.Seq != last+1 {
		t.Errorf("after pruning and a new start the next number is %d, want %d", e.Seq, last+1)
	}
}

// secondOf gives the first sequence number of the i-th file, from 0.
func secondOf(t *testing.T, dir string, i int) uint64 {
	t.Helper()
	var first uint64
	db := openDatabase(t, databases(t, dir)[i])
	if err := db.QueryRowContext(t.Context(), "SELECT first_seq FROM meta").Scan(&first); err != nil {
		t.Fatal(err)
	}
	// Windows removes no file that is open.
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return first
}

func TestFollowersReadAcrossFilesWhileOthersAppendAndPrune(t *testing.T) {
	t.Parallel()
	const entries = 300
	j := open(t, journal.Options{Dir: t.TempDir(), FileBytes: 40 << 10})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var followers, pruner sync.WaitGroup
	got := make([][]uint64, 6)
	slowest := make(chan uint64, entries)
	for f := range got {
		followers.Go(func() {
			for after := uint64(0); after < entries; {
				if err := j.Wait(ctx, after); err != nil {
					t.Errorf("follower %d: %v", f, err)
					return
				}
				batch, err := j.Read(ctx, after, 1+10*f)
				if err != nil || len(batch) == 0 {
					t.Errorf("follower %d read %d entries after %d: %v", f, len(batch), after, err)
					return
				}
				for _, e := range batch {
					got[f] = append(got[f], e.Seq)
				}
				after = batch[len(batch)-1].Seq
				if f == 0 {
					slowest <- after
				}
			}
		})
	}
	pruner.Go(func() {
		for range slowest {
			// Nothing is recorded, so that nothing goes; the files are looked at all the same.
			if p, err := j.Prune(ctx, 0, 0); err != nil || p.Files != 0 {
				t.Errorf("prune removed %d files: %v", p.Files, err)
			}
		}
	})
	var appending sync.WaitGroup
	for c := range 6 {
		appending.Go(func() {
			for n := range entries / 6 {
				if _, err := j.Append(ctx, random(c*1000+n)); err != nil {
					t.Errorf("append: %v", err)
					cancel()
					return
				}
			}
		})
	}
	appending.Wait()
	followers.Wait()
	close(slowest)
	pruner.Wait()
	want := make([]uint64, entries)
	for i := range want {
		want[i] = uint64(i + 1)
	}
	for f := range got {
		if diff := cmp.Diff(want, got[f]); diff != "" {
			t.Errorf("follower %d read (-want +got):\n%s", f, diff)
		}
	}
	if u := j.Usage(); u.Files < 6 {
		t.Errorf("the journal has %d files, want many", u.Files)
	}
}
