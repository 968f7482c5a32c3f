package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"halley"
)

// Mapping says which role the members of a group elsewhere have, and at which node.
type Mapping struct {
	// Group is the name of the group there.
	Group string
	Role  halley.Role
	// Path is that of the organization, such as "/Acme/Brno"; "/" is the root.
	Path string
}

// mappingForm is GROUP -> ROLE@PATH. The last arrow counts, for a group's name may hold one.
var mappingForm = regexp.MustCompile(`^(.+) -> (` + halley.RoleForm + `)@(/.*)$`)

// ReadMapping reads "GROUP -> ROLE@PATH"; why says what is wrong with it, or "".
func ReadMapping(s string) (m Mapping, why string) {
	parts := mappingForm.FindStringSubmatch(s)
	if parts == nil {
		return Mapping{}, `write "GROUP -> ROLE@PATH", such as "Laboratory -> user@/Acme/Brno"; ` + quoted(s) + " is not so"
	}
	m = Mapping{Group: strings.TrimSpace(parts[1]), Role: halley.Role(parts[2]), Path: parts[3]}
	switch {
	case m.Group == "":
		return Mapping{}, "name the group before the arrow"
	case m.Role == halley.ViewByMeasuredPlaces:
		return Mapping{}, "the role " + quoted(string(m.Role)) + " needs places, which a person here names: grant it to people by hand"
	case m.Role == halley.Reader:
		return Mapping{}, "the role " + quoted(string(m.Role)) + ` is for programs alone: write "` + string(halley.GuestAdministrator) + `"`
	case m.Path != "/" && (strings.HasSuffix(m.Path, "/") || strings.Contains(m.Path, "//")):
		return Mapping{}, `write the path as "/" or as "/Acme/Brno", without a slash at its end; ` + quoted(m.Path) + " is neither"
	}
	return m, ""
}

// mapping accepts GROUP -> ROLE@PATH.
func mapping(s string) string {
	_, why := ReadMapping(s)
	return why
}

// mappings reads a list that was checked; what cannot be read is left out.
func mappings(list []string) []Mapping {
	read := make([]Mapping, 0, len(list))
	for _, s := range list {
		if m, why := ReadMapping(s); why == "" {
			read = append(read, m)
		}
	}
	return read
}

// Loopback says whether a host name or address is this machine itself.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// serviceURL checks the address of a service: one of the schemes, a host, and nothing that hides a password or a query.
func serviceURL(s string, schemes ...string) (u *url.URL, why string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Opaque != "" || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "":
		return nil, fmt.Sprintf("write %s://HOST; %s is not so", strings.Join(schemes, ":// or "), quoted(s))
	case u.User != nil:
		return nil, "leave out the name and the password: they have settings of their own"
	case u.RawQuery != "" || u.Fragment != "":
		return nil, "leave out what follows ? and #"
	}
	if why = hostName(u.Hostname()); why != "" {
		return nil, why
	}
	if port := u.Port(); port != "" {
		if why = hostPort("localhost:" + port); why != "" {
			return nil, why
		}
	}
	return u, ""
}
