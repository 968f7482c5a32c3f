package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"halley/storage"
	"halley/storage/internal/sqlkit"
	"halley/storage/ledger"
	"halley/storage/ledger/verify"
)

// BenchmarkVerify reports at what rate a store is verified, all of it, and that as a ratio to reading the same columns of the same
// rows with database/sql; rollups-ratio is with the rollups checked too. MB-heap is the most heap that verifying had in use. The store
// holds two million samples of 200 devices, or as many as HALLEY_BENCH_VERIFY says.
func BenchmarkVerify(b *testing.B) {
	const devices, channels = 200, 4
	samples := 2_000_000
	if text := os.Getenv("HALLEY_BENCH_VERIFY"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		samples = n
	}
	path := filepath.Join(b.TempDir(), "halley.db")
	s := open(b, path)
	f := newFleet(s, devices)
	f.append(b, s, samples/channels, 5000)
	for left := 1; left > 0; {
		left = 0
		lease, held, err := s.TakeLease(b.Context(), "maintenance", "bench", time.Hour)
		if err == nil && held {
			left, err = s.RollUp(b.Context(), lease, 1000)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	db := foreign(b, path)
	var plain, rows, rollups time.Duration
	var heap uint64
	for b.Loop() {
		begin := time.Now()
		readPlain(b, db)
		plain += time.Since(begin)
		took, most := verified(b, s, nil, int64(samples))
		rows, heap = rows+took, max(heap, most)
		took, _ = verified(b, s, func(ctx context.Context, d ledger.Device, day int64) ([]verify.RollupFault, error) {
			faults, err := s.RollupFaults(ctx, d.ID, day)
			return make([]verify.RollupFault, len(faults)), err
		}, int64(samples))
		rollups += took
	}
	b.ReportMetric(float64(samples)*float64(b.N)/rows.Seconds(), "samples/s")
	b.ReportMetric(plain.Seconds()/rows.Seconds(), "ratio")
	b.ReportMetric(plain.Seconds()/rollups.Seconds(), "rollups-ratio")
	b.ReportMetric(float64(heap)/1e6, "MB-heap")
}

// verified verifies a store that must be as it was recorded, and gives how long that took and the most heap in use meanwhile.
func verified(b *testing.B, s storage.Store, rollups func(context.Context, ledger.Device, int64) ([]verify.RollupFault, error), samples int64) (took time.Duration, heap uint64) {
	b.Helper()
	runtime.GC()
	begin := time.Now()
	r, err := verify.Run(b.Context(), verify.Options{Source: s, Rollups: rollups, Tell: func(verify.Progress) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		heap = max(heap, m.HeapInuse)
	}})
	if err != nil {
		b.Fatal(err)
	}
	if r.Count != 0 || r.Samples != samples {
		b.Fatalf("%d findings in %d samples, want none in %d: %v", r.Count, r.Samples, samples, r.Findings[:min(len(r.Findings), 3)])
	}
	return time.Since(begin), heap
}

// readPlain reads all of message as a program would that only reads it.
func readPlain(b *testing.B, db *sql.DB) {
	b.Helper()
	columns := sqlkit.MessageTable().Columns
	rows, err := db.QueryContext(b.Context(), "SELECT "+strings.Join(columns, ", ")+" FROM message")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	numbers, values := make([]sql.NullInt64, len(columns)), make([]sql.NullFloat64, len(columns))
	dest := make([]any, len(columns))
	for i, name := range columns {
		dest[i] = &numbers[i]
		if strings.HasPrefix(name, "v") && len(name) == 2 {
			dest[i] = &values[i]
		}
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}
