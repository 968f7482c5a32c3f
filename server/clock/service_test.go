package clock_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/beevik/ntp"

	"halley"
	"halley/server/clock"
)

// service is a time service on a free port of the loopback.
type service struct {
	*clock.Service
	watch *clock.Watch
}

// serve runs a time service, and a Watch where there is a source.
func serve(t *testing.T, source string, ask func(context.Context, string) (clock.Answer, error)) *service {
	t.Helper()
	conn, err := clock.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := clock.New(clock.Options{
		Node: "node", Source: source, WarnAt: time.Second, Ask: ask, Log: slog.New(slog.DiscardHandler),
		Note: func(context.Context, halley.AuditEntry) error { return nil },
	})
	s := &service{Service: clock.Serve(conn, w), watch: w}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- s.Run(ctx) }()
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Errorf("serving: %v", err)
			}
		}
	})
	return s
}

// settled waits until the source was asked.
func settled(t *testing.T, w *clock.Watch) {
	t.Helper()
	for tick := time.NewTicker(time.Millisecond); w.Standing().CheckedAt == 0; <-tick.C {
		if t.Context().Err() != nil {
			t.Fatal("the source was never asked")
		}
	}
}

func TestAClientTakesTheTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source    string
		answer    clock.Answer
		stratum   uint8
		reference uint32
	}{
		"of a local clock":   {stratum: 10, reference: binary.BigEndian.Uint32([]byte("LOCL"))},
		"of a checked clock": {source: "s", answer: clock.Answer{Stratum: 2, Address: netip.MustParseAddr("192.0.2.7")}, stratum: 3, reference: 0xC0000207},
		"of a source too far away": {
			source: "s", answer: clock.Answer{Stratum: 15, Address: netip.MustParseAddr("192.0.2.7")}, stratum: 10,
			reference: binary.BigEndian.Uint32([]byte("LOCL")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.source, func(context.Context, string) (clock.Answer, error) { return c.answer, nil })
			if c.source != "" {
				settled(t, s.watch)
			}
			for _, version := range []int{3, 4} {
				r, err := ntp.QueryWithOptions(s.Address(), ntp.QueryOptions{Version: version})
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Validate(); err != nil {
					t.Errorf("the client does not take the answer: %v", err)
				}
				if r.Stratum != c.stratum || r.ReferenceID != c.reference || r.ClockOffset.Abs() > time.Second || r.Version != version {
					t.Errorf("version %d, stratum %d, reference %08x, offset %v", r.Version, r.Stratum, r.ReferenceID, r.ClockOffset)
				}
			}
		})
	}
}

func TestTheProgramsOwnClientChecksAgainstTheService(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil)
	a, err := clock.AskNTP(t.Context(), s.Address())
	if err != nil {
		t.Fatal(err)
	}
	if a.Stratum != 10 || a.Offset.Abs() > time.Second || a.Address != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("answer %+v", a)
	}
}

// asked sends packets and gives the answers up to and including that to a last, right one.
func asked(t *testing.T, address string, packets ...[]byte) [][]byte {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	last := right(0x55)
	for _, p := range append(packets, last) {
		if _, err := conn.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	var answers [][]byte
	b := make([]byte, 512)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("after %d answers: %v", len(answers), err)
		}
		answers = append(answers, bytes.Clone(b[:n]))
		if n == 48 && b[24] == 0x55 {
			return answers
		}
	}
}

// right is a client's request, version 4, with this transmit time.
func right(mark byte) []byte {
	b := make([]byte, 48)
	b[0] = 4<<3 | 3
	copy(b[40:], bytes.Repeat([]byte{mark}, 8))
	return b
}

func TestOnlyAClientsRequestIsAnswered(t *testing.T) {
	t.Parallel()
	with := func(first byte) []byte {
		b := right(0x11)
		b[0] = first
		return b
	}
	for name, packet := range map[string][]byte{
		"empty":           {},
		"too short":       right(0x11)[:47],
		"too long":        append(right(0x11), 0),
		"very long":       make([]byte, 1400),
		"an answer":       with(4<<3 | 4),
		"a broadcast":     with(4<<3 | 5),
		"control":         with(2<<3 | 6),
		"private mode":    with(2<<3 | 7),
		"a peer":          with(4<<3 | 1),
		"version 0":       with(0<<3 | 3),
		"a later version": with(5<<3 | 3),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "", nil)
			answers := asked(t, s.Address(), packet)
			if len(answers) != 1 || len(answers[0]) != 48 {
				t.Errorf("%d answers, want the one to the right request: %x", len(answers), answers)
			}
		})
	}
}

func TestAWrongClockIsNotGivenOn(t *testing.T) {
	t.Parallel()
	s := serve(t, "s", func(context.Context, string) (clock.Answer, error) {
		return clock.Answer{Offset: -time.Minute, Stratum: 1}, nil
	})
	settled(t, s.watch)
	if _, err := ntp.QueryWithOptions(s.Address(), ntp.QueryOptions{Timeout: 50 * time.Millisecond}); err == nil {
		t.Error("a clock that is a minute late was given on")
	}
	if s.Answers() != 0 {
		t.Errorf("%d answers", s.Answers())
	}
}

func TestASourceThatGivesNoTimeIsAnError(t *testing.T) {
	t.Parallel()
	conn, err := clock.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // a server that says that it is not synchronised
		defer close(done)
		b := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			answer := bytes.Clone(b[:min(n, 48)])
			answer[0], answer[1] = 3<<6|4<<3|4, 0
			copy(answer[24:32], b[40:48])
			copy(answer[32:40], b[40:48])
			if _, err := conn.WriteTo(answer, from); err != nil {
				return
			}
		}
	}()
	if a, err := clock.AskNTP(t.Context(), conn.LocalAddr().String()); err == nil {
		t.Errorf("an unsynchronised source gave %+v", a)
	}
	_ = conn.Close()
	<-done
}
