package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"halley"
	"halley/config"
	"halley/server/namedfile"
)

// maxConfigBytes bounds a configuration file.
const maxConfigBytes = 1 << 20

// defaultConfigFile is read where it lies in the working folder and no other is named.
const defaultConfigFile = "halley.toml"

func configCommand() *command {
	return &command{
		name:    "config",
		summary: "check the configuration, or show an example",
		commands: []*command{
			{
				name:    "check",
				summary: "explain every mistake of the configuration with its line",
				about: "Reads the file, the environment (HALLEY_...) and the options as halley serve would, and changes nothing.\n" +
					"With --connect it also goes the whole way to the database, step by step, and says what to do where it ends.\n" +
					"Ends with 0 where all is well, else with 1.",
				example: "halley config check --config /etc/halley/halley.toml --connect",
				prepare: prepareConfigCheck,
			},
			protectPasswordCommand(),
			{
				name:    "example",
				summary: "print a halley.toml with every setting explained",
				example: "halley config example >halley.toml",
				prepare: func(*flag.FlagSet) action {
					return func(_ context.Context, s streams, _ []string) error {
						_, err := io.WriteString(s.out, config.Documented())
						return err
					}
				},
			},
		},
		example: "halley config check",
	}
}

func prepareConfigCheck(flags *flag.FlagSet) action {
	st := addSettings(flags, everySetting)
	connect := flags.Bool("connect", false, "also try the connection to the database")
	return func(ctx context.Context, io streams, _ []string) error {
		c, err := st.load(io)
		if err != nil {
			return err
		}
		from := "no file, the defaults"
		if st.file != "" {
			from = st.file
		}
		store, err := checkStore(io, c)
		if err != nil {
			return err
		}
		if _, err = fmt.Fprintf(io.out, "the configuration is valid (%s)\ndata %s, viewer %s, devices %v, accept %s\nstore: %s\n",
			from, c.Data, c.Viewer.Address, c.Devices.Listen, c.Devices.Accept, store); err != nil || !*connect {
			return err
		}
		return diagnoseStore(ctx, io, c)
	}
}

// settings are the options of a command that stand for settings of the configuration.
type settings struct {
	// file is what --config names; load puts there what it read, "" for none.
	file  string
	flags []config.Flag
}

// settingFlags are the options that stand for settings, by the name of the option.
var settingFlags = []struct{ name, key, usage string }{
	{"data", "data", "the `DIR` with journal, store and keys (default halley-data)"},
	{"viewer", "viewer.address", "where people reach the viewer, `HOST:PORT` (default 127.0.0.1:8443)"},
	{"devices", "devices.listen", "where devices reach the server, `[https://]HOST:PORT`; may be given again (default 0.0.0.0:8081 and https://0.0.0.0:8444)"},
	{"accept", "devices.accept", "the `POLICY` for unknown devices: approve, any or entry-point (default approve)"},
	{"node", "node", "the `NAME` of this server among those that share a database (default the machine's)"},
	{"store", "store.dsn", "the `DSN` of the database, sqlserver://USER@HOST:PORT?database=NAME (default the embedded one)"},
	{"log-level", "log.level", "how `MUCH` is logged: debug, info, warn or error (default info)"},
	{"log-file", "log.file", "a `FILE` that gets the log as JSON, besides standard error"},
}

// everySetting, dataAndStore and dataOnly say which options a command takes.
var (
	everySetting = []string{"data", "viewer", "devices", "accept", "node", "store", "log-level", "log-file"}
	dataAndStore = []string{"data", "store"}
	dataOnly     = []string{"data"}
)

// addSettings adds --config and the named options to flags.
func addSettings(flags *flag.FlagSet, names []string) *settings {
	st := &settings{}
	flags.StringVar(&st.file, "config", "", "the configuration `FILE` (default halley.toml where there is one)")
	for _, name := range names {
		for _, f := range settingFlags {
			if f.name == name {
				flags.Func(f.name, f.usage, func(value string) error {
					st.add("--"+f.name, f.key, value)
					return nil
				})
			}
		}
	}
	return st
}

// add takes one value; given again, an option adds to its list.
func (st *settings) add(name, key, value string) {
	for i := range st.flags {
		if st.flags[i].Key == key {
			st.flags[i].Values = append(st.flags[i].Values, value)
			return
		}
	}
	st.flags = append(st.flags, config.Flag{Name: name, Key: key, Values: []string{value}})
}

// load reads the configuration: the file that --config or HALLEY_CONFIG names, else halley.toml where it lies in the working
// folder.
func (st *settings) load(io streams) (config.Config, error) {
	if st.file == "" {
		st.file = environment(io.environ, "HALLEY_CONFIG")
	}
	if st.file == "" {
		if _, err := os.Stat(defaultConfigFile); err == nil {
			st.file = defaultConfigFile
		}
	}
	return st.loadOnly(io)
}

// loadOnly reads the configuration with the file that is named, or with none. Its mistakes have been told when it fails.
func (st *settings) loadOnly(io streams) (config.Config, error) {
	var text []byte
	if st.file != "" {
		var err error
		if text, err = namedfile.Read(st.file, maxConfigBytes); err != nil {
			return config.Config{}, fmt.Errorf("the configuration file cannot be read: %w", err)
		}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // the node is then called halley
	}
	c, err := config.Load(config.Sources{Name: st.file, Text: string(text), Environment: io.environ, Flags: st.flags, HostName: host})
	wrong, ok := errors.AsType[*config.InvalidError](err)
	if !ok {
		st.warnOfPassword(io)
		if err == nil {
			c, err = underRestoredName(c, host)
		}
		c = withCredential(c, io.environ)
		if err == nil {
			io.trail.loaded(c)
		}
		return c, err
	}
	code := exitMisused
	for _, m := range wrong.Mistakes {
		fmt.Fprintln(io.err, m)
		if !strings.HasPrefix(m.Source, "--") {
			code = exitFailed
		}
	}
	return config.Config{}, &exitError{code: code}
}

// warnOfPassword tells whoever wrote a password on the command line who else can read it there.
func (st *settings) warnOfPassword(io streams) {
	for _, f := range st.flags {
		if f.Key == "store.dsn" && config.PasswordInDSN(halley.Secret(f.Values[len(f.Values)-1])) {
			fmt.Fprintf(io.err, "warning: every user of this machine can see the password in %s while the command runs; "+
				"put the DSN into HALLEY_STORE, or the password into a file ([store] password-file)\n", f.Name)
		}
	}
}

// storeCredential is the name under which systemd hands the password of the store to a service (LoadCredential=).
const storeCredential = "store-password"

// withCredential takes the password that systemd hands over, unless the configuration names a file.
func withCredential(c config.Config, environ []string) config.Config {
	folder := environment(environ, "CREDENTIALS_DIRECTORY")
	if folder == "" || c.Store.DSN == "" || c.Store.PasswordFile != "" {
		return c
	}
	file := filepath.Join(folder, storeCredential)
	if _, err := os.Stat(file); err == nil {
		c.Store.PasswordFile = file
	}
	return c
}

// environment gives the last value of a variable, or "".
func environment(environ []string, name string) string {
	value := ""
	for _, v := range environ {
		if rest, ok := cutName(v, name); ok {
			value = rest
		}
	}
	return value
}

func cutName(variable, name string) (value string, ok bool) {
	if len(variable) > len(name) && variable[:len(name)] == name && variable[len(name)] == '=' {
		return variable[len(name)+1:], true
	}
	return "", false
}
