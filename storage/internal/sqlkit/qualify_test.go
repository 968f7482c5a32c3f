package sqlkit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"halley/storage/internal/sqlkit"
)

func TestQualifyNamesTheSchemaOfTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"a selection", "SELECT 1 FROM device d", "SELECT 1 FROM halley.device d"},
		{"a longer name", "SELECT 1 FROM device_description", "SELECT 1 FROM halley.device_description"},
		{"a join on a new line", "FROM device d\n  JOIN message m ON", "FROM halley.device d\n  JOIN halley.message m ON"},
		{"a left join", "LEFT JOIN layout_slot s", "LEFT JOIN halley.layout_slot s"},
		{"the quoted name", `SELECT 1 FROM "limit" l`, `SELECT 1 FROM halley."limit" l`},
		{"an insertion", "INSERT INTO audit (audit_id) VALUES (1)", "INSERT INTO halley.audit (audit_id) VALUES (1)"},
		{"a change", "UPDATE lease SET holder = 1", "UPDATE halley.lease SET holder = 1"},
		{"a deletion", "DELETE FROM session", "DELETE FROM halley.session"},
		{"a subquery", "FROM (SELECT 1 FROM batch) batch", "FROM (SELECT 1 FROM halley.batch) batch"},
		{"an alias and columns", "SELECT message.seq, device FROM other device", "SELECT message.seq, device FROM other device"},
		{"a list", "FROM json_each(@list) l JOIN OPENJSON(@list) k", "FROM json_each(@list) l JOIN OPENJSON(@list) k"},
	} {
		if got := sqlkit.Qualify("halley.", c.text); got != c.want {
			t.Errorf("%s: %q becomes %q, want %q", c.name, c.text, got, c.want)
		}
		if got := sqlkit.Qualify("", c.text); got != c.text {
			t.Errorf("%s: %q becomes %q without a schema", c.name, c.text, got)
		}
	}
}

// statements gives the texts in the code of this package that hold SQL, by where they stand. A statement that is put together
// from several texts comes in its parts.
func statements(t *testing.T) map[string]string {
	t.Helper()
	verbs := regexp.MustCompile(`\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|FROM|JOIN|WHERE|ORDER BY|GROUP BY)\b`)
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || name == "qualify.go" {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			if verbs.MatchString(text) {
				found[set.Position(lit.Pos()).String()] = text
			}
			return true
		})
	}
	if len(found) < 80 {
		t.Fatalf("only %d texts with SQL were found", len(found))
	}
	return found
}

func TestEveryTableInAStatementIsQualified(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\b(FROM|JOIN|INTO|UPDATE)\s+([^\s(]+)`)
	for at, text := range statements(t) {
		for _, found := range named.FindAllStringSubmatch(sqlkit.Qualify("halley.", text), -1) {
			if !strings.HasPrefix(found[2], "halley.") {
				t.Errorf("%s names %s, which is no table that Qualify knows", at, found[2])
			}
		}
	}
}

// TestStatementsAreThoseOfBothEngines finds what only one of the engines understands.
func TestStatementsAreThoseOfBothEngines(t *testing.T) {
	t.Parallel()
	alone := regexp.MustCompile(`(?i)\bLIMIT\b[^"]|\|\||\bON CONFLICT\b|\bTOP\b|;\s*$|\bGLOB\b|\bIFNULL\b|\bISNULL\b|[^@\w][$?]\d*\b|` +
		`\bCAST\([^)]* AS (INTEGER|TEXT|REAL)\)|\bWITHOUT ROWID\b|\bTRUE\b|\bFALSE\b|\bSELECT EXISTS\b|\bNULLS (FIRST|LAST)\b`)
	for at, text := range statements(t) {
		if found := alone.FindString(text); found != "" {
			t.Errorf("%s says %q, which is not for both engines", at, found)
		}
	}
}

// TestQualifyKnowsEveryTable holds the list of tables to what the migrations of the embedded store make.
func TestQualifyKnowsEveryTable(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "sqlite", "migrations", "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatal("there are no migrations", err)
	}
	made := regexp.MustCompile(`(?m)^CREATE TABLE ("?\w+"?)`)
	// No shared statement names these: one is gone again, one is only of the embedded store.
	others := []string{"registry_version", "moved"}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range made.FindAllStringSubmatch(string(text), -1) {
			want := "SELECT * FROM halley." + found[1]
			if got := sqlkit.Qualify("halley.", "SELECT * FROM "+found[1]); got != want && !slices.Contains(others, found[1]) {
				t.Errorf("Qualify gives %q, want %q", got, want)
			}
		}
	}
}
