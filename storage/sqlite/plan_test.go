package sqlite_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/storagetest"
)

// TestStartDoesNotLookAtEveryDeviceForEachOfABatch holds loading to seeks: it was once each device of a family for each serial
// number of the batch.
func TestStartDoesNotLookAtEveryDeviceForEachOfABatch(t *testing.T) {
	t.Parallel()
	db := foreign(t, fill(t))
	for _, c := range []struct{ name, query, want string }{
		{"devices by serial number", `SELECT d.device_id FROM json_each('["1"]') l CROSS JOIN device d
			WHERE d.family = 'wifi' AND d.serial = l.value`, "(family=? AND serial=?)"},
		{"days that are wrong", "SELECT day FROM completeness_day WHERE batch_id = -1 AND day < 9 ORDER BY day", "completeness_day_by_batch"},
		{"the newest day that was counted", "SELECT MAX(day) FROM completeness_day", "completeness_day_by_day"},
		{"a journal's position", `SELECT b.last_seq FROM batch b WHERE b.journal_id = 'j'
			AND b.last_seq = (SELECT MAX(n.last_seq) FROM batch n WHERE n.journal_id = 'j')`, "(journal_id=? AND last_seq=?)"},
	} {
		if plan := table(t, db, "EXPLAIN QUERY PLAN "+c.query); !strings.Contains(plan, c.want) {
			t.Errorf("%s: the plan has no %q:\n%s", c.name, c.want, plan)
		}
	}
}

// BenchmarkStart appends the first batch after opening a store of many devices.
func BenchmarkStart(b *testing.B) {
	const devices = 5000
	path := filepath.Join(b.TempDir(), "halley.db")
	f := newFleet(open(b, path), devices)
	f.append(b, f.feed.Store, 2*devices, devices)
	for b.Loop() {
		b.StopTimer()
		s := open(b, path)
		f.at += halley.Minute
		var list []storage.Upload
		for i := range devices {
			d := storagetest.WiFi(fmt.Sprintf("%08d", 20_000_000+i), 4)
			list = append(list, d.Upload(0, d.Message(f.at, 20)))
		}
		batch := f.feed.Batch(list...)
		b.StartTimer()
		if _, err := s.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}
