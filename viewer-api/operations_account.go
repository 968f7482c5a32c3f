package viewerapi

import (
	"net/http"

	"halley"
)

// accountOperations are those of signing in and of the caller's own account.
func (a *API) accountOperations() []operation {
	const v1 = "/api/v1"
	get, post := http.MethodGet, http.MethodPost
	public := func(id, method, path string, serve handlerFunc) operation {
		return operation{ID: id, Method: method, Path: v1 + path, Permission: halley.PermitPublic, Scope: scopeNone, serve: serve}
	}
	self := func(id, method, path string, serve handlerFunc) operation {
		return operation{ID: id, Method: method, Path: v1 + path, Permission: halley.PermitSelf, Scope: scopeNone, serve: serve}
	}
	return []operation{
		public("getSignIn", get, "/sign-in", a.getSignIn),
		public("makeFirstAccount", post, "/first-account", a.makeFirstAccount),
		public("requestReset", post, "/password-reset", a.requestReset),
		public("lookLink", post, "/links/look", a.lookLink),
		public("useLink", post, "/links", a.useLink),
		self("changeMe", http.MethodPatch, "/me", a.changeMe),
		self("changePassword", post, "/me/password", a.changePassword),
		self("confirmMe", post, "/me/confirmation", a.confirmMe),
		self("listMySessions", get, "/me/sessions", a.listMySessions),
		self("endMySession", http.MethodDelete, "/me/sessions/{session}", a.endMySession),
	}
}
