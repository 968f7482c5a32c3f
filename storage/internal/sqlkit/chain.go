package sqlkit

import (
	"context"
	"fmt"
	"strings"

	"halley"
	"halley/storage/ledger"
)

const selectFactHead = "SELECT fact_id, digest FROM fact WHERE fact_id = (SELECT MAX(n.fact_id) FROM fact n)"

// adoptedAtOnce is how many rows of one table the ledger takes over at a time that were there before it began.
const adoptedAtOnce = 2000

// chain is what a transaction adds to the chain of the facts.
type chain struct {
	// begun says that head was read.
	begun bool
	head  ledger.Head
	rows  []ledger.FactRow
	// at is when the transaction happens, by whoever began it.
	at halley.Millis
}

// moment says when the transaction happens. The first counts.
func (c *change) moment(at halley.Millis) {
	if c.chain.at == 0 {
		c.chain.at = at
	}
}

// beginChain reads the end of the chain. Where the ledger has not begun, what the tables hold already goes into it first.
func (c *change) beginChain(ctx context.Context) error {
	h := &c.chain
	if h.begun {
		return nil
	}
	h.begun = true
	var digest []byte
	found, err := c.one(ctx, []any{&h.head.ID, &digest}, selectFactHead)
	if err != nil || found {
		copy(h.head.Digest[:], digest)
		return err
	}
	for i := range factTables {
		if err := c.adopt(ctx, &factTables[i]); err != nil {
			return fmt.Errorf("taking %s over into the ledger: %w", factTables[i].Name, err)
		}
	}
	return nil
}

// adopt chains the rows that a table has, some at a time.
func (c *change) adopt(ctx context.Context, t *ledger.FactTable) error {
	key := t.Columns[:t.Key]
	for after := []int64(nil); ; {
		where, values := "", args("limit", adoptedAtOnce)
		if after != nil {
			where = " WHERE " + behind(key, 0)
			values = append(values, keyArgs(after)...)
		}
		var rows []ledger.FactRow
		err := c.each(ctx, func(scan func(...any) error) error {
			r, err := scanFact(t, scan)
			rows = append(rows, r)
			return err
		}, "SELECT "+strings.Join(t.Columns, ", ")+" FROM "+quoted(t.Name)+where+" ORDER BY "+strings.Join(key, ", ")+
			c.s.dialect.Limit, values...)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := c.link(ctx, rows); err != nil || len(rows) < adoptedAtOnce {
			return err
		}
		after = keyOf(t, rows[len(rows)-1])
	}
}

// endChain adds what the transaction wrote as one fact.
func (c *change) endChain(ctx context.Context) error {
	rows := c.chain.rows
	c.chain.rows = nil
	if len(rows) == 0 {
		return nil
	}
	return c.link(ctx, rows)
}

// link adds a fact of these rows.
func (c *change) link(ctx context.Context, rows []ledger.FactRow) error {
	canonical, err := ledger.AppendFacts(nil, rows)
	if err != nil {
		return fmt.Errorf("writing facts to the ledger: %w", err)
	}
	h := &c.chain
	f := ledger.Fact{ID: h.head.ID + 1, At: h.at, Count: int64(len(rows)), Previous: h.head.Digest}
	f.Digest = f.Sum(canonical)
	if f.Pack, err = c.s.parts.packer.Pack(nil, canonical); err != nil {
		return fmt.Errorf("packing facts for the ledger: %w", err)
	}
	if err := c.insert(ctx, "fact", factColumns, []any{
		f.ID, int64(f.At), f.Count, f.Digest[:], digestOrNull(f.Previous), f.Pack,
	}); err != nil {
		return err
	}
	h.head.ID, h.head.Digest = f.ID, f.Digest
	return nil
}

// factColumns are those of fact.
var factColumns = []string{"fact_id", "at", "count", "digest", "previous_digest", "pack"}

// digestOrNull gives a digest that is stored as NULL where there is none.
func digestOrNull(d ledger.Digest) []byte {
	if d.IsZero() {
		return nil
	}
	return d[:]
}
