package server_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"halley/config"
	"halley/protocols"
	"halley/protocols/modem"
	"halley/protocols/tax6xx"
	"halley/protocols/websensor"
	"halley/protocols/wifi"
	"halley/server"
	"halley/storage"
	"halley/storage/sqlite"
)

// families are all that the program speaks.
func families() protocols.Set {
	return protocols.Set{websensor.New(), wifi.New(), tax6xx.New(), modem.New()}
}

// rig is a running server on the embedded store.
type rig struct {
	*server.Server
	// devices is where devices send to.
	devices string
	stop    func() error
}

// options gives a configuration on the folder with one listener on a free port.
func options(folder string, change func(*config.Config)) server.Options {
	c := config.Defaults()
	c.Data, c.Node = folder, "node"
	c.Devices.Listen = []string{"127.0.0.1:0"}
	c.Devices.Accept = "any"
	c.Journal.ReserveBytes = 0
	if change != nil {
		change(&c)
	}
	return server.Options{
		Config: c, Version: "test", Families: families(), Log: slog.New(slog.DiscardHandler),
		OpenStore: func(ctx context.Context) (storage.Store, error) {
			return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(folder, "halley.db"), Log: slog.New(slog.DiscardHandler)})
		},
	}
}

// start runs a server on the folder. It is stopped by stop or at the end of the test.
func start(tb testing.TB, folder string, change func(*config.Config)) *rig {
	tb.Helper()
	return startOn(tb, options(folder, change))
}

// startOn runs a server with these options, as start does.
func startOn(tb testing.TB, o server.Options) *rig {
	tb.Helper()
	s, err := server.New(tb.Context(), o)
	if err != nil {
		tb.Fatalf("opening the server: %v", err)
	}
	if err := s.ListenDevices(tb.Context()); err != nil {
		tb.Fatalf("listening: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.Run(ctx, func() { close(ready) }) }()
	<-ready
	r := &rig{Server: s}
	for _, l := range s.Status().Listeners {
		r.devices = l.Address
	}
	stopped := false
	r.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		err := <-done
		if e := s.Close(); err == nil {
			err = e
		}
		return err
	}
	tb.Cleanup(func() {
		if err := r.stop(); err != nil {
			tb.Errorf("stopping the server: %v", err)
		}
	})
	return r
}

// flush waits until all that is journaled is recorded.
func (r *rig) flush(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	if recorded, last, err := r.Flush(ctx); err != nil || recorded > last {
		tb.Fatalf("flushing: recorded %d of %d, %v", recorded, last, err)
	}
}

// listenLocal opens a free port on the loopback.
func listenLocal(tb testing.TB) net.Listener {
	tb.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// openServer opens a server without running it.
func openServer(tb testing.TB, folder string, change ...func(*config.Config)) (*server.Server, error) {
	tb.Helper()
	return server.New(tb.Context(), options(folder, func(c *config.Config) {
		for _, f := range change {
			f(c)
		}
	}))
}
