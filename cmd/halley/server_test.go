package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// running is a server that a script started.
type running struct {
	cmd *exec.Cmd
	out *bufio.Reader
	// err is what it says on standard error.
	err spoken
}

// spoken is what a process wrote to standard error. It goes into a file, so that all that was written before a line on standard
// output is there when that line is read.
type spoken struct{ name string }

// of has the command write into a new file in the folder.
func (s *spoken) of(cmd *exec.Cmd, folder string) error {
	f, err := os.CreateTemp(folder, "said-*.txt")
	if err != nil {
		return err
	}
	s.name, cmd.Stderr = f.Name(), f
	return nil
}

// String gives what was written so far.
func (s *spoken) String() string {
	b, err := os.ReadFile(s.name)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// listening finds the addresses in the log.
var listening = regexp.MustCompile(`listening +address=(\S+) for=(\w+) tls=(\w+)`)

// startServer is the command "start ARGUMENTS": it runs halley serve with them, waits for its line "ready", and puts the
// addresses into the variables VIEWER, DEVICES and DEVICES_TLS. A script has one server at a time.
func startServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("start cannot be negated")
	}
	r := &running{cmd: exec.Command("halley", append([]string{"serve"}, args...)...)}
	for folder := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if path, err := exec.LookPath(filepath.Join(folder, "halley")); err == nil {
			r.cmd.Path, r.cmd.Err = path, nil
			break
		}
	}
	r.cmd.Dir = ts.MkAbs(".")
	r.cmd.Env = []string{
		"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR"),
		"NOTIFY_SOCKET=" + ts.Getenv("NOTIFY_SOCKET"),
	}
	ts.Check(r.err.of(r.cmd, r.cmd.Dir))
	out, err := r.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(r.cmd.Start())
	r.out = bufio.NewReader(out)
	ts.Defer(func() {
		if r.cmd.ProcessState == nil {
			_ = r.cmd.Process.Kill()
			_ = r.cmd.Wait()
		}
	})
	line, err := r.out.ReadString('\n')
	if line != "ready\n" {
		ts.Fatalf("the server printed %q (%v) and said\n%s", line, err, r.err.String())
	}
	for _, m := range listening.FindAllStringSubmatch(r.err.String(), -1) {
		name := strings.ToUpper(m[2])
		if m[2] == "devices" && m[3] == "true" {
			name += "_TLS"
		}
		ts.Setenv(name, m[1])
	}
	started.Store(ts, r)
}

// started holds the server of each script.
var started sync.Map

// stopServer is the command "stop FILE": it ends the server as systemd does, wants it to end with 0 and to have printed nothing
// more, and puts what it said on standard error into FILE.
func stopServer(ts *testscript.TestScript, neg bool, args []string) {
	found, ok := started.LoadAndDelete(ts)
	if neg || !ok || len(args) != 1 {
		ts.Fatalf("stop FILE ends the server that start began")
	}
	r := found.(*running)
	ts.Check(r.cmd.Process.Signal(syscall.SIGTERM))
	rest, _ := r.out.ReadString(0)
	if err := r.cmd.Wait(); err != nil || rest != "" {
		ts.Fatalf("the server ended with %v, printed %q and said\n%s", err, rest, r.err.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(r.err.String()), 0o600))
}
