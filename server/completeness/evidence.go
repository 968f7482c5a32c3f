package completeness

import (
	"context"

	"halley"
	"halley/storage"
)

// Explanations is what explains missing messages; storage.Explanations has these methods.
type Explanations interface {
	// Interruptions lists those that touch [from, to); see storage.Explanations.
	Interruptions(ctx context.Context, from, to halley.Millis) ([]storage.Interruption, error)
	// GapCauses lists those of a device that touch [from, to); see storage.Explanations.
	GapCauses(ctx context.Context, device halley.DeviceID, from, to halley.Millis) ([]storage.GapCause, error)
}

// Server is one of the servers that share a database, and from when to when it is known to have been one of them. A server whose
// journal began anew may be there several times.
type Server struct {
	Node     string
	From, To halley.Millis
}

// Servers gives the servers that a list of nodes names; the node self is one of them until now.
func Servers(nodes []storage.Node, self string, now halley.Millis) []Server {
	list := make([]Server, 0, len(nodes)+1)
	for i := range nodes {
		s := Server{Node: nodes[i].Name, From: nodes[i].FirstSeenAt, To: nodes[i].SeenAt}
		if s.Node == self {
			s.To = max(s.To, now)
		}
		list = append(list, s)
	}
	return list
}

// Interrupted gives when no server was running, and when none that ran could store: what one node's journal tells counts only where
// all other servers of that time were down, refused too, or were not there yet or no longer.
func Interrupted(list []storage.Interruption, servers []Server) (down, refused []halley.Span) {
	type node struct{ there, down, refused []halley.Span }
	nodes := map[string]*node{}
	of := func(name string) *node {
		n, ok := nodes[name]
		if !ok {
			n = &node{}
			nodes[name] = n
		}
		return n
	}
	for _, s := range servers {
		n := of(s.Node)
		n.there = append(n.there, halley.Span{From: s.From, To: s.To})
	}
	for _, i := range list {
		switch n := of(i.Node); i.Kind {
		case storage.ServerDown:
			n.down = append(n.down, halley.Span{From: i.From, To: i.To})
			down = append(down, halley.Span{From: i.From, To: i.To})
		case storage.ServerRefused:
			n.refused = append(n.refused, halley.Span{From: i.From, To: i.To})
			refused = append(refused, halley.Span{From: i.From, To: i.To})
		}
	}
	refused = halley.UniteSpans(append(refused, down...)...)
	down = halley.UniteSpans(down...)
	for _, n := range nodes {
		away := append(outside(halley.UniteSpans(n.there...)), n.down...)
		down = common(down, halley.UniteSpans(away...))
		refused = common(refused, halley.UniteSpans(append(away, n.refused...)...))
	}
	return down, common(refused, outside(down))
}

// Explain adds to p what a store knows that explains gaps of a device: the servers' own interruptions and what people said.
func (p *Period) Explain(ctx context.Context, s Explanations, device halley.DeviceID, servers []Server) error {
	interruptions, err := s.Interruptions(ctx, p.From, p.To)
	if err != nil {
		return err
	}
	p.Downtime, p.Refused = Interrupted(interruptions, servers)
	p.Marks, err = s.GapCauses(ctx, device, p.From, p.To)
	return err
}
