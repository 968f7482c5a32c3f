package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"halley"
	"halley/storage"
)

const (
	// lookEvery is how often the kept results are read again, for other servers and commands add some.
	lookEvery = time.Minute
	// recent is how many results of a kind are looked at.
	recent = 200
	// flushWithin bounds one try to keep results.
	flushWithin = 5 * time.Second
)

// result is a result that is to be kept.
type result struct {
	proof  storage.Proof
	change halley.Change
}

// results keeps results of checks in the store, later where the store is away, and knows the newest ones.
type results struct {
	store storage.Proofs
	log   *slog.Logger
	wake  chan struct{}
	// flushing is held while results are being kept, so that none is kept twice.
	flushing sync.Mutex

	mu      sync.Mutex
	waiting []result
	// known are the newest ones of each kind, newest first.
	known map[storage.ProofKind][]storage.Proof
}

func newResults(store storage.Proofs, log *slog.Logger) *results {
	return &results{store: store, log: log, wake: make(chan struct{}, 1), known: map[storage.ProofKind][]storage.Proof{}}
}

// add has a result kept.
func (r *results) add(p storage.Proof, summary any, c halley.Change) {
	text, err := json.Marshal(summary)
	if err != nil {
		r.log.Error("a result cannot be described", "kind", string(p.Kind), "err", err)
		return
	}
	p.Summary = string(text)
	r.mu.Lock()
	r.waiting = append(r.waiting, result{p, c})
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run keeps what is added and reads what there is, until ctx ends.
func (r *results) run(ctx context.Context) {
	failures := 0
	for {
		wait := lookEvery
		if r.flush(ctx) && r.look(ctx) == nil {
			failures = 0
		} else {
			wait = retry(failures, soonAgain, seldomAgain)
			failures++
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-r.wake:
			t.Stop()
		}
	}
}

// flush keeps what waits, and says whether nothing waits any more.
func (r *results) flush(ctx context.Context) bool {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, flushWithin)
	defer cancel()
	for {
		r.mu.Lock()
		if len(r.waiting) == 0 {
			r.mu.Unlock()
			return true
		}
		next := r.waiting[0]
		r.mu.Unlock()
		id, err := r.store.AddProof(ctx, next.proof, next.change)
		switch {
		case err == nil:
			next.proof.ID = id
		case halley.KindOf(err) == halley.Invalid:
			r.log.Error("a result cannot be kept", "kind", string(next.proof.Kind), "err", err)
		default:
			r.log.Debug("a result is kept later", "kind", string(next.proof.Kind), "err", err)
			return false
		}
		r.mu.Lock()
		r.waiting = slices.Clone(r.waiting[1:])
		if err == nil {
			r.known[next.proof.Kind] = slices.Insert(r.known[next.proof.Kind], 0, next.proof)
		}
		r.mu.Unlock()
	}
}

// look reads the newest results.
func (r *results) look(ctx context.Context) error {
	for _, kind := range []storage.ProofKind{storage.ProofVerify, storage.ProofSetBack, storage.ProofSent} {
		list, err := r.store.Proofs(ctx, kind, 0, recent)
		if err != nil {
			return fmt.Errorf("reading kept results: %w", err)
		}
		r.mu.Lock()
		r.known[kind] = list
		r.mu.Unlock()
	}
	return nil
}

// of gives the newest results of a kind, newest first, those first that wait to be kept.
func (r *results) of(kind storage.ProofKind) []storage.Proof {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []storage.Proof
	for _, w := range slices.Backward(r.waiting) {
		if w.proof.Kind == kind {
			list = append(list, w.proof)
		}
	}
	return append(list, r.known[kind]...)
}
