package acts_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every act that the code can note is documented, and every documented act can be noted.
func TestEveryActIsDocumented(t *testing.T) {
	t.Parallel()
	documented := documentedActs(t)
	words, prefixes := actsOfTheCode(t)
	for word, where := range words {
		if !documented[word] {
			t.Errorf("docs/audit.md does not say what %q is (%s)", word, where)
		}
	}
	for word := range documented {
		known := words[word] != ""
		for p := range prefixes {
			known = known || strings.HasPrefix(word, p)
		}
		if !known {
			t.Errorf("docs/audit.md has %q, which nothing notes", word)
		}
	}
	if len(words) < 20 {
		t.Errorf("only %d acts were found in the code", len(words))
	}
}

// documentedActs are the words in the first column of the tables "what | when".
func documentedActs(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	acts := map[string]bool{}
	within := false
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "|") {
			within = false
		}
		within = within || strings.HasPrefix(line, "| what | when |")
		if !within {
			continue
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		for _, m := range regexp.MustCompile("`([a-z-]+\\.[a-z-]+)`").FindAllStringSubmatch(first, -1) {
			acts[m[1]] = true
		}
	}
	return acts
}

// actsOfTheCode gives the acts that the code names with where it does, and what acts begin with that it puts together.
func actsOfTheCode(t *testing.T) (words, prefixes map[string]string) {
	t.Helper()
	words, prefixes = map[string]string{}, map[string]string{}
	for _, folder := range []string{"cmd", "server", "storage", "viewer-api"} {
		err := filepath.WalkDir(filepath.Join("..", "..", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(path, "storagetest") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				for _, e := range named(n) {
					note(e, path, words, prefixes)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return words, prefixes
}

// named gives the expressions of a node that name an act: what stands in an audit entry or an act, what noteAct is told, what a change of a secret is called, constants
// and functions that are called after acts, and what a variable "what" is given.
func named(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.CompositeLit:
		return inEntry(n)
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "noteAct" && len(n.Args) > 1 {
			return n.Args[1:2]
		}
		// What people prove themselves by is changed with the word of the act, or with none.
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "SetSecret" || f.Sel.Name == "RemoveSecret") && len(n.Args) == 5 {
			return n.Args[3:4]
		}
	case *ast.ValueSpec:
		if strings.HasPrefix(n.Names[0].Name, "act") {
			return n.Values
		}
	case *ast.AssignStmt:
		if to, ok := n.Lhs[0].(*ast.Ident); ok && to.Name == "what" {
			return n.Rhs
		}
	case *ast.FuncDecl:
		if strings.HasSuffix(n.Name.Name, "Act") {
			return returned(n)
		}
	}
	return nil
}

func inEntry(n *ast.CompositeLit) []ast.Expr {
	var name string
	switch t := n.Type.(type) {
	case *ast.Ident:
		name = t.Name
	case *ast.SelectorExpr:
		name = t.Sel.Name
	}
	if name != "AuditEntry" && name != "act" {
		return nil
	}
	for _, e := range n.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if k, ok := kv.Key.(*ast.Ident); ok && strings.EqualFold(k.Name, "what") {
				return []ast.Expr{kv.Value}
			}
		}
	}
	return nil
}

func returned(f *ast.FuncDecl) []ast.Expr {
	var list []ast.Expr
	ast.Inspect(f, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok {
			list = append(list, r.Results...)
		}
		return true
	})
	return list
}

// note takes what an expression says, where it is a text or a text with something behind it.
func note(e ast.Expr, where string, words, prefixes map[string]string) {
	word := regexp.MustCompile(`^[a-z-]+\.[a-z-]*$`)
	into := words
	if b, ok := e.(*ast.BinaryExpr); ok {
		e, into = b.X, prefixes
	}
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return
	}
	if s, err := strconv.Unquote(lit.Value); err == nil && word.MatchString(s) {
		into[s] = where
	}
}
