package clock_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/clock"
)

// year26 takes the clock of a bubble from 2000-01-01 to 2026-01-01.
const year26 = 9497 * 24 * time.Hour

// machine is a machine whose wall clock can be put forward and back, with a time source that may be silent.
type machine struct {
	mu     sync.Mutex
	ahead  time.Duration
	silent bool
	asked  int
	acts   []halley.AuditEntry
}

func (m *machine) wall() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(year26 + m.ahead)
}

func (m *machine) step(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead += by
}

func (m *machine) hush(silent bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent = silent
}

func (m *machine) ask(context.Context, string) (clock.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.silent {
		return clock.Answer{}, errors.New("no answer")
	}
	return clock.Answer{Offset: m.ahead, Stratum: 2}, nil
}

func (m *machine) note(_ context.Context, e halley.AuditEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.acts = append(m.acts, e)
	return nil
}

// noted gives what was noted since the last call: what, old and new.
func (m *machine) noted() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []string
	for _, e := range m.acts {
		list = append(list, e.What+" "+e.Old+" "+e.New)
	}
	m.acts = nil
	return list
}

// watch runs a Watch of m until the test ends.
func watch(t *testing.T, m *machine, source string) *clock.Watch {
	t.Helper()
	w := clock.New(clock.Options{
		Node: "node", Source: source, WarnAt: 2 * time.Second, Note: m.note, Ask: m.ask, Wall: m.wall, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watching: %v", err)
		}
	})
	return w
}

// pass lets time pass, and waits until all is done that it brings.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func checkNoted(t *testing.T, m *machine, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, m.noted()); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
}

func TestAJumpIsNotedAndASlowClockIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{}
		w := watch(t, m, "")
		for range 100 {
			m.step(time.Second) // each second two, but no jump beyond the bound
			pass(time.Second)
		}
		checkNoted(t, m)
		m.step(-time.Hour)
		pass(2 * time.Second)
		checkNoted(t, m, `clock.step {"at":"2026-01-01T00:03:21.000Z"} {"at":"2025-12-31T23:03:21.000Z","seconds":-3600,"steps":1}`)
		st := w.Standing()
		if st.State != clock.NotChecked || st.StepBy != -time.Hour || st.SteppedAt == 0 || st.Withheld() {
			t.Errorf("after a step without a time source: %+v", st)
		}
	})
}

func TestAStepToATimeThatCannotBeStoredIsNotedOnceTheClockIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{}
		watch(t, m, "")
		pass(time.Second)
		m.step(-40 * 365 * 24 * time.Hour)
		pass(time.Hour)
		checkNoted(t, m)
		m.step(40 * 365 * 24 * time.Hour)
		pass(2 * time.Second)
		checkNoted(t, m, `clock.step {"at":"2026-01-01T00:00:02.000Z"} {"at":"2026-01-01T01:00:02.000Z","seconds":0,"steps":2}`)
	})
}

func TestAClockThatJumpsAllTheTimeIsNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{}
		watch(t, m, "")
		for range 600 {
			m.step(time.Minute)
			pass(time.Second)
		}
		if n := len(m.noted()); n < 9 || n > 11 {
			t.Errorf("%d acts in ten minutes, want about ten", n)
		}
	})
}

func TestDriftIsNotedWhenItBeginsAndEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{}
		w := watch(t, m, "ntp.example")
		pass(time.Second)
		if st := w.Standing(); st.State != clock.OK || st.CheckedAt == 0 || st.Source != "ntp.example" {
			t.Errorf("at the start: %+v", st)
		}
		for range 3 { // three seconds, too slowly for a step
			m.step(time.Second)
			pass(time.Second)
		}
		pass(16 * time.Minute)
		checkNoted(t, m, `clock.drift {"state":"ok"} {"ahead_seconds":3,"bound_seconds":2,"source":"ntp.example","state":"wrong"}`)
		st := w.Standing()
		if st.State != clock.Wrong || st.Offset != 3*time.Second || !st.Withheld() {
			t.Errorf("while it is wrong: %+v", st)
		}
		m.hush(true)
		pass(time.Hour)
		if st = w.Standing(); st.State != clock.Wrong || st.Problem == "" {
			t.Errorf("a wrong clock whose source is silent: %+v", st)
		}
		m.hush(false)
		for range 3 {
			m.step(-time.Second)
			pass(time.Second)
		}
		pass(16 * time.Minute)
		checkNoted(t, m, `clock.drift {"state":"wrong"} {"ahead_seconds":0,"bound_seconds":2,"source":"ntp.example","state":"ok"}`)
	})
}

func TestAfterAStepTheSourceIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{}
		w := watch(t, m, "ntp.example")
		pass(time.Second)
		m.hush(true)
		m.step(time.Hour)
		pass(2 * time.Second)
		if st := w.Standing(); st.State != clock.Stepped || !st.Withheld() {
			t.Errorf("a stepped clock that could not be checked: %+v", st)
		}
		m.hush(false)
		pass(time.Minute)
		if st := w.Standing(); st.State != clock.Wrong {
			t.Errorf("after the check: %+v", st)
		}
		m.step(-time.Hour)
		pass(2 * time.Second)
		if st := w.Standing(); st.State != clock.OK {
			t.Errorf("after it was put right: %+v", st)
		}
	})
}

func TestASilentSourceIsAskedAgainSoonAndSaidSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{silent: true}
		w := watch(t, m, "ntp.example")
		pass(10*time.Minute + time.Second)
		m.mu.Lock()
		asked := m.asked
		m.mu.Unlock()
		if st := w.Standing(); st.State != clock.NoAnswer || st.Problem == "" || st.Withheld() || asked != 11 {
			t.Errorf("asked %d times, %+v", asked, st)
		}
	})
}
