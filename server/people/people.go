// Package people holds the rules of who may be let in and who may give which rights to whom. It looks at the directory, refuses what
// would give somebody more than the one who gives it has, and then has the store change it. It finds out neither who asks (package
// access does) nor whether they may call an operation at all (package viewerapi does), and keeps nothing of its own.
//
// What somebody may not know of is NotFound, as if it were not there; what they may know of and not change is Forbidden.
package people

import (
	"context"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"halley"
	"halley/server/access"
	"halley/server/directory"
	"halley/storage"
)

// The bounds of what people write.
const (
	// FullNameRunes bounds somebody's full name, in characters.
	FullNameRunes = 200
	// EmailBytes bounds an address for mail.
	EmailBytes = 254
	// GrantsMost is how many grants a person has at one time.
	GrantsMost = 100
	// PlacesMost is how many places a token names.
	PlacesMost = 100
	// RolesMost is how many open custom roles there are.
	RolesMost = 500
)

// Store is what the rules have changed; storage.Store has it.
type Store interface {
	access.People
	DeletePerson(ctx context.Context, id halley.PersonID, c halley.Change) error
	AddRole(ctx context.Context, r halley.CustomRole, c halley.Change) (halley.CustomRole, error)
	ChangeRole(ctx context.Context, id int64, permissions []halley.Permission, closed bool, c halley.Change) (halley.CustomRole, error)
}

// Directory is this server's copy of the tree and of the people; *registry.Registry has it.
type Directory interface {
	// Directory gives the newest State.
	Directory() *directory.State
	// Refresh looks at the store and takes over what changed.
	Refresh(ctx context.Context) error
}

// Links mails one-time links; *access.Access has this method.
type Links interface {
	// SendLink says whether a mail server took a link for an address; false where that is "".
	SendLink(ctx context.Context, to string, purpose access.LinkPurpose, l access.Link) bool
}

// Options are the parts of Rules. All must be given.
type Options struct {
	Store     Store
	Directory Directory
	Links     Links
	// Address is where people open the viewer, such as "https://halley.example:8443"; links are made of it.
	Address string
}

// Rules are the rules over one store. Its methods may be called at the same time.
type Rules struct {
	Options
	// mu lets one change after the other look at the directory, so that of two administrators that disable each other one stays.
	mu sync.Mutex
}

// New gives the rules over a store.
func New(o Options) *Rules { return &Rules{Options: o} }

// By is who changes something, with what rights, when and why.
type By struct {
	halley.Change
	// Person is the account; 0 for a token.
	Person halley.PersonID
	Rights directory.Rights
}

// begin looks at the newest state of the directory and lets no other change in until end is called.
func (r *Rules) begin(ctx context.Context) (s *directory.State, end func(), err error) {
	r.mu.Lock()
	if err := r.Directory.Refresh(ctx); err != nil {
		r.mu.Unlock()
		return nil, nil, err //nolint:wrapcheck // the store says it itself
	}
	return r.Directory.Directory(), r.mu.Unlock, nil
}

// changed takes a change over into this server's copy, so that the next request is answered by it. Where that fails the copy follows
// within a second by itself, and the change is made all the same.
func (r *Rules) changed(ctx context.Context) { _ = r.Directory.Refresh(ctx) }

// target gives a person that may be changed by by: who is there, may be seen and changed, and does not hold more than by does.
func target(op string, s *directory.State, by By, id halley.PersonID) (halley.Person, error) {
	p, there := s.Person(id)
	if !there || !by.Rights.AtPerson(halley.PermitPersonRead, id) && !by.Rights.AtPerson(halley.PermitPersonChange, id) {
		return p, notThere(op, "person")
	}
	if !by.Rights.AtPerson(halley.PermitPersonChange, id) {
		return p, missing(op, halley.PermitPersonChange)
	}
	if p.State == halley.PersonDeleted {
		return p, &halley.Error{
			Kind: halley.Conflict, Op: op, Code: "person-deleted", Message: "this person was deleted: invite them anew under another name",
		}
	}
	return p, nil
}

// lesser refuses where a person holds more than by could give.
func lesser(op string, s *directory.State, by By, id halley.PersonID) error {
	if by.Person == id && id != 0 {
		return nil
	}
	for _, g := range s.Grants(id) {
		if !mayGive(s, by.Rights, g.Role, g.OrganizationID) {
			return mayMore(op)
		}
	}
	return nil
}

// noWayIn refuses what would let by sign in as somebody who holds more: to appoint an administrator is not to be one. Somebody who was
// invited and has not come yet holds nothing so far.
func noWayIn(op string, s *directory.State, by By, p halley.Person) error {
	if by.Person == p.ID && p.ID != 0 || p.State == halley.PersonInvited {
		return nil
	}
	for _, g := range s.Grants(p.ID) {
		list, _ := s.RolePermissions(g.Role)
		if short, ofServer := lacking(by.Rights, list, g.OrganizationID); short || ofServer {
			return mayMore(op)
		}
	}
	return nil
}

func mayMore(op string) error {
	return &halley.Error{
		Kind: halley.Forbidden, Op: op, Code: "person-may-more",
		Message: "this person may do things that you may not: ask somebody who holds as much",
	}
}

// notSelf refuses what nobody may do to their own account.
func notSelf(op string, by By, id halley.PersonID) error {
	if by.Person != id || id == 0 {
		return nil
	}
	return &halley.Error{
		Kind: halley.Forbidden, Op: op, Code: "own-account",
		Message: "nobody changes their own rights and account here: ask another administrator",
	}
}

// staying refuses what would leave nobody to administer the root: without is a person whose account or grant would go.
func staying(op string, s *directory.State, without halley.PersonID) error {
	is := false
	for _, p := range s.People() {
		if !administers(s, p) {
			continue
		}
		if p.ID != without {
			return nil
		}
		is = true
	}
	if !is {
		return nil
	}
	return &halley.Error{
		Kind: halley.Conflict, Op: op, Code: "last-administrator",
		Message: "this is the last administrator of the whole tree: give somebody else that role at the root first",
	}
}

// administers says that a person can administer the root.
func administers(s *directory.State, p halley.Person) bool {
	if p.State != halley.PersonActive || p.Shared {
		return false
	}
	for _, g := range s.Grants(p.ID) {
		if g.Role == halley.Administrator && g.OrganizationID == halley.RootOrganization && g.PlaceID == 0 {
			return true
		}
	}
	return false
}

// openNode refuses a node that is not there, is closed, or of which by must not know.
func openNode(op string, s *directory.State, by By, id halley.OrganizationID, p halley.Permission) error {
	o, there := s.Organization(id)
	may := by.Rights.AtOrganization(p, id)
	switch {
	case !there || !may && !by.Rights.AtOrganization(halley.PermitOrganizationRead, id):
		return notThere(op, "organization")
	case !may:
		return missing(op, p)
	case o.Closed:
		return &halley.Error{
			Kind: halley.Conflict, Op: op, Code: "organization-closed", Field: "organization_id",
			Message: "this organization is closed: choose an open one",
		}
	}
	return nil
}

// notThere is what the methods give for a thing that is not there, or that must not be known of.
func notThere(op, what string) error {
	return &halley.Error{Kind: halley.NotFound, Op: op, Message: "there is no such " + what}
}

// missing says that a permission is not held where it would be needed.
func missing(op string, p halley.Permission) error {
	return &halley.Error{
		Kind: halley.Forbidden, Op: op, Code: "permission-missing", Message: "this needs the permission " + string(p) + " there",
	}
}

func invalid(op, field, message string) error {
	return &halley.Error{Kind: halley.Invalid, Op: op, Code: "not-valid", Field: field, Message: message}
}

// CheckName says what is wrong with the name of an account.
func CheckName(name string) error {
	if _, why := storage.PersonName(name); why != "" {
		return &halley.Error{Kind: halley.Invalid, Op: "check a name", Code: "bad-name", Field: "name", Message: why}
	}
	return nil
}

// CheckFullName says what is wrong with somebody's full name; "" is none.
func CheckFullName(name string) error {
	if utf8.RuneCountInString(name) > FullNameRunes || strings.ContainsFunc(name, unshown) || !utf8.ValidString(name) {
		return invalid("check a name", "full_name", "write at most 200 characters, without control characters")
	}
	return nil
}

// CheckEmail says what is wrong with an address for mail; "" is none. Whether it is anybody's only a mail can tell.
func CheckEmail(address string) error {
	if address == "" {
		return nil
	}
	user, host, found := strings.Cut(address, "@")
	foreign := strings.ContainsFunc(address, func(r rune) bool {
		return unshown(r) || unicode.IsSpace(r) || strings.ContainsRune(`<>()[]\,;:"`, r)
	})
	if !found || user == "" || host == "" || strings.Contains(host, "@") || len(address) > EmailBytes || foreign || !utf8.ValidString(address) {
		return invalid("check an address", "email", "write an address such as anna@example.net, at most 254 characters")
	}
	return nil
}

// unshown says whether r does not show, or changes how its neighbours show.
func unshown(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }
