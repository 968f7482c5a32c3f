package completeness_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

// t0 is 2026-03-01T00:00:00Z.
const t0 = halley.Millis(1_772_323_200_000)

// sec gives the instant so many seconds after t0.
func sec(n int) halley.Millis { return t0 + halley.Millis(n)*halley.Second }

// unknownInterval is written in tables for a device that does not say its interval.
const unknownInterval = -1

// head is a message as the tables write it; interval 0 means 60 s.
type head struct {
	at, order, interval, config, buffer int
	cache                               int
	kind                                halley.MessageKind
	late                                int
}

func (h head) storage() storage.Head {
	switch h.interval {
	case 0:
		h.interval = 60
	case unknownInterval:
		h.interval = 0
	}
	at := sec(h.at)
	return storage.Head{
		MeasuredAt: at, ReceivedAt: at + halley.Millis(h.late)*halley.Second, Order: int64(h.order), Kind: h.kind,
		Interval: h.interval, Config: h.config, Buffer: h.buffer, Cache: h.cache,
	}
}

// series is a store of heads in memory. It counts reads and the longest page.
type series struct {
	heads         []storage.Head
	reads, widest int
	err           error
}

func (s *series) Heads(_ context.Context, q storage.HeadQuery) ([]storage.Head, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.reads++
	s.widest = max(s.widest, q.Limit)
	i, _ := slices.BinarySearchFunc(s.heads, q, func(h storage.Head, q storage.HeadQuery) int {
		if h.MeasuredAt < q.From || h.MeasuredAt < q.After || h.MeasuredAt == q.After && h.Variant <= q.AfterVariant {
			return -1
		}
		return 1
	})
	var page []storage.Head
	for ; i < len(s.heads) && len(page) < q.Limit && s.heads[i].MeasuredAt < q.To; i++ {
		page = append(page, s.heads[i])
	}
	return page, nil
}

func (s *series) Tally(_ context.Context, _ halley.DeviceID, from, to halley.Millis) (duplicates, conflicts int64, err error) {
	return int64((to - from) / halley.Hour), 3, nil
}

// numbers is a report without what Of adds and without the period.
type numbers struct {
	Received, Late, Missing, Uncertain, Extra int64
	Gaps                                      []completeness.Gap
}

func numbersOf(r completeness.Report) numbers {
	return numbers{r.Received, r.Late, r.Missing, r.Uncertain, r.Extra, r.Gaps}
}

// sequence gives n messages, an interval of 60 s apart, from a second and an order number on.
func sequence(at, order, n int) []head {
	out := make([]head, n)
	for i := range out {
		out[i] = head{at: at + 60*i, order: order + i}
	}
	return out
}

func join(parts ...[]head) []head { return slices.Concat(parts...) }

func gap(from, to int, n int64, cause completeness.Cause) completeness.Gap {
	return completeness.Gap{From: sec(from), To: sec(to), Messages: n, Cause: cause}
}

type ruleCase struct {
	name  string
	heads []head
	// from, to and now are seconds; to 0 is 600, now 0 is to.
	from, to, now int
	downtime      []halley.Span
	want          numbers
}

func runRules(t *testing.T, family halley.Family, cases []ruleCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.to == 0 {
				c.to = 600
			}
			if c.now == 0 {
				c.now = c.to
			}
			s := &series{}
			for i, h := range c.heads {
				sh := h.storage()
				if i > 0 && sh.MeasuredAt == s.heads[i-1].MeasuredAt {
					sh.Variant = s.heads[i-1].Variant + 1
				}
				s.heads = append(s.heads, sh)
			}
			p := completeness.Period{Family: family, From: sec(c.from), To: sec(c.to), Now: sec(c.now), Downtime: c.downtime}
			got, err := completeness.Of(t.Context(), s, 1, p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, numbersOf(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got.Expected != got.Received+got.Missing {
				t.Errorf("expected %d is not received %d + missing %d", got.Expected, got.Received, got.Missing)
			}
		})
	}
}

func TestOfRefusesAnEmptyPeriod(t *testing.T) {
	t.Parallel()
	_, err := completeness.Of(t.Context(), &series{}, 1, completeness.Period{From: t0, To: t0})
	if halley.KindOf(err) != halley.Invalid || err == nil {
		t.Errorf("got %v, want an invalid period", err)
	}
}

func TestOfGivesTheErrorOfTheStore(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	_, err := completeness.Of(t.Context(), &series{err: away}, 1, completeness.Period{From: t0, To: t0 + 1, Now: t0})
	if !errors.Is(err, away) {
		t.Errorf("got %v, want the store's error", err)
	}
}

func TestOfAddsTheTally(t *testing.T) {
	t.Parallel()
	got, err := completeness.Of(t.Context(), &series{}, 1, completeness.Period{From: t0, To: t0 + 5*halley.Hour, Now: t0})
	if err != nil {
		t.Fatal(err)
	}
	want := completeness.Report{From: t0, To: t0 + 5*halley.Hour, Duplicates: 5, Conflicts: 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
