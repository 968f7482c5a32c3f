package config

import (
	"net/url"
	"slices"
	"strings"

	"halley"
)

// storeScheme begins the DSN of a database of SQL Server.
const storeScheme = "sqlserver"

// storeForm is what a DSN looks like.
const storeForm = "write sqlserver://USER@HOST:PORT?database=NAME, or nothing for the embedded store"

// storeAddress never repeats the value: it may hold a password. It looks at the shape only; the store looks at the rest.
func storeAddress(s string) string {
	if s == "" {
		return ""
	}
	scheme, _, isAddress := strings.Cut(s, "://")
	switch lower := strings.ToLower(s); {
	case isAddress && slices.Contains([]string{"mssql", "sqlsrv", "jdbc:sqlserver"}, strings.ToLower(scheme)):
		return "the address of SQL Server begins with sqlserver://; " + storeForm
	case strings.Contains(lower, "server=") || strings.Contains(lower, "data source="):
		return "this is a connection text of another kind; " + storeForm
	case !isAddress || scheme != storeScheme:
		return storeForm
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "this cannot be read as an address; write signs such as @ : / # % in user or password as %40 %3A %2F %23 %25"
	case u.Hostname() == "":
		return "the host is missing; " + storeForm
	}
	return ""
}

// PasswordInDSN says whether a DSN holds a password.
func PasswordInDSN(dsn halley.Secret) bool {
	u, err := url.Parse(dsn.Reveal())
	if err != nil {
		return true // who knows
	}
	_, given := u.User.Password()
	return given
}

// storeTogether finds what the embedded store has no use for.
func storeTogether(s *Store) []Mistake {
	if s.DSN != "" {
		return nil
	}
	var found []Mistake
	for key, value := range map[string]string{"store.certificate": s.Certificate, "store.password-file": s.PasswordFile} {
		if value != "" {
			found = append(found, Mistake{Key: key, Why: "the embedded store has no use for it; set store.dsn as well, or leave it out"})
		}
	}
	slices.SortFunc(found, func(a, b Mistake) int { return strings.Compare(a.Key, b.Key) })
	return found
}
