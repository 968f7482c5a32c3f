package sqlserver_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
	"halley/storage"
	"halley/storage/sqlserver"
	"halley/storage/storagetest"
)

// benchSite is a database for one benchmark.
type benchSite struct {
	store *sqlserver.Store
	// raw reaches the same database beside the store.
	raw *sql.DB
}

// newBenchSite makes a database on the server that HALLEY_TEST_SQLSERVER names, and drops it at the end.
func newBenchSite(b *testing.B) *benchSite {
	b.Helper()
	text := os.Getenv("HALLEY_TEST_SQLSERVER")
	if text == "" {
		b.Skip("SQL Server was not measured: HALLEY_TEST_SQLSERVER is not set")
	}
	dsn, err := url.Parse(text)
	if err != nil {
		b.Fatal("HALLEY_TEST_SQLSERVER is no DSN")
	}
	open := func(database string) (string, *sql.DB) {
		own := *dsn
		query := own.Query()
		query.Set("database", database)
		own.RawQuery = query.Encode()
		db, err := sql.Open("sqlserver", own.String())
		if err != nil {
			b.Fatal("HALLEY_TEST_SQLSERVER cannot be opened")
		}
		b.Cleanup(func() { _ = db.Close() })
		return own.String(), db
	}
	_, admin := open("master")
	name := "halley_bench_" + strings.ToLower(rand.Text()[:12])
	run(b, admin, "CREATE DATABASE "+name)
	b.Cleanup(func() {
		if _, err := admin.ExecContext(context.WithoutCancel(b.Context()), "DROP DATABASE "+name); err != nil {
			b.Errorf("dropping the database of the benchmark: %v", err)
		}
	})
	own, raw := open(name)
	options := sqlserver.Options{DSN: halley.Secret(own)}
	if _, err := sqlserver.Init(b.Context(), options, sqlserver.InitOptions{}); err != nil {
		b.Fatal(err)
	}
	store, err := sqlserver.Open(b.Context(), options)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	return &benchSite{store: store, raw: raw}
}

func run(b *testing.B, db *sql.DB, text string, args ...any) {
	b.Helper()
	if _, err := db.ExecContext(b.Context(), text, args...); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAppend reports how fast batches of 20,000 samples, of 200 devices of four channels that report each minute, are stored
// with their rollups, as a ratio to a bare bulk copy of the same rows into a table like theirs, in turns.
func BenchmarkAppend(b *testing.B) {
	const devices, messages, channels = 200, 5000, 4
	s := newBenchSite(b)
	run(b, s.raw, "SELECT TOP (0) * INTO dbo.plain FROM halley.message")
	run(b, s.raw, "ALTER TABLE dbo.plain ADD CONSTRAINT pk_plain PRIMARY KEY (device_id, measured_at, variant, part)")
	feed := storagetest.NewFeed(s.store)
	fleet := make([]*storagetest.Device, devices)
	for i := range fleet {
		fleet[i] = storagetest.WiFi(fmt.Sprintf("%08d", 20_000_000+i), channels)
	}
	at, next := storagetest.Start, 0
	batch := func() storage.Batch {
		uploads := make([]storage.Upload, 0, messages)
		for range messages {
			d := fleet[next]
			uploads = append(uploads, d.Upload(0, d.Message(at, float64(180+len(uploads)*31%97)/10)))
			next++
			if next == devices {
				next, at = 0, at+halley.Minute
			}
		}
		return feed.Batch(uploads...)
	}
	// The first batch makes the devices, and both sides ready.
	s.both(b, batch())
	var ours, theirs []time.Duration
	for b.Loop() {
		stored, copied := s.both(b, batch())
		ours, theirs = append(ours, stored), append(theirs, copied)
	}
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = theirs[i].Seconds() / ours[i].Seconds()
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	slices.Sort(ratios)
	const samples = messages * channels
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(samples/ours[len(ours)/2].Seconds(), "samples/s")
	b.ReportMetric(samples/theirs[len(theirs)/2].Seconds(), "plain-samples/s")
	b.ReportMetric(0, "ns/op")
}

// both stores a batch and then copies its rows, each as one transaction, and says how long each took.
func (s *benchSite) both(b *testing.B, batch storage.Batch) (stored, copied time.Duration) {
	b.Helper()
	began := time.Now()
	done, err := s.store.Append(b.Context(), batch)
	if err != nil {
		b.Fatal(err)
	}
	stored = time.Since(began)
	if done.Messages != len(batch.Uploads) {
		b.Fatalf("of %d messages %d were stored", len(batch.Uploads), done.Messages)
	}
	columns, rows := s.rows(b, done.BatchID)
	if len(rows) != done.Messages {
		b.Fatalf("of %d messages %d are in the table", done.Messages, len(rows))
	}
	began = time.Now()
	s.copy(b, columns, rows)
	return stored, time.Since(began)
}

// rows reads what a batch stored, in the order of its key.
func (s *benchSite) rows(b *testing.B, batch int64) (columns []string, rows [][]any) {
	b.Helper()
	found, err := s.raw.QueryContext(b.Context(),
		"SELECT * FROM halley.message WHERE batch_id = @batch ORDER BY device_id, measured_at, variant, part", sql.Named("batch", batch))
	if err != nil {
		b.Fatal(err)
	}
	defer found.Close()
	if columns, err = found.Columns(); err != nil {
		b.Fatal(err)
	}
	for found.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := found.Scan(into...); err != nil {
			b.Fatal(err)
		}
		rows = append(rows, row)
	}
	if err := found.Err(); err != nil {
		b.Fatal(err)
	}
	return columns, rows
}

// copy is what Append is held against: a bulk copy and nothing else, in a transaction.
func (s *benchSite) copy(b *testing.B, columns []string, rows [][]any) {
	b.Helper()
	tx, err := s.raw.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	into, err := tx.PrepareContext(b.Context(), mssql.CopyIn("dbo.plain", mssql.BulkOptions{}, columns...))
	if err != nil {
		b.Fatal(err)
	}
	defer into.Close()
	for _, row := range rows {
		if _, err := into.ExecContext(b.Context(), row...); err != nil {
			b.Fatal(err)
		}
	}
	// Without values it sends what is left and tells of errors.
	if _, err := into.ExecContext(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBucketsOfAYear reads a channel-year of one-minute samples as at most 2,000 buckets, and reports how much longer SQL
// takes that groups the raw rows of the channel into the same buckets.
func BenchmarkBucketsOfAYear(b *testing.B) {
	const minutes, perBatch, width = 366 * 24 * 60, 20_000, 5 * halley.Hour
	s := newBenchSite(b)
	feed, d := storagetest.NewFeed(s.store), storagetest.WiFi("21000001", 1)
	var uploads []storage.Upload
	for i := range minutes {
		at := storagetest.Start + halley.Millis(i)*halley.Minute
		uploads = append(uploads, d.Upload(0, d.Message(at, float64(180+i*31%97)/10)))
		if len(uploads) == perBatch || i == minutes-1 {
			feed.Append(b, uploads...)
			uploads = uploads[:0]
		}
	}
	lease := storagetest.Maintenance(b, s.store)
	for left := 1; left > 0; {
		var err error
		if left, err = s.store.RollUp(b.Context(), lease, 200); err != nil {
			b.Fatal(err)
		}
	}
	q := storage.BucketQuery{
		Channel: storagetest.ChannelsOf(b, s.store, "21000001")[0].ID, From: storagetest.Start,
		To: storagetest.Start + 365*halley.Day, Width: width,
	}
	var grouped []time.Duration
	want := 0
	for range 3 {
		began := time.Now()
		want = s.group(b, q)
		grouped = append(grouped, time.Since(began))
	}
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		list, err := s.store.Buckets(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
		if len(list) != want || want > 2000 {
			b.Fatalf("%d buckets, SQL finds %d", len(list), want)
		}
	}
	slices.Sort(grouped)
	slices.Sort(took)
	b.ReportMetric(float64(grouped[1])/float64(took[len(took)/2]), "times-faster")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms")
	b.ReportMetric(float64(grouped[1].Microseconds())/1000, "sql-ms")
	b.ReportMetric(float64(want), "buckets")
	b.ReportMetric(0, "ns/op")
}

// group is what Buckets is held against: the same buckets from the raw rows, by SQL alone. It gives how many there are.
func (s *benchSite) group(b *testing.B, q storage.BucketQuery) (buckets int) {
	b.Helper()
	rows, err := s.raw.QueryContext(b.Context(), `SELECT measured_at / @width, COUNT_BIG(v1), MIN(v1), MAX(v1), SUM(v1) FROM halley.message
		WHERE device_id = (SELECT device_id FROM halley.channel WHERE channel_id = @channel) AND measured_at >= @from AND measured_at < @to
		GROUP BY measured_at / @width ORDER BY 1`,
		sql.Named("width", int64(q.Width)), sql.Named("channel", int64(q.Channel)), sql.Named("from", int64(q.From)), sql.Named("to", int64(q.To)))
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var bucket, count int64
		var low, high, sum float64
		if err := rows.Scan(&bucket, &count, &low, &high, &sum); err != nil {
			b.Fatal(err)
		}
		buckets++
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return buckets
}
