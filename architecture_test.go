package halley_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layer says which packages of this module the packages below a folder may import. Folders are relative to the module, a rule
// holds for everything below its folder, and the longest folder that fits decides.
type layer struct {
	folder string
	// imports are folders whose packages may be imported; "." is the root package alone.
	imports []string
	// own says that packages below the same folder may import each other.
	own bool
}

// layers is section 4 of the design: who may import whom.
var layers = []layer{
	{folder: "."},
	{folder: "config", imports: []string{"."}},
	{folder: "protocols", imports: []string{".", "protocols", "protocols/internal"}},
	{folder: "protocols/internal", imports: []string{".", "protocols"}, own: true},
	{folder: "storage", imports: []string{".", "storage/ledger"}},
	{folder: "storage/ledger", imports: []string{"."}, own: true},
	{folder: "storage/internal", imports: []string{".", "storage", "storage/ledger"}, own: true},
	{folder: "storage/sqlite", imports: []string{".", "storage", "storage/ledger", "storage/internal"}, own: true},
	{folder: "storage/sqlserver", imports: []string{".", "storage", "storage/ledger", "storage/internal"}, own: true},
	{folder: "server", imports: []string{".", "config", "protocols", "storage", "storage/ledger"}, own: true},
	{folder: "viewer-api", imports: []string{".", "storage", "storage/ledger", "server"}, own: true},
	{folder: "viewer"},
	{folder: "installer"},
	{folder: "cmd", own: true, imports: []string{".", "config", "protocols", "storage", "server", "viewer-api", "viewer", "installer"}},
}

// alone are the folders of which "imports" means the package itself and not the drivers and families below it, unless the
// importer is below cmd.
var alone = []string{"protocols", "storage"}

const module = "halley"

func TestImportsFollowTheDesign(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	forEachFile(t, func(file string, f *ast.File) {
		// A test may use whatever it needs, except that nothing imports cmd.
		test := strings.HasSuffix(file, "_test.go")
		from := path.Dir(file)
		rule := layerOf(from)
		if rule == nil {
			t.Errorf("%s lies in no folder of the design", file)
			return
		}
		seen[rule.folder] = true
		for _, spec := range f.Imports {
			to, ours := importedFolder(t, spec)
			if !ours || to == from {
				continue
			}
			if below(to, "cmd") && !below(from, "cmd") {
				t.Errorf("%s imports %s: nothing imports cmd", file, to)
			}
			if !test && !isKit(from) && !rule.allows(from, to) {
				t.Errorf("%s imports %s, which %s may not", file, to, rule.folder)
			}
		}
	})
	for _, must := range []string{".", "config", "protocols", "storage", "server", "cmd"} {
		if !seen[must] {
			t.Errorf("no file below %s was looked at", must)
		}
	}
}

func TestTheRulesThemselves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{".", "config", false},
		{"config", ".", true},
		{"config", "storage", false},
		{"protocols/wifi", "protocols", true},
		{"protocols/wifi", "protocols/internal/cometjson", true},
		{"protocols/wifi", "protocols/websensor", false},
		{"protocols/wifi", "protocols/protocoltest", false},
		{"protocols/internal/cometjson", "protocols/wifi", false},
		{"storage/sqlite", "storage/internal/sqlkit", true},
		{"storage/sqlite", "storage/sqlserver", false},
		{"storage/internal/sqlkit", "storage/sqlite", false},
		{"server/recorder", "server/journal", true},
		{"server/recorder", "storage/sqlite", false},
		{"server/intake", "protocols/wifi", false},
		{"server/intake", "viewer-api", false},
		{"server", "config", true},
		{"viewer-api", "server/access", true},
		{"viewer-api", "storage", true},
		{"viewer-api", "storage/sqlite", false},
		{"viewer-api", "protocols", false},
		{"cmd/halley", "storage/sqlite", true},
		{"cmd/halley", "protocols/wifi", true},
		{"cmd/halley", "storage/storagetest", false},
		{"installer", "config", false},
	} {
		if got := layerOf(c.from).allows(c.from, c.to); got != c.want {
			t.Errorf("%s may import %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// allows says whether a package in folder from may import the one in folder to.
func (l *layer) allows(from, to string) bool {
	if isKit(to) {
		return false // a suite for tests is no part of the program
	}
	if l.own && below(to, l.folder) {
		return true
	}
	for _, allowed := range l.imports {
		switch {
		case to == allowed:
			return true
		case allowed == "." || slices.Contains(alone, allowed) && !below(from, "cmd"):
		case below(to, allowed):
			return true
		}
	}
	return false
}

// isKit says whether a folder holds a suite that other folders' tests run.
func isKit(folder string) bool {
	base := path.Base(folder)
	return strings.HasSuffix(base, "test") && base != "test"
}

func layerOf(folder string) *layer {
	var found *layer
	for i := range layers {
		l := &layers[i]
		fits := below(folder, l.folder)
		if l.folder == "." {
			fits = folder == "."
		}
		if fits && (found == nil || len(l.folder) > len(found.folder)) {
			found = l
		}
	}
	return found
}

func below(folder, ancestor string) bool {
	return folder == ancestor || strings.HasPrefix(folder, ancestor+"/")
}

func importedFolder(t *testing.T, spec *ast.ImportSpec) (folder string, ours bool) {
	t.Helper()
	name, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		t.Fatal(err)
	}
	if name == module {
		return ".", true
	}
	return strings.CutPrefix(name, module+"/")
}

// TestNothingRegistersItself holds the rule that drivers and families are slice literals in cmd: there is no func init, and
// nothing is imported for its side effects but what the standard library and the database drivers need.
func TestNothingRegistersItself(t *testing.T) {
	t.Parallel()
	// What may be imported for its side effects, and where.
	blank := map[string]string{
		"embed":              "",
		"time/tzdata":        "cmd",
		"modernc.org/sqlite": "",
		"github.com/microsoft/go-mssqldb/integratedauth/krb5": "storage/sqlserver",
		"github.com/microsoft/go-mssqldb/namedpipe":           "storage/sqlserver",
		"github.com/microsoft/go-mssqldb/sharedmemory":        "storage/sqlserver",
	}
	forEachFile(t, func(file string, f *ast.File) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has a func init", file)
			}
		}
		for _, spec := range f.Imports {
			if spec.Name == nil || spec.Name.Name != "_" {
				continue
			}
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if where, ok := blank[name]; !ok || !strings.HasPrefix(file, where) {
				t.Errorf("%s imports %s for its side effects", file, name)
			}
		}
	})
}

// TestNamesSayWhatIsMeant holds the rule that no folder and no file is named for being left over.
func TestNamesSayWhatIsMeant(t *testing.T) {
	t.Parallel()
	vague := []string{"util", "utils", "helper", "helpers", "common", "manager", "misc", "handler2"}
	forEachFile(t, func(file string, _ *ast.File) {
		for part := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSuffix(file, ".go"), "_test"), "/") {
			for word := range strings.FieldsFuncSeq(part, func(r rune) bool { return r == '_' || r == '-' }) {
				if slices.Contains(vague, word) {
					t.Errorf("%s is named %q, which says nothing", file, word)
				}
			}
		}
	})
}

// forEachFile parses every Go file of the module.
func forEachFile(t *testing.T, do func(file string, f *ast.File)) {
	t.Helper()
	set := token.NewFileSet()
	err := fs.WalkDir(os.DirFS("."), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"bin", "testdata", "node_modules"}, d.Name())):
			return fs.SkipDir
		case d.IsDir() || path.Ext(file) != ".go":
			return nil
		}
		f, err := parser.ParseFile(set, filepath.FromSlash(file), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		do(file, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
