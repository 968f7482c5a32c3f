package viewerapi

import (
	"net/http"

	"github.com/gorilla/mux"

	"halley"
	"halley/server/access"
)

// SignInIssuer is an issuer of OpenID Connect as the page of the sign-in offers it.
type SignInIssuer struct {
	ID string `json:"id"`
	// Name is what the button says.
	Name string `json:"name"`
}

// signInView says how people can sign in.
type signInView struct {
	First        bool             `json:"first"`
	LDAP         bool             `json:"ldap"`
	OIDC         []SignInIssuer   `json:"oidc"`
	Passkeys     bool             `json:"passkeys"`
	ResetByMail  bool             `json:"reset_by_mail"`
	PasswordRule passwordRuleView `json:"password_rule"`
}

// passwordRuleView says which passwords may be chosen.
type passwordRuleView struct {
	Length  int  `json:"length"`
	Digit   bool `json:"digit"`
	Upper   bool `json:"upper"`
	Lower   bool `json:"lower"`
	Special bool `json:"special"`
}

// getSignIn says how people can sign in, and which passwords may be chosen.
func (a *API) getSignIn(w http.ResponseWriter, _ *http.Request) error {
	s := a.Access.SignInState()
	v := signInView{
		First: s.First, LDAP: s.Elsewhere, OIDC: []SignInIssuer{}, Passkeys: s.Passkeys, ResetByMail: s.ResetByMail,
		PasswordRule: passwordRuleView{
			Length: s.Rule.Length, Digit: s.Rule.Digit, Upper: s.Rule.Upper, Lower: s.Rule.Lower, Special: s.Rule.Special,
		},
	}
	v.OIDC = append(v.OIDC, a.Issuers...)
	return writeJSON(w, v)
}

// makeFirstAccount makes the first administrator and signs them in. 409 once there is an account.
func (a *API) makeFirstAccount(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Secret   halley.Secret `json:"secret"`
		Name     string        `json:"name"`
		Password halley.Secret `json:"password"`
		FullName string        `json:"full_name"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	switch {
	case len(in.Secret) > secretBytes:
		return checkSecret(in.Secret)
	case in.Name == "":
		return invalid("name", "choose a name for your account")
	case in.Password == "" || len(in.Password) > typedBytes:
		return invalid("password", "choose a password")
	}
	f := access.FirstAccount{Secret: in.Secret, Name: in.Name, FullName: in.FullName, Password: in.Password}
	if _, err := a.Access.MakeFirst(r.Context(), w.Header(), f, visitor(r)); err != nil {
		return err
	}
	noContent(w)
	return nil
}

// changePassword changes the caller's password and ends the person's other sessions. 403 where the former one is wrong.
func (a *API) changePassword(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Password    halley.Secret `json:"password"`
		NewPassword halley.Secret `json:"new_password"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	switch {
	case in.Password == "" || len(in.Password) > typedBytes:
		return invalid("password", "send the password that you have now")
	case in.NewPassword == "" || len(in.NewPassword) > typedBytes:
		return invalid("new_password", "choose a password")
	}
	caller, _ := access.CallerFrom(r.Context())
	p := access.NewPassword{Former: in.Password, Next: in.NewPassword}
	if err := a.Access.ChangePassword(r.Context(), w.Header(), caller, p, visitor(r)); err != nil {
		return err
	}
	noContent(w)
	return nil
}

// confirmMe takes the caller's password anew, so that the session may make critical changes for five minutes.
func (a *API) confirmMe(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Password halley.Secret `json:"password"`
		Code     halley.Secret `json:"code"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if len(in.Password) > typedBytes || len(in.Code) > typedBytes || in.Password == "" && in.Code == "" {
		return invalid("password", "send your password")
	}
	caller, _ := access.CallerFrom(r.Context())
	if err := a.Access.Confirm(r.Context(), caller, in.Password, in.Code, visitor(r)); err != nil {
		return err
	}
	noContent(w)
	return nil
}

// listMySessions lists the caller's own sessions; a program has none.
func (a *API) listMySessions(w http.ResponseWriter, r *http.Request) error {
	caller, _ := access.CallerFrom(r.Context())
	var list []access.Session
	if caller.PersonID != 0 {
		var err error
		if list, err = a.Access.PersonSessions(r.Context(), caller.PersonID); err != nil {
			return err
		}
	}
	return writeJSON(w, sessionViews(r, list))
}

// endMySession ends one of the caller's own sessions. 404 where there is none.
func (a *API) endMySession(w http.ResponseWriter, r *http.Request) error {
	caller, _ := access.CallerFrom(r.Context())
	if err := a.Access.EndOwnSession(r.Context(), caller, mux.Vars(r)["session"]); err != nil {
		return err
	}
	noContent(w)
	return nil
}

// requestReset has a link sent to whoever has that name, if anybody. It answers the same in the same time whoever that is.
func (a *API) requestReset(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name string `json:"name"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if in.Name == "" || len(in.Name) > typedBytes {
		return invalid("name", "send the name of your account")
	}
	a.Access.RequestReset(in.Name)
	noContent(w)
	return nil
}

// lookLink says what a one-time link is for. 401 where it cannot be used.
func (a *API) lookLink(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Secret halley.Secret `json:"secret"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if err := checkSecret(in.Secret); err != nil {
		return err
	}
	looked, err := a.Access.LookLink(r.Context(), in.Secret)
	if err != nil {
		return err
	}
	return writeJSON(w, struct {
		Purpose access.LinkPurpose `json:"purpose"`
		Name    string             `json:"name"`
		Until   Time               `json:"until"`
	}{looked.Purpose, looked.Name, Time(looked.Until)})
}

// useLink sets a password by a one-time link and signs the person in. 401 where the link cannot be used, or a second factor is needed.
func (a *API) useLink(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Secret   halley.Secret `json:"secret"`
		Password halley.Secret `json:"password"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if err := checkSecret(in.Secret); err != nil {
		return err
	}
	if in.Password == "" || len(in.Password) > typedBytes {
		return invalid("password", "choose a password")
	}
	if _, err := a.Access.UseLink(r.Context(), w.Header(), in.Secret, in.Password, visitor(r)); err != nil {
		return err
	}
	noContent(w)
	return nil
}
