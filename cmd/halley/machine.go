package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/kardianos/service"

	"halley"
	"halley/config"
	"halley/installer"
)

// serviceName names the service, its account on Linux and, behind NT SERVICE\, on Windows.
const serviceName = "halley"

// controller is what the system's service control can do.
type controller interface {
	Install() error
	Uninstall() error
	Start() error
	Stop() error
	Status() (service.Status, error)
}

// machine is the system on which the service is installed. Tests put their own in its place.
type machine struct {
	// system is the word of runtime.GOOS; platform is the name of its service control.
	system, platform string
	// program is the absolute path of this program; data and config are where a service keeps its things by default.
	program, data, config string
	// administrator says that the system may be changed; Windows finds out only when it is tried.
	administrator bool
	// controlOf gives the service control for a service that is started with these settings.
	controlOf func(*service.Config) (controller, error)
	control   controller
	// run runs a program of the system; has says whether it is there.
	run      func(ctx context.Context, name string, args ...string) error
	has      func(name string) bool
	hasUser  func(name string) bool
	exists   func(path string) bool
	makeFile func(path, text string) error
}

// thisMachine gives the machine on which this program runs.
func thisMachine() (*machine, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return nil, err
	}
	m := &machine{
		system: runtime.GOOS, platform: service.Platform(), program: program,
		data: "/var/lib/halley", config: "/etc/halley/halley.toml",
		administrator: runtime.GOOS == "windows" || os.Geteuid() == 0,
		controlOf: func(c *service.Config) (controller, error) {
			return service.New(idle{}, c)
		},
		run: runProgram,
		has: func(name string) bool {
			_, err := exec.LookPath(name)
			return err == nil
		},
		hasUser: func(name string) bool {
			_, err := user.Lookup(name)
			return err == nil
		},
		exists: func(path string) bool {
			_, err := os.Stat(path)
			return err == nil
		},
		makeFile: makeConfiguration,
	}
	if m.system == "windows" {
		folder := filepath.Join(os.Getenv("ProgramData"), "Halley")
		m.data, m.config = folder, filepath.Join(folder, defaultConfigFile)
	}
	m.control, err = m.controlOf(m.serviceConfig(installOptions{data: m.data, config: m.config}))
	return m, err
}

// makeConfiguration writes the configuration where there is none, in a folder that the account of the service may enter,
// whatever the umask of the administrator is.
func makeConfiguration(path, text string) error {
	folder := filepath.Dir(path)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		const mode = 0o755 // the file in it is for its owner and group alone
		if err := errors.Join(os.MkdirAll(folder, mode), os.Chmod(folder, mode)); err != nil {
			return err
		}
	}
	_, err := writeNew(path, text, 0o640)
	return err
}

// idle satisfies the service control, which here only controls.
type idle struct{}

// Start does nothing.
func (idle) Start(service.Service) error { return nil }

// Stop does nothing.
func (idle) Stop(service.Service) error { return nil }

// runProgram runs a program of the system; what it prints is part of the error.
func runProgram(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// serviceConfig says how the service is started.
func (m *machine) serviceConfig(o installOptions) *service.Config {
	arguments := []string{"serve", "--data", o.data, "--config", o.config}
	c := &service.Config{
		Name:        serviceName,
		DisplayName: "Halley",
		Description: "Halley keeps the samples of environmental sensors on this machine.",
		Executable:  m.program,
		UserName:    serviceName,
		Option:      service.KeyValue{},
	}
	if m.system == "windows" {
		// A service of Windows has no standard error: its log is a file.
		arguments = append(arguments, "--log-file", filepath.Join(o.data, "log", "halley.log"))
		c.UserName = `NT SERVICE\` + serviceName
		c.Option["DelayedAutoStart"] = true
		c.Option["OnFailure"] = "restart"
		c.Option["OnFailureDelayDuration"] = "2s"
		c.Option["OnFailureResetPeriod"] = 60
	} else {
		c.Option["SystemdScript"] = installer.Unit(m.program, arguments, o.data)
	}
	c.Arguments = arguments
	return c
}

// install makes the service.
func (m *machine) install(ctx context.Context, io streams, o installOptions) error {
	if err := m.canInstall(o); err != nil {
		return err
	}
	control, err := m.controlOf(m.serviceConfig(o))
	if err != nil {
		return err
	}
	prepare, settle := m.prepareLinux, m.settleLinux
	if m.system == "windows" {
		prepare, settle = m.prepareWindows, m.settleWindows
	}
	if err := prepare(ctx, o); err != nil {
		return err
	}
	if err := m.makeFile(o.config, config.Documented()); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if err := control.Install(); err != nil {
		return fmt.Errorf("installing the service: %w", err)
	}
	if err := settle(ctx, o); err != nil {
		return errors.Join(err, control.Uninstall())
	}
	_, err = fmt.Fprintf(io.out, "The service is installed.\nconfiguration: %s\ndata: %s\nStart it with: halley service start\n"+
		"Then sign in with the address in %s\n", o.config, o.data, filepath.Join(o.data, "first-sign-in.txt"))
	if err != nil || !o.openFirewall {
		return err
	}
	return m.openFirewall(ctx, io, o.ports)
}

// ownUnit is the unit that "service install" writes.
const ownUnit = "/etc/systemd/system/halley.service"

// packaged says whether a package has installed the service.
func (m *machine) packaged() bool {
	return m.system == "linux" && (m.exists("/usr/lib/systemd/system/halley.service") || m.exists("/lib/systemd/system/halley.service"))
}

// hiddenBelow gives the folder above path that the unit hides from the service; "" where there is none.
func hiddenBelow(path string) string {
	for _, folder := range []string{"/home", "/root", "/run/user", "/tmp", "/var/tmp"} {
		if path == folder || strings.HasPrefix(path, folder+"/") {
			return folder
		}
	}
	return ""
}

// canInstall says what is in the way.
func (m *machine) canInstall(o installOptions) error {
	const op = "install the service"
	switch {
	case m.system == "linux" && m.platform != "linux-systemd":
		return &halley.Error{
			Kind: halley.Conflict, Op: op,
			Message: "this machine does not run systemd; let its own service control start: halley serve --data DIR --config FILE",
		}
	case m.system != "linux" && m.system != "windows":
		return &halley.Error{Kind: halley.Conflict, Op: op, Message: "there is a service for Linux and Windows only; start: halley serve"}
	case !m.administrator:
		return errNoAdministrator(op)
	case m.packaged():
		return &halley.Error{Kind: halley.Conflict, Op: op, Message: "a package has installed the service already; start it with: systemctl enable --now halley"}
	case m.system == "windows":
		return nil
	case m.exists(ownUnit):
		return &halley.Error{
			Kind: halley.Conflict, Op: op,
			Message: "the service is installed already; to install it anew: halley service uninstall first, data and configuration stay",
		}
	}
	for _, path := range []string{m.program, o.config, o.data} {
		if folder := hiddenBelow(path); folder != "" {
			return &halley.Error{
				Kind: halley.Invalid, Op: op,
				Message: path + " lies in " + folder + ", which the service cannot see; put the program into /usr/local/bin, " +
					"and leave data and configuration where they are by default or name other folders",
			}
		}
	}
	return nil
}

func errNoAdministrator(op string) error {
	return &halley.Error{Kind: halley.Forbidden, Op: op, Message: "this needs an administrator; put sudo before the command"}
}

// prepareLinux makes the account and, where the unit does not, the data folder.
func (m *machine) prepareLinux(ctx context.Context, o installOptions) error {
	if !m.hasUser(serviceName) {
		err := m.run(ctx, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", m.data,
			"--shell", "/usr/sbin/nologin", serviceName)
		if err != nil {
			return fmt.Errorf("making the account %s: %w", serviceName, err)
		}
	}
	if o.data == m.data {
		return nil // StateDirectory of the unit makes it.
	}
	if err := m.run(ctx, "install", "-d", "-m", "0700", "-o", serviceName, "-g", serviceName, o.data); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	return nil
}

// settleLinux lets the account read the configuration, and makes sure that it can also reach it and the program.
func (m *machine) settleLinux(ctx context.Context, o installOptions) error {
	if err := errors.Join(m.run(ctx, "chgrp", serviceName, o.config), m.run(ctx, "chmod", "g+r", o.config)); err != nil {
		return fmt.Errorf("giving the configuration to the account %s: %w", serviceName, err)
	}
	for _, need := range []struct{ right, path, what string }{{"-r", o.config, "read"}, {"-x", m.program, "run"}} {
		if err := m.run(ctx, "runuser", "-u", serviceName, "--", "test", need.right, need.path); err != nil {
			return &halley.Error{
				Kind: halley.Forbidden, Op: "install the service", Err: err,
				Message: "the account " + serviceName + " may not " + need.what + " " + need.path + "; look at the rights of the folders above it",
			}
		}
	}
	return nil
}

// prepareWindows makes the data folder.
func (m *machine) prepareWindows(_ context.Context, o installOptions) error {
	return os.MkdirAll(o.data, 0o700)
}

// settleWindows takes the data folder from everybody but the system, administrators and the service. The account of the
// service exists from the moment the service does.
func (m *machine) settleWindows(ctx context.Context, o installOptions) error {
	const systemSID, administratorsSID = "*S-1-5-18", "*S-1-5-32-544"
	return m.run(ctx, "icacls", o.data, "/inheritance:r", "/grant:r",
		systemSID+":(OI)(CI)F", administratorsSID+":(OI)(CI)F", `NT SERVICE\`+serviceName+":(OI)(CI)F")
}

// uninstall removes the service and the firewall rules that are known to be ours.
func (m *machine) uninstall(ctx context.Context, io streams) error {
	const op = "remove the service"
	if m.packaged() {
		return &halley.Error{
			Kind: halley.Conflict, Op: op,
			Message: "a package has installed the service; remove the package, as with: apt remove halley, or dnf remove halley",
		}
	}
	if err := m.canControl(op); err != nil {
		return err
	}
	if err := m.control.Stop(); err != nil {
		fmt.Fprintf(io.err, "the service was not stopped: %v\n", err)
	}
	if err := m.control.Uninstall(); err != nil {
		return fmt.Errorf("%w (this needs an administrator)", err)
	}
	if m.system == "windows" {
		// There is no rule where the firewall was never opened, so that a failure means nothing.
		_ = m.run(ctx, "netsh", "advfirewall", "firewall", "delete", "rule", "name="+firewallRule)
	}
	_, err := fmt.Fprintf(io.out, "The service is removed. Data, configuration and account stay, by default in %s and %s\n", m.data, m.config)
	return err
}
