// Package mail sends e-mail through the mail server that the configuration names, and through no other. It knows nothing of why.
package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"halley"
	"halley/config"
	"halley/server/namedfile"
)

const (
	opSend = "send an e-mail"
	// patience bounds each step of the conversation with the mail server.
	patience = 30 * time.Second
)

// Message is an e-mail in plain text.
type Message struct {
	To            []string
	Subject, Text string
	Attachments   []Attachment
}

// Attachment is a file of plain text that goes with an e-mail.
type Attachment struct {
	Name    string
	Content []byte
}

// Sender sends e-mail as [mail] says. It may be used by several at the same time.
type Sender struct{ config config.Mail }

// New gives a sender. It opens nothing; the files of password and certificate are read anew for each e-mail.
func New(c config.Mail) *Sender { return &Sender{config: c} }

// Send hands an e-mail to the mail server, and returns once that has taken it. Errors are *halley.Error whose Message says in plain
// English what to look at.
func (s *Sender) Send(ctx context.Context, m Message) error {
	if s.config.Server == "" {
		return &halley.Error{Kind: halley.Invalid, Op: opSend, Field: "mail.server", Message: "name the mail server in [mail] server"}
	}
	text, err := s.compose(&m)
	if err != nil {
		return &halley.Error{Kind: halley.Invalid, Op: opSend, Message: "an address in the e-mail is not one", Err: err}
	}
	d, err := newDialer(&s.config)
	if err != nil {
		return err
	}
	client, err := s.client(d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	// The library looks at ctx only while it dials, and leaves the connection open where the greeting fails.
	stop := context.AfterFunc(ctx, d.close)
	defer stop()
	defer d.close()
	if err := client.DialAndSendWithContext(ctx, text); err != nil {
		return sendError(ctx, err, d.address())
	}
	return nil
}

func (s *Sender) compose(m *Message) (*gomail.Msg, error) {
	text := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(text.From(s.config.From), text.To(m.To...)); err != nil {
		return nil, fmt.Errorf("writing the addresses: %w", err)
	}
	text.Subject(m.Subject)
	text.SetDate()
	text.SetMessageID()
	text.SetBodyString(gomail.TypeTextPlain, m.Text)
	for _, a := range m.Attachments {
		err := text.AttachReader(a.Name, bytes.NewReader(a.Content), gomail.WithFileContentType(gomail.TypeTextPlain))
		if err != nil {
			return nil, fmt.Errorf("attaching %s: %w", a.Name, err)
		}
	}
	return text, nil
}

// client sets up the library. It connects through d alone.
func (s *Sender) client(d *dialer) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(d.port), gomail.WithTimeout(patience), gomail.WithTLSConfig(d.tls), gomail.WithDialContextFunc(d.dial),
	}
	switch s.config.TLS {
	case config.MailTLSFromStart:
		options = append(options, gomail.WithSSL())
	case config.MailTLSNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.config.User != "" {
		password, err := s.password()
		if err != nil {
			return nil, err
		}
		options = append(options, gomail.WithUsername(s.config.User), gomail.WithPassword(password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	client, err := gomail.NewClient(d.host, options...)
	if err != nil {
		return nil, &halley.Error{Kind: halley.Invalid, Op: opSend, Message: "the settings in [mail] do not go together", Err: err}
	}
	return client, nil
}

func (s *Sender) password() (string, error) {
	line, err := namedfile.Line(s.config.PasswordFile)
	if err != nil {
		return "", &halley.Error{
			Kind: halley.Unavailable, Op: opSend, Field: "mail.password-file", Code: "mail-password",
			Message: "the file in [mail] password-file cannot be read: it holds the password on one line, for the service's account", Err: err,
		}
	}
	return line, nil
}

// sendError says in plain English what a mail server that did not take an e-mail means.
func sendError(ctx context.Context, err error, address string) error {
	e := &halley.Error{Kind: halley.Unavailable, Op: opSend, Code: "mail-failed", Err: err}
	var refused *gomail.SendError
	switch {
	case ctx.Err() != nil:
		e.Message = "the mail server " + address + " does not answer"
	case errors.As(err, &refused):
		e.Message = "the mail server " + address + " did not take the e-mail: check the addresses, and what it lets this machine send"
	case strings.Contains(err.Error(), "AUTH"):
		e.Message = "the mail server " + address + " did not let [mail] user sign in: check the user and the password file"
	case strings.Contains(err.Error(), "STARTTLS"):
		e.Message = "the mail server " + address + " offers no TLS: see [mail] tls"
	case isCertificate(err):
		e.Message = "the certificate of the mail server " + address + " is not trusted: name it, or its authority's, in [mail] certificate"
	default:
		e.Message = "the mail server " + address + " cannot be reached, or broke off"
	}
	return e
}
