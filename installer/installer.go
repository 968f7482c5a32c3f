// Package installer holds what makes a service of the program: the unit of systemd, which the packages and the command
// "halley service install" share.
package installer

import (
	_ "embed" // The unit.
	"strings"
)

//go:embed halley.service
var unit string

// The lines of the unit that depend on where things lie, as the packages install them.
const (
	dataFolder = "/var/lib/halley"
	start      = "ExecStart=/usr/bin/halley serve --data /var/lib/halley --config /etc/halley/halley.toml\n"
	working    = "WorkingDirectory=/var/lib/halley\n"
)

// Unit gives the unit for a program that lies at an absolute path, is started with these arguments and keeps its data in this
// folder.
func Unit(program string, arguments []string, data string) string {
	words := []string{quote(program)}
	for _, a := range arguments {
		words = append(words, quote(a))
	}
	text := strings.Replace(unit, start, "ExecStart="+strings.Join(words, " ")+"\n", 1)
	if data != dataFolder {
		// Any other folder is read-only for the service unless the unit names it.
		text = strings.Replace(text, working, "WorkingDirectory="+path(data)+"\nReadWritePaths="+quote(data)+"\n", 1)
	}
	return text
}

// path gives a path for a setting that takes the rest of the line, where only percent signs mean something.
func path(p string) string { return strings.ReplaceAll(p, "%", "%%") }

// quote gives a word as systemd.service(5) reads it: percent signs and dollars doubled, in double quotes where it has blanks,
// quotes or backslashes.
func quote(word string) string {
	word = strings.NewReplacer("%", "%%", "$", "$$").Replace(word)
	if !strings.ContainsAny(word, " \t\"'\\;") {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
}
