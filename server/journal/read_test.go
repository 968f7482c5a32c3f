package journal_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
)

func TestReadGivesWholeFlushes(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Dir: t.TempDir()})
	for _, size := range []int{3, 1, 4} { // 1-3, 4, 5-8
		group := make([]journal.Entry, size)
		for i := range group {
			group[i] = upload(i)
		}
		if err := journal.AppendTogether(t.Context(), j, group); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		after uint64
		limit int
		want  []uint64
	}{
		"one at least":                      {0, 1, []uint64{1, 2, 3}},
		"one at least also without a limit": {0, 0, []uint64{1, 2, 3}},
		"as many as reach the limit":        {0, 4, []uint64{1, 2, 3, 4}},
		"one more for the rest":             {0, 5, []uint64{1, 2, 3, 4, 5, 6, 7, 8}},
		"all":                               {0, 100, []uint64{1, 2, 3, 4, 5, 6, 7, 8}},
		"after a flush":                     {3, 1, []uint64{4}},
		"the rest of a flush":               {6, 1, []uint64{7, 8}},
		"nothing after the end":             {8, 1, nil},
		"nothing far after the end":         {1 << 63, 1, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			entries, err := j.Read(t.Context(), c.after, c.limit)
			var got []uint64
			for _, e := range entries {
				got = append(got, e.Seq)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("Read(%d, %d) gave %v (-want +got):\n%s", c.after, c.limit, err, diff)
			}
		})
	}
}

func TestEntryGivesOne(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Dir: t.TempDir()})
	if err := journal.AppendTogether(t.Context(), j, []journal.Entry{upload(1), upload(2), upload(3)}); err != nil {
		t.Fatal(err)
	}
	all := readAll(t, j, 0, 10)
	for i := range all {
		got, err := j.Entry(t.Context(), all[i].Seq)
		if diff := cmp.Diff(all[i], got); diff != "" || err != nil {
			t.Errorf("Entry(%d) gave %v (-want +got):\n%s", all[i].Seq, err, diff)
		}
	}
	for _, seq := range []uint64{0, 4, 1 << 63} {
		if _, err := j.Entry(t.Context(), seq); halley.KindOf(err) != halley.NotFound {
			t.Errorf("Entry(%d) gave %v, want not found", seq, err)
		}
	}
}

func TestReadOfAnEndedContextSaysSo(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Dir: t.TempDir()})
	add(t, j, upload(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Read(ctx, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("read gave %v, want the error of the context", err)
	}
	if got := readAll(t, j, 0, 1); len(got) != 1 {
		t.Errorf("afterwards it read %d entries, want 1", len(got))
	}
}

func TestWaitWakesForMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := open(t, journal.Options{Dir: t.TempDir()})
		add(t, j, upload(1))
		if err := j.Wait(t.Context(), 0); err != nil {
			t.Errorf("wait for what is there: %v", err)
		}
		woken := make(chan error, 2)
		go func() { woken <- j.Wait(t.Context(), 1) }()
		go func() { woken <- j.Wait(t.Context(), 2) }()
		changed := j.Changed(1)
		synctest.Wait()
		if len(woken) != 0 || isClosed(changed) {
			t.Fatal("somebody was woken before there was more")
		}
		add(t, j, upload(2))
		synctest.Wait()
		if len(woken) != 1 || !isClosed(changed) {
			t.Fatalf("%d of those who wait for 2 and 3 were woken by 2, want 1", len(woken))
		}
		add(t, j, upload(3))
		for range 2 {
			if err := <-woken; err != nil {
				t.Errorf("wait: %v", err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { woken <- j.Wait(ctx, 3) }()
		synctest.Wait()
		cancel()
		if err := <-woken; !errors.Is(err, context.Canceled) {
			t.Errorf("wait gave %v, want the error of the context", err)
		}
		go func() { woken <- j.Wait(t.Context(), 3) }()
		synctest.Wait()
		closeNow(t, j)
		if err := <-woken; halley.KindOf(err) != halley.Unavailable {
			t.Errorf("wait at Close gave %v, want unavailable", err)
		}
		if !isClosed(j.Changed(3)) {
			t.Error("a follower of a closed journal would wait for ever")
		}
	})
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestCloseWritesThoseWhoWait(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	results := make(chan error, 50)
	entered := make(chan struct{}, 50)
	for n := range 50 {
		go func() {
			entered <- struct{}{}
			_, err := j.Append(t.Context(), upload(n))
			results <- err
		}()
	}
	for range 25 {
		<-entered
	}
	closeNow(t, j)
	acknowledged := 0
	for range 50 {
		switch err := <-results; {
		case err == nil:
			acknowledged++
		case halley.KindOf(err) != halley.Unavailable:
			t.Errorf("append at Close gave %v, want unavailable", err)
		}
	}
	if got := j.Last(); got != uint64(acknowledged) {
		t.Errorf("the journal holds %d entries, %d were acknowledged", got, acknowledged)
	}
	if got := readAll(t, open(t, journal.Options{Dir: dir}), 0, 100); len(got) != acknowledged {
		t.Errorf("after a new start the journal holds %d entries, %d were acknowledged", len(got), acknowledged)
	}
}

func TestClosedJournalIsUnavailable(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Dir: t.TempDir()})
	add(t, j, upload(1))
	closeNow(t, j)
	closeNow(t, j) // again does no harm
	calls := map[string]func(context.Context) error{
		"append": func(ctx context.Context) error { _, err := j.Append(ctx, upload(2)); return err },
		"read":   func(ctx context.Context) error { _, err := j.Read(ctx, 0, 1); return err },
		"entry":  func(ctx context.Context) error { _, err := j.Entry(ctx, 1); return err },
		"hash":   func(ctx context.Context) error { _, err := j.Hash(ctx, 1); return err },
		"wait":   func(ctx context.Context) error { return j.Wait(ctx, 1) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			if err := call(t.Context()); halley.KindOf(err) != halley.Unavailable {
				t.Errorf("%s gave %v, want unavailable", name, err)
			}
		})
	}
}

func TestCloseOfAnEndedContextGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	add(t, j, upload(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("close gave %v, want the error of the context", err)
	}
	closeNow(t, j)
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("the folder holds %v, want one file", got)
	}
}
