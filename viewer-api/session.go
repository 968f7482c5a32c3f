package viewerapi

import (
	"net"
	"net/http"

	"halley"
	"halley/server/access"
)

const (
	// secretBytes bounds the secret of a first sign-in and of a link.
	secretBytes = 200
	// typedBytes bounds what a person types as name, password or code. A longer one cannot be right.
	typedBytes = 1024
)

// signInRequest is the body of a sign-in: a secret, or a name and a password.
type signInRequest struct {
	Secret   halley.Secret `json:"secret"`
	Name     string        `json:"name"`
	Password halley.Secret `json:"password"`
	Code     halley.Secret `json:"code"`
}

// check says what is missing or too long.
func (in *signInRequest) check() error {
	byName := in.Name != "" || in.Password != "" || in.Code != ""
	switch {
	case in.Secret != "" && byName:
		return invalid("secret", "send a secret, or a name and a password, not both")
	case in.Secret != "":
		return checkSecret(in.Secret)
	case in.Name == "" || len(in.Name) > typedBytes:
		return invalid("name", "send the name of your account")
	case in.Password == "" || len(in.Password) > typedBytes:
		return invalid("password", "send your password")
	case len(in.Code) > typedBytes:
		return invalid("code", "send the code of your authenticator, or a recovery code")
	}
	return nil
}

// checkSecret bounds the secret of a first sign-in or a link.
func checkSecret(secret halley.Secret) error {
	if secret == "" || len(secret) > secretBytes {
		return invalid("secret", "send the secret that stands in the address behind the =")
	}
	return nil
}

// signIn begins a session for whoever has a name and password, and a code where a second factor is set up, or brings the secret of the
// first sign-in. 401 where something is wrong, which does not say what; 429 where the name has to wait here.
func (a *API) signIn(w http.ResponseWriter, r *http.Request) error {
	var in signInRequest
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	var err error
	if in.Secret != "" {
		_, err = a.Access.SignInFirst(r.Context(), w.Header(), in.Secret.Reveal(), visitor(r))
	} else {
		c := access.Credentials{Name: in.Name, Password: in.Password, Code: in.Code}
		_, err = a.Access.SignIn(r.Context(), w.Header(), c, visitor(r))
	}
	if err != nil {
		return err
	}
	noContent(w)
	return nil
}

// visitor gives what is known of who asks, besides who it is.
func visitor(r *http.Request) access.Visitor {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = ""
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return access.Visitor{Address: address, Agent: r.UserAgent(), FormerCookie: sessionCookie(r), Origin: scheme + r.Host}
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
