package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is a server that runs as a process of its own, as people run it.
type program struct {
	cmd *exec.Cmd
	out *bufio.Reader
	// said is what it wrote to standard error.
	said spoken
	// devices, secured and viewer are where it listens, once it is ready; "" where it does not.
	devices, secured, viewer string
	over                     bool
}

// words gives a command of halley; the test binary does the work, see TestMain.
func words(tb testing.TB, args ...string) *exec.Cmd {
	tb.Helper()
	path, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Args[0] = "halley"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + tb.TempDir(), "TMPDIR=" + os.TempDir()}
	cmd.Dir = tb.TempDir()
	return cmd
}

// launch starts halley serve on a data folder, on ports that the system chooses, and does not wait for it.
func launch(tb testing.TB, data string, args ...string) *program {
	tb.Helper()
	return launchIn(tb, nil, data, args...)
}

// launchIn starts it with further lines NAME=VALUE of environment.
func launchIn(tb testing.TB, environ []string, data string, args ...string) *program {
	tb.Helper()
	p := &program{cmd: words(tb, append([]string{
		"serve", "--data", data, "--viewer", "127.0.0.1:0", "--devices", "127.0.0.1:0", "--accept", "any",
	}, args...)...)}
	p.cmd.Env = append(p.cmd.Env, environ...)
	if err := p.said.of(p.cmd, tb.TempDir()); err != nil {
		tb.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.kill)
	return p
}

// serving starts halley serve and waits until it is ready.
func serving(tb testing.TB, data string, args ...string) *program {
	tb.Helper()
	p := launch(tb, data, args...)
	if err := p.awaitReady(); err != nil {
		tb.Fatal(err)
	}
	return p
}

// awaitReady waits for the line "ready" and finds the addresses in the log.
func (p *program) awaitReady() error {
	line, err := p.out.ReadString('\n')
	if line != "ready\n" {
		return fmt.Errorf("the server printed %q (%w) and said\n%s", line, err, p.said.String())
	}
	for _, m := range listening.FindAllStringSubmatch(p.said.String(), -1) {
		switch {
		case m[2] == "viewer":
			p.viewer = m[1]
		case m[3] == "true":
			p.secured = m[1]
		default:
			p.devices = m[1]
		}
	}
	return nil
}

// kill ends it as kill -9 does, and waits until it is gone.
func (p *program) kill() {
	if p.over {
		return
	}
	p.over = true
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// stop ends it as systemd does. It must end with 0.
func (p *program) stop(tb testing.TB) {
	tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Fatalf("stopping the server: %v; it said\n%s", err, p.said.String())
	}
	_, _ = io.Copy(io.Discard, p.out)
	p.over = true
	if err := p.cmd.Wait(); err != nil {
		tb.Fatalf("the server ended with %v and said\n%s", err, p.said.String())
	}
}

// lives says whether it still runs.
func (p *program) lives() bool { return p.cmd.Process.Signal(syscall.Signal(0)) == nil }

// administrator makes a token that may change things. environ are further lines NAME=VALUE of environment.
func administrator(tb testing.TB, data string, environ ...string) string {
	tb.Helper()
	cmd := words(tb, "token", "create", "--data", data, "--name", "test", "--role", "administrator")
	cmd.Env = append(cmd.Env, environ...)
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			tb.Fatalf("making a token: %v: %s", err, exit.Stderr)
		}
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// api asks the viewer's API with a token.
type api struct {
	client *http.Client
	base   string
	token  string
	// cookie is that of a session; where it is set the token does not count.
	cookie *http.Cookie
}

func newAPI(tb testing.TB, p *program, token string) *api {
	tb.Helper()
	own := &http.Transport{}
	tb.Cleanup(own.CloseIdleConnections)
	return &api{client: &http.Client{Transport: own}, base: "http://" + p.viewer + "/api/v1", token: token}
}

// trustingAPI is for a viewer that speaks TLS with a certificate that it made itself.
func trustingAPI(tb testing.TB, p *program, token string) *api {
	tb.Helper()
	a := newAPI(tb, p, token)
	own := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	tb.Cleanup(own.CloseIdleConnections)
	a.client.Transport, a.base = own, "https://"+p.viewer+"/api/v1"
	return a
}

// ask sends a request and reads the JSON answer into out, unless that is nil. Any status but 200 is an error.
func (a *api) ask(ctx context.Context, method, path string, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, a.base+path, http.NoBody)
	if method == http.MethodPost {
		r, err = http.NewRequestWithContext(ctx, method, a.base+path, strings.NewReader("{}"))
	}
	if err != nil {
		return err
	}
	if a.cookie != nil {
		r.AddCookie(a.cookie)
	} else {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := a.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, bytes.TrimSpace(body))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

// standing is what the tests read of the status.
type standing struct {
	State    string
	Messages []struct{ Code, Severity, Text string }
	Journal  struct {
		State          string
		Last, Recorded uint64
	}
	Store struct {
		Kind, Engine, State, Problem string
		Schema                       int
		Bytes, Samples               int64
		// Since is when the state began; nil where that is not known.
		Since *time.Time
	}
	Nodes []struct {
		Name                string
		Self, Silent, Leads bool
	}
	Listeners []struct{ Requests int64 }
}

func (a *api) status(ctx context.Context, tb testing.TB) standing {
	tb.Helper()
	var s standing
	if err := a.ask(ctx, http.MethodGet, "/status", &s); err != nil {
		tb.Fatal(err)
	}
	return s
}

// until asks for the status until it is as wanted, and gives it.
func until(ctx context.Context, t *testing.T, a *api, what string, wanted func(standing) bool) standing {
	t.Helper()
	for {
		s := a.status(ctx, t)
		if wanted(s) {
			return s
		}
		if !pause(ctx, retryEvery) {
			t.Fatalf("%s never came; the status is %+v", what, a.status(context.WithoutCancel(ctx), t))
		}
	}
}

// says tells whether the status has a message with this code.
func (s standing) says(code, severity string) bool {
	return slices.ContainsFunc(s.Messages, func(m struct{ Code, Severity, Text string }) bool {
		return m.Code == code && m.Severity == severity && m.Text != ""
	})
}

func (s standing) requests() (n int64) {
	for _, l := range s.Listeners {
		n += l.Requests
	}
	return n
}

// flush records what waits. It tries again while the store is away, until ctx ends.
func (a *api) flush(ctx context.Context, tb testing.TB) {
	tb.Helper()
	for {
		err := a.ask(ctx, http.MethodPost, "/journal/flush", nil)
		if err == nil {
			return
		}
		if !pause(ctx, retryEvery) {
			tb.Fatalf("not everything was recorded: %v; the status is %+v", err, a.status(context.WithoutCancel(ctx), tb))
		}
	}
}

// soundDatabases has SQLite check the store, the quarantine and all journal files in a folder whose server has ended.
func soundDatabases(tb testing.TB, data string) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(data, "journal*.db"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("there is no journal file: %v", err)
	}
	for _, file := range append(files, filepath.Join(data, "halley.db"), filepath.Join(data, "quarantine.db")) {
		var found string
		if err := database(tb, file).QueryRowContext(tb.Context(), "PRAGMA integrity_check").Scan(&found); err != nil || found != "ok" {
			tb.Errorf("%s: integrity_check says %q, %v", filepath.Base(file), found, err)
		}
	}
}

// numberFrom reads a number from the environment, or gives the usual one.
func numberFrom(tb testing.TB, name string, usual int) int {
	tb.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("%s=%q is no number", name, text)
	}
	return n
}
