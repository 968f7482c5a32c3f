package verify

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"

	"halley"
	"halley/storage/ledger"
)

// rowSum is a sum over rows that does not depend on their order: how many, and the digests of each, over a secret of this run, added
// up. Whoever altered the rows did not know the secret, and so could not aim at a sum.
type rowSum struct {
	n   int64
	sum [4]uint64
}

// tableSum holds the rows of a table as facts recorded them against those that are there.
type tableSum struct {
	fact, stored rowSum
}

func (r *run) sumOf(table string) *tableSum {
	t := r.tables[table]
	if t == nil {
		t = &tableSum{}
		r.tables[table] = t
	}
	return t
}

func (s *rowSum) add(secret *[32]byte, row ledger.FactRow) {
	var room [256]byte
	s.addBytes(ledger.AppendFactRow(append(room[:0], secret[:]...), row))
}

// addPart adds what a part says without its pack.
func (s *rowSum) addPart(secret *[32]byte, p *ledger.Part) {
	var room [128]byte
	b := append(room[:0], secret[:]...)
	for _, n := range []int64{p.Batch, p.Day, p.Count} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	s.addBytes(append(b, p.Digest[:]...))
}

func (s *rowSum) addBytes(b []byte) {
	d := sha256.Sum256(b)
	var carry uint64
	for i := range s.sum {
		s.sum[i], carry = bits.Add64(s.sum[i], binary.LittleEndian.Uint64(d[8*i:]), carry)
	}
	s.n++
}

func (s *rowSum) same(o *rowSum) bool { return s.n == o.n && s.sum == o.sum }

// compareTables holds the rows of all fact tables, as they stand, against what facts recorded. Rows of facts that came since are
// left out.
func (r *run) compareTables(ctx context.Context) error {
	if r.facts.last == 0 {
		r.note("settings and audit trail are not covered: the ledger has no facts yet")
		return nil
	}
	for i, t := range ledger.FactTables() {
		if err := r.breathe(ctx, "settings and audit trail", int64(i), int64(len(ledger.FactTables()))); err != nil {
			return err
		}
		sum := r.sumOf(t.Name)
		err := r.eachRow(ctx, t, func(row ledger.FactRow) error {
			sum.stored.add(&r.secret, row)
			return nil
		})
		if err != nil {
			return err
		}
		if sum.fact.same(&sum.stored) {
			continue
		}
		r.wrong[t.Name] = true
		before := r.result.Count
		if err := r.nameRows(ctx, t); err != nil {
			return err
		}
		if r.result.Count == before {
			// Such as a row that is there twice, which only a file can hold.
			r.findRow(t, ledger.FactRow{}, fmt.Sprintf("the rows of %s are not those that were recorded (%d of %d)", t.Name, sum.stored.n, sum.fact.n))
		}
	}
	return nil
}

// eachRow hands the rows of a table that were recorded by a fact that counts here, or by none, to each.
func (r *run) eachRow(ctx context.Context, t ledger.FactTable, each func(ledger.FactRow) error) error {
	var after []int64
	for {
		page, err := r.Source.FactRows(ctx, t, after, pageSize)
		if err != nil {
			return fmt.Errorf("reading %s: %w", t.Name, err)
		}
		if len(page) == 0 {
			return nil
		}
		// A row and its fact come in together, so whatever is in the page has its fact by now.
		if err := r.catchUp(ctx); err != nil {
			return err
		}
		for _, row := range page {
			key, ok := row.KeyOf(t)
			if !ok {
				return fmt.Errorf("reading %s: a row has no key", t.Name)
			}
			after = key
			if _, newer := r.newer[keyText(t.Name, key)]; newer {
				continue
			}
			row, err := t.Canonical(row)
			if err != nil {
				return fmt.Errorf("reading %s: %w", t.Name, err)
			}
			if err := each(row); err != nil {
				return err
			}
		}
	}
}

// catchUp takes note of the rows of facts that came since this run read the chain.
func (r *run) catchUp(ctx context.Context) error {
	for {
		page, err := r.Source.LedgerFacts(ctx, r.facts.catch, factPage)
		if err != nil {
			return fmt.Errorf("reading facts: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		for i := range page {
			r.facts.catch = page[i].ID
			canonical, err := r.unpack.Unpack(nil, page[i].Pack)
			if err != nil {
				continue // the next run says so
			}
			_ = ledger.DecodeFacts(canonical, func(row ledger.FactRow) error {
				if t, known := ledger.FactTableOf(row.Table); known {
					if key, ok := row.KeyOf(t); ok {
						r.newer[keyText(t.Name, key)] = struct{}{}
					}
				}
				return nil
			})
		}
	}
}

func keyText(table string, key []int64) string { return fmt.Sprint(table, key) }

// nameRows finds the rows of a table that differ. Only now, where something is wrong, the keys of a table are held in memory.
func (r *run) nameRows(ctx context.Context, t ledger.FactTable) error {
	recorded := map[string]struct{}{}
	for after := int64(0); after < r.facts.last; {
		page, err := r.Source.LedgerFacts(ctx, after, factPage)
		if err != nil {
			return fmt.Errorf("reading facts: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			if after = page[i].ID; after > r.facts.last {
				break
			}
			if err := r.nameFactRows(ctx, t, &page[i], recorded); err != nil {
				return err
			}
		}
	}
	return r.eachRow(ctx, t, func(row ledger.FactRow) error {
		key, _ := row.KeyOf(t)
		if _, known := recorded[keyText(t.Name, key)]; !known {
			about, err := r.about(ctx, t, row)
			if err != nil {
				return err
			}
			r.findRow(t, row, fmt.Sprintf("%s was added behind Halley's back: %s", about, rowText(t, row)))
		}
		return nil
	})
}

// nameFactRows holds the rows of one table in one fact against those that are there.
func (r *run) nameFactRows(ctx context.Context, t ledger.FactTable, f *ledger.Fact, recorded map[string]struct{}) error {
	canonical, err := r.unpack.Unpack(nil, f.Pack)
	if err != nil {
		return nil //nolint:nilerr // the fact itself was found to be damaged
	}
	err = ledger.DecodeFacts(canonical, func(row ledger.FactRow) error {
		if row.Table != t.Name {
			return nil
		}
		key, ok := row.KeyOf(t)
		if !ok {
			return nil
		}
		recorded[keyText(t.Name, key)] = struct{}{}
		now, found, err := r.Source.FactRow(ctx, t, key)
		if err != nil {
			return fmt.Errorf("reading %s: %w", t.Name, err)
		}
		if found {
			if now, err = t.Canonical(now); err != nil {
				return fmt.Errorf("reading %s: %w", t.Name, err)
			}
		}
		return r.nameRow(ctx, t, row, now, found)
	})
	return asReading(err)
}

// asReading leaves out the error of a fact that is damaged, which was found before.
func asReading(err error) error {
	if isForm(err) {
		return nil
	}
	return err
}

func (r *run) nameRow(ctx context.Context, t ledger.FactTable, was, now ledger.FactRow, found bool) error {
	var differences []string
	for i, column := range t.Columns {
		// A row from before its table got the column has nothing there.
		before, after := valueAt(was, i), valueAt(now, i)
		if found && !sameValue(before, after) {
			differences = append(differences, fmt.Sprintf("%s was %s and is %s", column, valueText(before), valueText(after)))
		}
	}
	if found && len(differences) == 0 {
		return nil
	}
	about, err := r.about(ctx, t, was)
	if err != nil {
		return err
	}
	if !found {
		r.findRow(t, was, fmt.Sprintf("%s is gone: %s", about, rowText(t, was)))
	}
	for _, d := range differences {
		r.findRow(t, was, fmt.Sprintf("%s was changed: %s", about, d))
	}
	return nil
}

func valueAt(row ledger.FactRow, i int) any {
	if i < len(row.Values) {
		return row.Values[i]
	}
	return nil
}

// findRow takes note of a row of a fact table.
func (r *run) findRow(t ledger.FactTable, row ledger.FactRow, text string) {
	f := Finding{What: Setting, Text: text}
	if t.Name == "audit" {
		f.What = Audit
		if at, ok := valueOf(t, row, "at").(int64); ok {
			f.At = halley.Millis(at)
		}
	}
	r.find(f)
}
