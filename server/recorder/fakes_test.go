package recorder_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"time"

	"halley"
	"halley/protocols"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/server/recorder"
	"halley/storage"
)

// memory is a journal in memory.
type memory struct {
	mu      sync.Mutex
	id      string
	entries []journal.Entry
	changed chan struct{}
	waiting int
}

func newMemory() *memory { return &memory{id: "journal", changed: make(chan struct{})} }

func (m *memory) add(entries ...journal.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range entries {
		e.Seq = uint64(len(m.entries) + 1)
		e.ReceivedMicros = int64(e.Seq) * 1_000_000
		m.entries = append(m.entries, e)
	}
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memory) ID() string { return m.id }

func (m *memory) Last() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.entries))
}

func (m *memory) Waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.waiting
}

func (m *memory) Wait(ctx context.Context, after uint64) error {
	for {
		m.mu.Lock()
		last, changed := uint64(len(m.entries)), m.changed
		m.mu.Unlock()
		if last > after {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (m *memory) Read(_ context.Context, after uint64, limit int) ([]journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	end := min(int(after)+limit, len(m.entries))
	return append([]journal.Entry(nil), m.entries[after:end]...), nil
}

func (m *memory) Hash(_ context.Context, seq uint64) ([32]byte, error) {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte(m.id), seq)), nil
}

// database is a store that keeps the batches it is given. refuse says which of them fail.
type database struct {
	mu       sync.Mutex
	position storage.Position
	batches  []storage.Batch
	refuse   func(storage.Batch) error
	marks    int
	tries    int
	// takes is how long a batch takes.
	takes time.Duration
}

func (d *database) Position(context.Context, string) (storage.Position, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.position, nil
}

func (d *database) Append(_ context.Context, b storage.Batch) (storage.Appended, error) {
	time.Sleep(d.takes) //nolint:forbidigo // fake time inside a bubble
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tries++
	if b.Seq <= d.position.Seq && b.JournalID == d.position.JournalID {
		return storage.Appended{}, errors.New("this range is recorded")
	}
	if d.refuse != nil {
		if err := d.refuse(b); err != nil {
			return storage.Appended{}, err
		}
	}
	d.batches = append(d.batches, b)
	d.position = b.Position
	return storage.Appended{BatchID: int64(len(d.batches)), Messages: len(b.Uploads)}, nil
}

func (d *database) RollUp(_ context.Context, limit int) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.marks = max(d.marks-limit, 0)
	return d.marks, nil
}

func (d *database) setRefuse(f func(storage.Batch) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = f
}

// serials gives what was stored, in order.
func (d *database) serials() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, b := range d.batches {
		for _, u := range b.Uploads {
			all = append(all, u.Serial)
		}
	}
	return all
}

// apart is a quarantine that remembers the serial numbers and reasons.
type apart struct {
	mu   sync.Mutex
	kept []quarantine.Upload
}

func (a *apart) Keep(_ context.Context, uploads []quarantine.Upload) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept = append(a.kept, uploads...)
	return nil
}

func (a *apart) reasons() map[string]quarantine.Reason {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := map[string]quarantine.Reason{}
	for _, u := range a.kept {
		all[u.Key.Serial] = u.Reason
	}
	return all
}

// plain is a family whose body is the serial number; the body "broken" cannot be read.
type plain struct{ protocols.Protocol }

func (plain) Family() halley.Family { return halley.WiFi }

func (plain) Decode(body []byte) (halley.Upload, error) {
	if string(body) == "broken" {
		return halley.Upload{}, &protocols.DecodeError{Why: "broken"}
	}
	return halley.Upload{
		DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: string(body)}, Messages: []halley.Message{{Sample: 1}},
	}, nil
}

func entry(serial string) journal.Entry {
	return journal.Entry{Kind: journal.Upload, Family: halley.WiFi, Serial: serial, Body: []byte(serial)}
}

// rig is a recorder with everything around it.
type rig struct {
	journal  *memory
	store    *database
	apart    *apart
	recorder *recorder.Recorder
	progress []recorder.Progress
}

func newRig(samples int) *rig {
	r := &rig{journal: newMemory(), store: &database{}, apart: &apart{}}
	r.recorder = recorder.New(recorder.Options{
		Node: "node", Journal: r.journal, Store: r.store, Quarantine: r.apart, Families: protocols.Set{plain{}},
		Decoded: func(uint64) (*halley.Upload, bool) { return nil, false },
		Every:   10 * time.Second, Samples: samples,
		Recorded: func(_ context.Context, p recorder.Progress) { r.progress = append(r.progress, p) },
		Log:      slog.New(slog.DiscardHandler),
	})
	return r
}

// run records until stop is called.
func (r *rig) run(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- r.recorder.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}
