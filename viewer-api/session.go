package viewerapi

import (
	"net/http"

	"halley"
)

// secretBytes bounds the secret of a sign-in.
const secretBytes = 200

// signInRequest is the body of a sign-in.
type signInRequest struct {
	Secret halley.Secret `json:"secret"`
}

// signIn begins a session for whoever brings the secret of the first sign-in. 401 where it is wrong, used or expired.
func (a *API) signIn(w http.ResponseWriter, r *http.Request) error {
	var in signInRequest
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if secret := in.Secret.Reveal(); secret == "" || len(secret) > secretBytes {
		return invalid("secret", "send the secret that first-sign-in.txt in the data folder holds")
	}
	if _, err := a.Access.SignIn(r.Context(), w.Header(), in.Secret.Reveal(), sessionCookie(r)); err != nil {
		return err
	}
	noContent(w)
	return nil
}

// signOut ends the caller's session. A token does not end by it: a program has nothing to sign out of.
func (a *API) signOut(w http.ResponseWriter, r *http.Request) error {
	if cookie := sessionCookie(r); cookie != "" {
		if err := a.Access.SignOut(r.Context(), w.Header(), cookie); err != nil {
			return err
		}
	}
	noContent(w)
	return nil
}

// noContent answers that it is done.
func noContent(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}
