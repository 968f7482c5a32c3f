package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tampering is a stopped server with a past: crashes, late data, a restart under another name, places and devices that people
// changed.
type tampering struct {
	// data is its data folder, older an earlier state of it, and outside the folder to which its checkpoints went.
	data, older, outside string
	// token may change things.
	token string
	// environ are lines NAME=VALUE for the program: where the store is, unless it lies in the data folder.
	environ []string
}

// TestTampering changes what is stored behind the program's back, in every way of which the issue speaks, and expects each to be found
// and named; and nothing before. HALLEY_TAMPER_SECONDS says for how long devices send, three seconds where it says nothing.
func TestTampering(t *testing.T) {
	t.Parallel()
	s := tampered(t, time.Duration(numberFrom(t, "HALLEY_TAMPER_SECONDS", 3))*time.Second)
	s.isClean(t)
	for name, tc := range tamperings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := *s
			own.data = s.copied(t, s.data)
			tc.isFound(t, &own, tc.tamper(t, own.unguard(t)))
		})
	}
}

// isClean runs halley verify on what nobody tampered with.
func (s *tampering) isClean(t *testing.T) {
	t.Helper()
	if code, lines := s.checked(t); code != 0 || len(lines) != 1 || !strings.HasPrefix(lines[0], "verified samples=") {
		t.Fatalf("where nothing was changed it ended with %d and said\n%s", code, firstLines(strings.Join(lines, "\n")))
	}
}

// firstLines cuts a long text for a log.
func firstLines(text string) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[:min(len(lines), 30)], "\n")
}

// TestAnOlderCopyOfTheDatabaseIsFound puts an older database under a newer journal.
func TestAnOlderCopyOfTheDatabaseIsFound(t *testing.T) {
	t.Parallel()
	s := tampered(t, time.Second)
	s.data = s.copied(t, s.data)
	data := s.data
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(filepath.Join(data, "halley.db"+suffix))
		if content, err := os.ReadFile(filepath.Join(s.older, "halley.db"+suffix)); err == nil {
			if err := os.WriteFile(filepath.Join(data, "halley.db"+suffix), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	code, lines := s.checked(t)
	if all := strings.Join(lines, "\n"); code != 1 || !strings.Contains(all, "truncated: ") {
		t.Errorf("it ended with %d and said\n%s", code, firstLines(all))
	}
	// A start says so, records again what the journal has, and all is well afterwards.
	p := serving(t, data, "--config", configured(t, "node = \"line-2\"\n[recorder]\nevery = \"100ms\"\n"))
	a := newAPI(t, p, s.token)
	ctx, cancel := context.WithTimeout(t.Context(), failsafe)
	defer cancel()
	st := until(ctx, t, a, "the finding of a database that was set back", func(st standing) bool { return st.says("store-set-back", "degraded") })
	if st.says("batch-differs", "degraded") {
		t.Errorf("the batches that were recorded again are said to differ: %+v", st.Messages)
	}
	a.flush(ctx, t)
	var proof struct {
		SetBack []struct{ What, Text string } `json:"set_back"`
	}
	if err := a.ask(ctx, http.MethodGet, "/proof", &proof); err != nil {
		t.Fatal(err)
	}
	if len(proof.SetBack) == 0 || proof.SetBack[0].What != "store" {
		t.Errorf("the proof says of what was set back: %+v", proof.SetBack)
	}
	p.stop(t)
	if code, lines := s.checked(t); code != 0 {
		t.Errorf("after everything was recorded again it ended with %d and said\n%s", code, firstLines(strings.Join(lines, "\n")))
	}
}

// TestAHistoryThatWasWrittenAnewIsFoundOnlyWithWhatIsKeptOutside puts back the whole machine, with its key, and lets it go on: what
// it says of itself is in order, and contradicts what it said before.
func TestAHistoryThatWasWrittenAnewIsFoundOnlyWithWhatIsKeptOutside(t *testing.T) {
	t.Parallel()
	s := tampered(t, time.Second)
	s.data = s.copied(t, s.older)
	data := s.data
	p := serving(t, data, "--config", configured(t, "node = \"line-2\"\n[recorder]\nevery = \"100ms\"\n"))
	board := newBoard(p.devices)
	crowd := atWork(t.Context(), unhurried(newSenders(4, board)))
	pause(t.Context(), time.Second)
	crowd.rest(t)
	p.stop(t)
	if code, lines := s.checked(t); code != 0 {
		t.Errorf("without a checkpoint from outside it ended with %d and said\n%s", code, firstLines(strings.Join(lines, "\n")))
	}
	anchors, err := filepath.Glob(filepath.Join(s.outside, "halley-line-2", "*", "halley-checkpoint-*.txt"))
	if err != nil || len(anchors) == 0 {
		t.Fatalf("checkpoints outside: %v, %v", anchors, err)
	}
	code, lines := s.checked(t, "--anchor", anchors[len(anchors)-1])
	if all := strings.Join(lines, "\n"); code != 1 || !strings.Contains(all, "checkpoint: ") {
		t.Errorf("with the checkpoint from outside it ended with %d and said\n%s", code, firstLines(all))
	}
}

// tampered makes the past of a server with an embedded store: devices send for so long.
func tampered(t *testing.T, sending time.Duration) *tampering {
	t.Helper()
	s := &tampering{data: filepath.Join(t.TempDir(), "data"), older: filepath.Join(t.TempDir(), "older"), outside: t.TempDir()}
	s.token = administrator(t, s.data)
	s.happened(t, sending)
	return s
}

// happened makes the past: devices send for so long.
func (s *tampering) happened(t *testing.T, sending time.Duration) {
	t.Helper()
	board := newBoard("")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	crowd := atWork(ctx, unhurried(newSenders(8, board)))
	run := func(node string) *program {
		p := launchIn(t, s.environ, s.data, "--config", configured(t, fmt.Sprintf(
			"node = %q\n[recorder]\nevery = \"100ms\"\nsamples = 500\n[ledger]\nverify-at = \"\"\noutside = [%q]\n", node, "file:"+s.outside)))
		if err := p.awaitReady(); err != nil {
			t.Fatal(err)
		}
		board.set(p.devices)
		return p
	}
	for i := range 3 { // killed under load, and once under another name
		p := run([]string{"line-1", "line-1", "line-2"}[i])
		pause(ctx, sending/4)
		board.set("")
		p.kill()
	}
	p := run("line-2")
	pause(ctx, sending/4)
	a := newAPI(t, p, s.token)
	a.flush(ctx, t)
	renameAll(ctx, t, a)
	decide(ctx, t, a)
	a.flush(ctx, t)
	board.set("")
	p.stop(t)
	copyFolder(t, s.data, s.older)
	p = run("line-2")
	pause(ctx, sending/4)
	crowd.rest(t)
	newAPI(t, p, s.token).flush(ctx, t)
	p.stop(t)
	// The checkpoint of the stop is on its way to the folder only with the next start.
	p = run("line-2")
	newAPI(t, p, s.token).flush(ctx, t)
	p.stop(t)
}

// renameAll gives every device a name, so that there is something that people decided.
func renameAll(ctx context.Context, t *testing.T, a *api) {
	t.Helper()
	var list struct{ Devices []struct{ ID int64 } }
	if err := a.ask(ctx, http.MethodGet, "/devices", &list); err != nil {
		t.Fatal(err)
	}
	for _, d := range list.Devices {
		if err := a.act(ctx, http.MethodPatch, fmt.Sprintf("/devices/%d", d.ID), map[string]string{"name": fmt.Sprintf("Cold room %d", d.ID)}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// copied gives a copy of a stopped server's folder.
func (s *tampering) copied(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "data")
	copyFolder(t, from, to)
	return to
}

// checked runs halley verify on what a stopped server left, and gives its exit code and what it printed.
func (s *tampering) checked(t *testing.T, more ...string) (code int, lines []string) {
	t.Helper()
	cmd := words(t, append([]string{"verify", "--data", s.data}, more...)...)
	cmd.Env = append(cmd.Env, s.environ...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if code = cmd.ProcessState.ExitCode(); code > 1 {
		t.Fatalf("halley verify ended with %d and said\n%s", code, said.String())
	}
	return code, strings.Split(strings.TrimSpace(out.String()), "\n")
}

// unguard opens the embedded store of a stopped server without the triggers that stop accidents.
func (s *tampering) unguard(t *testing.T) *unguarded {
	t.Helper()
	db := database(t, filepath.Join(s.data, "halley.db"))
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'trigger'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := db.ExecContext(t.Context(), "DROP TRIGGER "+name); err != nil {
			t.Fatal(err)
		}
	}
	return &unguarded{db: db, worded: func(statement string) string { return statement }}
}
