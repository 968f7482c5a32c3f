package ldapsignin

import (
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

const (
	// inChain is the matching rule with which Active Directory follows groups in groups itself, and capabilities those by which it says
	// that it is one: Active Directory, and the same for applications.
	inChain            = "1.2.840.113556.1.4.1941"
	activeDirectory    = "1.2.840.113556.1.4.800"
	activeDirectoryLDS = "1.2.840.113556.1.4.1851"
	// attrCapabilities is where the root of a directory says what it can.
	attrCapabilities = "supportedCapabilities"
	// noAttributes asks for none.
	noAttributes = "1.1"
	// levelsAtMost, groupsAtMost and askedAtOnce bound the walk through groups in groups.
	levelsAtMost = 20
	groupsAtMost = 2000
	askedAtOnce  = 50
)

// memberships gives the groups of the configuration that a person is in, directly or through other groups, by their key.
func (d *Directory) memberships(c *connection, person *ldap.Entry) (map[string]bool, error) {
	chain, err := d.followsChains(c)
	if err != nil {
		return nil, err
	}
	if chain {
		return d.askChains(c, person)
	}
	return d.walk(c, person)
}

// followsChains says whether the server follows groups in groups itself.
func (d *Directory) followsChains(c *connection) (bool, error) {
	root, err := c.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases,
		1, int(patience.Seconds()), false, "(objectClass=*)", []string{attrCapabilities}, nil))
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInsufficientAccessRights) {
		return false, nil
	}
	if err != nil {
		return false, away(c.at, "did not say what it can", err)
	}
	for _, e := range root.Entries {
		can := e.GetEqualFoldAttributeValues(attrCapabilities)
		if slices.Contains(can, activeDirectory) || slices.Contains(can, activeDirectoryLDS) {
			return true, nil
		}
	}
	return false, nil
}

// askChains asks the server for each group of the configuration whether the person is in it.
func (d *Directory) askChains(c *connection, person *ldap.Entry) (map[string]bool, error) {
	member := make(map[string]bool)
	for _, g := range d.groups {
		if member[g.key] {
			continue
		}
		filter := "(" + attrMemberOf + ":" + inChain + ":=" + ldap.EscapeFilter(g.dn) + ")"
		found, err := c.Search(ldap.NewSearchRequest(person.DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases,
			1, int(patience.Seconds()), false, filter, []string{noAttributes}, nil))
		if err != nil {
			return nil, away(c.at, "did not say in which groups somebody is", err)
		}
		if len(found.Entries) == 1 {
			member[g.key] = true
		}
	}
	return member, nil
}

// walk follows groups in groups, level by level. A group that was seen is not asked about again, so a loop ends; what lies beyond the
// bounds counts as no membership.
func (d *Directory) walk(c *connection, person *ldap.Entry) (map[string]bool, error) {
	member := make(map[string]bool)
	var level []string
	see := func(dn string) {
		key, err := dnKey(dn)
		if err == nil && !member[key] && len(member) < groupsAtMost {
			member[key] = true
			level = append(level, dn)
		}
	}
	for _, dn := range person.GetEqualFoldAttributeValues(attrMemberOf) {
		see(dn)
	}
	ask := "(memberUid=" + ldap.EscapeFilter(person.GetEqualFoldAttributeValue(attrUID)) + ")"
	if person.GetEqualFoldAttributeValue(attrUID) == "" {
		ask = ""
	}
	filters := []string{ask + memberFilter(person.DN)}
	for range levelsAtMost {
		for asked := range slices.Chunk(filters, askedAtOnce) {
			found, err := d.groupsWith(c, "(|"+strings.Join(asked, "")+")")
			if err != nil {
				return nil, err
			}
			for _, dn := range found {
				see(dn)
			}
		}
		if len(level) == 0 || d.allFound(member) {
			break
		}
		filters = filters[:0]
		for _, dn := range level {
			filters = append(filters, memberFilter(dn))
		}
		level = nil
	}
	return member, nil
}

// allFound says that no further group can give a role.
func (d *Directory) allFound(member map[string]bool) bool {
	return !slices.ContainsFunc(d.groups, func(g group) bool { return !member[g.key] })
}

// memberFilter matches groups of which dn is a member.
func memberFilter(dn string) string {
	escaped := ldap.EscapeFilter(dn)
	return "(member=" + escaped + ")(uniqueMember=" + escaped + ")"
}

// groupsWith gives the names of the groups that a filter finds.
func (d *Directory) groupsWith(c *connection, filter string) ([]string, error) {
	below := d.Config.GroupsBelow
	if below == "" {
		below = d.Config.People
	}
	found, err := c.Search(ldap.NewSearchRequest(below, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		groupsAtMost, int(patience.Seconds()), false, filter, []string{noAttributes}, nil))
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
		return nil, away(c.at, "did not say in which groups somebody is: see [ldap] groups-below", err)
	}
	names := make([]string, 0, len(found.Entries))
	for _, e := range found.Entries {
		names = append(names, e.DN)
	}
	return names, nil
}
