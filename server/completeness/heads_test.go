package completeness_test

import (
	"errors"
	"iter"
	"testing"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

// stored collects heads in a series, with variants where instants repeat.
func stored(heads iter.Seq2[storage.Head, error]) *series {
	s := &series{}
	for h := range heads {
		if n := len(s.heads); n > 0 && s.heads[n-1].MeasuredAt == h.MeasuredAt {
			h.Variant = s.heads[n-1].Variant + 1
		}
		s.heads = append(s.heads, h)
	}
	return s
}

func of(t *testing.T, s completeness.Series, p completeness.Period) completeness.Report {
	t.Helper()
	r, err := completeness.Of(t.Context(), s, 1, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPagesAreJoinedInsideAnInstant(t *testing.T) {
	t.Parallel()
	// Five messages out of turn follow each periodic one in the same instant, so that pages end inside of instants.
	s := stored(func(yield func(storage.Head, error) bool) {
		for i := range 6 * 700 {
			h := storage.Head{MeasuredAt: t0 + halley.Millis(i/6)*halley.Minute, Order: int64(i), Interval: 60}
			if i%6 != 0 {
				h.Kind = halley.Extra
			}
			if !yield(h, nil) {
				return
			}
		}
	})
	end := t0 + 700*halley.Minute
	r := of(t, s, completeness.Period{Family: halley.WiFi, From: t0, To: end, Now: end})
	if r.Received != 700 || r.Extra != 3500 || r.Missing != 0 || s.reads < 5 {
		t.Errorf("%+v after %d reads", r, s.reads)
	}
}

func TestReadingStopsBehindThePeriod(t *testing.T) {
	t.Parallel()
	for _, family := range []halley.Family{halley.WebSensor, halley.WiFi, halley.Modem} {
		s := stored(minutes(50_000, 0))
		r := of(t, s, completeness.Period{Family: family, From: t0, To: t0 + halley.Hour, Now: t0 + halley.Day})
		if r.Received != 60 || r.Missing != 0 || s.reads > 30 {
			t.Errorf("%s: %+v after %d reads", family, r, s.reads)
		}
	}
}

// A device that sends nothing but messages out of turn must not make the search for a periodic one endless.
func TestTheLookBehindThePeriodIsBounded(t *testing.T) {
	t.Parallel()
	s := stored(func(yield func(storage.Head, error) bool) {
		for i := range 50_000 {
			h := storage.Head{MeasuredAt: t0 + halley.Millis(i)*halley.Second, Order: int64(i), Interval: 60, Kind: halley.Extra}
			if i == 0 {
				h.Kind = halley.Periodic
			}
			if !yield(h, nil) {
				return
			}
		}
	})
	r := of(t, s, completeness.Period{Family: halley.WiFi, From: t0, To: t0 + 10*halley.Minute, Now: t0 + halley.Day})
	if r.Received != 1 || r.Missing != 9 || r.Extra != 599 || s.reads > 40 {
		t.Errorf("%+v after %d reads", r, s.reads)
	}
}

// The last message before the period must be found wherever it is, among many or alone.
func TestLookingBackFindsTheLastMessage(t *testing.T) {
	t.Parallel()
	from := t0 + 4000*halley.Day
	for name, heads := range map[string][]storage.Head{
		"a moment before":          {{MeasuredAt: from - 1, Interval: 60}},
		"a day before":             {{MeasuredAt: from - halley.Day, Interval: 60}},
		"a little more than a day": {{MeasuredAt: from - halley.Day - 1, Interval: 60}},
		"years before":             {{MeasuredAt: t0, Interval: 60}},
		"the first that there is":  {{MeasuredAt: halley.EarliestMillis, Interval: 60}},
	} {
		s := &series{heads: heads}
		r := of(t, s, completeness.Period{Family: halley.WebSensor, From: from, To: from + halley.Hour, Now: from + halley.Day})
		if r.Missing != 60 && r.Missing != 59 || s.reads > 60 {
			t.Errorf("%s: missing %d after %d reads", name, r.Missing, s.reads)
		}
	}
	s := stored(minutes(3*1440, 0))
	s.reads = 0
	r := of(t, s, completeness.Period{Family: halley.WiFi, From: from, To: from + halley.Hour, Now: from + halley.Day})
	if r.Missing != 60 || s.reads > 60 {
		t.Errorf("after a busy time: missing %d after %d reads", r.Missing, s.reads)
	}
}

func TestCountGivesAnErrorOfTheStream(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	_, err := completeness.Count(completeness.Period{Family: halley.WiFi, From: t0, To: t0 + halley.Day, Now: t0 + halley.Day},
		func(yield func(storage.Head, error) bool) {
			if yield(storage.Head{MeasuredAt: t0, Interval: 60}, nil) {
				yield(storage.Head{}, away)
			}
		})
	if !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
}

// Missing messages before and behind the period belong to other periods, however large the numbers are.
func TestAHugeGapIsSplitExactly(t *testing.T) {
	t.Parallel()
	// Ninety years of a message every ten seconds.
	first, last := halley.EarliestMillis, halley.EarliestMillis+90*365*halley.Day
	s := &series{heads: []storage.Head{{MeasuredAt: first, Interval: 10}, {MeasuredAt: last, Interval: 10}}}
	from := first + 40*365*halley.Day
	r := of(t, s, completeness.Period{Family: halley.WebSensor, From: from, To: from + halley.Day, Now: last})
	want := completeness.Gap{From: from, To: from + halley.Day, Messages: 8640, Cause: completeness.Unknown}
	if r.Missing != 8640 || len(r.Gaps) != 1 || r.Gaps[0] != want {
		t.Errorf("%+v, want %+v", r, want)
	}
	all := of(t, s, completeness.Period{Family: halley.WebSensor, From: first, To: last + 1, Now: last})
	if all.Missing != 90*365*8640-1 || all.Received != 2 {
		t.Errorf("in all: %+v", all)
	}
}
