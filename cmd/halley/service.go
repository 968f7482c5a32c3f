package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"

	"github.com/kardianos/service"

	"halley"
)

func serviceCommand() *command {
	simple := func(word, summary string, act func(ctx context.Context, m *machine, io streams) error) *command {
		return &command{
			name: word, summary: summary, example: "halley service " + word,
			prepare: func(*flag.FlagSet) action {
				return func(ctx context.Context, io streams, _ []string) error {
					m, err := thisMachine()
					if err != nil {
						return err
					}
					return act(ctx, m, io)
				}
			},
		}
	}
	return &command{
		name:    "service",
		summary: "run Halley as a service of this machine",
		about: "The service starts with the machine, runs under an account of its own that may do nothing else (Linux user halley,\n" +
			"Windows NT SERVICE\\halley) and is started again where it fails. These commands need an administrator.",
		commands: []*command{
			{
				name:    "install",
				summary: "install the service: account, folders, configuration, start with the machine",
				about: "Data lie in /var/lib/halley (Windows %ProgramData%\\Halley), the configuration in /etc/halley/halley.toml (Windows\n" +
					"%ProgramData%\\Halley\\halley.toml), which is written where it is missing. Nothing is started yet.",
				example: "sudo halley service install --open-firewall\nsudo halley service start",
				prepare: prepareServiceInstall,
			},
			simple("uninstall", "stop and remove the service; data, configuration and account stay", func(ctx context.Context, m *machine, io streams) error {
				return m.uninstall(ctx, io)
			}),
			simple("start", "start the service", func(_ context.Context, m *machine, io streams) error {
				return m.start(io)
			}),
			simple("stop", "stop the service", func(_ context.Context, m *machine, io streams) error {
				return m.stop(io)
			}),
			simple("status", "say whether the service runs; ends with 0 where it does, else with 1", func(_ context.Context, m *machine, io streams) error {
				return m.status(io)
			}),
		},
		example: "sudo halley service install --open-firewall",
	}
}

// canControl says what keeps these commands from the service.
func (m *machine) canControl(op string) error {
	if !m.administrator {
		return errNoAdministrator(op)
	}
	if _, err := m.control.Status(); errors.Is(err, service.ErrNotInstalled) {
		return &halley.Error{Kind: halley.NotFound, Op: op, Message: "the service is not installed; install it with: halley service install"}
	}
	return nil
}

// start starts the service and, on Linux, waits until it accepts.
func (m *machine) start(io streams) error {
	const op = "start the service"
	if err := m.canControl(op); err != nil {
		return err
	}
	if err := m.control.Start(); err != nil {
		why := "it did not come up; this says why: journalctl -u halley -n 20"
		if m.system == "windows" {
			why = "it did not come up; the event log (Application) and " + filepath.Join(m.data, "log") + " say why, unless this is no administrator"
		}
		return &halley.Error{Kind: halley.Unavailable, Op: op, Message: why, Err: err}
	}
	_, err := fmt.Fprintln(io.out, "started")
	return err
}

// stop stops the service and waits until it has ended.
func (m *machine) stop(io streams) error {
	const op = "stop the service"
	if err := m.canControl(op); err != nil {
		return err
	}
	if err := m.control.Stop(); err != nil {
		return fmt.Errorf("%s: %w (this needs an administrator)", op, err)
	}
	_, err := fmt.Fprintln(io.out, "stopped")
	return err
}

func prepareServiceInstall(fs *flag.FlagSet) action {
	st := addSettings(fs, dataOnly)
	open := fs.Bool("open-firewall", false, "let the network reach the ports of the configuration, and no other")
	return func(ctx context.Context, io streams, _ []string) error {
		m, err := thisMachine()
		if err != nil {
			return err
		}
		o, err := m.installOptions(st, io)
		if err != nil {
			return err
		}
		o.openFirewall = *open
		return m.install(ctx, io, o)
	}
}

// installOptions say what to install.
type installOptions struct {
	data, config string
	// ports are those that others than this machine must reach.
	ports        []string
	openFirewall bool
}

// installOptions reads the configuration that the service will have; all paths become absolute.
func (m *machine) installOptions(st *settings, io streams) (installOptions, error) {
	configFile := st.file
	if configFile == "" {
		configFile = m.config
	}
	absolute, err := filepath.Abs(configFile)
	if err != nil {
		return installOptions{}, err
	}
	// A service does not see the environment of whoever installs it.
	io.environ = nil
	if m.exists(absolute) {
		st.file = absolute
	} else {
		st.file = ""
	}
	c, err := st.loadOnly(io)
	if err != nil {
		return installOptions{}, err
	}
	o := installOptions{config: absolute, data: m.data, ports: reachablePorts(c)}
	if c.Data != "halley-data" {
		if o.data, err = filepath.Abs(c.Data); err != nil {
			return installOptions{}, err
		}
	}
	return o, nil
}

// status says whether the service runs.
func (m *machine) status(io streams) error {
	s, err := m.control.Status()
	word := "not known"
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		word = "not installed"
	case err != nil:
		return err
	case s == service.StatusRunning:
		_, err = fmt.Fprintln(io.out, "running")
		return err
	case s == service.StatusStopped:
		word = "stopped"
	}
	fmt.Fprintln(io.out, word)
	return &exitError{code: exitFailed}
}
