package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/storagetest"
)

// foreign opens the file as any SQLite tool would, without Halley's settings.
func foreign(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// table gives the rows of a query as texts, a row a line, columns parted by "|".
func table(t testing.TB, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for rows.Next() {
		values := make([]sql.NullString, len(names))
		dest := make([]any, len(names))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if i > 0 {
				b.WriteString("|")
			}
			b.WriteString(v.String)
		}
		b.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// fill stores a device of ten channels, so that two parts are used, with a late test message.
func fill(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "halley.db")
	s := open(t, path)
	d := storagetest.WiFi("21000001", 10)
	d.Channels[9] = halley.Reading{Number: 10, Name: "RH", Quantity: halley.Humidity, Unit: "%RH", Decimals: 1}
	f := storagetest.NewFeed(s)
	m := d.Message(storagetest.Start+7, 20.5)
	m.Kind = halley.TestMessage
	m.Readings[0].Quality = halley.QualityOf(halley.Good, 0).WithAlarms(halley.AlarmHigh, halley.AlarmActive)
	m.Readings[1].Quality = halley.QualityOf(halley.SensorError, 53)
	m.Readings[9].Quality = halley.QualityOf(halley.BelowRange, 0).WithAlarms(halley.AlarmNone, halley.AlarmLow)
	late := d.Upload(0, m)
	late.ReceivedAt = storagetest.Start + 999
	late.ReceivedAt += 3 * halley.Minute
	f.Append(t, late)
	d.Channels = d.Channels[9:]
	d.Channels[0].Name = "Humidity"
	f.Append(t, d.Upload(0, d.Message(storagetest.Start+halley.Minute, 44)))
	return path
}

func TestViewsSayWhatIsStored(t *testing.T) {
	t.Parallel()
	db := foreign(t, fill(t))
	for _, c := range []struct{ name, query, want string }{
		{"samples of both parts", `SELECT device_id, device_family, device_serial, channel_id, channel_number, channel_name, quantity, unit,
			measured_at, measured_ms, value, quality, quality_code, received_at, received_ms, variant, batch_id, seq, decoder
			FROM samples WHERE channel_id IN (1, 2, 10) ORDER BY measured_ms, channel_id`, `` +
			`1|wifi|21000001|1|1|Channel|temperature|°C|2026-06-01T00:00:00.007Z|1780272000007|20.5|good alarm1-high alarm2 test late|286720|` +
			"2026-06-01T00:03:00.999Z|1780272180999|0|1|1|1\n" +
			`1|wifi|21000001|2|2|Channel|temperature|°C|2026-06-01T00:00:00.007Z|1780272000007||error-53 test late|262993|` +
			"2026-06-01T00:03:00.999Z|1780272180999|0|1|1|1\n" +
			`1|wifi|21000001|10|10|RH|humidity|%RH|2026-06-01T00:00:00.007Z|1780272000007||below-range alarm2-low test late|311299|` +
			"2026-06-01T00:03:00.999Z|1780272180999|0|1|1|1\n" +
			`1|wifi|21000001|10|10|Humidity|humidity|%RH|2026-06-01T00:01:00.000Z|1780272060000|44|good|0|` +
			"2026-06-01T00:01:02.000Z|1780272062000|0|2|2|1\n"},
		{"all samples", "SELECT COUNT(*) FROM samples", "11\n"},
		{"latest", "SELECT channel_id, measured_at, value FROM latest", "10|2026-06-01T00:01:00.000Z|44\n"},
		{"devices", "SELECT * FROM devices", "1|wifi|21000001|W3710|Sensor 21000001|accepted|2026-06-01T00:03:00.999Z|1780272180999|1|Sensor 21000001|0|1|/\n"},
		{
			"channels", "SELECT * FROM channels WHERE channel_id >= 9 ORDER BY 1",
			"9|1|wifi|21000001|9|Channel|temperature|°C|1|1\n10|1|wifi|21000001|10|Humidity|humidity|%RH|1|0\n",
		},
	} {
		if diff := cmp.Diff(c.want, table(t, db, c.query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestViewWordsAreThoseOfQuality holds the view's own words to halley.Quality, and its times to halley.Millis.
func TestViewWordsAreThoseOfQuality(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "halley.db")
	s := open(t, path)
	d := storagetest.WiFi("21000001", 8)
	f := storagetest.NewFeed(s)
	var uploads []storage.Upload
	var want strings.Builder
	at := []halley.Millis{
		halley.EarliestMillis, halley.EarliestMillis + 1, storagetest.Start + 1, storagetest.Start + 499, storagetest.Start + 999,
		storagetest.Start + 86_399_999, halley.LatestMillis - 1,
	}
	for i := range 200 {
		when := halley.Millis(i) * 7_919_001
		if i < len(at) {
			when = at[i]
		} else {
			when += storagetest.Start + halley.Day
		}
		m := d.Message(when, 1)
		m.Interval, m.Buffer = []int{0, 10, 60, 3600}[i%4], i%3
		for j := range m.Readings {
			k := i*8 + j
			m.Readings[j].Quality = halley.QualityOf(halley.Reason(k%6), uint8(k)).
				WithAlarms(halley.AlarmMark(k/6%4), halley.AlarmMark(k/24%4)) | halley.Quality(k/96%8)<<16
		}
		u := d.Upload(0, m)
		u.ReceivedAt = min(max(when+halley.Millis(i)*halley.Minute-50*halley.Second, halley.EarliestMillis), halley.LatestMillis-1)
		uploads = append(uploads, u)
	}
	f.Append(t, uploads...)
	for _, u := range uploads {
		m := u.Messages[0]
		late := halley.Late(m.Sample, u.ReceivedAt, m.Interval, m.Buffer)
		for j, r := range m.Readings {
			fmt.Fprintf(&want, "%d|%d|%s|%s|%s\n", u.Seq, j+1, m.Sample, u.ReceivedAt, r.Quality.Words(late))
		}
	}
	got := table(t, foreign(t, path), "SELECT seq, channel_number, measured_at, received_at, quality FROM samples ORDER BY seq, channel_number")
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
}

func TestViewsSeekByKey(t *testing.T) {
	t.Parallel()
	db := foreign(t, fill(t))
	for _, query := range []string{
		"SELECT * FROM samples WHERE channel_id = 1 AND measured_ms >= 5 AND measured_ms < 10",
		"SELECT * FROM samples WHERE device_id = 1 AND measured_ms >= 5 AND measured_ms < 10",
		"SELECT * FROM latest",
	} {
		plan := table(t, db, "EXPLAIN QUERY PLAN "+query)
		if strings.Contains(plan, "SCAN m") || strings.Contains(plan, "SCAN h") || strings.Contains(plan, "MATERIALIZE") {
			t.Errorf("%s reads all messages:\n%s", query, plan)
		}
	}
}

func TestForeignToolsCannotChangeWhatIsStored(t *testing.T) {
	t.Parallel()
	path := fill(t)
	db := foreign(t, path)
	all := func() string {
		return table(t, db, "SELECT * FROM message") + table(t, db, "SELECT * FROM batch") + table(t, db, "SELECT * FROM audit") +
			table(t, db, "SELECT * FROM layout") + table(t, db, "SELECT * FROM layout_slot")
	}
	before := all()
	for _, name := range []string{"message", "batch", "audit", "layout", "layout_slot"} {
		for _, statement := range []string{
			"DELETE FROM " + name,
			"UPDATE " + name + " SET rowid = rowid + 1000",
			"INSERT OR REPLACE INTO " + name + " SELECT * FROM " + name,
		} {
			if name == "message" || name == "layout_slot" {
				statement = strings.Replace(statement, "rowid = rowid + 1000", "layout_id = layout_id + 1", 1)
			}
			_, err := db.ExecContext(t.Context(), statement)
			if err == nil && (name != "message" || !strings.HasPrefix(statement, "INSERT")) {
				t.Errorf("%s succeeded", statement)
			}
		}
	}
	_, err := db.ExecContext(t.Context(), `INSERT OR REPLACE INTO message (device_id, measured_at, variant, part, batch_id, layout_id, v1, q1)
		SELECT device_id, measured_at, variant, part, batch_id, layout_id, 99, 0 FROM message WHERE part = 0`)
	if err != nil {
		t.Errorf("replacing a message: %v", err)
	}
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Errorf("what is stored has changed (-want +got):\n%s", diff)
	}
}

func TestLateNamesHoldUpToTheNextMessage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "halley.db")
	f := storagetest.NewFeed(open(t, path))
	d := storagetest.WiFi("21000001", 1)
	for _, m := range []struct {
		name   string
		minute halley.Millis
	}{{"A", 10}, {"B", 20}, {"A", 15}, {"C", 12}, {"B", 19}} {
		d.Channels[0].Name = m.name
		f.Append(t, d.Upload(0, d.Message(storagetest.Start+m.minute*halley.Minute, 1)))
	}
	want := "600000|A\n720000|C\n900000|A\n1140000|B\n1200000|B\n"
	got := table(t, foreign(t, path), "SELECT from_at - 1780272000000, name FROM channel_description ORDER BY from_at")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("channel_description (-want +got):\n%s", diff)
	}
}
