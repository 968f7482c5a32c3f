package completeness_test

import (
	"iter"
	"testing"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

// minutes gives one-minute heads without keeping them: of each hundred the first lose numbers and are not there.
func minutes(n, lose int) iter.Seq2[storage.Head, error] {
	return func(yield func(storage.Head, error) bool) {
		for i := range n {
			if i%100 >= lose && !yield(storage.Head{MeasuredAt: t0 + halley.Millis(i)*halley.Minute, Order: int64(i), Interval: 60}, nil) {
				return
			}
		}
	}
}

const yearOfMinutes = 365 * 24 * 60

func year(t *testing.T, family halley.Family, lose int) completeness.Report {
	t.Helper()
	end := t0 + yearOfMinutes*halley.Minute
	r, err := completeness.Count(completeness.Period{Family: family, From: t0, To: end, Now: end}, minutes(yearOfMinutes, lose))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A year of one-minute messages must take no more memory than a few: the number of allocations is bounded, whatever is read.
func TestAYearIsCountedInFlatMemory(t *testing.T) {
	for _, family := range []halley.Family{halley.WebSensor, halley.WiFi, halley.Modem} {
		allocations := testing.AllocsPerRun(1, func() {
			if r := year(t, family, 0); r.Received != yearOfMinutes || r.Missing != 0 {
				t.Errorf("%s: %+v", family, r)
			}
		})
		if allocations > 50 {
			t.Errorf("%s: %v allocations for a year", family, allocations)
		}
	}
}

func TestGapsAreBoundedAndKeepTheirSums(t *testing.T) {
	t.Parallel()
	for _, family := range []halley.Family{halley.WebSensor, halley.WiFi, halley.Modem} {
		r := year(t, family, 7)
		// The first seven of the year are before the first message and not expected.
		want := int64(yearOfMinutes/100*7 + 0)
		if yearOfMinutes%100 == 0 {
			want -= 7
		}
		if r.Missing != want || len(r.Gaps) > completeness.MaxGaps || len(r.Gaps) < completeness.MaxGaps/2 {
			t.Errorf("%s: missing %d, want %d, in %d gaps", family, r.Missing, want, len(r.Gaps))
		}
		var sum int64
		last := halley.Millis(0)
		for _, g := range r.Gaps {
			sum += g.Messages
			if g.From < last {
				t.Errorf("%s: gap %+v is out of order", family, g)
			}
			last = g.From
		}
		if sum != r.Missing {
			t.Errorf("%s: the gaps hold %d of %d", family, sum, r.Missing)
		}
	}
}

// The head before the period is found by few reads, however long ago it was, and pages stay small.
func TestLookingBackIsCheap(t *testing.T) {
	t.Parallel()
	s := &series{}
	for h := range minutes(60_000, 0) {
		s.heads = append(s.heads, h)
	}
	from := t0 + 20*365*halley.Day
	p := completeness.Period{Family: halley.WiFi, From: from, To: from + halley.Hour, Now: from + 2*halley.Hour}
	r, err := completeness.Of(t.Context(), s, 1, p)
	if err != nil {
		t.Fatal(err)
	}
	if r.Missing != 60 || s.reads > 60 || s.widest > 1000 {
		t.Errorf("missing %d after %d reads of at most %d", r.Missing, s.reads, s.widest)
	}
}

func BenchmarkYearOfMinutes(b *testing.B) {
	end := t0 + yearOfMinutes*halley.Minute
	for b.Loop() {
		_, _ = completeness.Count(completeness.Period{Family: halley.WiFi, From: t0, To: end, Now: end}, minutes(yearOfMinutes, 0))
	}
}
