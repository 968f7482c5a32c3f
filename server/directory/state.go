package directory

import (
	"cmp"
	"maps"
	"slices"

	"halley"
	"halley/storage"
)

// State is the directory at one instant. It does not change, so that everything one request asks fits together.
type State struct {
	data  *Data
	tree  tree
	place map[halley.PlaceID]halley.Place
	// devices and channels hold the positions in data.
	devices  map[halley.DeviceID]int
	channels map[halley.ChannelID]int
	// owned are the channels of a device, also those that ended.
	owned map[halley.DeviceID][]halley.ChannelID
	// spans are each channel's, by from.
	spans map[halley.ChannelID][]Span
	// visits are the channels that ever were at a place, by id; here are those that are there now, by device.
	visits map[halley.PlaceID][]halley.ChannelID
	here   map[halley.DeviceID][]halley.PlaceID

	people  map[halley.PersonID]halley.Person
	named   map[string]halley.PersonID
	details map[halley.PersonID]halley.PersonDetail
	// grants are all of a person, by id; those that count are picked when they are asked for.
	grants map[halley.PersonID][]halley.Grant
	roles  map[halley.Role]halley.CustomRole
	// may is what each role holds.
	may     map[halley.Role]map[halley.Permission]bool
	secrets map[storage.SecretKind]map[string]int
	proofs  map[halley.PersonID][]int
	// at is the instant as of which the state stands; 0 for now.
	at halley.Millis
}

// New arranges data.
func New(data *Data) *State { return arrange(data, 0) }

// AsOf gives the directory as it stood at an instant: the tree, the owners of places, the people, their grants and the roles. What
// is attached to places, and what people prove themselves by, is as it is now.
func (s *State) AsOf(at halley.Millis) *State { return arrange(s.data, at) }

// arrange makes a State as of an instant, of now where it is 0.
func arrange(data *Data, at halley.Millis) *State {
	s := &State{data: data, at: at, place: make(map[halley.PlaceID]halley.Place)}
	s.tree = plant(newest(data.Organizations, at,
		func(o *halley.Organization) (halley.OrganizationID, halley.Millis) { return o.ID, o.From }))
	s.place = newest(data.Places, at, func(p *halley.Place) (halley.PlaceID, halley.Millis) { return p.ID, p.From })
	s.arrangeDevices()
	s.arrangePeople()
	return s
}

// newest keeps the last state of each id that had begun at an instant; at 0 takes the last of all.
func newest[ID comparable, T any](states []T, at halley.Millis, of func(*T) (ID, halley.Millis)) map[ID]T {
	kept := make(map[ID]T, len(states))
	for i := range states {
		if id, from := of(&states[i]); at == 0 || from <= at {
			kept[id] = states[i]
		}
	}
	return kept
}

// arrangePeople arranges people and what they may do.
func (s *State) arrangePeople() {
	s.people = newest(s.data.People, s.at, func(p *halley.Person) (halley.PersonID, halley.Millis) { return p.ID, p.From })
	s.named = make(map[string]halley.PersonID, len(s.people))
	for id, p := range s.people {
		s.named[storage.NameKey(p.Name)] = id
	}
	s.details = make(map[halley.PersonID]halley.PersonDetail, len(s.data.Details))
	for _, d := range s.data.Details {
		s.details[d.PersonID] = d
	}
	s.grants = make(map[halley.PersonID][]halley.Grant)
	for _, g := range s.data.Grants {
		if s.at == 0 || g.From <= s.at {
			s.grants[g.PersonID] = append(s.grants[g.PersonID], g)
		}
	}
	s.roles = make(map[halley.Role]halley.CustomRole)
	for _, r := range newest(s.data.Roles, s.at, func(r *halley.CustomRole) (int64, halley.Millis) { return r.ID, r.From }) {
		s.roles[r.Name] = r
	}
	s.arrangeRoles()
	s.secrets = make(map[storage.SecretKind]map[string]int)
	s.proofs = make(map[halley.PersonID][]int)
	for i := range s.data.Secrets {
		secret := &s.data.Secrets[i]
		if s.secrets[secret.Kind] == nil {
			s.secrets[secret.Kind] = make(map[string]int)
		}
		s.secrets[secret.Kind][secret.Key] = i
		s.proofs[secret.PersonID] = append(s.proofs[secret.PersonID], i)
	}
}

// arrangeRoles arranges what the roles hold, presets and those that people made up.
func (s *State) arrangeRoles() {
	s.may = make(map[halley.Role]map[halley.Permission]bool)
	for _, role := range append(halley.PresetRoles(), halley.Reader) {
		s.may[role] = permissionSet(role.Permissions())
	}
	for name, role := range s.roles {
		if !role.Closed {
			s.may[name] = permissionSet(role.Permissions)
		}
	}
}

func permissionSet(list []halley.Permission) map[halley.Permission]bool {
	set := make(map[halley.Permission]bool, len(list))
	for _, p := range list {
		set[p] = true
	}
	return set
}

// Person gives an account.
func (s *State) Person(id halley.PersonID) (halley.Person, bool) {
	p, ok := s.people[id]
	return p, ok
}

// PersonNamed gives the account of a name in whatever case, also one that was deleted.
func (s *State) PersonNamed(name string) (halley.Person, bool) {
	p, ok := s.people[s.named[storage.NameKey(name)]]
	return p, ok
}

// People lists all accounts by id, also those that were deleted.
func (s *State) People() []halley.Person { return sorted(s.people) }

// Detail gives what else is known of a person; nothing of one who was deleted.
func (s *State) Detail(id halley.PersonID) halley.PersonDetail {
	d := s.details[id]
	d.PersonID = id
	return d
}

// Grants lists the grants of a person that count, by id.
func (s *State) Grants(id halley.PersonID) []halley.Grant {
	list := []halley.Grant{}
	for _, g := range s.grants[id] {
		if g.To == 0 || s.at != 0 && s.at < g.To {
			list = append(list, g)
		}
	}
	return list
}

// AllGrants lists the grants that a person ever had, by id.
func (s *State) AllGrants(id halley.PersonID) []halley.Grant { return slices.Clone(s.grants[id]) }

// RolePermissions gives what a role holds; ok is false for one that is not there or closed.
func (s *State) RolePermissions(r halley.Role) (list []halley.Permission, ok bool) {
	if r.Preset() {
		return r.Permissions(), true
	}
	role, ok := s.roles[r]
	if !ok || role.Closed {
		return nil, false
	}
	return slices.Clone(role.Permissions), true
}

// CustomRoles lists the custom roles by id, also those that are closed.
func (s *State) CustomRoles() []halley.CustomRole {
	return slices.SortedFunc(maps.Values(s.roles), func(a, b halley.CustomRole) int { return cmp.Compare(a.ID, b.ID) })
}

// Secret gives what somebody proves who they are by, except links.
func (s *State) Secret(kind storage.SecretKind, key string) (storage.Secret, bool) {
	i, ok := s.secrets[kind][key]
	if !ok {
		return storage.Secret{}, false
	}
	return s.data.Secrets[i], true
}

// Secrets lists those of one kind that a person has, by key.
func (s *State) Secrets(id halley.PersonID, kind storage.SecretKind) []storage.Secret {
	list := []storage.Secret{}
	for _, i := range s.proofs[id] {
		if s.data.Secrets[i].Kind == kind {
			list = append(list, s.data.Secrets[i])
		}
	}
	return list
}

// sorted lists the values of a map by key.
func sorted[ID cmp.Ordered, T any](m map[ID]T) []T {
	list := make([]T, 0, len(m))
	for _, id := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[id])
	}
	return list
}
