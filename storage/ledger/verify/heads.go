package verify

import (
	"context"
	"fmt"
	"slices"

	"halley"
	"halley/storage/ledger"
)

// claim is what somebody says of a batch or a fact: that it was there with this digest.
type claim struct {
	head ledger.Head
	// at is when it was said, 0 where that is not known; by says who, in words.
	at   halley.Millis
	by   string
	fact bool
}

// maxClaims bounds how many claims that do not hold are kept; a database that is wrong in more places is wrong enough.
const maxClaims = 50_000

// headClaims are the claims that the batch or fact of that number does not fulfil. After a database was set back, batches are
// recorded again with the same digests and perhaps other numbers: such a claim holds as well.
type headClaims struct {
	open map[ledger.Digest]claim
	lost int64
}

func newHeadClaims() headClaims { return headClaims{open: map[ledger.Digest]claim{}} }

// add takes a claim that does not hold as it is; of several of one digest the first counts.
func (h *headClaims) add(c claim) {
	if _, there := h.open[c.head.Digest]; there {
		return
	}
	if len(h.open) >= maxClaims {
		h.lost++
		return
	}
	h.open[c.head.Digest] = c
}

// meet strikes the claim that a batch fulfils.
func (h *headClaims) meet(b *ledger.Batch) {
	if len(h.open) == 0 {
		return
	}
	if c, there := h.open[b.Digest]; there && !c.fact && c.head.Node == b.Node {
		delete(h.open, b.Digest)
	}
}

// claimHeads holds the heads of a statement against the chains.
func (r *run) claimHeads(ctx context.Context, s *ledger.Statement, by string) error {
	for _, h := range s.Heads.Batches {
		if err := r.claimBatch(ctx, claim{head: h, at: s.At, by: by}); err != nil {
			return err
		}
	}
	if h := s.Heads.Fact; h.ID != 0 {
		return r.claimFact(ctx, claim{head: h, at: s.At, by: by, fact: true})
	}
	return nil
}

func (r *run) claimBatch(ctx context.Context, c claim) error {
	b, found, err := r.batches.at(ctx, c.head.ID)
	if err != nil {
		return err
	}
	if !found || b.Node != c.head.Node || b.Digest != c.head.Digest {
		r.heads.add(c)
	}
	return nil
}

func (r *run) claimFact(ctx context.Context, c claim) error {
	list, err := r.Source.LedgerFacts(ctx, c.head.ID-1, 1)
	if err != nil {
		return fmt.Errorf("reading facts: %w", err)
	}
	if len(list) == 0 || list[0].ID != c.head.ID || list[0].Digest != c.head.Digest {
		r.heads.add(c)
	}
	return nil
}

// readRemembered holds what the journal knows of recorded batches against the database.
func (r *run) readRemembered(ctx context.Context) error {
	if r.Remembered == nil {
		return nil
	}
	n := int64(0)
	for m, err := range r.Remembered {
		if err != nil {
			return fmt.Errorf("reading what the journal knows of recorded batches: %w", err)
		}
		if m.Digest.IsZero() {
			continue
		}
		c := claim{head: ledger.Head{Node: m.Node, ID: m.Batch, Digest: m.Digest}, by: "the journal of this server"}
		if err := r.claimBatch(ctx, c); err != nil {
			return err
		}
		n++
		if n%pageSize == 0 {
			if err := r.breathe(ctx, "what the journal knows", n, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// judgeHeads says what the claims that nothing fulfils mean.
func (r *run) judgeHeads(ctx context.Context) error {
	open := make([]claim, 0, len(r.heads.open))
	for _, c := range r.heads.open {
		open = append(open, c)
	}
	slices.SortFunc(open, func(a, b claim) int {
		if a.fact != b.fact {
			if b.fact {
				return -1
			}
			return 1
		}
		if a.head.Node != b.head.Node {
			if a.head.Node < b.head.Node {
				return -1
			}
			return 1
		}
		return int(min(max(a.head.ID-b.head.ID, -1), 1))
	})
	cut := map[string]claim{}
	for _, c := range open {
		if r.facts.setBack(&c) {
			r.note("%s knows of %s, which the database does not have since it was set back or restored", c.by, c.what())
			continue
		}
		last := r.lastOf[c.head.Node]
		if c.fact {
			last = ledger.Head{ID: r.facts.last}
		}
		if c.head.ID > last.ID {
			cut[c.head.Node] = c // they ascend: the last is the farthest
			continue
		}
		if err := r.judgeClaim(ctx, &c); err != nil {
			return err
		}
	}
	for _, node := range slices.Sorted(mapKeys(cut)) {
		c := cut[node]
		if c.fact {
			r.findf(Truncated, 0, "the chain of facts (settings and audit trail) ends with fact %d, but %s says that it had come to fact %d: the end was cut off",
				r.facts.last, c.by, c.head.ID)
			continue
		}
		r.findf(Truncated, c.head.ID, "the chain of node %s ends with batch %d, but %s says that it had come to batch %d: the end was cut off",
			node, r.lastOf[node].ID, c.by, c.head.ID)
	}
	if r.heads.lost > 0 {
		r.findf(Truncated, 0, "%d more batches that were recorded are not there as they were", r.heads.lost)
	}
	return nil
}

func mapKeys(m map[string]claim) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// judgeClaim says what is wrong with a batch or fact within a chain.
func (r *run) judgeClaim(ctx context.Context, c *claim) error {
	if c.fact {
		r.findf(Checkpoint, 0, "%s contradicts the database: fact %d is not there as it was", c.by, c.head.ID)
		return nil
	}
	_, found, err := r.batches.at(ctx, c.head.ID)
	if err != nil {
		return err
	}
	if !found {
		r.findf(Missing, c.head.ID, "batch %d of node %s is gone; %s knows of it", c.head.ID, c.head.Node, c.by)
		return nil
	}
	r.findf(Checkpoint, c.head.ID, "%s contradicts the database: batch %d of node %s is not what it was", c.by, c.head.ID, c.head.Node)
	return nil
}

func (c *claim) what() string {
	if c.fact {
		return fmt.Sprintf("fact %d", c.head.ID)
	}
	return fmt.Sprintf("batch %d of node %s", c.head.ID, c.head.Node)
}
