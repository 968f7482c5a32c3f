package viewerapi

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/gorilla/mux"

	"halley"
	"halley/server/oidcsignin"
)

// beginOIDC sends a browser to an issuer of OpenID Connect. The cookie that goes along brings the browser's own sign-in back, and no
// other one. What cannot be begun ends on the viewer's page of the sign-in.
func (a *API) beginOIDC(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "to")
	to := q.values.Get("to")
	if q.err != nil {
		return q.err
	}
	if a.OIDC == nil {
		return errNoIssuer()
	}
	begun, err := a.OIDC.Begin(r.Context(), mux.Vars(r)["issuer"], visitor(r).Origin, to)
	if err != nil {
		return a.endOIDC(w, r, err)
	}
	setTicket(w, begun.Cookie.Reveal(), int(oidcsignin.TicketAge.Seconds()))
	seeOther(w, begun.URL)
	return nil
}

// finishOIDC takes a browser that an issuer sends back, begins its session and leads it to the page where it was going. What fails ends
// on the viewer's page of the sign-in, with a code that says why.
func (a *API) finishOIDC(w http.ResponseWriter, r *http.Request) error {
	if a.OIDC == nil {
		return errNoIssuer()
	}
	returned := oidcsignin.Returned{Issuer: mux.Vars(r)["issuer"], Query: r.URL.Query()}
	if cookie, err := r.Cookie(oidcsignin.CookieName); err == nil {
		returned.Cookie = halley.Secret(cookie.Value)
	}
	who, to, err := a.OIDC.Finish(r.Context(), returned)
	if err != nil {
		a.Access.NoteRefused(r.Context(), who.Name, visitor(r))
	} else {
		_, err = a.Access.SignInOutside(r.Context(), w.Header(), who, visitor(r))
	}
	if err != nil {
		w.Header().Del("Set-Cookie")
		setTicket(w, "", -1)
		return a.endOIDC(w, r, err)
	}
	setTicket(w, "", -1)
	// To was made a path of this viewer when it came; that it is one still is cheap to make sure of.
	seeOther(w, oidcsignin.LocalPath(to))
	return nil
}

// endOIDC leads a browser whose sign-in failed to the viewer's page, and logs what only the administrator may know.
func (a *API) endOIDC(w http.ResponseWriter, r *http.Request, err error) error {
	if halley.KindOf(err) == halley.NotFound {
		return err
	}
	code := oidcsignin.CodeFailed
	if e, ok := errors.AsType[*halley.Error](err); ok && e.Code != "" {
		code = e.Code
	}
	if r.Context().Err() != nil {
		return err
	}
	a.Log.LogAttrs(r.Context(), slog.LevelWarn, "a sign-in with OpenID Connect failed", slog.String("code", code), slog.String("error", err.Error()))
	seeOther(w, "/#sign-in="+code)
	return nil
}

func errNoIssuer() error {
	return &halley.Error{Kind: halley.NotFound, Op: "sign in elsewhere", Message: "there is no such issuer"}
}

// setTicket sets the cookie of a sign-in elsewhere, or takes it back. The issuer's page leads back by a link, for which Lax is enough.
func setTicket(w http.ResponseWriter, value string, age int) {
	cookie := http.Cookie{
		Name: oidcsignin.CookieName, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	w.Header().Add("Set-Cookie", cookie.String())
}

// seeOther leads a browser on, by GET. The address is written as it is: http.Redirect would change it.
func seeOther(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
}
