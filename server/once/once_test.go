package once_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"halley/server/once"
)

func TestAThingIsTakenOnce(t *testing.T) {
	t.Parallel()
	u := once.New(10)
	var all sync.WaitGroup
	var taken atomic.Int32
	for range 8 {
		all.Go(func() {
			if u.Take("answer", 100, 1) {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if n := taken.Load(); n != 1 {
		t.Errorf("it was taken %d times", n)
	}
	if !u.Take("another", 100, 1) {
		t.Error("another thing is not taken")
	}
	u.GiveBack("answer")
	if !u.Take("answer", 100, 2) || u.Take("answer", 100, 3) {
		t.Error("what was given back is not taken once more")
	}
}

func TestOnlySoMuchIsRemembered(t *testing.T) {
	t.Parallel()
	u := once.New(2)
	if !u.Take("a", 10, 1) || !u.Take("b", 20, 1) {
		t.Fatal("the first two are not taken")
	}
	if u.Take("c", 30, 9) {
		t.Error("a third one is taken while two hold: one of them could be used again")
	}
	if !u.Take("c", 30, 10) {
		t.Error("a third one is not taken although the first holds no longer")
	}
	if u.Take("b", 20, 19) {
		t.Error("the second is taken twice")
	}
}
