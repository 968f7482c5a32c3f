package viewerapi

import (
	"errors"
	"net/http"
	"time"

	"halley"
	"halley/server/access"
)

// totpView is what a person enters into an authenticator. It is shown once.
type totpView struct {
	Secret string `json:"secret"`
	URI    string `json:"uri"`
	QR     string `json:"qr"`
}

// recoveryView holds recovery codes. They are shown once.
type recoveryView struct {
	RecoveryCodes []string `json:"recovery_codes"`
}

// beginTOTP makes the secret of a new authenticator, which is in force once a code of it has come. 403 for a program, a shared account
// and, where there is another second factor, without the password anew; 409 where there is an authenticator.
func (a *API) beginTOTP(w http.ResponseWriter, r *http.Request) error {
	if err := readBody(w, r, &struct{}{}); err != nil {
		return err
	}
	caller, err := a.addingFactor(r)
	if err != nil {
		return err
	}
	setup, err := a.Factors.BeginTOTP(r.Context(), caller.PersonID, caller.Name, halley.MillisOf(time.Now()))
	if err != nil {
		return err
	}
	return writeJSON(w, totpView{Secret: setup.Secret.Reveal(), URI: setup.URI.Reveal(), QR: setup.QR.Reveal()})
}

// confirmTOTP puts the new authenticator in force and gives new recovery codes. 403 where the code is wrong; 409 where no authenticator
// is being set up.
func (a *API) confirmTOTP(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Code halley.Secret `json:"code"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if in.Code == "" || len(in.Code) > typedBytes {
		return invalid("code", "send the code that the authenticator shows")
	}
	caller, err := selfOnly(r)
	if err != nil {
		return err
	}
	codes, err := a.Factors.ConfirmTOTP(r.Context(), caller.PersonID, in.Code.Reveal(), change(r, halley.MillisOf(time.Now()), ""))
	if err != nil {
		return stillSignedIn(err)
	}
	if err = a.renewSession(w, r, caller); err != nil {
		return err
	}
	return writeJSON(w, recoveryCodes(codes))
}

// removeTOTP removes the caller's authenticator. 403 without the password anew; 404 where there is none.
func (a *API) removeTOTP(w http.ResponseWriter, r *http.Request) error {
	caller, err := confirmedSelf(r)
	if err != nil {
		return err
	}
	if err = a.Factors.RemoveTOTP(r.Context(), caller.PersonID, change(r, halley.MillisOf(time.Now()), "")); err != nil {
		return err
	}
	noContent(w)
	return nil
}

// makeRecoveryCodes gives new recovery codes in place of all former ones. 403 without the password anew; 409 where there is no other
// second factor.
func (a *API) makeRecoveryCodes(w http.ResponseWriter, r *http.Request) error {
	if err := readBody(w, r, &struct{}{}); err != nil {
		return err
	}
	caller, err := confirmedSelf(r)
	if err != nil {
		return err
	}
	have, err := a.Factors.Of(r.Context(), caller.PersonID)
	if err != nil {
		return err
	}
	if !have.Any() {
		return &halley.Error{
			Kind: halley.Conflict, Op: "make recovery codes", Code: "no-second-factor",
			Message: "recovery codes stand in for a second factor: set one up first",
		}
	}
	codes, err := a.Factors.NewRecoveryCodes(r.Context(), caller.PersonID, change(r, halley.MillisOf(time.Now()), ""))
	if err != nil {
		return err
	}
	return writeJSON(w, recoveryCodes(codes))
}

func recoveryCodes(codes []halley.Secret) recoveryView {
	v := recoveryView{RecoveryCodes: make([]string, 0, len(codes))}
	for _, c := range codes {
		v.RecoveryCodes = append(v.RecoveryCodes, c.Reveal())
	}
	return v
}

// selfOnly gives the caller where it is a person with an account that is nobody else's too.
func selfOnly(r *http.Request) (access.Caller, error) {
	caller, _ := access.CallerFrom(r.Context())
	switch {
	case caller.Kind != access.BySession || caller.PersonID == 0:
		return caller, &halley.Error{
			Kind: halley.Forbidden, Op: "check a caller", Code: "no-account", Message: "only people with an account have second factors",
		}
	case caller.Shared:
		return caller, &halley.Error{
			Kind: halley.Forbidden, Op: "check a caller", Code: "account-shared",
			Message: "a shared account has no second factor, for its people could not all have it",
		}
	}
	return caller, nil
}

// confirmedSelf is selfOnly for whoever has given the password anew a moment ago. That is asked for whatever the settings say: with a
// browser left open somebody could otherwise lock its owner out.
func confirmedSelf(r *http.Request) (access.Caller, error) {
	caller, err := selfOnly(r)
	if err == nil && caller.ConfirmedUntil <= halley.MillisOf(time.Now()) {
		err = notConfirmed()
	}
	return caller, err
}

// addingFactor gives the caller where a second factor may be added: the first one by whoever is signed in, further ones as
// confirmedSelf.
func (a *API) addingFactor(r *http.Request) (access.Caller, error) {
	caller, err := selfOnly(r)
	if err != nil {
		return caller, err
	}
	have, err := a.Factors.Of(r.Context(), caller.PersonID)
	if err != nil || !have.Any() {
		return caller, err
	}
	return confirmedSelf(r)
}

// renewSession gives the session another cookie, now that it may do more. A caller who came with a token has none.
func (a *API) renewSession(w http.ResponseWriter, r *http.Request, caller access.Caller) error {
	cookie := sessionCookie(r)
	if caller.Kind != access.BySession || cookie == "" {
		return nil
	}
	return a.Access.Renew(r.Context(), w.Header(), cookie)
}

// stillSignedIn makes a refusal of a code one of somebody who is signed in: 401 would say that the session has ended.
func stillSignedIn(err error) error {
	if e, ok := errors.AsType[*halley.Error](err); ok && e.Kind == halley.Unauthenticated {
		refused := *e
		refused.Kind = halley.Forbidden
		return &refused
	}
	return err
}
