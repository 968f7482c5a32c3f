// Package syslog sends single messages to a syslog server that the configuration names: RFC 5424 over UDP (RFC 5426), TCP with octet
// counting (RFC 6587) and TLS (RFC 5425). It is for messages that matter one by one, not for a stream of log lines.
package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"halley"
)

const (
	opSend = "send to syslog"
	// patience bounds a message on its way; settle is how long a server that closes nothing is waited for.
	patience = 15 * time.Second
	settle   = time.Second
	// priority is facility 13 (log audit) and severity 5 (notice), see RFC 5424 section 6.2.1.
	priority = 13*8 + 5
)

// Transport is how a server is reached.
type Transport string

// The transports.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
	TLS Transport = "tls"
)

// Server is a syslog server. UDP tells nobody whether a message arrived.
type Server struct {
	Transport Transport
	// Address is HOST:PORT.
	Address string
	// TLS is for TLS alone; nil trusts what the system trusts.
	TLS *tls.Config
}

// Message is one message. Host, App and ID are cut to what the form allows: visible ASCII without blanks.
type Message struct {
	At            halley.Millis
	Host, App, ID string
	// Text is one line of ASCII; anything else in it is replaced.
	Text string
}

// Format gives the message as RFC 5424 writes it.
func (m *Message) Format() []byte {
	return fmt.Appendf(nil, "<%d>1 %s %s %s %d %s - %s", priority, m.At, word(m.Host, 255), word(m.App, 48), os.Getpid(), word(m.ID, 32),
		strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '?'
			}
			return r
		}, m.Text))
}

// word makes a field of the header; "-" stands for none.
func word(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}

// Send sends a message and returns once it has left, over TCP and TLS once the server has not refused the connection. Errors are
// *halley.Error of the kind Unavailable.
func Send(ctx context.Context, s Server, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.send(ctx, m.Format()); err != nil {
		message := "the syslog server " + s.Address + " cannot be reached, or broke off"
		if _, distrusted := errors.AsType[*tls.CertificateVerificationError](err); distrusted {
			message = "the certificate of the syslog server " + s.Address + " is not trusted: let this system trust it, or its authority's"
		}
		return &halley.Error{Kind: halley.Unavailable, Op: opSend, Code: "syslog-failed", Message: message, Err: err}
	}
	return nil
}

func (s *Server) send(ctx context.Context, text []byte) (err error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			err = errors.Join(err, conn.Close())
		}
	}()
	if s.Transport == UDP {
		_, err = conn.Write(text)
		return err
	}
	if _, err := conn.Write(append(strconv.AppendInt(nil, int64(len(text)), 10), append([]byte{' '}, text...)...)); err != nil {
		return err
	}
	return finish(conn)
}

func (s *Server) dial(ctx context.Context) (net.Conn, error) {
	switch s.Transport {
	case UDP:
		return (&net.Dialer{}).DialContext(ctx, "udp", s.Address)
	case TCP:
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.Address)
	case TLS:
		c := &tls.Config{MinVersion: tls.VersionTLS12}
		if s.TLS != nil {
			c = s.TLS.Clone()
		}
		return (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", s.Address)
	}
	return nil, fmt.Errorf("there is no transport %q", s.Transport)
}

// finish says that no more comes and waits for the server's end, so that a message which the server threw away unread with the
// connection is not taken for sent. A server may leave the connection open: that is no error.
func finish(conn net.Conn) error {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(settle)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}
