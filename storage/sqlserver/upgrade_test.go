package sqlserver_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/sqlserver"
	"halley/storage/storagetest"
)

// before are rows as a program of schema 1 left them.
var before = []string{
	"INSERT INTO halley.audit (audit_id, at, actor_kind, actor_name, actor_session, what, subject, old_value, new_value, why) " +
		"VALUES (1, 5, N'policy', N'', N'', N'device.accept', N'wifi/7', N'', N'', N'')",
	"INSERT INTO halley.device (device_id, family, serial, first_seen_at) VALUES (1, N'wifi', N'7', 5)",
	"INSERT INTO halley.batch (batch_id, node, journal_id, first_seq, last_seq, journal_hash, recorded_at, decoder, messages, samples) " +
		"VALUES (1, N'a', N'j', 1, 1, 0x00, 5, 1, 1, 1)",
	"INSERT INTO halley.message (device_id, measured_at, variant, part, batch_id, layout_id, v1, q1) VALUES (1, 1780000000000, 0, 0, 1, 1, 20, 0)",
}

func TestOlderSchemaWaitsForInitAndKeepsItsRows(t *testing.T) {
	t.Parallel()
	u := engine(t)
	name := noDatabase(t, u)
	if _, err := raw(t, at(u, "master")).ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	o := sqlserver.Options{DSN: at(u, name)}
	db := raw(t, o.DSN)
	if err := sqlserver.MigrateTo(t.Context(), db, 1); err != nil {
		t.Fatal(err)
	}
	for _, text := range before {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	s, err := sqlserver.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	_, err = s.RegistryVersion(t.Context())
	if codeOf(err) != storage.CodeOlderSchema || halley.KindOf(err) != halley.Unavailable || !strings.Contains(err.Error(), "halley init") {
		t.Fatalf("with schema 1 the store says %v, want that it waits for halley init", err)
	}
	dry, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{DryRun: true})
	if err != nil || len(dry.Done) == 0 || dry.Done[0] != "run migration 2 (proof)" {
		t.Errorf("a dry run says %q, %v", dry.Done, err)
	}
	report, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Done) == 0 || report.Done[0] != "ran migration 2 (proof)" || report.Schema != 3 {
		t.Errorf("Init reports %+v", report)
	}
	if diff := cmp.Diff(catalog(t, newDatabase(t)), catalog(t, o)); diff != "" {
		t.Errorf("an upgraded database is another one than a new one (-new +upgraded):\n%s", diff)
	}
	want := []string{"1|5|device.accept|1780000000000|20|1"}
	got := lines(t, db, `SELECT a.audit_id, a.at, a.what, m.measured_at, m.v1, b.messages
 FROM halley.audit a JOIN halley.batch b ON b.batch_id = 1 JOIN halley.message m ON m.batch_id = 1 WHERE b.digest IS NULL`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of before (-want +got):\n%s", diff)
	}
	// The store that waited goes on by itself.
	d := storagetest.WiFi("00000001", 1)
	storagetest.NewFeed(s).Append(t, d.Upload(0, d.Message(storagetest.Start, 20)))
}

func TestLedgerTableIsRefusedWhereTheEngineHasNone(t *testing.T) {
	t.Parallel()
	u := engine(t)
	able, err := sqlserver.CanLedger(t.Context(), raw(t, at(u, "master")))
	if err != nil {
		t.Fatal(err)
	}
	name := noDatabase(t, u)
	o := sqlserver.Options{DSN: at(u, name)}
	if able {
		t.Log("NOT TESTED: this engine has ledger tables")
		return
	}
	for _, dry := range []bool{true, false} {
		_, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{LedgerTables: true, DryRun: dry})
		if codeOf(err) != "no-ledger-tables" || !strings.Contains(err.Error(), "SQL Server 2022") {
			t.Errorf("Init with DryRun %v = %v, want that there are no ledger tables", dry, err)
		}
	}
	if got := lines(t, raw(t, at(u, "master")), "SELECT name FROM sys.databases WHERE name = N'"+name+"'"); len(got) != 0 {
		t.Error("Init made the database before it refused")
	}
}

func TestLedgerTableOfTheEngine(t *testing.T) {
	t.Parallel()
	u := engine(t)
	able, err := sqlserver.CanLedger(t.Context(), raw(t, at(u, "master")))
	if err != nil {
		t.Fatal(err)
	}
	if !able {
		t.Skip("NOT TESTED: this engine has no ledger tables")
	}
	o := newDatabase(t)
	for _, want := range [][]string{{"made the append-only ledger table ledger_entry"}, nil} {
		report, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{LedgerTables: true})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, report.Done); diff != "" {
			t.Errorf("Init with ledger tables did (-want +got):\n%s", diff)
		}
	}
	db := raw(t, o.DSN)
	for _, text := range []string{"DELETE FROM halley.ledger_entry", "UPDATE halley.ledger_entry SET digest = 0x00"} {
		if _, err := db.ExecContext(t.Context(), text); err == nil {
			t.Errorf("the owner may run: %s", text)
		}
	}
}

// TestLedgerEntriesFollowTheDigests runs what --ledger-tables makes; where the engine has no ledger tables, over an ordinary one.
func TestLedgerEntriesFollowTheDigests(t *testing.T) {
	t.Parallel()
	m := newMembership(t, "halley_service")
	insert := func(db string, id int) []string {
		n := string(rune('0' + id))
		return []string{
			"INSERT INTO halley.batch (batch_id, node, journal_id, first_seq, last_seq, journal_hash, recorded_at, decoder, messages, samples, " +
				"digest) VALUES (90" + n + ", N'" + db + "', N'j', 1, 1, 0x00, 5, 1, 1, 1, 0x0" + n + ")",
			"INSERT INTO halley.fact (fact_id, at, count, digest, pack) VALUES (90" + n + ", 1, 1, 0x1" + n + ", 0x00)",
			"INSERT INTO halley.[checkpoint] (checkpoint_id, node, at, kind, key_id, body, signature) VALUES (90" + n +
				", N'x', 1, N'hour', N'0', 0x2" + n + ", 0x00)",
		}
	}
	run := func(list []string) {
		t.Helper()
		for _, text := range list {
			if _, err := m.member.ExecContext(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	run(insert("earlier", 1))
	if err := sqlserver.MakeLedgerTable(t.Context(), m.owner); err != nil {
		t.Fatal(err)
	}
	if _, err := m.member.ExecContext(t.Context(), "INSERT INTO halley.ledger_entry (kind, entry_id, digest) VALUES (N'batch', 999, 0x00)"); err == nil {
		t.Error("the service may add to the ledger table past the triggers")
	}
	able, err := sqlserver.CanLedger(t.Context(), m.owner)
	if err != nil {
		t.Fatal(err)
	}
	if !able {
		t.Log("NOT TESTED: an engine on which triggers write with the rights of the tables' owner (ownership chains)")
		for _, text := range insert("later", 2) {
			if _, err := m.owner.ExecContext(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	} else {
		run(insert("later", 2))
	}
	want := []string{"batch|901", "batch|902", "checkpoint|901", "checkpoint|902", "fact|901", "fact|902"}
	if diff := cmp.Diff(want, lines(t, m.owner, "SELECT kind, entry_id FROM halley.ledger_entry WHERE entry_id > 900 ORDER BY kind, entry_id")); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if got := lines(t, m.member, "SELECT kind, entry_id, what FROM halley.ledger_difference"); len(got) != 0 {
		t.Errorf("untouched tables differ from the ledger table: %q", got)
	}
	// Somebody who may all takes the trigger away and changes a digest.
	for _, text := range []string{
		"DROP TRIGGER halley.batch_stays", "UPDATE halley.batch SET digest = 0x77 WHERE batch_id = 901", "DELETE FROM halley.batch WHERE batch_id = 902",
		"DROP TRIGGER halley.fact_enters_ledger", "INSERT INTO halley.fact (fact_id, at, count, digest, pack) VALUES (903, 1, 1, 0x13, 0x00)",
	} {
		if _, err := m.owner.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	want = []string{"batch|901|changed", "batch|902|missing", "fact|903|added"}
	if diff := cmp.Diff(want, lines(t, m.member, "SELECT kind, entry_id, what FROM halley.ledger_difference ORDER BY kind, entry_id")); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}
