package fleet_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/cmd/halley/internal/fleet"
	"halley/config"
	"halley/protocols"
	"halley/server"
	"halley/server/completeness"
	"halley/storage"
	"halley/storage/sqlite"
)

// wire is a network in memory, so that its waiting takes no time: a listener whose connections are pipes.
type wire struct {
	mu    sync.Mutex
	taker chan net.Conn
	ended chan struct{}
}

var errRefused = errors.New("connection refused")

// listen plugs a server in.
func (w *wire) listen() net.Listener {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taker, w.ended = make(chan net.Conn), make(chan struct{})
	return &plug{wire: w, taker: w.taker, ended: w.ended}
}

// dial is a device that connects.
func (w *wire) dial(ctx context.Context) (net.Conn, error) {
	w.mu.Lock()
	taker, ended := w.taker, w.ended
	w.mu.Unlock()
	near, far := net.Pipe()
	select {
	case taker <- far:
		return near, nil
	case <-ended:
		return nil, errRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// plug is the server's side of a wire.
type plug struct {
	wire  *wire
	taker chan net.Conn
	ended chan struct{}
	once  sync.Once
}

func (p *plug) Accept() (net.Conn, error) {
	select {
	case c := <-p.taker:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *plug) Close() error {
	p.once.Do(func() { close(p.ended) })
	return nil
}

func (*plug) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081} }

// site is a folder with a server that is started and stopped.
type site struct {
	folder string
	wire   wire
	server *server.Server
	end    context.CancelFunc
	ended  chan error
}

func (s *site) start(t *testing.T) {
	t.Helper()
	c := config.Defaults()
	c.Data, c.Node, c.Devices.Listen, c.Devices.Accept, c.Journal.ReserveBytes = s.folder, "node", nil, "any", 0
	var families protocols.Set
	for _, l := range fleet.Lines() {
		families = append(families, l.Protocol)
	}
	var err error
	s.server, err = server.New(t.Context(), server.Options{
		Config: c, Version: "test", Families: families, Log: slog.New(slog.DiscardHandler), StoreKind: "sqlite",
		OpenStore: func(ctx context.Context) (storage.Store, error) {
			return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(s.folder, "halley.db"), Log: slog.New(slog.DiscardHandler)})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.server.TakeDevices(s.wire.listen())
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	ready := make(chan struct{})
	s.end, s.ended = end, make(chan error, 1)
	go func() { s.ended <- s.server.Run(ctx, func() { close(ready) }) }()
	<-ready
}

func (s *site) stop(t *testing.T) {
	t.Helper()
	s.end()
	if err := errors.Join(<-s.ended, s.server.Close()); err != nil {
		t.Errorf("stopping the server: %v", err)
	}
}

// report counts a device as the API does.
func (s *site) report(t *testing.T, d *fleet.PlannedDevice) completeness.Report {
	t.Helper()
	known, ok := s.server.Devices().Device(halley.DeviceKey{Family: d.Family, Serial: d.Serial})
	if !ok {
		t.Fatalf("%s is not known", d.Serial)
	}
	now := halley.MillisOf(time.Now())
	// A web sensor's messages are measured when they arrive, a moment after they were planned.
	p := completeness.Period{Family: d.Family, From: halley.Millis(d.From), To: halley.Millis(d.To), Now: now}
	if err := p.Explain(t.Context(), s.server.Store(), known.ID, s.server.Servers(now)); err != nil {
		t.Fatal(err)
	}
	r, err := completeness.Of(t.Context(), s.server.Store(), known.ID, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCompletenessFindsExactlyThePlannedLosses runs a fleet of all families against the server for a day, in which messages are lost
// on the way, devices are off, networks are out for less and more than the memory lasts, intervals change and the server is
// stopped twice. The clock is the test's.
func TestCompletenessFindsExactlyThePlannedLosses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		const spans, tail = 6, 24
		s := site{folder: folder}
		s.start(t)
		begin := time.Now().Truncate(time.Minute).Add(time.Minute)
		o := fleet.Options{
			To: "http://127.0.0.1:8081", Lines: fleet.Lines(), Devices: 8, First: 1, Interval: time.Minute, Messages: spans*24 + tail,
			Losses: 0.9, Seed: 5, Start: halley.MillisOf(begin), Dial: s.wire.dial,
		}
		stops := []fleet.Stop{
			{From: o.Start + (spans*24+3)*halley.Minute - 5*halley.Second, To: o.Start + (spans*24+7)*halley.Minute - 25*halley.Second},
			{From: o.Start + (spans*24+11)*halley.Minute - 5*halley.Second, To: o.Start + (spans*24+12)*halley.Minute + 58*halley.Second},
		}
		planned := fleet.Planned(o, stops...)
		var sending sync.WaitGroup
		sending.Go(func() {
			counts, err := fleet.Run(t.Context(), o)
			if err != nil || counts.Sent == 0 {
				t.Errorf("the fleet: %+v, %v", counts, err)
			}
		})
		for _, stop := range stops {
			<-time.After(time.Until(stop.From.Time()))
			s.stop(t)
			<-time.After(time.Until(stop.To.Time()))
			s.start(t)
		}
		sending.Wait()
		if _, _, err := s.server.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		causes := map[completeness.Cause]bool{}
		for i := range planned {
			d := &planned[i]
			compare(t, d, s.report(t, d))
			for _, l := range d.Losses {
				causes[completeness.Cause(l.Cause)] = true
			}
		}
		for _, c := range []completeness.Cause{
			completeness.Unknown, completeness.OrderGap, completeness.RestartOrOff, completeness.CacheCleared, completeness.NoNetwork,
			completeness.ServerDown,
		} {
			if !causes[c] {
				t.Errorf("nothing was planned to be lost by the cause %s: the test shows less than it should", c)
			}
		}
		s.stop(t)
	})
}

// found is what is compared of a loss: of a web sensor, instants are those of arrival.
type found struct {
	At       halley.Millis
	Messages int64
	Cause    string
}

// compare holds a report against the plan, loss by loss.
func compare(t *testing.T, d *fleet.PlannedDevice, r completeness.Report) {
	t.Helper()
	interval := halley.Millis(d.Interval) * halley.Second
	var want, got []found
	var missing, uncertain int64
	for _, l := range d.Losses {
		missing, uncertain = missing+l.Missing, uncertain+l.Uncertain
		at := halley.Millis(l.From).Floor(interval)
		if l.Missing > 0 {
			want = append(want, found{at, l.Missing, l.Cause})
		}
		if l.Uncertain > 0 {
			want = append(want, found{at, l.Uncertain, "interval-changed"})
		}
	}
	for _, g := range r.Gaps {
		// A gap begins at the message before it, or at the first missing one where another cause ends there.
		at := g.From.Floor(interval)
		if !slices.ContainsFunc(want, func(f found) bool { return f.At == at && f.Cause == string(g.Cause) }) {
			at += interval
		}
		got = append(got, found{at, g.Messages, string(g.Cause)})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s %s: losses (-planned +found)\n%s", d.Family, d.Serial, diff)
	}
	if r.Missing != missing || r.Uncertain != uncertain || r.Received != d.Messages || r.Expected != d.Messages+missing {
		t.Errorf("%s %s: %d expected, %d received, %d missing, %d uncertain; planned %d, %d, %d, %d", d.Family, d.Serial,
			r.Expected, r.Received, r.Missing, r.Uncertain, d.Messages+missing, d.Messages, missing, uncertain)
	}
	if r.Duplicates+r.Conflicts+r.Extra != 0 {
		t.Errorf("%s %s: %d duplicates, %d conflicts, %d extra; none was planned", d.Family, d.Serial, r.Duplicates, r.Conflicts, r.Extra)
	}
}
