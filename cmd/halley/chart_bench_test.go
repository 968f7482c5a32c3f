package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"halley"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// What is charted: a channel that reports each minute for a year, beside others.
const (
	yearMinutes   = 366 * 24 * 60
	chartSerial   = "31000001"
	chartChannels = 2
	chartPoints   = 2000
	// others are the devices beside it, with as many channels each as fit the number of samples that is asked for.
	others        = 120
	otherChannels = 4
)

// BenchmarkChartOfAYear reads a channel-year of one-minute samples as 2,000 buckets from the running program, and reports how much
// longer it takes to group its raw rows with SQL in the same file. HALLEY_BENCH_SAMPLES says how many samples are stored in all, as
// a list such as 1000000,100000000.
func BenchmarkChartOfAYear(b *testing.B) {
	sizes := os.Getenv("HALLEY_BENCH_SAMPLES")
	if sizes == "" {
		sizes = "1100000,5000000"
	}
	for text := range strings.SplitSeq(sizes, ",") {
		size, err := strconv.Atoi(text)
		if err != nil {
			b.Fatalf("HALLEY_BENCH_SAMPLES: %v", err)
		}
		b.Run("samples="+text, func(b *testing.B) { chartOf(b, size) })
	}
}

func chartOf(b *testing.B, size int) {
	data := filepath.Join(b.TempDir(), "data")
	token := administrator(b, data)
	stored, bytes := fillYear(b, filepath.Join(data, "halley.db"), size)
	p := serving(b, data)
	a := newAPI(b, p, token)
	var list struct {
		Devices []struct{ Channels []struct{ ID int64 } }
	}
	if err := a.ask(b.Context(), http.MethodGet, "/devices?serial="+chartSerial, &list); err != nil || len(list.Devices) != 1 {
		b.Fatalf("devices: %+v, %v", list, err)
	}
	from := storagetest.Start
	to := from + 365*halley.Day
	path := fmt.Sprintf("/channels/%d/samples?from=%s&to=%s&points=%d", list.Devices[0].Channels[0].ID, from, to, chartPoints)
	var chart struct {
		Count []int
	}
	if err := a.ask(b.Context(), http.MethodGet, path, &chart); err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, a.base+path, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	var took []time.Duration
	for b.Loop() {
		took = append(took, roundTrip(b, a.client, r))
	}
	grouped := groupInSQL(b, filepath.Join(data, "halley.db"), from, to)
	p.stop(b)
	samples := 0
	for _, n := range chart.Count {
		samples += n
	}
	if samples != 365*24*60 {
		b.Fatalf("the chart shows %d samples, want those of 365 days", samples)
	}
	slices.Sort(took)
	each := took[len(took)/2]
	b.ReportMetric(float64(grouped)/float64(each), "times-faster")
	b.ReportMetric(float64(each.Microseconds())/1000, "ms")
	b.ReportMetric(float64(grouped.Microseconds())/1000, "sql-ms")
	b.ReportMetric(float64(len(chart.Count)), "buckets")
	b.ReportMetric(float64(stored), "stored")
	b.ReportMetric(float64(bytes)/float64(stored), "B/sample")
	b.ReportMetric(0, "ns/op")
}

// roundTrip asks once and gives how long it took until the answer was here.
func roundTrip(b *testing.B, client *http.Client, r *http.Request) time.Duration {
	began := time.Now()
	answer, err := client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("the answer: %s, %v", answer.Status, err)
	}
	return time.Since(began)
}

// groupInSQL does the same with the database alone, three times, and gives the middle time.
func groupInSQL(b *testing.B, path string, from, to halley.Millis) time.Duration {
	db := database(b, path)
	var took []time.Duration
	for range 3 {
		began := time.Now()
		readAll(b, db, `SELECT measured_at / ?, count(v1), min(v1), max(v1), sum(v1) FROM message
			WHERE device_id = (SELECT device_id FROM device WHERE serial = ?) AND measured_at >= ? AND measured_at < ? GROUP BY 1`,
			int64((to-from)/chartPoints), chartSerial, int64(from), int64(to))
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[1]
}

// readAll reads the buckets of a statement.
func readAll(b *testing.B, db *sql.DB, text string, args ...any) {
	rows, err := db.QueryContext(b.Context(), text, args...)
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
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}

// fillYear stores a year of the charted device and so many samples in all, in the order of time as a server would, and gives how
// many they are and the bytes of the file.
func fillYear(b *testing.B, path string, size int) (stored int, bytes int64) {
	b.Helper()
	s, err := sqlite.Open(b.Context(), sqlite.Options{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	y := year{feed: storagetest.NewFeed(s), charted: storagetest.WiFi(chartSerial, chartChannels)}
	for i := range others {
		y.others = append(y.others, storagetest.WiFi(fmt.Sprintf("%08d", 32_000_000+i), otherChannels))
	}
	// The others report every so many minutes, as often as the size asks for.
	rounds := max(size-yearMinutes*chartChannels, 0) / (others * otherChannels)
	for minute := range yearMinutes {
		y.minute(b, minute, (minute+1)*rounds/yearMinutes-minute*rounds/yearMinutes)
	}
	y.feed.Append(b, y.uploads...)
	lease := storagetest.Maintenance(b, s)
	for left := 1; left > 0; {
		if left, err = s.RollUp(b.Context(), lease, 1000); err != nil {
			b.Fatal(err)
		}
	}
	info, err := s.Info(context.WithoutCancel(b.Context()))
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return y.stored, info.Bytes
}

// year is what is filled in.
type year struct {
	feed    *storagetest.Feed
	charted *storagetest.Device
	others  []*storagetest.Device
	uploads []storage.Upload
	stored  int
}

// minute adds the messages of one minute; the others report so many times in it.
func (y *year) minute(b *testing.B, minute, times int) {
	at := storagetest.Start + halley.Millis(minute)*halley.Minute
	y.uploads = append(y.uploads, y.charted.Upload(0, y.charted.Message(at, value(minute))))
	y.stored += chartChannels
	for n := range times {
		for i, d := range y.others {
			y.uploads = append(y.uploads, d.Upload(0, d.Message(at+halley.Millis(n)*halley.Second, value(minute+i))))
			y.stored += otherChannels
		}
	}
	if len(y.uploads) >= 20_000/otherChannels {
		y.feed.Append(b, y.uploads...)
		y.uploads = y.uploads[:0]
	}
}

// value gives a plausible reading with one decimal.
func value(n int) float64 { return float64(180+n*31%97) / 10 }
