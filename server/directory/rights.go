package directory

import (
	"slices"

	"halley"
	"halley/storage"
)

// Rights are what somebody may do and where, by one State of the directory. The zero Rights hold nothing.
type Rights struct {
	state *State
	held  []held
	// also must hold too, where it is given.
	also *Rights
}

// held is a grant with what its role holds.
type held struct {
	grant halley.Grant
	may   map[halley.Permission]bool
}

// RightsOf gives the rights of a person: those of the grants that count. Whoever is not active has none; a shared account can only
// read.
func (s *State) RightsOf(id halley.PersonID) Rights {
	p, ok := s.people[id]
	if !ok || p.State != halley.PersonActive {
		return Rights{state: s}
	}
	r := s.rights(s.Grants(id))
	if p.Shared {
		return r.ReadOnly()
	}
	return r
}

// RightsOfToken gives the rights of a token.
func (s *State) RightsOfToken(t storage.Token) Rights {
	node := t.OrganizationID
	if node == 0 {
		node = halley.RootOrganization
	}
	if len(t.Places) == 0 {
		if t.Role == halley.ViewByMeasuredPlaces {
			return Rights{state: s}
		}
		return s.rights([]halley.Grant{{Role: t.Role, OrganizationID: node}})
	}
	grants := make([]halley.Grant, len(t.Places))
	for i, place := range t.Places {
		grants[i] = halley.Grant{Role: t.Role, OrganizationID: node, PlaceID: place}
	}
	return s.rights(grants)
}

// FullRights gives those of an administrator at the root: of the session that makes the first account.
func (s *State) FullRights() Rights {
	return s.rights([]halley.Grant{{Role: halley.Administrator, OrganizationID: halley.RootOrganization}})
}

// rights looks up what the roles of grants hold.
func (s *State) rights(grants []halley.Grant) Rights {
	r := Rights{state: s}
	for _, g := range grants {
		if may, there := s.may[g.Role]; there {
			r.held = append(r.held, held{grant: g, may: may})
		}
	}
	return r
}

// ReadOnly gives the same rights without those that change something.
func (r Rights) ReadOnly() Rights {
	held := slices.Clone(r.held)
	for i := range held {
		may := make(map[halley.Permission]bool, len(held[i].may))
		for p := range held[i].may {
			if p.Reads() {
				may[p] = true
			}
		}
		held[i].may = may
	}
	r.held = held
	return r
}

// Within gives what both rights hold, each where both do.
func (r Rights) Within(other Rights) Rights {
	if r.also != nil {
		other = r.also.Within(other)
	}
	r.also = &other
	return r
}

// State gives the directory by which the rights are told; nil for the zero Rights.
func (r Rights) State() *State { return r.state }

// Grants lists what the rights come from.
func (r Rights) Grants() []halley.Grant {
	list := make([]halley.Grant, len(r.held))
	for i, h := range r.held {
		list[i] = h.grant
	}
	return list
}

// Holds says whether a permission is held anywhere; one of the server, at the root.
func (r Rights) Holds(p halley.Permission) bool {
	held := slices.ContainsFunc(r.held, func(h held) bool { return h.may[p] && (!p.OfServer() || h.everywhere()) })
	return held && (r.also == nil || r.also.Holds(p))
}

// Permissions lists what is held anywhere, in the order of halley.Permissions.
func (r Rights) Permissions() []halley.Permission {
	return slices.DeleteFunc(halley.Permissions(), func(p halley.Permission) bool { return !r.Holds(p) })
}

// Everywhere says whether a permission is held at the root, for all of it.
func (r Rights) Everywhere(p halley.Permission) bool {
	held := slices.ContainsFunc(r.held, func(h held) bool { return h.may[p] && h.everywhere() })
	return held && (r.also == nil || r.also.Everywhere(p))
}

// everywhere says that the grant is of the whole tree.
func (h held) everywhere() bool {
	return h.grant.OrganizationID == halley.RootOrganization && h.grant.PlaceID == 0
}

// AtOrganization says whether a permission is held at a node. The node of a place that is named in a grant can be read, so that the
// place's whereabouts can be said.
func (r Rights) AtOrganization(p halley.Permission, id halley.OrganizationID) bool {
	held := slices.ContainsFunc(r.held, func(h held) bool {
		if !h.may[p] {
			return false
		}
		if p.OfServer() {
			return h.everywhere()
		}
		if h.grant.PlaceID == 0 {
			return r.state.Within(id, h.grant.OrganizationID)
		}
		place, there := r.state.place[h.grant.PlaceID]
		return p == halley.PermitOrganizationRead && there && place.OrganizationID == id &&
			r.state.Within(id, h.grant.OrganizationID)
	})
	return held && (r.also == nil || r.also.AtOrganization(p, id))
}

// AtPlace says whether a permission is held at a place; never for one that is not there.
func (r Rights) AtPlace(p halley.Permission, id halley.PlaceID) bool {
	if r.state == nil {
		return false
	}
	place, there := r.state.place[id]
	if !there {
		return false
	}
	held := slices.ContainsFunc(r.held, func(h held) bool {
		switch {
		case !h.may[p]:
			return false
		case p.OfServer():
			return h.everywhere()
		case h.grant.PlaceID != 0 && h.grant.PlaceID != id:
			return false
		}
		return r.state.Within(place.OrganizationID, h.grant.OrganizationID)
	})
	return held && (r.also == nil || r.also.AtPlace(p, id))
}

// AtDevice says whether a permission is held for a device: at one of the places where it is now, where the permission reads, and at
// all of them where it changes something; for a device that is at none, at the node that it belongs to. A device that nobody has
// accepted belongs to the root.
func (r Rights) AtDevice(p halley.Permission, id halley.DeviceID) bool {
	if r.state == nil {
		return false
	}
	d, there := r.state.Device(id)
	if !there {
		return false
	}
	places := r.state.here[id]
	if len(places) == 0 && d.PlaceID != 0 {
		places = []halley.PlaceID{d.PlaceID}
	}
	if len(places) == 0 {
		return r.AtOrganization(p, d.OrganizationID)
	}
	at := func(place halley.PlaceID) bool { return r.AtPlace(p, place) }
	if p.Reads() {
		return slices.ContainsFunc(places, at)
	}
	return !slices.ContainsFunc(places, func(place halley.PlaceID) bool { return !at(place) })
}

// AtChannel says whether a permission is held for a channel: for its device, or, where the permission reads, for any place where the
// channel ever was.
func (r Rights) AtChannel(p halley.Permission, id halley.ChannelID) bool {
	if r.state == nil {
		return false
	}
	device := r.state.ChannelDevice(id)
	if device == 0 {
		return false
	}
	if r.AtDevice(p, device) {
		return true
	}
	return p.Reads() && slices.ContainsFunc(r.state.spans[id], func(s Span) bool { return s.Place != 0 && r.AtPlace(p, s.Place) })
}

// AtPerson says whether a permission is held at the node that a person belongs to.
func (r Rights) AtPerson(p halley.Permission, id halley.PersonID) bool {
	if r.state == nil {
		return false
	}
	person, there := r.state.people[id]
	return there && r.AtOrganization(p, person.OrganizationID)
}

// Spans gives what of a channel's history in [from, to) may be seen: the times in which it was at a place where the permission is
// held, and the times in which it was at none. Of these, the last one goes with the node that the device belongs to now; what was
// before a device came to another place or node is seen by those alone who hold the permission for the whole tree. Spans that touch
// each other are one, without a place where they are of several.
func (r Rights) Spans(p halley.Permission, id halley.ChannelID, from, to halley.Millis) []Span {
	if r.state == nil || from >= to {
		return nil
	}
	if r.Everywhere(p) {
		return []Span{{From: from, To: to}}
	}
	all := r.state.spans[id]
	if len(all) == 0 {
		all = []Span{{From: halley.EarliestMillis, To: halley.LatestMillis}}
	}
	var list []Span
	for i, span := range all {
		seen := span.Place != 0 && r.AtPlace(p, span.Place)
		if span.Place == 0 && i == len(all)-1 {
			seen = r.ofLoose(p, id)
		}
		span.From, span.To = max(span.From, from), min(span.To, to)
		if !seen || span.From >= span.To {
			continue
		}
		if n := len(list); n > 0 && list[n-1].To == span.From {
			if list[n-1].To = span.To; list[n-1].Place != span.Place {
				list[n-1].Place, list[n-1].Series = 0, 0
			}
			continue
		}
		list = append(list, span)
	}
	return list
}

// ofLoose says whether a permission is held for a channel that is at no place now: at the node of its device.
func (r Rights) ofLoose(p halley.Permission, id halley.ChannelID) bool {
	d, there := r.state.Device(r.state.ChannelDevice(id))
	return there && r.AtOrganization(p, d.OrganizationID)
}
