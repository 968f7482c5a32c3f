package viewerapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"halley"
	"halley/server/access"
	"halley/storage"
)

// problem is an RFC 9457 problem document.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	ID     string `json:"id,omitempty"`
	// Factors, Pending and Passkey say how to go on with a sign-in whose name and password are right.
	Factors []string        `json:"factors,omitempty"`
	Pending string          `json:"pending,omitempty"`
	Passkey json.RawMessage `json:"passkey,omitempty"`
}

// outcome is what a kind of failure means to a caller.
type outcome struct {
	status int
	// code and detail stand where the error brings none of its own.
	code, detail string
}

// outcomes is the one table from kinds to HTTP.
var outcomes = map[halley.Kind]outcome{
	halley.Internal:        {http.StatusInternalServerError, "internal", "something went wrong here: the log has more under this id"},
	halley.Invalid:         {http.StatusBadRequest, "not-valid", "correct the request and send it again"},
	halley.Unauthenticated: {http.StatusUnauthorized, "credentials-missing", "sign in, or send a token"},
	halley.Forbidden:       {http.StatusForbidden, "forbidden", "ask an administrator for the right to do this"},
	halley.NotFound:        {http.StatusNotFound, "not-found", "there is no such thing: look it up in its list"},
	halley.Conflict:        {http.StatusConflict, "conflict", "the present state does not allow this: reload and look again"},
	halley.TooLarge:        {http.StatusRequestEntityTooLarge, "too-large", "send less at a time"},
	halley.TooMany:         {http.StatusTooManyRequests, "too-many", "wait a little and try again"},
	halley.Unavailable:     {http.StatusServiceUnavailable, "unavailable", "this works again later: see the status for the reason"},
}

// The codes of a 503 that says which state of the database it comes from; what a program does about them is documented by these
// words. The status says since when.
const (
	codeStoreAway     = "store-away"
	codeStoreReadOnly = "store-read-only"
	codeStoreFull     = "store-full"
)

// storeCodes gives the code of the API for what a store says of itself. All others stand as they are.
var storeCodes = map[string]string{
	storage.CodeReadOnly:    codeStoreReadOnly,
	storage.CodeFull:        codeStoreFull,
	storage.CodeNoSchema:    codeStoreAway,
	storage.CodeOlderSchema: codeStoreAway,
	storage.CodeNewerSchema: codeStoreAway,
}

// retryAfterSeconds is what a caller should wait when it comes too often or something is away.
const retryAfterSeconds = "5"

// problemOf gives the document for an error. Of an internal one it shows only an id, by which the log has the cause.
func problemOf(err error) problem {
	if errors.Is(err, errMethodNotAllowed) {
		return newProblem(outcome{http.StatusMethodNotAllowed, "method-not-allowed", err.Error()})
	}
	kind := halley.KindOf(err)
	o, known := outcomes[kind]
	if !known {
		kind, o = halley.Internal, outcomes[halley.Internal]
	}
	p := newProblem(o)
	if kind == halley.Internal {
		p.ID = rand.Text()
		return p
	}
	if needed, ok := errors.AsType[*access.SecondFactorError](err); ok {
		p.Factors, p.Pending, p.Passkey = needed.Factors, needed.Pending, needed.Passkey
	}
	if e, ok := errors.AsType[*halley.Error](err); ok {
		p.Field = e.Field
		if e.Code != "" {
			p.Code = e.Code
		}
		if code, ok := storeCodes[e.Code]; ok && kind == halley.Unavailable {
			p.Code = code
		}
		if e.Message != "" {
			p.Detail = e.Message
		}
	}
	return p
}

func newProblem(o outcome) problem {
	return problem{Type: "about:blank", Title: http.StatusText(o.status), Status: o.status, Detail: o.detail, Code: o.code}
}

// writeProblem answers with the document for err and logs what the caller must not see.
func (a *API) writeProblem(ctx context.Context, w http.ResponseWriter, err error) {
	p := problemOf(err)
	if p.ID != "" {
		a.Log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("id", p.ID), slog.String("error", err.Error()))
	}
	body, merr := json.Marshal(p)
	if merr != nil {
		// Texts and numbers always marshal; an empty body with the status still says what matters.
		body = nil
	}
	h := w.Header()
	h.Del("Content-Disposition")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="halley"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter(err))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // The caller is gone where this fails.
}

// retryAfter gives after how many seconds to come again: what the error says, or the usual.
func retryAfter(err error) string {
	var waits interface{ RetryAfter() time.Duration }
	if errors.As(err, &waits) {
		return strconv.FormatInt(int64(max(waits.RetryAfter()/time.Second, 1)), 10)
	}
	return retryAfterSeconds
}

// answer turns a handlerFunc into an http.Handler: the one place where errors become answers.
func (a *API) answer(serve handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := serve(w, r)
		if err == nil {
			return
		}
		if begun, ok := errors.AsType[*begunError](err); ok {
			// The answer cannot be taken back. Cutting the connection tells the caller that it is not whole.
			a.Log.LogAttrs(r.Context(), slog.LevelWarn, "answer cut short", slog.String("error", begun.Error()))
			panic(http.ErrAbortHandler)
		}
		if r.Context().Err() != nil && errors.Is(err, r.Context().Err()) {
			return // The caller has gone; nobody reads an answer.
		}
		a.writeProblem(r.Context(), w, err)
	})
}

// begunError is a failure after an answer began.
type begunError struct{ cause error }

// Error gives one line.
func (e *begunError) Error() string { return e.cause.Error() }

// Unwrap gives the cause.
func (e *begunError) Unwrap() error { return e.cause }

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeBody(w, "application/json", body)
}

// writeBody answers with a body that is not to be kept by caches. A caller who does not take it is no failure of ours.
func writeBody(w http.ResponseWriter, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body)
	return nil
}
