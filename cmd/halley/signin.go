package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"time"

	"halley"
	"halley/config"
	"halley/server"
	"halley/server/access"
	"halley/server/grouproles"
	"halley/server/ldapsignin"
	"halley/server/mail"
	"halley/server/oidcsignin"
	"halley/server/passwords"
	"halley/server/people"
	"halley/server/secondfactor"
)

// signIns are the parts that say who asks, and change who may.
type signIns struct {
	access  *access.Access
	factors *secondfactor.Factors
	// elsewhere is the issuer of OpenID Connect; nil where none is configured.
	elsewhere *oidcsignin.SignIn
	rules     *people.Rules
	tokens    *access.Tokens
}

// newSignIns builds them over a server, which runs what must go on.
func newSignIns(srv *server.Server, c config.Config, log *slog.Logger) (*signIns, error) {
	tree := func() grouproles.Tree { return srv.Devices().Directory() }
	s := &signIns{
		factors: secondfactor.New(secondfactor.Options{
			Store: srv.Store(), Copy: func() secondfactor.Copy { return srv.Devices().Directory() },
			Issuer: "Halley", Hosts: passkeyHosts(c.Viewer), StartedAt: halley.MillisOf(time.Now()),
		}),
		tokens: access.NewKnownTokens(srv.Store(), srv.Devices()),
	}
	hasher := passwords.New(passwords.Standard())
	options := access.Options{
		Tokens: s.tokens, Sessions: access.NewSessions(srv.Sessions()), First: newFirstSignIn(c, srv.Data()), Audit: srv,
		Directory: srv.Devices(), People: srv.Store(), Passwords: hasher, Rule: passwordRule(&c.Accounts),
		Factors: s.factors, NeedSecondFactor: c.Accounts.Roles(), SignOutAfter: c.Accounts.SignOut, SignOutAtMost: c.Accounts.SignOutAtMost,
		ConfirmCritical: c.Accounts.ConfirmCritical, Address: viewerURL(c.Viewer), Log: log,
	}
	if c.Mail.Server != "" {
		options.Mail = personMail{mail.New(c.Mail)}
	}
	if len(c.LDAP.Servers) > 0 {
		directory, err := ldapsignin.New(ldapsignin.Options{Config: c.LDAP, Tree: tree, Log: log})
		if err != nil {
			return nil, fmt.Errorf("preparing to sign people in with the directory service: %w", err)
		}
		options.Elsewhere = directory
	}
	if c.OIDC.Issuer != "" {
		var err error
		if s.elsewhere, err = oidcsignin.New(oidcsignin.Options{Config: c.OIDC, Tree: tree, Log: log}); err != nil {
			return nil, fmt.Errorf("preparing to sign people in with OpenID Connect: %w", err)
		}
	}
	s.access = access.New(options)
	s.rules = people.New(people.Options{Store: srv.Store(), Directory: srv.Devices(), Links: s.access, Address: options.Address})
	srv.Add(server.Further{Run: s.run, Findings: s.findings})
	srv.Add(server.Further{Run: func(ctx context.Context) error { return hasher.GiveBack(ctx, debug.FreeOSMemory) }})
	return s, nil
}

// reachedAt says where people open the viewer, once that is known: before anybody asks.
func (s *signIns) reachedAt(address string) { s.access.Address, s.rules.Address = address, address }

// run works until ctx ends.
func (s *signIns) run(ctx context.Context) error {
	if s.elsewhere != nil {
		defer s.elsewhere.Close()
	}
	return s.access.Run(ctx)
}

// findings says where somebody seems to guess passwords.
func (s *signIns) findings() []server.Finding {
	text := s.access.Failures().Text()
	if text == "" {
		return nil
	}
	return []server.Finding{{Code: "signin-failures", Severity: server.Degraded, Text: text}}
}

// personMail sends e-mail to one person.
type personMail struct{ sender *mail.Sender }

// Mail hands a plain text to the mail server.
func (m personMail) Mail(ctx context.Context, to, subject, text string) error {
	return m.sender.Send(ctx, mail.Message{To: []string{to}, Subject: subject, Text: text})
}

// passkeyHosts are the names at which passkeys can work: an address by numbers is none.
func passkeyHosts(v config.Viewer) []string {
	return slices.DeleteFunc(viewerHosts(v), func(h string) bool { return net.ParseIP(h) != nil })
}
