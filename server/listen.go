package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"halley"
)

// stopWithin is how long open requests are given at the end; afterwards they are cut, so that the whole stop stays below five
// seconds.
const stopWithin = 2 * time.Second

// listener is one address on which the server is reached.
type listener struct {
	purpose, address string
	tls              bool
	net              net.Listener
	http             *http.Server
	// requests counts those that arrived, lastRequest is when, in Unix milliseconds.
	requests, lastRequest atomic.Int64
}

// listenOptions say what to listen to.
type listenOptions struct {
	purpose, address string
	handler          http.Handler
	// plainOnLoopback lets an address without a scheme speak plain HTTP where only this machine can reach it.
	plainOnLoopback bool
}

// ListenDevices opens the addresses for devices.
func (s *Server) ListenDevices(ctx context.Context) error {
	for _, address := range s.opts.Config.Devices.Listen {
		l, err := s.listen(ctx, listenOptions{purpose: "devices", address: address, handler: s.intake})
		if err != nil {
			return err
		}
		s.listeners = append(s.listeners, l)
	}
	return nil
}

// TakeDevices takes devices on plain HTTP from a listener that is open already. The server closes it.
func (s *Server) TakeDevices(n net.Listener) {
	l := &listener{purpose: "devices", address: n.Addr().String()}
	bounded := limitConnections(n, s.opts.Config.Devices.Connections)
	l.net, l.http = bounded, s.httpServer(listenOptions{purpose: l.purpose, handler: s.intake}, l)
	l.http.ConnState = bounded.follow
	s.listeners = append(s.listeners, l)
}

func (s *Server) listen(ctx context.Context, o listenOptions) (*listener, error) {
	l := &listener{purpose: o.purpose, address: o.address}
	scheme, address, found := strings.Cut(o.address, "://")
	if !found {
		scheme, address = "http", o.address
		if o.purpose == "viewer" && (!o.plainOnLoopback || !isLoopback(address)) {
			scheme = "https"
		}
	}
	l.tls = scheme == "https"
	var lc net.ListenConfig
	n, err := lc.Listen(ctx, network(address), address)
	if err != nil {
		return nil, explainListen(o, address, err)
	}
	l.address = n.Addr().String()
	bounded := limitConnections(n, s.opts.Config.Devices.Connections)
	l.net, l.http = bounded, s.httpServer(o, l)
	l.http.ConnState = bounded.follow
	if l.tls {
		if l.http.TLSConfig, err = s.tlsConfig(o.purpose); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	s.opts.Log.Info("listening", "for", o.purpose, "address", l.address, "tls", l.tls)
	return l, nil
}

// httpServer bounds what one connection may cost. The viewer's answers have no write timeout, for the live stream does not end;
// they set their own deadlines.
func (s *Server) httpServer(o listenOptions, l *listener) *http.Server {
	c := s.opts.Config.Devices
	h := &http.Server{
		Handler:           l.counting(o.handler),
		ReadHeaderTimeout: c.HeaderTimeout.Duration,
		ReadTimeout:       c.HeaderTimeout.Duration + c.BodyTimeout.Duration,
		IdleTimeout:       c.IdleTimeout.Duration,
		MaxHeaderBytes:    c.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(quiet{s.opts.Log.Handler()}, slog.LevelDebug),
	}
	if o.purpose == "devices" {
		// Devices speak HTTP/1.1 only; nothing else needs to be offered to them.
		h.Protocols = new(http.Protocols)
		h.Protocols.SetHTTP1(true)
		h.WriteTimeout = c.HeaderTimeout.Duration + 2*c.BodyTimeout.Duration
	}
	return h
}

func (l *listener) counting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.requests.Add(1)
		l.lastRequest.Store(time.Now().UnixMilli())
		next.ServeHTTP(w, r)
	})
}

func (l *listener) serve() error {
	serve := l.http.Serve
	if l.tls {
		serve = func(n net.Listener) error { return l.http.ServeTLS(n, "", "") }
	}
	if err := serve(l.net); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s on %s: %w", l.purpose, l.address, err)
	}
	return nil
}

func (l *listener) close() error {
	err := l.http.Close()
	if c := l.net.Close(); c != nil && !errors.Is(c, net.ErrClosed) {
		err = errors.Join(err, c)
	}
	return err
}

// stopListening ends all listeners: no new connections, a short time for requests that run, then the cut.
func (s *Server) stopListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	done := make(chan struct{}, len(s.listeners))
	for _, l := range s.listeners {
		go func() {
			if l.http.Shutdown(ctx) != nil {
				_ = l.http.Close() // requests that are still open are cut; the device sends again
			}
			done <- struct{}{}
		}()
	}
	for range s.listeners {
		<-done
	}
	return nil
}

// network keeps an IPv4 address to IPv4: 0.0.0.0 alone would open IPv6 too.
func network(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err == nil && net.ParseIP(host).To4() != nil && !strings.Contains(host, ":") {
		return "tcp4"
	}
	return "tcp"
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// explainListen says what to do where an address cannot be opened.
func explainListen(o listenOptions, address string, err error) error {
	message := "check that the address belongs to this machine and that the port may be used by this account"
	if isInUse(err) {
		message = "the port is in use" + ownerOf(address) + ": stop that program or choose another port"
	}
	return &halley.Error{Kind: halley.Unavailable, Op: "listen for " + o.purpose + " on " + address, Message: message, Err: err}
}
