package sqlserver

import (
	"embed"
	"fmt"
	"strings"
	"text/template"

	"halley"
)

//go:embed scripts/*.sql
var scriptFiles embed.FS

// ScriptParts are what Script prints: all, or the part of one login.
func ScriptParts() []string {
	return []string{"all", "owner", "service", "keeper", "reader", "ledger"}
}

// script is a part being written.
type script struct {
	database  string
	templates *template.Template
	out       strings.Builder
	err       error
}

// Script gives the T-SQL that an administrator runs instead of Init, with sqlcmd or Management Studio, for the database that the
// DSN names. "all" is everything in its order; "owner" makes the database and the login that Init signs in with, "service", "keeper"
// and "reader" the role and the login of the server, of backups and retention, and of people's tools. "ledger" makes the append-only
// ledger table, which "all" leaves out. Run again, a script changes nothing. It holds no password: whoever runs it writes them in.
func Script(o Options, part string) (string, error) {
	t, err := parse(o)
	if err != nil {
		return "", err
	}
	s := &script{database: t.config.Database}
	s.templates, err = template.New("").Funcs(template.FuncMap{"text": quoteText, "name": quoteName}).ParseFS(scriptFiles, "scripts/*.sql")
	if err != nil {
		return "", fmt.Errorf("reading the scripts: %w", err)
	}
	switch part {
	case "all":
		s.makeDatabase()
		s.login("halley_owner", "db_owner")
		s.schema()
		for _, role := range roles() {
			s.role(role)
			s.login(role+"_login", role)
		}
	case "owner":
		s.makeDatabase()
		s.login("halley_owner", "db_owner")
	case "service", "keeper", "reader":
		s.role("halley_" + part)
		s.login("halley_"+part+"_login", "halley_"+part)
	case "ledger":
		s.write("ledger.sql", map[string]any{
			"Database": s.database, "Able": ableLedger, "Batches": batches(ledgerEntry), "Grants": ledgerGrants(),
		})
	default:
		return "", &halley.Error{
			Kind: halley.Invalid, Op: "print the script", Field: "print-script",
			Message: "it is one of " + strings.Join(ScriptParts(), ", "),
		}
	}
	return s.out.String(), s.err
}

func (s *script) write(file string, data any) {
	if s.err != nil {
		return
	}
	if err := s.templates.ExecuteTemplate(&s.out, file, data); err != nil {
		s.err = fmt.Errorf("writing the script: %w", err)
	}
	s.out.WriteString("\n")
}

func (s *script) makeDatabase() {
	s.write("database.sql", map[string]string{
		"Database":       s.database,
		"CreateDatabase": "CREATE DATABASE " + quoteName(s.database),
		"Snapshots":      "ALTER DATABASE " + quoteName(s.database) + " SET READ_COMMITTED_SNAPSHOT ON",
	})
}

// schema writes the migrations. What one of them runs stands in texts, so that all of it is one batch: tools go on with the next
// batch after an error.
func (s *script) schema() {
	type step struct {
		Number         int
		Name, Checksum string
		Batches        []string
	}
	list, err := migrations()
	if err != nil {
		s.err = err
		return
	}
	var steps []step
	for _, m := range list {
		steps = append(steps, step{m.Number, m.Name, m.Checksum, batches(m.SQL)})
	}
	s.write("schema.sql", map[string]any{
		"Database": s.database, "SchemaTable": strings.TrimSpace(createSchemaTable), "Migrations": steps, "Compress": compressMessages,
	})
}

// about says what a role is for.
func about(role string) []string {
	switch role {
	case roleService:
		return []string{
			"The server signs in with it. It adds rows and reads; it changes and removes only what is computed from others, leases and",
			"sessions, and changes the state of alarms. It must not own the tables: who does may empty them past every trigger.",
		}
	case roleKeeper:
		return []string{
			"Backups are made with it, and a retention rule is carried out with it. It reads everything, as every backup does. It adds to the",
			"audit trail and writes tombstones; it removes messages, and takes packs away, only for days that a tombstone covers.",
		}
	}
	return []string{
		"Excel, Power BI, Grafana and other tools read with it. It sees the seven views and samples_between and nothing else, but",
		"in them the samples of every place: SQL Server does not know which person may see which place.",
	}
}

func (s *script) role(role string) {
	r := rightsOf(role)
	extras := make([]string, 0, len(r.extras))
	for _, x := range r.extras {
		extras = append(extras, x.grant)
	}
	s.write("role.sql", map[string]any{
		"Database": s.database, "Role": role, "About": about(role), "CreateRole": createRole(role),
		"Grants": r.grants, "Extras": extras, "Denials": r.denials,
	})
}

func (s *script) login(login, role string) {
	s.write("login.sql", map[string]any{"Database": s.database, "Login": login, "Role": role, "Server": role == roleKeeper})
}
