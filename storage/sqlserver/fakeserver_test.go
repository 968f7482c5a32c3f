package sqlserver_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"unicode/utf16"
)

// The types of packets and tokens, as [MS-TDS] numbers them.
const (
	packBatch, packReply, packLogin, packPrelogin = 0x01, 0x04, 0x10, 0x12

	tokenError, tokenLogin, tokenDone = 0xAA, 0xAD, 0xFD
)

// refusal is an error that the fake answers with.
type refusal struct {
	number int32
	class  byte
	text   string
}

// fakeServer is as much of SQL Server as a sign-in needs: it negotiates encryption, takes a login and answers every batch with
// nothing.
type fakeServer struct {
	// certificate is what it shows; nil for a server without encryption.
	certificate *tls.Certificate
	// strict expects TLS before anything else, as TDS 8 does.
	strict bool
	// refuse gives the errors that a login with this password is answered with.
	refuse func(password string) []refusal

	listener net.Listener
	wait     sync.WaitGroup
	mu       sync.Mutex
	open     []net.Conn
	batches  []string
	logins   []fakeLogin
}

// fakeLogin is what a client said of itself.
type fakeLogin struct {
	User, Password, App, Database string
	Encrypted                     bool
}

// start listens on this machine until the test ends.
func (s *fakeServer) start(t *testing.T) *fakeServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener = l
	s.wait.Go(s.accept)
	t.Cleanup(func() {
		_ = l.Close()
		s.hangUp()
		s.wait.Wait()
	})
	return s
}

func (s *fakeServer) address() string { return s.listener.Addr().String() }

func (s *fakeServer) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open = append(s.open, c)
		s.mu.Unlock()
		s.wait.Go(func() {
			defer c.Close()
			_ = s.serve(c) // how it ended the client knows
		})
	}
}

// hangUp ends all connections.
func (s *fakeServer) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		_ = c.Close()
	}
	s.open = nil
}

func (s *fakeServer) seen() (logins []fakeLogin, batches []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(logins, s.logins...), append(batches, s.batches...)
}

func (s *fakeServer) serve(c net.Conn) error {
	var stream io.ReadWriter = c
	encrypted := false
	if s.strict {
		secured := tls.Server(c, s.config())
		if err := secured.Handshake(); err != nil {
			return err
		}
		stream, encrypted = secured, true
	}
	if _, _, err := readPacket(stream); err != nil {
		return err
	}
	encryption := byte(2) // not supported
	if s.certificate != nil {
		encryption = 1
	}
	if err := writePacket(stream, packReply, prelogin(encryption)); err != nil {
		return err
	}
	if s.certificate != nil && !s.strict {
		wrapped := &handshakeConn{Conn: c}
		secured := tls.Server(wrapped, s.config())
		if err := secured.Handshake(); err != nil {
			return err
		}
		if err := wrapped.done(); err != nil {
			return err
		}
		stream, encrypted = secured, true
	}
	return s.session(stream, encrypted)
}

func (s *fakeServer) config() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{*s.certificate}, MaxVersion: tls.VersionTLS12, SessionTicketsDisabled: true, NextProtos: []string{"tds/8.0"},
	}
}

func (s *fakeServer) session(stream io.ReadWriter, encrypted bool) error {
	kind, body, err := readPacket(stream)
	if err != nil || kind != packLogin {
		return errors.Join(err, errors.New("no login"))
	}
	login := parseLogin(body)
	login.Encrypted = encrypted
	s.mu.Lock()
	s.logins = append(s.logins, login)
	s.mu.Unlock()
	if s.refuse != nil {
		if list := s.refuse(login.Password); len(list) > 0 {
			return writePacket(stream, packReply, append(refusals(list), done(2)...))
		}
	}
	if err := writePacket(stream, packReply, append(acknowledgement(), done(0)...)); err != nil {
		return err
	}
	for {
		kind, body, err := readPacket(stream)
		if err != nil {
			return err
		}
		if kind == packBatch {
			size := binary.LittleEndian.Uint32(body)
			s.mu.Lock()
			s.batches = append(s.batches, fromUCS2(body[size:]))
			s.mu.Unlock()
		}
		if err := writePacket(stream, packReply, done(0)); err != nil {
			return err
		}
	}
}

// handshakeConn puts the handshake of TLS into packets, one for each turn.
type handshakeConn struct {
	net.Conn
	in, out bytes.Buffer
	raw     bool
}

func (h *handshakeConn) Read(b []byte) (int, error) {
	if h.raw {
		return h.Conn.Read(b)
	}
	if err := h.flush(); err != nil {
		return 0, err
	}
	if h.in.Len() == 0 {
		_, body, err := readPacket(h.Conn)
		if err != nil {
			return 0, err
		}
		h.in.Write(body)
	}
	return h.in.Read(b)
}

func (h *handshakeConn) Write(b []byte) (int, error) {
	if h.raw {
		return h.Conn.Write(b)
	}
	return h.out.Write(b)
}

func (h *handshakeConn) flush() error {
	if h.out.Len() == 0 {
		return nil
	}
	defer h.out.Reset()
	return writePacket(h.Conn, packPrelogin, h.out.Bytes())
}

// Close sends what is left, such as the alert of a failed handshake.
func (h *handshakeConn) Close() error { return errors.Join(h.flush(), h.Conn.Close()) }

// done ends the wrapping.
func (h *handshakeConn) done() error {
	err := h.flush()
	h.raw = true
	return err
}

// readPacket reads one message of one or more packets.
func readPacket(r io.Reader) (kind byte, body []byte, err error) {
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(r, head); err != nil {
			return 0, nil, err
		}
		part := make([]byte, int(binary.BigEndian.Uint16(head[2:]))-len(head))
		if _, err := io.ReadFull(r, part); err != nil {
			return 0, nil, err
		}
		body = append(body, part...)
		if head[1]&1 != 0 {
			return head[0], body, nil
		}
	}
}

func writePacket(w io.Writer, kind byte, body []byte) error {
	const most = 4000
	for {
		part, last := body[:min(most, len(body))], byte(0)
		if body = body[len(part):]; len(body) == 0 {
			last = 1
		}
		head := []byte{kind, last, 0, 0, 0, 0, 1, 0}
		binary.BigEndian.PutUint16(head[2:], uint16(len(head)+len(part)))
		if _, err := w.Write(append(head, part...)); err != nil {
			return err
		}
		if last == 1 {
			return nil
		}
	}
}

// prelogin answers with a version and a word on encryption.
func prelogin(encryption byte) []byte {
	const head = 11
	return []byte{0, 0, head, 0, 6, 1, 0, head + 6, 0, 1, 0xFF, 16, 0, 0x10, 0, 0, 0, encryption}[:head+7]
}

// parseLogin reads LOGIN7: pairs of offset and length, in characters, from byte 36 on.
func parseLogin(b []byte) fakeLogin {
	text := func(at int) []byte {
		from := int(binary.LittleEndian.Uint16(b[at:]))
		return b[from : from+2*int(binary.LittleEndian.Uint16(b[at+2:]))]
	}
	password := bytes.Clone(text(44))
	for i, c := range password {
		c ^= 0xA5
		password[i] = c<<4 | c>>4
	}
	return fakeLogin{User: fromUCS2(text(40)), Password: fromUCS2(password), App: fromUCS2(text(48)), Database: fromUCS2(text(68))}
}

func acknowledgement() []byte {
	name := toUCS2("Microsoft SQL Server")
	body := append([]byte{1, 0x74, 0, 0, 4, byte(len(name) / 2)}, name...)
	body = append(body, 16, 0, 0x10, 0)
	return append(binary.LittleEndian.AppendUint16([]byte{tokenLogin}, uint16(len(body))), body...)
}

func refusals(list []refusal) []byte {
	var all []byte
	for _, e := range list {
		text := toUCS2(e.text)
		body := binary.LittleEndian.AppendUint32(nil, uint32(e.number))
		body = append(body, 1, e.class)
		body = append(binary.LittleEndian.AppendUint16(body, uint16(len(text)/2)), text...)
		body = append(body, 0, 0, 1, 0, 0, 0)
		all = append(all, tokenError)
		all = append(binary.LittleEndian.AppendUint16(all, uint16(len(body))), body...)
	}
	return all
}

func done(status byte) []byte { return []byte{tokenDone, status, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0} }

func toUCS2(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func fromUCS2(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

// certificateFile writes certificates as PEM.
func certificateFile(t *testing.T, der ...[]byte) string {
	t.Helper()
	var b []byte
	for _, d := range der {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d})...)
	}
	name := filepath.Join(t.TempDir(), "database.crt")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
