package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"halley"
	"halley/storage"
	"halley/storage/storagetest"
)

// BenchmarkBucketsOfAYear reads a channel-year of one-minute samples as 2,000 buckets, and reports how much longer SQL takes
// that groups the raw rows. With others=N so many devices more are stored.
func BenchmarkBucketsOfAYear(b *testing.B) {
	for _, others := range []int{0, 3} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "halley.db")
			s := open(b, path)
			f := storagetest.NewFeed(s)
			var devices []*storagetest.Device
			for i := range others + 1 {
				devices = append(devices, storagetest.WiFi(fmt.Sprintf("%08d", 21_000_001+i), 1))
			}
			const minutes = 366 * 24 * 60
			var uploads []storage.Upload
			for i := range minutes {
				at := storagetest.Start + halley.Millis(i)*halley.Minute
				for _, d := range devices {
					uploads = append(uploads, d.Upload(0, d.Message(at, float64(180+i*31%97)/10)))
				}
				if len(uploads) >= 20_000 || i == minutes-1 {
					f.Append(b, uploads...)
					uploads = nil
				}
			}
			lease, _, err := s.TakeLease(b.Context(), "bench", "bench", time.Hour)
			if err != nil {
				b.Fatal(err)
			}
			for left := 1; left > 0; {
				if left, err = s.RollUp(b.Context(), lease, 1000); err != nil {
					b.Fatal(err)
				}
			}
			q := storage.BucketQuery{
				Channel: 1, From: storagetest.Start + 17*halley.Minute, To: storagetest.Start + 365*halley.Day + 17*halley.Minute,
				Width: 5 * halley.Hour,
			}
			begin := time.Now()
			table(b, foreign(b, path), fmt.Sprintf(`SELECT measured_at / %d, COUNT(v1), MIN(v1), MAX(v1), SUM(v1) FROM message
				WHERE device_id = 1 AND measured_at >= %d AND measured_at < %d GROUP BY 1`, q.Width, q.From, q.To))
			grouped := time.Since(begin)
			n, buckets := 0, 0
			begin = time.Now()
			for b.Loop() {
				list, err := s.Buckets(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				buckets = len(list)
				n++
			}
			each := time.Since(begin) / time.Duration(n)
			b.ReportMetric(float64(grouped)/float64(each), "times-faster")
			b.ReportMetric(float64(buckets), "buckets")
		})
	}
}
