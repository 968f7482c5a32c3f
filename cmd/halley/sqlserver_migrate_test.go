package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestSQLServerTakesOverAnEmbeddedStore moves a site while its devices send: none is turned away, the server goes over by itself, and
// everything is in the database once. People are signed in all the while, and sign in there as before.
func TestSQLServerTakesOverAnEmbeddedStore(t *testing.T) {
	t.Parallel()
	s := newSite(t, onEngine(t), "north")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s.init(t)

	s.token = administrator(t, s.data)
	p := launchIn(t, []string{"HALLEY_NODE=" + s.node}, s.data, "--config", s.config)
	if err := p.awaitReady(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.keepsSecret(t, p.said.String()) })
	a := newAPI(t, p, s.token)
	olga := &member{name: "olga"}
	olga.joins(ctx, t, p, a)
	olga.secure(ctx, t)
	senders := calm(newSenders(8, newBoard(p.devices)))
	crowd := atWork(ctx, senders)
	until(ctx, t, a, "a few hundred recorded messages", func(now standing) bool { return now.Journal.Recorded > 300 })

	// The administrator writes the database into the file that the server reads again.
	text := fmt.Sprintf("%s[store]\ndsn = %q\n", fromSQLServer, s.dsn.String())
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := s.run(t, "migrate", "--from", "sqlite", "--to", "sqlserver", "--data", s.data)
	if code != exitDone || !strings.Contains(out, "the same in both") || !strings.Contains(errs, "copying messages") {
		t.Fatalf("migrate ends with %d and says\n%s%s", code, out, errs)
	}
	until(ctx, t, a, "a server that has gone over", func(now standing) bool {
		return now.Store.Kind == "sqlserver" && now.Store.State == "ok"
	})
	moved := a.status(ctx, t).Journal.Recorded
	until(ctx, t, a, "messages recorded in the new store", func(now standing) bool { return now.Journal.Recorded > moved+100 })
	crowd.rest(t)
	a.flush(ctx, t)
	s.seesEveryDevice(ctx, t, a)
	olga.comesOver(ctx, t, p)
	p.stop(t)
	o := s.account(t, senders)
	if o.refused > 0 || o.acknowledged < 300 {
		t.Errorf("devices were turned away while the store moved: %v", o)
	}
	s.isVerified(t)
	t.Logf("%v", o)

	// Run again, it says that there is nothing to move, and touches nothing.
	if _, errs, code := s.run(t, "migrate", "--data", s.data); code != exitFailed || !strings.Contains(errs, "already") {
		t.Errorf("a second migrate ends with %d and says %s", code, errs)
	}
}
