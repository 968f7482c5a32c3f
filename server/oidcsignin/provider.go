package oidcsignin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"halley/config"
	"halley/server/namedfile"
)

const (
	// freshFor is how long what the issuer says about itself is taken as it was; retryAfter is how long a failure to ask is.
	freshFor   = 24 * time.Hour
	retryAfter = 5 * time.Second
)

// provider knows what the issuer says about itself. It is asked when somebody signs in first, and again where that failed.
type provider struct {
	config config.OIDC

	mu     sync.Mutex
	client *issuerClient
	known  *discovered
	at     time.Time
	failed error
	// failedAt is when it was asked in vain.
	failedAt time.Time
}

// discovered is what the issuer says about itself.
type discovered struct {
	*oidc.Provider
	client *issuerClient
	// namesItself says that the issuer names itself where it sends people back.
	namesItself bool
	// inBody says that the issuer takes the client's secret in the body alone.
	inBody bool
}

// get gives what the issuer says about itself.
func (p *provider) get(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.known != nil && now.Sub(p.at) < freshFor {
		return p.known, nil
	}
	if p.failed != nil && now.Sub(p.failedAt) < retryAfter {
		if p.known != nil {
			return p.known, nil
		}
		return nil, p.failed
	}
	known, err := p.discover(ctx)
	if err != nil {
		// A caller who leaves says nothing about the issuer.
		if ctx.Err() == nil {
			p.failed, p.failedAt = err, now
		}
		if p.known != nil {
			return p.known, nil
		}
		return nil, err
	}
	p.known, p.at, p.failed = known, now, nil
	return known, nil
}

// close ends the connections that nobody uses.
func (p *provider) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil {
		p.client.CloseIdleConnections()
	}
}

// discover asks the issuer. The caller holds the lock.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	if p.client == nil {
		client, err := newClient(p.config)
		if err != nil {
			return nil, err
		}
		p.client = client
	}
	asked, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("asking the issuer about itself: %w", err)
	}
	var says struct {
		NamesItself bool     `json:"authorization_response_iss_parameter_supported"`
		Methods     []string `json:"token_endpoint_auth_methods_supported"`
		Challenges  []string `json:"code_challenge_methods_supported"`
	}
	if err = asked.Claims(&says); err != nil {
		return nil, fmt.Errorf("reading what the issuer says about itself: %w", err)
	}
	if len(says.Challenges) > 0 && !slices.Contains(says.Challenges, "S256") {
		return nil, errors.New("the issuer takes no S256 challenge (PKCE)")
	}
	if err = p.checkAddress(asked.Endpoint().AuthURL); err != nil {
		return nil, err
	}
	return &discovered{
		Provider: asked, client: p.client, namesItself: says.NamesItself,
		inBody: len(says.Methods) > 0 && !slices.Contains(says.Methods, "client_secret_basic") && slices.Contains(says.Methods, "client_secret_post"),
	}, nil
}

// checkAddress checks where the issuer wants people's browsers sent.
func (p *provider) checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("the issuer does not say where people sign in")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !config.Loopback(u.Hostname()) || !strings.HasPrefix(p.config.Issuer, "http:")) {
		return errors.New("the issuer has people sign in without TLS")
	}
	return nil
}

// oauth gives the client of the issuer. It reads the secret anew.
func (p *provider) oauth(known *discovered, redirect string) (*oauth2.Config, error) {
	endpoint := known.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	c := &oauth2.Config{
		ClientID: p.config.ClientID, Endpoint: endpoint, RedirectURL: redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, p.config.Scopes...),
	}
	if p.config.ClientSecretFile == "" {
		// Who has no secret names itself in the body.
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
		return c, nil
	}
	if known.inBody {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	var err error
	if c.ClientSecret, err = namedfile.Line(p.config.ClientSecretFile); err != nil {
		return nil, fmt.Errorf("the file in [oidc] client-secret-file: %w", err)
	}
	return c, nil
}
