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

// placeStore is a store of several devices' heads with what was attached where.
type placeStore struct {
	explanations
	devices  map[halley.DeviceID]*series
	attached []storage.Attachment
	tallied  []halley.Span
	away     error
}

func (s *placeStore) Heads(ctx context.Context, q storage.HeadQuery) ([]storage.Head, error) {
	return s.devices[q.Device].Heads(ctx, q)
}

func (s *placeStore) Tally(_ context.Context, _ halley.DeviceID, from, to halley.Millis) (duplicates, conflicts int64, err error) {
	s.tallied = append(s.tallied, halley.Span{From: from, To: to})
	return 1, 2, nil
}

func (s *placeStore) Attachments(context.Context, halley.PlaceID, halley.Millis, halley.Millis) ([]storage.Attachment, error) {
	return s.attached, s.away
}

func attach(device halley.DeviceID, channel halley.ChannelID, from, to halley.Millis) storage.Attachment {
	return storage.Attachment{Device: device, Channel: channel, Place: 3, From: from, To: to}
}

func heads(list []head) *series {
	s := &series{}
	for _, h := range list {
		s.heads = append(s.heads, h.storage())
	}
	return s
}

func (s *placeStore) ask(t *testing.T, from, to int) (completeness.Report, error) {
	t.Helper()
	return completeness.OfPlace(t.Context(), s, completeness.PlaceQuery{
		Place: 3, From: sec(from), To: sec(to), Now: sec(to),
		Family: func(id halley.DeviceID) (halley.Family, bool) { return halley.WiFi, id < 9 },
		Held: func(context.Context, halley.DeviceID, halley.Millis, halley.Millis) ([]halley.Millis, error) {
			return nil, nil
		},
	})
}

// The first sensor is lost for two minutes, swapped for the second at 600, which runs elsewhere before and is lost for three minutes
// after, and goes on elsewhere.
func TestASwapOfSensorsCountsEachWhileItWasThere(t *testing.T) {
	t.Parallel()
	s := &placeStore{
		devices: map[halley.DeviceID]*series{
			1: heads(join(sequence(0, 0, 4), sequence(360, 6, 9), sequence(1200, 40, 3))),
			2: heads(join(sequence(-600, 0, 5), sequence(30, 30, 13), sequence(990, 46, 20))),
		},
		attached: []storage.Attachment{
			attach(1, 10, 0, sec(600)), attach(1, 11, sec(0), sec(600)), attach(2, 20, sec(600), halley.LatestMillis),
		},
	}
	got, err := s.ask(t, 0, 1500)
	if err != nil {
		t.Fatal(err)
	}
	want := completeness.Report{
		From: t0, To: sec(1500), Received: 8 + 12, Missing: 2 + 3, Expected: 25, Duplicates: 2, Conflicts: 4,
		Gaps: gaps(gap(180, 360, 2, orderGap), gap(750, 990, 3, orderGap)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A day on which a device was taken away and brought back counts its repeats once.
func TestRepeatsOfADayCountOnce(t *testing.T) {
	t.Parallel()
	s := &placeStore{
		devices: map[halley.DeviceID]*series{1: heads(sequence(0, 0, 20))},
		attached: []storage.Attachment{
			attach(1, 10, 0, sec(300)), attach(1, 10, sec(600), sec(900)), attach(1, 11, sec(3*86400), sec(3*86400+60)), attach(1, 12, sec(9), sec(9)),
		},
	}
	got, err := s.ask(t, 0, 5*86400)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(s.tallied, func(a, b halley.Span) int { return int(a.From - b.From) })
	want := []halley.Span{{From: t0, To: t0 + halley.Day}, {From: t0 + 3*halley.Day, To: t0 + 4*halley.Day}}
	if diff := cmp.Diff(want, s.tallied); diff != "" || got.Duplicates != 2 || got.Received != 10 || got.Missing != 1 {
		t.Errorf("%+v (-want +got)\n%s", got, diff)
	}
}

func TestAPlaceIsRefusedWhereItCannotBeCounted(t *testing.T) {
	t.Parallel()
	s := &placeStore{devices: map[halley.DeviceID]*series{}}
	if got, err := s.ask(t, 0, 60); err != nil || got.Expected != 0 {
		t.Errorf("a place without devices: %+v, %v", got, err)
	}
	if _, err := s.ask(t, 60, 60); halley.KindOf(err) != halley.Invalid || err == nil {
		t.Errorf("an empty period: %v", err)
	}
	s.attached = []storage.Attachment{attach(9, 1, 0, halley.LatestMillis)}
	if _, err := s.ask(t, 0, 60); halley.KindOf(err) != halley.Unavailable {
		t.Errorf("a device that is not known yet: %v", err)
	}
	s.away = errors.New("away")
	if _, err := s.ask(t, 0, 60); !errors.Is(err, s.away) {
		t.Errorf("a store that is away: %v", err)
	}
}
