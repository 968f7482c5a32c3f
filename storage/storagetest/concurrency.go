package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"halley"
	"halley/storage"
)

func concurrencyTests() []group {
	return []group{
		{"readers see whole batches while one appends", readersWhileAppending},
		{"changes of the registry and appending do not lose each other", changesWhileAppending},
	}
}

// contextOf gives the context of a test or of a property.
func contextOf(t rapid.TB) context.Context {
	if c, ok := t.(interface{ Context() context.Context }); ok {
		return c.Context()
	}
	return context.Background()
}

func readersWhileAppending(t *testing.T, e Engine) {
	const batches, perBatch = 15, 20
	s := e.Open(t)
	f := NewFeed(s)
	a, b := WiFi("21000001", 1), WiFi("21000002", 1)
	f.Append(t, a.Upload(0, a.Message(Start, 0)), b.Upload(0, b.Message(Start, 0)))
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
			if _, err := s.Append(ctx, f.Batch(uploads...)); err != nil {
				return err
			}
			if _, err := s.RollUp(ctx, 3); err != nil {
				return err
			}
		}
		return nil
	})
	for range 3 {
		group.Go(func() error {
			for last := int64(0); ; {
				n, err := readAll(ctx, s, perBatch)
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
	n, err := readAll(t.Context(), s, perBatch)
	must(t, "reading afterwards", err)
	equal(t, "samples", int64(batches*perBatch), n)
}

func grew(n, last int64) error {
	if n < last {
		return fmt.Errorf("%d samples were seen after %d", n, last)
	}
	return nil
}

// readAll gives how many samples a channel has behind the first, by samples and by buckets.
func readAll(ctx context.Context, s storage.Store, perBatch int) (int64, error) {
	list, err := s.Samples(ctx, storage.SampleQuery{Channel: 1, From: Start + 1, To: Start + 365*halley.Day, Limit: 100_000})
	if err != nil {
		return 0, err
	}
	if len(list)%perBatch != 0 {
		return 0, fmt.Errorf("%d samples are no whole number of batches", len(list))
	}
	buckets, err := s.Buckets(ctx, storage.BucketQuery{Channel: 2, From: Start + 1, To: Start + 365*halley.Day, Width: halley.Hour})
	if err != nil {
		return 0, err
	}
	var n int64
	for _, b := range buckets {
		n += b.Count
	}
	if n < int64(len(list)) {
		return 0, fmt.Errorf("buckets hold %d values after %d samples were seen", n, len(list))
	}
	if _, err := s.Latest(ctx, nil); err != nil {
		return 0, err
	}
	return int64(len(list)), nil
}

func changesWhileAppending(t *testing.T, e Engine) {
	const rounds = 15
	s := e.Open(t)
	f := NewFeed(s)
	d := WiFi("21000001", 1)
	f.Append(t, d.Upload(0, d.Message(Start, 0)))
	group, ctx := errgroup.WithContext(t.Context())
	group.Go(func() error {
		for i := range rounds {
			// The unit flaps, so that every message changes the registry.
			d.Channels[0].Unit = []string{"°F", "°C"}[i%2]
			at := Start + halley.Millis(i+1)*halley.Hour
			if _, err := s.Append(ctx, f.Batch(d.Upload(0, d.Message(at, 1)))); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for i := range rounds {
			name := fmt.Sprintf("name %d", i)
			if _, err := s.ChangeDevice(ctx, 1, storage.DeviceUpdate{Name: &name}, By("eva")); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, "changing while appending", group.Wait())
	equal(t, "name", fmt.Sprintf("name %d", rounds-1), DeviceOf(t, s, "21000001").Name)
	equal(t, "acts", rounds+1, len(whats(t, s)))
	all := append(SamplesOf(t, s, 1), SamplesOf(t, s, 2)...)
	equal(t, "samples", rounds+1, len(all))
	for id := range halley.ChannelID(2) {
		q := storage.BucketQuery{Channel: id + 1, From: Start, To: Start + halley.Day, Width: halley.Hour}
		checkBuckets(t, s, q, SamplesOf(t, s, id+1))
		_, err := s.RollUp(t.Context(), 100)
		must(t, "RollUp", err)
		checkBuckets(t, s, q, SamplesOf(t, s, id+1))
	}
}
