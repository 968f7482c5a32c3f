package main

import (
	"context"
	"maps"
	"net/http"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSQLServerNothingElseGoesOut looks at the server's sockets while it records to SQL Server: the only connections that it opens
// go to the configured address, also when that is away.
func TestSQLServerNothingElseGoesOut(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("sockets are looked at under /proc, which only Linux has")
	}
	s := newSite(t, onEngine(t), "north").ready(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// The gate is on this machine; the gate's own connections belong to another process.
	p, a := s.begin(ctx, t)
	listeners := portsOf(t, p.devices, p.viewer)
	o := onlyAccepts{ports: maps.Clone(listeners), to: s.gate.address()}
	crowd := atWork(ctx, calm(newSenders(8, newBoard(p.devices))))
	look := func(until func(standing) bool) {
		for !until(a.promptly(ctx, t)) {
			if err := a.ask(ctx, http.MethodGet, "/latest", nil); err != nil {
				t.Fatal(err)
			}
			o.look(t, p)
			if !pause(ctx, retryEvery) {
				t.Fatalf("it never came; the status is %+v", a.status(t.Context(), t))
			}
		}
	}
	look(func(s standing) bool { return s.Journal.Recorded > 100 })
	for _, how := range []passage{cut, held} {
		s.gate.set(how)
		look(func(s standing) bool { return s.Store.State == "away" })
		s.gate.set(open)
		look(func(s standing) bool { return s.Store.State == "ok" })
	}
	crowd.rest(t)
	a.flush(ctx, t)
	p.stop(t)
	if !cmp.Equal(listeners, o.ports) {
		t.Errorf("the listeners' ports are %v, want %v", o.ports, listeners)
	}
	if o.accepted == 0 || o.opened == 0 {
		t.Errorf("%d accepted connections and %d to the database were seen", o.accepted, o.opened)
	}
	t.Logf("%d looks, %d times an accepted connection, %d times one to the database, nothing else", o.looks, o.accepted, o.opened)
}
