package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"halley"
	"halley/config"
	"halley/server/namedfile"
)

// The ports of a mail server where none is given: with TLS after the greeting, with TLS from the start, and without.
const (
	submissionPort  = 587
	submissionsPort = 465
	clearPort       = 25
)

// dialer makes the one connection of an e-mail.
type dialer struct {
	host string
	port int
	tls  *tls.Config
	// fromStart says that TLS begins with the first byte.
	fromStart bool

	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

func newDialer(c *config.Mail) (*dialer, error) {
	d := &dialer{host: c.Server, port: submissionPort, fromStart: c.TLS == config.MailTLSFromStart}
	switch c.TLS {
	case config.MailTLSFromStart:
		d.port = submissionsPort
	case config.MailTLSNone:
		d.port = clearPort
	}
	if host, port, err := net.SplitHostPort(c.Server); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, &halley.Error{Kind: halley.Invalid, Op: opSend, Field: "mail.server", Message: "write [mail] server as HOST or HOST:PORT"}
		}
		d.host, d.port = host, int(n)
	}
	d.tls = &tls.Config{ServerName: d.host, MinVersion: tls.VersionTLS12}
	if c.Certificate != "" {
		var err error
		if d.tls.RootCAs, err = namedfile.Authorities(c.Certificate); err != nil {
			return nil, &halley.Error{
				Kind: halley.Unavailable, Op: opSend, Field: "mail.certificate", Code: "mail-certificate",
				Message: "the file in [mail] certificate holds no certificate that can be read; export it as PEM (Base-64)", Err: err,
			}
		}
	}
	return d, nil
}

func (d *dialer) address() string { return net.JoinHostPort(d.host, strconv.Itoa(d.port)) }

// dial connects to the mail server, whatever address the library gives.
func (d *dialer) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	plain := &net.Dialer{}
	var conn net.Conn
	var err error
	if d.fromStart {
		conn, err = (&tls.Dialer{NetDialer: plain, Config: d.tls}).DialContext(ctx, network, d.address())
	} else {
		conn, err = plain.DialContext(ctx, network, d.address())
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to the mail server: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.Join(context.Canceled, conn.Close())
	}
	d.conn = conn
	return conn, nil
}

// close ends the connection, also in the middle of a conversation.
func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.conn != nil {
		_ = d.conn.Close() // it may be closed already
	}
}

// isCertificate says that the server's certificate is not believed.
func isCertificate(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
