package storage

import (
	"context"

	"halley"
)

// People is who may sign in, and what they may do where. Names are compared without regard to case.
type People interface {
	// People lists all states of all accounts, by id, then From, then age: the last of an id is the account as it is now.
	People(ctx context.Context) ([]halley.Person, error)
	// PersonDetails lists what else is known of people, by id. Those who are deleted have none.
	PersonDetails(ctx context.Context) ([]halley.PersonDetail, error)
	// AddPerson adds an account with its first grants, all with audit rows "person.add" and "grant.add"; ids and From are given by the
	// store. Conflict where the name is or was used; NotFound where an organization, place or role is not there.
	AddPerson(ctx context.Context, p NewPerson, c halley.Change) (halley.Person, error)
	// ChangePerson changes what u names, with an audit row "person.change" that says of personal data only that they changed.
	// Who becomes disabled loses sessions and links. NotFound; Conflict for one who is deleted.
	ChangePerson(ctx context.Context, id halley.PersonID, u PersonUpdate, c halley.Change) (halley.Person, error)
	// DeletePerson erases details and secrets, ends grants and sessions, and leaves the name, with an audit row "person.delete".
	DeletePerson(ctx context.Context, id halley.PersonID, c halley.Change) error
	// NoteSignIn notes when a person signed in last. It is no fact and leaves no audit row.
	NoteSignIn(ctx context.Context, id halley.PersonID, at halley.Millis) error

	// Grants lists all grants that ever counted, by id.
	Grants(ctx context.Context) ([]halley.Grant, error)
	// AddGrant adds one with an audit row "grant.add". NotFound where person, organization, place or role is not there or closed;
	// Conflict where the same counts already.
	AddGrant(ctx context.Context, g halley.Grant, c halley.Change) (halley.Grant, error)
	// EndGrant ends one with an audit row "grant.end". NotFound where it is not there or has ended; Conflict for the last grant of
	// halley.Administrator at the root that an active person holds.
	EndGrant(ctx context.Context, id int64, c halley.Change) error

	// Roles lists all states of all custom roles, by id, then From, then age.
	Roles(ctx context.Context) ([]halley.CustomRole, error)
	// AddRole adds one with an audit row "role.add". Conflict where the name is or was used or is a preset's.
	AddRole(ctx context.Context, r halley.CustomRole, c halley.Change) (halley.CustomRole, error)
	// ChangeRole changes permissions, or closes the role, which then holds none, with an audit row "role.change". NotFound.
	ChangeRole(ctx context.Context, id int64, permissions []halley.Permission, closed bool, c halley.Change) (halley.CustomRole, error)

	// Secret gives what a person proves who they are by; found is false where there is none, or where it has expired at now.
	Secret(ctx context.Context, kind SecretKind, key string, now halley.Millis) (s Secret, found bool, err error)
	// Secrets lists those of a person, of all people where it is 0, by kind, then key. Links are left out where it is 0.
	Secrets(ctx context.Context, person halley.PersonID) ([]Secret, error)
	// SetSecret adds a secret or changes it, with an audit row where what is not "": such as "person.password". The row holds nothing
	// of the secret. With was not nil it is a Conflict where the stored data are other than was: for what must be used only once. Such
	// a change without a word, as of the code that was used last, does not move the registry's version.
	SetSecret(ctx context.Context, s Secret, was []byte, what string, c halley.Change) error
	// RemoveSecret removes one, with an audit row where what is not "". Of several at one time exactly one succeeds; the others get
	// NotFound.
	RemoveSecret(ctx context.Context, kind SecretKind, key string, what string, c halley.Change) error

	// PersonSessions lists the sessions of a person, of all people where it is 0, that have not expired, by end, then hash.
	PersonSessions(ctx context.Context, person halley.PersonID, now halley.Millis) ([]Session, error)

	// Reviews lists the marks on the audit trail, newest first, at most limit. AddReview adds one with an audit row "audit.review";
	// Conflict where the entry is not there or a later one is marked already.
	Reviews(ctx context.Context, limit int) ([]halley.Review, error)
	AddReview(ctx context.Context, r halley.Review, c halley.Change) (halley.Review, error)
}

// NewPerson is a person with the first grants.
type NewPerson struct {
	halley.Person
	halley.PersonDetail
	Grants []halley.Grant
	// Secrets are the first ones, such as the password of a command or the hash of an invitation's link; their PersonID is filled in,
	// and the Key of those kinds of which it is the person's id.
	Secrets []Secret
}

// PersonUpdate says what to change; nil fields stay.
type PersonUpdate struct {
	State          *halley.PersonState
	OrganizationID *halley.OrganizationID
	Shared         *bool
	Source         *halley.SignInSource
	FullName       *string
	Email          *string
	SignOutMinutes *int
}

// SecretKind says what a secret is.
type SecretKind string

// The kinds of secret.
const (
	// SecretPassword is an Argon2id hash in PHC form; its key is the person's id.
	SecretPassword SecretKind = "password"
	// SecretTOTP is the shared secret of an authenticator as JSON, with the last step used; its key is the person's id.
	SecretTOTP SecretKind = "totp"
	// SecretPasskey is a public key as JSON; its key is the credential's id in base64url.
	SecretPasskey SecretKind = "passkey"
	// SecretRecovery is a hashed recovery code; its key is the hash.
	SecretRecovery SecretKind = "recovery"
	// SecretLink is a one-time link as JSON; its key is the SHA-256 of the link's secret in hex.
	SecretLink SecretKind = "link"
	// SecretIdentity ties a person to another source of sign-ins; its key is the source, "|" and the subject there.
	SecretIdentity SecretKind = "identity"
)

// Secret is something by which a person proves who they are. Secrets are no facts: they are changed and erased.
type Secret struct {
	Kind SecretKind
	// Key is unique within the kind, at most 400 bytes.
	Key      string
	PersonID halley.PersonID
	// Data has at most 8 KiB.
	Data []byte
	At   halley.Millis
	// ExpiresAt is 0 for never.
	ExpiresAt halley.Millis
}

// Session is a session of a browser.
type Session struct {
	// Hash is the hash of the cookie.
	Hash string
	// PersonID is whose it is; 0 for nobody's account.
	PersonID  halley.PersonID
	Data      []byte
	ExpiresAt halley.Millis
	// Renews says that it must be there still, which PersonSessions leaves false: one that somebody ended meanwhile must not come
	// back.
	Renews bool
}
