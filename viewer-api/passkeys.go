package viewerapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"halley"
	"halley/server/secondfactor"
)

const (
	// passkeyNameRunes bounds what a person calls a passkey.
	passkeyNameRunes = 100
	// pendingBytes bounds the name of a sign-in that waits for its second factor.
	pendingBytes = 1024
)

// passkeyView is what is shown of a passkey.
type passkeyView struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Host    string `json:"host"`
	AddedAt Time   `json:"added_at"`
	Copied  bool   `json:"copied"`
}

func showPasskey(p secondfactor.Passkey) passkeyView {
	return passkeyView{ID: p.ID, Name: p.Name, Host: p.Host, AddedAt: Time(p.AddedAt), Copied: p.Copied}
}

// askForPasskey gives what to ask the browser for. 403 for a program, a shared account and, where there is a second factor, without the
// password anew; 409 where passkeys cannot work at this address, or there are too many.
func (a *API) askForPasskey(w http.ResponseWriter, r *http.Request) error {
	if err := readBody(w, r, &struct{}{}); err != nil {
		return err
	}
	caller, err := a.addingFactor(r)
	if err != nil {
		return err
	}
	person := secondfactor.Person{ID: caller.PersonID, Name: caller.Name, FullName: caller.FullName}
	options, err := a.Factors.PasskeyOptions(r.Context(), person, visitor(r).Origin, halley.MillisOf(time.Now()))
	if err != nil {
		return err
	}
	return writeBody(w, "application/json", options)
}

// addPasskey puts the passkey in force that the browser made. 400 where its answer cannot be taken; 409 where none was asked for.
func (a *API) addPasskey(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name       string          `json:"name"`
		Credential json.RawMessage `json:"credential"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if strings.TrimSpace(in.Name) == "" || utf8.RuneCountInString(in.Name) > passkeyNameRunes || strings.ContainsFunc(in.Name, invisible) {
		return invalid("name", "call the passkey something, in 1 to 100 characters without control characters")
	}
	if len(in.Credential) == 0 {
		return invalid("credential", "send what the browser made")
	}
	caller, err := selfOnly(r)
	if err != nil {
		return err
	}
	n := secondfactor.NewPasskey{PersonID: caller.PersonID, Name: in.Name, Credential: in.Credential, Origin: visitor(r).Origin}
	added, err := a.Factors.AddPasskey(r.Context(), n, change(r, halley.MillisOf(time.Now()), ""))
	if err != nil {
		return err
	}
	if err = a.renewSession(w, r, caller); err != nil {
		return err
	}
	body, err := json.Marshal(showPasskey(added))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body) // The caller is gone where this fails.
	return nil
}

// listPasskeys lists the caller's passkeys, in the order in which they were added.
func (a *API) listPasskeys(w http.ResponseWriter, r *http.Request) error {
	caller, err := selfOnly(r)
	if err != nil {
		return err
	}
	list, err := a.Factors.Passkeys(r.Context(), caller.PersonID)
	if err != nil {
		return err
	}
	view := struct {
		Passkeys []passkeyView `json:"passkeys"`
	}{Passkeys: make([]passkeyView, 0, len(list))}
	for _, p := range list {
		view.Passkeys = append(view.Passkeys, showPasskey(p))
	}
	return writeJSON(w, view)
}

// removePasskey removes one of the caller's passkeys. 403 without the password anew; 404 where the caller has no such one.
func (a *API) removePasskey(w http.ResponseWriter, r *http.Request) error {
	caller, err := confirmedSelf(r)
	if err != nil {
		return err
	}
	err = a.Factors.RemovePasskey(r.Context(), caller.PersonID, mux.Vars(r)["passkey"], change(r, halley.MillisOf(time.Now()), ""))
	if err != nil {
		return err
	}
	noContent(w)
	return nil
}

// signInWithPasskey goes on with a sign-in that waits for its second factor. 401 where the passkey proves nothing, or nothing waits.
func (a *API) signInWithPasskey(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Pending    string          `json:"pending"`
		Credential json.RawMessage `json:"credential"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if in.Pending == "" || len(in.Pending) > pendingBytes {
		return invalid("pending", "send what came when the second factor was asked for")
	}
	if len(in.Credential) == 0 {
		return invalid("credential", "send what the browser answered")
	}
	if _, err := a.Access.FinishSecondFactor(r.Context(), w.Header(), in.Pending, in.Credential, visitor(r)); err != nil {
		return err
	}
	noContent(w)
	return nil
}
