package viewerapi

import (
	"net/http"

	"halley"
	"halley/server/access"
)

// permissions are those that a role can hold, in the order in which they are shown.
var permissions = []halley.Permission{
	halley.PermitStatusRead, halley.PermitDeviceRead, halley.PermitDeviceDecide, halley.PermitDeviceChange,
	halley.PermitSampleRead, halley.PermitUploadRead, halley.PermitJournalFlush, halley.PermitDiagnosisRead,
	halley.PermitAuditRead, halley.PermitProofRead, halley.PermitProofRun, halley.PermitEvidenceRead, halley.PermitGapExplain,
}

// meView is who asks.
type meView struct {
	Name        string              `json:"name"`
	Kind        access.CallerKind   `json:"kind"`
	Role        halley.Role         `json:"role"`
	Permissions []halley.Permission `json:"permissions"`
	ExpiresAt   Time                `json:"expires_at"`
}

// getMe says who asks and what they may do.
func (a *API) getMe(w http.ResponseWriter, r *http.Request) error {
	caller, _ := access.CallerFrom(r.Context())
	me := meView{
		Name: caller.Name, Kind: caller.Kind, Role: caller.Role,
		Permissions: []halley.Permission{}, ExpiresAt: Time(caller.ExpiresAt),
	}
	for _, p := range permissions {
		if caller.Role.May(p) {
			me.Permissions = append(me.Permissions, p)
		}
	}
	return writeJSON(w, me)
}
