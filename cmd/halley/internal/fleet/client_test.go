package fleet

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// answerWith serves each connection with fixed answers, one a request, and closes it when they are used up.
func answerWith(t *testing.T, answers ...string) *client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serveAnswers(conn, answers)
		}
	}()
	u, err := url.Parse("http://" + l.Addr().String() + "/a?b=c")
	if err != nil {
		t.Fatal(err)
	}
	c := &client{target: newTarget(u, nil)}
	t.Cleanup(func() {
		c.close()
		l.Close()
		<-done
	})
	return c
}

func serveAnswers(conn net.Conn, answers []string) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for _, a := range answers {
		q, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(q.Body)
		if err != nil || q.Method != http.MethodPost || string(body) != "body" || q.Header.Get("X-Test") != "1" || q.RequestURI != "/p" {
			_, _ = io.WriteString(conn, "HTTP/1.1 400 wrong request\r\nContent-Length: 0\r\n\r\n")
			return
		}
		if _, err := io.WriteString(conn, a); err != nil {
			return
		}
	}
}

func TestAnswersAreReadAsDevicesReadThem(t *testing.T) {
	t.Parallel()
	ok := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	cases := []struct {
		name, answer string
		status       int
		body         string
		kept         bool
		wrong        string
	}{
		{"a plain answer", ok, 200, "ok", true, ""},
		{"no reason phrase", "HTTP/1.1 503\r\ncontent-length:0\r\n\r\n", 503, "", true, ""},
		{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok", true, ""},
		{"continue first", "HTTP/1.1 100 Continue\r\n\r\n" + ok, 200, "ok", true, ""},
		{"the server closes", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, ""},
		{"up to the end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", 200, "ok", false, ""},
		{"version 1.0", "HTTP/1.0 200 OK\r\n\r\nok", 200, "ok", false, ""},
		{"version 1.0, kept alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true, ""},
		{"no length", "HTTP/1.1 200 OK\r\n\r\nok", 0, "", false, "no Content-Length"},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 0, "", false, "chunked"},
		{"too long", "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n", 0, "", false, "too long"},
		{"a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", 0, "", false, "not a number"},
		{"cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", 0, "", false, "EOF"},
		{"cut in the header", "HTTP/1.1 200 OK\r\nContent-Le", 0, "", false, "EOF"},
		{"nothing", "", 0, "", false, "EOF"},
		{"another protocol", "SSH-2.0-x\r\n", 0, "", false, "not HTTP"},
		{"a status that is none", "HTTP/1.1 abc OK\r\n\r\n", 0, "", false, "not HTTP"},
		{"an endless header", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 101), 0, "", false, "100 header lines"},
		{"an endless line", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A", 5000), 0, "", false, "buffer full"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cl := answerWith(t, c.answer)
			status, body, err := cl.post(t.Context(), request{path: "/p", header: "X-Test: 1\r\n", body: []byte("body")})
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || cl.conn != nil {
					t.Errorf("got %d %q %v, want an error with %q and the connection closed", status, body, err, c.wrong)
				}
				return
			}
			if err != nil || status != c.status || string(body) != c.body || (cl.conn != nil) != c.kept {
				t.Errorf("got %d %q %v, kept %v; want %d %q, kept %v", status, body, err, cl.conn != nil, c.status, c.body, c.kept)
			}
		})
	}
}

func TestAnIdleConnectionIsNotTrustedForLong(t *testing.T) {
	t.Parallel()
	ok := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	c := answerWith(t, ok, ok, ok)
	post := func(freshAfter time.Duration) net.Addr {
		status, _, err := c.post(t.Context(), request{path: "/p", header: "X-Test: 1\r\n", body: []byte("body"), freshAfter: freshAfter})
		if err != nil || status != http.StatusOK {
			t.Fatalf("%d, %v", status, err)
		}
		return c.conn.LocalAddr()
	}
	first, second := post(time.Hour), post(time.Hour)
	c.used = c.used.Add(-time.Minute)
	third := post(20 * time.Second)
	if first.String() != second.String() || second.String() == third.String() {
		t.Errorf("connections from %v, %v, %v", first, second, third)
	}
}

func TestAConnectionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := url.Parse("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := &client{target: newTarget(u, nil)}
	ended := make(chan error, 1)
	go func() {
		_, _, err := c.post(ctx, request{path: "/"})
		ended <- err
	}()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cancel()
	if err := <-ended; err != context.Canceled { //nolint:errorlint // the context's own error, not one that holds it
		t.Errorf("got %v", err)
	}
}

func TestTheTargetFollowsFromTheURL(t *testing.T) {
	t.Parallel()
	cases := map[string]target{
		"http://h":           {address: "h:80", host: "h", path: "/"},
		"http://h:81/x?y=z":  {address: "h:81", host: "h:81", path: "/x?y=z"},
		"https://h/x":        {address: "h:443", host: "h", path: "/x"},
		"http://[::1]:8081/": {address: "[::1]:8081", host: "[::1]:8081", path: "/"},
	}
	for text, want := range cases {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got := newTarget(u, nil)
		if (got.tls != nil) != strings.HasPrefix(text, "https") || got.tls != nil && got.tls.ServerName != "h" {
			t.Errorf("%s: TLS %+v", text, got.tls)
		}
		got.tls = nil
		if got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}
