package clock

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/beevik/ntp"
)

// askWithin bounds one question to a time source.
const askWithin = 5 * time.Second

// Answer is what a time source said.
type Answer struct {
	// Offset is how far this clock is ahead of the source; negative for behind.
	Offset time.Duration
	// Stratum is the source's distance from a reference clock, 1 to 15.
	Stratum uint8
	// Address is the source's own.
	Address netip.Addr
	// RootDelay and RootDispersion are the source's, and what the way to it adds.
	RootDelay, RootDispersion time.Duration
}

// AskNTP asks a time source, HOST or HOST:PORT, how late it is. Where it answers anything that a clock must not be judged by, such as
// that it knows no time itself, that is an error.
func AskNTP(ctx context.Context, source string) (Answer, error) {
	var from netip.Addr
	r, err := ntp.QueryWithOptions(source, ntp.QueryOptions{
		Timeout: askWithin,
		Dialer: func(_, remote string) (net.Conn, error) {
			d := net.Dialer{Timeout: askWithin}
			conn, err := d.DialContext(ctx, "udp", remote)
			if err == nil {
				if at, ok := conn.RemoteAddr().(*net.UDPAddr); ok {
					from = at.AddrPort().Addr().Unmap()
				}
			}
			return conn, err
		},
	})
	if err != nil {
		return Answer{}, fmt.Errorf("asking the time source %s: %w", source, err)
	}
	if err := r.Validate(); err != nil {
		return Answer{}, fmt.Errorf("the time source %s gives no time to rely on: %w", source, err)
	}
	return Answer{
		Offset: -r.ClockOffset, Stratum: r.Stratum, Address: from,
		RootDelay: r.RootDelay + r.RTT, RootDispersion: r.RootDispersion,
	}, nil
}
