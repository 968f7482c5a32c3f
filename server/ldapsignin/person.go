package ldapsignin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"halley"
	"halley/server/access"
)

// The attributes that are read of a person. Those that name one for ever come first, in the order in which they are used.
const (
	attrObjectGUID = "objectGUID"
	attrEntryUUID  = "entryUUID"
	attrUniqueID   = "nsUniqueId"
	attrAccount    = "sAMAccountName"
	attrUID        = "uid"
	attrDisplay    = "displayName"
	attrCommon     = "cn"
	attrMail       = "mail"
	attrMemberOf   = "memberOf"
)

// find gives the one person of that name; nil where there is none, or more than one.
func (d *Directory) find(c *connection, name string) (*ldap.Entry, error) {
	attributes := []string{
		attrObjectGUID, attrEntryUUID, attrUniqueID, attrAccount, attrUID, attrDisplay, attrCommon, attrMail, attrMemberOf,
	}
	if d.Config.NameAttribute != "" {
		attributes = append(attributes, d.Config.NameAttribute)
	}
	found, err := c.Search(ldap.NewSearchRequest(d.Config.People, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		2, int(patience.Seconds()), false, d.filter(name), attributes, nil))
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded):
		return nil, nil
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return nil, away(c.at, "does not know the node in [ldap] people, or does not show it", err)
	case err != nil:
		return nil, away(c.at, "did not say who that is", err)
	case len(found.Entries) != 1 || found.Entries[0].DN == "":
		return nil, nil
	}
	return found.Entries[0], nil
}

// refusals are the results that say that somebody may not sign in, rather than that the server cannot tell.
func refusals() []uint16 {
	return []uint16{
		ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultConstraintViolation,
		ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultNoSuchObject,
		ldap.LDAPResultInvalidDNSyntax,
	}
}

// prove signs in as the person with the typed password. Nobody is asked for as well, so that a name that is not there takes as long.
func (d *Directory) prove(c *connection, person *ldap.Entry, password string) error {
	dn := "CN=" + rand.Text() + "," + d.Config.People
	if person != nil {
		dn = person.DN
	}
	err := c.Bind(dn, password)
	switch {
	case err == nil && person != nil:
		return nil
	case err == nil || ldap.IsErrorAnyOf(err, refusals()...):
		return refused("name and password do not fit")
	}
	return away(c.at, "did not say whether the password is right", err)
}

// outside gives what is known of a person.
func (d *Directory) outside(person *ldap.Entry, typed string) access.Outside {
	o := access.Outside{
		Source: halley.LDAP, Subject: subject(person), Name: typed,
		FullName: first(person, attrDisplay, attrCommon), Email: first(person, attrMail),
	}
	names := []string{attrAccount, attrUID}
	if d.Config.NameAttribute != "" {
		names = []string{d.Config.NameAttribute}
	}
	if name := first(person, names...); name != "" {
		o.Name = name
	}
	return o
}

// subject names a person for ever: by the number that the directory never gives again, else by where the person is in it.
func subject(person *ldap.Entry) string {
	if guid := person.GetEqualFoldRawAttributeValue(attrObjectGUID); len(guid) > 0 {
		return attrObjectGUID + ":" + hex.EncodeToString(guid)
	}
	for _, name := range []string{attrEntryUUID, attrUniqueID} {
		if id := person.GetEqualFoldAttributeValue(name); id != "" {
			return name + ":" + strings.ToLower(id)
		}
	}
	key, err := dnKey(person.DN)
	if err != nil {
		key = person.DN
	}
	sum := sha256.Sum256([]byte(key))
	return "dn:" + hex.EncodeToString(sum[:])
}

// first gives the first value that there is.
func first(person *ldap.Entry, names ...string) string {
	for _, name := range names {
		if v := strings.TrimSpace(person.GetEqualFoldAttributeValue(name)); v != "" {
			return v
		}
	}
	return ""
}

// dnKey gives a distinguished name as it is compared: without regard to case and to blanks that do not count.
func dnKey(dn string) (string, error) {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return "", err
	}
	if len(parsed.RDNs) == 0 {
		return "", errors.New("the name is empty")
	}
	return strings.ToLower(parsed.String()), nil
}
