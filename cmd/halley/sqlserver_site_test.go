package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"halley"
)

// atOnce is how long an answer may take that must not wait for a database. It is far more than such an answer takes and far less
// than any time after which a database is given up.
const atOnce = 4 * time.Second

// patience ends a test that hangs; no test depends on it otherwise. A slow engine may take seconds for a connection.
const patience = 20 * time.Minute

// fromSQLServer is the configuration of the tests: the recorder is at work at any time.
const fromSQLServer = "[recorder]\nevery = \"100ms\"\n"

// site is a database on SQL Server, a gate before it, and one server that uses it.
type site struct {
	engine *engine
	// database reaches the engine itself, dsn goes through the gate.
	database, dsn *url.URL
	gate          *gate
	data          string
	node          string
	config        string
	token         string
}

// newSite makes an empty database and a folder for a server of this name.
func newSite(tb testing.TB, e *engine, node string) *site {
	tb.Helper()
	database := e.database(tb)
	g := newGate(tb, e.address())
	return &site{
		engine: e, database: database, gate: g, dsn: via(database, g.address()), node: node,
		data: filepath.Join(tb.TempDir(), "data"), config: configured(tb, fromSQLServer),
	}
}

// neighbour makes another server on the same database, with a folder and a gate of its own.
func (s *site) neighbour(tb testing.TB, node string) *site {
	tb.Helper()
	other := *s
	other.gate = newGate(tb, s.engine.address())
	other.dsn = via(s.database, other.gate.address())
	other.node, other.data, other.token = node, filepath.Join(tb.TempDir(), "data"), ""
	return &other
}

// environ is what the program is told about its store. A DSN on the command line would stand in lists of processes.
func (s *site) environ() []string {
	return []string{"HALLEY_STORE=" + s.dsn.String(), "HALLEY_NODE=" + s.node}
}

// run runs one command of the program to its end and gives what it printed and its exit code.
func (s *site) run(tb testing.TB, args ...string) (out, errs string, code int) {
	tb.Helper()
	cmd := words(tb, args...)
	cmd.Env = append(cmd.Env, s.environ()...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		tb.Fatal(err)
	}
	s.keepsSecret(tb, o.String()+e.String())
	return o.String(), e.String(), code
}

// keepsSecret fails where a text shows the password of the database.
func (s *site) keepsSecret(tb testing.TB, text string) {
	tb.Helper()
	if password, _ := s.dsn.User.Password(); password != "" && strings.Contains(text, password) {
		tb.Error("the program shows the password of the database")
	}
}

// init makes the database ready.
func (s *site) init(tb testing.TB, args ...string) string {
	tb.Helper()
	out, errs, code := s.run(tb, append([]string{"init", "--data", s.data}, args...)...)
	if code != exitDone {
		tb.Fatalf("init ends with %d and says\n%s%s", code, out, errs)
	}
	return out
}

// ready makes the database ready, and a token.
func (s *site) ready(tb testing.TB) *site {
	tb.Helper()
	s.init(tb)
	s.token = administrator(tb, s.data, s.environ()...)
	return s
}

// asService goes on with a login that has the service's rights and no others.
func (s *site) asService(tb testing.TB) *site {
	tb.Helper()
	login := s.engine.login(tb, s.database)
	if _, err := openSQLServer(tb, s.database).ExecContext(tb.Context(),
		"ALTER ROLE halley_service ADD MEMBER ["+login.User.Username()+"]"); err != nil {
		tb.Fatal(err)
	}
	s.dsn = via(login, s.gate.address())
	return s
}

// launch starts the server and does not wait for it.
func (s *site) launch(tb testing.TB, args ...string) *program {
	tb.Helper()
	p := launchIn(tb, s.environ(), s.data, append([]string{"--config", s.config}, args...)...)
	tb.Cleanup(func() {
		s.keepsSecret(tb, p.said.String())
		if tb.Failed() {
			tb.Logf("server %s said\n%s", s.node, lastLines(p.said.String(), 40))
		}
	})
	return p
}

// lastLines gives the end of a text.
func lastLines(text string, most int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// serve starts the server and waits until it is ready.
func (s *site) serve(tb testing.TB, args ...string) (*program, *api) {
	tb.Helper()
	p := s.launch(tb, args...)
	if err := p.awaitReady(); err != nil {
		tb.Fatal(err)
	}
	return p, newAPI(tb, p, s.token)
}

// begin starts the server for the first time, with the database there, and waits until it knows the token.
func (s *site) begin(ctx context.Context, tb testing.TB, args ...string) (*program, *api) {
	tb.Helper()
	p, a := s.serve(tb, args...)
	a.isKnown(ctx, tb)
	return p, a
}

// calmEvery is how long devices rest between two messages where a test is not about how many there are.
const calmEvery = 100 * time.Millisecond

// calm lets devices send ten times a second.
func calm(senders []*sender) []*sender {
	for _, s := range senders {
		s.every = calmEvery
	}
	return senders
}

// isKnown waits until the server knows the token, which it learns from the database.
func (a *api) isKnown(ctx context.Context, tb testing.TB) {
	tb.Helper()
	for {
		err := a.ask(ctx, http.MethodGet, "/status", nil)
		if err == nil {
			return
		}
		if !pause(ctx, retryEvery) {
			tb.Fatalf("the server never knew the token: %v", err)
		}
	}
}

// promptly gives the status, which must come without waiting for the database.
func (a *api) promptly(ctx context.Context, tb testing.TB) standing {
	tb.Helper()
	ctx, cancel := context.WithTimeout(ctx, atOnce)
	defer cancel()
	return a.status(ctx, tb)
}

// untilState waits for a state of the store, while every answer must come at once.
func untilState(ctx context.Context, tb testing.TB, a *api, state string) standing {
	tb.Helper()
	for {
		s := a.promptly(ctx, tb)
		if s.Store.Kind != "sqlserver" {
			tb.Fatalf("the kind of the store is %q, want sqlserver", s.Store.Kind)
		}
		if s.Store.State == state {
			return s
		}
		if !pause(ctx, retryEvery) {
			tb.Fatalf("the store's state is never %q; the status is %+v", state, s)
		}
	}
}

// caughtUp waits until all that the journal holds now is in the database.
func caughtUp(ctx context.Context, tb testing.TB, a *api) standing {
	tb.Helper()
	last := a.status(ctx, tb).Journal.Last
	for {
		s := a.status(ctx, tb)
		if s.Journal.Recorded >= last {
			return s
		}
		if !pause(ctx, retryEvery) {
			tb.Fatalf("the recorder never came to entry %d; the status is %+v", last, s)
		}
	}
}

// secretLine finds the secret of the first sign-in in its file.
var secretLine = regexp.MustCompile(`(?m)^secret: (\S+)$`)

// signIn signs a person in, as a browser does, and gives an api that asks in that session.
func (s *site) signIn(ctx context.Context, tb testing.TB, p *program) *api {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(s.data, "first-sign-in.txt"))
	if err != nil {
		tb.Fatal(err)
	}
	found := secretLine.FindSubmatch(text)
	if found == nil {
		tb.Fatal("first-sign-in.txt holds no secret")
	}
	ctx, cancel := context.WithTimeout(ctx, atOnce)
	defer cancel()
	a := newAPI(tb, p, "")
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/session", strings.NewReader(fmt.Sprintf(`{"secret":%q}`, found[1])))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := a.client.Do(r)
	if err != nil {
		tb.Fatalf("signing in: %v", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusNoContent || len(answer.Cookies()) == 0 {
		tb.Fatalf("signing in: %s %s %v", answer.Status, body, err)
	}
	a.cookie = answer.Cookies()[0]
	return a
}

// isServed wants an answer to a GET at once.
func (a *api) isServed(ctx context.Context, tb testing.TB, path string, out any) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(ctx, atOnce)
	defer cancel()
	if err := a.ask(ctx, http.MethodGet, path, out); err != nil {
		tb.Errorf("%v", err)
	}
}

// account holds what the senders know against the view that people read.
func (s *site) account(tb testing.TB, senders []*sender) outcome {
	tb.Helper()
	return accountOf(tb, s.storedMessages(tb, senders), senders)
}

// storedMessages counts the samples of each message in the view halley.samples, by device and number. Each message has one channel
// with a value of its own, which tells the number; its time must agree with it.
func (s *site) storedMessages(tb testing.TB, senders []*sender) map[halley.DeviceKey]map[int]int {
	tb.Helper()
	by := map[string]*sender{}
	counts := map[halley.DeviceKey]map[int]int{}
	for _, one := range senders {
		by[one.serial] = one
		counts[halley.DeviceKey{Family: one.family(), Serial: one.serial}] = map[int]int{}
	}
	rows, err := openSQLServer(tb, s.database).QueryContext(tb.Context(),
		"SELECT device_serial, channel_number, measured_at, value, quality FROM halley.samples")
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var serial, quality string
		var channel int
		var measured time.Time
		var value sql.NullFloat64
		if err := rows.Scan(&serial, &channel, &measured, &value, &quality); err != nil {
			tb.Fatal(err)
		}
		from := by[serial]
		if from == nil {
			continue
		}
		if want := from.upload(0).Messages[0].Readings[0].Number; channel != want {
			continue
		}
		n := int(math.Round(value.Float64 * 10))
		want := from.upload(n).Messages[0]
		if !value.Valid || strings.HasPrefix(quality, "error") || want.Sample != 0 && halley.MillisOf(measured) != want.Sample {
			tb.Errorf("%s %s: a sample of %v is %v, %q", from.family(), serial, measured, value, quality)
		}
		counts[halley.DeviceKey{Family: from.family(), Serial: serial}][n]++
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return counts
}
