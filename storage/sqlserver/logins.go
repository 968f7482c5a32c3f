package sqlserver

import (
	"fmt"
	"slices"
	"strings"
)

// The roles of the database. The owner has none: it is a member of db_owner, is used by halley init only, and may be the login
// of an administrator.
const (
	roleService = "halley_service"
	roleKeeper  = "halley_keeper"
	roleReader  = "halley_reader"
)

// tables are all tables of the schema but schema_migration.
func tables() []string {
	return []string{
		"alarm", "attachment", "audit", "audit_review", "batch", "channel", "channel_description", "[checkpoint]", "completeness_change",
		"completeness_day", "credential", "device", "device_description", "fact", "gap_cause", "interruption", "layout", "layout_slot",
		"lease", "ledger_key", "[limit]", "message", "node", "organization", "organization_description", "part", "place",
		"person", "person_detail", "person_description", "person_secret", "place_description", "proof", "registry_change", "role",
		"role_description", "role_grant", "role_grant_end", "rollup", "rollup_mark", "session", "tally", "token", "token_end",
		"tombstone", "unclocked",
	}
}

// derived are the tables whose rows the service may change and remove: what is computed from others, and what is no fact.
func derived() []string {
	return []string{
		"completeness_day", "lease", "node", "person_detail", "person_secret", "rollup", "rollup_mark", "session",
	}
}

// private are the tables that only the service may read: personal data, what people prove themselves by, and their sessions.
func private() []string { return []string{"person_detail", "person_secret", "session"} }

// addable are the tables that the service adds rows to: all but the one behind which samples can be removed.
func addable() []string {
	return slices.DeleteFunc(tables(), func(t string) bool { return t == "tombstone" })
}

// noted are the tables to which the keeper adds rows: what retention removed, who did it, and that neither changes later.
func noted() []string { return []string{"audit", "fact", "tombstone"} }

// removable are the tables from which the keeper removes the days that a tombstone covers, which triggers see to.
func removable() []string { return []string{"message", "unclocked"} }

// settled are the tables that the keeper brings up to date before the samples go that they are computed from.
func settled() []string { return []string{"rollup", "rollup_mark"} }

// packGrant lets the keeper take the pack of a part away, and change nothing else of it.
const packGrant = "GRANT UPDATE (pack) ON halley.part TO " + roleKeeper

// views are what people and their tools read, besides the function samples_between.
func views() []string {
	return []string{"alarms", "attachments", "channels", "completeness", "devices", "latest", "organizations", "places", "samples"}
}

// rights are the statements about the rights of a role. They change nothing where they were run before.
type rights struct {
	grants []string
	// denials hold even where somebody gives the role, or one of its members, more than it should have. An engine without them
	// loses nothing: what they deny was never granted.
	denials []string
	// extras are grants that not every engine, or not every owner, can give.
	extras []extra
}

// extra is a grant, and what does not work without it.
type extra struct{ grant, missing string }

// rightsOf gives the rights of a role.
func rightsOf(role string) rights {
	var r rights
	grant := func(what, on string) { r.grants = append(r.grants, "GRANT "+what+" ON halley."+on+" TO "+role) }
	switch role {
	case roleService:
		for _, t := range addable() {
			grant("SELECT, INSERT", t)
		}
		grant("SELECT", "tombstone")
		for _, t := range derived() {
			grant("UPDATE, DELETE", t)
		}
		grant("UPDATE", "alarm")
		grant("SELECT", "schema_migration")
		r.denials = denials(role)
	case roleKeeper:
		for _, t := range append(tables(), "schema_migration") {
			if !slices.Contains(private(), t) {
				grant("SELECT", t)
			}
		}
		for _, t := range noted() {
			grant("INSERT", t)
		}
		for _, t := range removable() {
			grant("DELETE", t)
		}
		for _, t := range settled() {
			grant("INSERT, UPDATE, DELETE", t)
		}
		r.grants = append(r.grants, packGrant)
		r.denials = denials(role)
		r.extras = []extra{{
			"GRANT BACKUP DATABASE, BACKUP LOG TO " + role, "the role " + role + " could not be given the right to make backups",
		}}
	case roleReader:
		for _, v := range views() {
			grant("SELECT", v)
		}
		r.denials = denials(role)
		r.extras = []extra{{
			"GRANT SELECT ON halley.samples_between TO " + role, "the role " + role + " could not be given the function samples_between",
		}}
	}
	return r
}

// denials say what a role may never do, whatever it is given.
func denials(role string) []string {
	var list []string
	deny := func(what, on string) { list = append(list, "DENY "+what+" ON halley."+on+" TO "+role) }
	for _, t := range tables() {
		switch {
		case role != roleService && slices.Contains(private(), t):
			deny("SELECT, INSERT, UPDATE, DELETE", t)
		case role == roleService && (t == "alarm" || slices.Contains(derived(), t)):
		case role == roleKeeper && slices.Contains(settled(), t):
		case role == roleKeeper && slices.Contains(removable(), t):
			deny("INSERT, UPDATE", t)
		case role == roleKeeper && t == "part":
			deny("INSERT, DELETE", t)
			// Of a part the pack alone may be changed. A denial on the whole table would take that away on some versions.
			deny("UPDATE (batch_id, day, count, digest)", t)
		case role == roleKeeper && !slices.Contains(noted(), t), role == roleReader, role == roleService && t == "tombstone":
			deny("INSERT, UPDATE, DELETE", t)
		default:
			deny("UPDATE, DELETE", t)
		}
	}
	// Who may alter a table may truncate it, which fires no trigger.
	return append(list, "DENY ALTER, TAKE OWNERSHIP ON SCHEMA::halley TO "+role)
}

// roles are those that Init makes.
func roles() []string { return []string{roleService, roleKeeper, roleReader} }

// createRole makes a role unless it is there.
func createRole(role string) string {
	return fmt.Sprintf("IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = N'%s') CREATE ROLE %s", role, role)
}

// quoteName gives a name in brackets.
func quoteName(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

// quoteText gives a text as a literal.
func quoteText(text string) string { return "N'" + strings.ReplaceAll(text, "'", "''") + "'" }
