package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// proven makes a store with a row or more in every table of the proof but tombstone, closes it and gives its path.
func proven(t *testing.T) string {
	t.Helper()
	path := dbPath(t)
	s := open(t, path)
	f, d := storagetest.NewFeed(s), storagetest.WiFi("21000001", 2)
	b := f.Batch(d.Upload(0, d.Message(storagetest.Start, 20), d.Message(storagetest.Start+halley.Day, 21)))
	b.Interruptions = []storage.Interruption{{Node: "n", Kind: storage.ServerDown, From: storagetest.Start, To: storagetest.Start + 1}}
	ctx, by := t.Context(), storagetest.By("eva")
	_, err := s.Append(ctx, b)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	must(s.SetCredential(ctx, storage.Credential{DeviceID: 1, Kind: storage.EntryPoint, Hash: []byte{1}}, by))
	_, err = s.CreateToken(ctx, storage.Token{Name: "one", Hash: []byte{2}, Role: halley.Reader}, by)
	must(err)
	must(s.RevokeToken(ctx, "one", by))
	must(s.AddLedgerKey(ctx, ledger.Key{ID: "key", Node: "n", Public: make([]byte, 32), CreatedAt: storagetest.Start}, by))
	_, err = s.AddCheckpoint(ctx, ledger.Checkpoint{
		Node: "n", At: storagetest.Start, Kind: "start", KeyID: "key", Body: []byte{1}, Signature: []byte{2},
	})
	must(err)
	_, err = s.AddProof(ctx, storage.Proof{At: storagetest.Start, Node: "n", Kind: storage.ProofVerify, OK: true, Summary: "{}"}, by)
	must(err)
	_, err = s.AddGapCause(ctx, storage.GapCause{Device: 1, From: storagetest.Start, To: storagetest.Start + 1, Cause: "unknown"}, by)
	must(err)
	provePeople(t, s)
	must(s.Close())
	db := foreign(t, path)
	execute(t, db, `INSERT INTO "limit" VALUES (1, 1, 'temperature', '°C', 'high', 'alarm', 0, 8, 0.5, 0, NULL)`)
	must(db.Close())
	return path
}

// provePeople stores a row or more in each table of people's facts.
func provePeople(t *testing.T, s storage.Store) {
	t.Helper()
	ctx, by := t.Context(), storagetest.By("eva")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	role, err := s.AddRole(ctx, halley.CustomRole{
		Name: "night-watch", OrganizationID: halley.RootOrganization, Permissions: []halley.Permission{halley.PermitSampleRead},
	}, by)
	must(err)
	person, err := s.AddPerson(ctx, storage.NewPerson{
		Person: halley.Person{Name: "eva", State: halley.PersonActive, OrganizationID: halley.RootOrganization, Source: halley.Local},
		Grants: []halley.Grant{{Role: halley.Administrator, OrganizationID: halley.RootOrganization}},
	}, by)
	must(err)
	grant, err := s.AddGrant(ctx, halley.Grant{PersonID: person.ID, Role: role.Name, OrganizationID: halley.RootOrganization}, by)
	must(err)
	must(s.EndGrant(ctx, grant.ID, by))
	_, err = s.AddReview(ctx, halley.Review{UpTo: 1, At: by.At, Who: "eva", Note: "all right"}, by)
	must(err)
}

// TestTablesOfTheProofAreOnlyAddedTo tries to change them as any SQLite tool would, without Halley's settings.
func TestTablesOfTheProofAreOnlyAddedTo(t *testing.T) {
	t.Parallel()
	db := foreign(t, proven(t))
	db.SetMaxOpenConns(1)
	tables := []string{"batch", "part", "checkpoint"}
	for _, table := range ledger.FactTables() {
		if table.Name != "tombstone" {
			tables = append(tables, `"`+table.Name+`"`)
		}
	}
	for _, name := range tables {
		columns := strings.Fields(table(t, db, "SELECT name FROM pragma_table_info('"+strings.Trim(name, `"`)+"')"))
		before := table(t, db, "SELECT * FROM "+name)
		if before == "" {
			t.Errorf("there is nothing in %s", name)
		}
		last := columns[len(columns)-1]
		for _, statement := range []string{
			"DELETE FROM " + name,
			"UPDATE " + name + " SET " + last + " = NULL",
			"UPDATE " + name + " SET " + last + " = 7",
			"INSERT OR REPLACE INTO " + name + " SELECT * FROM " + name,
		} {
			if _, err := db.ExecContext(t.Context(), statement); err == nil {
				t.Errorf("%s succeeded", statement)
			}
		}
		if diff := cmp.Diff(before, table(t, db, "SELECT * FROM "+name)); diff != "" {
			t.Errorf("%s after trying (-before +after):\n%s", name, diff)
		}
	}
	// A row with another number but the name of one that is there would take its place without firing a trigger on deletion.
	for _, statement := range []string{
		"INSERT OR REPLACE INTO device SELECT 99, family, serial, first_seen_at FROM device",
		"INSERT OR REPLACE INTO channel SELECT 99, device_id, number, quantity, unit FROM channel",
		"INSERT OR REPLACE INTO token SELECT 99, name, hash, role, expires_at, created_at, audit_id, NULL, NULL FROM token",
		"INSERT OR REPLACE INTO role SELECT 99, name, organization_id, created_at, audit_id FROM role",
		"INSERT OR REPLACE INTO interruption SELECT 99, node, kind, from_at, to_at + 1 FROM interruption",
		"INSERT OR REPLACE INTO ledger_key SELECT 99, key_id, node, zeroblob(32), created_at, audit_id FROM ledger_key",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("%s succeeded", statement)
		}
	}
}

// TestRowsAndPacksGoOnlyBehindATombstone holds the triggers to the days that a tombstone names.
func TestRowsAndPacksGoOnlyBehindATombstone(t *testing.T) {
	t.Parallel()
	db := foreign(t, proven(t))
	day := int64(storagetest.Start / halley.Day)
	refused := func(what, statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err == nil {
			t.Errorf("%s: %s succeeded", what, statement)
		}
	}
	refused("before", "DELETE FROM message")
	refused("before", "UPDATE part SET pack = NULL")
	if _, err := db.ExecContext(t.Context(), `INSERT INTO tombstone VALUES (1, ?, ?, ?, 'eva', 'adam', 'why', 'key', x'01', x'02', NULL)`,
		day, day+1, int64(storagetest.Start)); err != nil {
		t.Fatal(err)
	}
	refused("the day behind", "DELETE FROM message WHERE measured_at >= ?", int64(storagetest.Start+halley.Day))
	refused("both days", "DELETE FROM message")
	refused("both days", "UPDATE part SET pack = NULL")
	refused("another pack", "UPDATE part SET pack = x'00' WHERE day = ?", day)
	refused("another digest", "UPDATE part SET pack = NULL, digest = x'00' WHERE day = ?", day)
	refused("another count", "UPDATE part SET pack = NULL, count = count + 1 WHERE day = ?", day)
	refused("the row of a part", "DELETE FROM part WHERE day = ?", day)
	refused("a change of a message", "UPDATE message SET v1 = 0 WHERE measured_at = ?", int64(storagetest.Start))
	refused("the tombstone", "DELETE FROM tombstone")
	refused("a longer tombstone", "UPDATE tombstone SET to_day = to_day + 1")
	refused("a longer tombstone in its place", "INSERT OR REPLACE INTO tombstone SELECT tombstone_id, from_day, to_day + 1, at, proposed_by, "+
		"carried_out_by, why, key_id, body, signature, audit_id FROM tombstone")
	execute(t, db, "DELETE FROM message WHERE measured_at < 1780358400000", "UPDATE part SET pack = NULL WHERE day = 20605")
	if got := table(t, db, "SELECT (SELECT COUNT(*) FROM message), (SELECT COUNT(*) FROM part WHERE pack IS NULL)"); got != "1|1\n" {
		t.Errorf("rows left and packs gone are %q, want 1|1", got)
	}
}

// TestLedgerTakesOverWhatWasThereBefore has an older store get into the ledger at its first write, but for its batches.
func TestLedgerTakesOverWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	path := schema1(t)
	s := open(t, path)
	execute(t, foreign(t, path), `WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
		INSERT INTO audit SELECT i, 1780272000000, 'session', 'eva', '', 'report.make', '', '', '', '', NULL FROM n`)
	heads, err := s.LedgerHeads(t.Context())
	if err != nil || heads.Fact.ID != 0 {
		t.Fatalf("LedgerHeads before the first write = %+v, %v", heads, err)
	}
	f := storagetest.NewFeed(s)
	f.Seq = 5
	got := f.Append(t)
	list, err := s.LedgerBatches(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if before := b.ID < got.BatchID; b.Digest.IsZero() != before || len(b.Parts) > 0 || !b.Previous.IsZero() {
			t.Errorf("batch %d has the digest %v, parts %v and follows %v", b.ID, b.Digest, b.Parts, b.Previous)
		}
	}
	storagetest.CheckLedger(t, s)
	if heads, err = s.LedgerHeads(t.Context()); err != nil || heads.Fact.ID < 10 {
		t.Errorf("LedgerHeads after the first write = %+v, %v; want several facts", heads, err)
	}
}

// TestLedgerRowsShowWhatStrangersWrote has rows that the program never writes seen as they are.
func TestLedgerRowsShowWhatStrangersWrote(t *testing.T) {
	t.Parallel()
	path := proven(t)
	db := foreign(t, path)
	execute(t, db, "INSERT INTO message (device_id, measured_at, variant, part, batch_id, layout_id) VALUES (77, 1780272000000, 0, 0, 1, 9)",
		"INSERT INTO message (device_id, measured_at, variant, part, batch_id, layout_id) VALUES (79, 1180272000000, 0, 0, 1, 9)",
		`INSERT INTO message (device_id, measured_at, variant, part, batch_id, layout_id, seq, v1, q1)
		 VALUES (1, 1780272000001, 0, 0, 1, 999, 'x', 'warm', 1.5)`)
	s := open(t, path)
	devices, err := s.LedgerDevices(t.Context())
	want := []ledger.Device{{ID: 77, Serial: "77"}, {ID: 79, Serial: "79"}, {ID: 1, Family: halley.WiFi, Serial: "21000001"}}
	if diff := cmp.Diff(want, devices); err != nil || diff != "" {
		t.Errorf("LedgerDevices, %v (-want +got):\n%s", err, diff)
	}
	first, last, ok, err := s.LedgerDays(t.Context())
	if err != nil || !ok || first != 1_180_272_000_000/86_400_000 || last != int64(storagetest.Start/halley.Day)+1 {
		t.Errorf("LedgerDays = %d to %d, %t, %v", first, last, ok, err)
	}
	n := 0
	for _, d := range []ledger.Device{want[0], want[2]} {
		if err := s.LedgerRows(t.Context(), d, int64(storagetest.Start/halley.Day), func(batch int64, r *ledger.Row) error {
			n++
			if stranger := r.At != storagetest.Start || d.ID == 77; stranger && (batch != 1 || len(r.Channels) != 0) {
				t.Errorf("the stranger's row is of batch %d with the channels %v", batch, r.Channels)
			}
			if r.At == storagetest.Start+1 && (r.Values[0].F == r.Values[0].F || r.Qualities[0].N >= 0 || r.Head[ledger.HeadSeq].N >= 0) {
				t.Errorf("text where numbers belong became %v, %v, %v", r.Values[0], r.Qualities[0], r.Head[ledger.HeadSeq])
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if n != 3 {
		t.Errorf("there are %d rows, want 3", n)
	}
}

// TestRollupFaultsNameWhatDoesNotFollow changes rollups behind the program's back.
func TestRollupFaultsNameWhatDoesNotFollow(t *testing.T) {
	t.Parallel()
	start := storagetest.Start
	hour := func(n halley.Millis) storage.RollupFault {
		return storage.RollupFault{Channel: 1, From: start + n*halley.Hour, To: start + (n+1)*halley.Hour}
	}
	day := storage.RollupFault{Channel: 1, From: start, To: start + halley.Day}
	for _, c := range []struct {
		name, statement string
		want            []storage.RollupFault
	}{
		{"nothing", "SELECT 1", []storage.RollupFault{}},
		{"an hour is gone", "DELETE FROM rollup WHERE channel_id = 1 AND level = 1 AND period = 494520 + 3", []storage.RollupFault{hour(3)}},
		{
			"an hour is another's", "UPDATE rollup SET pack = (SELECT pack FROM rollup WHERE channel_id = 1 AND level = 1 AND period = 494521) " +
				"WHERE channel_id = 1 AND level = 1 AND period = 494520", []storage.RollupFault{hour(0)},
		},
		{"the day is empty", "UPDATE rollup SET pack = x'' WHERE channel_id = 1 AND level = 2", []storage.RollupFault{day}},
		{"its block is damaged", "UPDATE rollup SET pack = x'01' WHERE channel_id = 1 AND level = 3", []storage.RollupFault{day}},
		{"an hour of a silent time", "INSERT INTO rollup SELECT channel_id, 1, 494520 + 20, pack FROM rollup WHERE channel_id = 1 AND " +
			"level = 1 AND period = 494520", []storage.RollupFault{hour(20)}},
		{"a mark on its hour, day and block", `UPDATE rollup SET pack = x'' WHERE channel_id = 1; INSERT INTO rollup_mark
			SELECT 1, 1, 494520 + value FROM json_each('[0,1,2,3,4,5,6,7,8,9]')`, []storage.RollupFault{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := dbPath(t)
			s := open(t, path)
			f, d := storagetest.NewFeed(s), storagetest.WiFi("21000001", 2)
			for i := range halley.Millis(10) {
				f.Append(t, d.Upload(0, d.Message(start+i*halley.Hour, float64(i)), d.Message(start+i*halley.Hour+halley.Minute, 1)))
			}
			f.Append(t, d.Upload(0, d.Message(start+70*halley.Day, 1)))
			if _, err := s.RollUp(t.Context(), storagetest.Maintenance(t, s), 1000); err != nil {
				t.Fatal(err)
			}
			execute(t, foreign(t, path), c.statement)
			got, err := s.RollupFaults(t.Context(), 1, int64(start/halley.Day))
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("RollupFaults, %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestTransferredTablesKeepToTheLedger copies the rows of all tables that move between stores, as they are.
func TestTransferredTablesKeepToTheLedger(t *testing.T) {
	t.Parallel()
	path := schema1(t)
	from := open(t, path)
	f, d := storagetest.NewFeed(from), storagetest.WiFi("21000007", 10)
	f.Seq = 5
	f.Append(t, d.Upload(0, d.Message(storagetest.Start, 20), d.Message(storagetest.Start+halley.Day, 20)))
	f.Append(t)
	to := filepath.Join(t.TempDir(), "halley.db")
	if _, err := sqlite.MigrateFiles(t.Context(), emptyFile(t, to), sqlite.MigrationFiles); err != nil {
		t.Fatal(err)
	}
	db := foreign(t, to)
	for _, x := range sqlite.TransferTables() {
		rows, err := from.ExportRows(t.Context(), storage.RowQuery{Table: x, Limit: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		copyRows(t, db, x, rows)
	}
	s := open(t, to)
	storagetest.CheckLedger(t, s)
	want, err := from.LedgerHeads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.LedgerHeads(t.Context())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("LedgerHeads, %v (-from +to):\n%s", err, diff)
	}
	f.Store = s
	f.Append(t, d.Upload(0, d.Message(storagetest.Start+2*halley.Day, 20)))
	storagetest.CheckLedger(t, s)
}

// copyRows adds the rows whose keys are absent.
func copyRows(t *testing.T, db *sql.DB, x storage.TransferTable, rows [][]any) {
	t.Helper()
	for _, row := range rows {
		var where []string
		for _, column := range x.Columns[:x.Key] {
			where = append(where, column+" = ?")
		}
		var n int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM "`+x.Name+`" WHERE `+strings.Join(where, " AND "), row[:x.Key]...).
			Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			continue
		}
		if _, err := db.ExecContext(t.Context(), `INSERT INTO "`+x.Name+`" (`+strings.Join(x.Columns, ", ")+") VALUES (?"+
			strings.Repeat(", ?", len(x.Columns)-1)+")", row...); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFactsAreAddedInOneWayOnly finds statements of the shared code that would add to a table of facts past the ledger.
func TestFactsAreAddedInOneWayOnly(t *testing.T) {
	t.Parallel()
	var names []string
	for _, x := range ledger.FactTables() {
		names = append(names, x.Name)
	}
	past := regexp.MustCompile(`(?i)\b(INSERT INTO|UPDATE|DELETE FROM)\s+"?(` + strings.Join(names, "|") + `)\b`)
	files, err := filepath.Glob(filepath.Join("..", "internal", "sqlkit", "*.go"))
	if err != nil || len(files) < 30 {
		t.Fatalf("there are %d files, %v", len(files), err)
	}
	for _, name := range append(files, "sqlite.go", "moved.go", "bulk.go", "migrate.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := past.FindString(string(text)); found != "" && !strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s says %q: rows of this table are added with change.add alone", name, found)
		}
	}
}
