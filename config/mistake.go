package config

import (
	"strconv"
	"strings"
)

// Mistake is one thing that is wrong with a configuration.
type Mistake struct {
	// Source is where it stands: the name of the file, of an environment variable or of a flag; "" for something that stands
	// nowhere and should.
	Source string
	// Line is the line in a file, from 1; 0 elsewhere.
	Line int
	// Key is the setting, such as "devices.accept"; "" where the file cannot be read so far.
	Key string
	// Why says what is wrong and what to write, in plain English. It never repeats what may be a secret.
	Why string
}

// String gives one line: "halley.toml:12: devices.accept: ...".
func (m Mistake) String() string {
	var parts []string
	if m.Source != "" {
		where := m.Source
		if m.Line > 0 {
			where += ":" + strconv.Itoa(m.Line)
		}
		parts = append(parts, where)
	}
	if m.Key != "" {
		parts = append(parts, m.Key)
	}
	return strings.Join(append(parts, m.Why), ": ")
}

// InvalidError holds every mistake of a configuration, in the order of the file, then of the environment and the flags.
type InvalidError struct {
	Mistakes []Mistake
}

// Error gives a line for each mistake.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Mistakes))
	for i, m := range e.Mistakes {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}
