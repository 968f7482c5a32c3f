package halley

// Permission is the right to one sort of operation. openapi.yaml names one for every operation.
type Permission string

// The permissions. PermitPublic needs no caller, PermitSelf any caller.
const (
	PermitPublic        Permission = "public"
	PermitSelf          Permission = "self"
	PermitStatusRead    Permission = "status.read"
	PermitDeviceRead    Permission = "device.read"
	PermitDeviceDecide  Permission = "device.decide"
	PermitDeviceChange  Permission = "device.change"
	PermitSampleRead    Permission = "sample.read"
	PermitUploadRead    Permission = "upload.read"
	PermitJournalFlush  Permission = "journal.flush"
	PermitDiagnosisRead Permission = "diagnosis.read"
	PermitAuditRead     Permission = "audit.read"
	// PermitProofRead shows what was verified, backed up and restored for trial; PermitProofRun begins a verification.
	PermitProofRead Permission = "proof.read"
	PermitProofRun  Permission = "proof.run"
	// PermitEvidenceRead makes the file of evidence of a place.
	PermitEvidenceRead Permission = "evidence.read"
	// PermitGapExplain says why messages are missing.
	PermitGapExplain Permission = "gap.explain"
)

// Role is a named set of permissions.
type Role string

// The roles of this version.
const (
	// Reader reads everything and changes nothing. It may ask for what waits to be recorded, for that adds nothing to what
	// devices said.
	Reader Role = "reader"
	// Administrator may do everything.
	Administrator Role = "administrator"
)

// May says whether the role holds the permission.
func (r Role) May(p Permission) bool {
	switch r {
	case Administrator:
		return true
	case Reader:
		switch p {
		case PermitPublic, PermitSelf, PermitStatusRead, PermitDeviceRead, PermitSampleRead, PermitUploadRead, PermitDiagnosisRead,
			PermitJournalFlush, PermitAuditRead, PermitProofRead, PermitEvidenceRead:
			return true
		case PermitDeviceDecide, PermitDeviceChange, PermitProofRun, PermitGapExplain:
		}
	}
	return p == PermitPublic
}

// Valid says whether r is a role of this version.
func (r Role) Valid() bool { return r == Reader || r == Administrator }
