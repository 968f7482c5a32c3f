package server

import (
	"context"

	"halley/server/evidence"
	"halley/server/ledger"
)

// Evidence gathers what the file of evidence of a place says.
func (s *Server) Evidence(ctx context.Context, r evidence.Request) (*evidence.Evidence, error) {
	keys, err := ledger.Open(ledger.KeysFolder(s.opts.Config.Keys.Path, s.data.Path()), s.opts.Config.Node)
	if err != nil {
		return nil, err
	}
	return evidence.Gather(ctx, evidence.Options{
		Store: s.store, Completeness: s.PlaceCompleteness, Clock: s.ClockWords, Sign: evidence.SignWith(keys),
		Node: s.opts.Config.Node, Version: s.opts.Version,
	}, r)
}
