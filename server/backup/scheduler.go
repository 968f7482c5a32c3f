package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"halley"
	"halley/config"
	"halley/storage"
)

const (
	// settleFor is how long after the start the first work begins: a server that starts has other things to do.
	settleFor = 5 * time.Minute
	// retryAfter is how long a backup that failed waits for the next try, at most until it is due again.
	retryAfter = time.Hour
	// lookEvery is how often the kept results are read: commands make backups too.
	lookEvery = 10 * time.Minute
	// overdueAfter is how old the newest good backup may be.
	overdueAfter = 48 * time.Hour
	// retryDrillAfter is how long a drill that failed waits, at most until it is due.
	retryDrillAfter = 24 * time.Hour
	// databaseWithin is how long a backup of the journal alone waits for one of the database by another server.
	databaseWithin = 6 * time.Hour
	// resultsRead is how many results of each kind are looked at.
	resultsRead = 200
)

// SchedulerOptions say when what is done.
type SchedulerOptions struct {
	// Node is this server's name.
	Node string
	// To are the places as configured, as Target.String gives them; none where no backup is configured.
	To []string
	// At is the time of day, "15:04" in the zone of this machine.
	At string
	// JournalOnly says that another server backs up the database: the journal follows when that has ended, so that the two together
	// lack nothing. It does not wait for ever.
	JournalOnly bool
	// DrillEvery is how often the restore is tried, 0 for never; DrillOverdue how old the last good trial may be.
	DrillEvery, DrillOverdue time.Duration
	// Backup makes a backup at all places, Drill tries the newest.
	Backup func(ctx context.Context) []Result
	Drill  func(ctx context.Context) DrillResult
	// Proofs keeps the results. Its calls must not hang.
	Proofs storage.Proofs
	Log    *slog.Logger
}

// State is how backups stand, as far as is known.
type State struct {
	// Configured says that there is a place for backups. Known says that the results could be read since the start.
	Configured, Known bool
	// Backup is the newest result, the worst where there are several places; nil where there is none. BackupAt is when it was.
	Backup   *storage.BackupSummary
	BackupAt halley.Millis
	BackupOK bool
	// GoodAt is when the newest backup ended that every place holds; 0 for never. Overdue says that this is too long ago.
	GoodAt  halley.Millis
	Overdue bool
	// Drill is the newest trial; nil where there is none. DrillAt is when it was, ProvenAt when the last good one was.
	Drill        *storage.DrillSummary
	DrillAt      halley.Millis
	DrillOK      bool
	ProvenAt     halley.Millis
	DrillOverdue bool
	// Working is "backup" or "drill" while it goes on.
	Working string
}

// Scheduler makes backups and drills at their times. Run is called once; the other methods may be called at any time.
type Scheduler struct {
	opts      SchedulerOptions
	daily     config.TimeOfDay
	startedAt time.Time

	mu      sync.Mutex
	known   bool
	backups []result[storage.BackupSummary] // newest first
	drills  []result[storage.DrillSummary]
	working string
	// database is when a server last kept a good backup of the database; it counts under JournalOnly alone.
	database time.Time

	// What follows is for Run alone: results that could not be kept yet.
	pending []func(ctx context.Context) error
	// tried is when a backup, and a drill, was tried last in this process.
	triedBackup, triedDrill time.Time
}

// result is a kept result.
type result[S any] struct {
	at      time.Time
	ok      bool
	summary S
}

// NewScheduler makes a Scheduler.
func NewScheduler(o SchedulerOptions) (*Scheduler, error) {
	s := &Scheduler{opts: o, startedAt: time.Now()}
	var ok bool
	if s.daily, ok = config.ParseTimeOfDay(o.At); !ok {
		return nil, &halley.Error{Kind: halley.Invalid, Op: "schedule backups", Field: "backup.at", Message: `write a time of day, such as "02:00"`}
	}
	return s, nil
}

// Run works until ctx ends.
func (s *Scheduler) Run(ctx context.Context) error {
	if len(s.opts.To) == 0 {
		<-ctx.Done()
		return nil
	}
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		s.keep(ctx)
		if s.look(ctx) {
			s.work(ctx)
		}
		t.Reset(s.pause(time.Now()))
	}
}

// pause is how long to wait: until something is due, and not much longer than the results may be out of date.
func (s *Scheduler) pause(now time.Time) time.Duration {
	wait := min(lookEvery, s.daily.Next(now).Sub(now))
	if begin := s.startedAt.Add(settleFor).Sub(now); begin > 0 {
		wait = min(wait, begin)
	}
	return max(wait, time.Second)
}

// look reads the kept results, and says whether it could.
func (s *Scheduler) look(ctx context.Context) bool {
	err := s.read(ctx)
	if err != nil && ctx.Err() == nil && halley.KindOf(err) != halley.Unavailable { // the recorder says that the store is away
		s.opts.Log.Warn("the results of backups cannot be read for now", "err", err)
	}
	return err == nil
}

func (s *Scheduler) read(ctx context.Context) error {
	kept, err := s.opts.Proofs.Proofs(ctx, storage.ProofBackup, 0, resultsRead)
	if err != nil {
		return fmt.Errorf("reading the results of backups: %w", err)
	}
	trials, err := s.opts.Proofs.Proofs(ctx, storage.ProofDrill, 0, resultsRead)
	if err != nil {
		return fmt.Errorf("reading the results of drills: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backups, s.drills = results[storage.BackupSummary](kept, s.opts.Node), results[storage.DrillSummary](trials, s.opts.Node)
	s.database, s.known = databaseBackup(kept), true
	return nil
}

// databaseBackup gives when a good backup of the database was kept last, by whichever server; zero for never.
func databaseBackup(kept []storage.Proof) time.Time {
	for i := range kept {
		var sum storage.BackupSummary
		// A backup of a journal alone knows of no batches.
		if kept[i].OK && json.Unmarshal([]byte(kept[i].Summary), &sum) == nil && sum.LastBatch > 0 {
			return kept[i].At.Time()
		}
	}
	return time.Time{}
}

// results gives those that a node kept.
func results[S any](kept []storage.Proof, node string) []result[S] {
	var out []result[S]
	for i := range kept {
		r := result[S]{at: kept[i].At.Time(), ok: kept[i].OK}
		if kept[i].Node == node && json.Unmarshal([]byte(kept[i].Summary), &r.summary) == nil {
			out = append(out, r)
		}
	}
	return out
}

// work does what is due.
func (s *Scheduler) work(ctx context.Context) {
	if now := time.Now(); s.backupDue(now) {
		s.triedBackup = now
		s.begin("backup")
		for _, r := range s.opts.Backup(ctx) {
			s.tell(ctx, &r)
		}
		s.begin("")
		s.keep(ctx)
		s.look(ctx)
	}
	if now := time.Now(); ctx.Err() == nil && s.drillDue(now) {
		s.triedDrill = now
		s.begin("drill")
		r := s.opts.Drill(ctx)
		s.tellDrill(ctx, &r)
		s.begin("")
	}
	s.keep(ctx)
	s.look(ctx)
}

func (s *Scheduler) begin(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working = what
}

// backupDue says whether a backup is to be made now: it is its time or that was missed, and the last try is not just over.
func (s *Scheduler) backupDue(now time.Time) bool {
	if now.Sub(s.startedAt) < settleFor && !s.daily.Last(now).After(s.startedAt) {
		return false
	}
	due := s.daily.Last(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	tried, before := s.triedBackup, now
	all := true
	for _, to := range s.opts.To {
		last, good := newest(s.backups, to)
		if last.After(tried) {
			tried = last
		}
		all = all && !good.Before(due)
		if good.Before(before) {
			before = good
		}
	}
	if s.opts.JournalOnly && !s.database.After(before) && now.Sub(due) < databaseWithin {
		return false
	}
	return !all && (tried.Before(due) || now.Sub(tried) >= retryAfter)
}

// newest gives when the newest backup at a place was tried, and when the newest good one was made; zero for never.
func newest(list []result[storage.BackupSummary], to string) (tried, good time.Time) {
	for i := range list {
		if r := &list[i]; r.summary.To == to {
			if r.at.After(tried) {
				tried = r.at
			}
			if r.ok && r.at.After(good) {
				good = r.at
			}
		}
	}
	return tried, good
}

// drillDue says whether a restore is to be tried now: there is something to try, and the last trial is long enough ago.
func (s *Scheduler) drillDue(now time.Time) bool {
	if s.opts.DrillEvery <= 0 || now.Sub(s.startedAt) < settleFor {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.backups, func(r result[storage.BackupSummary]) bool { return r.ok }) {
		return false
	}
	every, last := s.opts.DrillEvery, s.triedDrill
	if len(s.drills) > 0 {
		if s.drills[0].at.After(last) {
			last = s.drills[0].at
		}
		if !s.drills[0].ok {
			every = min(every, retryDrillAfter)
		}
	}
	return last.IsZero() || now.Sub(last) >= every
}

// tell keeps the result of a backup, unless it was the stop of the server that broke it off.
func (s *Scheduler) tell(ctx context.Context, r *Result) {
	if ctx.Err() != nil {
		return
	}
	sum := &r.Summary
	switch {
	case r.Err != nil:
		s.opts.Log.Error("a backup failed", "to", sum.To, "problem", sum.Problem, "err", r.Err)
	case r.Warning != "":
		s.opts.Log.Warn("a backup was made", "backup", sum.Name, "to", sum.To, "bytes", sum.Bytes, "millis", sum.Millis, "warning", r.Warning)
	default:
		s.opts.Log.Info("a backup was made", "backup", sum.Name, "to", sum.To, "bytes", sum.Bytes, "millis", sum.Millis, "removed", len(r.Removed))
	}
	c, kept := s.change("scheduled backup"), *r
	s.pending = append(s.pending, func(ctx context.Context) error { return kept.Note(ctx, s.opts.Proofs, s.opts.Node, c) })
}

func (s *Scheduler) tellDrill(ctx context.Context, r *DrillResult) {
	if ctx.Err() != nil {
		return
	}
	if r.Err != nil {
		s.opts.Log.Error("the restore of a backup is not proven", "backup", r.Summary.Backup, "problem", r.Summary.Problem, "err", r.Err)
	} else {
		s.opts.Log.Info("the restore of a backup is proven", "backup", r.Summary.Backup, "samples", r.Summary.Samples, "millis", r.Summary.Millis)
	}
	c, kept := s.change("scheduled drill"), *r
	s.pending = append(s.pending, func(ctx context.Context) error { return kept.Note(ctx, s.opts.Proofs, s.opts.Node, c) })
}

func (s *Scheduler) change(why string) halley.Change {
	return halley.Change{Actor: halley.Actor{Kind: "server", Name: s.opts.Node}, At: halley.MillisOf(time.Now()), Why: why}
}

// keep keeps the results that could not be kept yet, in their order.
func (s *Scheduler) keep(ctx context.Context) {
	for len(s.pending) > 0 {
		switch err := s.pending[0](ctx); {
		case err == nil:
		case halley.KindOf(err) == halley.Invalid:
			// Trying it again would keep back all that are behind it.
			s.opts.Log.Error("the result of a backup cannot be kept", "err", err)
		default:
			if ctx.Err() == nil {
				s.opts.Log.Warn("the result of a backup cannot be kept for now; it is tried again", "err", err)
			}
			return
		}
		s.pending = s.pending[1:]
	}
}

// State gives how backups stand now. It never waits.
func (s *Scheduler) State() State {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{Configured: len(s.opts.To) > 0, Known: s.known, Working: s.working}
	s.backupState(&st, now)
	s.drillState(&st, now)
	return st
}

func (s *Scheduler) backupState(st *State, now time.Time) {
	if len(s.backups) > 0 {
		worst := &s.backups[0]
		for i := range s.backups {
			// Those of one run follow each other; of several places the one that failed counts.
			if r := &s.backups[i]; r.summary.EndAt == worst.summary.EndAt && r.summary.Name == worst.summary.Name && !r.ok {
				worst = r
			}
		}
		for _, to := range s.opts.To {
			if i := slices.IndexFunc(s.backups, func(r result[storage.BackupSummary]) bool { return r.summary.To == to }); i >= 0 && !s.backups[i].ok {
				worst = &s.backups[i]
			}
		}
		sum := worst.summary
		st.Backup, st.BackupAt, st.BackupOK = &sum, halley.MillisOf(worst.at), worst.ok
	}
	oldest := now
	for _, to := range s.opts.To {
		if _, good := newest(s.backups, to); good.Before(oldest) {
			oldest = good
		}
	}
	if st.Configured && !oldest.IsZero() {
		st.GoodAt = halley.MillisOf(oldest)
	}
	// A server that has just been told to make backups has until then.
	since := s.startedAt
	if oldest.After(since) || !oldest.IsZero() {
		since = oldest
	}
	st.Overdue = st.Configured && s.known && now.Sub(since) > overdueAfter
}

func (s *Scheduler) drillState(st *State, now time.Time) {
	if len(s.drills) > 0 {
		sum := s.drills[0].summary
		st.Drill, st.DrillAt, st.DrillOK = &sum, halley.MillisOf(s.drills[0].at), s.drills[0].ok
	}
	since := s.startedAt
	for i := range s.backups {
		if s.backups[i].ok && s.backups[i].at.Before(since) {
			since = s.backups[i].at // the oldest that is known: so long a restore could have been proven
		}
	}
	if i := slices.IndexFunc(s.drills, func(r result[storage.DrillSummary]) bool { return r.ok }); i >= 0 {
		since = s.drills[i].at
		st.ProvenAt = halley.MillisOf(since)
	}
	st.DrillOverdue = st.Configured && s.known && s.opts.DrillOverdue > 0 && now.Sub(since) > s.opts.DrillOverdue
}
