package storagetest

import (
	"fmt"
	"slices"
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

// ground is the store of a chapter.
type ground struct {
	engine Engine
	// owner is the test of the chapter, which outlives those on the plots.
	owner testing.TB
	store storage.Store
	plots int
}

// plot is what one test has of a store that it shares with those before it: serial numbers, journals and whatever is made while
// it runs. It counts devices, channels and acts from 1, for the ids in a shared store say nothing.
type plot struct {
	storage.Store
	ground *ground
	number int
	// lastDevice and lastAct are the highest ids before the test began, began is the registry's version then.
	lastDevice halley.DeviceID
	lastAct    int64
	began      int64
	lastBatch  int64
}

// plot begins a test on the ground.
func (g *ground) plot(t testing.TB) *plot {
	t.Helper()
	g.plots++
	p := &plot{Store: g.store, ground: g, number: g.plots}
	devices, err := p.Devices(t.Context(), storage.DeviceFilter{})
	must(t, "Devices", err)
	if n := len(devices); n > 0 {
		p.lastDevice = devices[n-1].ID
	}
	acts, err := p.Audit(t.Context(), 0, 1)
	must(t, "Audit", err)
	if len(acts) > 0 {
		p.lastAct = acts[0].ID
	}
	p.began = version(t, p)
	return p
}

// reopen closes the store and opens the same database again.
func (p *plot) reopen(t testing.TB) {
	t.Helper()
	g := p.ground
	g.store = g.engine.Reopen(g.owner, g.store)
	p.Store = g.store
}

// kill cuts the connections of the store, and ends the test where the engine cannot.
func (p *plot) kill(t testing.TB) {
	t.Helper()
	p.ground.engine.Kill(t, p.ground.store)
}

// serial gives a serial number that no other test on the same store uses.
func (p *plot) serial(n int) string { return fmt.Sprintf("%04d%04d", 2000+p.number, n) }

// name gives a name that no other test on the same store uses.
func (p *plot) name(s string) string { return fmt.Sprintf("%s %d", s, p.number) }

// hash gives a hash that no other test on the same store uses.
func (p *plot) hash(n byte) []byte {
	hash := make([]byte, 32)
	hash[0], hash[30], hash[31] = n, byte(p.number), n
	return hash
}

// journal gives the id of a journal that no other test on the same store uses.
func (p *plot) journal(n int) string { return fmt.Sprintf("journal-%d-%d", p.number, n) }

// feed begins a feed at the start of the plot's first journal.
func (p *plot) feed() *plotFeed { return p.feedOf(1) }

// feedOf begins a feed at the start of a journal, which a node of the same number writes.
func (p *plot) feedOf(n int) *plotFeed {
	f := NewFeed(p)
	f.Node, f.Journal = fmt.Sprintf("node-%d", n), p.journal(n)
	return &plotFeed{Feed: f, p: p}
}

// plotFeed is a feed that does not tell the numbers of batches.
type plotFeed struct {
	*Feed
	p *plot
}

// Append stores the next batch and ends the test where it cannot. The number of the batch is higher than those before it, it has a
// digest, and both are left out.
func (f *plotFeed) Append(t testing.TB, uploads ...storage.Upload) storage.Appended {
	t.Helper()
	got := f.Feed.Append(t, uploads...)
	if got.BatchID <= f.p.lastBatch {
		t.Errorf("the batch got the number %d after %d", got.BatchID, f.p.lastBatch)
	}
	if got.Digest.IsZero() {
		t.Errorf("batch %d has no digest", got.BatchID)
	}
	f.p.lastBatch, got.BatchID, got.Digest = got.BatchID, 0, ledger.Digest{}
	return got
}

// devices lists the devices that were made on the plot.
func (p *plot) devices(t testing.TB) []halley.Device {
	t.Helper()
	list, err := p.Devices(t.Context(), storage.DeviceFilter{After: p.lastDevice})
	must(t, "Devices", err)
	return list
}

// device gives the id of the plot's n-th device, from 1.
func (p *plot) device(t testing.TB, n int) halley.DeviceID {
	t.Helper()
	list := p.devices(t)
	if n > len(list) {
		t.Fatalf("there are %d devices, want at least %d", len(list), n)
	}
	return list[n-1].ID
}

// channel gives the id of the channel that was made as the n-th on the plot, from 1.
func (p *plot) channel(t testing.TB, n int) halley.ChannelID {
	t.Helper()
	ids := []halley.ChannelID{}
	for _, d := range p.devices(t) {
		list, err := p.Channels(t.Context(), storage.ChannelFilter{Devices: []halley.DeviceID{d.ID}, Ended: true})
		must(t, "Channels", err)
		for _, c := range list {
			ids = append(ids, c.ID)
		}
	}
	if n > len(ids) {
		t.Fatalf("there are %d channels, want at least %d", len(ids), n)
	}
	slices.Sort(ids)
	return ids[n-1]
}

// samples gives all samples of the plot's n-th channel.
func (p *plot) samples(t testing.TB, n int) []storage.Sample {
	t.Helper()
	return SamplesOf(t, p, p.channel(t, n))
}

// acts lists what was audited on the plot, oldest first.
func (p *plot) acts(t testing.TB) []halley.AuditEntry {
	t.Helper()
	acts := []halley.AuditEntry{}
	for before := int64(0); ; {
		list, err := p.Audit(t.Context(), before, 500)
		must(t, "Audit", err)
		for _, a := range list {
			if a.ID <= p.lastAct {
				slices.Reverse(acts)
				return acts
			}
			acts = append(acts, a)
			before = a.ID
		}
		if len(list) == 0 {
			slices.Reverse(acts)
			return acts
		}
	}
}

// whats gives the words of what was audited on the plot, oldest first.
func (p *plot) whats(t testing.TB) []string {
	t.Helper()
	words := []string{}
	for _, a := range p.acts(t) {
		words = append(words, a.What)
	}
	return words
}

// nothing reports what is there of a plot on which all batches failed.
func (p *plot) nothing(t testing.TB) {
	t.Helper()
	at, err := p.Position(t.Context(), p.journal(1))
	must(t, "Position", err)
	devices, acts, now := p.devices(t), p.whats(t), version(t, p)
	if len(devices) != 0 || at != (storage.Position{}) || len(acts) != 0 || now != p.began {
		t.Errorf("after a batch that failed there are devices %v, position %v, audit %v, version %d after %d",
			devices, at, acts, now, p.began)
	}
}

// rollUp recomputes what is marked, at most limit periods, and gives how many are left.
func (p *plot) rollUp(t testing.TB, limit int) int {
	t.Helper()
	left, err := p.RollUp(t.Context(), Maintenance(t, p), limit)
	must(t, "RollUp", err)
	return left
}

func version(t testing.TB, s storage.Store) int64 {
	t.Helper()
	v, err := s.RegistryVersion(t.Context())
	must(t, "RegistryVersion", err)
	return v
}
