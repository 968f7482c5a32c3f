package retention

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"halley"
	"halley/storage/ledger"
)

// rowsAtOnce is how many rows one transaction removes, so that an upload never waits long for it.
const rowsAtOnce = 2000

// Order says how to carry out a plan.
type Order struct {
	// Plan is its name.
	Plan string
	// Change says who carries it out and when; its reason is not asked for, the plan has one.
	Change halley.Change
	// Sign signs the tombstone with the key of this server.
	Sign func(r ledger.Removal) (ledger.Tombstone, error)
	// Export writes the days [from, to) somewhere before anything is removed; nil for nowhere. A removal that was broken off is gone
	// on with without it: part of its days is not there any more.
	Export func(ctx context.Context, from, to int64) error
	// Tell hears how far it has come; nil for nobody.
	Tell func(Progress)
}

// Progress is how far a removal has come.
type Progress struct {
	// Days of Of are done; Rows were removed.
	Days, Of, Rows int64
}

// Removed says what a removal did.
type Removed struct {
	Plan Plan
	// Rows of message were removed by this run, in Days UTC days.
	Rows, Days int64
	// Resumed says that an earlier run had begun.
	Resumed bool
}

// CarryOut removes the days of a plan: it has them exported, writes a signed tombstone, and then removes one day after the other in
// small transactions. Broken off, even by a lost machine, it goes on where it was when it is called again.
//
// Forbidden where whoever carries it out is or may be the one who planned it, by another session or a token of theirs; Conflict for a plan that is done, or too old, or whose tombstone
// nobody could check.
func (r *Retention) CarryOut(ctx context.Context, o Order) (Removed, error) {
	const op = "carry out a removal"
	if err := known(op, o.Change.Actor); err != nil {
		return Removed{}, err
	}
	p, err := r.Find(ctx, o.Plan, o.Change.At)
	if err != nil {
		return Removed{}, err
	}
	if err := r.mayCarryOut(ctx, p, o.Change); err != nil {
		return Removed{}, err
	}
	out := Removed{Plan: p, Resumed: p.State == Begun, Days: p.ToDay - p.FromDay}
	if !out.Resumed {
		if o.Export != nil {
			if err := o.Export(ctx, p.FromDay, p.ToDay); err != nil {
				return Removed{}, errors.Join(errors.New("nothing was removed: the export failed"), err)
			}
		}
		if err := r.bury(ctx, p, o); err != nil {
			return Removed{}, err
		}
	}
	if out.Rows, err = r.removeDays(ctx, p, o.Tell); err != nil {
		return out, fmt.Errorf("%d rows are removed, the rest is not; carry the plan out again to go on: %w", out.Rows, err)
	}
	text, err := json.Marshal(map[string]any{"rows": out.Rows, "resumed": out.Resumed})
	if err != nil {
		return out, fmt.Errorf("writing what was removed: %w", err)
	}
	c := o.Change
	c.Why = p.Why
	return out, r.store.NoteAudit(ctx, halley.AuditEntry{Change: c, What: actDone, On: p.subject(), New: string(text)})
}

// mayCarryOut refuses the wrong person and a plan that cannot be carried out any more.
func (r *Retention) mayCarryOut(ctx context.Context, p Plan, c halley.Change) error {
	const op = "carry out a removal"
	same, err := r.samePerson(ctx, p.By, c.Actor)
	if err != nil {
		return err
	}
	refuse := func(kind halley.Kind, code, message string) error {
		return &halley.Error{Kind: kind, Op: op, Code: code, Message: message}
	}
	switch {
	case p.State == Done:
		return refuse(halley.Conflict, "plan-done", "the plan "+p.ID+" is carried out already")
	case same:
		return refuse(halley.Forbidden, "same-person", "the plan "+p.ID+" was made by "+p.By.Name+", and another person must carry it out: "+
			"removing samples takes two, and a token counts as whoever made it")
	case p.State == Expired:
		return refuse(halley.Conflict, "plan-expired", fmt.Sprintf("the plan %s is older than %d days: make a new one", p.ID,
			int(PlanLife.Hours()/24)))
	}
	return oldEnough(op, p.ToDay, c.At)
}

// bury writes the tombstone, behind which days may be removed.
func (r *Retention) bury(ctx context.Context, p Plan, o Order) error {
	rows, parts, err := r.store.CountDays(ctx, p.FromDay, p.ToDay)
	if err != nil {
		return err
	}
	t, err := o.Sign(ledger.Removal{
		FromDay: p.FromDay, ToDay: p.ToDay, At: o.Change.At, ProposedBy: p.By.Name, CarriedOutBy: o.Change.Actor.Name, Why: p.Why,
		Rows: rows, Parts: parts,
	})
	if err != nil {
		return err
	}
	keys, err := r.store.LedgerKeys(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(k ledger.Key) bool { return k.ID == t.KeyID }) {
		return &halley.Error{
			Kind: halley.Conflict, Op: "carry out a removal", Code: "key-unknown",
			Message: "the store does not know the signing key of this server, so that nobody could check the tombstone: name the data folder " +
				"of a server that runs on this store (its first start writes the key's public half there)",
		}
	}
	c := o.Change
	c.Why = p.Why
	_, err = r.store.AddTombstone(ctx, t, c)
	return err
}

// removeDays removes what is left of the days of a plan.
func (r *Retention) removeDays(ctx context.Context, p Plan, tell func(Progress)) (rows int64, err error) {
	of := p.ToDay - p.FromDay
	for day := p.FromDay; day < p.ToDay; day++ {
		for {
			if err := ctx.Err(); err != nil {
				return rows, err
			}
			n, err := r.store.RemoveDay(ctx, day, rowsAtOnce)
			rows += n
			if err != nil {
				return rows, err
			}
			if n == 0 {
				break
			}
			if tell != nil {
				tell(Progress{Days: day - p.FromDay, Of: of, Rows: rows})
			}
		}
		if tell != nil {
			tell(Progress{Days: day - p.FromDay + 1, Of: of, Rows: rows})
		}
	}
	return rows, nil
}
