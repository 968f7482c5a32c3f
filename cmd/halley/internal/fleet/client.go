package fleet

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"
)

// How long a device waits for a connection and for an answer.
const (
	dialTimeout   = 10 * time.Second
	answerTimeout = 30 * time.Second
)

// maxAnswer bounds the body of an answer; real devices read some hundred bytes.
const maxAnswer = 64 << 10

// target is where a fleet sends.
type target struct {
	address, host, path string
	tls                 *tls.Config
}

func newTarget(u *url.URL, config *tls.Config) target {
	port := u.Port()
	t := target{host: u.Host, path: u.RequestURI()}
	if u.Scheme == "https" {
		t.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		if config != nil {
			t.tls = config.Clone()
		}
		if t.tls.ServerName == "" {
			t.tls.ServerName = u.Hostname()
		}
	}
	if port == "" {
		port = "80"
		if t.tls != nil {
			port = "443"
		}
	}
	t.address = net.JoinHostPort(u.Hostname(), port)
	return t
}

// dialError is a connection that could not be made; every other failure is one of transfer.
type dialError struct {
	err error
	tls bool
}

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// client is a device's side of HTTP/1.1: one connection that is kept alive, one request at a time. It is written by hand because
// devices are: they read a status, a Content-Length and that many bytes, and take a chunked answer for none.
type client struct {
	target target
	// open opens a connection; nil for TCP to the target.
	open   func(ctx context.Context) (net.Conn, error)
	conn   net.Conn
	stop   func() bool
	read   *bufio.Reader
	out    []byte
	answer []byte
	used   time.Time
	// deadline is when the connection's deadline is to be set anew.
	deadline time.Time
}

// request is one POST.
type request struct {
	path, header string
	body         []byte
	// freshAfter ends a connection that was idle for longer; 0 never does.
	freshAfter time.Duration
}

// post sends one request and reads the answer, whose body is valid until the next call. After an error the connection is closed.
func (c *client) post(ctx context.Context, r request) (int, []byte, error) {
	if c.conn != nil && r.freshAfter > 0 && time.Since(c.used) > r.freshAfter {
		c.close()
	}
	if c.conn == nil {
		if err := c.dial(ctx); err != nil {
			return 0, nil, causeOf(ctx, err)
		}
	}
	status, body, keep, err := c.exchange(r)
	c.used = time.Now()
	if err != nil || !keep {
		c.close()
	}
	return status, body, causeOf(ctx, err)
}

// causeOf gives the context's error where that is behind err.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// dial opens the connection, which ends with ctx.
func (c *client) dial(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	open := c.open
	if open == nil {
		var d net.Dialer
		open = func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", c.target.address) }
	}
	conn, err := open(limited)
	if err != nil {
		return &dialError{err: err}
	}
	if c.target.tls != nil {
		secured := tls.Client(conn, c.target.tls)
		if err := secured.HandshakeContext(limited); err != nil {
			conn.Close()
			return &dialError{err: err, tls: true}
		}
		conn = secured
	}
	c.conn = conn
	if c.read == nil {
		c.read = bufio.NewReaderSize(conn, 1024)
	}
	c.read.Reset(conn)
	c.deadline = time.Time{}
	c.stop = context.AfterFunc(ctx, func() { conn.Close() })
	return nil
}

// close ends the connection.
func (c *client) close() {
	if c.conn == nil {
		return
	}
	c.stop()
	c.conn.Close()
	c.conn = nil
}

func (c *client) exchange(r request) (status int, body []byte, keep bool, err error) {
	c.out = append(c.out[:0], "POST "...)
	c.out = append(c.out, r.path...)
	c.out = append(c.out, " HTTP/1.1\r\nHost: "...)
	c.out = append(c.out, c.target.host...)
	c.out = append(c.out, "\r\n"...)
	c.out = append(c.out, r.header...)
	c.out = append(c.out, "Content-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(r.body)), 10)
	c.out = append(c.out, "\r\n\r\n"...)
	c.out = append(c.out, r.body...)
	// A deadline costs as much as a small read, so it is set anew only when it has come a little nearer.
	if now := time.Now(); now.After(c.deadline) {
		if err := c.conn.SetDeadline(now.Add(answerTimeout)); err != nil {
			return 0, nil, false, err
		}
		c.deadline = now.Add(answerTimeout / 10)
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, nil, false, err
	}
	return c.readAnswer()
}

// readAnswer reads answers until one is final (a "100 Continue" is not).
func (c *client) readAnswer() (status int, body []byte, keep bool, err error) {
	for status < 200 {
		var h head
		status, h, err = c.readHead()
		if err != nil {
			return 0, nil, false, err
		}
		if status < 200 {
			continue
		}
		if h.chunked {
			return 0, nil, false, errors.New("the answer is chunked, which these devices do not read")
		}
		if h.length < 0 && h.keep {
			return 0, nil, false, errors.New("the answer has no Content-Length")
		}
		keep = h.keep
		body, err = c.readBody(h.length)
		if err != nil {
			return 0, nil, false, err
		}
	}
	return status, body, keep, nil
}

// head is what counts of an answer's header.
type head struct {
	length        int64
	keep, chunked bool
}

func (c *client) readHead() (status int, h head, err error) {
	line, err := c.line()
	if err != nil {
		return 0, h, err
	}
	version, rest, _ := bytes.Cut(line, []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	status, err = strconv.Atoi(string(code))
	if err != nil || !bytes.HasPrefix(version, []byte("HTTP/1.")) || status < 100 || status > 999 {
		return 0, h, fmt.Errorf("the answer is not HTTP/1.x: %.40q", line)
	}
	h = head{length: -1, keep: string(version) == "HTTP/1.1"}
	for range 100 {
		line, err := c.line()
		if err != nil {
			return 0, h, err
		}
		if len(line) == 0 {
			return status, h, nil
		}
		if err := h.field(line); err != nil {
			return 0, h, err
		}
	}
	return 0, h, errors.New("the answer has more than 100 header lines")
}

// field reads one line of the header.
func (h *head) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		length, err := strconv.ParseUint(string(value), 10, 31)
		if err != nil {
			return errors.New("the answer's Content-Length is not a number")
		}
		h.length = int64(length)
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		h.chunked = true
	case bytes.EqualFold(name, []byte("Connection")):
		closes := bytes.EqualFold(value, []byte("close"))
		h.keep = !closes && (h.keep || bytes.EqualFold(value, []byte("keep-alive")))
	}
	return nil
}

// line reads up to the end of a line and gives it without.
func (c *client) line() ([]byte, error) {
	line, err := c.read.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// readBody reads so many bytes; up to the end of the connection where length is below 0.
func (c *client) readBody(length int64) ([]byte, error) {
	if length > maxAnswer {
		return nil, errors.New("the answer is too long")
	}
	if length < 0 {
		body, err := io.ReadAll(io.LimitReader(c.read, maxAnswer))
		return body, err
	}
	if int64(cap(c.answer)) < length {
		c.answer = make([]byte, length)
	}
	c.answer = c.answer[:length]
	_, err := io.ReadFull(c.read, c.answer)
	return c.answer, err
}
