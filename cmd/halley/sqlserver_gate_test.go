package main

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// passage is what a gate does with connections.
type passage int

const (
	// open lets everything through.
	open passage = iota
	// cut ends all connections, and every new one at once.
	cut
	// held lets nothing through and ends nothing, as a network does that swallows packets. What was held goes on when it is opened.
	held
)

// gate stands between the server and its database and listens on an address of its own.
type gate struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu      sync.Mutex
	state   passage
	changed chan struct{}
	conns   map[net.Conn]bool
	closed  bool
}

// newGate opens a gate to an address. It is closed at the end of the test.
func newGate(tb testing.TB, target string) *gate {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	g := &gate{listener: l, target: target, changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	g.running.Go(g.accept)
	tb.Cleanup(g.close)
	return g
}

func (g *gate) address() string { return g.listener.Addr().String() }

// set changes what happens to all connections, those that are there too.
func (g *gate) set(p passage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state = p
	close(g.changed)
	g.changed = make(chan struct{})
	if p == cut {
		g.endAll()
	}
}

func (g *gate) close() {
	g.mu.Lock()
	g.closed, g.state = true, cut
	close(g.changed)
	g.changed = make(chan struct{})
	g.endAll()
	g.mu.Unlock()
	g.listener.Close()
	g.running.Wait()
}

// endAll ends all connections without a goodbye. The caller holds mu.
func (g *gate) endAll() {
	for c := range g.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
	clear(g.conns)
}

// keep notes a connection; false where the gate is cut, and then it is ended.
func (g *gate) keep(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = true
	if g.state == cut {
		g.endAll()
		return false
	}
	return true
}

// passes waits while the gate is held; false where it is cut.
func (g *gate) passes() bool {
	for {
		g.mu.Lock()
		state, changed := g.state, g.changed
		g.mu.Unlock()
		if state != held {
			return state == open
		}
		<-changed
	}
}

func (g *gate) accept() {
	for {
		c, err := g.listener.Accept()
		if err != nil {
			return // closed
		}
		if g.keep(c) {
			g.running.Go(func() { g.join(c) })
		}
	}
}

// join passes bytes between a connection and the target in both directions until one of them ends.
func (g *gate) join(c net.Conn) {
	defer c.Close()
	if !g.passes() {
		return
	}
	to, err := net.Dial("tcp", g.target)
	if err != nil {
		return
	}
	defer to.Close()
	if !g.keep(to) {
		return
	}
	defer g.forget(c, to)
	var back sync.WaitGroup
	back.Go(func() { g.copy(c, to) })
	g.copy(to, c)
	back.Wait()
}

func (g *gate) forget(conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		delete(g.conns, c)
	}
}

// copy passes bytes on in one direction, and the end of them as the end of both.
func (g *gate) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !g.passes() {
			return
		}
		if _, wrong := to.Write(buffer[:n]); wrong != nil || err != nil {
			return
		}
	}
}

// TestGate makes sure that the tests of an outage have one.
func TestGate(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); c.Close() }()
		}
	}()
	g := newGate(t, echo.Addr().String())
	dial := func() (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", g.address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c, bufio.NewReader(c)
	}
	// comes says whether the echo of a line comes within some time, or an end of the connection.
	comes := func(c net.Conn, r *bufio.Reader, text string, within time.Duration) (string, error) {
		if text != "" {
			if _, err := io.WriteString(c, text); err != nil {
				return "", err
			}
		}
		if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		return r.ReadString('\n')
	}
	c, r := dial()
	if got, err := comes(c, r, "one\n", failsafe); got != "one\n" {
		t.Fatalf("an open gate let %q through: %v", got, err)
	}
	g.set(held)
	if got, err := comes(c, r, "two\n", 50*time.Millisecond); err == nil || got != "" || !isTimeout(err) {
		t.Fatalf("a held gate let %q through: %v", got, err)
	}
	g.set(open)
	if got, err := comes(c, r, "", failsafe); got != "two\n" {
		t.Fatalf("what was held came as %q: %v", got, err)
	}
	g.set(cut)
	if got, err := comes(c, r, "", failsafe); err == nil || isTimeout(err) {
		t.Fatalf("a cut connection gave %q: %v", got, err)
	}
	// The connection may end before it is there.
	if c, err := net.Dial("tcp", g.address()); err == nil {
		defer c.Close()
		if got, err := comes(c, bufio.NewReader(c), "", failsafe); err == nil || isTimeout(err) {
			t.Fatalf("a connection to a cut gate gave %q: %v", got, err)
		}
	}
	g.set(open)
	c, r = dial()
	if got, err := comes(c, r, "three\n", failsafe); got != "three\n" {
		t.Fatalf("a gate that was opened again let %q through: %v", got, err)
	}
}

func isTimeout(err error) bool {
	wrong, ok := err.(net.Error) //nolint:errorlint // a connection gives it as it is
	return ok && wrong.Timeout()
}
