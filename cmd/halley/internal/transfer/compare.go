package transfer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"strings"

	"halley"
	"halley/storage"
)

// sums are the running digests of what was compared, of both sides.
type sums struct {
	ours, theirs hash.Hash
	buffer       []byte
}

func newSums() sums { return sums{ours: sha256.New(), theirs: sha256.New()} }

// total gives the digest, which is the same on both sides.
func (s *sums) total() [32]byte { return [32]byte(s.ours.Sum(nil)) }

// compare takes both sides into the digests and gives an error that names the first row that differs.
func (s *sums) compare(t storage.TransferTable, ours, theirs [][]any) error {
	if err := s.add(s.ours, t, ours); err != nil {
		return err
	}
	if err := s.add(s.theirs, t, theirs); err != nil {
		return err
	}
	if [32]byte(s.ours.Sum(nil)) == [32]byte(s.theirs.Sum(nil)) {
		return nil
	}
	for i, row := range ours {
		if i >= len(theirs) || !s.same(row, theirs[i]) {
			return differs(t, row)
		}
	}
	if len(ours) == 0 {
		return differs(t, theirs[0])
	}
	return differs(t, ours[0])
}

func differs(t storage.TransferTable, row []any) error {
	key := make([]string, t.Key)
	for i := range key {
		key[i] = fmt.Sprintf("%s %v", t.Columns[i], row[i])
	}
	return &halley.Error{
		Kind: halley.Conflict, Op: "compare the databases", Code: "row-differs",
		Message: "in " + words(t.Name) + " the row of " + strings.Join(key, ", ") +
			" is not the same in the new database; nothing was switched over, and the embedded store goes on",
	}
}

func (s *sums) same(x, y []any) bool {
	a, err := encode(nil, x)
	if err != nil {
		return false
	}
	b, err := encode(nil, y)
	return err == nil && bytes.Equal(a, b)
}

// add takes rows into a digest.
func (s *sums) add(h hash.Hash, t storage.TransferTable, rows [][]any) error {
	for _, row := range rows {
		s.buffer = append(append(s.buffer[:0], t.Name...), 0)
		var err error
		if s.buffer, err = encode(s.buffer, row); err != nil {
			return fmt.Errorf("reading %s: %w", words(t.Name), err)
		}
		h.Write(s.buffer)
	}
	return nil
}

// encode appends a row so that no two rows look the same: each value by its kind, texts and bytes with their length.
func encode(b []byte, row []any) ([]byte, error) {
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
		case string:
			b = append(binary.BigEndian.AppendUint32(append(b, 't'), uint32(len(v))), v...)
		case []byte:
			b = append(binary.BigEndian.AppendUint32(append(b, 'b'), uint32(len(v))), v...)
		default:
			return nil, fmt.Errorf("a value is a %T", v)
		}
	}
	return b, nil
}

// keyOf gives the key of a row.
func keyOf(t storage.TransferTable, row []any) []int64 {
	key := make([]int64, t.Key)
	for i := range key {
		key[i], _ = row[i].(int64)
	}
	return key
}

func compareKeys(x, y []int64) int {
	for i := range x {
		if c := cmp.Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return 0
}

// heads counts the messages among rows of message: their further parts are none.
func heads(rows [][]any) int64 {
	n := int64(0)
	for _, row := range rows {
		if part, _ := row[3].(int64); part == 0 {
			n++
		}
	}
	return n
}

// words makes a table's name readable.
func words(table string) string { return strings.ReplaceAll(table, "_", " ") }
