package sqlkit

import (
	"context"
	"encoding/json"
	"math"

	"halley"
	"halley/storage"
)

const selectProofs = `
SELECT proof_id, at, node, kind, ok, summary
  FROM proof
 WHERE kind = @kind AND proof_id < @before
 ORDER BY proof_id DESC`

// maxSummary bounds the summary of a proof, in UTF-16 units.
const maxSummary = 1 << 20

// AddProof adds the result of a check.
func (s *Store) AddProof(ctx context.Context, p storage.Proof, ch halley.Change) (id int64, err error) {
	const op = "keep the result of a check"
	if err := validProof(op, &p, ch); err != nil {
		return 0, err
	}
	err = s.write(ctx, op, func(ctx context.Context, c *change) error {
		if id, err = c.nextID(ctx, "proof"); err != nil {
			return err
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "proof." + string(p.Kind), On: "node " + p.Node, New: asJSON(map[string]any{"proof": id, "ok": p.OK}),
		})
		if err == nil {
			c.add(factProof, id, int64(p.At), p.Node, string(p.Kind), yes(p.OK), p.Summary, auditID)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

func validProof(op string, p *storage.Proof, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	invalid := func(field, message string) error {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: field, Message: message}
	}
	switch p.Kind {
	case storage.ProofVerify, storage.ProofBackup, storage.ProofDrill, storage.ProofRestore, storage.ProofSetBack, storage.ProofSent:
	default:
		return invalid("kind", "the kind is one of verify, backup, drill, restore, set-back, sent")
	}
	switch {
	case p.Node == "" || badText(p.Node, maxText) != "":
		return invalid("node", "a result needs the name of its node")
	case !p.At.Storable():
		return invalid("at", "the time must lie in the years 2000 to 2099")
	case badText(p.Summary, maxSummary) != "" || !json.Valid([]byte(p.Summary)):
		return invalid("summary", "the summary is JSON of at most a million characters")
	}
	return nil
}

// Proofs lists the results of a kind newest first, with ids below before, at most limit.
func (s *Store) Proofs(ctx context.Context, kind storage.ProofKind, before int64, limit int) ([]storage.Proof, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	list := []storage.Proof{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var p storage.Proof
		err := scan(&p.ID, &p.At, &p.Node, &p.Kind, &p.OK, &p.Summary)
		list = append(list, p)
		return err
	}, selectProofs+s.dialect.Limit, args("kind", string(kind), "before", before, "limit", max(limit, 1))...)
	if err != nil {
		return nil, s.fail("list the results of checks", err)
	}
	return list, nil
}
