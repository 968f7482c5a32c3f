// Package maintenance does the work that must be done once, whichever of the servers on one database does it: it recomputes the
// rollups that late messages changed, and counts the completeness of finished days. It works under a lease of the database, in
// small pieces, and makes room for uploads. It also says in the database that this server is there, and learns which others are.
package maintenance

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

const (
	// leaseName is the lease under which the work is done, leaseLasting how long it lasts without being renewed.
	leaseName    = "maintenance"
	leaseLasting = 30 * time.Second
	// attendEvery is how often this server says that it is there and takes or renews the lease; while the database is away the wait
	// grows to longestWait.
	attendEvery = 10 * time.Second
	longestWait = time.Minute
	// releaseWithin bounds the last call at a stop.
	releaseWithin = time.Second
)

// Store is the database; storage.Store has these methods. Its calls must not hang.
type Store interface {
	storage.Leases
	storage.Nodes
	completeness.Series
	RollUp(ctx context.Context, l storage.Lease, limit int) (left int, err error)
	DaysDue(ctx context.Context, before int64, limit int) ([]storage.DeviceDay, error)
	PutDays(ctx context.Context, l storage.Lease, days []storage.DayCount) error
}

// Options configure a Maintenance. Its functions must not wait.
type Options struct {
	// Node and Version are this server's.
	Node, Version string
	// JournalID gives the id of the journal that this server writes now.
	JournalID func() string
	// Waiting gives how many entries of it are not recorded, and since when the oldest waits.
	Waiting func() (entries int64, oldest halley.Millis)
	// Family gives the family of a device; ok is false where this server does not know it yet.
	Family func(id halley.DeviceID) (f halley.Family, ok bool)
	// Uploads says how many uploads wait for an acknowledgement now, Busy that the recorder has a batch's worth to record.
	Uploads func() int
	Busy    func() bool
	Store   Store
	Log     *slog.Logger
}

// State is what is known of the servers on this database.
type State struct {
	// Nodes are all that were ever there, as they were when this one attended last.
	Nodes []storage.Node
	// Since and At are when this process attended first and last, by the database's clock; 0 for never.
	Since, At halley.Millis
	// Holder is what this process takes leases as, Leader who holds the lease as far as is known; "" for nobody.
	Holder, Leader string
}

// Maintenance is the worker. Run is called once; the other methods may be called at any time.
type Maintenance struct {
	opts   Options
	holder string
	wake   chan struct{}

	mu    sync.Mutex
	state State
	// heldUntil is when the lease ends at the earliest, by this process's clock; zero where it is not held.
	heldUntil time.Time

	// What follows is for Run alone.

	lease storage.Lease
	// attendedAt is when this server attended last, or tried to.
	attendedAt time.Time
	// failures counts those in a row; problem is what was logged last.
	failures int
	problem  string
	// stale is the first day of the page that was counted last, so that a day that stays due is not counted for ever.
	stale storage.DeviceDay
}

// New makes a Maintenance.
func New(opts Options) *Maintenance {
	holder := opts.Node + " " + opts.JournalID() + " " + rand.Text()[:8]
	return &Maintenance{opts: opts, holder: holder, wake: make(chan struct{}, 1), state: State{Holder: holder}}
}

// State gives what is known of the servers on this database. It never waits.
func (m *Maintenance) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.state
	s.Nodes = slices.Clone(s.Nodes)
	if s.Leader == s.Holder && !time.Now().Before(m.heldUntil) {
		s.Leader = "" // it may be another's by now
	}
	return s
}

// Wake says that there may be work: a batch was recorded.
func (m *Maintenance) Wake() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, and gives the lease back then.
func (m *Maintenance) Run(ctx context.Context) error {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			m.release(ctx)
			return nil
		case <-t.C:
		case <-m.wake:
		}
		t.Reset(m.turn(ctx))
	}
}

// turn attends where it is time, works as long as there is something to do, and gives how long to wait for the next turn.
func (m *Maintenance) turn(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		err := m.attend(ctx)
		more := false
		if err == nil && m.holds() {
			more, err = m.work(ctx)
		}
		switch {
		case isLeaseLost(err):
			m.drop()
			m.opts.Log.Info("another server has taken over the maintenance")
			return attendEvery
		case err != nil:
			return m.failed(ctx, err)
		case !more:
			m.failures, m.problem = 0, ""
			return max(attendEvery-time.Since(m.attendedAt), 0)
		}
	}
	return attendEvery
}

// attend says that this server is there and takes or renews the lease, where it is time for that.
func (m *Maintenance) attend(ctx context.Context) error {
	if m.failures == 0 && !m.attendDue() {
		return nil
	}
	m.attendedAt = time.Now()
	waiting, oldest := m.opts.Waiting()
	self := storage.Node{
		Name: m.opts.Node, JournalID: m.opts.JournalID(), Holder: m.holder, Version: m.opts.Version, Waiting: waiting, OldestWaiting: oldest,
	}
	nodes, err := m.opts.Store.Attend(ctx, self)
	if err != nil {
		return err
	}
	began := time.Now()
	l, held, err := m.opts.Store.TakeLease(ctx, leaseName, m.holder, leaseLasting)
	if err != nil {
		return err
	}
	m.failures = 0
	switch {
	case held:
		if !m.holds() {
			m.opts.Log.Info("this server does the maintenance now", "fence", l.Fence)
		}
		m.hold(l, began.Add(leaseLasting))
	default:
		m.drop()
	}
	m.note(nodes, self.JournalID, l.Holder)
	return nil
}

func (m *Maintenance) attendDue() bool {
	return m.attendedAt.IsZero() || time.Since(m.attendedAt) >= attendEvery
}

// note keeps what attending told.
func (m *Maintenance) note(nodes []storage.Node, journalID, leader string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Nodes, m.state.Leader = nodes, leader
	for _, n := range nodes {
		if n.Name == m.opts.Node && n.JournalID == journalID {
			m.state.At = n.SeenAt
			if m.state.Since == 0 {
				m.state.Since = n.SeenAt
			}
		}
	}
}

// holds says whether the lease is this process's, as far as can be known without asking.
func (m *Maintenance) holds() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Before(m.heldUntil)
}

// hold holds the lease until an instant.
func (m *Maintenance) hold(l storage.Lease, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lease, m.heldUntil = l, until
}

// drop stops holding the lease, which is another's or of no use any more.
func (m *Maintenance) drop() { m.hold(storage.Lease{}, time.Time{}) }

// failed takes note of a failure and gives how long to wait.
func (m *Maintenance) failed(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return attendEvery
	}
	if problem := err.Error(); problem != m.problem {
		m.problem = problem
		level := slog.LevelWarn
		if halley.KindOf(err) == halley.Unavailable {
			level = slog.LevelDebug // the recorder says that the database is away
		}
		m.opts.Log.Log(ctx, level, "the maintenance cannot go on for now", "err", err)
	}
	m.failures++
	return min(attendEvery<<min(m.failures-1, 8), longestWait)
}

// release gives the lease back at the end, so that another server need not wait for it to end.
func (m *Maintenance) release(ctx context.Context) {
	if !m.holds() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	defer cancel()
	if err := m.opts.Store.ReleaseLease(ctx, m.lease); err != nil {
		m.opts.Log.Debug("the lease on the maintenance ends by itself", "err", err)
	}
	m.drop()
}

func isLeaseLost(err error) bool {
	e, ok := errors.AsType[*halley.Error](err)
	return ok && e.Code == storage.CodeLeaseLost
}
