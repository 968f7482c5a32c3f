package sqlserver_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/sqlserver"
	"halley/storage/storagetest"
)

// both gives a store of each engine, and what is beneath.
func both(t *testing.T) (stores [2]storage.Store, read [2]func(query string) []string) {
	t.Helper()
	o := newDatabase(t)
	ours, err := sqlserver.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "halley.db")
	theirs, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	stores = [2]storage.Store{ours, theirs}
	t.Cleanup(func() {
		for _, s := range stores {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
	})
	server, file := raw(t, o.DSN), rawSQLite(t, path)
	read[0] = func(query string) []string { return lines(t, server, query) }
	read[1] = func(query string) []string {
		return lines(t, file, strings.ReplaceAll(strings.ReplaceAll(query, "halley.", ""), "[limit]", `"limit"`))
	}
	return stores, read
}

// viewColumns are the columns of the public views that do not hold an instant, which the engines show in their own ways.
func viewColumns() map[string]string {
	return map[string]string{
		"devices": "device_id, device_family, device_serial, model, name, state, first_seen_ms, place_id, place_name, simulated, " +
			"organization_id, organization",
		"channels":      "channel_id, device_id, device_family, device_serial, channel_number, channel_name, quantity, unit, decimals, ended",
		"places":        "place_id, organization_id, name, created_ms, organization, closed",
		"organizations": "organization_id, parent_id, name, path, time_zone, closed, created_ms",
		"attachments":   "place_id, place_name, series, channel_id, device_id, device_family, device_serial, from_ms, to_ms",
		"samples": "device_serial, channel_number, channel_name, quantity, unit, value, quality, device_id, device_family, channel_id, " +
			"measured_ms, quality_code, received_ms, variant, batch_id, seq, decoder",
		"latest": "device_serial, channel_number, channel_name, quantity, unit, value, quality, device_id, device_family, channel_id, " +
			"measured_ms, quality_code, received_ms, variant, batch_id, seq, decoder",
		"alarms": "alarm_id, place_id, place_name, channel_id, channel_name, quantity, unit, kind, rank, occurred_ms, learned_ms, " +
			"ended_ms, acknowledged_ms, acknowledged_by",
		"completeness": "device_id, device_family, device_serial, place_id, place_name, day_ms, expected, received, late, missing, " +
			"uncertain, duplicates, conflicts, extra",
	}
}

// everyQuality gives a message whose readings have every kind of quality.
func everyQuality(d *storagetest.Device, at halley.Millis) halley.Message {
	m := d.Message(at, 20)
	for i := range m.Readings {
		q := halley.QualityOf(halley.Reason(i%6), uint8(40+i)).WithAlarms(halley.AlarmMark(i%4), halley.AlarmMark(i/4%4))
		if m.Readings[i].Quality = q; !q.HasValue() {
			m.Readings[i].Value = 0
		}
	}
	return m
}

func TestViewsShowTheSameOnBothEngines(t *testing.T) {
	t.Parallel()
	stores, read := both(t)
	for _, s := range stores {
		f := storagetest.NewFeed(s)
		d, other := storagetest.WiFi("00000001", 12), storagetest.WiFi("00000001 ", 1)
		at := storagetest.Start
		late := d.Upload(0, everyQuality(d, at+halley.Minute))
		late.ReceivedAt = at + halley.Day
		trial := d.Message(at+2*halley.Minute, -7.25)
		trial.Kind = halley.TestMessage
		named := other.Message(at, 1)
		named.Readings[0].Name = "Kühlraum ❄ "
		f.Append(t, d.Upload(0, everyQuality(d, at)), other.Upload(0, named), d.Upload(0, trial), late)
		web := halley.Message{
			Clock: halley.ClockNone, Order: halley.Unknown, RawKind: halley.Unknown, Cache: halley.Unknown, Config: halley.Unknown,
			State: halley.Unknown, StateMask: halley.Unknown, Battery: halley.Unknown, Interval: 4294967295, Buffer: 4294967295,
			Readings: []halley.Reading{{Number: 1, Name: "T", Quantity: halley.Temperature, Unit: "°C", Value: 20.3}},
		}
		sensor := &storagetest.Device{Key: halley.DeviceKey{Family: halley.WebSensor, Serial: "99"}, Admission: storage.Admit}
		f.Append(t, sensor.Upload(0, web))
		l := storagetest.Maintenance(t, s)
		day := storage.DayCount{
			DeviceDay: storage.DeviceDay{Device: 1, Day: int64(at / halley.Day)},
			Expected:  1440, Received: 3, Late: 1, Missing: 1437, Duplicates: 4, Conflicts: 5, Extra: 6, Uncertain: 7,
		}
		if err := s.PutDays(t.Context(), l, []storage.DayCount{day}); err != nil {
			t.Fatal(err)
		}
	}
	for view, columns := range viewColumns() {
		query := "SELECT " + columns + " FROM halley." + view
		got, want := read[0](query), read[1](query)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-sqlite +sqlserver):\n%s", view, diff)
		}
		if len(got) == 0 && view != "alarms" {
			t.Errorf("%s is empty", view)
		}
	}
}

func TestInstantsInViewsAreExact(t *testing.T) {
	t.Parallel()
	stores, read := both(t)
	f := storagetest.NewFeed(stores[0])
	d := storagetest.WiFi("00000001", 1)
	for i, at := range []halley.Millis{
		halley.EarliestMillis, storagetest.Start + 1, storagetest.Start + 123, storagetest.Start + halley.Day - 1, halley.LatestMillis - halley.Hour,
	} {
		u := d.Upload(0, d.Message(at, float64(i)))
		u.ReceivedAt = storagetest.Start + halley.Day
		f.Append(t, u)
	}
	got := read[0]("SELECT measured_ms, DATEDIFF_BIG(millisecond, CAST('1970-01-01' AS datetime2(3)), measured_at) FROM halley.samples")
	if len(got) != 5 {
		t.Fatalf("there are %d samples, want 5", len(got))
	}
	for _, line := range got {
		if stored, shown, _ := strings.Cut(line, "|"); stored != shown {
			t.Errorf("the sample of %s is shown at %s", stored, shown)
		}
	}
	between := read[0]("SELECT value FROM halley.samples_between(CAST('2026-06-01T00:00:00.001' AS datetime2(3)), " +
		"CAST('2026-06-01T23:59:59.999' AS datetime2(3))) ORDER BY value")
	if diff := cmp.Diff([]string{"1", "2"}, between); diff != "" {
		t.Errorf("samples_between takes its first instant and not its last (-want +got):\n%s", diff)
	}
}

func TestTablesAndViewsHaveTheSameColumnsOnBothEngines(t *testing.T) {
	t.Parallel()
	_, read := both(t)
	ours := read[0](`SELECT LOWER(o.name), LOWER(c.name) FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
 JOIN sys.columns c ON c.object_id = o.object_id WHERE s.name = N'halley' AND o.type IN ('U', 'V')`)
	theirs := read[1](`SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
 WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'moved'`)
	// The lengths of texts in keys are SQL Server's alone.
	ours = slices.DeleteFunc(ours, func(s string) bool { return strings.HasSuffix(s, "_bytes") })
	slices.Sort(ours)
	slices.Sort(theirs)
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("columns (-sqlite +sqlserver):\n%s", diff)
	}
	first := read[0]("SELECT * FROM halley.samples WHERE 1 = 0")
	if len(first) != 0 {
		t.Error("an empty store has samples")
	}
}
