package passwords_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"halley/server/passwords"
)

func TestMemoryIsGivenBackOnceAfterHashes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := passwords.New(cheap)
		var given atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = h.GiveBack(ctx, func() { given.Add(1) }) })
		after := func(what string, d time.Duration, want int64) {
			t.Helper()
			<-time.After(d)
			synctest.Wait()
			if given := given.Load(); given != want {
				t.Errorf("%s memory was given back %d times, want %d", what, given, want)
			}
		}
		hash := func() {
			t.Helper()
			if _, err := h.Hash(t.Context(), "", "x"); err != nil {
				t.Fatal(err)
			}
		}
		after("without a hash", time.Hour, 0)
		for range 10 {
			hash()
			after("while people sign in", 9*time.Second, 0)
		}
		after("when nobody does any more", 20*time.Second, 1)
		after("and in the time after", time.Hour, 1)
		hash()
		after("after another one", 20*time.Second, 2)
		stop()
		running.Wait()
	})
}
