package alive_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/alive"
	"halley/server/journal"
)

// memory is a journal in memory that can be full.
type memory struct {
	mu      sync.Mutex
	entries []journal.Entry
	full    bool
}

func (m *memory) Append(_ context.Context, e journal.Entry) (journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return journal.Entry{}, &halley.Error{Kind: halley.Unavailable, Op: "append", Code: "journal-full"}
	}
	e.Seq, e.ReceivedMicros = uint64(len(m.entries)+1), time.Now().UnixMicro()
	m.entries = append(m.entries, e)
	return e, nil
}

func (m *memory) Entry(_ context.Context, seq uint64) (journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.entries[seq-1], nil
}

func (*memory) First() uint64 { return 1 }

func (m *memory) Last() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.entries))
}

func (m *memory) fill(full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = full
}

// events gives the events as seconds since begin and what they say.
func (m *memory) events(t *testing.T, begin time.Time) []noted {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []noted
	since := func(at halley.Millis) int {
		if at == 0 {
			return 0
		}
		return int(at.Time().Sub(begin) / time.Second)
	}
	for _, e := range m.entries {
		if e.Kind != journal.Event {
			continue
		}
		var v alive.Event
		if err := json.Unmarshal(e.Body, &v); err != nil {
			t.Fatalf("%v: %s", err, e.Body)
		}
		list = append(list, noted{
			since(halley.Millis(e.ReceivedMicros / 1000)), v.Event, since(v.At), since(v.DownSince), since(v.From), since(v.To),
		})
	}
	return list
}

// noted is an event; all times are seconds since the test began, 0 for none.
type noted struct {
	At                   int
	Event                string
	Started, Down, F, To int
}

// life runs a Life on m until stop.
func life(t *testing.T, m *memory) (l *alive.Life, stop func()) {
	t.Helper()
	l, err := alive.New(t.Context(), alive.Options{Journal: m, Every: 30 * time.Second, Version: "1", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	return l, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// pass lets time pass in the bubble of a test.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAServerNotesThatItIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, begin := &memory{}, time.Now()
		pass(time.Second)
		l, stop := life(t, m)
		l.Started(t.Context())
		pass(70 * time.Second)
		stop()
		l.Stopped(t.Context())
		pass(100 * time.Second)
		// An upload that comes before the start is noted hides nothing.
		l, stop = life(t, m)
		if _, err := l.Append(t.Context(), journal.Entry{Kind: journal.Upload}); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		l.Started(t.Context())
		stop()
		want := []noted{
			{1, alive.Start, 1, 0, 0, 0},
			{31, alive.Alive, 0, 0, 0, 0},
			{61, alive.Alive, 0, 0, 0, 0},
			{71, alive.Stop, 0, 0, 0, 0},
			{173, alive.Start, 173, 71, 0, 0},
		}
		if diff := cmp.Diff(want, m.events(t, begin)); diff != "" {
			t.Errorf("events (-want +got)\n%s", diff)
		}
	})
}

func TestRefusalsAreNotedWhenTheJournalTakesEntriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, begin := &memory{}, time.Now()
		pass(5 * time.Second)
		l, stop := life(t, m)
		l.Started(t.Context())
		upload := func(full, stored bool) {
			t.Helper()
			pass(10 * time.Second)
			m.fill(full)
			if _, err := l.Append(t.Context(), journal.Entry{Kind: journal.Upload}); (err == nil) != stored {
				t.Errorf("stored: %v, want %v", err == nil, stored)
			}
		}
		upload(false, true)
		upload(true, false) // 25
		upload(true, false) // 35; the sign of life at 35 is refused too
		upload(false, true) // 45
		upload(true, false) // 55
		upload(false, true) // 65, as the sign of life
		pass(time.Second)
		stop()
		var refused []noted
		for _, e := range m.events(t, begin) {
			if e.Event == alive.Refused {
				e.At = 0
				refused = append(refused, e)
			}
		}
		want := []noted{{0, alive.Refused, 0, 0, 25, 45}, {0, alive.Refused, 0, 0, 55, 65}}
		if diff := cmp.Diff(want, refused); diff != "" {
			t.Errorf("refusals (-want +got)\n%s", diff)
		}
	})
}

// A disk that is full already at the start must not hide the downtime before it.
func TestAStartThatCannotBeNotedIsNotedLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, begin := &memory{}, time.Now()
		pass(5 * time.Second)
		if _, err := m.Append(t.Context(), journal.Entry{Kind: journal.Upload}); err != nil {
			t.Fatal(err)
		}
		pass(60 * time.Second)
		m.fill(true)
		l, stop := life(t, m)
		l.Started(t.Context())
		pass(40 * time.Second)
		m.fill(false)
		pass(40 * time.Second)
		stop()
		want := []noted{{125, alive.Alive, 0, 0, 0, 0}, {125, alive.Start, 65, 5, 0, 0}, {125, alive.Refused, 0, 0, 65, 125}}
		if diff := cmp.Diff(want, m.events(t, begin)); diff != "" {
			t.Errorf("events (-want +got)\n%s", diff)
		}
	})
}
