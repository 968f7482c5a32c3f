package viewerapi

import (
	"net/http"

	"halley"
)

// treeOperations are those of organizations and places.
func (a *API) treeOperations() []operation {
	const v1 = "/api/v1"
	get, post, patch := http.MethodGet, http.MethodPost, http.MethodPatch
	return []operation{
		{
			ID: "listOrganizations", Method: get, Path: v1 + "/organizations",
			Permission: halley.PermitOrganizationRead, Scope: scopeHandler, serve: a.listOrganizations,
		},
		{
			ID: "addOrganization", Method: post, Path: v1 + "/organizations",
			Permission: halley.PermitOrganizationChange, Scope: scopeHandler, serve: a.addOrganization,
		},
		{
			ID: "getOrganization", Method: get, Path: v1 + "/organizations/{id}",
			Permission: halley.PermitOrganizationRead, Scope: scopeOrganization, serve: a.getOrganization,
		},
		{
			ID: "changeOrganization", Method: patch, Path: v1 + "/organizations/{id}",
			Permission: halley.PermitOrganizationChange, Scope: scopeOrganization, serve: a.changeOrganization,
		},
		{
			ID: "addPlace", Method: post, Path: v1 + "/places",
			Permission: halley.PermitPlaceChange, Scope: scopeHandler, serve: a.addPlace,
		},
		{
			ID: "changePlace", Method: patch, Path: v1 + "/places/{id}",
			Permission: halley.PermitPlaceChange, Scope: scopePlace, serve: a.changePlace,
		},
		{
			ID: "getPlaceSamples", Method: get, Path: v1 + "/places/{id}/samples",
			Permission: halley.PermitSampleRead, Scope: scopePlace, serve: a.getPlaceSamples,
		},
		{
			ID: "attachChannels", Method: post, Path: v1 + "/places/{id}/attachments",
			Permission: halley.PermitDeviceAttach, Scope: scopePlace, serve: a.attachChannels,
		},
		{
			ID: "detachChannels", Method: post, Path: v1 + "/places/{id}/detachments",
			Permission: halley.PermitDeviceAttach, Scope: scopePlace, serve: a.detachChannels,
		},
		{
			ID: "planSwap", Method: get, Path: v1 + "/places/{id}/swap",
			Permission: halley.PermitDeviceAttach, Scope: scopePlace, serve: a.planSwap,
		},
		{
			ID: "swapDevices", Method: post, Path: v1 + "/places/{id}/swap",
			Permission: halley.PermitDeviceAttach, Scope: scopePlace, serve: a.swapDevices,
		},
		{
			ID: "moveDevice", Method: post, Path: v1 + "/devices/{id}/move",
			Permission: halley.PermitDeviceChange, Scope: scopeDevice, serve: a.moveDevice,
		},
	}
}
