package decoded_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"halley"
	"halley/server/decoded"
)

func TestTakeGivesWhatWasPutOnce(t *testing.T) {
	t.Parallel()
	var r decoded.Ring
	up := &halley.Upload{Name: "Cold room 3"}
	r.Put(7, up)
	if got, ok := r.Take(7); !ok || got != up {
		t.Errorf("Take(7) = %v, %v; want what was put", got, ok)
	}
	if _, ok := r.Take(7); ok {
		t.Error("Take(7) gave the same upload twice")
	}
}

func TestTakeNeverGivesAnotherUpload(t *testing.T) {
	t.Parallel()
	var r decoded.Ring
	r.Put(1, &halley.Upload{})
	r.Put(1+8192, &halley.Upload{Name: "later"})
	if _, ok := r.Take(1); ok {
		t.Error("Take(1) gave the upload that replaced it")
	}
	if up, ok := r.Take(1 + 8192); !ok || up.Name != "later" {
		t.Errorf("Take of the later upload = %v, %v", up, ok)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var r decoded.Ring
	var taken atomic.Int64
	var wg sync.WaitGroup
	const n = 5000
	for seq := range uint64(n) {
		wg.Go(func() { r.Put(seq, &halley.Upload{Model: "m"}) })
	}
	wg.Wait()
	for seq := range uint64(n) {
		for range 2 {
			wg.Go(func() {
				if up, ok := r.Take(seq); ok && up.Model == "m" {
					taken.Add(1)
				}
			})
		}
	}
	wg.Wait()
	if got := taken.Load(); got != n {
		t.Errorf("took %d uploads, want each of %d once", got, n)
	}
}
