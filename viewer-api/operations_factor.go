package viewerapi

import (
	"net/http"

	"halley"
)

// factorOperations are those of second factors and of signing in elsewhere.
func (a *API) factorOperations() []operation {
	const v1 = "/api/v1"
	get, post, remove := http.MethodGet, http.MethodPost, http.MethodDelete
	public := func(id, method, path string, serve handlerFunc) operation {
		return operation{ID: id, Method: method, Path: v1 + path, Permission: halley.PermitPublic, Scope: scopeNone, serve: serve}
	}
	self := func(id, method, path string, serve handlerFunc) operation {
		return operation{ID: id, Method: method, Path: v1 + path, Permission: halley.PermitSelf, Scope: scopeNone, serve: serve}
	}
	return []operation{
		self("beginTOTP", post, "/me/totp", a.beginTOTP),
		self("removeTOTP", remove, "/me/totp", a.removeTOTP),
		self("confirmTOTP", post, "/me/totp/confirmation", a.confirmTOTP),
		self("makeRecoveryCodes", post, "/me/recovery-codes", a.makeRecoveryCodes),
		self("listPasskeys", get, "/me/passkeys", a.listPasskeys),
		self("addPasskey", post, "/me/passkeys", a.addPasskey),
		self("askForPasskey", post, "/me/passkeys/options", a.askForPasskey),
		self("removePasskey", remove, "/me/passkeys/{passkey}", a.removePasskey),
		public("signInWithPasskey", post, "/session/passkey", a.signInWithPasskey),
		public("beginOIDC", get, "/session/oidc/{issuer}", a.beginOIDC),
		public("finishOIDC", get, "/session/oidc/{issuer}/callback", a.finishOIDC),
	}
}
