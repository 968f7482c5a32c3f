package sqlserver

import (
	"fmt"
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
		"alarm", "attachment", "audit", "batch", "channel", "channel_description", "completeness_change", "completeness_day",
		"credential", "device", "device_description", "layout", "layout_slot", "lease", "[limit]", "message", "node", "organization",
		"organization_description", "place", "place_description", "registry_change", "rollup", "rollup_mark", "session", "tally",
		"token", "token_end", "unclocked",
	}
}

// derived are the tables whose rows the service may change and remove: what is computed from others, and what is no fact.
func derived() []string {
	return []string{"completeness_day", "lease", "node", "rollup", "rollup_mark", "session"}
}

// views are what people and their tools read, besides the function samples_between.
func views() []string {
	return []string{"alarms", "channels", "completeness", "devices", "latest", "places", "samples"}
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
		for _, t := range tables() {
			grant("SELECT, INSERT", t)
		}
		for _, t := range derived() {
			grant("UPDATE, DELETE", t)
		}
		grant("UPDATE", "alarm")
		grant("SELECT", "schema_migration")
		r.denials = denials(role)
	case roleKeeper:
		for _, t := range append(tables(), "schema_migration") {
			grant("SELECT", t)
		}
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
	free := map[string]bool{"alarm": role == roleService}
	for _, t := range derived() {
		free[t] = role == roleService
	}
	for _, t := range tables() {
		if !free[t] {
			list = append(list, "DENY UPDATE, DELETE ON halley."+t+" TO "+role)
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
