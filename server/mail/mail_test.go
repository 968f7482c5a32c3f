package mail_test

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"halley"
	"halley/config"
	"halley/server/mail"
)

// server is a mail server that keeps what it takes.
type server struct {
	mu      sync.Mutex
	letters []letter
	// refuse is what it says to every recipient.
	refuse error
}

type letter struct{ user, from, to, text string }

// NewSession is smtp.Backend's.
func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }

type session struct {
	server *server
	letter
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "halley" || password != "hunter2" {
			return errors.New("wrong")
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.server.refuse
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.text = string(b)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.letters = append(s.server.letters, s.letter)
	return err
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// rig is a mail server with what is needed to reach it.
type rig struct {
	*server
	config config.Mail
}

// newRig starts a mail server. fromStart says that it speaks TLS at once, inTheClear that it cannot.
func newRig(t *testing.T, fromStart, inTheClear bool) *rig {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	certified.Close()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	r := &rig{server: &server{}}
	s := smtp.NewServer(r.server)
	s.Domain = "example.org"
	secure := &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	if !inTheClear {
		s.TLSConfig = secure
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.config = config.Mail{
		Server: l.Addr().String(), From: "halley@example.org", User: "halley", PasswordFile: write("password", []byte("hunter2\r\n")),
		TLS:         config.MailTLSRequired,
		Certificate: write("mail.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})),
	}
	if fromStart {
		l, r.config.TLS = tls.NewListener(l, secure), config.MailTLSFromStart
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // says that it was closed
	}()
	t.Cleanup(func() {
		_ = s.Close()
		_ = l.Close() // where Serve had not begun
		<-done
	})
	return r
}

func message() mail.Message {
	return mail.Message{
		To: []string{"qa@example.org"}, Subject: "Halley checkpoint of line-2", Text: "Keep this.\n",
		Attachments: []mail.Attachment{{Name: "checkpoint.txt", Content: []byte("halley checkpoint 1\n")}},
	}
}

func TestAnEMailIsTakenOverTLS(t *testing.T) {
	t.Parallel()
	for name, fromStart := range map[string]bool{"after the greeting": false, "from the start": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fromStart, false)
			if err := mail.New(r.config).Send(t.Context(), message()); err != nil {
				t.Fatal(err)
			}
			got := r.letters[0]
			if got.user != "halley" || got.from != "halley@example.org" || got.to != "qa@example.org" {
				t.Errorf("the letter is %+v", got)
			}
			for _, part := range []string{"Subject: Halley checkpoint of line-2", "Keep this.", "checkpoint.txt"} {
				if !strings.Contains(got.text, part) {
					t.Errorf("%q is not in\n%s", part, got.text)
				}
			}
		})
	}
}

func TestAnEMailInTheClearNeedsNoAccount(t *testing.T) {
	t.Parallel()
	r := newRig(t, false, true)
	r.config.TLS, r.config.User, r.config.PasswordFile, r.config.Certificate = config.MailTLSNone, "", "", ""
	if err := mail.New(r.config).Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if got := r.letters[0]; got.user != "" || got.to != "qa@example.org" {
		t.Errorf("the letter is %+v", got)
	}
}

func TestWhatIsWrongWithAMailServerIsSaid(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		clear  bool
		change func(*rig)
		want   string
	}{
		"no server":               {change: func(r *rig) { r.config.Server = "" }, want: "[mail] server"},
		"no TLS":                  {clear: true, change: func(*rig) {}, want: "TLS"},
		"a wrong password":        {change: func(r *rig) { _ = os.WriteFile(r.config.PasswordFile, []byte("other"), 0o600) }, want: "sign in"},
		"an empty password":       {change: func(r *rig) { _ = os.WriteFile(r.config.PasswordFile, nil, 0o600) }, want: "password-file"},
		"no password file":        {change: func(r *rig) { r.config.PasswordFile += "x" }, want: "password-file"},
		"a stranger":              {change: func(r *rig) { r.config.Certificate = "" }, want: "certificate"},
		"no certificate":          {change: func(r *rig) { r.config.Certificate = r.config.PasswordFile }, want: "certificate"},
		"a recipient it refuses":  {change: func(r *rig) { r.refuse = errors.New("no such user") }, want: "did not take"},
		"a sender that is no one": {change: func(r *rig) { r.config.From = "nobody" }, want: "address"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, false, tc.clear)
			tc.change(r)
			err := mail.New(r.config).Send(t.Context(), message())
			e := new(halley.Error)
			if !errors.As(err, &e) || !strings.Contains(e.Message, tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %v", err)
			}
			if len(r.letters) != 0 {
				t.Errorf("it was sent: %+v", r.letters)
			}
		})
	}
}
