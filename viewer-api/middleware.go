package viewerapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"halley"
)

// compressFrom is the size in bytes from which answers are compressed.
const compressFrom = 1024

// newCompressor gives what compresses answers for callers that take it.
func newCompressor() (func(http.Handler) http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(
		gzhttp.MinSize(compressFrom),
		gzhttp.EnableZstd(false),
		gzhttp.ContentTypeFilter(compressible),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare compression: %w", err)
	}
	return func(h http.Handler) http.Handler { return wrap(h) }, nil
}

// compressible says which content types gain from compression.
func compressible(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	switch kind {
	case "text/event-stream", "image/png", "font/woff2":
		return false
	}
	return true
}

// requestNote gathers what the log says of a request.
type requestNote struct{ operation string }

type requestNoteKey struct{}

// noteOperation remembers for the log which operation a request was.
func noteOperation(ctx context.Context, id string) {
	if n, ok := ctx.Value(requestNoteKey{}).(*requestNote); ok {
		n.operation = id
	}
}

// logged writes a line for each request at level debug: the operation, never path, query, headers or address, for any of them
// may hold a secret.
func (a *API) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note := &requestNote{operation: "none"}
		seen := &seenWriter{ResponseWriter: w}
		ctx := context.WithValue(r.Context(), requestNoteKey{}, note)
		defer a.logRequest(ctx, r.Method, seen, time.Now())
		next.ServeHTTP(seen, r.WithContext(ctx))
	})
}

// logRequest writes the line of one request that began at the given instant.
func (a *API) logRequest(ctx context.Context, method string, seen *seenWriter, begun time.Time) {
	note, _ := ctx.Value(requestNoteKey{}).(*requestNote)
	a.Log.LogAttrs(ctx, slog.LevelDebug, "request",
		slog.String("method", knownMethod(method)), slog.String("operation", note.operation),
		slog.Int("status", seen.status), slog.Int64("bytes", seen.bytes), slog.Duration("took", time.Since(begun)))
}

// knownMethod gives the method, or "other" for what a caller may have made up.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// seenWriter remembers what was answered.
type seenWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader remembers the status.
func (s *seenWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write counts what is written.
func (s *seenWriter) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	n, err := s.ResponseWriter.Write(b)
	s.bytes += int64(n)
	return n, err
}

// Flush sends what was written, for compressing writers that ask for an http.Flusher.
func (s *seenWriter) Flush() { _ = http.NewResponseController(s.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController reach the connection.
func (s *seenWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// recovered turns a panic into an internal error; where the answer had begun, it cuts the connection.
func (a *API) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.answerPanic(r.Context(), w)
		next.ServeHTTP(w, r)
	})
}

// answerPanic is deferred: it answers for a handler that panicked, or cuts the connection.
func (a *API) answerPanic(ctx context.Context, w http.ResponseWriter) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	err := fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	if seen, ok := w.(*seenWriter); ok && seen.status != 0 {
		a.Log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("error", err.Error()))
		panic(http.ErrAbortHandler)
	}
	w.Header().Del("Content-Encoding")
	a.writeProblem(ctx, w, err)
}

// contentPolicy lets a page load and call this server alone, with no inline script, and lets no page frame it.
const contentPolicy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// secured sets the security headers. There is no Strict-Transport-Security: it would bind every port of the host, and the
// devices' listener beside this one speaks plain HTTP.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// hostChecked refuses requests for names that are not ours, by which a foreign page could reach the API through a name of its
// own that points here. An IP address cannot be had that way: the one that the connection came in on is ours. /healthz says
// nothing and is open to any name.
func (a *API) hostChecked(next http.Handler) http.Handler {
	names := make(map[string]bool, len(a.Hosts)+1)
	names["localhost"] = true
	for _, name := range a.Hosts {
		names[strings.ToLower(hostName(name))] = true
	}
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		host := strings.TrimSuffix(strings.ToLower(hostName(r.Host)), ".")
		if r.URL.Path != "/healthz" && !names[host] && !ownAddress(r, host) {
			return &halley.Error{
				Kind: halley.Forbidden, Op: "check the host", Code: "host-not-known",
				Message: "this server is not known by the name in the address: use its own name, or add this one to `hosts` under [viewer]",
			}
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// hostName gives a host without its port and brackets. What stands where a port should and is none stays part of the name.
func hostName(host string) string {
	if name, port, err := net.SplitHostPort(host); err == nil && strings.Trim(port, "0123456789") == "" {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// ownAddress says whether host is an address of the loopback, or the one that the connection came in on.
func ownAddress(r *http.Request, host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if addr.Unmap().IsLoopback() {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return false
	}
	own := local.AddrPort().Addr()
	return own.Unmap().WithZone("") == addr.Unmap().WithZone("")
}

// sameOrigin refuses requests of foreign pages that would change something.
func (a *API) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		if err := protection.Check(r); err != nil {
			return &halley.Error{
				Kind: halley.Forbidden, Op: "check the origin", Code: "cross-origin",
				Message: "a page of another origin must not change anything here", Err: err,
			}
		}
		next.ServeHTTP(w, r)
		return nil
	})
}
