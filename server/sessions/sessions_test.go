package sessions_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"halley"
	"halley/server/sessions"
	"halley/storage"
)

// node is a server's sessions over a database that others share.
type node struct {
	*sessions.Store
	file    string
	broken  atomic.Bool
	stopped func()
}

func open(t *testing.T, d *database, file string) *node {
	t.Helper()
	return openOver(t, d, file)
}

func openOver(t *testing.T, d sessions.Remote, file string) *node {
	t.Helper()
	n := &node{file: file}
	n.Store = sessions.Open(sessions.Options{
		File: file, Remote: d, Log: slog.New(slog.DiscardHandler),
		Write: func(content func(io.Writer) error) error {
			if n.broken.Load() {
				return errors.New("no space left on device")
			}
			var b bytes.Buffer
			if err := content(&b); err != nil {
				return err
			}
			return os.WriteFile(file, b.Bytes(), 0o600)
		},
	})
	return n
}

// run carries sessions until the node is stopped or the test ends.
func (n *node) run(t *testing.T) *node {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	ended := false
	n.stopped = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	}
	return n
}

func (n *node) save(t *testing.T, hash, data string) {
	t.Helper()
	if err := n.SaveSession(t.Context(), storage.Session{Hash: hash, Data: []byte(data), ExpiresAt: in(time.Hour)}); err != nil {
		t.Fatalf("keeping %s: %v", hash, err)
	}
}

func (n *node) end(t *testing.T, hash string) {
	t.Helper()
	if err := n.DeleteSession(t.Context(), hash); err != nil {
		t.Fatalf("ending %s: %v", hash, err)
	}
}

// want wants a session with these data, none where they are empty.
func (n *node) want(t *testing.T, hash, data string) {
	t.Helper()
	got, found, err := n.Session(t.Context(), hash, in(0))
	if err != nil || found != (data != "") || string(got) != data {
		t.Errorf("session %s: %q, found %v, %v; want %q", hash, got, found, err, data)
	}
}

// holds wants the database to have a session with these data, none where they are empty.
func holds(t *testing.T, d *database, hash, data string) {
	t.Helper()
	got, found, err := d.Session(t.Context(), hash, in(0))
	if err != nil || found != (data != "") || string(got) != data {
		t.Errorf("the database has of %s: %q, found %v, %v; want %q", hash, got, found, err, data)
	}
}

func in(d time.Duration) halley.Millis { return halley.MillisOf(time.Now().Add(d)) }

var away = &halley.Error{Kind: halley.Unavailable, Op: "ask the database"}

// pass lets fake time pass and everything come to rest.
func pass(d time.Duration) {
	t := time.NewTimer(d)
	<-t.C
	synctest.Wait()
}

func TestASessionLivesWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, file := newDatabase(), filepath.Join(t.TempDir(), "sessions.json")
		d.failWith(away)
		n := open(t, d, file).run(t)
		n.save(t, "a", "one")
		n.save(t, "b", "two")
		n.end(t, "b")
		n.want(t, "a", "one")
		n.want(t, "b", "")
		n.want(t, "unknown", "")
		pass(time.Minute)
		n.stopped()

		again := open(t, d, file).run(t)
		again.want(t, "a", "one")
		again.want(t, "b", "")
		d.failWith(nil)
		pass(10 * time.Second)
		holds(t, d, "a", "one")
		holds(t, d, "b", "")
		again.stopped()
	})
}

func TestASessionIsInTheDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		n := open(t, d, filepath.Join(t.TempDir(), "sessions.json")).run(t)
		defer n.stopped()
		n.save(t, "a", "one")
		synctest.Wait()
		holds(t, d, "a", "one")
		n.save(t, "a", "kept alive")
		n.want(t, "a", "kept alive")
		pass(6 * time.Second)
		holds(t, d, "a", "kept alive")
		n.end(t, "a")
		synctest.Wait()
		holds(t, d, "a", "")
	})
}

func TestASessionOfAnotherServerIsTheDatabases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		here := open(t, d, filepath.Join(t.TempDir(), "sessions.json")).run(t)
		defer here.stopped()
		there := open(t, d, filepath.Join(t.TempDir(), "sessions.json")).run(t)
		defer there.stopped()
		there.save(t, "a", "one")
		synctest.Wait()
		here.want(t, "a", "one")
		here.save(t, "a", "kept alive elsewhere")
		holds(t, d, "a", "kept alive elsewhere")

		// While the database is away nobody can say; the session is not lost for it.
		d.failWith(away)
		here.want(t, "a", "")
		there.want(t, "a", "one")
		d.failWith(nil)

		// Ended on the other server, it ends on its own within seconds.
		here.end(t, "a")
		here.want(t, "a", "")
		synctest.Wait()
		holds(t, d, "a", "")
		there.want(t, "a", "one")
		pass(6 * time.Second)
		there.want(t, "a", "")
		pass(time.Minute)
		holds(t, d, "a", "")
	})
}

func TestWhatWasEndedElsewhereIsNotBroughtBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		n := open(t, d, filepath.Join(t.TempDir(), "sessions.json")).run(t)
		defer n.stopped()
		n.save(t, "a", "one")
		synctest.Wait()
		if err := d.DeleteSession(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		n.save(t, "a", "kept alive") // before it is known here
		pass(6 * time.Second)
		holds(t, d, "a", "")
		n.want(t, "a", "")
		if err := n.SaveSession(t.Context(), storage.Session{Hash: "a", Data: []byte("again"), ExpiresAt: in(time.Hour)}); halley.KindOf(err) != halley.Unauthenticated {
			t.Errorf("keeping a session that was ended: %v, want Unauthenticated", err)
		}
	})
}

func TestAnExpiredCopyInTheDatabaseEndsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		n := open(t, d, filepath.Join(t.TempDir(), "sessions.json")).run(t)
		defer n.stopped()
		n.save(t, "a", "one")
		synctest.Wait()
		d.failWith(away)
		for range 4 { // in use for two hours, while what the database has expires
			pass(30 * time.Minute)
			n.save(t, "a", "in use")
		}
		d.failWith(nil)
		pass(6 * time.Second)
		n.want(t, "a", "in use")
		holds(t, d, "a", "in use")
	})
}

func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := open(t, newDatabase(), filepath.Join(t.TempDir(), "sessions.json")).run(t)
		n.save(t, "a", "one")
		n.end(t, "b")
		pass(time.Hour)
		n.want(t, "a", "")
		pass(25 * time.Hour)
		n.stopped()
		if data, err := os.ReadFile(n.file); err != nil || string(data) != `{"Format":2,"Sessions":{}}` {
			t.Errorf("the file when all have expired: %s, %v", data, err)
		}
	})
}

func TestAFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := open(t, newDatabase(), filepath.Join(t.TempDir(), "sessions.json")).run(t)
		defer n.stopped()
		n.save(t, "a", "one")
		n.broken.Store(true)
		if err := n.SaveSession(t.Context(), storage.Session{Hash: "b", Data: []byte("two"), ExpiresAt: in(time.Hour)}); halley.KindOf(err) != halley.Unavailable {
			t.Errorf("a new session that is not durable: %v, want Unavailable", err)
		}
		n.want(t, "b", "")
		n.save(t, "a", "kept alive") // is no new one, and goes on
		if err := n.DeleteSession(t.Context(), "a"); halley.KindOf(err) != halley.Unavailable {
			t.Errorf("an end that is not durable: %v, want Unavailable", err)
		}
		n.want(t, "a", "")
		synctest.Wait()
		n.broken.Store(false)
		pass(6 * time.Second)
		open(t, newDatabase(), n.file).want(t, "a", "")
	})
}

func TestADamagedFileCostsASignIn(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"cut": `{"Format":2,"Sessions":{"a":{"Da`, "empty": ``, "null": `{"Format":2,"Sessions":{"a":null}}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "sessions.json")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			n := open(t, newDatabase(), file)
			n.want(t, "a", "")
			n.save(t, "a", "one")
			open(t, newDatabase(), file).want(t, "a", "one")
		})
	}
}

func TestAFailureOfTheDatabaseIsSaid(t *testing.T) {
	t.Parallel()
	d := newDatabase()
	d.failWith(errors.New("broken"))
	n := open(t, d, filepath.Join(t.TempDir(), "sessions.json"))
	if _, _, err := n.Session(t.Context(), "a", in(0)); err == nil {
		t.Error("a database that fails for another reason looks like no session")
	}
}
