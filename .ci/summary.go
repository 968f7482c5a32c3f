//go:build ignore

// Command summary reads the output of go test -json, shows what failed and what was skipped, and ends with one line of counts,
// which it also leaves in the file that it is given. Lines that tests print between the first of these words and the end of the
// line are kept and shown again at the end: "SQL Server: tested against ", "engine kills=", "engine stopped=". It fails where a test failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// event is one line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// tally is what is known so far.
type tally struct {
	out                     io.Writer
	passed, failed, skipped int
	packages                int
	// red are the packages in which a test failed.
	red map[string]bool
	// output holds what each test and package printed, until its outcome is known.
	output map[string]*strings.Builder
	// kept are the lines to be shown again.
	kept []string
}

// keepFrom are the words with which a line begins that is shown again.
var keepFrom = []string{"SQL Server: tested against ", "engine kills=", "engine stopped="}

func main() {
	started := time.Now()
	t := tally{out: os.Stdout, red: map[string]bool{}, output: map[string]*strings.Builder{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			// Not of go test: a message of the go command itself.
			fmt.Fprintln(t.out, lines.Text())
			continue
		}
		t.take(e)
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "reading the output of go test:", err)
		os.Exit(1)
	}
	for _, line := range t.kept {
		fmt.Fprintln(t.out, line)
	}
	line := fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
	fmt.Fprintf(t.out, "go: %s, %d packages, %s\n", line, t.packages, time.Since(started).Round(time.Second))
	if len(os.Args) > 1 {
		if err := os.WriteFile(os.Args[1], []byte(line+"\n"), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if t.failed > 0 || t.passed == 0 {
		os.Exit(1)
	}
}

func (t *tally) take(e event) {
	key := e.Package + "\x00" + e.Test
	switch e.Action {
	case "output", "build-output":
		if e.Action == "build-output" {
			fmt.Fprint(t.out, e.Output)
			return
		}
		if t.output[key] == nil {
			t.output[key] = &strings.Builder{}
		}
		t.output[key].WriteString(e.Output)
		t.keep(e.Output)
		return
	case "pass":
		if e.Test != "" {
			t.passed++
		} else {
			t.packages++
			fmt.Fprintf(t.out, "ok    %-40s %6.1f s\n", e.Package, e.Elapsed)
		}
	case "skip":
		if e.Test != "" {
			t.skipped++
			fmt.Fprintf(t.out, "skip  %s %s\n%s", e.Package, e.Test, t.text(key))
		}
	case "fail":
		// A package fails with its tests, or alone: it did not compile, or its process ended. Only the latter counts.
		if e.Test != "" || !t.red[e.Package] {
			t.failed++
		}
		t.red[e.Package] = true
		fmt.Fprintf(t.out, "FAIL  %s %s\n%s", e.Package, e.Test, t.text(key))
		if e.Test == "" {
			t.unfinished(e.Package)
		}
	default:
		return
	}
	delete(t.output, key)
}

// unfinished shows what the tests of a package printed that never ended: where its process ended in the middle, one of them says why.
func (t *tally) unfinished(ofPackage string) {
	for key, printed := range t.output {
		if test, ok := strings.CutPrefix(key, ofPackage+"\x00"); ok && test != "" {
			fmt.Fprintf(t.out, "never ended  %s %s\n%s", ofPackage, test, printed.String())
			delete(t.output, key)
		}
	}
}

func (t *tally) keep(output string) {
	for _, word := range keepFrom {
		if _, rest, found := strings.Cut(output, word); found {
			t.kept = append(t.kept, word+strings.TrimSpace(rest))
		}
	}
}

func (t *tally) text(key string) string {
	if b := t.output[key]; b != nil {
		return b.String()
	}
	return ""
}
