package config

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// leaf is one "key = value" of a file.
type leaf struct {
	// key is the whole key, such as "devices.accept".
	key string
	// line is where it stands, from 1.
	line int
	// value is a string, int64, float64, bool, time.Time, []any or, for an empty table, map[string]any.
	value any
}

// leaves lists what a file sets, by line. A file that is not TOML gives one Mistake, without its Source.
func leaves(text string) ([]leaf, *Mistake) {
	var top map[string]toml.Primitive
	md, err := toml.Decode(text, &top)
	if err != nil {
		return nil, syntaxMistake(err)
	}
	found := branch(&md, "", top)
	slices.SortStableFunc(found, func(a, b leaf) int { return a.line - b.line })
	return found, nil
}

// branch lists the leaves of one table.
func branch(md *toml.MetaData, prefix string, table map[string]toml.Primitive) []leaf {
	var found []leaf
	for _, name := range slices.Sorted(maps.Keys(table)) {
		v := locate(md, table[name])
		v.key = prefix + name
		if inner, isTable := v.value.(map[string]any); isTable && len(inner) > 0 {
			var below map[string]toml.Primitive
			if err := md.PrimitiveDecode(table[name], &below); err == nil {
				found = append(found, branch(md, v.key+".", below)...)
				continue
			}
		}
		found = append(found, v)
	}
	return found
}

// locate finds the line and the value of a key. The library tells the line of a value only in the error of a value that
// refuses to be decoded, so this one refuses.
func locate(md *toml.MetaData, p toml.Primitive) leaf {
	var r refusing
	err := md.PrimitiveDecode(p, &r)
	l := leaf{value: r.value}
	if at, ok := errors.AsType[toml.ParseError](err); ok {
		l.line = at.Position.Line
	}
	return l
}

// refusing takes any value, and says no.
type refusing struct{ value any }

var errRefused = errors.New("refused")

// UnmarshalTOML keeps the value and always fails.
func (r *refusing) UnmarshalTOML(value any) error {
	r.value = value
	return errRefused
}

// syntaxMistake explains why a text is not TOML.
func syntaxMistake(err error) *Mistake {
	m := &Mistake{Why: err.Error()}
	at, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return m
	}
	m.Line = at.Position.Line
	switch text := at.Message; {
	case strings.Contains(text, "escape"):
		m.Why = `a backslash in double quotes begins an escape; write Windows paths in single quotes, such as 'C:\ProgramData\Halley'`
	case strings.Contains(text, "has already been defined"), strings.Contains(text, "already exists"):
		m.Why = "this key or table stands in the file twice; keep one"
	case strings.Contains(text, "expected value but found"), strings.Contains(text, "must be a quoted string"):
		m.Why = `there is no value that can be read here; texts stand in quotes, such as accept = "approve"`
	case strings.Contains(text, "strings cannot contain newlines"), strings.Contains(text, "unexpected EOF"):
		m.Why = "a quote or bracket is not closed here"
	default:
		m.Why = "this is not TOML: " + text
	}
	return m
}

// Interface guard.
var _ toml.Unmarshaler = (*refusing)(nil)
