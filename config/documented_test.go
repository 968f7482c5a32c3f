package config_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley/config"
)

// uncommented is the documented file with every default switched on.
func uncommented() string {
	return regexp.MustCompile(`(?m)^# `).ReplaceAllString(config.Documented(), "")
}

func TestDocumentedFileHoldsTheDefaults(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"as it is": config.Documented(), "uncommented": uncommented()} {
		got, err := config.Load(config.Sources{Name: "halley.toml", Text: text, HostName: "here"})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := config.Defaults()
		want.Node = "here"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDocumentedFileHasEverySetting(t *testing.T) {
	t.Parallel()
	var have []string
	table := ""
	setting := regexp.MustCompile(`^# ([a-z0-9-]+) = `)
	lines := strings.Split(config.Documented(), "\n")
	for i, line := range lines {
		if name, ok := strings.CutPrefix(line, "["); ok {
			table = strings.TrimSuffix(name, "]") + "."
		}
		m := setting.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		have = append(have, table+m[1])
		if !strings.HasPrefix(lines[i-1], "#") {
			t.Errorf("halley.toml:%d: %s is not explained by the lines above it", i+1, m[1])
		}
	}
	var want []string
	for field := range reflect.TypeFor[config.Config]().Fields() {
		key := field.Tag.Get("toml")
		if field.Type.Kind() != reflect.Struct {
			want = append(want, key)
			continue
		}
		for inner := range field.Type.Fields() {
			want = append(want, key+"."+inner.Tag.Get("toml"))
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("settings of Config against those of halley.toml, in order (-want +got):\n%s", diff)
	}
}

func TestDocumentedFileIsTidy(t *testing.T) {
	t.Parallel()
	for i, line := range strings.Split(config.Documented(), "\n") {
		if strings.Contains(line, "\t") || strings.HasSuffix(line, " ") {
			t.Errorf("halley.toml:%d has stray blanks", i+1)
		}
		if n := len([]rune(line)); n > 130 {
			t.Errorf("halley.toml:%d has %d characters, want at most 130", i+1, n)
		}
	}
}
