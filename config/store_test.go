package config_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"halley"
	"halley/config"
)

const dsnWithPassword = "sqlserver://halley:hunter2@db1?database=halley"

func TestTheStoreIsTakenFromEverySource(t *testing.T) {
	t.Parallel()
	const file, long, flag = "sqlserver://file", "sqlserver://long", "sqlserver://flag"
	text := "[store]\ndsn = \"" + file + "\"\n"
	for name, test := range map[string]struct {
		sources config.Sources
		want    halley.Secret
	}{
		"nothing is the embedded store":       {config.Sources{}, ""},
		"the file":                            {config.Sources{Text: text}, file},
		"HALLEY_STORE over the file":          {config.Sources{Text: text, Environment: []string{"HALLEY_STORE=" + dsnWithPassword}}, dsnWithPassword},
		"HALLEY_STORE_DSN over the file":      {config.Sources{Text: text, Environment: []string{"HALLEY_STORE_DSN=" + long}}, long},
		"both variables that say the same":    {config.Sources{Environment: []string{"HALLEY_STORE_DSN=" + long, "HALLEY_STORE=" + long}}, long},
		"the option over all":                 {config.Sources{Text: text, Environment: []string{"HALLEY_STORE=" + long}, Flags: storeFlag(flag)}, flag},
		"an empty option, the embedded store": {config.Sources{Text: text, Flags: storeFlag("")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := config.Load(test.sources)
			if err != nil {
				t.Fatal(err)
			}
			if got.Store.DSN != test.want {
				t.Errorf("got %q, want %q", got.Store.DSN.Reveal(), test.want.Reveal())
			}
		})
	}
}

func storeFlag(dsn string) []config.Flag {
	return []config.Flag{{Name: "--store", Key: "store.dsn", Values: []string{dsn}}}
}

func TestTwoVariablesThatDifferAreAMistake(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Sources{Environment: []string{"HALLEY_STORE=sqlserver://one", "HALLEY_STORE_DSN=sqlserver://two"}})
	const want = "HALLEY_STORE_DSN: store.dsn: the variable HALLEY_STORE says something else; keep one of them"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAConfigurationNeverShowsThePassword(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{Environment: []string{"HALLEY_STORE=" + dsnWithPassword}})
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s", c, c, c, c.Store), string(asJSON)} {
		if strings.Contains(shown, "hunter2") || !strings.Contains(shown, "***") {
			t.Errorf("the configuration prints as %s", shown)
		}
	}
}

func TestPasswordInDSN(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[halley.Secret]bool{
		"": false, "sqlserver://db1": false, "sqlserver://halley@db1": false, dsnWithPassword: true, "sqlserver://halley:@db1": true,
		"sqlserver://halley:hunt%er2@db1": true,
	} {
		if got := config.PasswordInDSN(dsn); got != want {
			t.Errorf("%q: got %v, want %v", dsn.Reveal(), got, want)
		}
	}
}
