package acts_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/config"
	"halley/server/acts"
)

const at halley.Millis = 1_795_266_960_000

// folder is a data folder with what was noted.
type folder struct {
	file  string
	noted []string
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	return &folder{file: filepath.Join(t.TempDir(), acts.FileName)}
}

func (f *folder) start(t *testing.T, version string, c config.Config) *acts.Run {
	t.Helper()
	f.noted = nil
	r, err := acts.Start(t.Context(), acts.Options{
		File: f.file, Node: "main", Version: version, Settings: c.Settings(),
		Write: func(b []byte) error { return os.WriteFile(f.file, b, 0o600) },
		Note: func(_ context.Context, e halley.AuditEntry) error {
			if e.Change.Actor.Kind != "program" || e.On != "server main" || e.Change.At == 0 {
				t.Errorf("an act by %+v on %q at %d", e.Change.Actor, e.On, e.Change.At)
			}
			f.noted = append(f.noted, strings.TrimSpace(e.What+" "+e.Old+" "+e.New))
			return nil
		},
	}, at)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (f *folder) check(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, f.noted); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
	f.noted = nil
}

func TestStartsAndStopsAreNoted(t *testing.T) {
	t.Parallel()
	f, c := newFolder(t), config.Defaults()
	r := f.start(t, "1.0", c)
	f.check(t, `program.start  {"last_stop":"none known","version":"1.0"}`)
	if err := r.Stop(t.Context(), at+1000); err != nil {
		t.Fatal(err)
	}
	f.check(t, `program.stop  {"version":"1.0"}`)
	f.start(t, "1.1", c)
	f.check(t, `program.start {"version":"1.0"} {"last_start":"2026-11-21T13:16:00.000Z","last_stop":"clean","stopped_at":"2026-11-21T13:16:01.000Z","version":"1.1"}`)
	f.start(t, "1.1", c)
	f.check(t, `program.start  {"last_start":"2026-11-21T13:16:00.000Z","last_stop":"not clean","version":"1.1"}`)
}

func TestChangesOfTheConfigurationAreNoted(t *testing.T) {
	t.Parallel()
	f, c := newFolder(t), config.Defaults()
	c.Store.DSN = "sqlserver://halley:f1rst-pass@db?database=halley"
	f.start(t, "1", c)
	c.Devices.Accept = "any"
	c.Devices.Listen = []string{"0.0.0.0:80"}
	c.Recorder.Samples = 5
	c.Viewer.PlainOnLoopback = false
	c.Store.DSN = "sqlserver://halley:sec0nd-pass@db?database=halley"
	c.Store.PasswordFile = "/etc/halley/password"
	f.start(t, "1", c)
	f.check(t,
		`program.start  {"last_start":"2026-11-21T13:16:00.000Z","last_stop":"not clean","version":"1"}`,
		`config.change {"devices.accept":"approve"} {"devices.accept":"any"}`,
		`config.change {"devices.listen":"http://0.0.0.0:8081, https://0.0.0.0:8444"} {"devices.listen":"0.0.0.0:80"}`,
		`config.change {"recorder.samples":"20000"} {"recorder.samples":"5"}`,
		`config.change {"store.password-file":""} {"store.password-file":"/etc/halley/password"}`,
		`config.change {"viewer.plain-on-loopback":"true"} {"viewer.plain-on-loopback":"false"}`,
		`config.change  {"store.dsn":"changed"}`,
	)
	f.start(t, "1", c)
	f.check(t, `program.start  {"last_start":"2026-11-21T13:16:00.000Z","last_stop":"not clean","version":"1"}`)
}

func TestASettingThatIsNewToTheProgramIsNoted(t *testing.T) {
	t.Parallel()
	f, c := newFolder(t), config.Defaults()
	f.start(t, "1", c)
	text, err := os.ReadFile(f.file)
	if err != nil {
		t.Fatal(err)
	}
	var kept map[string]any
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	settings, _ := kept["settings"].(map[string]any)
	delete(settings, "clock.warn-at")
	settings["old.setting"] = "x"
	if text, err = json.Marshal(kept); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	f.start(t, "1", c)
	f.check(t, `program.start  {"last_start":"2026-11-21T13:16:00.000Z","last_stop":"not clean","version":"1"}`,
		`config.change  {"clock.warn-at":"2s"}`, `config.change {"old.setting":"x"}`)
}

func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	f, c := newFolder(t), config.Defaults()
	c.Store.DSN = "sqlserver://halley:f1rst-pass@db?database=halley"
	f.start(t, "1", c)
	text, err := os.ReadFile(f.file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "f1rst-pass") || strings.Contains(string(text), "sqlserver:") {
		t.Errorf("the file holds what is secret: %s", text)
	}
	if !strings.Contains(string(text), `"devices.accept": "approve"`) {
		t.Errorf("the file does not hold the configuration: %s", text)
	}
}

func TestADamagedFileIsNone(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := os.WriteFile(f.file, []byte(`{"version":`), 0o600); err != nil {
		t.Fatal(err)
	}
	f.start(t, "1", config.Defaults())
	f.check(t, `program.start  {"last_stop":"none known","version":"1"}`)
}
