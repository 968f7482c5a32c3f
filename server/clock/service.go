package clock

import (
	"context"
	"crypto/md5" //nolint:gosec // the protocol says how an IPv6 address becomes four bytes; nothing is secured by it
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// localStratum is what the service says of a clock that is checked against nothing.
	localStratum = 10
	// localDispersion is how far it says that such a clock may be off; nobody knows.
	localDispersion = time.Second
	// farthestStratum is the last that a client takes.
	farthestStratum = 15
	// trustedFor is how long an answer of the time source counts.
	trustedFor = 24 * time.Hour
	// ageing is what a clock may drift, in parts of a second each second (RFC 5905: 15 ppm).
	ageing = 15e-6
	// answersASecond and answersAtOnce bound the answers to all clients together.
	answersASecond = 1000
	answersAtOnce  = 2000
)

// Service gives the time to sensors (SNTP version 4, RFC 4330). It answers a client's request of 48 bytes with 48 bytes and nothing
// else with anything, each address some times a minute; addresses are kept in memory alone. While the clock is known to be wrong it
// does not answer: no time is better for a sensor than a false one.
type Service struct {
	watch   *Watch
	conn    net.PacketConn
	all     *rate.Limiter
	clients clients
	answers atomic.Int64
}

// Serve gives a Service that will answer on conn, which it closes at the end of Run.
func Serve(conn net.PacketConn, w *Watch) *Service {
	return &Service{watch: w, conn: conn, all: rate.NewLimiter(answersASecond, answersAtOnce), clients: newClients()}
}

// Listen opens the address, HOST:PORT.
func Listen(ctx context.Context, address string) (net.PacketConn, error) {
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for questions about the time on %s: %w", address, err)
	}
	return conn, nil
}

// Close ends the Service of a program that does not come to run it; after Run it does nothing.
func (s *Service) Close() error {
	if err := s.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("closing the time service: %w", err)
	}
	return nil
}

// Answers gives how many requests were answered.
func (s *Service) Answers() int64 { return s.answers.Load() }

// Address gives where the service listens.
func (s *Service) Address() string { return s.conn.LocalAddr().String() }

// Run answers until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	defer stop()
	// One byte more than a request, so that a longer one is seen to be longer.
	in, out := make([]byte, packetBytes+1), make([]byte, 0, packetBytes)
	for {
		n, from, err := s.conn.ReadFrom(in)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("serving the time: %w", err)
		case err != nil:
			continue // what the network says of an earlier answer, such as a closed port at the client
		}
		received := s.watch.opts.Wall()
		client, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		p, ok := request(in[:n])
		if !ok || !s.clients.allow(client.AddrPort().Addr().Unmap(), time.Now()) || !s.all.Allow() || !s.watch.fill(&p) {
			continue
		}
		if p.checked.IsZero() {
			p.checked = received // a clock of its own is its own reference
		}
		p.receive, p.transmit = received, s.watch.opts.Wall()
		out = p.append(out[:0])
		if _, err := s.conn.WriteTo(out, from); err == nil {
			s.answers.Add(1)
		}
	}
}

// Withheld says that the time service does not answer, for the clock is not to be trusted.
func (st *Standing) Withheld() bool { return st.State == Wrong || st.State == Stepped }

// fill says in p how good the clock is; ok is false where it is known to be wrong.
func (w *Watch) fill(p *packet) (ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.standing.Withheld() {
		return false
	}
	age := time.Since(w.answered)
	if w.answered.IsZero() || age > trustedFor || w.answer.Stratum >= farthestStratum {
		p.stratum, p.reference = localStratum, [4]byte{'L', 'O', 'C', 'L'}
		p.rootDispersion = localDispersion
		return true
	}
	p.stratum = max(w.answer.Stratum, 1) + 1
	p.reference = referenceOf(w.answer.Address)
	p.checked = w.standing.CheckedAt.Time()
	p.rootDelay = w.answer.RootDelay
	p.rootDispersion = w.answer.RootDispersion + w.answer.Offset.Abs() + time.Duration(float64(age)*ageing)
	return true
}

// referenceOf names the time source as the protocol does: an IPv4 address as it is, of an IPv6 address the first bytes of its MD5.
func referenceOf(a netip.Addr) [4]byte {
	switch {
	case a.Is4():
		return a.As4()
	case a.Is6():
		full := a.As16()
		sum := md5.Sum(full[:]) //nolint:gosec // see the import
		return [4]byte(sum[:4])
	}
	return [4]byte{}
}
