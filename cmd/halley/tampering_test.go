package main

import (
	"database/sql"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// unguarded is the database of a stopped server without what stops accidents. In statements the names of tables, and nothing else,
// stand in double quotes; arguments have names.
type unguarded struct {
	db *sql.DB
	// worded gives a statement as the engine wants it.
	worded func(statement string) string
	// changed are the tables that were, where that is asked for.
	changed map[string]bool
}

// tamperingCase is one way of changing what is stored.
type tamperingCase struct {
	// what are the words of the findings that must come of it.
	what []string
	// tamper changes the database, and gives what the findings must name.
	tamper func(t *testing.T, db *unguarded) (where []string)
}

// victim is a message that is tampered with: one in the middle of those that a device's batch holds.
type victim struct {
	device     int64
	serial     string
	at, batch  int64
	value      float64
	before     int64
	valueThere float64
}

// aVictim finds a message with another of the same batch and device before it: the second that there is.
func aVictim(t *testing.T, db *unguarded) victim {
	t.Helper()
	rows, err := db.db.QueryContext(t.Context(), db.worded(`
		SELECT m.device_id, d.serial, m.measured_at, m.batch_id, m.v1, o.measured_at, o.v1
		  FROM "message" m JOIN "device" d ON d.device_id = m.device_id
		  JOIN "message" o ON o.device_id = m.device_id AND o.batch_id = m.batch_id AND o.measured_at = m.measured_at - 1000
		 WHERE m.part = 0 AND o.part = 0 AND m.v1 IS NOT NULL AND o.v1 IS NOT NULL AND m.measured_at / 86400000 = o.measured_at / 86400000
		 ORDER BY m.device_id, m.measured_at`))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for range 2 {
		if !rows.Next() {
			t.Fatalf("there is no message to tamper with, %v", rows.Err())
		}
	}
	var v victim
	if err := rows.Scan(&v.device, &v.serial, &v.at, &v.batch, &v.value, &v.before, &v.valueThere); err != nil {
		t.Fatal(err)
	}
	return v
}

// names gives what findings on the message must name.
func (v *victim) names() []string { return []string{v.serial, fmt.Sprintf("batch %d", v.batch)} }

// do runs a statement and says how many rows it changed. The first table that it names is the one that it changes.
func (u *unguarded) do(t *testing.T, statement string, args ...any) int64 {
	t.Helper()
	if table := tableName.FindStringSubmatch(statement); table != nil && u.changed != nil {
		u.changed[table[1]] = true
	}
	result, err := u.db.ExecContext(t.Context(), u.worded(statement), args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// change runs a statement that must change something.
func (u *unguarded) change(t *testing.T, statement string, args ...any) {
	t.Helper()
	if u.do(t, statement, args...) == 0 {
		t.Fatalf("%s changed nothing", statement)
	}
}

// read runs a query for one row.
func (u *unguarded) read(t *testing.T, query string, into ...any) {
	t.Helper()
	if err := u.db.QueryRowContext(t.Context(), u.worded(query)).Scan(into...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// copyOf are the columns of message but for its key.
const copyOf = `batch_id, layout_id, seq, idx, decoder, clock, sent_at, received_at, order_no, kind, raw_kind, cache, interval, buffer,
	config, state, state_mask, signal, battery, v1, q1, v2, q2, v3, q3, v4, q4, v5, q5, v6, q6, v7, q7, v8, q8`

// onVictim is a tampering with one message.
func onVictim(what, statement string, args func(v *victim) []any) tamperingCase {
	return tamperingCase{what: []string{what}, tamper: func(t *testing.T, db *unguarded) []string {
		v := aVictim(t, db)
		db.change(t, statement, args(&v)...)
		return v.names()
	}}
}

// elsewhere is a tampering with what is no sample.
func elsewhere(what, statement, where string, args ...any) tamperingCase {
	return tamperingCase{what: []string{what}, tamper: func(t *testing.T, db *unguarded) []string {
		db.change(t, statement, args...)
		return []string{where}
	}}
}

// tamperings are the ways in which what is stored is changed.
func tamperings() map[string]tamperingCase {
	all := tamperingsWithSamples()
	maps.Copy(all, tamperingsWithRights())
	return all
}

// tamperingsWithSamples are those with samples and what says what they mean.
func tamperingsWithSamples() map[string]tamperingCase {
	const row = ` WHERE device_id = @device AND measured_at = @at AND part = 0`
	const copied = `INSERT INTO "message" (device_id, measured_at, variant, part, `
	key := func(v *victim) []any { return []any{sql.Named("device", v.device), sql.Named("at", v.at)} }
	return map[string]tamperingCase{
		"a value":          onVictim("changed", `UPDATE "message" SET v1 = v1 + 0.1`+row, key),
		"a quality":        onVictim("changed", `UPDATE "message" SET q1 = q1 + 256`+row, key),
		"a time":           onVictim("moved", `UPDATE "message" SET measured_at = measured_at + 1`+row, key),
		"a sample deleted": onVictim("missing", `DELETE FROM "message"`+row, key),
		"a sample copied": onVictim("added",
			copied+copyOf+`) SELECT device_id, measured_at + 3, variant, part, `+copyOf+` FROM "message"`+row, key),
		"a sample inserted": onVictim("added",
			copied+`batch_id, layout_id, v1, q1) SELECT device_id, measured_at + 7, 0, 0, batch_id, layout_id, 99.5, 0 FROM "message"`+row, key),
		"two samples swapped": {what: []string{"changed"}, tamper: func(t *testing.T, db *unguarded) []string {
			v := aVictim(t, db)
			for at, value := range map[int64]float64{v.at: v.valueThere, v.before: v.value} {
				db.change(t, `UPDATE "message" SET v1 = @value`+row, sql.Named("value", value), sql.Named("device", v.device), sql.Named("at", at))
			}
			return v.names()
		}},
		"the tail cut": {what: []string{"truncated"}, tamper: func(t *testing.T, db *unguarded) []string {
			var last int64
			db.read(t, `SELECT MAX(batch_id) - 2 FROM "batch"`, &last)
			db.change(t, `DELETE FROM "batch" WHERE batch_id > @last`, sql.Named("last", last))
			for _, table := range []string{"part", "message"} {
				db.do(t, `DELETE FROM "`+table+`" WHERE batch_id > @last`, sql.Named("last", last))
			}
			return []string{fmt.Sprintf("batch %d", last)}
		}},
		"a checkpoint replaced": elsewhere("checkpoint", `UPDATE "checkpoint"
			SET body = (SELECT body FROM "checkpoint" WHERE checkpoint_id = 1), at = (SELECT at FROM "checkpoint" WHERE checkpoint_id = 1)
			WHERE checkpoint_id = 3`, "checkpoint"),
		"a checkpoint removed": elsewhere("checkpoint", `DELETE FROM "checkpoint" WHERE checkpoint_id = 3`, "checkpoint"),
		"an audit row": elsewhere("audit",
			`UPDATE "audit" SET actor_name = 'somebody' WHERE audit_id = (SELECT MIN(audit_id) FROM "audit" WHERE what LIKE 'device.%')`, "device."),
		"an audit row removed": elsewhere("audit", `DELETE FROM "audit" WHERE audit_id = (SELECT MAX(audit_id) - 3 FROM "audit")`, "audit"),
		"an attachment": elsewhere("setting",
			`UPDATE "attachment" SET place_id = 1 + place_id % (SELECT MAX(place_id) FROM "place") WHERE attachment_id = 2`, "attachment"),
		"a limit": elsewhere("setting",
			`INSERT INTO "limit" (limit_id, place_id, quantity, unit, side, rank, from_at, value, hysteresis, delay_ms)
			 VALUES (1, 1, 'temperature', @unit, 'high', 'alarm', 1, 30, 0, 0)`, "limit", sql.Named("unit", "°C")),
		"a channel's unit": elsewhere("setting", `UPDATE "channel" SET unit = @unit WHERE channel_id = 2`, "channel", sql.Named("unit", "°F")),
		"two serial numbers exchanged": {what: []string{"setting"}, tamper: func(t *testing.T, db *unguarded) []string {
			var one, two int64
			var first, second string
			db.read(t, `SELECT a.device_id, a.serial, b.device_id, b.serial FROM "device" a JOIN "device" b ON b.device_id > a.device_id
				 WHERE NOT EXISTS (SELECT 1 FROM "device" c WHERE c.device_id < b.device_id AND c.device_id <> a.device_id)`,
				&one, &first, &two, &second)
			set := func(device int64, serial string) {
				db.change(t, `UPDATE "device" SET serial = @serial WHERE device_id = @device`, sql.Named("serial", serial), sql.Named("device", device))
			}
			set(one, "x")
			set(two, first)
			set(one, second)
			return []string{first, second}
		}},
		"a part": elsewhere("changed", `UPDATE "part" SET digest = @zero WHERE batch_id = (SELECT MIN(batch_id) FROM "part")`, "batch",
			sql.Named("zero", make([]byte, 32))),
	}
}

// isFound runs halley verify on what was tampered with: it must end with 1 and name what it found, and where.
func (tc *tamperingCase) isFound(t *testing.T, s *tampering, named []string) {
	t.Helper()
	code, lines := s.checked(t)
	all := strings.Join(lines, "\n")
	if code != 1 {
		t.Errorf("it ended with %d", code)
	}
	for _, what := range tc.what {
		if !strings.Contains(all, what+": ") {
			t.Errorf("nothing is said to be %s", what)
		}
	}
	for _, where := range named {
		if !strings.Contains(all, where) {
			t.Errorf("%q is not named", where)
		}
	}
	if t.Failed() {
		t.Logf("it said\n%s", firstLines(all))
	}
}
