package config_test

import (
	"testing"

	"halley/config"
)

func TestEverySettingIsEffective(t *testing.T) {
	t.Parallel()
	c := config.Defaults()
	c.Store.DSN = "sqlserver://halley:secret@db"
	values := map[string]string{}
	for _, s := range c.Settings() {
		if _, twice := values[s.Key]; twice {
			t.Errorf("%s is there twice", s.Key)
		}
		values[s.Key] = s.Value
		if s.Secret != (s.Key == "store.dsn") && s.Value != "" {
			t.Errorf("%s is secret: %v", s.Key, s.Secret)
		}
	}
	for key, want := range map[string]string{
		"data": "halley-data", "devices.listen": "http://0.0.0.0:8081, https://0.0.0.0:8444", "recorder.every": "10s",
		"viewer.plain-on-loopback": "true", "journal.file-bytes": "268435456", "store.dsn": "sqlserver://halley:secret@db",
	} {
		if values[key] != want {
			t.Errorf("%s is %q, want %q", key, values[key], want)
		}
	}
}
