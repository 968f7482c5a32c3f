package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"halley": main})
}

// TestScripts drives the program itself, as people do.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start": startServer,
			"stop":  stopServer,
		},
	})
}

// leaves calls do for every command that does something, with its words.
func leaves(c *command, path []string, do func(path []string, c *command)) {
	path = append(slices.Clip(path), c.name)
	if c.prepare != nil {
		do(path, c)
	}
	for _, sub := range c.commands {
		leaves(sub, path, do)
	}
}

// try dispatches one command line and gives the exit code and what was printed.
func try(t *testing.T, words ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = dispatch(context.Background(), root(), streams{in: strings.NewReader(""), out: &o, err: &e}, words)
	return code, o.String(), e.String()
}

func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	_, out, _ := try(t, "--help")
	all.WriteString(out)
	leaves(root(), nil, func(path []string, c *command) {
		code, out, errs := try(t, append(path[1:], "--help")...)
		if code != exitDone || errs != "" {
			t.Errorf("%s --help ends with %d and says %q", strings.Join(path, " "), code, errs)
		}
		if c.example == "" || !strings.Contains(c.example, strings.Join(path, " ")) {
			t.Errorf("%s has no example of itself: %q", strings.Join(path, " "), c.example)
		}
		all.WriteString("\n----\n" + out)
	})
	golden := filepath.Join("testdata", "help.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), all.String()); diff != "" {
		t.Errorf("help (-want +got):\n%s", diff)
	}
}

func TestHelpIsFoundInEveryWay(t *testing.T) {
	t.Parallel()
	_, want, _ := try(t, "token", "create", "--help")
	for _, words := range [][]string{
		{"token", "create", "-h"},
		{"token", "create", "-help"},
		{"help", "token", "create"},
		{"token", "help", "create"},
		{"token", "create", "--name", "x", "--help"},
	} {
		code, got, _ := try(t, words...)
		if code != exitDone || got != want {
			t.Errorf("%v ends with %d and says %q", words, code, got)
		}
	}
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		words []string
		want  string
	}{
		"no command":             {nil, "Usage: halley COMMAND [options]"},
		"no command of a group":  {[]string{"token"}, "Usage: halley token COMMAND [options]"},
		"unknown command":        {[]string{"tokn"}, `halley: there is no command "tokn"; see halley --help`},
		"unknown sub-command":    {[]string{"token", "make"}, `halley token: there is no command "make"; see halley token --help`},
		"unknown option":         {[]string{"version", "--loud"}, "halley version: there is no option --loud; see halley version --help"},
		"option without a value": {[]string{"config", "check", "--config"}, "halley config check: the option --config needs a value; see halley config check --help"},
		"too many arguments":     {[]string{"version", "now"}, `halley version: "now" is too much; see halley version --help`},
		"argument missing":       {[]string{"device", "accept"}, "halley device accept: SERIAL is missing; see halley device accept --help"},
		"second one missing":     {[]string{"device", "rename", "15961234"}, "halley device rename: NAME is missing; see halley device rename --help"},
		"token without a name":   {[]string{"token", "create"}, "halley token create: --name is missing; see halley token create --help"},
		"unknown role":           {[]string{"token", "create", "--name", "x", "--role", "The King"}, `halley token create: --role is service-administrator, distributor-administrator, payment-administrator, administrator, device-administrator, alarm-administrator, user, guest-administrator, guest, view-by-measured-places, reader, or one that people made for that organization; "The King" is none; see halley token create --help`},
		"expiry that is none":    {[]string{"token", "create", "--name", "x", "--expires", "soon"}, `halley token create: --expires is never, a number of days such as 90d or a time such as 24h, ten years at most; "soon" is none; see halley token create --help`},
		"unknown family":         {[]string{"device", "entry-point", "1", "--family", "x"}, `halley device entry-point: --family is websensor, wifi, tax6xx or modem; "x" is none; see halley device entry-point --help`},
		"unknown state":          {[]string{"device", "list", "--state", "x"}, `halley device list: --state is new, accepted, suspended, rejected or retired; "x" is none; see halley device list --help`},
		"no reason":              {[]string{"device", "reject", "15961234"}, "halley device reject: --reason is missing: say why, for the audit; see halley device reject --help"},
		"odd serial number":      {[]string{"device", "customer-key", "a b"}, `halley device customer-key: "a b" is no serial number: it stands on the device, 8 digits; see halley device customer-key --help`},
		"no key":                 {[]string{"device", "customer-key", "22960001"}, "halley device customer-key: there is no key on standard input: write it there, as in: halley device customer-key SERIAL <key.txt; see halley device customer-key --help"},
		"empty name":             {[]string{"device", "rename", "15961234", " "}, "halley device rename: NAME is empty; see halley device rename --help"},
		"wrong value of an option": {
			[]string{"config", "check", "--accept", "maybe"},
			`--accept: devices.accept: write one of "approve", "any", "entry-point"; "maybe" is none`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := try(t, c.words...)
			first, _, _ := strings.Cut(errs, "\n")
			if strings.HasPrefix(c.want, "Usage") {
				first = strings.Split(errs, "\n")[2]
			}
			if code != exitMisused || out != "" || first != c.want {
				t.Errorf("ends with %d, prints %q and says\n%s\nwant %d, nothing and\n%s", code, out, first, exitMisused, c.want)
			}
		})
	}
}

func TestOptionsMayStandAnywhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, want []string
		flag       string
	}{
		"before":           {[]string{"--x", "1", "a", "b"}, []string{"a", "b"}, "1"},
		"between":          {[]string{"a", "--x", "1", "b"}, []string{"a", "b"}, "1"},
		"behind":           {[]string{"a", "b", "--x=1"}, []string{"a", "b"}, "1"},
		"none behind --":   {[]string{"a", "--", "--x", "1"}, []string{"a", "--x", "1"}, ""},
		"-- before":        {[]string{"--x", "1", "--", "-a"}, []string{"-a"}, "1"},
		"nothing at all":   {nil, nil, ""},
		"one dash is fine": {[]string{"-x", "1"}, nil, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fs := newFlagSet("try")
			x := fs.String("x", "", "")
			got, err := parse(fs, c.args)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || *x != c.flag {
				t.Errorf("--x is %q, want %q; arguments (-want +got):\n%s", *x, c.flag, diff)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	code, out, _ := try(t, "version")
	if want := "halley unknown " + runtime.GOOS + "/" + runtime.GOARCH + " " + runtime.Version() + "\n"; code != exitDone || out != want {
		t.Errorf("ends with %d and prints %q, want %q", code, out, want)
	}
}

func TestConfigExampleIsTheDocumentedFile(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join("..", "..", "config", "halley.toml"))
	if err != nil {
		t.Fatal(err)
	}
	code, out, _ := try(t, "config", "example")
	if diff := cmp.Diff(string(want), out); code != exitDone || diff != "" {
		t.Errorf("ends with %d (-want +got):\n%s", code, diff)
	}
}
