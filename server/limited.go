package server

import (
	"container/list"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// limited is a listener that holds at most so many connections open. Where all are taken, the one that has been idle longest is
// closed for a new one: devices keep connections open between two messages, and a closed one is opened again without loss.
// Where none is idle, the new one waits.
type limited struct {
	net.Listener
	most int
	mu   sync.Mutex
	open int
	// idle holds the *slotted that wait for their next request, the longest first.
	idle   *list.List
	freed  *sync.Cond
	closed bool
}

// limitConnections bounds how many connections of a listener are open at one time; most of 0 is no bound.
func limitConnections(n net.Listener, most int) *limited {
	l := &limited{Listener: n, most: most, idle: list.New()}
	l.freed = sync.NewCond(&l.mu)
	return l
}

// Accept waits for a connection and for room for it.
func (l *limited) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	for l.most > 0 && l.open >= l.most && !l.closed {
		if e := l.idle.Front(); e != nil {
			oldest := l.idle.Remove(e).(*slotted)
			oldest.waiting = nil
			l.mu.Unlock()
			_ = oldest.Close() // its device opens another
			l.mu.Lock()
			continue
		}
		l.freed.Wait()
	}
	l.open++
	l.mu.Unlock()
	return &slotted{Conn: c, from: l}, nil
}

// Close ends a waiting Accept too.
func (l *limited) Close() error {
	l.mu.Lock()
	l.closed = true
	l.freed.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// follow is the hook by which the HTTP server tells when a connection begins and ends to be idle.
func (l *limited) follow(c net.Conn, state http.ConnState) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	s, ok := c.(*slotted)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.waiting != nil {
		l.idle.Remove(s.waiting)
		s.waiting = nil
	}
	if state == http.StateIdle && !s.gone {
		s.waiting = l.idle.PushBack(s)
		l.freed.Signal()
	}
}

// slotted is a connection that counts.
type slotted struct {
	net.Conn
	from *limited
	// waiting is its place among the idle ones, gone says that it is closed; both belong to from.mu.
	waiting *list.Element
	gone    bool
}

// Close closes the connection and makes room once.
func (c *slotted) Close() error {
	err := c.Conn.Close()
	l := c.from
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.gone {
		return err
	}
	c.gone = true
	if c.waiting != nil {
		l.idle.Remove(c.waiting)
		c.waiting = nil
	}
	l.open--
	l.freed.Signal()
	return err
}

// quiet passes log records on without their message, which names the addresses of clients.
type quiet struct{ slog.Handler }

// Handle replaces the text by one without an address.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	return q.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "a connection ended with an error", r.PC))
}
