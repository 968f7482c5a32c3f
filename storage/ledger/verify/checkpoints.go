package verify

import (
	"context"
	"fmt"

	"halley"
	"halley/storage/ledger"
)

// bodyEnd is where the chain of a node's checkpoints stands.
type bodyEnd struct {
	sum ledger.Digest
	at  halley.Millis
}

// readCheckpoints checks the signatures, that each names the one before, and that the chains are as they say.
func (r *run) readCheckpoints(ctx context.Context) error {
	kept := r.kept()
	wanted := map[ledger.Digest]bool{}
	for i := range kept {
		wanted[kept[i].c.BodySum()] = true
	}
	ends := map[string]bodyEnd{}
	for after := int64(0); ; {
		page, err := r.Source.Checkpoints(ctx, after, pageSize)
		if err != nil {
			return fmt.Errorf("reading checkpoints: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			c := &page[i]
			after = c.ID
			delete(wanted, c.BodySum())
			if err := r.checkCheckpoint(ctx, c, ends); err != nil {
				return err
			}
		}
		if err := r.breathe(ctx, "checkpoints", r.result.Checkpoints, 0); err != nil {
			return err
		}
	}
	for i := range kept {
		k := &kept[i]
		switch {
		case !wanted[k.c.BodySum()]:
		case r.facts.setBackSince(k.c.At):
			r.note("%s is not in the database, which was set back or restored since", k.name())
		default:
			r.findf(Checkpoint, 0, "%s is not in the database", k.name())
		}
	}
	return nil
}

// keptCheckpoint is a checkpoint that was not read from the source.
type keptCheckpoint struct {
	c       *ledger.Checkpoint
	outside bool
}

func (k *keptCheckpoint) name() string {
	where := "copied beside the database"
	if k.outside {
		where = "kept outside"
	}
	return fmt.Sprintf("the checkpoint %s of node %s at %s", where, k.c.Node, k.c.At)
}

func (r *run) kept() []keptCheckpoint {
	list := make([]keptCheckpoint, 0, len(r.Anchors)+len(r.Copies))
	for i := range r.Anchors {
		list = append(list, keptCheckpoint{&r.Anchors[i], true})
	}
	for i := range r.Copies {
		list = append(list, keptCheckpoint{&r.Copies[i], false})
	}
	return list
}

func (r *run) checkCheckpoint(ctx context.Context, c *ledger.Checkpoint, ends map[string]bodyEnd) error {
	r.result.Checkpoints++
	name := fmt.Sprintf("the checkpoint of node %s at %s", c.Node, c.At)
	before, follows := ends[c.Node]
	ends[c.Node] = bodyEnd{sum: c.BodySum(), at: c.At}
	s, ok := r.checkSignature(c, name)
	if !ok {
		return nil
	}
	switch {
	case follows && s.Previous != before.sum:
		r.findf(Checkpoint, 0, "%s was not made behind that of %s, which lies before it: one was removed or put in", name, before.at)
	case !follows && !s.Previous.IsZero():
		r.findf(Checkpoint, 0, "%s is the node's first, but was made behind another: one was removed", name)
	}
	return r.claimHeads(ctx, &s, name)
}

// checkSignature gives what a checkpoint says; ok is false where it is not what was signed.
func (r *run) checkSignature(c *ledger.Checkpoint, name string) (s ledger.Statement, ok bool) {
	key, trusted, found := r.keys.of(c.Node, c.KeyID)
	if !found {
		r.findf(Checkpoint, 0, "%s is signed with a key that is not known (%s)", name, c.KeyID)
		return s, false
	}
	s, err := c.Check(key.Public)
	if err != nil {
		r.findf(Checkpoint, 0, "%s is not what was signed", name)
		return s, false
	}
	if !trusted && len(r.Keys) > 0 {
		r.note("checkpoints of node %s were checked with a key that only the database itself names (%s)", c.Node, c.KeyID)
	}
	if trusted || len(r.Keys) == 0 {
		r.facts.signed = max(r.facts.signed, s.Heads.Fact.ID)
	}
	return s, true
}

// readAnchors holds checkpoints that were kept elsewhere against the chains. What they say counts even where their key is not known:
// who kept them vouches for them.
func (r *run) readAnchors(ctx context.Context) error {
	for _, k := range r.kept() {
		s, err := k.c.Statement()
		if err != nil {
			r.findf(Checkpoint, 0, "%s is damaged", k.name())
			continue
		}
		if key, _, found := r.keys.byID(k.c.KeyID); !found {
			r.note("%s is signed with a key that is not known here (%s); what it says was checked all the same", k.name(), k.c.KeyID)
		} else if !ledger.SignatureHolds(key.Public, k.c.Body, k.c.Signature) {
			r.findf(Checkpoint, 0, "%s is not what was signed", k.name())
			continue
		}
		if k.outside {
			r.result.Outside = true
			r.result.AnchorAt = max(r.result.AnchorAt, s.At)
		}
		if err := r.claimHeads(ctx, &s, k.name()); err != nil {
			return err
		}
	}
	return nil
}
