package verify

import (
	"context"
	"encoding/json"
	"fmt"

	"halley"
	"halley/storage/ledger"
)

// factChain is what is known of the chain of facts.
type factChain struct {
	// last is the newest fact that counts here, catch the newest that was read at all.
	last, catch int64
	// signed is the newest that a checkpoint covers.
	signed int64
	// back are the places to which the database was set back, as it says itself.
	back []setBack
}

// setBack is a place to which a database was set back, or restored: what was known beyond it is gone.
type setBack struct {
	fact  int64
	at    halley.Millis
	heads ledger.Heads
}

// counts says whether a setting back may explain what is gone: only where a signed checkpoint covers what says so, for anybody who
// can write the database could say so.
func (f *factChain) counts(b *setBack) bool { return b.fact <= f.signed }

// setBack says whether a claim is gone because the database was set back to before it.
func (f *factChain) setBack(c *claim) bool {
	for i := range f.back {
		b := &f.back[i]
		if !f.counts(b) || c.at > b.at {
			continue
		}
		if c.fact {
			if c.head.ID > b.heads.Fact.ID {
				return true
			}
			continue
		}
		if c.head.ID > headOf(b.heads, c.head.Node).ID {
			return true
		}
	}
	return false
}

// setBackAt says whether the database was set back to where this batch was a node's last.
func (f *factChain) setBackAt(node string, batch int64) bool {
	for i := range f.back {
		if f.counts(&f.back[i]) && headOf(f.back[i].heads, node).ID == batch {
			return true
		}
	}
	return false
}

// setBackSince says whether the database was set back after an instant.
func (f *factChain) setBackSince(at halley.Millis) bool {
	for i := range f.back {
		if f.counts(&f.back[i]) && at <= f.back[i].at {
			return true
		}
	}
	return false
}

func headOf(h ledger.Heads, node string) ledger.Head {
	for _, b := range h.Batches {
		if b.Node == node {
			return b
		}
	}
	return ledger.Head{}
}

// factPage is how many facts are read at once; their packs may be long.
const factPage = 100

// readFacts follows the chain of facts and sums up their rows.
func (r *run) readFacts(ctx context.Context) error {
	var before ledger.Digest
	for {
		page, err := r.Source.LedgerFacts(ctx, r.facts.last, factPage)
		if err != nil {
			return fmt.Errorf("reading facts: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			f := &page[i]
			if err := r.checkFact(f, before); err != nil {
				return err
			}
			before, r.facts.last, r.facts.catch = f.Digest, f.ID, f.ID
			r.result.Facts++
		}
		if err := r.breathe(ctx, "settings and audit trail", r.result.Facts, 0); err != nil {
			return err
		}
	}
	return nil
}

// checkFact holds a fact against the one before and against itself, and counts its rows.
func (r *run) checkFact(f *ledger.Fact, before ledger.Digest) error {
	if f.Previous != before {
		r.findf(Missing, 0, "the fact that was recorded before fact %d (%s) is gone or is not what it was", f.ID, f.At)
	}
	canonical, err := r.unpack.Unpack(nil, f.Pack)
	if err != nil || f.Sum(canonical) != f.Digest {
		r.findf(Setting, 0, "fact %d (%s), which says what was set and who did it, is not what was recorded", f.ID, f.At)
	}
	rows := int64(0)
	err = ledger.DecodeFacts(canonical, func(row ledger.FactRow) error {
		rows++
		r.sumOf(row.Table).fact.add(&r.secret, row)
		if row.Table == "proof" {
			r.noteSetBack(f, row)
		}
		return nil
	})
	if err == nil && rows != f.Count {
		r.findf(Setting, 0, "fact %d (%s) has %d rows and not %d", f.ID, f.At, rows, f.Count)
	}
	return nil
}

// noteSetBack keeps what a proof of the kinds restore and set-back says.
func (r *run) noteSetBack(f *ledger.Fact, row ledger.FactRow) {
	table, _ := ledger.FactTableOf("proof")
	kind, _ := valueOf(table, row, "kind").(string)
	if kind != "restore" && kind != "set-back" {
		return
	}
	var summary struct {
		Heads ledger.Heads `json:"heads"`
	}
	text, _ := valueOf(table, row, "summary").(string)
	if json.Unmarshal([]byte(text), &summary) != nil {
		return
	}
	r.facts.back = append(r.facts.back, setBack{fact: f.ID, at: f.At, heads: summary.Heads})
}

// valueOf gives the value of a column; nil where the row has none.
func valueOf(t ledger.FactTable, row ledger.FactRow, column string) any {
	for i, c := range t.Columns {
		if c == column && i < len(row.Values) {
			return row.Values[i]
		}
	}
	return nil
}
