package backup

import (
	"context"
	"encoding/json"
	"fmt"

	"halley"
	"halley/storage"
)

// Note keeps the result of a backup.
func (r *Result) Note(ctx context.Context, p storage.Proofs, node string, c halley.Change) error {
	return note(ctx, p, storage.Proof{At: c.At, Node: node, Kind: storage.ProofBackup, OK: r.Err == nil}, r.Summary, c)
}

// Note keeps the result of a drill.
func (r *DrillResult) Note(ctx context.Context, p storage.Proofs, node string, c halley.Change) error {
	return note(ctx, p, storage.Proof{At: c.At, Node: node, Kind: storage.ProofDrill, OK: r.Err == nil}, r.Summary, c)
}

func note(ctx context.Context, p storage.Proofs, result storage.Proof, summary any, c halley.Change) error {
	text, err := json.Marshal(summary)
	if err != nil {
		return fmt.Errorf("describing a result: %w", err)
	}
	result.Summary = string(text)
	if _, err := p.AddProof(ctx, result, c); err != nil {
		return fmt.Errorf("keeping a result: %w", err)
	}
	return nil
}
