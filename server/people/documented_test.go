package people_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
)

var update = flag.Bool("update", false, "rewrite the table of roles in docs/people.md")

// The table of roles in the documentation is that of the program.
func TestTheDocumentedRolesAreThoseOfTheProgram(t *testing.T) {
	t.Parallel()
	const file, begin, end = "../../docs/people.md", "<!-- roles -->\n", "<!-- /roles -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	table, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table of roles", file)
	}
	want := roleTable()
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// roleTable writes what each role holds, a line for each permission.
func roleTable() string {
	var b strings.Builder
	b.WriteString("|")
	for _, role := range halley.PresetRoles() {
		b.WriteString(" | " + string(role))
	}
	b.WriteString(" |\n|---" + strings.Repeat("|---", len(halley.PresetRoles())) + "|\n")
	for _, p := range halley.Permissions() {
		b.WriteString("| `" + string(p) + "`")
		if p.OfServer() {
			b.WriteString(" (server)")
		}
		for _, role := range halley.PresetRoles() {
			b.WriteString(" |")
			if slices.Contains(role.Permissions(), p) {
				b.WriteString(" yes")
			}
		}
		b.WriteString(" |\n")
	}
	return b.String()
}
