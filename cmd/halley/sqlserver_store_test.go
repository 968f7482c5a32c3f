package main

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSQLServerTakesWhatAFleetSends makes an empty database ready, serves on it while devices of all families send, and holds the
// view that people read against what the devices sent.
func TestSQLServerTakesWhatAFleetSends(t *testing.T) {
	t.Parallel()
	s := newSite(t, onEngine(t), "north")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	// An option wins over the environment, and the password that it holds is not shown.
	if out := s.init(t, "--store", s.dsn.String()); !strings.Contains(out, "sqlserver") {
		t.Errorf("init does not say which store it made ready: %s", out)
	}
	before := s.rows(t)
	s.init(t)
	if diff := cmp.Diff(before, s.rows(t)); diff != "" {
		t.Errorf("a second init changed the rows of tables (-before +after):\n%s", diff)
	}

	s.asService(t).token = administrator(t, s.data, s.environ()...)
	p, a := s.begin(ctx, t)
	senders := calm(newSenders(12, newBoard(p.devices)))
	crowd := atWork(ctx, senders)
	simulated := words(t, "simulate", "--to", "http://"+p.devices, "--family", "all", "--devices", "8", "--interval", "0",
		"--messages", "5", "--cached", "20", "--errors", "0.1", "--alarms", "0.1", "--outages", "0.1", "--seed", "7")
	if out, err := simulated.CombinedOutput(); err != nil {
		t.Errorf("the simulated fleet: %v: %s", err, out)
	}
	until(ctx, t, a, "a few hundred recorded messages", func(s standing) bool { return s.Journal.Recorded > 400 })
	crowd.rest(t)
	a.flush(ctx, t)
	now := until(ctx, t, a, "a status that says which engine and schema it is, and how many samples it holds", func(s standing) bool {
		return s.Store.Engine != "" && s.Store.Schema > 0 && s.Store.Samples > 0
	})
	if now.Store.Kind != "sqlserver" || now.Store.State != "ok" || now.Store.Problem != "" {
		t.Errorf("the status of the store is %+v", now.Store)
	}
	s.seesEveryDevice(ctx, t, a)
	p.stop(t)
	o := s.account(t, senders)
	if o.acknowledged < 100 {
		t.Errorf("few messages were sent: %v", o)
	}
	s.isVerified(t)
	t.Logf("%v", o)
}

// rows counts the rows of each table of the database.
func (s *site) rows(tb testing.TB) map[string]int64 {
	tb.Helper()
	db := openSQLServer(tb, s.database)
	names, err := db.QueryContext(tb.Context(), `SELECT TABLE_SCHEMA, TABLE_NAME FROM INFORMATION_SCHEMA.TABLES
		WHERE TABLE_SCHEMA = 'halley' AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME`)
	if err != nil {
		tb.Fatal(err)
	}
	defer names.Close()
	var tables []string
	for names.Next() {
		var schema, name string
		if err := names.Scan(&schema, &name); err != nil {
			tb.Fatal(err)
		}
		tables = append(tables, "["+schema+"].["+name+"]")
	}
	if err := names.Err(); err != nil {
		tb.Fatal(err)
	}
	if len(tables) == 0 {
		tb.Fatal("the schema halley has no table")
	}
	counts := map[string]int64{}
	for _, table := range tables {
		var n int64
		if err := db.QueryRowContext(tb.Context(), "SELECT COUNT_BIG(*) FROM "+table).Scan(&n); err != nil {
			tb.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

// seesEveryDevice holds the views devices, channels, latest and samples against one another and against the API.
func (s *site) seesEveryDevice(ctx context.Context, t *testing.T, a *api) {
	t.Helper()
	var list struct {
		Devices []struct {
			Serial   string
			Channels []struct{ ID int64 }
		}
	}
	if err := a.ask(ctx, http.MethodGet, "/devices?limit=500", &list); err != nil {
		t.Fatal(err)
	}
	shown := map[string]int{}
	for _, d := range list.Devices {
		shown[d.Serial] = len(d.Channels)
	}
	db := openSQLServer(t, s.database)
	count := func(text string) map[string]int {
		t.Helper()
		rows, err := db.QueryContext(ctx, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		defer rows.Close()
		counts := map[string]int{}
		for rows.Next() {
			var serial string
			var n int
			if err := rows.Scan(&serial, &n); err != nil {
				t.Fatal(err)
			}
			counts[serial] = n
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return counts
	}
	for what, text := range map[string]string{
		"channels": "SELECT device_serial, COUNT(*) FROM halley.channels WHERE ended = 0 GROUP BY device_serial",
		"latest":   "SELECT device_serial, COUNT(*) FROM halley.latest GROUP BY device_serial",
		"samples": `SELECT s.device_serial, COUNT(DISTINCT s.channel_id) FROM halley.samples s
			JOIN halley.channels c ON c.channel_id = s.channel_id AND c.ended = 0 GROUP BY s.device_serial`,
	} {
		if diff := cmp.Diff(shown, count(text)); diff != "" {
			t.Errorf("channels of each device in the view %s (-API +view):\n%s", what, diff)
		}
	}
	known := count("SELECT device_serial, COUNT(*) FROM halley.devices GROUP BY device_serial")
	for serial := range shown {
		if known[serial] != 1 {
			t.Errorf("device %s is %d times in the view devices", serial, known[serial])
		}
	}
}

// TestSQLServerHasTheColumnsOfTheViews reads every column that customers' own tools rely on.
func TestSQLServerHasTheColumnsOfTheViews(t *testing.T) {
	t.Parallel()
	s := newSite(t, onEngine(t), "north")
	s.init(t)
	db := openSQLServer(t, s.database)
	for _, text := range []string{
		`SELECT device_serial, channel_number, channel_name, quantity, unit, measured_at, value, quality, received_at FROM halley.samples`,
		`SELECT * FROM halley.latest`,
		`SELECT * FROM halley.devices`,
		`SELECT * FROM halley.channels`,
		`SELECT * FROM halley.places`,
		`SELECT * FROM halley.alarms`,
		`SELECT * FROM halley.completeness`,
	} {
		if n, err := countRows(t, db, text); err != nil || n != 0 {
			t.Errorf("%s gives %d rows of an empty database, %v", text, n, err)
		}
	}
}

// countRows runs a query and says how many rows it gives.
func countRows(t *testing.T, db *sql.DB, text string) (n int, err error) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

// TestSQLServerShowsTheSameThroughTheAPI runs the whole program as on the embedded store, against the same answers.
func TestSQLServerShowsTheSameThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t, onEngine(t), "north").ready(t)
	p, a := s.begin(t.Context(), t, "--accept", "approve")
	got := tour(t, p, a)
	p.stop(t)
	if *update {
		return // the embedded store writes the file
	}
	golden(t, "api.txt", got)
}

// TestSQLServerKeepsWhatDevicesGave sends one message twice and reads it as people do: once, at the device's own time.
func TestSQLServerKeepsWhatDevicesGave(t *testing.T) {
	t.Parallel()
	s := newSite(t, onEngine(t), "north").ready(t)
	p, a := s.begin(t.Context(), t)
	for range 2 {
		p.send(t, "wifi", "periodic")
	}
	a.flush(t.Context(), t)
	p.stop(t)
	type sample struct {
		Channel              int
		Name, Quantity, Unit string
		Measured             time.Time
		Value                float64
		Good                 bool
	}
	at := time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)
	want := []sample{
		{1, "Temperature", "temperature", "°C", at, 20.3, true},
		{2, "Relative humidity", "humidity", "%RH", at, 51.2, true},
		{3, "Dew point", "dew point", "°C", at, 9.8, true},
	}
	rows, err := openSQLServer(t, s.database).QueryContext(t.Context(), `SELECT channel_number, channel_name, quantity, unit, measured_at,
		value, quality FROM halley.samples WHERE device_serial = '20960042' ORDER BY channel_number, measured_at`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []sample
	for rows.Next() {
		var one sample
		var quality string
		if err := rows.Scan(&one.Channel, &one.Name, &one.Quantity, &one.Unit, &one.Measured, &one.Value, &quality); err != nil {
			t.Fatal(err)
		}
		// When it was received decides whether it is late.
		one.Measured, one.Good = one.Measured.UTC(), strings.HasPrefix(quality, "good")
		got = append(got, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the view halley.samples (-want +got):\n%s", diff)
	}
}
