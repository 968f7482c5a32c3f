package viewerapi

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

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
		if a.isPublic(r) {
			next.ServeHTTP(w, r)
			return nil
		}
		p := presented(r)
		p.Passive = r.URL.Path == livePath || r.Header.Get(passiveHeader) == "1"
		caller, err := a.Access.Authenticate(r.Context(), p)
		if err != nil {
			return err
		}
		a.Log.LogAttrs(r.Context(), slog.LevelDebug, "caller", slog.String("kind", string(caller.Kind)), slog.String("name", caller.Name))
		next.ServeHTTP(w, r.WithContext(access.WithCaller(r.Context(), caller)))
		return nil
	})
}

// isPublic says whether a request needs no caller. A part of a public path in braces stands for one name.
func (a *API) isPublic(r *http.Request) bool {
	if r.URL.Path == "/healthz" || a.public[r.Method+" "+r.URL.Path] {
		return true
	}
	for _, parts := range a.publicParts {
		if parts[0] == r.Method && sameParts(parts[1:], strings.Split(r.URL.Path, "/")) {
			return true
		}
	}
	return false
}

// sameParts says whether a path is one of those that a template stands for.
func sameParts(template, path []string) bool {
	if len(template) != len(path) {
		return false
	}
	for i, part := range template {
		if part != path[i] && (!strings.HasPrefix(part, "{") || path[i] == "") {
			return false
		}
	}
	return true
}

const (
	// livePath is the path of the live stream, whose requests show no person's activity.
	livePath = "/api/v1/live"
	// passiveHeader marks with "1" a request that the viewer sends by itself, so that it shows no person's activity either.
	passiveHeader = "X-Halley-Passive"
)

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

// permitted lets an operation through for callers who hold its permission where it is looked for, and has refusals audited.
func (a *API) permitted(op operation) http.Handler {
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		noteOperation(r.Context(), op.ID)
		err := a.mayCall(r, &op)
		if err == nil {
			err = op.serve(w, r)
		}
		if err != nil {
			a.noteRefusal(r, &op, err)
		}
		return err
	})
}

// mayCall says whether the caller may call an operation: the one place where permission and node are checked. The path's {id} is
// looked up here, in the directory of the caller's rights.
func (a *API) mayCall(r *http.Request, op *operation) error {
	if op.Permission == halley.PermitPublic {
		return nil
	}
	caller, ok := access.CallerFrom(r.Context())
	if !ok {
		return &halley.Error{Kind: halley.Unauthenticated, Op: "check a permission"}
	}
	if err := inItsState(&caller, op); err != nil || op.Permission == halley.PermitSelf {
		return err
	}
	if !caller.Rights.Holds(op.Permission) {
		return &halley.Error{
			Kind: halley.Forbidden, Op: "check a permission", Code: "permission-missing",
			Message: "this needs the permission " + string(op.Permission) + ", which none of your roles holds",
		}
	}
	if op.Scope == scopeServer && !caller.Rights.AtOrganization(op.Permission, halley.RootOrganization) {
		return &halley.Error{
			Kind: halley.Forbidden, Op: "check a permission", Code: "permission-missing",
			Message: "this needs the permission " + string(op.Permission) + " for the highest organization",
		}
	}
	if t, ok := pathThing(r, op.Scope); ok {
		if err := t.allow(caller.Rights, op.Permission); err != nil {
			return err
		}
	}
	return a.confirmed(&caller, op)
}

// inItsState says whether a session is in a state in which it may call an operation at all: one that must do something first may
// only look after itself, and one that shows what somebody else sees changes nothing but to end that.
func inItsState(caller *access.Caller, op *operation) error {
	const doFirst = "do this first: see \"must\" of /api/v1/me"
	switch {
	case caller.Must == access.MustAccount && op.ID == "getStatus":
		// Where the database cannot be used yet no account can be made, and the status says what to do.
		return nil
	case caller.Must != "" && op.Permission != halley.PermitSelf:
		return &halley.Error{Kind: halley.Forbidden, Op: "check a session", Code: caller.Must + "-needed-first", Message: doFirst}
	case caller.ShowAs == 0 || op.endsItself() || op.Method == http.MethodGet && op.Permission == halley.PermitSelf:
		return nil
	case op.Permission.Reads():
		return nil
	}
	return &halley.Error{
		Kind: halley.Forbidden, Op: "check a session", Code: "showing-as",
		Message: "you see what somebody else sees: end that to change something",
	}
}

// endsItself says that an operation ends the caller's session, or ends that it shows what somebody else sees.
func (op *operation) endsItself() bool {
	return op.Method == http.MethodDelete && (op.Path == "/api/v1/session" || op.Path == "/api/v1/me/show-as")
}

// critical says whether an operation changes who may do what, what is recorded, or what is kept.
func (op *operation) critical() bool {
	return op.Method != http.MethodGet && slices.Contains([]halley.Permission{
		halley.PermitPersonChange, halley.PermitRoleChange, halley.PermitTokenChange, halley.PermitDeviceDecide,
		halley.PermitDeviceAttach, halley.PermitRetentionDecide,
	}, op.Permission)
}

// codeConfirm is the code of what waits for the password anew.
const codeConfirm = "confirmation-needed"

// confirmed says whether a critical operation may go on: where that is asked for, a person has given the password anew a moment ago.
// A program has none to give.
func (a *API) confirmed(caller *access.Caller, op *operation) error {
	if !a.ConfirmCritical || !op.critical() || caller.Kind != access.BySession || caller.ConfirmedUntil > halley.MillisOf(time.Now()) {
		return nil
	}
	return notConfirmed()
}

// notConfirmed asks for the password anew.
func notConfirmed() error {
	return &halley.Error{
		Kind: halley.Forbidden, Op: "check a session", Code: codeConfirm,
		Message: "give your password anew to change this: POST /api/v1/me/confirmation",
	}
}

// change gives who changes something, when and why.
func change(r *http.Request, at halley.Millis, why string) halley.Change {
	caller, _ := access.CallerFrom(r.Context())
	return halley.Change{Actor: caller.Actor(), At: at, Why: why}
}

// renewed gives a request with its caller's rights as they are after a change that it made, so that the answer shows what came to be.
// While the directory cannot be read anew the rights of before stand: the change is made, and is seen a moment later.
func (a *API) renewed(r *http.Request) *http.Request {
	if err := a.Directory.Refresh(r.Context()); err != nil {
		return r
	}
	p := presented(r)
	p.Passive = true
	caller, err := a.Access.Authenticate(r.Context(), p)
	if err != nil {
		return r
	}
	return r.WithContext(access.WithCaller(r.Context(), caller))
}
