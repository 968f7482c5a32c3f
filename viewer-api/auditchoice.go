package viewerapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"halley"
	"halley/server/directory"
	"halley/server/people"
	"halley/storage"
)

// auditChoice says which acts to list besides a storage.AuditFilter.
type auditChoice struct {
	// within says of things of which nodes; nil is all.
	within func(halley.OrganizationID) bool
	// like is a text that occurs in what was done, on what, or why, in small letters; "" is any.
	like string
	// tokens are the nodes of tokens by their names. A name that tokens of several nodes had is in none.
	tokens map[string]halley.OrganizationID
}

// everything says that the choice leaves nothing out.
func (c *auditChoice) everything() bool { return c.within == nil && c.like == "" }

// lets says whether an act is chosen and whether the rights show it. What was done to a thing of no node counts as done at the root.
func (c *auditChoice) lets(rights directory.Rights, e *halley.AuditEntry) bool {
	if c.like != "" && !strings.Contains(strings.ToLower(e.What+"\n"+e.On+"\n"+e.Change.Why), c.like) {
		return false
	}
	t, placed := c.actedOn(rights.State(), e.On)
	if !rights.Everywhere(halley.PermitAuditRead) && (!placed || !t.heldThen(rights, halley.PermitAuditRead, e.Change.At)) {
		return false
	}
	if c.within == nil {
		return true
	}
	if !placed {
		return c.within(halley.RootOrganization)
	}
	return c.within(t.node(rights.State(), e.Change.At))
}

// actedOn reads what an act was done to, a token by its node.
func (c *auditChoice) actedOn(state *directory.State, on string) (t thing, ok bool) {
	if name, token := strings.CutPrefix(on, "token "); token {
		node, known := c.tokens[name]
		return thing{scopeOrganization, int64(node)}, known
	}
	return actedOn(state, on)
}

// heldThen says whether a permission that reads is held where the thing was at an instant, or a moment before: who gives a thing away
// and who gets it both see that act. What was done to a thing stays with those where it was.
func (t thing) heldThen(rights directory.Rights, p halley.Permission, at halley.Millis) bool {
	switch t.sort {
	case scopePlace, scopePerson:
		s := rights.State()
		return rights.AtOrganization(p, t.node(s, at)) || rights.AtOrganization(p, t.node(s, at-1))
	case scopeDevice:
		return len(deviceSpans(rights, p, halley.DeviceID(t.id), halley.Span{From: at - 1, To: at + 1})) > 0
	case scopeChannel:
		return len(rights.Spans(p, halley.ChannelID(t.id), at-1, at+1)) > 0
	case scopeOrganization, scopeNone, scopeAnywhere, scopeServer, scopeHandler:
	}
	return t.held(rights, p)
}

// node gives the node that a place or person belonged to at an instant, and that another thing belongs to now; 0 for one that is not there.
func (t thing) node(s *directory.State, at halley.Millis) halley.OrganizationID {
	switch t.sort {
	case scopeOrganization:
		return halley.OrganizationID(t.id)
	case scopePlace:
		p, _ := s.PlaceThen(halley.PlaceID(t.id), at)
		return p.OrganizationID
	case scopeDevice:
		d, _ := s.Device(halley.DeviceID(t.id))
		return d.OrganizationID
	case scopeChannel:
		d, _ := s.Device(s.ChannelDevice(halley.ChannelID(t.id)))
		return d.OrganizationID
	case scopePerson:
		p, _ := s.PersonThen(halley.PersonID(t.id), at)
		return p.OrganizationID
	case scopeNone, scopeAnywhere, scopeServer, scopeHandler:
	}
	return 0
}

// auditChoiceOf reads organization_id, sub and q, and the first mistake of the whole query.
func (a *API) auditChoiceOf(r *http.Request, q *query) (auditChoice, error) {
	c := auditChoice{like: strings.ToLower(q.text("q", nameRunes))}
	rights := rightsOf(r)
	var err error
	if c.within, err = q.organizations(rights, halley.PermitAuditRead); err != nil {
		return c, err
	}
	if c.within == nil && rights.Everywhere(halley.PermitAuditRead) {
		return c, nil
	}
	c.tokens, err = a.nodesOfTokens(r.Context())
	return c, err
}

// nodesOfTokens gives the node of each name that tokens had at one node alone.
func (a *API) nodesOfTokens(ctx context.Context) (map[string]halley.OrganizationID, error) {
	list, err := a.People.Records.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	nodes, several := make(map[string]halley.OrganizationID, len(list)), map[string]bool{}
	for _, t := range list {
		node := people.NodeOfToken(t)
		if former, known := nodes[t.Name]; known && former != node {
			several[t.Name] = true
		}
		nodes[t.Name] = node
	}
	for name := range several {
		delete(nodes, name)
	}
	return nodes, nil
}

// auditFilterText gives a filter for the act that the trail was taken away.
func auditFilterText(r *http.Request, f storage.AuditFilter) (string, error) {
	given := map[string]string{"who": f.Who, "what": f.What, "on": f.On, "from": f.From.String(), "to": f.To.String()}
	for _, name := range []string{"organization_id", "sub", "q"} {
		if v := r.URL.Query().Get(name); v != "" {
			given[name] = v
		}
	}
	text, err := json.Marshal(given)
	return string(text), err
}
