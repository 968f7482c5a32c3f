package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/storage"
)

func concurrencyTests() []test {
	return []test{
		{"readers see whole batches while one appends", readersWhileAppending},
		{"changes of the registry and appending do not lose each other", changesWhileAppending},
		{"nodes that append at the same time lose nothing and share new devices", nodesAppending},
		{"of batches that race for one place in a journal one is stored", racingBatches},
		{"the registry's version never goes back", versionsRise},
	}
}

func readersWhileAppending(t *testing.T, p *plot) {
	const batches, perBatch, slots = 10, 20, 12
	f := p.feed()
	a, b := WiFi(p.serial(1), slots), WiFi(p.serial(2), 1)
	f.Append(t, a.Upload(0, a.Message(Start, 0)), b.Upload(0, b.Message(Start, 0)))
	r := reader{
		p: p, perBatch: perBatch, device: p.device(t, 1), slots: slots, first: p.channel(t, 1), last: p.channel(t, slots),
		other: p.channel(t, slots+1),
	}
	lease := Maintenance(t, p)
	done := make(chan struct{})
	group, ctx := errgroup.WithContext(t.Context())
	group.Go(func() error {
		defer close(done)
		for i := range batches {
			var uploads []storage.Upload
			for j := range perBatch {
				at := Start + halley.Millis(i*perBatch+j+1)*7*halley.Minute
				uploads = append(uploads, a.Upload(0, a.Message(at, 1)), b.Upload(0, b.Message(at, 1)))
			}
			if _, err := p.Append(ctx, f.Batch(uploads...)); err != nil {
				return err
			}
			if _, err := p.RollUp(ctx, lease, 3); err != nil {
				return err
			}
		}
		return nil
	})
	for range 3 {
		group.Go(func() error {
			for last := int64(0); ; {
				n, err := r.read(ctx)
				if err != nil || n < last {
					return errors.Join(err, grew(n, last))
				}
				last = n
				select {
				case <-done:
					return nil
				default:
				}
			}
		})
	}
	must(t, "reading while appending", group.Wait())
	n, err := r.read(t.Context())
	must(t, "reading afterwards", err)
	equal(t, "samples", int64(batches*perBatch), n)
}

func grew(n, last int64) error {
	if n < last {
		return fmt.Errorf("%d samples were seen after %d", n, last)
	}
	return nil
}

// reader looks for what must never be seen.
type reader struct {
	p                  *plot
	perBatch, slots    int
	device             halley.DeviceID
	first, last, other halley.ChannelID
}

// read gives how many samples a device has behind the first: by its first channel, by its last, which lies in another part of the
// message, by the heads, and by buckets of another device of the same batches. Each is read after the one before it and must not
// be less.
func (r reader) read(ctx context.Context) (int64, error) {
	const far = Start + 365*halley.Day
	first, err := r.p.Samples(ctx, storage.SampleQuery{Channel: r.first, From: Start + 1, To: far, Limit: 100_000})
	if err != nil {
		return 0, err
	}
	last, err := r.p.Samples(ctx, storage.SampleQuery{Channel: r.last, From: Start + 1, To: far, Limit: 100_000})
	if err != nil {
		return 0, err
	}
	heads, err := r.p.Heads(ctx, storage.HeadQuery{Device: r.device, From: Start + 1, To: far, Limit: 100_000})
	if err != nil {
		return 0, err
	}
	buckets, err := r.p.Buckets(ctx, storage.BucketQuery{Channel: r.other, From: Start + 1, To: far, Width: halley.Hour})
	if err != nil {
		return 0, err
	}
	counts := []int{len(first), len(last), len(heads), 0}
	for _, b := range buckets {
		counts[3] += int(b.Count)
	}
	if slices.ContainsFunc(counts[:3], func(n int) bool { return n%r.perBatch != 0 }) || !slices.IsSorted(counts) {
		return 0, fmt.Errorf("samples, samples of the second part, heads and values in buckets are %d, batches have %d", counts, r.perBatch)
	}
	latest, err := r.p.Latest(ctx, []halley.DeviceID{r.device})
	if err != nil {
		return 0, err
	}
	if len(latest) != 1 || len(latest[0].Values) != r.slots {
		return 0, fmt.Errorf("the newest message is %+v, want one with %d values", latest, r.slots)
	}
	return int64(len(first)), nil
}

func changesWhileAppending(t *testing.T, p *plot) {
	const rounds = 12
	f := p.feed()
	d := WiFi(p.serial(1), 1)
	f.Append(t, d.Upload(0, d.Message(Start, 0)))
	id := p.device(t, 1)
	group, ctx := errgroup.WithContext(t.Context())
	group.Go(func() error {
		for i := range rounds {
			// The unit flaps, so that every message changes the registry.
			d.Channels[0].Unit = []string{"°F", "°C"}[i%2]
			at := Start + halley.Millis(i+1)*halley.Hour
			if _, err := p.Append(ctx, f.Batch(d.Upload(0, d.Message(at, 1)))); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for i := range rounds {
			name := fmt.Sprintf("name %d", i)
			if _, err := p.ChangeDevice(ctx, id, storage.DeviceUpdate{Name: &name}, By("eva")); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, "changing while appending", group.Wait())
	equal(t, "name", fmt.Sprintf("name %d", rounds-1), DeviceOf(t, p, p.serial(1)).Name)
	equal(t, "acts", rounds+1, len(p.whats(t)))
	equal(t, "samples", rounds+1, len(p.samples(t, 1))+len(p.samples(t, 2)))
	for n := range 2 {
		q := storage.BucketQuery{Channel: p.channel(t, n+1), From: Start, To: Start + halley.Day, Width: halley.Hour}
		checkBuckets(t, p, q, p.samples(t, n+1))
		p.rollUp(t, 100)
		checkBuckets(t, p, q, p.samples(t, n+1))
	}
}

// nodesAppending has several nodes append at the same time. Each has a device of its own, and in each round all of them hear of
// one more device, which reports to every one of them.
func nodesAppending(t *testing.T, p *plot) {
	const nodes, rounds, perBatch = 4, 6, 5
	batches := make([][]int64, nodes)
	group, ctx := errgroup.WithContext(t.Context())
	for n := range nodes {
		f := p.feedOf(n + 1)
		own := WiFi(p.serial(n+1), 2)
		group.Go(func() error {
			for round := range rounds {
				shared := WiFi(p.serial(100+round), 1)
				// Of the messages of the shared device one is each node's own, one is the same for all.
				m := shared.Message(Start, 7)
				mine := shared.Message(Start+halley.Millis(n+1)*halley.Minute, float64(n))
				uploads := []storage.Upload{shared.Upload(0, m), shared.Upload(0, mine)}
				for i := range perBatch {
					uploads = append(uploads, own.Upload(0, own.Message(Start+halley.Millis(round*perBatch+i)*halley.Minute, float64(i))))
				}
				got, err := p.Append(ctx, f.Batch(uploads...))
				if err != nil {
					return err
				}
				if got.Messages+got.Duplicates != len(uploads) || got.Conflicts != 0 {
					return fmt.Errorf("node %d, round %d: %+v", n+1, round, got)
				}
				batches[n] = append(batches[n], got.BatchID)
			}
			return nil
		})
	}
	must(t, "appending at the same time", group.Wait())
	equal(t, "devices", nodes+rounds, len(p.devices(t)))
	for n := range nodes {
		if !slices.IsSorted(batches[n]) {
			t.Errorf("the batches of node %d have the numbers %d, want rising ones", n+1, batches[n])
		}
		for _, c := range ChannelsOf(t, p, p.serial(n+1)) {
			equal(t, "samples of a node's own device", rounds*perBatch, len(SamplesOf(t, p, c.ID)))
		}
	}
	ids := slices.Sorted(slices.Values(slices.Concat(batches...)))
	equal(t, "batch numbers, each once", nodes*rounds, len(slices.Compact(ids)))
	for round := range rounds {
		list := ChannelsOf(t, p, p.serial(100+round))
		equal(t, "channels of a shared device", 1, len(list))
		samples := SamplesOf(t, p, list[0].ID)
		equal(t, "samples of a shared device", nodes+1, len(samples))
		dup, _, err := p.Tally(t.Context(), list[0].DeviceID, Start, Start+halley.Day)
		must(t, "Tally", err)
		equal(t, "repeats of the message that all of them heard", int64(nodes-1), dup)
	}
	equal(t, "acts", nodes+rounds, len(p.whats(t)))
}

// racingBatches is a recorder that was taken for dead and is not: two send the same place of a journal.
func racingBatches(t *testing.T, p *plot) {
	const racers = 4
	d := WiFi(p.serial(1), 1)
	batch := func() storage.Batch {
		x := WiFi(p.serial(1), 1)
		return p.feed().Batch(x.Upload(0, x.Message(Start, 20)), x.Upload(0, x.Message(Start+halley.Minute, 21)))
	}
	stored := make(chan bool, racers)
	group, ctx := errgroup.WithContext(t.Context())
	for range racers {
		group.Go(func() error {
			_, err := p.Append(ctx, batch())
			if err != nil && halley.KindOf(err) != halley.Conflict {
				return err
			}
			stored <- err == nil
			return nil
		})
	}
	must(t, "racing", group.Wait())
	wins := 0
	for range racers {
		if <-stored {
			wins++
		}
	}
	equal(t, "batches that were stored", 1, wins)
	equal(t, "devices", 1, len(p.devices(t)))
	samples := SamplesOf(t, p, ChannelsOf(t, p, d.Key.Serial)[0].ID)
	equal(t, "samples", []storage.Sample{{At: Start, Value: 20}, {At: Start + halley.Minute, Value: 21}}, samples)
}

func versionsRise(t *testing.T, p *plot) {
	const rounds, changers = 6, 3
	d := WiFi(p.serial(1), 1)
	p.feed().Append(t, d.Upload(0, d.Message(Start, 0)))
	id := p.device(t, 1)
	done := make(chan struct{})
	changes, ctx := errgroup.WithContext(t.Context())
	for n := range changers {
		changes.Go(func() error {
			for i := range rounds {
				before, err := p.RegistryVersion(ctx)
				if err != nil {
					return err
				}
				name := fmt.Sprintf("name %d of %d", i, n)
				if _, err = p.ChangeDevice(ctx, id, storage.DeviceUpdate{Name: &name}, By("eva")); err != nil {
					return err
				}
				after, err := p.RegistryVersion(ctx)
				if err != nil || after <= before {
					return errors.Join(err, fmt.Errorf("the version is %d after a change, was %d before it", after, before))
				}
			}
			return nil
		})
	}
	readers, reading := errgroup.WithContext(t.Context())
	readers.Go(func() error {
		for last := int64(0); ; {
			now, err := p.RegistryVersion(reading)
			if err != nil || now < last {
				return errors.Join(err, fmt.Errorf("the version is %d after %d", now, last))
			}
			last = now
			select {
			case <-done:
				return nil
			default:
			}
		}
	})
	err := changes.Wait()
	close(done)
	must(t, "changing", err)
	must(t, "reading", readers.Wait())
	if now := version(t, p); now < p.began+changers*rounds+1 {
		t.Errorf("the version is %d after %d, want one more for each change", now, p.began)
	}
	equal(t, "acts", changers*rounds+1, len(p.whats(t)))
}
