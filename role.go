package halley

import (
	"regexp"
	"slices"
)

// Role is a named set of permissions: one of the presets, or the name of a CustomRole.
type Role string

// The presets.
const (
	// ServiceAdministrator keeps the server, its nodes and backups, and sees no values of others.
	ServiceAdministrator Role = "service-administrator"
	// DistributorAdministrator makes organizations and appoints who runs them, and sees no values.
	DistributorAdministrator Role = "distributor-administrator"
	// PaymentAdministrator sees what is counted for licence and cost, and nothing else.
	PaymentAdministrator Role = "payment-administrator"
	// Administrator may do everything at its node and below: people, places and all else; at the root also with the server.
	Administrator Role = "administrator"
	// DeviceAdministrator accepts, swaps and names devices and their entry points.
	DeviceAdministrator Role = "device-administrator"
	// AlarmAdministrator sets limits, pauses and who is told.
	AlarmAdministrator Role = "alarm-administrator"
	// User sees values, acknowledges, explains and reports.
	User Role = "user"
	// GuestAdministrator sees everything at its node, settings too, and changes nothing.
	GuestAdministrator Role = "guest-administrator"
	// Guest sees values.
	Guest Role = "guest"
	// ViewByMeasuredPlaces is a guest at named places.
	ViewByMeasuredPlaces Role = "view-by-measured-places"
	// Reader is what GuestAdministrator was called for tokens of earlier versions. It holds the same permissions, tokens may still
	// have it, and it is not offered to people.
	Reader Role = "reader"
)

// PresetRoles lists the presets that are offered, in the order in which they are shown.
func PresetRoles() []Role {
	return []Role{
		ServiceAdministrator, DistributorAdministrator, PaymentAdministrator, Administrator, DeviceAdministrator,
		AlarmAdministrator, User, GuestAdministrator, Guest, ViewByMeasuredPlaces,
	}
}

// RoleForm is how the name of a role looks, as a regular expression: 1 to 40 of a to z, 0 to 9 and -.
const RoleForm = `[a-z0-9-]{1,40}`

var roleForm = regexp.MustCompile(`^` + RoleForm + `$`)

// WellFormed says whether r can be the name of a role: it looks like RoleForm. Whether there is such a role is not known here.
func (r Role) WellFormed() bool { return roleForm.MatchString(string(r)) }

// Preset says whether r is a preset, Reader included.
func (r Role) Preset() bool { return r == Reader || slices.Contains(PresetRoles(), r) }

// Permissions lists what a preset holds, in the order of Permissions; nil for every other role.
func (r Role) Permissions() []Permission {
	switch r {
	case ServiceAdministrator:
		return []Permission{
			PermitStatusRead, PermitOrganizationRead, PermitUsageRead,
			PermitServerRead, PermitJournalFlush, PermitDiagnosisRead, PermitProofRead, PermitProofRun, PermitRetentionDecide,
		}
	case DistributorAdministrator:
		return []Permission{
			PermitStatusRead, PermitOrganizationRead, PermitOrganizationChange, PermitPersonRead, PermitPersonChange, PermitUsageRead,
		}
	case PaymentAdministrator:
		return []Permission{PermitStatusRead, PermitOrganizationRead, PermitUsageRead}
	case Administrator:
		return Permissions()
	case DeviceAdministrator:
		return []Permission{
			PermitStatusRead, PermitOrganizationRead, PermitPlaceRead, PermitPlaceChange,
			PermitDeviceRead, PermitDeviceDecide, PermitDeviceChange, PermitDeviceAttach,
			PermitSampleRead, PermitUploadRead, PermitGapExplain, PermitJournalFlush, PermitDiagnosisRead,
		}
	case AlarmAdministrator:
		return []Permission{
			PermitStatusRead, PermitOrganizationRead, PermitPlaceRead, PermitDeviceRead, PermitSampleRead, PermitReportRead,
			PermitLimitChange, PermitAlarmPause, PermitAlarmAcknowledge, PermitNotificationChange,
		}
	case User:
		return []Permission{
			PermitStatusRead, PermitOrganizationRead, PermitPlaceRead, PermitDeviceRead, PermitSampleRead, PermitEvidenceRead,
			PermitGapExplain, PermitReportRead, PermitAlarmAcknowledge,
		}
	case GuestAdministrator, Reader:
		return slices.DeleteFunc(Permissions(), func(p Permission) bool { return !p.Reads() })
	case Guest, ViewByMeasuredPlaces:
		return []Permission{PermitStatusRead, PermitOrganizationRead, PermitPlaceRead, PermitDeviceRead, PermitSampleRead}
	}
	return nil
}

// Appoints lists the presets that a preset may grant although it does not hold all their permissions itself.
func (r Role) Appoints() []Role {
	if r == DistributorAdministrator {
		return []Role{DistributorAdministrator, PaymentAdministrator, Administrator}
	}
	return nil
}
