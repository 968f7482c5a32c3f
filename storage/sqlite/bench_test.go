package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"halley"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// fleet makes batches of 20,000 samples: devices of four channels that report each minute, one after the other.
type fleet struct {
	devices []*storagetest.Device
	feed    *storagetest.Feed
	at      halley.Millis
	next    int
	decimal int
}

func newFleet(s storage.Store, devices int) *fleet {
	f := &fleet{feed: storagetest.NewFeed(s), at: storagetest.Start}
	for i := range devices {
		d := storagetest.WiFi(fmt.Sprintf("%08d", 20_000_000+i), 4)
		f.devices = append(f.devices, d)
	}
	return f
}

func (f *fleet) batch() storage.Batch { return f.batchOf(5000) }

func (f *fleet) batchOf(messages int) storage.Batch {
	uploads := make([]storage.Upload, 0, messages)
	for range messages {
		d := f.devices[f.next]
		f.decimal = (f.decimal*31 + 7) % 97
		uploads = append(uploads, d.Upload(0, d.Message(f.at, float64(180+f.decimal)/10)))
		f.next++
		if f.next == len(f.devices) {
			f.next, f.at = 0, f.at+halley.Minute
		}
	}
	return f.feed.Batch(uploads...)
}

func diskBytes(tb testing.TB, path string) int64 {
	tb.Helper()
	info, err := os.Stat(path)
	if err != nil {
		tb.Fatal(err)
	}
	return info.Size()
}

// rowPerSample is what Append is held against: a prepared statement that inserts one row a sample, in the same order and the
// same batches, into a table that is as simple as can be.
type rowPerSample struct {
	db *sql.DB
}

func newRowPerSample(tb testing.TB, path string) *rowPerSample {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
		"&_pragma=cache_size(-32000)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(tb.Context(), `CREATE TABLE sample (channel_id INTEGER NOT NULL, measured_at INTEGER NOT NULL,
		value REAL, quality INTEGER NOT NULL, PRIMARY KEY (channel_id, measured_at)) WITHOUT ROWID`); err != nil {
		tb.Fatal(err)
	}
	return &rowPerSample{db: db}
}

func (r *rowPerSample) append(ctx context.Context, b *storage.Batch, ids map[string]int64) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	st, err := tx.PrepareContext(ctx, "INSERT INTO sample VALUES (?, ?, ?, ?)")
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	defer func() { _ = st.Close() }()
	for i := range b.Uploads {
		u := &b.Uploads[i]
		first, ok := ids[u.Serial]
		if !ok {
			first = int64(len(ids) * 4)
			ids[u.Serial] = first
		}
		for j := range u.Messages {
			for k := range u.Messages[j].Readings {
				rd := &u.Messages[j].Readings[k]
				if _, err := st.Exec(first+int64(k), int64(u.Messages[j].Sample), rd.Value, int64(rd.Quality)); err != nil {
					return err
				}
			}
		}
	}
	return tx.Commit()
}

// BenchmarkAppend reports samples a second, rollups included, and their ratio to a row a sample.
func BenchmarkAppend(b *testing.B) {
	for _, devices := range []int{200, 1000, 10_000} {
		b.Run(fmt.Sprintf("devices=%d", devices), func(b *testing.B) {
			dir := b.TempDir()
			path := filepath.Join(dir, "halley.db")
			s, err := sqlite.Open(b.Context(), sqlite.Options{Path: path})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			plain := newRowPerSample(b, filepath.Join(dir, "plain.db"))
			f, ids := newFleet(s, devices), map[string]int64{}
			var ours, theirs time.Duration
			samples := 0
			// The first batches make the devices.
			for range (devices + 4999) / 5000 {
				batch := f.batch()
				if _, err := s.Append(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				if err := plain.append(b.Context(), &batch, ids); err != nil {
					b.Fatal(err)
				}
				samples += 20_000
			}
			n := 0
			for b.Loop() {
				batch := f.batch()
				begin := time.Now()
				if _, err := s.Append(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(begin)
				begin = time.Now()
				if err := plain.append(b.Context(), &batch, ids); err != nil {
					b.Fatal(err)
				}
				theirs += time.Since(begin)
				samples += 20_000
				n++
			}
			b.ReportMetric(float64(n)*20_000/ours.Seconds(), "samples/s")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
			b.ReportMetric(float64(diskBytes(b, path))/float64(samples), "B/sample")
			b.ReportMetric(float64(diskBytes(b, filepath.Join(dir, "plain.db")))/float64(samples), "plainB/sample")
		})
	}
}

// BenchmarkBytes reports the bytes on disk, and given to write calls, for each sample of 200 devices of four channels that report
// each minute: in the batches of ten seconds that a server makes of them, and in large ones as after an outage.
func BenchmarkBytes(b *testing.B) {
	const devices, hours = 200, 6
	for _, messages := range []int{devices / 6, 5000} {
		b.Run(fmt.Sprintf("messages=%d", messages), func(b *testing.B) {
			for range b.N {
				path := filepath.Join(b.TempDir(), "halley.db")
				s := open(b, path)
				f := newFleet(s, devices)
				f.append(b, s, devices, messages)
				disk, written := diskBytes(b, path), bytesWritten(b)
				f.append(b, s, hours*60*devices, messages)
				run(b, path, "PRAGMA wal_checkpoint(PASSIVE)")
				samples := float64(hours * 60 * devices * 4)
				b.ReportMetric(float64(diskBytes(b, path)-disk)/samples, "B/sample")
				b.ReportMetric(float64(bytesWritten(b)-written)/samples, "written/sample")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// append stores so many messages of the fleet in batches of a size.
func (f *fleet) append(b *testing.B, s storage.Store, messages, size int) {
	b.Helper()
	for left := messages; left > 0; left -= size {
		batch := f.batchOf(min(size, left))
		if _, err := s.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}

// bytesWritten gives what this process has given to write calls so far, files and all else; 0 where the system does not tell.
func bytesWritten(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "wchar: "); found {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	return 0
}
