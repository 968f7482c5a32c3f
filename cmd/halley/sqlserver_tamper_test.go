package main

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTamperingOnSQLServer changes what is stored there in the same ways as TestTampering. A database is not copied for each way:
// afterwards its tables are put back, and at the end nothing may be found.
func TestTamperingOnSQLServer(t *testing.T) {
	t.Parallel()
	place := newSite(t, onEngine(t), "line-2").ready(t)
	place.asService(t)
	s := &tampering{
		data: place.data, older: filepath.Join(t.TempDir(), "older"), outside: t.TempDir(), token: place.token,
		environ: []string{"HALLEY_STORE=" + place.dsn.String()},
	}
	s.happened(t, time.Duration(numberFrom(t, "HALLEY_TAMPER_SECONDS", 3))*time.Second)
	s.isClean(t)
	db := place.unguard(t)
	db.keep(t, tamperedTables())
	ways := tamperings()
	for _, name := range slices.Sorted(maps.Keys(ways)) {
		tc := ways[name]
		t.Run(name, func(t *testing.T) {
			db.keep(t, []string{"audit"}) // which grows with every check
			db.changed = map[string]bool{}
			tc.isFound(t, s, tc.tamper(t, db))
			db.putBack(t, slices.Sorted(maps.Keys(db.changed)))
		})
	}
	s.isClean(t)
}

// tableName finds the names of tables in the statements of an unguarded database.
var tableName = regexp.MustCompile(`"([a-z_]+)"`)

// unguard opens the database as one who owns it, without the triggers and references that stop accidents.
func (s *site) unguard(t *testing.T) *unguarded {
	t.Helper()
	u := &unguarded{db: openSQLServer(t, s.database), worded: func(statement string) string {
		return tableName.ReplaceAllString(statement, "halley.[$1]")
	}}
	// A reference may be kept by triggers that cannot be disabled while it is there.
	for _, one := range u.names(t, `SELECT OBJECT_NAME(parent_object_id) + ' DROP CONSTRAINT ' + name FROM sys.foreign_keys
		WHERE SCHEMA_NAME(schema_id) = 'halley'`) {
		u.do(t, "ALTER TABLE halley."+bracketed(one))
	}
	for _, table := range u.names(t, `SELECT DISTINCT OBJECT_NAME(parent_id) FROM sys.triggers
		WHERE OBJECT_SCHEMA_NAME(parent_id) = 'halley'`) {
		u.do(t, "DISABLE TRIGGER ALL ON halley.["+table+"]")
	}
	return u
}

// bracketed quotes the first word, which is the name of a table and may be a word of the language.
func bracketed(text string) string {
	first, rest, _ := strings.Cut(text, " ")
	return "[" + first + "] " + rest
}

// names runs a query for one column of names.
func (u *unguarded) names(t *testing.T, query string) (list []string) {
	t.Helper()
	rows, err := u.db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		list = append(list, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// tamperedTables are those that the ways of tampering change.
func tamperedTables() []string {
	return slices.Concat([]string{"attachment", "audit", "batch", "channel", "checkpoint", "device", "limit", "message", "part"}, tablesOfRights())
}

// keep copies tables that may be tampered with.
func (u *unguarded) keep(t *testing.T, tables []string) {
	t.Helper()
	for _, table := range tables {
		u.do(t, "DROP TABLE IF EXISTS dbo.was_"+table)
		u.do(t, `SELECT * INTO dbo.was_`+table+` FROM "`+table+`"`)
	}
}

// putBack makes tables what they were, but for what checking added to the audit trail.
func (u *unguarded) putBack(t *testing.T, tables []string) {
	t.Helper()
	for _, table := range tables {
		columns := strings.Join(u.names(t, `SELECT '[' + name + ']' FROM sys.columns
			WHERE object_id = OBJECT_ID('halley.`+table+`') AND is_computed = 0 ORDER BY column_id`), ", ")
		remove := `DELETE FROM "` + table + `"`
		if table == "audit" {
			remove += " WHERE audit_id <= (SELECT MAX(audit_id) FROM dbo.was_audit)"
		}
		u.do(t, remove)
		u.do(t, `INSERT INTO "`+table+`" (`+columns+`) SELECT `+columns+` FROM dbo.was_`+table)
	}
}
