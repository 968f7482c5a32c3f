package config

import (
	"fmt"
	"slices"
	"strings"
)

// Sources are what a configuration is made of. A later field wins over an earlier one.
type Sources struct {
	// Name is what messages call the file; Text is its content. Both are empty where there is no file.
	Name, Text string
	// Environment holds "NAME=value" as os.Environ gives them. Those that begin with HALLEY_ and name a setting count; a list
	// is separated by commas. An empty variable counts as none.
	Environment []string
	// Flags are the settings of the command line.
	Flags []Flag
	// HostName is the name of the machine, for the node's name where none is set.
	HostName string
}

// Flag is one setting of the command line.
type Flag struct {
	// Name is what the person typed, such as "--accept"; Key is the setting, such as "devices.accept".
	Name, Key string
	// Values holds one text, or several for a list.
	Values []string
}

// origin is where the value of a setting stands.
type origin struct {
	source string
	line   int
}

// loading is a configuration that is being put together.
type loading struct {
	config   Config
	settings map[string]setting
	origins  map[string]origin
	mistakes []Mistake
}

// Load puts a configuration together: defaults, then the file, the environment and the command line. The error is an
// *InvalidError that holds every mistake that can be found at once.
func Load(s Sources) (Config, error) {
	l := loading{config: Defaults(), settings: map[string]setting{}, origins: map[string]origin{}}
	for _, st := range settings() {
		l.settings[st.key] = st
	}
	l.file(s.Name, s.Text)
	l.environment(s.Environment)
	for _, f := range s.Flags {
		l.set(f.Key, origin{source: f.Name}, func(st setting) any { return st.value(f.Values) })
	}
	for _, m := range together(&l.config) {
		at := l.origins[m.Key]
		m.Source, m.Line = at.source, at.line
		// A setting that could not be read is not compared with others: its mistake has been told.
		if !slices.ContainsFunc(l.mistakes, func(told Mistake) bool { return told.Key == m.Key }) {
			l.mistakes = append(l.mistakes, m)
		}
	}
	if len(l.mistakes) > 0 {
		return Config{}, &InvalidError{Mistakes: l.mistakes}
	}
	if l.config.Node == "" {
		l.config.Node = nodeFrom(s.HostName)
	}
	return l.config, nil
}

// file takes the settings of the file.
func (l *loading) file(name, text string) {
	// A byte order mark, which editors on Windows leave, is no part of TOML.
	found, syntax := leaves(strings.TrimPrefix(text, "\uFEFF"))
	if syntax != nil {
		syntax.Source = name
		l.mistakes = append(l.mistakes, *syntax)
		return
	}
	for _, f := range found {
		at := origin{source: name, line: f.line}
		if _, known := l.settings[f.key]; !known {
			if table, empty := f.value.(map[string]any); empty && len(table) == 0 && l.isTable(f.key) {
				continue
			}
			l.wrong(f.key, at, l.unknown(f.key))
			continue
		}
		l.set(f.key, at, func(setting) any { return f.value })
	}
}

// environment takes the settings of the environment. Variables that name no setting are left alone: the system in which the
// server runs may have its own that begin alike.
func (l *loading) environment(variables []string) {
	values := map[string]string{}
	for _, v := range variables {
		if name, value, ok := strings.Cut(v, "="); ok {
			values[strings.ToUpper(name)] = value
		}
	}
	for _, st := range settings() {
		name := environmentName(st.key)
		value := values[name]
		if short := shortNames()[st.key]; short != "" && values[short] != "" {
			if value != "" && value != values[short] {
				l.wrong(st.key, origin{source: name}, "the variable "+short+" says something else; keep one of them")
				continue
			}
			name, value = short, values[short]
		}
		if value == "" {
			continue
		}
		texts := []string{value}
		if st.list {
			texts = texts[:0]
			for t := range strings.SplitSeq(value, ",") {
				if t = strings.TrimSpace(t); t != "" {
					texts = append(texts, t)
				}
			}
		}
		l.set(st.key, origin{source: name}, func(st setting) any { return st.value(texts) })
	}
}

// set takes one setting.
func (l *loading) set(key string, at origin, value func(setting) any) {
	st, known := l.settings[key]
	if !known {
		l.wrong(key, at, l.unknown(key))
		return
	}
	l.origins[key] = at
	if why := st.take(&l.config, value(st)); why != "" {
		l.wrong(key, at, why)
	}
}

func (l *loading) wrong(key string, at origin, why string) {
	l.mistakes = append(l.mistakes, Mistake{Source: at.source, Line: at.line, Key: key, Why: why})
}

// isTable says whether key is the name of a table, such as "devices".
func (l *loading) isTable(key string) bool {
	for k := range l.settings {
		if strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}

// unknown explains a key that does not exist: the same name in another table, or the nearest one.
func (l *loading) unknown(key string) string {
	const why = "there is no such setting"
	if l.isTable(key) {
		return fmt.Sprintf("this is a table: write [%s] on a line of its own and its settings below", key)
	}
	last := key[strings.LastIndexByte(key, '.')+1:]
	var same, all []string
	for _, st := range settings() {
		all = append(all, st.key)
		if strings.HasSuffix(st.key, "."+last) || st.key == last {
			same = append(same, st.key)
		}
	}
	near := nearest(key, all)
	if near == "" && len(same) > 0 {
		near = same[0]
	}
	if near == "" {
		return why + "; halley config example lists all"
	}
	if table, name, ok := strings.Cut(near, "."); ok && !strings.HasPrefix(key, table+".") {
		return fmt.Sprintf("%s; did you mean %s in the table [%s]?", why, name, table)
	}
	return fmt.Sprintf("%s; did you mean %s?", why, near)
}
