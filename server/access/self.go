package access

import (
	"context"
	"time"

	"halley"
	"halley/server/passwords"
	"halley/storage"
)

// PersonSessions lists the sessions of a person that have not ended, by begin.
func (a *Access) PersonSessions(ctx context.Context, id halley.PersonID) ([]Session, error) {
	list, err := a.Sessions.list(ctx, id)
	if err != nil {
		return nil, err
	}
	state, now := a.Directory.Directory(), halley.MillisOf(time.Now())
	idle := halley.Millis(a.idle(state, id)) * halley.Minute
	alive := []Session{}
	for _, s := range list {
		if s.ExpiresAt = min(s.ExpiresAt, s.SeenAt+idle); s.ExpiresAt > now {
			alive = append(alive, s)
		}
	}
	return alive, nil
}

// EndPersonSessions ends a session of a person by its ID, all of them where that is "", and says how many; 0 where there is none. The
// audit row is the caller's to write. Sessions on a server that cannot be reached end there within seconds of its return.
func (a *Access) EndPersonSessions(ctx context.Context, id halley.PersonID, session string) (int, error) {
	return a.Sessions.endWhere(ctx, id, func(s string) bool { return session == "" || s == session })
}

// EndOwnSession ends one of the caller's own sessions by its ID, with an audit row "session.end". NotFound where there is none.
func (a *Access) EndOwnSession(ctx context.Context, c Caller, session string) error {
	if c.PersonID == 0 || c.Kind != BySession {
		return errNoAccount()
	}
	n, err := a.Sessions.endWhere(ctx, c.PersonID, func(s string) bool { return s == session })
	if err != nil {
		return err
	}
	if n == 0 {
		return &halley.Error{Kind: halley.NotFound, Op: "end a session", Message: "this session has ended already"}
	}
	return a.Audit.NoteAudit(ctx, halley.AuditEntry{
		Change: halley.Change{Actor: c.Actor(), At: halley.MillisOf(time.Now())}, What: "session.end", On: personWord(c.PersonID),
	})
}

// ShowAs has the session of a cookie see what another person sees; 0 ends that. Whether it may, and the audit row, are the caller's to
// care for.
func (a *Access) ShowAs(ctx context.Context, cookie string, id halley.PersonID) error {
	return a.Sessions.change(ctx, cookie, func(v *held) { v.showAs = id })
}

// FactorsOf counts what second factors a person has set up.
func (a *Access) FactorsOf(ctx context.Context, id halley.PersonID) (Factors, error) {
	if a.Factors == nil || id == 0 {
		return Factors{}, nil
	}
	return a.Factors.Of(ctx, id)
}

// NobodyYet says whether nobody has an account yet, so that the first sign-in is open.
func (a *Access) NobodyYet() bool { return len(a.Directory.Directory().People()) == 0 }

var _ People = storage.People(nil)

// SignInState says how people can sign in here.
type SignInState struct {
	// First says that there is no account yet, so that the first sign-in is open.
	First bool
	// Elsewhere says that a directory service is asked about passwords, Passkeys that passkeys are taken, ResetByMail that a forgotten
	// password can be replaced by e-mail.
	Elsewhere, Passkeys, ResetByMail bool
	Rule                             passwords.Rule
	// ConfirmCritical says that critical changes ask for the password anew.
	ConfirmCritical bool
}

// SignInState says how people can sign in here.
func (a *Access) SignInState() SignInState {
	return SignInState{
		First: a.NobodyYet(), Elsewhere: a.Elsewhere != nil, Passkeys: a.Factors != nil, ResetByMail: a.Mail != nil,
		Rule: a.Rule, ConfirmCritical: a.ConfirmCritical,
	}
}
