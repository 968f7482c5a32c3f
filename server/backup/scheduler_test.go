package backup_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/backup"
	"halley/storage"
)

// proofs keeps results in memory.
type proofs struct {
	mu   sync.Mutex
	list []storage.Proof // newest first
	err  error
}

func (p *proofs) AddProof(_ context.Context, r storage.Proof, _ halley.Change) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	p.list = slices.Insert(p.list, 0, r)
	return int64(len(p.list)), nil
}

func (p *proofs) Proofs(_ context.Context, kind storage.ProofKind, _ int64, _ int) ([]storage.Proof, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return nil, p.err
	}
	return slices.DeleteFunc(slices.Clone(p.list), func(r storage.Proof) bool { return r.Kind != kind }), nil
}

func (p *proofs) away(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// plan is a scheduler whose work is noted and not done.
type plan struct {
	*backup.Scheduler
	proofs
	began time.Time
	mu    sync.Mutex
	did   []string
	fail  error
}

// begin starts one at noon of a day in 2000, as time in a bubble is; what it did is told in hours since.
func begin(t *testing.T, change func(*backup.SchedulerOptions)) *plan {
	t.Helper()
	p := &plan{}
	time.Sleep(time.Until(time.Date(2000, 1, 1, 12, 0, 0, 0, time.Local))) //nolint:forbidigo // the bubble's clock
	p.began = time.Now()
	o := backup.SchedulerOptions{
		Node: "alpha", To: []string{"/backups"}, At: "02:00", DrillEvery: 7 * 24 * time.Hour, DrillOverdue: 30 * 24 * time.Hour,
		Backup: func(context.Context) []backup.Result {
			err := p.note("backup")
			r := backup.Result{Err: err, Summary: storage.BackupSummary{Name: "b", To: "/backups", EndAt: halley.MillisOf(time.Now())}}
			if err != nil {
				r.Summary.Problem = err.Error()
			}
			return []backup.Result{r}
		},
		Drill:  func(context.Context) backup.DrillResult { return backup.DrillResult{Err: p.note("drill")} },
		Proofs: &p.proofs, Log: slog.New(slog.DiscardHandler),
	}
	change(&o)
	var err error
	p.Scheduler, err = backup.NewScheduler(o)
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *plan) note(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.did = append(p.did, what+" +"+time.Since(p.began).Truncate(time.Minute).String())
	return p.fail
}

func (p *plan) failWith(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

// after lets time go by.
func after(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the bubble's clock
	synctest.Wait()
}

func (p *plan) check(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if diff := cmp.Diff(want, p.did); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

func TestBackupsAreMadeAtTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := begin(t, func(*backup.SchedulerOptions) {})
		after(50 * time.Hour)
		// The first at once, for nobody knows yet whether it works.
		p.check(t, "backup +5m0s", "drill +5m0s", "backup +14h0m0s", "backup +38h0m0s")
		st := p.State()
		if !st.Configured || !st.Known || !st.BackupOK || !st.DrillOK || st.Overdue || st.DrillOverdue || st.GoodAt == 0 || st.ProvenAt == 0 {
			t.Errorf("the state is %+v", st)
		}
	})
}

func TestAJournalFollowsTheDatabaseThatAnotherServerBacksUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := begin(t, func(o *backup.SchedulerOptions) { o.JournalOnly, o.DrillEvery = true, 0 })
		database := func() {
			_, err := p.AddProof(t.Context(), storage.Proof{
				At: halley.MillisOf(time.Now()), Node: "beta", Kind: storage.ProofBackup, OK: true, Summary: `{"name":"d","to":"/backups","last_batch":7}`,
			}, halley.Change{})
			must(t, err)
		}
		// It is noon: the backup of two o'clock was missed, and nobody has one of the database. After six hours it waits no longer.
		after(time.Hour)
		p.check(t, "backup +5m0s")
		// The next is due at two o'clock of the next day, after 14 hours. The database is ready an hour later.
		after(14*time.Hour - time.Minute)
		p.check(t, "backup +5m0s")
		database()
		after(11 * time.Minute)
		p.check(t, "backup +5m0s", "backup +15h0m0s")
		// The day after, the database's backup never comes.
		after(29 * time.Hour)
		p.check(t, "backup +5m0s", "backup +15h0m0s", "backup +44h0m0s")
	})
}

func TestABackupThatFailsIsTriedAgainAndToldWhenItIsOverdue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := begin(t, func(*backup.SchedulerOptions) {})
		after(time.Hour)
		p.failWith(errors.New("the share is away"))
		after(15*time.Hour + time.Minute)
		p.check(t, "backup +5m0s", "drill +5m0s", "backup +14h0m0s", "backup +15h0m0s", "backup +16h0m0s")
		if st := p.State(); st.BackupOK || st.Backup.Problem != "the share is away" || st.Overdue {
			t.Errorf("the state is %+v", st)
		}
		after(48 * time.Hour)
		if st := p.State(); !st.Overdue {
			t.Errorf("after two days the state is %+v", st)
		}
		p.failWith(nil)
		after(2 * time.Hour)
		if st := p.State(); st.Overdue || !st.BackupOK {
			t.Errorf("when it works again the state is %+v", st)
		}
	})
}

func TestADrillThatFailsIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := begin(t, func(o *backup.SchedulerOptions) {
			o.Drill = func(context.Context) backup.DrillResult { return backup.DrillResult{Err: errors.New("damaged")} }
			o.DrillOverdue = 3 * 24 * time.Hour
		})
		after(time.Hour)
		if st := p.State(); st.Drill == nil || st.DrillOK || st.DrillOverdue {
			t.Errorf("the state is %+v", st)
		}
		after(3 * 24 * time.Hour)
		if st := p.State(); !st.DrillOverdue || st.ProvenAt != 0 {
			t.Errorf("after three days the state is %+v", st)
		}
	})
}

func TestABackupIsMadeUpForWhenTheStoreIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := begin(t, func(*backup.SchedulerOptions) {})
		after(13*time.Hour + 59*time.Minute)
		p.away(&halley.Error{Kind: halley.Unavailable, Message: "away"})
		after(10 * time.Hour)
		p.away(nil)
		after(time.Hour)
		p.check(t, "backup +5m0s", "drill +5m0s", "backup +24h0m0s")
	})
}

func TestAResultIsKeptWhenTheStoreIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := begin(t, func(o *backup.SchedulerOptions) {
			write, kept := o.Backup, o.Proofs.(*proofs) //nolint:forcetypeassert // begin put it there
			o.Backup = func(ctx context.Context) []backup.Result {
				kept.away(&halley.Error{Kind: halley.Unavailable, Message: "away"})
				return write(ctx)
			}
		})
		after(time.Hour)
		p.away(nil)
		after(time.Hour)
		if st := p.State(); !st.BackupOK || st.BackupAt != halley.MillisOf(p.began.Add(5*time.Minute)) {
			t.Errorf("the state is %+v", st)
		}
	})
}

func TestWithoutAPlaceNothingIsDoneAndNothingIsWrong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := begin(t, func(o *backup.SchedulerOptions) { o.To = nil })
		after(60 * 24 * time.Hour)
		p.check(t)
		if st := p.State(); st.Configured || st.Overdue || st.DrillOverdue {
			t.Errorf("the state is %+v", st)
		}
	})
}

func TestATimeThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := backup.NewScheduler(backup.SchedulerOptions{At: "25:00"}); halley.KindOf(err) != halley.Invalid {
		t.Errorf("it says %v", err)
	}
}
