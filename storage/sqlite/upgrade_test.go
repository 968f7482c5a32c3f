package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// onlyFirst is the program's first migration alone.
func onlyFirst(t *testing.T) fstest.MapFS {
	t.Helper()
	first, err := os.ReadFile(filepath.Join("migrations", "0001_first.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"migrations/0001_first.sql": {Data: first}}
}

// tables1 are the tables of schema 1 that schema 2 keeps as they are.
var tables1 = []string{
	"audit", "organization", "organization_description", "place", "place_description", "device", "device_description", "channel",
	"channel_description", "attachment", `"limit"`, "batch", "layout", "layout_slot", "message", "unclocked", "rollup",
	"rollup_mark", "credential", "token", "token_end", "samples", "latest", "devices", "channels",
}

// schema1 makes a database of schema 1 with a row or more in every table: what the program stores in one of today's is copied.
func schema1(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source, path := filepath.Join(dir, "source.db"), filepath.Join(dir, "halley.db")
	s := open(t, source)
	f := storagetest.NewFeed(s)
	d, logger := storagetest.WiFi("21000001", 10), storagetest.WiFi("21000002", 1)
	logger.Key.Family = halley.Modem
	u := d.Upload(0, d.Message(storagetest.Start, 20))
	f.Append(t, u)
	f.Append(t, u)
	m := logger.Message(storagetest.Start, 20)
	m.Clock = halley.ClockLocalOrUTC
	f.Append(t, logger.Upload(0, m))
	f.Append(t, d.Upload(0, d.Message(storagetest.Start+halley.Hour, 21)))
	f.Append(t, d.Upload(0, d.Message(storagetest.Start+1, 22)))
	name := "Cold room"
	_, err := s.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{Name: &name}, storagetest.By("eva"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetCredential(t.Context(), storage.Credential{DeviceID: 1, Kind: storage.EntryPoint, Hash: []byte{1}},
		storagetest.By("eva")); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"one", "two"} {
		if _, err := s.CreateToken(t.Context(), storage.Token{Name: token, Hash: []byte(token), Role: halley.Reader},
			storagetest.By("eva")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RevokeToken(t.Context(), "two", storagetest.By("eva")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.MigrateFiles(t.Context(), emptyFile(t, path), onlyFirst(t)); err != nil {
		t.Fatal(err)
	}
	db := foreign(t, path)
	db.SetMaxOpenConns(1)
	execute(t, db, "PRAGMA foreign_keys = OFF", "ATTACH '"+source+"' AS source",
		"DELETE FROM organization", "DELETE FROM organization_description")
	for _, table := range tables1 {
		switch table {
		case "samples", "latest", "devices", "channels", `"limit"`:
		case "batch":
			// There was no ledger.
			execute(t, db, `INSERT INTO batch SELECT batch_id, node, journal_id, first_seq, last_seq, journal_hash, recorded_at, decoder,
				messages, samples, NULL, NULL FROM source.batch`)
		default:
			execute(t, db, "INSERT INTO main."+table+" SELECT "+columns1(t, db, table)+" FROM source."+table)
		}
	}
	execute(t, db, "UPDATE registry_version SET version = (SELECT MAX(version) FROM source.registry_change)",
		"INSERT INTO tally SELECT device_id, day, SUM(duplicates), SUM(conflicts) FROM source.tally GROUP BY device_id, day",
		`INSERT INTO "limit" VALUES (1, 1, 'temperature', '°C', 'high', 'alarm', 0, 8, 0.5, 0, NULL)`, "DETACH source")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// emptyFile makes an empty file and gives its path.
func emptyFile(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, st := range statements {
		if _, err := db.ExecContext(t.Context(), st); err != nil {
			t.Fatalf("%s: %v", st, err)
		}
	}
}

// columns1 gives the columns of a table of a database of schema 1: later ones have more behind them.
func columns1(t *testing.T, db *sql.DB, name string) string {
	t.Helper()
	columns := table(t, db, "SELECT name FROM pragma_table_info('"+strings.Trim(name, `"`)+"')")
	return strings.Join(strings.Fields(columns), ", ")
}

// contents gives all that a database of schema 1 and later holds.
func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	db := foreign(t, path)
	defer func() { _ = db.Close() }()
	empty := filepath.Join(t.TempDir(), "halley.db")
	if _, err := sqlite.MigrateFiles(t.Context(), emptyFile(t, empty), onlyFirst(t)); err != nil {
		t.Fatal(err)
	}
	first := foreign(t, empty)
	columns := map[string]string{}
	for _, name := range tables1 {
		columns[name] = columns1(t, first, name)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range tables1 {
		rows := slices.Sorted(strings.Lines(table(t, db, "SELECT "+columns[name]+" FROM "+name)))
		got[name] = strings.Join(rows, "")
		if got[name] == "" {
			t.Errorf("there is nothing in %s", name)
		}
	}
	return got
}

func TestFolderOfTheFirstSchemaIsUpgradedAndKeepsEverything(t *testing.T) {
	t.Parallel()
	path := schema1(t)
	before := contents(t, path)
	s := open(t, path)
	if diff := cmp.Diff(before, contents(t, path)); diff != "" {
		t.Errorf("contents (-before +after):\n%s", diff)
	}
	list := backups(t, filepath.Dir(path))
	if len(list) != 1 || !strings.Contains(list[0], ".schema1-") {
		t.Fatalf("the backups are %v, want one of schema 1", list)
	}
	if diff := cmp.Diff(before, contents(t, list[0])); diff != "" {
		t.Errorf("contents of the backup (-before +backup):\n%s", diff)
	}
	version, err := s.RegistryVersion(t.Context())
	if want := table(t, foreign(t, list[0]), "SELECT version FROM registry_version"); err != nil || want == "1\n" {
		t.Errorf("RegistryVersion = %d, %v; want %s", version, err, want)
	}
	duplicates, conflicts, err := s.Tally(t.Context(), 1, storagetest.Start, storagetest.Start+halley.Day)
	if err != nil || duplicates != 1 || conflicts != 0 {
		t.Errorf("Tally = %d, %d, %v; want one duplicate", duplicates, conflicts, err)
	}
	// It goes on: the same message again, and a new one.
	f := storagetest.NewFeed(s)
	f.Seq = 5
	d := storagetest.WiFi("21000001", 10)
	got := f.Append(t, d.Upload(0, d.Message(storagetest.Start, 20)))
	d.Message(0, 0)
	d.Message(0, 0)
	want := storage.Appended{BatchID: 6, Duplicates: 1, Digest: got.Digest}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Append of a repeat (-want +got):\n%s", diff)
	}
	got = f.Append(t, d.Upload(0, d.Message(storagetest.Start+2*halley.Hour, 20)))
	if got.Messages != 1 || got.Samples != 10 {
		t.Errorf("Append of a new message = %+v", got)
	}
}
