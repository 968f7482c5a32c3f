package access

import (
	"net/netip"
	"strings"
	"unicode"
)

const (
	// agentRunes bounds what is kept of a browser's own name.
	agentRunes = 200
	// ipv6Site is how many bits of an IPv6 address belong to one household or office; the rest its machines choose themselves.
	ipv6Site = 64
)

// Visitor is what is known of a browser before anybody signed in.
type Visitor struct {
	// Address is the IP address without port; "" where it is not known. It is kept in the session alone.
	Address string
	// Agent is what the browser says it is.
	Agent string
	// FormerCookie is the session cookie that the browser brought; "" for none.
	FormerCookie string
	// Origin is scheme, host and port under which the browser sees the viewer, such as "https://halley.example:8443".
	Origin string
}

// site gives the address as sign-ins are counted by: whole for IPv4, the first 64 bits for IPv6.
func (v Visitor) site() string {
	address, err := netip.ParseAddr(v.Address)
	if err != nil {
		return ""
	}
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	prefix, err := address.Prefix(ipv6Site)
	if err != nil {
		return ""
	}
	return prefix.String()
}

// agent gives the name of the browser as it is kept.
func (v Visitor) agent() string { return shortened(v.Agent, agentRunes) }

// shortened gives a text of strangers without what does not show, and cut to most characters.
func shortened(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
