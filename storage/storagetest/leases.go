package storagetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/storage"
)

func leaseTests() []test {
	return []test{
		{"a lease is one holder's until it ends", leaseHeld},
		{"a lease that was released goes to the next with a higher fence", leaseReleased},
		{"a lease that has ended goes to the next with a higher fence", leaseEnded},
		{"leases stand alone by their names", leaseNames},
		{"work under a lease that another has is refused and changes nothing", leaseLost},
		{"of many that race for a lease one gets it", leaseRace},
		{"a lease outlives the program that took it", leaseReopened},
		{"a lease that cannot be is refused", badLeases},
	}
}

// patience bounds loops that wait for the database's clock.
const patience = time.Minute

// take takes a lease and ends the test where that fails.
func take(t testing.TB, p *plot, name, holder string, lasting time.Duration) (storage.Lease, bool) {
	t.Helper()
	l, held, err := p.TakeLease(t.Context(), name, holder, lasting)
	must(t, "TakeLease", err)
	return l, held
}

// taken takes a lease that is free.
func taken(t testing.TB, p *plot, name, holder string, lasting time.Duration) storage.Lease {
	t.Helper()
	l, held := take(t, p, name, holder, lasting)
	if !held || l.Name != name || l.Holder != holder || l.Fence < 1 || !l.Until.Storable() {
		t.Fatalf("TakeLease(%q, %q) = %+v, %t; want it", name, holder, l, held)
	}
	return l
}

func leaseHeld(t *testing.T, p *plot) {
	name := p.name("work")
	l := taken(t, p, name, "a", time.Hour)
	for range 2 {
		other, held := take(t, p, name, "b", time.Hour)
		equal(t, "held by the second", false, held)
		equal(t, "the lease that the second sees", l, other)
	}
	again := taken(t, p, name, "a", 2*time.Hour)
	equal(t, "the fence of a lease that was renewed", l.Fence, again.Fence)
	if again.Until < l.Until+50*halley.Minute {
		t.Errorf("renewing for two hours moved the end from %v to %v", l.Until, again.Until)
	}
	other, held := take(t, p, name, "b", time.Hour)
	equal(t, "held by the second after renewing", false, held)
	equal(t, "the renewed lease that the second sees", again, other)
	must(t, "ReleaseLease of what another has", p.ReleaseLease(t.Context(), storage.Lease{Name: name, Holder: "b", Fence: l.Fence}))
	_, held = take(t, p, name, "b", time.Hour)
	equal(t, "held by the second after it released what it had not", false, held)
}

func leaseReleased(t *testing.T, p *plot) {
	name := p.name("work")
	a := taken(t, p, name, "a", time.Hour)
	must(t, "ReleaseLease", p.ReleaseLease(t.Context(), a))
	b := taken(t, p, name, "b", time.Hour)
	if b.Fence <= a.Fence {
		t.Errorf("the fence is %d after %d, want a higher one", b.Fence, a.Fence)
	}
	must(t, "ReleaseLease of a lease that was released", p.ReleaseLease(t.Context(), a))
	must(t, "ReleaseLease of no lease", p.ReleaseLease(t.Context(), storage.Lease{Name: p.name("none"), Holder: "a", Fence: 1}))
	_, held := take(t, p, name, "a", time.Hour)
	equal(t, "held by the first, which released its old lease again", false, held)
	must(t, "ReleaseLease", p.ReleaseLease(t.Context(), b))
	c := taken(t, p, name, "a", time.Hour)
	if c.Fence <= b.Fence {
		t.Errorf("the fence is %d after %d, want a higher one", c.Fence, b.Fence)
	}
	// What was the first's under an old fence is not what it has now.
	must(t, "ReleaseLease of the first's old lease", p.ReleaseLease(t.Context(), a))
	_, held = take(t, p, name, "b", time.Hour)
	equal(t, "held by the second after that", false, held)
}

// takeOver asks for a lease until it gets it.
func takeOver(ctx context.Context, p *plot, name, holder string, lasting time.Duration) (storage.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		l, held, err := p.TakeLease(ctx, name, holder, lasting)
		if err != nil || held {
			return l, err
		}
	}
}

func leaseEnded(t *testing.T, p *plot) {
	name := p.name("work")
	a := taken(t, p, name, "a", time.Millisecond)
	b, err := takeOver(t.Context(), p, name, "b", time.Millisecond)
	must(t, "taking a lease that ends", err)
	c, err := takeOver(t.Context(), p, name, "c", time.Hour)
	must(t, "taking a lease that ends", err)
	if b.Fence <= a.Fence || c.Fence <= b.Fence || b.Until < a.Until {
		t.Errorf("the leases were %+v, %+v and %+v, want higher fences and later ends", a, b, c)
	}
	must(t, "ReleaseLease of a lease that ended", p.ReleaseLease(t.Context(), a))
	_, held := take(t, p, name, "a", time.Hour)
	equal(t, "held by the first after its lease has ended", false, held)
}

func leaseNames(t *testing.T, p *plot) {
	names := []string{p.name("work"), p.name("Work"), " " + p.name("work"), p.name("wörk"), p.name("🥶")}
	for i, name := range names {
		taken(t, p, name, fmt.Sprintf("holder %d", i), time.Hour)
	}
	for i, name := range names {
		l, held := take(t, p, name, "nobody", time.Hour)
		equal(t, "held", false, held)
		equal(t, "holder", fmt.Sprintf("holder %d", i), l.Holder)
	}
	name := p.name("alike")
	taken(t, p, name, "a", time.Hour)
	for _, holder := range []string{"A", "a ", "á", "ａ"} {
		_, held := take(t, p, name, holder, time.Hour)
		equal(t, fmt.Sprintf("held by %q", holder), false, held)
	}
}

func leaseLost(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	for i := range halley.Millis(4) {
		f.Append(t, d.Upload(0, d.Message(Start+i*halley.Day, float64(i))))
	}
	name := p.name("work")
	mine := taken(t, p, name, "a", time.Hour)
	due, err := p.DaysDue(t.Context(), int64((Start+2*halley.Day)/halley.Day), 1000)
	must(t, "DaysDue", err)
	var days []storage.DayCount
	for _, x := range due {
		days = append(days, storage.DayCount{DeviceDay: x, Expected: 1440})
	}
	marks, err := p.RollUp(t.Context(), mine, 0)
	must(t, "RollUp of none", err)
	if marks == 0 || len(days) == 0 {
		t.Fatalf("there are %d marks and %d days, want some", marks, len(days))
	}
	refused := func(what string, l storage.Lease) {
		t.Helper()
		_, err := p.RollUp(t.Context(), l, 1000)
		wantCode(t, "RollUp "+what, err, halley.Conflict, storage.CodeLeaseLost)
		wantCode(t, "PutDays "+what, p.PutDays(t.Context(), l, days), halley.Conflict, storage.CodeLeaseLost)
	}
	must(t, "ReleaseLease", p.ReleaseLease(t.Context(), mine))
	theirs := taken(t, p, name, "b", time.Hour)
	refused("under the lease that another has by now", mine)
	refused("under the other's fence", storage.Lease{Name: name, Holder: "a", Fence: theirs.Fence, Until: theirs.Until})
	refused("under the other's name with the old fence", storage.Lease{Name: name, Holder: "b", Fence: mine.Fence, Until: theirs.Until})
	refused("under a lease that never was", storage.Lease{Name: p.name("none"), Holder: "b", Fence: theirs.Fence, Until: theirs.Until})
	must(t, "ReleaseLease", p.ReleaseLease(t.Context(), theirs))
	again := taken(t, p, name, "a", time.Hour)
	refused("under the old fence of a lease that came back", mine)
	left, err := p.RollUp(t.Context(), again, 0)
	must(t, "RollUp of none", err)
	equal(t, "marks after refusals", marks, left)
	rows, err := p.Days(t.Context(), p.device(t, 1), 0, 1<<40)
	must(t, "Days", err)
	equal(t, "days after refusals", []storage.DayCount{}, rows)
	left, err = p.RollUp(t.Context(), again, 1000)
	must(t, "RollUp under the lease", err)
	equal(t, "marks after rolling up", 0, left)
	must(t, "PutDays under the lease", p.PutDays(t.Context(), again, days))
}

func leaseRace(t *testing.T, p *plot) {
	const racers, rounds = 8, 4
	name := p.name("work")
	fence := int64(0)
	for range rounds {
		won := make(chan storage.Lease, racers)
		group, ctx := errgroup.WithContext(t.Context())
		for n := range racers {
			group.Go(func() error {
				l, held, err := p.TakeLease(ctx, name, fmt.Sprintf("racer %d", n), time.Hour)
				if held {
					won <- l
				}
				return err
			})
		}
		must(t, "racing", group.Wait())
		close(won)
		if len(won) != 1 {
			t.Fatalf("%d of %d racers got the lease, want one", len(won), racers)
		}
		l := <-won
		if l.Fence <= fence {
			t.Errorf("the fence is %d after %d, want a higher one", l.Fence, fence)
		}
		fence = l.Fence
		must(t, "ReleaseLease", p.ReleaseLease(t.Context(), l))
	}
}

func leaseReopened(t *testing.T, p *plot) {
	name := p.name("work")
	l := taken(t, p, name, "a", time.Hour)
	p.reopen(t)
	seen, held := take(t, p, name, "b", time.Hour)
	equal(t, "held by another after opening again", false, held)
	equal(t, "the lease after opening again", l, seen)
	again := taken(t, p, name, "a", time.Hour)
	equal(t, "the fence of a lease that was renewed", l.Fence, again.Fence)
}

func badLeases(t *testing.T, p *plot) {
	for name, c := range map[string]struct {
		name, holder string
		lasting      time.Duration
	}{
		"no name":             {"", "a", time.Hour},
		"no holder":           {p.name("work"), "", time.Hour},
		"no time":             {p.name("work"), "a", 0},
		"a time that is past": {p.name("work"), "a", -time.Hour},
		"a name with a NUL":   {"a\x00", "a", time.Hour},
	} {
		_, held, err := p.TakeLease(t.Context(), c.name, c.holder, c.lasting)
		wantKind(t, name, err, halley.Invalid)
		equal(t, "held", false, held)
	}
	taken(t, p, p.name("work"), "a", time.Hour)
}
