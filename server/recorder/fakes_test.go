package recorder_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"strconv"
	"strings"
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
	mu sync.Mutex
	id string
	// content stands for what is in it, as far as its hash goes.
	content string
	entries []journal.Entry
	// pruned is how many of entries are gone.
	pruned  int
	changed chan struct{}
	waiting int
	// unreadable and fixed are what Read and Renew fail with.
	unreadable, fixed error
}

func newMemory() *memory {
	return &memory{id: "journal", content: "journal", changed: make(chan struct{})}
}

func (m *memory) set(change func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

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

func (m *memory) ID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.id
}

func (m *memory) Renew(_ context.Context, why string) (oldID, freshID string, err error) {
	m.mu.Lock()
	if m.fixed != nil {
		defer m.mu.Unlock()
		return "", "", m.fixed
	}
	oldID = m.id
	m.id += "+"
	freshID = m.id
	m.mu.Unlock()
	m.add(journal.Entry{Kind: journal.Event, Body: []byte(why)})
	return oldID, freshID, nil
}

func (m *memory) First() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(m.pruned + 1)
}

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
	if m.unreadable != nil {
		return nil, m.unreadable
	}
	from := max(int(after), m.pruned)
	return append([]journal.Entry(nil), m.entries[from:min(from+limit, len(m.entries))]...), nil
}

func (m *memory) Hash(_ context.Context, seq uint64) ([32]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq > uint64(len(m.entries)) || int(seq) < m.pruned {
		return [32]byte{}, &halley.Error{Kind: halley.NotFound}
	}
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte(m.content), seq)), nil
}

// position is that of a store which has recorded m up to seq.
func (m *memory) position(seq uint64) storage.Position {
	hash, _ := m.Hash(context.Background(), seq)
	return storage.Position{JournalID: m.ID(), Seq: seq, Hash: hash}
}

// database is a store that keeps the batches it is given. refuse says which of them fail.
type database struct {
	mu        sync.Mutex
	positions map[string]storage.Position
	batches   []storage.Batch
	refuse    func(storage.Batch) error
	// lose says whether the answer to a batch that is stored is lost.
	lose func(storage.Batch) bool
	// gone is what every call fails with.
	gone  error
	tries int
	// takes is how long a batch takes, answers how long a position.
	takes   func(storage.Batch) time.Duration
	answers time.Duration
}

func newDatabase() *database { return &database{positions: map[string]storage.Position{}} }

func (d *database) Position(_ context.Context, id string) (storage.Position, error) {
	d.mu.Lock()
	answers := d.answers
	d.mu.Unlock()
	time.Sleep(answers) //nolint:forbidigo // fake time inside a bubble
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.positions[id], d.gone
}

func (d *database) Append(_ context.Context, b storage.Batch) (storage.Appended, error) {
	d.mu.Lock()
	takes := d.takes
	d.mu.Unlock()
	if takes != nil {
		time.Sleep(takes(b)) //nolint:forbidigo // fake time inside a bubble
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tries++
	if d.gone != nil {
		return storage.Appended{}, d.gone
	}
	if b.FirstSeq <= d.positions[b.JournalID].Seq {
		return storage.Appended{}, &halley.Error{Kind: halley.Conflict, Code: storage.CodeRecorded}
	}
	if d.refuse != nil {
		if err := d.refuse(b); err != nil {
			return storage.Appended{}, err
		}
	}
	d.batches = append(d.batches, b)
	d.positions[b.JournalID] = b.Position
	if d.lose != nil && d.lose(b) {
		return storage.Appended{}, &halley.Error{Kind: halley.Unavailable, Message: "the connection was cut"}
	}
	return storage.Appended{BatchID: int64(len(d.batches)), Messages: len(b.Uploads)}, nil
}

func (d *database) set(change func(*database)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (d *database) setRefuse(f func(storage.Batch) error) {
	d.set(func(d *database) { d.refuse = f })
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
	mu              sync.Mutex
	kept, forgotten []quarantine.Upload
	// broken is what Keep fails with.
	broken error
}

func (a *apart) Forget(_ context.Context, uploads []quarantine.Upload) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forgotten = append(a.forgotten, uploads...)
	return nil
}

func (a *apart) Keep(_ context.Context, uploads []quarantine.Upload) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.broken != nil {
		return a.broken
	}
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

// plain is a family whose body is the serial number, "heavy" before a number means so many samples; the body "broken" cannot be
// read.
type plain struct{ protocols.Protocol }

func (plain) Family() halley.Family { return halley.WiFi }

func (plain) Decode(body []byte) (halley.Upload, error) {
	if string(body) == "broken" {
		return halley.Upload{}, &protocols.DecodeError{Why: "broken"}
	}
	up := halley.Upload{
		DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: string(body)}, Messages: []halley.Message{{Sample: 1}},
	}
	if n, found := strings.CutPrefix(string(body), "heavy "); found {
		samples, err := strconv.Atoi(n)
		if err != nil {
			return halley.Upload{}, err
		}
		up.Messages[0].Readings = make([]halley.Reading, samples)
	}
	return up, nil
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
	r := &rig{journal: newMemory(), store: newDatabase(), apart: &apart{}}
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
