package completeness_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	gocmp "github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

// daysStore is a store with days; every device has the same heads.
type daysStore struct {
	heads []storage.Head
	rows  []storage.DayCount
	asked atomic.Int64
}

func (s *daysStore) Heads(ctx context.Context, q storage.HeadQuery) ([]storage.Head, error) {
	s.asked.Add(1)
	return (&series{heads: s.heads}).Heads(ctx, q)
}

func (*daysStore) Tally(context.Context, halley.DeviceID, halley.Millis, halley.Millis) (duplicates, conflicts int64, err error) {
	return 0, 0, nil
}

func (s *daysStore) AllDays(_ context.Context, from, to int64, after halley.DeviceID, limit int) ([]storage.DayCount, error) {
	slices.SortFunc(s.rows, func(a, b storage.DayCount) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Device, b.Device))
	})
	var page []storage.DayCount
	for _, r := range s.rows {
		if r.Day >= from && r.Day < to && (r.Day > from || r.Device > after) && len(page) < limit {
			page = append(page, r)
		}
	}
	return page, nil
}

// today0 is the day of t0, which is today in these tests.
const today0 = int64(t0 / halley.Day)

func dayOf(device halley.DeviceID, ago, expected, missing int64) storage.DayCount {
	return storage.DayCount{
		DeviceDay: storage.DeviceDay{Device: device, Day: today0 - ago}, Expected: expected, Received: expected - missing, Missing: missing,
	}
}

func accepted(n int) []halley.Device {
	list := make([]halley.Device, n)
	for i := range list {
		list[i] = halley.Device{ID: halley.DeviceID(i + 1), DeviceKey: halley.DeviceKey{Family: halley.WiFi}, State: halley.DeviceAccepted}
	}
	return list
}

// summary gives the order and the sums of an overview.
func summary(list []completeness.DeviceDays) []string {
	var out []string
	for _, d := range list {
		s := fmt.Sprintf("%d: %d of %d missing,", d.Device.ID, d.Total.Missing, d.Total.Expected)
		parts := []string{s}
		for _, c := range d.Days {
			parts = append(parts, fmt.Sprintf("%d:%d/%d", c.Day-today0, c.Missing, c.Expected))
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

func TestAllDevicesAreListedWorstFirst(t *testing.T) {
	t.Parallel()
	s := &daysStore{rows: []storage.DayCount{
		dayOf(1, 3, 100, 1), dayOf(1, 2, 100, 1), dayOf(2, 3, 10, 2), dayOf(3, 2, 1000, 10), dayOf(4, 2, 100, 0), dayOf(6, 9, 100, 50),
		dayOf(99, 2, 100, 100),
	}}
	devices := accepted(7)
	devices[4].State, devices[6].State = halley.DeviceNew, halley.DeviceRetired
	got, err := completeness.NewOverview().Days(t.Context(), s, completeness.DaysQuery{
		From: today0 - 8, To: today0 - 1, Now: t0 + halley.Hour, Devices: devices,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"2: 2 of 10 missing, -3:2/10", "3: 10 of 1000 missing, -2:10/1000", "1: 2 of 200 missing, -3:1/100 -2:1/100", "4: 0 of 100 missing, -2:0/100",
	}
	if diff := gocmp.Diff(want, summary(got)); diff != "" || s.asked.Load() != 0 {
		t.Errorf("%d reads of messages (-want +got)\n%s", s.asked.Load(), diff)
	}
}

// An hour of today, and yesterday where the store has no row of it yet, are counted as they stand; both serve again for a minute.
func TestTodayIsCountedAndRemembered(t *testing.T) {
	t.Parallel()
	s := &daysStore{rows: []storage.DayCount{dayOf(1, 2, 50, 0), dayOf(1, 1, 50, 5), dayOf(2, 2, 50, 0), dayOf(3, 2, 50, 0)}}
	for n := -1440; n < 60; n++ {
		if n != 10 && n != -10 {
			s.heads = append(s.heads, head{at: 60 * n, order: 5000 + n}.storage())
		}
	}
	devices := accepted(3)
	devices[2].State = halley.DeviceSuspended
	o := completeness.NewOverview()
	ask := func(now halley.Millis, want ...string) (reads int64) {
		t.Helper()
		before := s.asked.Load()
		got, err := o.Days(t.Context(), s, completeness.DaysQuery{From: today0 - 5, To: today0 + 5, Now: now, Devices: devices})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, summary(got)); diff != "" {
			t.Errorf("at %s (-want +got)\n%s", now, diff)
		}
		return s.asked.Load() - before
	}
	now := t0 + halley.Hour
	want := []string{
		"1: 6 of 160 missing, -2:0/50 -1:5/50 0:1/60", "2: 2 of 1550 missing, -2:0/50 -1:1/1440 0:1/60", "3: 0 of 50 missing, -2:0/50",
	}
	if ask(now, want...) == 0 {
		t.Error("today was not counted")
	}
	s.heads = append(s.heads, head{at: 3600, order: 5060}.storage())
	if n := ask(now+59*halley.Second, want...); n != 0 {
		t.Errorf("%d reads within a minute, want none", n)
	}
	if n := ask(now+60*halley.Second,
		"1: 6 of 161 missing, -2:0/50 -1:5/50 0:1/61", "2: 2 of 1551 missing, -2:0/50 -1:1/1440 0:1/61", "3: 0 of 50 missing, -2:0/50"); n == 0 {
		t.Error("a minute later today was not counted again")
	}
}

func TestManyDaysAreReadInPages(t *testing.T) {
	t.Parallel()
	s := &daysStore{}
	const devices, days = 300, 31
	for d := range devices {
		for ago := range days {
			s.rows = append(s.rows, dayOf(halley.DeviceID(d+1), int64(ago)+2, 10, int64(d%7)))
		}
	}
	got, err := completeness.NewOverview().Days(t.Context(), s, completeness.DaysQuery{
		From: today0 - 100, To: today0 - 1, Now: t0, Devices: accepted(devices),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != devices {
		t.Fatalf("%d devices, want %d", len(got), devices)
	}
	for i, d := range got {
		if len(d.Days) != days || d.Total.Expected != 10*days || i > 0 && d.Total.Missing > got[i-1].Total.Missing {
			t.Fatalf("device %d: %d days, %+v", d.Device.ID, len(d.Days), d.Total)
		}
	}
}

// A store that takes too long for today must not take the days before with it, and what was counted before is told again.
func TestTodayIsLeftOutWhereItTakesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &stuckStore{daysStore: daysStore{rows: []storage.DayCount{dayOf(1, 2, 50, 1), dayOf(1, 1, 50, 0), dayOf(2, 2, 50, 0), dayOf(2, 1, 50, 0)}}}
		for n := range 60 {
			s.heads = append(s.heads, head{at: 60 * n, order: n}.storage())
		}
		o := completeness.NewOverview()
		ask := func(now halley.Millis, want ...string) {
			t.Helper()
			got, err := o.Days(t.Context(), s, completeness.DaysQuery{From: today0 - 5, To: today0 + 1, Now: now, Devices: accepted(2)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(want, summary(got)); diff != "" {
				t.Errorf("at %s (-want +got)\n%s", now, diff)
			}
		}
		s.stuck = 2
		now := t0 + halley.Hour
		ask(now, "1: 1 of 160 missing, -2:1/50 -1:0/50 0:0/60", "2: 0 of 100 missing, -2:0/50 -1:0/50")
		s.stuck = 1
		ask(now+halley.Hour, "2: 60 of 220 missing, -2:0/50 -1:0/50 0:60/120", "1: 1 of 160 missing, -2:1/50 -1:0/50 0:0/60")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := o.Days(ctx, s, completeness.DaysQuery{From: today0 - 5, To: today0 + 1, Now: now + 3*halley.Hour, Devices: accepted(2)})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a caller who does not wait: %v", err)
		}
	})
}

// stuckStore does not answer for one device.
type stuckStore struct {
	daysStore
	stuck halley.DeviceID
}

func (s *stuckStore) Heads(ctx context.Context, q storage.HeadQuery) ([]storage.Head, error) {
	if q.Device == s.stuck {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.daysStore.Heads(ctx, q)
}
