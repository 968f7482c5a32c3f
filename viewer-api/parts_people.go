package viewerapi

import (
	"context"
	"errors"

	"halley"
	"halley/server/access"
	"halley/server/directory"
	"halley/server/people"
	"halley/storage"
)

// People are the parts that accounts, rights, tokens and the review of the audit trail need. All must be given.
type People struct {
	// Rules change people, grants and custom roles; *people.Rules has these methods.
	Rules PeopleRules
	// Sessions are those of people; *access.Access has these methods.
	Sessions PeopleSessions
	// Tokens makes tokens and ends them; *access.Tokens has these methods.
	Tokens TokenMaker
	// Records are what the store lists of tokens and reviews.
	Records PeopleRecords
}

// complete says which part is missing.
func (p *People) complete() error {
	if p.Rules == nil || p.Sessions == nil || p.Tokens == nil || p.Records == nil {
		return errors.New("the API has no complete People")
	}
	return nil
}

// PeopleRules are the rules of who gives which rights to whom; package people says what they refuse.
type PeopleRules interface {
	Invite(ctx context.Context, n storage.NewPerson, by people.By) (people.Invited, error)
	Change(ctx context.Context, id halley.PersonID, u storage.PersonUpdate, by people.By) (halley.Person, error)
	Delete(ctx context.Context, id halley.PersonID, by people.By) error
	Reset(ctx context.Context, id halley.PersonID, by people.By) (people.Invited, error)
	RemoveFactors(ctx context.Context, id halley.PersonID, by people.By) error
	MayEndSessions(id halley.PersonID, by people.By) error
	Grant(ctx context.Context, g halley.Grant, by people.By) (halley.Grant, error)
	EndGrant(ctx context.Context, person halley.PersonID, id int64, by people.By) error
	AddRole(ctx context.Context, role halley.CustomRole, by people.By) (halley.CustomRole, error)
	ChangeRole(ctx context.Context, id int64, list []halley.Permission, by people.By) (halley.CustomRole, error)
	CloseRole(ctx context.Context, id int64, by people.By) error
	CheckToken(t storage.Token, by people.By) error
	CheckRevoke(t storage.Token, by people.By) error
	RightsAt(id halley.PersonID, at halley.Millis, by directory.Rights) (people.Report, error)
}

// PeopleSessions are the sessions of people.
type PeopleSessions interface {
	// PersonSessions lists the sessions of a person that have not ended, by begin.
	PersonSessions(ctx context.Context, id halley.PersonID) ([]access.Session, error)
	// EndPersonSessions ends a session of a person, all of them where session is "", and says how many; 0 where there is none. The
	// audit row is the caller's to write.
	EndPersonSessions(ctx context.Context, id halley.PersonID, session string) (int, error)
	// ShowAs has the session of a cookie show what a person sees; 0 ends that.
	ShowAs(ctx context.Context, cookie string, id halley.PersonID) error
}

// TokenMaker makes and ends tokens.
type TokenMaker interface {
	Create(ctx context.Context, n access.NewToken, c halley.Change) (string, storage.Token, error)
	Revoke(ctx context.Context, name string, c halley.Change) error
}

// PeopleRecords lists tokens, reviews and what is known of people; storage.Store has these methods.
type PeopleRecords interface {
	// PersonDetails says when people signed in last, which no copy follows.
	PersonDetails(ctx context.Context) ([]halley.PersonDetail, error)
	Tokens(ctx context.Context) ([]storage.Token, error)
	Reviews(ctx context.Context, limit int) ([]halley.Review, error)
	AddReview(ctx context.Context, r halley.Review, c halley.Change) (halley.Review, error)
}

var (
	_ PeopleRules    = (*people.Rules)(nil)
	_ PeopleRecords  = storage.Store(nil)
	_ PeopleSessions = (*access.Access)(nil)
)
