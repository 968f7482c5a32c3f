package sqlserver_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley/storage/sqlserver"
)

// onlyMicrosoft are words of statements that not every engine takes. Halley works without what they do.
var onlyMicrosoft = []string{"db_owner", "DENY ", "BACKUP DATABASE", "CREATE ANY DATABASE", "samples_between TO"}

// runScript runs what an administrator would, a batch at a time on one connection. What only some engines take may fail.
func runScript(t *testing.T, text string) {
	t.Helper()
	u := engine(t)
	conn, err := raw(t, at(u, "master")).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for batch := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\nGO\n") {
		if strings.TrimSpace(batch) == "" {
			continue
		}
		if _, err := conn.ExecContext(t.Context(), batch); err != nil && !holdsAny(batch, onlyMicrosoft) {
			t.Errorf("the script fails: %v\n%s", err, batch)
		}
	}
}

func holdsAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

func TestScriptGivesTheSameSchema(t *testing.T) {
	t.Parallel()
	u := engine(t)
	by := newDatabase(t)
	o := sqlserver.Options{DSN: at(u, noDatabase(t, u))}
	text, err := sqlserver.Script(o, "all")
	if err != nil {
		t.Fatal(err)
	}
	runScript(t, text)
	want := catalog(t, by)
	if diff := cmp.Diff(want, catalog(t, o)); diff != "" {
		t.Errorf("the script makes another database than Init (-init +script):\n%s", diff)
	}
	if t.Failed() {
		return
	}
	// Run again it changes nothing, and Init finds nothing to do.
	runScript(t, text)
	if diff := cmp.Diff(want, catalog(t, o)); diff != "" {
		t.Errorf("the script run again changed (-before +after):\n%s", diff)
	}
	report, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Done) != 0 {
		t.Errorf("after the script Init did %q", report.Done)
	}
}

func TestScriptMakesALoginThatMayOnlyRead(t *testing.T) {
	t.Parallel()
	u := engine(t)
	o := newDatabase(t)
	text, err := sqlserver.Script(o, "reader")
	if err != nil {
		t.Fatal(err)
	}
	login, password := random(t, "halley_test_"), random(t, "It's-1-")
	filled := strings.ReplaceAll(text, "N'halley_reader_login'", "N'"+login+"'")
	filled = strings.ReplaceAll(filled, "@password nvarchar(128) = N''", "@password nvarchar(128) = N'"+strings.ReplaceAll(password, "'", "''")+"'")
	dropLogin(t, u, login)
	runScript(t, filled)
	name := lines(t, raw(t, o.DSN), "SELECT DB_NAME()")[0]
	db := raw(t, as(u, login, password, name))
	if got := lines(t, db, "SELECT * FROM halley.samples"); len(got) != 0 {
		t.Errorf("the view samples holds %q", got)
	}
	if _, err := db.ExecContext(t.Context(), "SELECT * FROM halley.message"); err == nil {
		t.Error("the reader may read the tables")
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM halley.message"); err == nil {
		t.Error("the reader may delete messages")
	}
}

func TestScriptHoldsNoPasswordAndRefusesOtherParts(t *testing.T) {
	t.Parallel()
	o := sqlserver.Options{DSN: "sqlserver://owner:Secret-1@127.0.0.1:1?database=pl]ant'&encrypt=disable"}
	for _, part := range sqlserver.ScriptParts() {
		text, err := sqlserver.Script(o, part)
		if err != nil {
			t.Fatalf("Script(%s): %v", part, err)
		}
		if strings.Contains(text, "Secret-1") {
			t.Errorf("the script %s holds the password", part)
		}
		if !strings.Contains(text, "USE [pl]]ant'];\nGO\n") {
			t.Errorf("the script %s does not use the database:\n%s", part, text)
		}
	}
	if _, err := sqlserver.Script(o, "king"); err == nil {
		t.Error("there is a script for a login that Halley does not have")
	}
}
