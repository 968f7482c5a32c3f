package installer_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley/installer"
)

// packaged is how the packages start the program.
var packaged = []string{"serve", "--data", "/var/lib/halley", "--config", "/etc/halley/halley.toml"}

func TestPackagedUnitIsTheFile(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("halley.service")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(file), installer.Unit("/usr/bin/halley", packaged, "/var/lib/halley")); diff != "" {
		t.Errorf("unit (-want +got):\n%s", diff)
	}
}

func TestUnitStartsTheProgramWhereItLies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		program string
		args    []string
		want    string
	}{
		"elsewhere":           {"/opt/halley/halley", []string{"serve"}, "ExecStart=/opt/halley/halley serve"},
		"folder with a blank": {"/opt/my halley/halley", []string{"serve"}, `ExecStart="/opt/my halley/halley" serve`},
		"percent and dollar":  {"/opt/100%/$x", []string{"serve"}, "ExecStart=/opt/100%%/$$x serve"},
		"quotes":              {`/opt/a"b`, []string{`c\d`}, `ExecStart="/opt/a\"b" "c\\d"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for line := range strings.Lines(installer.Unit(c.program, c.args, "/var/lib/halley")) {
				if strings.HasPrefix(line, "ExecStart") {
					got = append(got, strings.TrimSpace(line))
				}
			}
			if diff := cmp.Diff([]string{c.want}, got); diff != "" {
				t.Errorf("start lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOtherDataFolderCanBeWritten(t *testing.T) {
	t.Parallel()
	unit := installer.Unit("/usr/bin/halley", packaged, "/srv/sensor data/100%")
	for _, line := range []string{"WorkingDirectory=/srv/sensor data/100%%", `ReadWritePaths="/srv/sensor data/100%%"`} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s:\n%s", line, unit)
		}
	}
	if strings.Contains(installer.Unit("/usr/bin/halley", packaged, "/var/lib/halley"), "ReadWritePaths") {
		t.Error("the packaged unit names the data folder twice")
	}
}

func TestUnitIsNotRunByRootAndIsHardened(t *testing.T) {
	t.Parallel()
	unit := installer.Unit("/usr/bin/halley", packaged, "/var/lib/halley")
	for _, line := range []string{
		"User=halley", "Type=notify", "StateDirectory=halley", "StateDirectoryMode=0700", "NoNewPrivileges=yes",
		"CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "UMask=0077", "Restart=always", "StartLimitIntervalSec=0",
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
}
