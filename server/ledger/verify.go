package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"halley"
	"halley/storage"
)

const (
	// verifyLease is the lease under which one of the servers on a database verifies it, verifyLasting how long it lasts without being
	// renewed, and renewEvery how often it is.
	verifyLease   = "verification"
	verifyLasting = 2 * time.Minute
	renewEvery    = 30 * time.Second
	// leaseWithin bounds a call about the lease.
	leaseWithin = 5 * time.Second
	opVerify    = "verify the database"
)

// task is a verification that is to be done.
type task struct {
	// from and to bound measured-at, half-open; both 0 for all.
	from, to halley.Millis
	// purpose is that of a storage.VerifySummary.
	purpose string
	change  halley.Change
}

// verifier verifies the store, at night and when it is asked for, one verification at a time.
type verifier struct {
	ledger *Ledger
	holder string
	asked  chan asked

	mu       sync.Mutex
	running  bool
	progress float64
}

// asked is a verification that somebody asked for, under a lease that is taken already.
type asked struct {
	task
	lease storage.Lease
}

func newVerifier(l *Ledger) *verifier {
	return &verifier{ledger: l, holder: l.opts.Node + " " + rand.Text()[:8], asked: make(chan asked, 1)}
}

// Verify begins a verification of what was measured in [from, to), both 0 for all; how it goes, Verification tells, and its result is
// kept as a storage.Proof by c. Conflict where one is running, here or on another server of the database.
func (l *Ledger) Verify(ctx context.Context, from, to halley.Millis, c halley.Change) error {
	v := l.verifier
	if !v.begin() {
		return &halley.Error{Kind: halley.Conflict, Op: opVerify, Code: "verification-running", Message: "a verification is running: wait until it has ended"}
	}
	lease, err := v.take(ctx)
	if err != nil {
		v.end()
		return err
	}
	v.asked <- asked{task{from: from, to: to, change: c}, lease}
	return nil
}

// Verification says whether this server verifies now, and how far it has come, from 0 to 1.
func (l *Ledger) Verification() (running bool, progress float64) {
	l.verifier.mu.Lock()
	defer l.verifier.mu.Unlock()
	return l.verifier.running, l.verifier.progress
}

// begin says whether a verification may begin, and that it does.
func (v *verifier) begin() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.running {
		return false
	}
	v.running, v.progress = true, 0
	return true
}

func (v *verifier) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.running = false
}

func (v *verifier) advance(progress float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.progress = max(v.progress, min(progress, 1))
}

// take takes the lease; Conflict where another server has it.
func (v *verifier) take(ctx context.Context) (storage.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, leaseWithin)
	defer cancel()
	l, held, err := v.ledger.opts.Store.TakeLease(ctx, verifyLease, v.holder, verifyLasting)
	if err == nil && !held {
		err = &halley.Error{
			Kind: halley.Conflict, Op: opVerify, Code: "verification-running", Message: "another server of this database verifies it now: wait until it has ended",
		}
	}
	return l, err
}

// run verifies at night and when it is asked for, until ctx ends.
func (v *verifier) run(ctx context.Context) {
	night := v.newNight()
	for {
		t := time.NewTimer(time.Until(night.at))
		if night.at.IsZero() {
			t.Stop()
		}
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case a := <-v.asked:
			t.Stop()
			v.answer(ctx, a)
		case <-t.C:
			night.begin(ctx)
		}
	}
}

// answer does a verification that was asked for.
func (v *verifier) answer(ctx context.Context, a asked) {
	defer v.end()
	err := v.under(ctx, a.lease, func(ctx context.Context) error {
		return v.do(ctx, a.task)
	})
	if err != nil && ctx.Err() == nil {
		v.ledger.opts.Log.Warn("a verification that was asked for could not be done", "err", err)
	}
}

// errLeaseLost says that another server took over.
var errLeaseLost = errors.New("another server has taken over the verification")

// under works under a lease that is held, renews it meanwhile, and gives it back.
func (v *verifier) under(ctx context.Context, l storage.Lease, work func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.renew(ctx, cancel)
	}()
	err := work(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errLeaseLost) {
		err = errors.Join(cause, err)
	}
	cancel(nil)
	<-done
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer stop()
	if err := v.ledger.opts.Store.ReleaseLease(last, l); err != nil {
		v.ledger.opts.Log.Debug("the lease on the verification ends by itself", "err", err)
	}
	return err
}

// renew renews the lease until ctx ends, and cancels where another has it.
func (v *verifier) renew(ctx context.Context, cancel context.CancelCauseFunc) {
	for sleep(ctx, renewEvery) {
		if _, err := v.take(ctx); halley.KindOf(err) == halley.Conflict && err != nil {
			cancel(errLeaseLost)
			return
		}
	}
}

// do verifies and has the result kept. The error says why it could not be done to the end; then, too, a result is kept, unless the
// server stops.
func (v *verifier) do(ctx context.Context, t task) error {
	began := time.Now()
	s, err := v.ledger.verifyStore(ctx, t, v.advance)
	s.From, s.To, s.Purpose, s.Version, s.Millis = t.from, t.to, t.purpose, v.ledger.opts.Version, time.Since(began).Milliseconds()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		s.Problem = plain(err)
	}
	ok := err == nil && s.FindingCount == 0
	v.ledger.opts.Log.Info("the database was verified", "ok", ok, "findings", s.FindingCount, "samples", s.Samples, "batches", s.Batches,
		"problem", s.Problem, "took", time.Since(began).Round(time.Millisecond).String())
	t.change.At = now()
	v.ledger.results.add(storage.Proof{At: now(), Node: v.ledger.opts.Node, Kind: storage.ProofVerify, OK: ok}, s, t.change)
	return err
}
