package ldapsignin

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"halley/config"
	"halley/server/namedfile"
)

const (
	// The ports where none is given.
	plainPort = "389"
	tlsPort   = "636"
	// answerBytes bounds what a server may send in one connection.
	answerBytes = 16 << 20
)

// server is one server of the directory.
type server struct {
	host, port string
	// tls speaks TLS from the first byte; startTLS goes over to it before anything is said.
	tls, startTLS bool
	loopback      bool
}

// String gives host and port.
func (s server) String() string { return net.JoinHostPort(s.host, s.port) }

// readServer reads ldaps://HOST or ldap://HOST.
func readServer(s string) (server, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Scheme != "ldaps" && u.Scheme != "ldap" {
		return server{}, invalid("ldap.servers", "write ldaps://HOST or ldap://HOST", err)
	}
	at := server{host: u.Hostname(), port: u.Port(), tls: u.Scheme == "ldaps", loopback: config.Loopback(u.Hostname())}
	switch {
	case at.port != "":
	case at.tls:
		at.port = tlsPort
	default:
		at.port = plainPort
	}
	return at, nil
}

// connection is a connection to one server, until its context ends.
type connection struct {
	*ldap.Conn
	at   server
	raw  net.Conn
	stop func() bool
}

// connect opens a connection, protected as the configuration asks.
func (d *Directory) connect(ctx context.Context, at server) (*connection, error) {
	protection, err := d.protection(at)
	if err != nil {
		return nil, err
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.String())
	if err != nil {
		return nil, away(at, "cannot be reached", err)
	}
	raw = &bounded{Conn: raw, left: answerBytes}
	deadline, _ := ctx.Deadline()
	if err = raw.SetDeadline(deadline); err != nil {
		return nil, errors.Join(away(at, "cannot be reached", err), raw.Close())
	}
	c := &connection{at: at, raw: raw}
	if at.tls {
		over := tls.Client(raw, protection)
		if err = over.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(tlsError(at, err), raw.Close())
		}
		c.Conn = ldap.NewConn(over, true)
	} else {
		c.Conn = ldap.NewConn(raw, false)
	}
	// The library waits for answers without looking at a context.
	c.stop = context.AfterFunc(ctx, func() { _ = raw.Close() })
	c.SetTimeout(time.Until(deadline))
	c.Start()
	if at.startTLS {
		if err = c.StartTLS(protection); err != nil {
			c.end()
			return nil, tlsError(at, err)
		}
	}
	return c, nil
}

// end closes the connection.
func (c *connection) end() {
	c.stop()
	// A server that is gone does not hear that.
	_ = c.Close()
	_ = c.raw.Close()
}

// protection says how the connection is protected.
func (d *Directory) protection(at server) (*tls.Config, error) {
	protection := &tls.Config{ServerName: at.host, MinVersion: tls.VersionTLS12}
	if d.Config.Certificate == "" {
		return protection, nil
	}
	var err error
	switch protection.RootCAs, err = namedfile.Authorities(d.Config.Certificate); {
	case errors.Is(err, namedfile.ErrNoCertificate):
		return nil, away(at, "cannot be asked: the file in [ldap] certificate holds no certificate; export it as PEM (Base-64)", nil)
	case err != nil:
		return nil, away(at, "cannot be asked: the file in [ldap] certificate cannot be read", err)
	}
	return protection, nil
}

// tlsError says what a failed handshake means.
func tlsError(at server, err error) error {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || strings.Contains(err.Error(), "x509:") {
		return away(at, "has a certificate that is not trusted: name it, or its authority's, in [ldap] certificate", err)
	}
	return away(at, "does not speak TLS as it should: see [ldap] servers", err)
}

// bindService signs in as the account that looks people up. Without one the directory is read as it is.
func (d *Directory) bindService(c *connection) error {
	if d.Config.BindName == "" {
		return nil
	}
	password, err := namedfile.Line(d.Config.BindPasswordFile)
	switch {
	case errors.Is(err, namedfile.ErrEmpty):
		return away(c.at, "cannot be asked: the file in [ldap] bind-password-file is empty", nil)
	case err != nil:
		return away(c.at, "cannot be asked: the file in [ldap] bind-password-file cannot be read", err)
	}
	if err = c.Bind(d.Config.BindName, password); err != nil {
		if ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
			return away(c.at, "does not let [ldap] bind-name sign in: check it and the password file", err)
		}
		return away(c.at, "did not let [ldap] bind-name sign in, or broke off", err)
	}
	return nil
}

// bounded is a connection that ends after so many bytes, whatever the other side sends.
type bounded struct {
	net.Conn
	left int
}

// Read reads what is left.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the server sends too much")
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
