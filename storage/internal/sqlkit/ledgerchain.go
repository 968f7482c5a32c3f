package sqlkit

import (
	"context"
	"fmt"
	"slices"

	"halley/storage"
	"halley/storage/ledger"
)

const (
	selectLedgerBatches = `
SELECT batch_id, node, journal_id, first_seq, last_seq, journal_hash, recorded_at, decoder, messages, samples, digest, previous_digest
  FROM batch
 WHERE batch_id > @after
 ORDER BY batch_id`

	selectBatchParts = `
SELECT batch_id, day, count, digest
  FROM part
 WHERE batch_id >= @first AND batch_id <= @last
 ORDER BY batch_id, day`

	selectDayParts = `
SELECT batch_id, day, count, digest
  FROM part
 WHERE day = @day AND batch_id > @after
 ORDER BY batch_id`

	selectPack = "SELECT pack FROM part WHERE batch_id = @batch AND day = @day"

	selectLedgerFacts = `
SELECT fact_id, at, count, digest, previous_digest, pack
  FROM fact
 WHERE fact_id > @after
 ORDER BY fact_id`
)

// LedgerBatches lists batches with an id above after, ascending, with their parts.
func (s *Store) LedgerBatches(ctx context.Context, after int64, limit int) ([]ledger.Batch, error) {
	const op = "read the ledger's batches"
	list := []ledger.Batch{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var b ledger.Batch
		var first, last int64
		var hash, digest, previous []byte
		err := scan(&b.ID, &b.Node, &b.JournalID, &first, &last, &hash, &b.RecordedAt, &b.Decoder, &b.Messages, &b.Samples,
			&digest, &previous)
		b.FirstSeq, b.LastSeq = uint64(first), uint64(last)
		b.JournalHash, b.Digest, b.Previous = digestOf(hash), digestOf(digest), digestOf(previous)
		list = append(list, b)
		return err
	}, selectLedgerBatches+s.dialect.Limit, args("after", after, "limit", max(limit, 1))...)
	if err != nil || len(list) == 0 {
		return list, s.fail(op, err)
	}
	// Parts come in with their batch: all of these are there.
	err = s.query(ctx, func(scan func(...any) error) error {
		p, err := scanPart(scan)
		i, found := slices.BinarySearchFunc(list, p.Batch, func(b ledger.Batch, id int64) int { return int(b.ID - id) })
		if found {
			list[i].Parts = append(list[i].Parts, p)
		}
		return err
	}, selectBatchParts, args("first", list[0].ID, "last", list[len(list)-1].ID)...)
	if err != nil {
		return nil, s.fail(op, err)
	}
	return list, nil
}

// digestOf gives the digest that a column holds; zero for NULL. One of another length, which only a stranger writes, becomes one
// that is no digest of anything.
func digestOf(b []byte) (d ledger.Digest) {
	copy(d[:], b)
	if b != nil && len(b) != len(d) {
		d[0]++
		d[len(d)-1] = 0xFF
	}
	return d
}

func scanPart(scan func(...any) error) (ledger.Part, error) {
	var p ledger.Part
	var digest []byte
	err := scan(&p.Batch, &p.Day, &p.Count, &digest)
	p.Digest = digestOf(digest)
	return p, err
}

// LedgerParts lists the parts of a UTC day by batch, above after, without packs.
func (s *Store) LedgerParts(ctx context.Context, day, after int64, limit int) ([]ledger.Part, error) {
	list := []ledger.Part{}
	err := s.query(ctx, func(scan func(...any) error) error {
		p, err := scanPart(scan)
		list = append(list, p)
		return err
	}, selectDayParts+s.dialect.Limit, args("day", day, "after", after, "limit", max(limit, 1))...)
	if err != nil {
		return nil, s.fail("read the ledger's parts", err)
	}
	return list, nil
}

// LedgerPack gives the pack of a part; nil where it has none, or is not there.
func (s *Store) LedgerPack(ctx context.Context, batch, day int64) (pack []byte, err error) {
	_, err = s.one(ctx, []any{&pack}, selectPack, args("batch", batch, "day", day)...)
	return pack, s.fail("read a part of the ledger", err)
}

// LedgerFacts lists facts with an id above after, ascending, with their packs.
func (s *Store) LedgerFacts(ctx context.Context, after int64, limit int) ([]ledger.Fact, error) {
	list := []ledger.Fact{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var f ledger.Fact
		var digest, previous []byte
		err := scan(&f.ID, &f.At, &f.Count, &digest, &previous, &f.Pack)
		f.Digest, f.Previous = digestOf(digest), digestOf(previous)
		list = append(list, f)
		return err
	}, selectLedgerFacts+s.dialect.Limit, args("after", after, "limit", max(limit, 1))...)
	if err != nil {
		return nil, s.fail("read the ledger's facts", err)
	}
	return list, nil
}

// scanFact reads a row of a fact table.
func scanFact(t *ledger.FactTable, scan func(...any) error) (ledger.FactRow, error) {
	r := ledger.FactRow{Table: t.Name, Values: make([]any, len(t.Columns))}
	dest := make([]any, len(r.Values))
	for i := range dest {
		dest[i] = &r.Values[i]
	}
	return r, scan(dest...)
}

// keyOf gives the key of a row of a fact table.
func keyOf(t *ledger.FactTable, r ledger.FactRow) []int64 {
	key := make([]int64, t.Key)
	for i := range key {
		key[i], _ = r.Values[i].(int64)
	}
	return key
}

// FactRow gives a row of a fact table by its key as it stands now.
func (s *Store) FactRow(ctx context.Context, t ledger.FactTable, key []int64) (r ledger.FactRow, found bool, err error) {
	const op = "read a fact"
	if len(key) != t.Key {
		return r, false, s.fail(op, fmt.Errorf("a key of %s has %d columns and not %d", t.Name, t.Key, len(key)))
	}
	text := "SELECT " + joined(t.Columns) + " FROM " + quoted(t.Name) + " WHERE " + equalKey(t.Columns[:t.Key])
	err = s.query(ctx, func(scan func(...any) error) (err error) {
		found = true
		r, err = scanFact(&t, scan)
		return err
	}, text, keyArgs(key)...)
	return r, found, s.fail(op, err)
}

// FactRows lists the rows of a fact table by key behind after.
func (s *Store) FactRows(ctx context.Context, t ledger.FactTable, after []int64, limit int) ([]ledger.FactRow, error) {
	rows, err := s.ExportRows(ctx, storage.RowQuery{Table: transferOf(t), After: after, Limit: limit})
	if err != nil {
		return nil, err
	}
	list := make([]ledger.FactRow, len(rows))
	for i, values := range rows {
		list[i] = ledger.FactRow{Table: t.Name, Values: values}
	}
	return list, nil
}
