package oidcsignin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"halley/config"
	"halley/server/namedfile"
)

const (
	// patience bounds every request to the issuer.
	patience = 5 * time.Second
	// answerBytes bounds an answer of the issuer.
	answerBytes = 1 << 20
	// redirects is how often the issuer may send a request on.
	redirects = 3
	httpsPort = "443"
	httpPort  = "80"
)

// errNotNamed is for a host that the configuration does not name.
var errNotNamed = errors.New("no host that [oidc] issuer or [oidc] hosts names")

// issuerClient is what newClient gives: no other file here makes one.
type issuerClient = http.Client

// newClient gives a client that reaches the hosts of the configuration, and no other one, whatever the issuer or the environment say.
func newClient(c config.OIDC) (*issuerClient, error) {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Hostname() == "" {
		return nil, invalid("oidc.issuer", "write https://HOST", err)
	}
	named := map[string]bool{net.JoinHostPort(issuer.Hostname(), portOf(issuer)): true}
	for _, h := range c.Hosts {
		if _, _, err := net.SplitHostPort(h); err != nil {
			h = net.JoinHostPort(h, httpsPort)
		}
		named[h] = true
	}
	dialer := &net.Dialer{Timeout: patience}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if !named[address] {
				return nil, fmt.Errorf("%s: %w", address, errNotNamed)
			}
			return dialer.DialContext(ctx, network, address)
		},
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: patience, ResponseHeaderTimeout: patience, IdleConnTimeout: patience,
		MaxIdleConns: 2, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
	}
	if c.Certificate != "" {
		switch transport.TLSClientConfig.RootCAs, err = namedfile.Authorities(c.Certificate); {
		case errors.Is(err, namedfile.ErrNoCertificate):
			return nil, invalid("oidc.certificate", "the file holds no certificate; export it as PEM (Base-64)", nil)
		case err != nil:
			return nil, invalid("oidc.certificate", "the file cannot be read", err)
		}
	}
	return &http.Client{
		Timeout:   patience,
		Transport: &bounded{next: transport, plain: issuer.Scheme == "http"},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > redirects {
				return errors.New("the issuer sends a request on too often")
			}
			return nil
		},
	}, nil
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return httpPort
	}
	return httpsPort
}

// bounded lets only protected requests out, and only so much in.
type bounded struct {
	next *http.Transport
	// plain lets requests to this machine go without TLS, for an issuer that is there.
	plain bool
}

// CloseIdleConnections ends the connections that nobody uses.
func (b *bounded) CloseIdleConnections() { b.next.CloseIdleConnections() }

// RoundTrip makes one request.
func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && (!b.plain || !config.Loopback(r.URL.Hostname())) {
		return nil, fmt.Errorf("%s is not asked without TLS", r.URL.Host)
	}
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, answerBytes), answer.Body}
	return answer, nil
}
