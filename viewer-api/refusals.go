package viewerapi

import (
	"errors"
	"net/http"

	"halley"
	"halley/server/access"
)

// noteRefusal has the audit trail say that the caller was refused an operation: its own refusals and those of the handler, which looks
// at what query and body name.
func (a *API) noteRefusal(r *http.Request, op *operation, refused error) {
	caller, ok := access.CallerFrom(r.Context())
	if !ok || op.Permission == halley.PermitPublic || !isRefusal(&caller, op, refused) {
		return
	}
	on := "operation " + op.ID
	if t, ok := pathThing(r, op.Scope); ok && t.id > 0 {
		on = t.String()
	}
	p := problemOf(refused)
	a.Access.NoteDenied(r.Context(), caller, access.Denied{
		Operation: op.ID, On: on, Reads: op.Method == http.MethodGet, Status: p.Status, Code: p.Code,
	})
}

// isRefusal says whether an error is an answer to somebody who asked for what they may not do or see. Being asked for the password anew
// is none. Nor is what the viewer reads while a session must do something first, or shows what somebody else sees.
func isRefusal(caller *access.Caller, op *operation, err error) bool {
	e, ok := errors.AsType[*halley.Error](err)
	if !ok || e.Code == codeConfirm {
		return false
	}
	if op.Method != http.MethodGet {
		return e.Kind == halley.Forbidden || e.Kind == halley.NotFound
	}
	// What is not there for anybody, such as the last upload of a new device, is refused to nobody.
	return caller.Must == "" && caller.ShowAs == 0 && (e.Kind == halley.Forbidden || e.Kind == halley.NotFound && e.Op == opFindThing)
}
