package viewerapi

import (
	"net/http"

	"halley"
)

// peopleOperations are those of people, roles, tokens, reviews and usage.
func (a *API) peopleOperations() []operation {
	const v1 = "/api/v1"
	const get, post, remove = http.MethodGet, http.MethodPost, http.MethodDelete
	const read, change = halley.PermitPersonRead, halley.PermitPersonChange
	return []operation{
		{ID: "listPeople", Method: get, Path: v1 + "/people", Permission: read, Scope: scopeHandler, serve: a.listPeople},
		{ID: "invitePerson", Method: post, Path: v1 + "/people", Permission: change, Scope: scopeHandler, serve: a.invitePerson},
		{ID: "getPerson", Method: get, Path: v1 + "/people/{id}", Permission: read, Scope: scopePerson, serve: a.getPerson},
		{
			ID: "changePerson", Method: http.MethodPatch, Path: v1 + "/people/{id}",
			Permission: change, Scope: scopePerson, serve: a.changePerson,
		},
		{ID: "deletePerson", Method: remove, Path: v1 + "/people/{id}", Permission: change, Scope: scopePerson, serve: a.deletePerson},
		{ID: "resetPerson", Method: post, Path: v1 + "/people/{id}/reset", Permission: change, Scope: scopePerson, serve: a.resetPerson},
		{
			ID: "removeSecondFactor", Method: remove, Path: v1 + "/people/{id}/second-factor",
			Permission: change, Scope: scopePerson, serve: a.removeSecondFactor,
		},
		{
			ID: "listPersonSessions", Method: get, Path: v1 + "/people/{id}/sessions",
			Permission: read, Scope: scopePerson, serve: a.listPersonSessions,
		},
		{
			ID: "endPersonSessions", Method: remove, Path: v1 + "/people/{id}/sessions",
			Permission: change, Scope: scopePerson, serve: a.endPersonSessions,
		},
		{
			ID: "endPersonSession", Method: remove, Path: v1 + "/people/{id}/sessions/{session}",
			Permission: change, Scope: scopePerson, serve: a.endPersonSessions,
		},
		{ID: "grantRole", Method: post, Path: v1 + "/people/{id}/grants", Permission: change, Scope: scopePerson, serve: a.grantRole},
		{
			ID: "endGrant", Method: remove, Path: v1 + "/people/{id}/grants/{grant}",
			Permission: change, Scope: scopePerson, serve: a.endGrant,
		},
		{ID: "getPersonRights", Method: get, Path: v1 + "/people/{id}/rights", Permission: read, Scope: scopePerson, serve: a.getPersonRights},
		{ID: "showAs", Method: post, Path: v1 + "/me/show-as", Permission: read, Scope: scopeHandler, serve: a.showAs},
		{ID: "endShowAs", Method: remove, Path: v1 + "/me/show-as", Permission: halley.PermitSelf, Scope: scopeNone, serve: a.endShowAs},
		{ID: "listRoles", Method: get, Path: v1 + "/roles", Permission: halley.PermitOrganizationRead, Scope: scopeHandler, serve: a.listRoles},
		{ID: "addRole", Method: post, Path: v1 + "/roles", Permission: halley.PermitRoleChange, Scope: scopeHandler, serve: a.addRole},
		{
			ID: "changeRole", Method: http.MethodPatch, Path: v1 + "/roles/{id}",
			Permission: halley.PermitRoleChange, Scope: scopeHandler, serve: a.changeRole,
		},
		{ID: "closeRole", Method: remove, Path: v1 + "/roles/{id}", Permission: halley.PermitRoleChange, Scope: scopeHandler, serve: a.closeRole},
		{ID: "listTokens", Method: get, Path: v1 + "/tokens", Permission: halley.PermitTokenRead, Scope: scopeHandler, serve: a.listTokens},
		{ID: "createToken", Method: post, Path: v1 + "/tokens", Permission: halley.PermitTokenChange, Scope: scopeHandler, serve: a.createToken},
		{
			ID: "revokeToken", Method: remove, Path: v1 + "/tokens/{id}",
			Permission: halley.PermitTokenChange, Scope: scopeHandler, serve: a.revokeToken,
		},
		{ID: "listReviews", Method: get, Path: v1 + "/audit/reviews", Permission: halley.PermitAuditRead, Scope: scopeAnywhere, serve: a.listReviews},
		{ID: "addReview", Method: post, Path: v1 + "/audit/reviews", Permission: halley.PermitAuditReview, Scope: scopeServer, serve: a.addReview},
		{ID: "getUsage", Method: get, Path: v1 + "/usage", Permission: halley.PermitUsageRead, Scope: scopeHandler, serve: a.getUsage},
	}
}
