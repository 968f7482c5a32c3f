package recorder_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/protocols"
	"halley/protocols/websensor"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/server/recorder"
	"halley/storage"
	"halley/storage/sqlite"
)

// server is what the recorder of one server works with, on disk.
type server struct {
	dir     string
	journal *journal.Journal
	held    *quarantine.Store
}

func startServer(t *testing.T, dir string) *server {
	t.Helper()
	held, err := quarantine.Open(t.Context(), filepath.Join(dir, "quarantine.db"), quarantine.Budget{Devices: 10, DeviceBytes: 1 << 20, Bytes: 1 << 20})
	if err != nil {
		t.Fatalf("opening the quarantine: %v", err)
	}
	t.Cleanup(func() { _ = held.Close() })
	return &server{dir: dir, journal: openJournal(t, dir), held: held}
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	if err := s.journal.Close(t.Context()); err != nil {
		t.Fatalf("closing the journal: %v", err)
	}
	if err := s.held.Close(); err != nil {
		t.Fatalf("closing the quarantine: %v", err)
	}
}

// takes journals an upload of a sensor without an identity, one that is held back, and an act of this name.
func (s *server) takes(t *testing.T, deed string) {
	t.Helper()
	sensor := websensor.New()
	up, err := sensor.Decode(sensor.Sample())
	if err != nil {
		t.Fatal(err)
	}
	accepted := journal.Entry{
		Kind: journal.Upload, Family: up.Family, Serial: up.Serial, Admission: uint8(storage.Admit), Body: sensor.Sample(),
	}
	held := accepted
	held.Quarantine, held.Admission = string(quarantine.TwoSenders), uint8(storage.Announce)
	for _, e := range []journal.Entry{accepted, held, act(t, deed)} {
		if _, err := s.journal.Append(t.Context(), e); err != nil {
			t.Fatalf("append: %v", err)
		}
	}
}

// records runs the server's recorder until everything is recorded.
func (s *server) records(t *testing.T, store storage.Store) recorder.State {
	t.Helper()
	return runUntilRecorded(t, s.journal, recorder.Options{
		Node: "node", Journal: s.journal, Store: store, Quarantine: s.held, Families: protocols.Set{websensor.New()},
		Decoded: func(uint64) (*halley.Upload, bool) { return nil, false },
		Every:   time.Hour, Samples: 20_000, Recorded: func(context.Context, recorder.Progress) {}, Log: testLog(t),
	})
}

func TestAClonedServerIsStoredOnceAndWhole(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "halley.db"), Log: testLog(t)})
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	t.Cleanup(func() { _ = store.Close() })
	dir, copied := t.TempDir(), t.TempDir()
	first := startServer(t, dir)
	first.takes(t, "shared one")
	first.records(t, store)
	first.takes(t, "shared two") // is recorded by both
	first.stop(t)
	copyFiles(t, dir, copied)

	servers := []*server{startServer(t, dir), startServer(t, copied)}
	messages, acts := 2, map[string]int{"shared one": 1, "shared two": 1}
	for round := range 3 {
		for i, s := range servers {
			deed := fmt.Sprintf("server %d round %d", i, round)
			s.takes(t, deed)
			state := s.records(t, store)
			messages, acts[deed] = messages+1, 1
			if renewed := state.Renewed != nil; renewed != (i == 1 && round == 0) || state.Parked != 0 {
				t.Errorf("state of server %d in round %d: %+v", i, round, state)
			}
			if n := s.held.Usage().Uploads; n != 3+round {
				t.Errorf("server %d holds %d uploads in quarantine in round %d, want %d", i, n, round, 3+round)
			}
		}
	}
	if n := countMessages(t, store); n != messages {
		t.Errorf("%d messages are stored, want %d", n, messages)
	}
	if diff := cmp.Diff(acts, countActs(t, store)); diff != "" {
		t.Errorf("acts in the audit trail (-want +got):\n%s", diff)
	}
}

// countMessages counts the messages of the only device.
func countMessages(t *testing.T, store storage.Store) int {
	t.Helper()
	devices, err := store.Devices(t.Context(), storage.DeviceFilter{})
	if err != nil || len(devices) != 1 {
		t.Fatalf("devices: %v, %v", devices, err)
	}
	heads, err := store.Heads(t.Context(), storage.HeadQuery{
		Device: devices[0].ID, From: halley.EarliestMillis, To: halley.LatestMillis, Limit: 1000,
	})
	if err != nil {
		t.Fatalf("messages: %v", err)
	}
	return len(heads)
}

// countActs counts the audit rows that came through the journal.
func countActs(t *testing.T, store storage.Store) map[string]int {
	t.Helper()
	list, err := store.Audit(t.Context(), 0, 1000)
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
	acts := map[string]int{}
	for _, e := range list {
		if e.Change.Actor.Name == "anna" {
			acts[e.What]++
		}
	}
	return acts
}
