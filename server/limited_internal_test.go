package server

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

// limitedServer answers "ok" over at most so many connections.
func limitedServer(t *testing.T, most int, handler http.Handler) string {
	t.Helper()
	var lc net.ListenConfig
	n, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(n, most)
	s := &http.Server{Handler: handler, ConnState: l.follow, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		_ = l.Close()
		<-done
	})
	return n.Addr().String()
}

// client is one keep-alive connection.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{c, bufio.NewReader(c)}
}

// ask sends a request and waits for its answer.
func (c *client) ask() error {
	if _, err := fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func TestIdleConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	address := limitedServer(t, 3, http.HandlerFunc(ok))
	var clients []*client
	for i := range 10 {
		c := dial(t, address)
		if err := c.ask(); err != nil {
			t.Fatalf("connection %d beside %d idle ones: %v", i, len(clients), err)
		}
		clients = append(clients, c)
	}
	if err := clients[9].ask(); err != nil {
		t.Errorf("the newest connection was closed: %v", err)
	}
	if err := clients[0].ask(); err == nil {
		t.Error("the connection that was idle longest is still open beyond the bound")
	}
}

func TestBusyConnectionsAreNotCut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	arrived := make(chan struct{}, 8)
	address := limitedServer(t, 2, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		ok(w, r)
	}))
	results := make(chan error, 3)
	for range 3 {
		go func() { results <- dial(t, address).ask() }()
	}
	<-arrived
	<-arrived
	select {
	case <-arrived:
		t.Error("a third request runs beyond the bound of two connections")
	default:
	}
	close(release)
	for range 3 {
		if err := <-results; err != nil {
			t.Errorf("a request was cut: %v", err)
		}
	}
}

func TestCloseEndsAWaitingAccept(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	n, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(n, 1)
	dial(t, n.Addr().String())
	dial(t, n.Addr().String())
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	done := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		done <- err
	}()
	_ = l.Close()
	<-done
}
