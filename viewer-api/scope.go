package viewerapi

import (
	"net/http"
	"strconv"

	"github.com/gorilla/mux"

	"halley"
	"halley/server/access"
	"halley/server/directory"
)

// scope says where an operation's permission is looked for. openapi.yaml names it as x-scope.
type scope string

// The scopes.
const (
	// scopeNone is for operations that are public or about the caller itself.
	scopeNone scope = "none"
	// scopeAnywhere asks whether the caller holds the permission at any node.
	scopeAnywhere scope = "anywhere"
	// scopeServer asks at the root.
	scopeServer scope = "server"
	// scopeOrganization, scopePlace, scopeDevice, scopeChannel and scopePerson ask at the node of the thing that the path's {id}
	// names.
	scopeOrganization scope = "organization"
	scopePlace        scope = "place"
	scopeDevice       scope = "device"
	scopeChannel      scope = "channel"
	scopePerson       scope = "person"
	// scopeHandler asks as scopeAnywhere does, and the handler then lists only what the caller may see, or looks at the node that
	// the body names.
	scopeHandler scope = "handler"
)

// rightsOf gives what the caller of r may see and do. Everything that one request asks of them fits together, for they do not change.
func rightsOf(r *http.Request) directory.Rights {
	caller, _ := access.CallerFrom(r.Context())
	return caller.Rights
}

// thing is what a path or a body names: a sort of thing, which is one of the five scopes that stand for one, and its id.
type thing struct {
	sort scope
	id   int64
}

// pathThing gives what a path names for a scope; ok is false where the scope stands for no thing. The id is 0 where it cannot be one.
func pathThing(r *http.Request, s scope) (t thing, ok bool) {
	switch s {
	case scopeOrganization, scopePlace, scopeDevice, scopeChannel, scopePerson:
		return thing{s, wholeID(mux.Vars(r)["id"])}, true
	case scopeNone, scopeAnywhere, scopeServer, scopeHandler:
	}
	return thing{}, false
}

// held says whether a permission is held at the thing; never at one that is not there.
func (t thing) held(rights directory.Rights, p halley.Permission) bool {
	if t.id < 1 {
		return false
	}
	switch t.sort {
	case scopeOrganization:
		return rights.AtOrganization(p, halley.OrganizationID(t.id))
	case scopePlace:
		return rights.AtPlace(p, halley.PlaceID(t.id))
	case scopeDevice:
		return rights.AtDevice(p, halley.DeviceID(t.id))
	case scopeChannel:
		return rights.AtChannel(p, halley.ChannelID(t.id))
	case scopePerson:
		return rights.AtPerson(p, halley.PersonID(t.id))
	case scopeNone, scopeAnywhere, scopeServer, scopeHandler:
	}
	return false
}

// shows is the permission by which a caller knows that the thing is there.
func (t thing) shows() halley.Permission {
	switch t.sort {
	case scopeOrganization:
		return halley.PermitOrganizationRead
	case scopePlace:
		return halley.PermitPlaceRead
	case scopePerson:
		return halley.PermitPersonRead
	case scopeDevice, scopeChannel, scopeNone, scopeAnywhere, scopeServer, scopeHandler:
	}
	return halley.PermitDeviceRead
}

// allow says whether the permission is held at the thing: Forbidden where the caller sees the thing and may not do this with it, and
// NotFound where it cannot even see it, in the same words as for one that is not there.
func (t thing) allow(rights directory.Rights, p halley.Permission) error {
	switch {
	case t.held(rights, p):
		return nil
	case t.held(rights, t.shows()):
		return &halley.Error{
			Kind: halley.Forbidden, Op: "check a permission", Code: "permission-missing",
			Message: "this needs the permission " + string(p) + " for this " + string(t.sort) + ", which none of your roles holds there",
		}
	}
	return t.missing()
}

// opFindThing is the Op of the errors that say that there is no such thing for the caller.
const opFindThing = "find a thing"

// missing says that there is no such thing.
func (t thing) missing() error {
	return &halley.Error{
		Kind: halley.NotFound, Op: opFindThing, Message: "there is no " + string(t.sort) + " with this id: look it up in its list",
	}
}

// String names the thing as the audit trail does: "device 12".
func (t thing) String() string { return string(t.sort) + " " + strconv.FormatInt(t.id, 10) }
