package server_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// connections is how many keep-alive connections the load uses.
const connections = 64

// load sends bodies over keep-alive connections as fast as the answers come, for a while, and gives how many were answered 200.
// It writes the requests by hand so that it costs little beside the server that is measured.
func load(tb testing.TB, address string, d time.Duration, body func(connection, n int) []byte) int64 {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), d)
	defer cancel()
	var acknowledged atomic.Int64
	var wg sync.WaitGroup
	for c := range connections {
		wg.Go(func() {
			if err := send(ctx, address, &acknowledged, func(n int) []byte { return body(c, n) }); err != nil && ctx.Err() == nil {
				tb.Errorf("connection %d: %v", c, err)
			}
		})
	}
	wg.Wait()
	return acknowledged.Load()
}

func send(ctx context.Context, address string, acknowledged *atomic.Int64, body func(n int) []byte) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 4096)
	var request bytes.Buffer
	for n := 0; ctx.Err() == nil; n++ {
		b := body(n)
		request.Reset()
		fmt.Fprintf(&request, "POST /soap HTTP/1.1\r\nHost: halley\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n", len(b))
		request.Write(b)
		if _, err := conn.Write(request.Bytes()); err != nil {
			return err
		}
		status, err := answer(in)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("answered %d", status)
		}
		acknowledged.Add(1)
	}
	return nil
}

// answer reads one answer and gives its status.
func answer(in *bufio.Reader) (int, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, err
	}
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	_, err = in.Discard(length)
	return status, err
}

// bare is the limit: a handler that appends the body to a file and answers after one sync that all share who wait.
type bare struct {
	file    syncer
	mu      sync.Mutex
	pending []byte
	waiters chan struct{}
	wake    chan struct{}
}

type syncer interface {
	io.Writer
	Sync() error
}

func newBare(ctx context.Context, file syncer) *bare {
	b := &bare{file: file, waiters: make(chan struct{}), wake: make(chan struct{}, 1)}
	go b.run(ctx)
	return b
}

func (b *bare) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		}
		b.mu.Lock()
		pending, waiters := b.pending, b.waiters
		b.pending, b.waiters = nil, make(chan struct{})
		b.mu.Unlock()
		_, _ = b.file.Write(pending)
		_ = b.file.Sync()
		close(waiters)
	}
}

// ServeHTTP takes one body.
func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := whole(w, r)
	if !ok {
		return
	}
	b.mu.Lock()
	b.pending = append(b.pending, body...)
	durable := b.waiters
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
	<-durable
	confirm(w)
}

// alone is what servers do that share nothing: a handler that appends the body to a file and syncs it before it answers, one after
// the other.
type alone struct {
	mu   sync.Mutex
	file syncer
}

// ServeHTTP takes one body.
func (a *alone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := whole(w, r)
	if !ok {
		return
	}
	a.mu.Lock()
	_, err := a.file.Write(body)
	if err == nil {
		err = a.file.Sync()
	}
	a.mu.Unlock()
	if err != nil {
		http.Error(w, "not stored", http.StatusServiceUnavailable)
		return
	}
	confirm(w)
}

func whole(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		http.Error(w, "short", http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

func confirm(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}
