package config

import (
	"fmt"
	"strings"
)

// LDAP says how people sign in with a directory service such as Active Directory.
type LDAP struct {
	// Servers are ldaps://HOST or ldap://HOST of the same directory, asked in this order; empty for none. An ldap:// connection goes
	// over to TLS before anything is said.
	Servers []string `toml:"servers"`
	// Certificate is a file with the certificate of the servers or of their authority; empty for what the system trusts.
	Certificate string `toml:"certificate"`
	// AllowPlain lets passwords go to an ldap:// server in the clear. Servers on this machine need no TLS.
	AllowPlain bool `toml:"allow-plain"`
	// BindName and BindPasswordFile are those of the account that looks people up; both empty for a directory that anybody may read.
	BindName         string `toml:"bind-name"`
	BindPasswordFile string `toml:"bind-password-file"`
	// People is the node of the directory below which people are.
	People string `toml:"people"`
	// Filter finds a person; {name} stands for the name as typed, escaped.
	Filter string `toml:"filter"`
	// NameAttribute holds what the account is called here; empty for sAMAccountName, then uid.
	NameAttribute string `toml:"name-attribute"`
	// GroupsBelow is the node below which groups are; empty for that of People.
	GroupsBelow string `toml:"groups-below"`
	// Groups are "GROUP -> ROLE@PATH", each group by its distinguished name; empty where roles are granted here.
	Groups []string `toml:"groups"`
}

// nameMark stands for the typed name in LDAP.Filter.
const nameMark = "{name}"

func ldapDefaults() LDAP {
	return LDAP{
		Servers: []string{}, Groups: []string{},
		Filter: "(&(objectClass=person)(|(sAMAccountName={name})(userPrincipalName={name})(uid={name})))",
	}
}

// Mappings gives LDAP.Groups, read.
func (l *LDAP) Mappings() []Mapping { return mappings(l.Groups) }

// ldapSettings are the keys of [ldap].
func ldapSettings() []setting {
	return []setting{
		texts("ldap.servers", func(c *Config) *[]string { return &c.LDAP.Servers }, ldapServer),
		text("ldap.certificate", func(c *Config) *string { return &c.LDAP.Certificate }, anyText),
		yesNo("ldap.allow-plain", func(c *Config) *bool { return &c.LDAP.AllowPlain }),
		text("ldap.bind-name", func(c *Config) *string { return &c.LDAP.BindName }, anyText),
		text("ldap.bind-password-file", func(c *Config) *string { return &c.LDAP.BindPasswordFile }, anyText),
		text("ldap.people", func(c *Config) *string { return &c.LDAP.People }, anyText),
		text("ldap.filter", func(c *Config) *string { return &c.LDAP.Filter }, ldapFilter),
		text("ldap.name-attribute", func(c *Config) *string { return &c.LDAP.NameAttribute }, ldapAttribute),
		text("ldap.groups-below", func(c *Config) *string { return &c.LDAP.GroupsBelow }, anyText),
		texts("ldap.groups", func(c *Config) *[]string { return &c.LDAP.Groups }, mapping),
	}
}

// ldapServer accepts ldaps://HOST and ldap://HOST, with or without a port.
func ldapServer(s string) string {
	u, why := serviceURL(s, "ldaps", "ldap")
	if why == "" && u.Path != "" && u.Path != "/" {
		why = "leave out what follows the host: ldap.people says where people are"
	}
	return why
}

func ldapFilter(s string) string {
	switch {
	case !strings.HasPrefix(s, "(") || strings.Count(s, "(") != strings.Count(s, ")"):
		return "write a filter in parentheses, such as (uid={name}); " + quoted(s) + " is none"
	case !strings.Contains(s, nameMark):
		return "a filter holds {name}, which stands for the name that was typed"
	}
	return ""
}

func ldapAttribute(s string) string {
	for _, r := range s {
		if !nodeRune(r) || r == '_' || r == '.' {
			return "write the name of one attribute, such as sAMAccountName; " + quoted(s) + " is none"
		}
	}
	return ""
}

// ldapTogether finds what does not go with what in [ldap].
func ldapTogether(l *LDAP) []Mistake {
	if len(l.Servers) == 0 {
		return nil
	}
	var found []Mistake
	switch {
	case l.BindName != "" && l.BindPasswordFile == "":
		found = append(found, Mistake{Key: "ldap.bind-name", Why: "an account needs a password: set ldap.bind-password-file as well"})
	case l.BindName == "" && l.BindPasswordFile != "":
		found = append(found, Mistake{Key: "ldap.bind-password-file", Why: "a password needs its account: set ldap.bind-name as well"})
	}
	if l.People == "" {
		found = append(found, Mistake{Key: "ldap.servers", Why: fmt.Sprintf("say below which node people are: set ldap.people as well, such as %q", "OU=People,DC=acme,DC=local")})
	}
	return found
}
