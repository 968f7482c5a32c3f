package viewerapi

import (
	"sync/atomic"

	"halley"
	"halley/server/directory"
)

// treeCopy keeps what was worked out of the newest State of the directory, so that lists of thousands of places need not arrange them
// anew for each request.
type treeCopy struct{ newest atomic.Pointer[treeFacts] }

// treeFacts are the places of a State by id, and which of those that are open belong to each node itself. They do not change.
type treeFacts struct {
	state  *directory.State
	places []halley.Place
	open   map[halley.OrganizationID][]halley.PlaceID
	// answers are of those who see everything.
	answers sharedAnswers
}

func newTreeFacts(state *directory.State) *treeFacts {
	f := &treeFacts{state: state, places: state.Places(), open: make(map[halley.OrganizationID][]halley.PlaceID)}
	for i := range f.places {
		if p := &f.places[i]; !p.Closed {
			f.open[p.OrganizationID] = append(f.open[p.OrganizationID], p.ID)
		}
	}
	return f
}

// of gives the facts of a state.
func (c *treeCopy) of(state *directory.State) *treeFacts {
	if f := c.newest.Load(); f != nil && f.state == state {
		return f
	}
	f := newTreeFacts(state)
	c.newest.Store(f)
	return f
}

// placesOf lists the places of a state by id.
func (c *treeCopy) placesOf(state *directory.State) []halley.Place { return c.of(state).places }
