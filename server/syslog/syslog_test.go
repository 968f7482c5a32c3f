package syslog_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"halley"
	"halley/server/syslog"
)

const at = halley.Millis(1_700_000_000_123)

func message() syslog.Message {
	return syslog.Message{At: at, Host: "line-2", App: "halley", ID: "checkpoint", Text: "checkpoint 7 of line-2 (day): aGFsbGV5"}
}

// check holds a message as it came against what was sent, by the eyes of another program.
func check(t *testing.T, got []byte) {
	t.Helper()
	parsed, err := rfc5424.NewParser().Parse(got)
	if err != nil {
		t.Fatalf("%q: %v", got, err)
	}
	m, ok := parsed.(*rfc5424.SyslogMessage)
	if !ok || !m.Valid() {
		t.Fatalf("%q is no valid message", got)
	}
	if *m.Priority != 109 || *m.Hostname != "line-2" || *m.Appname != "halley" || *m.MsgID != "checkpoint" ||
		*m.Message != message().Text || m.Timestamp.UnixMilli() != int64(at) || m.StructuredData != nil {
		t.Errorf("the message is %q", got)
	}
}

func TestAMessageGoesInOneDatagram(t *testing.T) {
	t.Parallel()
	server, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := syslog.Send(t.Context(), syslog.Server{Transport: syslog.UDP, Address: server.LocalAddr().String()}, message()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, _, err := server.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	check(t, b[:n])
}

// frame reads one message with its length before it, and that nothing follows.
func frame(r io.Reader) ([]byte, error) {
	in := bufio.NewReader(r)
	var n int
	if _, err := fmt.Fscanf(in, "%d ", &n); err != nil {
		return nil, fmt.Errorf("reading the length: %w", err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, err
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) != 0 {
		return nil, fmt.Errorf("%q follows: %w", rest, errors.Join(err, io.ErrUnexpectedEOF))
	}
	return b, nil
}

// serve takes one message on a listener.
func serve(t *testing.T, l net.Listener) <-chan []byte {
	t.Helper()
	got := make(chan []byte, 1)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		defer close(got)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b, err := frame(conn)
		if err != nil {
			t.Errorf("reading: %v", err)
			return
		}
		got <- b
	}()
	return got
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAMessageIsCountedOverTCP(t *testing.T) {
	t.Parallel()
	l := listen(t)
	got := serve(t, l)
	if err := syslog.Send(t.Context(), syslog.Server{Transport: syslog.TCP, Address: l.Addr().String()}, message()); err != nil {
		t.Fatal(err)
	}
	check(t, <-got)
}

func TestAMessageGoesOverTLSToATrustedServerOnly(t *testing.T) {
	t.Parallel()
	other := httptest.NewUnstartedServer(nil)
	other.StartTLS()
	defer other.Close()
	certificate := other.TLS.Certificates[0]
	l := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	got := serve(t, l)
	roots := x509.NewCertPool()
	roots.AddCert(other.Certificate())
	trusting := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	server := syslog.Server{Transport: syslog.TLS, Address: l.Addr().String(), TLS: trusting}
	if err := syslog.Send(t.Context(), server, message()); err != nil {
		t.Fatal(err)
	}
	check(t, <-got)

	stranger := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	defer stranger.Close()
	go func() {
		if conn, err := stranger.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, conn) // makes the handshake
			_ = conn.Close()
		}
	}()
	err := syslog.Send(t.Context(), syslog.Server{Transport: syslog.TLS, Address: stranger.Addr().String()}, message())
	if e := new(halley.Error); !errors.As(err, &e) || e.Kind != halley.Unavailable || !strings.Contains(e.Message, "certificate") {
		t.Errorf("a server that is not trusted: %v", err)
	}
}

func TestAServerThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	l := listen(t)
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	err := syslog.Send(t.Context(), syslog.Server{Transport: syslog.TCP, Address: address}, message())
	if e := new(halley.Error); !errors.As(err, &e) || e.Kind != halley.Unavailable || !strings.Contains(e.Message, address) {
		t.Errorf("error: %v", err)
	}
}

func TestWhatTheFormDoesNotAllowIsReplaced(t *testing.T) {
	t.Parallel()
	m := syslog.Message{At: at, Host: "a b\nc", App: strings.Repeat("x", 60), Text: "one\ntwo €"}
	got := string(m.Format())
	if !strings.Contains(got, " abc "+strings.Repeat("x", 48)+" ") || !strings.HasSuffix(got, " - - one?two ?") {
		t.Errorf("the message is %q", got)
	}
	if _, err := rfc5424.NewParser().Parse([]byte(got)); err != nil {
		t.Errorf("%q: %v", got, err)
	}
}
