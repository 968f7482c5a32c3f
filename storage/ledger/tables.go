package ledger

import "strings"

// FactTables are the tables whose rows are chained, in the order in which one transaction's rows are packed: the audit trail first,
// then what it explains. Columns that a migration adds later go behind the others.
func FactTables() []FactTable {
	list := strings.Fields
	return []FactTable{
		{Name: "audit", Key: 1, Columns: list("audit_id at actor_kind actor_name actor_session what subject old_value new_value why seq")},
		{Name: "organization", Key: 1, Columns: list("organization_id parent_id created_at")},
		{Name: "organization_description", Key: 2, Columns: list("organization_id number at name time_zone audit_id parent_id closed")},
		{Name: "place", Key: 1, Columns: list("place_id organization_id created_at")},
		{Name: "place_description", Key: 2, Columns: list("place_id number at name audit_id organization_id closed")},
		{Name: "device", Key: 1, Columns: list("device_id family serial first_seen_at")},
		{
			Name: "device_description", Key: 2,
			Columns: list("device_id number at state model self_name given_name place_id audit_id organization_id"),
		},
		{Name: "channel", Key: 1, Columns: list("channel_id device_id number quantity unit")},
		{Name: "channel_description", Key: 2, Columns: list("channel_id from_at name decimals")},
		{Name: "attachment", Key: 1, Columns: list("attachment_id channel_id from_at place_id audit_id series")},
		{Name: "layout", Key: 1, Columns: list("layout_id device_id")},
		{Name: "layout_slot", Key: 3, Columns: list("layout_id part slot channel_id")},
		{
			Name: "limit", Key: 1,
			Columns: list("limit_id place_id quantity unit side rank from_at value hysteresis delay_ms audit_id"),
		},
		{
			Name: "credential", Key: 1, Hashed: list("hash"),
			Columns: list("credential_id device_id kind hash created_at audit_id"),
		},
		{Name: "token", Key: 1, Hashed: list("hash"), Columns: list("token_id name hash role expires_at created_at audit_id organization_id places")},
		{Name: "token_end", Key: 1, Columns: list("token_id revoked_at audit_id")},
		{Name: "ledger_key", Key: 1, Columns: list("ledger_key_id key_id node public_key created_at audit_id")},
		{
			Name: "tombstone", Key: 1,
			Columns: list("tombstone_id from_day to_day at proposed_by carried_out_by why key_id body signature audit_id"),
		},
		{Name: "proof", Key: 1, Columns: list("proof_id at node kind ok summary audit_id")},
		{Name: "interruption", Key: 1, Columns: list("interruption_id node kind from_at to_at")},
		{Name: "gap_cause", Key: 1, Columns: list("gap_cause_id device_id from_at to_at cause note audit_id")},
		{Name: "person", Key: 1, Columns: list("person_id name created_at audit_id")},
		{Name: "person_description", Key: 2, Columns: list("person_id number at state organization_id source shared audit_id")},
		{Name: "role", Key: 1, Columns: list("role_id name organization_id created_at audit_id")},
		{Name: "role_description", Key: 2, Columns: list("role_id number at permissions closed audit_id")},
		{Name: "role_grant", Key: 1, Columns: list("role_grant_id person_id role organization_id place_id from_at audit_id")},
		{Name: "role_grant_end", Key: 1, Columns: list("role_grant_id ended_at audit_id")},
		{Name: "audit_review", Key: 1, Columns: list("audit_review_id up_to at who note audit_id")},
	}
}
