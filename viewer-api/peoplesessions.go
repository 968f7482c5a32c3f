package viewerapi

import (
	"encoding/json"
	"net/http"

	"github.com/gorilla/mux"

	"halley"
	"halley/server/access"
)

// listPersonSessions lists the sessions of a person.
func (a *API) listPersonSessions(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	list, err := a.People.Sessions.PersonSessions(r.Context(), halley.PersonID(id))
	if err != nil {
		return err
	}
	return writeJSON(w, sessionViews(r, list))
}

// endPersonSessions ends the sessions of a person, or the one that the path names. A reason may be given.
func (a *API) endPersonSessions(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in struct {
		Why string `json:"why"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	if err := checkWhy(in.Why, false); err != nil {
		return err
	}
	by := by(r, in.Why)
	if err := a.People.Rules.MayEndSessions(halley.PersonID(id), by); err != nil {
		return err
	}
	session := mux.Vars(r)["session"]
	ended, err := a.People.Sessions.EndPersonSessions(r.Context(), halley.PersonID(id), session)
	if err != nil {
		return err
	}
	if ended == 0 {
		if session == "" {
			return done(w, nil)
		}
		return &halley.Error{Kind: halley.NotFound, Op: "end a session", Message: "there is no such session: it may have ended already"}
	}
	text, err := json.Marshal(map[string]int{"ended": ended})
	if err != nil {
		return err
	}
	return done(w, a.Audit.NoteAudit(r.Context(), halley.AuditEntry{
		Change: by.Change, What: "session.end", On: thing{scopePerson, id}.String(), New: string(text),
	}))
}

// showAs has the caller's session show what somebody else sees, as far as the caller may see it too. 404 for a person whom the caller
// does not see, 403 for a program.
func (a *API) showAs(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		PersonID halley.PersonID `json:"person_id"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	caller, _ := access.CallerFrom(r.Context())
	if caller.Kind != access.BySession {
		return &halley.Error{
			Kind: halley.Forbidden, Op: "show as", Code: "session-needed", Message: "only a person who is signed in can see what others see",
		}
	}
	person := thing{scopePerson, int64(in.PersonID)}
	p, there := caller.Rights.State().Person(in.PersonID)
	if !there || p.State == halley.PersonDeleted || !person.held(caller.Rights, halley.PermitPersonRead) {
		return person.missing()
	}
	if p.State != halley.PersonActive {
		return &halley.Error{
			Kind: halley.Conflict, Op: "show as", Code: "person-not-active", Field: "person_id",
			Message: "this account cannot sign in now, so that there is nothing to show: choose somebody else, or make it active first",
		}
	}
	if err := a.noteAct(r, "show-as.begin", person.String(), ""); err != nil {
		return err
	}
	return done(w, a.People.Sessions.ShowAs(r.Context(), sessionCookie(r), in.PersonID))
}

// endShowAs ends that.
func (a *API) endShowAs(w http.ResponseWriter, r *http.Request) error {
	caller, _ := access.CallerFrom(r.Context())
	if caller.ShowAs == 0 {
		return done(w, nil)
	}
	if err := a.People.Sessions.ShowAs(r.Context(), sessionCookie(r), 0); err != nil {
		return err
	}
	return done(w, a.noteAct(r, "show-as.end", thing{scopePerson, int64(caller.ShowAs)}.String(), ""))
}

// personSessionView is a session of a person.
type personSessionView struct {
	ID        string `json:"id"`
	BegunAt   Time   `json:"begun_at"`
	SeenAt    Time   `json:"seen_at"`
	ExpiresAt Time   `json:"expires_at"`
	Address   string `json:"address"`
	Agent     string `json:"agent"`
	This      bool   `json:"this"`
}

// sessionViews shows the sessions of a person; This marks the caller's own.
func sessionViews(r *http.Request, list []access.Session) any {
	caller, _ := access.CallerFrom(r.Context())
	page := struct {
		Sessions []personSessionView `json:"sessions"`
	}{make([]personSessionView, 0, len(list))}
	for _, s := range list {
		page.Sessions = append(page.Sessions, personSessionView{
			ID: s.ID, BegunAt: Time(s.BegunAt), SeenAt: Time(s.SeenAt), ExpiresAt: Time(s.ExpiresAt),
			Address: s.Address, Agent: s.Agent, This: caller.Kind == access.BySession && s.ID == caller.Session,
		})
	}
	return page
}
