package sqlserver_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage/sqlserver"
)

// selectCatalog lists what a schema consists of, in lower case, because not every engine keeps the case of names.
const selectCatalog = `
SELECT LOWER(o.name), LOWER(c.name), LOWER(y.name), c.max_length, c.is_nullable, COALESCE(c.collation_name, N'')
  FROM sys.objects o
  JOIN sys.schemas s ON s.schema_id = o.schema_id
  JOIN sys.columns c ON c.object_id = o.object_id
  JOIN sys.types y ON y.user_type_id = c.user_type_id
 WHERE s.name = N'halley' AND o.type IN ('U', 'V', 'IF')
 ORDER BY 1, c.column_id`

const selectTriggers = `
SELECT LOWER(g.name), LOWER(o.name) FROM sys.triggers g JOIN sys.objects o ON o.object_id = g.parent_id ORDER BY 1, 2`

// catalog lists tables, views, columns, triggers, roles, and the rows that migrations and Init write.
func catalog(t *testing.T, o sqlserver.Options) []string {
	t.Helper()
	db := raw(t, o.DSN)
	list := lines(t, db, selectCatalog)
	for _, q := range []string{
		selectTriggers,
		"SELECT name, type FROM sys.database_principals WHERE name LIKE N'halley[_]%' ORDER BY name",
		"SELECT number, name, checksum FROM halley.schema_migration ORDER BY number",
		"SELECT * FROM halley.organization_description",
		"SELECT * FROM halley.registry_change",
	} {
		list = append(list, lines(t, db, q)...)
	}
	return list
}

func TestInitTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	u := engine(t)
	name := noDatabase(t, u)
	o := sqlserver.Options{DSN: at(u, name)}
	first, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"created the database " + name, "ran migration 1 (first)", "ran migration 2 (proof)", "ran migration 3 (people)",
		"created the role halley_service", "created the role halley_keeper", "created the role halley_reader",
	}
	// What an engine can beside that, such as page compression, comes behind.
	if diff := cmp.Diff(want, first.Done[:min(len(first.Done), len(want))]); diff != "" {
		t.Errorf("the first run did (-want +got):\n%s", diff)
	}
	if first.Schema != 3 || first.Engine == "" || first.Database != name {
		t.Errorf("the first run reports %+v", first)
	}
	before := catalog(t, o)
	applied := lines(t, raw(t, o.DSN), "SELECT applied_at FROM halley.schema_migration")
	second, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(second.Done) != 0 {
		t.Errorf("the second run did %q", second.Done)
	}
	if diff := cmp.Diff(before, catalog(t, o)); diff != "" {
		t.Errorf("the second run changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(applied, lines(t, raw(t, o.DSN), "SELECT applied_at FROM halley.schema_migration")); diff != "" {
		t.Errorf("the migration was noted again (-before +after):\n%s", diff)
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	u := engine(t)
	name := noDatabase(t, u)
	o := sqlserver.Options{DSN: at(u, name)}
	report, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"create the database " + name, "run migration 1 (first)", "run migration 2 (proof)", "run migration 3 (people)",
		"create the role halley_service", "create the role halley_keeper", "create the role halley_reader",
	}
	if diff := cmp.Diff(want, report.Done); diff != "" {
		t.Errorf("a dry run without a database would (-want +got):\n%s", diff)
	}
	master := raw(t, at(u, "master"))
	find := "SELECT name FROM sys.databases WHERE name = N'" + name + "'"
	if got := lines(t, master, find); len(got) != 0 {
		t.Fatalf("the dry run made the database %s", got)
	}
	if _, err := master.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	report, err = sqlserver.Init(t.Context(), o, sqlserver.InitOptions{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	// An engine may have settings to change besides.
	if diff := cmp.Diff(want[1:], report.Done[:min(len(report.Done), len(want)-1)]); diff != "" {
		t.Errorf("a dry run in an empty database would (-want +got):\n%s", diff)
	}
	if got := lines(t, raw(t, o.DSN), "SELECT name FROM sys.schemas WHERE name = N'halley'"); len(got) != 0 {
		t.Error("the dry run made the schema")
	}
	if got := lines(t, raw(t, o.DSN), "SELECT name FROM sys.database_principals WHERE name LIKE N'halley[_]%'"); len(got) != 0 {
		t.Errorf("the dry run made the roles %s", got)
	}
}

func TestInitsAtTheSameTimeRunOneAfterTheOther(t *testing.T) {
	t.Parallel()
	u := engine(t)
	o := sqlserver.Options{DSN: at(u, noDatabase(t, u))}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var done []string
	for range 3 {
		wg.Go(func() {
			r, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{})
			if err != nil {
				t.Errorf("Init: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			done = append(done, r.Done...)
		})
	}
	wg.Wait()
	ran := 0
	for _, d := range done {
		if strings.HasPrefix(d, "ran migration 1") {
			ran++
		}
	}
	if ran != 1 {
		t.Errorf("migration 1 ran %d times: %q", ran, done)
	}
}

func TestInitRefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		before []string
		code   string
	}{
		"a newer schema": {
			[]string{"INSERT INTO halley.schema_migration (number, name, checksum, applied_at) VALUES (4, N'later', N'x', 1)"}, "newer-schema",
		},
		"another build": {
			[]string{"UPDATE halley.schema_migration SET checksum = N'x'"}, "other-schema",
		},
		"tables of another program": {
			[]string{"DROP TABLE halley.schema_migration"}, "not-ours",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newDatabase(t)
			db := raw(t, o.DSN)
			for _, text := range test.before {
				if _, err := db.ExecContext(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			for _, dry := range []bool{true, false} {
				_, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{DryRun: dry})
				if got := codeOf(err); got != test.code || halley.KindOf(err) != halley.Conflict {
					t.Errorf("Init with DryRun %v = %v, want a conflict with the code %s", dry, err, test.code)
				}
			}
		})
	}
}

func TestInitSaysWhatToRunWhereTheLoginMayNot(t *testing.T) {
	t.Parallel()
	u := engine(t)
	login, password := newLogin(t, u)
	o := sqlserver.Options{DSN: as(u, login, password, noDatabase(t, u))}
	_, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{})
	if err == nil || !strings.Contains(err.Error(), "--print-script=owner") {
		t.Errorf("Init = %v, want an error that names --print-script=owner", err)
	}
	if err != nil && strings.Contains(err.Error(), password) {
		t.Error("the error holds the password")
	}
}

func TestGrantListNamesEveryTable(t *testing.T) {
	t.Parallel()
	o := newDatabase(t)
	got := lines(t, raw(t, o.DSN), `SELECT LOWER(t.name) FROM sys.tables t JOIN sys.schemas s ON s.schema_id = t.schema_id
 WHERE s.name = N'halley' AND t.name <> N'schema_migration' ORDER BY 1`)
	want := []string{}
	for _, name := range sqlserver.Tables() {
		want = append(want, strings.Trim(name, "[]"))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tables with rights and tables of the schema (-want +got):\n%s", diff)
	}
}

// changeable are the tables that the server itself changes, those of personal data and secrets among them.
var changeable = []string{
	"alarm", "completeness_day", "lease", "node", "person_detail", "person_secret", "rollup", "rollup_mark", "session",
}

func TestTriggersRefuseTheOwnerToo(t *testing.T) {
	t.Parallel()
	m := newMembership(t, "halley_keeper")
	stored(t, m.owner)
	before := lines(t, m.owner, selectContents)
	for _, table := range sqlserver.Tables() {
		if slices.Contains(changeable, table) {
			continue
		}
		column := lines(t, m.owner, "SELECT TOP (1) c.name FROM sys.columns c WHERE c.object_id = OBJECT_ID(N'halley."+table+
			"') ORDER BY c.column_id")[0]
		for _, text := range []string{"UPDATE halley." + table + " SET [" + column + "] = [" + column + "]", "DELETE FROM halley." + table} {
			if _, err := m.owner.ExecContext(t.Context(), text); err == nil {
				t.Errorf("the owner may run: %s", text)
			}
		}
	}
	if diff := cmp.Diff(before, lines(t, m.owner, selectContents)); diff != "" {
		t.Errorf("the owner changed something (-before +after):\n%s", diff)
	}
}
