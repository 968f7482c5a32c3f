package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kardianos/service"

	"halley"
	"halley/config"
)

// fakeMachine notes what would have been done to a machine.
type fakeMachine struct {
	machine
	did     []string
	configs []*service.Config
	// programs and paths are what is there; users are the accounts.
	programs, paths, users []string
	// fails is the beginning of what fails.
	fails  string
	status service.Status
	err    error
}

func (f *fakeMachine) do(what string) error {
	f.did = append(f.did, what)
	if f.fails != "" && strings.HasPrefix(what, f.fails) {
		return errors.New("no")
	}
	return nil
}

func (f *fakeMachine) Install() error                  { return f.do("control install") }
func (f *fakeMachine) Uninstall() error                { return f.do("control uninstall") }
func (f *fakeMachine) Start() error                    { return f.do("control start") }
func (f *fakeMachine) Stop() error                     { return f.do("control stop") }
func (f *fakeMachine) Status() (service.Status, error) { return f.status, f.err }

func newFakeMachine(system string) *fakeMachine {
	f := &fakeMachine{}
	contains := func(list *[]string) func(string) bool {
		return func(s string) bool {
			return slices.Contains(*list, s)
		}
	}
	f.machine = machine{
		system: system, platform: "linux-systemd", program: "/opt/halley/halley", data: "/var/lib/halley", config: "/etc/halley/halley.toml",
		administrator: true,
		controlOf: func(c *service.Config) (controller, error) {
			f.configs = append(f.configs, c)
			return f, nil
		},
		control: f,
		run: func(_ context.Context, name string, args ...string) error {
			return f.do(strings.Join(append([]string{name}, args...), " "))
		},
		has: contains(&f.programs), hasUser: contains(&f.users), exists: contains(&f.paths),
		makeFile: func(path, text string) error {
			if text != config.Documented() {
				return errors.New("another text")
			}
			return f.do("write " + path)
		},
	}
	return f
}

func install(f *fakeMachine, o installOptions) (string, error) {
	var out bytes.Buffer
	err := f.install(context.Background(), streams{out: &out, err: &out}, o)
	return out.String(), err
}

func TestInstallOnLinux(t *testing.T) {
	t.Parallel()
	f := newFakeMachine("linux")
	f.programs = []string{"ufw"}
	out, err := install(f, installOptions{data: f.data, config: f.machine.config, ports: []string{"8081", "8444"}, openFirewall: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"useradd --system --user-group --no-create-home --home-dir /var/lib/halley --shell /usr/sbin/nologin halley",
		"write /etc/halley/halley.toml",
		"control install",
		"chgrp halley /etc/halley/halley.toml",
		"chmod g+r /etc/halley/halley.toml",
		"runuser -u halley -- test -r /etc/halley/halley.toml",
		"runuser -u halley -- test -x /opt/halley/halley",
		"ufw allow 8081/tcp comment Halley",
		"ufw allow 8444/tcp comment Halley",
	}
	if diff := cmp.Diff(want, f.did); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	c := f.configs[0]
	if diff := cmp.Diff([]string{"serve", "--data", "/var/lib/halley", "--config", "/etc/halley/halley.toml"}, c.Arguments); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	unit, ok := c.Option["SystemdScript"].(string)
	if !ok || c.UserName != "halley" || !strings.Contains(unit, "\nExecStart=/opt/halley/halley serve --data /var/lib/halley") ||
		!strings.Contains(unit, "\nUser=halley\n") || strings.Contains(unit, "{{") {
		t.Errorf("the service of %q is started by\n%s", c.UserName, unit)
	}
	for _, must := range []string{"halley service start", "/etc/halley/halley.toml", filepath.FromSlash("/var/lib/halley/first-sign-in.txt"), "ufw lets TCP 8081, 8444 pass"} {
		if !strings.Contains(out, must) {
			t.Errorf("it does not say %q:\n%s", must, out)
		}
	}
}

func TestInstallElsewhereMakesTheFolder(t *testing.T) {
	t.Parallel()
	f := newFakeMachine("linux")
	f.users = []string{"halley"}
	if _, err := install(f, installOptions{data: "/srv/halley", config: "/srv/halley.toml"}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"install -d -m 0700 -o halley -g halley /srv/halley", "write /srv/halley.toml", "control install", "chgrp halley /srv/halley.toml",
		"chmod g+r /srv/halley.toml", "runuser -u halley -- test -r /srv/halley.toml", "runuser -u halley -- test -x /opt/halley/halley",
	}
	if diff := cmp.Diff(want, f.did); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if unit, _ := f.configs[0].Option["SystemdScript"].(string); !strings.Contains(unit, "ReadWritePaths=/srv/halley\n") {
		t.Errorf("the unit cannot write its data:\n%s", unit)
	}
}

func TestInstallOnWindows(t *testing.T) {
	t.Parallel()
	f := newFakeMachine("windows")
	data := filepath.Join(t.TempDir(), "Halley")
	_, err := install(f, installOptions{data: data, config: "halley.toml", ports: []string{"8081"}, openFirewall: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"write halley.toml",
		"control install",
		"icacls " + data + ` /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F NT SERVICE\halley:(OI)(CI)F`,
		"netsh advfirewall firewall add rule name=Halley dir=in action=allow protocol=TCP localport=8081 program=/opt/halley/halley profile=domain,private",
	}
	if diff := cmp.Diff(want, f.did); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	c := f.configs[0]
	if c.UserName != `NT SERVICE\halley` || c.Option["DelayedAutoStart"] != any(true) || c.Option["OnFailure"] != "restart" {
		t.Errorf("the service is %+v", c)
	}
	if diff := cmp.Diff([]string{"serve", "--data", data, "--config", "halley.toml", "--log-file", filepath.Join(data, "log", "halley.log")}, c.Arguments); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

func TestInstallSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*fakeMachine)
		kind   halley.Kind
		want   string
	}{
		"no systemd":       {func(f *fakeMachine) { f.platform = "linux-upstart" }, halley.Conflict, "does not run systemd"},
		"another system":   {func(f *fakeMachine) { f.system = "darwin" }, halley.Conflict, "Linux and Windows only"},
		"no administrator": {func(f *fakeMachine) { f.administrator = false }, halley.Forbidden, "sudo"},
		"a package": {
			func(f *fakeMachine) { f.paths = []string{"/usr/lib/systemd/system/halley.service"} }, halley.Conflict, "systemctl enable --now halley",
		},
		"installed already": {
			func(f *fakeMachine) { f.paths = []string{"/etc/systemd/system/halley.service"} }, halley.Conflict, "halley service uninstall first",
		},
		"a program in somebody's home": {func(f *fakeMachine) { f.program = "/home/it/halley" }, halley.Invalid, "/usr/local/bin"},
		"data in a temporary folder":   {func(f *fakeMachine) { f.data = "/tmp/halley" }, halley.Invalid, "the service cannot see"},
		"a configuration of root's":    {func(f *fakeMachine) { f.machine.config = "/root/halley.toml" }, halley.Invalid, "lies in /root"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeMachine("linux")
			c.change(f)
			_, err := install(f, installOptions{data: f.data, config: f.machine.config})
			if halley.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) || len(f.did) != 0 {
				t.Errorf("got %v after %v, want one that says %q before anything is done", err, f.did, c.want)
			}
		})
	}
}

func TestHalfAnInstallationIsTakenBack(t *testing.T) {
	t.Parallel()
	for fails, want := range map[string]string{
		"chgrp":                          "giving the configuration to the account halley",
		"chmod":                          "giving the configuration to the account halley",
		"runuser -u halley -- test -r":   "may not read /etc/halley/halley.toml",
		"runuser -u halley -- test -x /": "may not run /opt/halley/halley",
	} {
		f := newFakeMachine("linux")
		f.fails = fails
		_, err := install(f, installOptions{data: f.data, config: f.machine.config})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s fails: got %v, want it to say %q", fails, err, want)
		}
		if last := f.did[len(f.did)-1]; last != "control uninstall" {
			t.Errorf("%s fails: the last step is %q, want the service removed", fails, last)
		}
	}
}

func TestConfigurationLiesWhereTheServiceMayGo(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(t.TempDir(), "etc", "halley")
	for folder, want := range map[string]os.FileMode{made: 0o755, closed: 0o700} {
		file := filepath.Join(folder, "halley.toml")
		if err := errors.Join(makeConfiguration(file, "first"), makeConfiguration(file, "second")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(folder)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("the folder's mode is %v, %v; want %v", info.Mode(), err, want)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != "first" {
			t.Errorf("the configuration is %q, %v; want what was there first", text, err)
		}
	}
}

func TestControlSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*fakeMachine)
		do     func(*fakeMachine, streams) error
		want   string
	}{
		"starting what is not installed": {
			func(f *fakeMachine) { f.err = service.ErrNotInstalled },
			func(f *fakeMachine, io streams) error { return f.start(io) }, "halley service install",
		},
		"stopping what is not installed": {
			func(f *fakeMachine) { f.err = service.ErrNotInstalled },
			func(f *fakeMachine, io streams) error { return f.stop(io) }, "halley service install",
		},
		"removing what is not installed": {
			func(f *fakeMachine) { f.err = service.ErrNotInstalled },
			func(f *fakeMachine, io streams) error { return f.uninstall(context.Background(), io) }, "halley service install",
		},
		"removing what a package installed": {
			func(f *fakeMachine) { f.paths = []string{"/lib/systemd/system/halley.service"} },
			func(f *fakeMachine, io streams) error { return f.uninstall(context.Background(), io) }, "apt remove halley",
		},
		"no administrator": {
			func(f *fakeMachine) { f.administrator = false },
			func(f *fakeMachine, io streams) error { return f.start(io) }, "sudo",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeMachine("linux")
			c.change(f)
			var out bytes.Buffer
			err := c.do(f, streams{out: &out, err: &out})
			if err == nil || !strings.Contains(err.Error(), c.want) || len(f.did) != 0 {
				t.Errorf("got %v after %v, want one that says %q before anything is done", err, f.did, c.want)
			}
		})
	}
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	f := newFakeMachine("linux")
	var out bytes.Buffer
	if err := errors.Join(f.start(streams{out: &out}), f.stop(streams{out: &out})); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"control start", "control stop"}, f.did); diff != "" || out.String() != "started\nstopped\n" {
		t.Errorf("it says %q; steps (-want +got):\n%s", out.String(), diff)
	}
	f.fails = "control"
	for system, want := range map[string]string{"linux": "journalctl -u halley", "windows": "the event log"} {
		f.system = system
		if err := f.start(streams{out: &out}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a start that fails on %s: %v, want it to name %s", system, err, want)
		}
	}
	if err := f.stop(streams{out: &out}); err == nil {
		t.Error("a stop that fails was not told")
	}
}

func TestUninstallKeepsTheData(t *testing.T) {
	t.Parallel()
	for system, want := range map[string][]string{
		"linux":   {"control stop", "control uninstall"},
		"windows": {"control stop", "control uninstall", "netsh advfirewall firewall delete rule name=Halley"},
	} {
		f := newFakeMachine(system)
		var out bytes.Buffer
		if err := f.uninstall(t.Context(), streams{out: &out, err: &out}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, f.did); diff != "" {
			t.Errorf("%s: steps (-want +got):\n%s", system, diff)
		}
		if !strings.Contains(out.String(), "stay") {
			t.Errorf("%s: it says %q", system, out.String())
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for word, c := range map[string]struct {
		status service.Status
		err    error
		code   int
	}{
		"running":       {status: service.StatusRunning},
		"stopped":       {status: service.StatusStopped, code: exitFailed},
		"not installed": {err: service.ErrNotInstalled, code: exitFailed},
		"not known":     {code: exitFailed},
	} {
		f := newFakeMachine("linux")
		f.status, f.err = c.status, c.err
		var out bytes.Buffer
		err := f.machine.status(streams{out: &out})
		code := exitDone
		if exit, ok := errors.AsType[*exitError](err); ok {
			code = exit.code
		} else if err != nil {
			t.Errorf("%s: %v", word, err)
		}
		if out.String() != word+"\n" || code != c.code {
			t.Errorf("got %q and %d, want %q and %d", out.String(), code, word, c.code)
		}
	}
}

func TestFirewallCommands(t *testing.T) {
	t.Parallel()
	f := newFakeMachine("linux")
	f.programs = []string{"firewall-cmd", "ufw"}
	var out bytes.Buffer
	io := streams{out: &out}
	if err := f.openFirewall(t.Context(), io, []string{"8081", "8444"}); err != nil {
		t.Fatal(err)
	}
	want := []string{"firewall-cmd --state", "firewall-cmd --permanent --add-port=8081/tcp --add-port=8444/tcp", "firewall-cmd --reload"}
	if diff := cmp.Diff(want, f.did); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	f.did, f.fails = nil, "firewall-cmd --state"
	if err := f.openFirewall(t.Context(), io, []string{"8081"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"firewall-cmd --state", "ufw allow 8081/tcp comment Halley"}, f.did); diff != "" {
		t.Errorf("where firewalld does not run, commands (-want +got):\n%s", diff)
	}
	f = newFakeMachine("linux")
	out.Reset()
	if err := f.openFirewall(t.Context(), io, []string{"8081"}); err != nil || len(f.did) != 0 || !strings.Contains(out.String(), "let it pass TCP 8081") {
		t.Errorf("without a firewall: %v, %v, %q", err, f.did, out.String())
	}
	out.Reset()
	if err := f.openFirewall(t.Context(), io, nil); err != nil || !strings.Contains(out.String(), "nothing to open") {
		t.Errorf("without ports: %v, %q", err, out.String())
	}
	f.programs, f.fails = []string{"ufw"}, "ufw"
	if err := f.openFirewall(t.Context(), io, []string{"8081"}); err == nil {
		t.Error("a firewall that refuses was not told")
	}
}

func TestReachablePorts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		viewer  string
		devices []string
		want    []string
	}{
		"defaults":            {"127.0.0.1:8443", []string{"http://0.0.0.0:8081", "https://0.0.0.0:8444"}, []string{"8081", "8444"}},
		"viewer for all":      {"0.0.0.0:8443", []string{"0.0.0.0:8081"}, []string{"8081", "8443"}},
		"this machine alone":  {"localhost:8443", []string{"127.0.0.1:8081", "https://[::1]:8444"}, nil},
		"any free port":       {"127.0.0.1:8443", []string{"0.0.0.0:0"}, nil},
		"one port, two hosts": {"127.0.0.1:8443", []string{"192.0.2.1:8081", "192.0.2.2:8081"}, []string{"8081"}},
	} {
		got := reachablePorts(config.Config{Viewer: config.Viewer{Address: c.viewer}, Devices: config.Devices{Listen: c.devices}})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestInstallOptionsAreAbsolute(t *testing.T) {
	t.Parallel()
	f := newFakeMachine("linux")
	st := &settings{}
	st.add("--data", "data", "somewhere")
	st.file = "my.toml"
	var errs bytes.Buffer
	o, err := f.installOptions(st, streams{err: &errs, environ: []string{"HALLEY_DATA=/wrong", "HALLEY_DEVICES_LISTEN=0.0.0.0:1"}})
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	if !filepath.IsAbs(o.data) || filepath.Base(o.data) != "somewhere" || !filepath.IsAbs(o.config) || filepath.Base(o.config) != "my.toml" {
		t.Errorf("options are %+v", o)
	}
	if diff := cmp.Diff([]string{"8081", "8444"}, o.ports); diff != "" {
		t.Errorf("the environment of whoever installs decided about ports (-want +got):\n%s", diff)
	}
	plain, err := f.installOptions(&settings{}, streams{err: &errs})
	wantConfig, absErr := filepath.Abs(f.machine.config) // with the name of a disk on Windows
	if absErr != nil {
		t.Fatal(absErr)
	}
	if err != nil || plain.data != f.data || plain.config != wantConfig {
		t.Errorf("without options: %+v (%v)", plain, err)
	}
}
