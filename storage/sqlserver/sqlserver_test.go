package sqlserver_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/sqlserver"
	"halley/storage/storagetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	wires := newWires(t, engine(t))
	storagetest.Engine{
		Open: func(t testing.TB) storage.Store {
			t.Helper()
			o := newDatabase(t)
			return wires.open(t, o)
		},
		Reopen: func(t testing.TB, s storage.Store) storage.Store {
			t.Helper()
			if err := s.Close(); err != nil {
				t.Fatal(errors.Join(errors.New("closing to open again"), err))
			}
			return wires.open(t, wires.of(s))
		},
		Kill: func(t testing.TB, s storage.Store) {
			t.Helper()
			wires.cut(s)
		},
		Runs: 20,
		Model: func(t testing.TB) storage.Store {
			t.Helper()
			s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "halley.db")})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("closing the model: %v", err)
				}
			})
			return s
		},
	}.Run(t)
}

// wires are the stores of one test, each behind a relay that can be cut.
type wires struct {
	engine *url.URL
	mu     sync.Mutex
	list   map[storage.Store]*wire
}

type wire struct {
	options sqlserver.Options
	relay   *relay
}

func newWires(t *testing.T, u *url.URL) *wires {
	t.Helper()
	return &wires{engine: u, list: map[storage.Store]*wire{}}
}

// open opens a database through a relay of its own and closes both when the test ends.
func (w *wires) open(t testing.TB, o sqlserver.Options) storage.Store {
	t.Helper()
	u, err := url.Parse(o.DSN.Reveal())
	if err != nil {
		t.Fatal("the DSN of the database cannot be read")
	}
	r := newRelay(t, net.JoinHostPort(u.Hostname(), port(u)))
	q := u.Query()
	if q.Get("encrypt") != "disable" && q.Get("hostNameInCertificate") == "" {
		q.Set("hostNameInCertificate", u.Hostname())
	}
	u.Host, u.RawQuery = r.address, q.Encode()
	through := o
	through.DSN = at(u, q.Get("database"))
	s, err := sqlserver.Open(t.Context(), through)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list[s] = &wire{options: o, relay: r}
	return s
}

func (w *wires) of(s storage.Store) sqlserver.Options {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.list[s].options
}

func (w *wires) cut(s storage.Store) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list[s].relay.cut()
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return "1433"
}

// relay hands on the bytes between a store and its engine, until it is cut.
type relay struct {
	address string
	to      string
	mu      sync.Mutex
	open    map[net.Conn]struct{}
}

func newRelay(t testing.TB, to string) *relay {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{address: l.Addr().String(), to: to, open: map[net.Conn]struct{}{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { r.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		r.cut()
		wg.Wait()
	})
	return r
}

// serve joins one connection with the engine until either ends.
func (r *relay) serve(c net.Conn) {
	e, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", r.to)
	if err != nil {
		_ = c.Close()
		return
	}
	r.mu.Lock()
	r.open[c], r.open[e] = struct{}{}, struct{}{}
	r.mu.Unlock()
	var wg sync.WaitGroup
	one := func(from, to net.Conn) {
		_, _ = io.Copy(to, from)
		_ = from.Close()
		_ = to.Close()
	}
	wg.Go(func() { one(c, e) })
	one(e, c)
	wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
	delete(r.open, e)
}

// cut ends every connection without a word.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		if tc, ok := c.(*net.TCPConn); ok {
			_ = tc.SetLinger(0)
		}
		_ = c.Close()
	}
}
