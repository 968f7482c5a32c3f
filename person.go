package halley

// PersonID names a person for ever. IDs begin at 1.
type PersonID int64

// PersonState says what a person's account is good for.
type PersonState string

// The states of a person.
const (
	// PersonInvited has been asked in by a link and has not signed in yet.
	PersonInvited PersonState = "invited"
	// PersonActive may sign in.
	PersonActive PersonState = "active"
	// PersonDisabled may not sign in for the time being.
	PersonDisabled PersonState = "disabled"
	// PersonDeleted is gone: personal data are erased, and only the name stays, for the audit trail.
	PersonDeleted PersonState = "deleted"
)

// SignInSource says who checks a person's password.
type SignInSource string

// The sources of a sign-in.
const (
	// Local is Halley itself.
	Local SignInSource = "local"
	// LDAP is Active Directory or another directory service.
	LDAP SignInSource = "ldap"
	// OIDC is an issuer of OpenID Connect.
	OIDC SignInSource = "oidc"
)

// Person is an account of somebody who uses the viewer.
type Person struct {
	ID PersonID
	// Name is what the person signs in with and what the audit trail shows: 1 to 100 characters, letters, digits and "._-@+ "; upper
	// and lower case are the same name. A name is never used again, by nobody.
	Name           string
	State          PersonState
	OrganizationID OrganizationID
	Source         SignInSource
	// Shared marks an account that several people use, as on a wall display: it can only read.
	Shared    bool
	CreatedAt Millis
	// From is when this state of the account began.
	From Millis
}

// PersonDetail is what is known of a person besides the account. It is erased with the person and is in no ledger.
type PersonDetail struct {
	PersonID PersonID
	// FullName has at most 200 characters, Email at most 254; both may be empty.
	FullName, Email string
	// SignOutMinutes is after how long without activity the person is signed out: 15, 30, 60 or 120; 0 takes the default.
	SignOutMinutes int
	// LastSignInAt is 0 before the first.
	LastSignInAt Millis
}

// Grant gives a role at a node of the tree, for it and all below, or at one place.
type Grant struct {
	ID int64
	// PersonID is 0 in the grant that stands for a token.
	PersonID PersonID
	// Role is a preset or the name of a custom role.
	Role           Role
	OrganizationID OrganizationID
	// PlaceID is the one place that it reaches; 0 for all of the node's. Only ViewByMeasuredPlaces names a place, and must.
	PlaceID PlaceID
	// From and To bound when it counted, half-open; a To of 0 is not ended.
	From, To Millis
}

// CustomRole is a role that people of an installation made up: one of its states.
type CustomRole struct {
	ID int64
	// Name is 1 to 40 of a-z, 0-9 and "-", unlike every preset and never used again.
	Name Role
	// OrganizationID is the node at and below which it can be granted.
	OrganizationID OrganizationID
	Permissions    []Permission
	Closed         bool
	// From is when this state of the role began.
	From Millis
}

// Review says that somebody answerable has looked through the audit trail up to an entry.
type Review struct {
	ID int64
	// UpTo is the last entry that was looked at.
	UpTo int64
	At   Millis
	// Who is the name of the person, Note what they wrote.
	Who, Note string
}
