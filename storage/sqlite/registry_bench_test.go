package sqlite_test

import (
	"path/filepath"
	"testing"

	"halley/storage"
)

// BenchmarkRegistry reads all devices and channels of a fleet of 10,000 devices with four channels each, as a server does whenever
// devices change.
func BenchmarkRegistry(b *testing.B) {
	const devices = 10_000
	s := open(b, filepath.Join(b.TempDir(), "halley.db"))
	f := newFleet(s, devices)
	for range 4 {
		if _, err := s.Append(b.Context(), f.batch()); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		d, err := s.Devices(b.Context(), storage.DeviceFilter{})
		if err != nil {
			b.Fatal(err)
		}
		c, err := s.Channels(b.Context(), storage.ChannelFilter{})
		if err != nil {
			b.Fatal(err)
		}
		if len(d) != devices || len(c) != 4*devices {
			b.Fatalf("%d devices with %d channels, want %d with %d", len(d), len(c), devices, 4*devices)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/refresh")
}
