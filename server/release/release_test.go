package release_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/server/release"
	"halley/storage"
)

var key = halley.DeviceKey{Family: halley.WiFi, Serial: "20960050"}

// devices is a registry of one state for all.
type devices halley.DeviceState

func (d devices) Device(halley.DeviceKey) (halley.Device, bool) {
	return halley.Device{State: halley.DeviceState(d)}, d != ""
}

// memory is a journal that keeps its entries, and fails from an entry on where the test says so.
type memory struct {
	mu      sync.Mutex
	entries []journal.Entry
	failAt  int
}

func (m *memory) Append(_ context.Context, e journal.Entry) (journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failAt != 0 && len(m.entries)+1 >= m.failAt {
		return journal.Entry{}, errors.New("disk full")
	}
	e.Seq = uint64(len(m.entries) + 1)
	m.entries = append(m.entries, e)
	return e, nil
}

func upload(seq uint64, reason quarantine.Reason) quarantine.Upload {
	return quarantine.Upload{Key: key, JournalID: "j", Seq: seq, ReceivedMicros: int64(seq) * 1000, Reason: reason, Body: []byte{byte(seq)}}
}

func settle(t *testing.T, d devices, m *memory, uploads ...quarantine.Upload) (*quarantine.Store, []uint64, error) {
	t.Helper()
	q, err := quarantine.Open(t.Context(), filepath.Join(t.TempDir(), "quarantine.db"), quarantine.Budget{Devices: 9, DeviceBytes: 1 << 20, Bytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	if err := q.Keep(t.Context(), uploads); err != nil {
		t.Fatal(err)
	}
	var delivered []uint64
	var mu sync.Mutex
	r := release.Releaser{Devices: d, Journal: m, Quarantine: q, Log: slog.New(slog.DiscardHandler), Deliver: func(e journal.Entry) {
		mu.Lock()
		defer mu.Unlock()
		delivered = append(delivered, e.OriginalSeq)
	}}
	err = r.Settle(t.Context())
	slices.Sort(delivered)
	return q, delivered, err
}

func left(t *testing.T, q *quarantine.Store) []uint64 {
	t.Helper()
	list, err := q.Uploads(t.Context(), key, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var seqs []uint64
	for _, u := range list {
		seqs = append(seqs, u.Seq)
	}
	return seqs
}

func TestAcceptedDeviceIsReleased(t *testing.T) {
	t.Parallel()
	var m memory
	q, delivered, err := settle(t, devices(halley.DeviceAccepted), &m,
		upload(3, quarantine.NewDevice), upload(4, quarantine.ClockJump), upload(5, quarantine.Suspended))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint64{4}, left(t, q)); diff != "" {
		t.Errorf("what stays in quarantine (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uint64{3, 5}, delivered); diff != "" {
		t.Errorf("what was delivered (-want +got):\n%s", diff)
	}
	slices.SortFunc(m.entries, func(a, b journal.Entry) int { return int(a.OriginalSeq) - int(b.OriginalSeq) })
	want := journal.Entry{
		Seq: m.entries[0].Seq, Kind: journal.Release, Family: key.Family, Serial: key.Serial, Admission: uint8(storage.Known),
		OriginalMicros: 3000, OriginalSeq: 3, Body: []byte{3},
	}
	if diff := cmp.Diff(want, m.entries[0]); diff != "" {
		t.Errorf("journal entry (-want +got):\n%s", diff)
	}
}

func TestOthersStay(t *testing.T) {
	t.Parallel()
	for _, state := range []halley.DeviceState{"", halley.DeviceNew, halley.DeviceSuspended, halley.DeviceRejected, halley.DeviceRetired} {
		t.Run("state "+string(state), func(t *testing.T) {
			t.Parallel()
			var m memory
			q, delivered, err := settle(t, devices(state), &m, upload(3, quarantine.NewDevice))
			if err != nil || len(delivered) != 0 || len(m.entries) != 0 {
				t.Errorf("released %v, %v", delivered, err)
			}
			if diff := cmp.Diff([]uint64{3}, left(t, q)); diff != "" {
				t.Errorf("what stays in quarantine (-want +got):\n%s", diff)
			}
		})
	}
}

func TestManyPages(t *testing.T) {
	t.Parallel()
	var m memory
	var all []quarantine.Upload
	var want []uint64
	for seq := range uint64(450) {
		all = append(all, upload(seq+1, quarantine.NewDevice))
		want = append(want, seq+1)
	}
	q, delivered, err := settle(t, devices(halley.DeviceAccepted), &m, all...)
	if err != nil || len(left(t, q)) != 0 {
		t.Errorf("left %d, %v", len(left(t, q)), err)
	}
	if diff := cmp.Diff(want, delivered); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
}

func TestWhatTheJournalDoesNotTakeStays(t *testing.T) {
	t.Parallel()
	m := memory{failAt: 2}
	q, _, err := settle(t, devices(halley.DeviceAccepted), &m, upload(3, quarantine.NewDevice), upload(4, quarantine.NewDevice))
	if err == nil {
		t.Error("Settle said nothing of a journal that is full")
	}
	if diff := cmp.Diff([]uint64{3, 4}, left(t, q)); diff != "" {
		t.Errorf("what stays in quarantine (-want +got):\n%s", diff)
	}
}

func TestAPersonReleasesWhatCanBeRead(t *testing.T) {
	t.Parallel()
	reasons := []quarantine.Reason{quarantine.ClockJump, quarantine.NotUnderstood, quarantine.TwoSenders, quarantine.RefusedByStore, quarantine.WrongEntryPoint}
	for state, want := range map[halley.DeviceState][]uint64{
		halley.DeviceAccepted:  {2, 4},
		halley.DeviceSuspended: {1, 2, 3, 4, 5},
	} {
		var uploads []quarantine.Upload
		for i, reason := range reasons {
			uploads = append(uploads, upload(uint64(i+1), reason))
		}
		var m memory
		q, _, err := settle(t, devices(halley.DeviceNew), &m, uploads...)
		if err != nil {
			t.Fatal(err)
		}
		r := release.Releaser{
			Devices: devices(state), Journal: &m, Quarantine: q, Log: slog.New(slog.DiscardHandler), Deliver: func(journal.Entry) {},
		}
		n, err := r.Release(t.Context(), key)
		if n != 5-len(want) || (halley.KindOf(err) == halley.Conflict) == (state == halley.DeviceAccepted) {
			t.Errorf("releasing of a device that is %s: %d uploads, %v", state, n, err)
		}
		if diff := cmp.Diff(want, left(t, q)); diff != "" {
			t.Errorf("what stays in quarantine of a device that is %s (-want +got):\n%s", state, diff)
		}
	}
}
