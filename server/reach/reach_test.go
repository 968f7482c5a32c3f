package reach_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"halley"
	"halley/server/outagetest"
	"halley/server/reach"
	"halley/storage"
)

// answering is a store that answers what the tests ask.
type answering struct{ storage.Store }

func (answering) RegistryVersion(context.Context) (int64, error) { return 7, nil }

func (answering) Device(_ context.Context, id halley.DeviceID) (halley.Device, error) {
	if id == 0 {
		panic("there is no device 0")
	}
	return halley.Device{}, &halley.Error{Kind: halley.NotFound, Op: "find a device"}
}

func (answering) NoteAudit(context.Context, halley.AuditEntry) error { return nil }

func (answering) Info(context.Context) (storage.Info, error) { return storage.Info{Kind: "fake"}, nil }

func (answering) Close() error { return nil }

// rig is a gate before a database that can be away.
type rig struct {
	*reach.Gate
	database *outagetest.Store
	mu       sync.Mutex
	recorder reach.Standing
	backs    int
}

func newRig() *rig {
	r := &rig{database: outagetest.New(answering{}), recorder: reach.Standing{State: storage.OK}}
	r.Gate = reach.New(r.database, func() reach.Standing {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.recorder
	}, func() { r.backs++ })
	return r
}

// found sets how the recorder finds the database.
func (r *rig) found(s reach.Standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recorder = s
}

// probe asks as the registry does.
func (r *rig) probe(t *testing.T) error {
	t.Helper()
	_, err := r.Probing(5 * time.Second).RegistryVersion(t.Context())
	return err
}

// ask asks on behalf of a person.
func (r *rig) ask(t *testing.T) error {
	t.Helper()
	_, err := r.Within(5*time.Second).Device(t.Context(), 1)
	return err
}

// wantAway wants the error of a database that is away, with part of its text.
func wantAway(t *testing.T, err error, text string) {
	t.Helper()
	e, ok := errors.AsType[*halley.Error](err)
	if !ok || e.Kind != halley.Unavailable || e.Code != reach.CodeAway || !strings.Contains(e.Message, text) {
		t.Errorf("error: %v, want one of a database that is away with %q", err, text)
	}
}

// pass lets fake time pass.
func pass(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	<-t.C
}

func TestACallGoesThrough(t *testing.T) {
	t.Parallel()
	r := newRig()
	if v, err := r.Within(time.Second).RegistryVersion(t.Context()); v != 7 || err != nil {
		t.Errorf("RegistryVersion = %d, %v", v, err)
	}
	if err := r.ask(t); halley.KindOf(err) != halley.NotFound {
		t.Errorf("a device that is not there: %v", err)
	}
}

func TestAnAwayDatabaseIsNotAskedAndNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.database.Set(outagetest.Held)
		began := halley.MillisOf(time.Now())
		if err := r.probe(t); halley.KindOf(err) != halley.Unavailable {
			t.Errorf("a probe of a database that hangs: %v", err)
		}
		if got := time.Since(began.Time()); got != 5*time.Second {
			t.Errorf("the probe took %v, want its bound", got)
		}
		if s := r.Standing(); s.State != storage.Away || s.Since != began || s.Problem == "" {
			t.Errorf("standing: %+v", s)
		}
		before, calls := time.Now(), r.database.Calls("Device")
		wantAway(t, r.ask(t), "away since "+began.Time().Format("15:04 UTC")+": live values go on")
		if time.Since(before) != 0 || r.database.Calls("Device") != calls || r.Reachable() {
			t.Error("a database that is known to be away was asked or waited for")
		}
		pass(13 * time.Hour)
		wantAway(t, r.ask(t), "away since "+began.Time().Format("2006-01-02 15:04 UTC"))

		r.database.Set(outagetest.There)
		if err := r.probe(t); err != nil {
			t.Fatal(err)
		}
		if err := r.ask(t); halley.KindOf(err) != halley.NotFound || r.backs != 1 || !r.Reachable() {
			t.Errorf("after the database answered: %v, told %d times", err, r.backs)
		}
	})
}

func TestACallThatHangsEndsAtItsBound(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]outagetest.Mode{"obeys its context": outagetest.Held, "does not": outagetest.Stuck} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig()
				r.database.Set(mode)
				began := time.Now()
				wantAway(t, r.ask(t), "does not answer in time")
				if took := time.Since(began); took < 5*time.Second || took > 6*time.Second {
					t.Errorf("the call took %v, want 5 s or little more", took)
				}
				// One slow question does not make the database away.
				if s := r.Standing(); s.State != storage.OK {
					t.Errorf("standing: %+v", s)
				}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				began = time.Now()
				if _, err := r.Asking(0).Device(ctx, 1); !errors.Is(err, context.Canceled) || time.Since(began) > 2*time.Second {
					t.Errorf("a call whose caller went: %v after %v", err, time.Since(began))
				}
				r.database.Set(outagetest.There) // ends what was left behind
			})
		})
	}
}

func TestCallsThatHangAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.database.Set(outagetest.Stuck)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { wantAway(t, r.ask(t), "does not answer in time") })
			all.Wait()
		}
		if got := r.database.Calls("Device"); got != 32 {
			t.Errorf("%d calls hang in the driver, want 32", got)
		}
		r.database.Set(outagetest.There)
		synctest.Wait()
		if err := r.ask(t); halley.KindOf(err) != halley.NotFound {
			t.Errorf("after the calls ended: %v", err)
		}
	})
}

func TestWhatTheRecorderFinds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		recorder reach.Standing
		probes   bool // the database answers the probe afterwards
		asked    bool // people's calls are made
		noted    bool // and those that write
	}{
		"away":                                 {reach.Standing{State: storage.Away}, false, false, false},
		"away, but it answers":                 {reach.Standing{State: storage.Away}, true, true, true},
		"read-only is the store's to say":      {reach.Standing{State: storage.ReadOnly}, false, true, true},
		"full is the store's to say too":       {reach.Standing{State: storage.Full}, false, true, true},
		"well, with a problem of this machine": {reach.Standing{State: storage.OK, Problem: "The journal cannot be read."}, false, true, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig()
				tt.recorder.Since = halley.MillisOf(time.Now())
				r.found(tt.recorder)
				pass(time.Second)
				if tt.probes {
					if err := r.probe(t); err != nil {
						t.Fatal(err)
					}
				}
				if asked := halley.KindOf(r.ask(t)) == halley.NotFound; asked != tt.asked {
					t.Errorf("a call was made: %v, want %v", asked, tt.asked)
				}
				if noted := r.Within(time.Second).NoteAudit(t.Context(), halley.AuditEntry{}) == nil; noted != tt.noted {
					t.Errorf("a call that writes was made: %v, want %v", noted, tt.noted)
				}
				if s := r.Standing(); s != tt.recorder {
					t.Errorf("standing %+v, want the recorder's %+v", s, tt.recorder)
				}
			})
		})
	}
}

func TestOneTimeAwayHasOneBeginning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.database.Set(outagetest.Refused)
		if err := r.probe(t); err == nil {
			t.Fatal("a probe of a database that is away succeeded")
		}
		first := r.Standing()
		pass(time.Minute)
		r.found(reach.Standing{State: storage.Away, Since: halley.MillisOf(time.Now()), Problem: "It is gone."})
		if s := r.Standing(); s.Since != first.Since || s.Problem != "It is gone." {
			t.Errorf("standing %+v, first %+v", s, first)
		}
		r.found(reach.Standing{State: storage.OK})
		r.database.Set(outagetest.There)
		if err := r.probe(t); err != nil || r.Standing().State != storage.OK {
			t.Errorf("back: %v, %+v", err, r.Standing())
		}
	})
}

func TestOneCallThatFailsDoesNotMakeTheDatabaseAway(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.database.Set(outagetest.Full)
	err := r.Within(time.Second).NoteAudit(t.Context(), halley.AuditEntry{})
	if e, ok := errors.AsType[*halley.Error](err); !ok || e.Code != storage.CodeFull {
		t.Errorf("a store that is full: %v, want its own words", err)
	}
	r.database.Set(outagetest.Refused)
	wantAway(t, r.Within(time.Second).NoteAudit(t.Context(), halley.AuditEntry{}), "the database server refused the connection: live values go on")
	if s := r.Standing(); s.State != storage.OK {
		t.Errorf("standing after one call: %+v", s)
	}
}

func TestInfoSaysNothingOfHowTheDatabaseStands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.database.Set(outagetest.Refused)
		_ = r.probe(t)
		pass(time.Second)
		if i, err := r.Within(time.Second).Info(t.Context()); err != nil || i.Kind != "fake" {
			t.Errorf("Info = %+v, %v", i, err)
		}
		if r.Reachable() || r.backs != 0 {
			t.Error("a database that is away counts as back because the store remembers what it is")
		}
	})
}

func TestAPanicOfTheStoreReachesItsCaller(t *testing.T) {
	t.Parallel()
	defer func() {
		if p, ok := recover().(string); !ok || !strings.Contains(p, "there is no device 0") || !strings.Contains(p, "reach_test.go") {
			t.Errorf("the panic: %v", p)
		}
	}()
	_, _ = newRig().Within(time.Second).Device(t.Context(), 0)
}

func TestCloseDoesNotWaitForCallsThatHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		if closed, err := r.Close(time.Second); !closed || err != nil {
			t.Errorf("closing: %v, %v", closed, err)
		}
		r.database.Set(outagetest.Stuck)
		began := time.Now()
		if closed, err := r.Close(time.Second); closed || err != nil || time.Since(began) != time.Second {
			t.Errorf("closing one that hangs: %v, %v after %v", closed, err, time.Since(began))
		}
		r.database.Set(outagetest.There)
	})
}
