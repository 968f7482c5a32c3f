package viewerapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"halley"
	"halley/server/access"
)

// divide sends requests below /api, and /healthz, to the API and all others to the viewer's files. Those are public: they
// hold no data, and a browser needs them to sign in.
func (a *API) divide(api, viewer http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" || r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/") {
			api.ServeHTTP(w, r)
			return
		}
		viewer.ServeHTTP(w, r)
	})
}

// authenticated lets through what is public and who is known; all else is answered 401 before path or body are looked at.
func (a *API) authenticated(next http.Handler) http.Handler {
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		if a.public[r.Method+" "+r.URL.Path] || r.URL.Path == "/healthz" {
			next.ServeHTTP(w, r)
			return nil
		}
		p := presented(r)
		p.Passive = r.URL.Path == livePath
		caller, err := a.Access.Authenticate(r.Context(), p)
		if err != nil {
			return err
		}
		a.Log.LogAttrs(r.Context(), slog.LevelDebug, "caller", slog.String("kind", string(caller.Kind)), slog.String("name", caller.Name))
		next.ServeHTTP(w, r.WithContext(access.WithCaller(r.Context(), caller)))
		return nil
	})
}

// livePath is the path of the live stream, whose requests show no person's activity.
const livePath = "/api/v1/live"

// presented gives what a request brings to prove who asks. A token that cannot be one is kept, so that a cookie never stands
// in for a wrong token.
func presented(r *http.Request) access.Presented {
	var p access.Presented
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		p.Bearer = strings.TrimSpace(token)
		if !strings.EqualFold(scheme, "Bearer") || p.Bearer == "" {
			p.Bearer = "not a bearer token"
		}
		return p
	}
	p.Cookie = sessionCookie(r)
	return p
}

func sessionCookie(r *http.Request) string {
	cookie, err := r.Cookie(access.CookieName)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// permitted lets an operation through for callers whose role holds its permission.
func (a *API) permitted(op operation) http.Handler {
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		noteOperation(r.Context(), op.ID)
		if err := mayCall(r.Context(), op.Permission); err != nil {
			return err
		}
		return op.serve(w, r)
	})
}

// mayCall says whether the caller in ctx holds the permission.
func mayCall(ctx context.Context, p halley.Permission) error {
	if p == halley.PermitPublic {
		return nil
	}
	caller, ok := access.CallerFrom(ctx)
	if !ok {
		return &halley.Error{Kind: halley.Unauthenticated, Op: "check a permission"}
	}
	if !caller.Role.May(p) {
		return &halley.Error{
			Kind: halley.Forbidden, Op: "check a permission", Code: "permission-missing",
			Message: "this needs the permission " + string(p) + ", which the role " + string(caller.Role) + " does not hold",
		}
	}
	return nil
}

// change gives who changes something, when and why.
func change(r *http.Request, at halley.Millis, why string) halley.Change {
	caller, _ := access.CallerFrom(r.Context())
	return halley.Change{Actor: caller.Actor(), At: at, Why: why}
}
