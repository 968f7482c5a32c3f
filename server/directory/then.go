package directory

import (
	"sort"

	"halley"
)

// PlaceThen gives a place as it was at an instant: its name and owner of then. Before its first state that is the first; ok is false for
// a place that is not there.
func (s *State) PlaceThen(id halley.PlaceID, at halley.Millis) (halley.Place, bool) {
	return then(s.data.Places, id, at, func(p *halley.Place) (halley.PlaceID, halley.Millis) { return p.ID, p.From })
}

// PersonThen gives an account as it was at an instant, such as with the organization that it belonged to, in the same way.
func (s *State) PersonThen(id halley.PersonID, at halley.Millis) (halley.Person, bool) {
	return then(s.data.People, id, at, func(p *halley.Person) (halley.PersonID, halley.Millis) { return p.ID, p.From })
}

// ChannelThen gives a channel as its device called it just before an instant, by measured-at, with the decimals of then. It counts as
// ended: what it goes on as is for those alone who see it now. ok is false for one that is not there.
func (s *State) ChannelThen(id halley.ChannelID, before halley.Millis) (c halley.Channel, ok bool) {
	c, ok = s.Channel(id)
	c.Ended = true
	if n, named := then(s.data.Names, id, before-1, func(n *halley.ChannelName) (halley.ChannelID, halley.Millis) { return n.ChannelID, n.From }); named {
		c.Name, c.Decimals = n.Name, n.Decimals
	}
	return c, ok
}

// then finds among states, which are by id, then age, the last one of an id that had begun at an instant, else the first.
func then[ID ~int64, T any](states []T, id ID, at halley.Millis, of func(*T) (ID, halley.Millis)) (found T, ok bool) {
	first := sort.Search(len(states), func(i int) bool { known, _ := of(&states[i]); return known >= id })
	for i := first; i < len(states); i++ {
		known, from := of(&states[i])
		if known != id || ok && from > at {
			break
		}
		found, ok = states[i], true
	}
	return found, ok
}
