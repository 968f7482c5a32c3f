package halley

import "slices"

// Permission is the right to one sort of operation. openapi.yaml names one for every operation.
type Permission string

// PermitPublic needs no caller, PermitSelf any caller, about itself.
const (
	PermitPublic Permission = "public"
	PermitSelf   Permission = "self"
)

// The permissions that concern the server as a whole. They count only where they are granted at the root.
const (
	// PermitServerRead shows nodes, listeners, database and disk.
	PermitServerRead    Permission = "server.read"
	PermitJournalFlush  Permission = "journal.flush"
	PermitDiagnosisRead Permission = "diagnosis.read"
	// PermitProofRead shows what was verified, backed up and restored for trial; PermitProofRun begins a verification.
	PermitProofRead Permission = "proof.read"
	PermitProofRun  Permission = "proof.run"
	// PermitRetentionDecide proposes or confirms that days are removed for good.
	PermitRetentionDecide Permission = "retention.decide"
)

// The permissions that count at the node where they are granted and below.
const (
	// PermitStatusRead shows how things stand. Everybody with any role has it.
	PermitStatusRead Permission = "status.read"
	// PermitUsageRead counts places, devices, people and samples, as for a licence or an invoice.
	PermitUsageRead          Permission = "usage.read"
	PermitOrganizationRead   Permission = "organization.read"
	PermitOrganizationChange Permission = "organization.change"
	PermitPlaceRead          Permission = "place.read"
	PermitPlaceChange        Permission = "place.change"
	PermitDeviceRead         Permission = "device.read"
	PermitDeviceDecide       Permission = "device.decide"
	PermitDeviceChange       Permission = "device.change"
	// PermitDeviceAttach attaches channels to places and swaps devices.
	PermitDeviceAttach Permission = "device.attach"
	PermitSampleRead   Permission = "sample.read"
	PermitUploadRead   Permission = "upload.read"
	// PermitEvidenceRead makes the file of evidence of a place.
	PermitEvidenceRead Permission = "evidence.read"
	// PermitGapExplain says why messages are missing.
	PermitGapExplain Permission = "gap.explain"
	// PermitLimitChange, PermitAlarmPause and PermitNotificationChange set what is watched and who is told.
	PermitLimitChange        Permission = "limit.change"
	PermitAlarmPause         Permission = "alarm.pause"
	PermitNotificationChange Permission = "notification.change"
	PermitAlarmAcknowledge   Permission = "alarm.acknowledge"
	PermitReportRead         Permission = "report.read"
	PermitPersonRead         Permission = "person.read"
	// PermitPersonChange invites, changes and deletes people, and grants them roles.
	PermitPersonChange Permission = "person.change"
	PermitRoleChange   Permission = "role.change"
	PermitTokenRead    Permission = "token.read"
	PermitTokenChange  Permission = "token.change"
	PermitAuditRead    Permission = "audit.read"
	// PermitAuditReview marks the audit trail as reviewed up to an entry; it counts at the root alone, for the trail is one.
	PermitAuditReview Permission = "audit.review"
)

// Permissions lists all that a role can hold, in the order in which they are shown.
func Permissions() []Permission {
	return []Permission{
		PermitStatusRead, PermitOrganizationRead, PermitOrganizationChange, PermitPlaceRead, PermitPlaceChange,
		PermitDeviceRead, PermitDeviceDecide, PermitDeviceChange, PermitDeviceAttach,
		PermitSampleRead, PermitUploadRead, PermitEvidenceRead, PermitGapExplain, PermitReportRead,
		PermitLimitChange, PermitAlarmPause, PermitAlarmAcknowledge, PermitNotificationChange,
		PermitPersonRead, PermitPersonChange, PermitRoleChange, PermitTokenRead, PermitTokenChange,
		PermitAuditRead, PermitAuditReview, PermitUsageRead,
		PermitServerRead, PermitJournalFlush, PermitDiagnosisRead, PermitProofRead, PermitProofRun, PermitRetentionDecide,
	}
}

// OfServer says that the permission counts only where it is granted at the root.
func (p Permission) OfServer() bool {
	return slices.Contains([]Permission{
		PermitServerRead, PermitJournalFlush, PermitDiagnosisRead, PermitProofRead, PermitProofRun, PermitRetentionDecide,
		PermitAuditReview,
	}, p)
}

// Reads says that the permission changes nothing: what a shared account, a guest administrator and "Show as" may have. To flush
// the journal adds nothing to what devices said.
func (p Permission) Reads() bool {
	return slices.Contains([]Permission{
		PermitStatusRead, PermitOrganizationRead, PermitPlaceRead, PermitDeviceRead, PermitSampleRead, PermitUploadRead,
		PermitEvidenceRead, PermitReportRead, PermitPersonRead, PermitTokenRead, PermitAuditRead, PermitUsageRead,
		PermitServerRead, PermitJournalFlush, PermitDiagnosisRead, PermitProofRead,
	}, p)
}
