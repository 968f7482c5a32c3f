package main

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// awayAtLeast is how long the engine must have been away for the ratio of catching up to count: below it the ratio tells how soon
// the recorder asks again, not how fast it is.
const awayAtLeast = 5 * time.Minute

// TestSQLServerKilled kills the engine at random moments while devices of all families send, and now and then the server too.
// HALLEY_SQLSERVER_KILLS says how often; twice where it says nothing. It is not parallel: others would be cut off too.
func TestSQLServerKilled(t *testing.T) {
	e := controlled(t)
	kills := numberFrom(t, "HALLEY_SQLSERVER_KILLS", 2)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	s := newSite(t, e, "north").ready(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience+time.Duration(kills)*time.Minute)
	defer cancel()
	board := newBoard("")
	senders := calm(newSenders(16, board))
	crowd := atWork(ctx, senders)
	p, a := s.begin(ctx, t)
	board.set(p.devices)
	for kill := range kills {
		before := a.status(ctx, t)
		until(ctx, t, a, "further batches", func(s standing) bool { return s.Journal.Recorded > before.Journal.Recorded+200 })
		pause(ctx, time.Duration(random.Int64N(int64(time.Second))))
		e.control(t, "kill")
		away := untilState(ctx, t, a, "away")
		until(ctx, t, a, "further messages", func(s standing) bool { return s.Journal.Last > away.Journal.Last+100 })
		if kill%5 == 1 {
			// The server goes with it, and comes back first.
			board.set("")
			p.kill()
			p, a = s.serve(t)
			board.set(p.devices)
		}
		e.control(t, "start")
		untilState(ctx, t, a, "ok")
	}
	caughtUp(ctx, t, a)
	crowd.rest(t)
	a.flush(ctx, t)
	p.stop(t)
	o := s.account(t, senders)
	if o.acknowledged == 0 || o.missing != 0 || o.twice != 0 {
		t.Errorf("the moments came from the seed %d", seed)
	}
	t.Logf("engine kills=%d %v", kills, o)
}

// TestSQLServerStopped stops the engine for HALLEY_SQLSERVER_AWAY (20 s where it says nothing) while HALLEY_SQLSERVER_DEVICES
// devices (60) report each second, and measures how fast the recorder catches up: the length of the outage by how long it took
// from the first login that the engine takes until all of the outage is recorded. After an outage of five minutes or more it
// must be ten times as fast as the devices. It is not parallel: others would be cut off too.
func TestSQLServerStopped(t *testing.T) {
	e := controlled(t)
	lasting := 20 * time.Second
	if text := os.Getenv("HALLEY_SQLSERVER_AWAY"); text != "" {
		var err error
		if lasting, err = time.ParseDuration(text); err != nil || lasting < time.Second {
			t.Fatalf("HALLEY_SQLSERVER_AWAY=%q is no time such as 10m", text)
		}
	}
	devices := numberFrom(t, "HALLEY_SQLSERVER_DEVICES", 60)
	s := newSite(t, e, "north").ready(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience+2*lasting)
	defer cancel()
	p, a := s.begin(ctx, t)
	senders := newSenders(devices, newBoard(p.devices))
	for _, one := range senders {
		one.every = time.Second
	}
	crowd := atWork(ctx, senders)
	until(ctx, t, a, "a first batch", func(s standing) bool { return s.Journal.Recorded > uint64(devices) })
	e.control(t, "stop")
	began := time.Now()
	before := untilState(ctx, t, a, "away")
	pause(ctx, lasting)
	waiting := a.promptly(ctx, t)
	if waiting.Store.State != "away" || waiting.Store.Since == nil || !waiting.Store.Since.Equal(*before.Store.Since) {
		t.Errorf("the database is away since %v, and then %q since %v", before.Store.Since, waiting.Store.State, waiting.Store.Since)
	}
	e.control(t, "start")
	away := time.Since(began)
	back := time.Now()
	caughtUp(ctx, t, a)
	took := time.Since(back)
	crowd.rest(t)
	a.flush(ctx, t)
	p.stop(t)
	ratio := away.Seconds() / took.Seconds()
	if away >= awayAtLeast && ratio < 10 {
		t.Errorf("the recorder caught up %.1f times as fast as the devices sent, want 10 times", ratio)
	}
	o := s.account(t, senders)
	t.Logf("engine stopped=%.0fs devices=%d waiting=%d caught_up_in=%.1fs times_real_time=%.1f %v", away.Seconds(), devices,
		waiting.Journal.Last-waiting.Journal.Recorded, took.Seconds(), ratio, o)
}
