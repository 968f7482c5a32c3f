package server

import (
	"context"

	"halley/server/evidence"
)

// Evidence gathers what the file of evidence of a place says.
func (s *Server) Evidence(ctx context.Context, r evidence.Request) (*evidence.Evidence, error) {
	return evidence.Gather(ctx, evidence.Options{
		Store: s.store, Completeness: s.PlaceCompleteness, Clock: s.ClockWords, Sign: evidence.SignWith(s.keys),
		Node: s.opts.Config.Node, Version: s.opts.Version,
	}, r)
}
