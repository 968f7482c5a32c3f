package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Hashed stands in a FactRow for the content of a Hashed column: its SHA-256. Canonical bytes and exports have only that.
type Hashed Digest

// factFormat is the version of the canonical bytes of facts, their first byte. Sections follow, one a table: its name, how many
// rows, and the rows; a row is how many values, and the values, each with a byte before it that says what it is.
const factFormat = 1

// What a value of a fact is.
const (
	factNil = iota
	// factInt is followed by a varint.
	factInt
	// factFloat is followed by the eight bytes of the float64, little-endian.
	factFloat
	// factText and factBytes are followed by a length and so many bytes.
	factText
	factBytes
	// factHashed is followed by the 32 bytes of a SHA-256.
	factHashed
)

// maxFactColumns bounds the columns of a row that is read.
const maxFactColumns = 64

// AppendFacts appends the canonical bytes of what one transaction added, which may come in any order of tables: sections are in the
// order of FactTables, the rows of each as they come. A bool counts as 0 or 1. A table that is none of FactTables, a row with
// another number of values than its table has columns, and a value of another type are errors.
func AppendFacts(dst []byte, rows []FactRow) ([]byte, error) {
	dst = append(dst, factFormat)
	left := len(rows)
	for _, t := range FactTables() {
		n := 0
		for i := range rows {
			if rows[i].Table == t.Name {
				n++
			}
		}
		if n == 0 {
			continue
		}
		left -= n
		dst = appendText(dst, t.Name)
		dst = binary.AppendUvarint(dst, uint64(n))
		for i := range rows {
			if rows[i].Table != t.Name {
				continue
			}
			var err error
			if dst, err = t.appendRow(dst, rows[i].Values); err != nil {
				return nil, err
			}
		}
	}
	if left != 0 {
		return nil, fmt.Errorf("%d rows are of no table of the ledger", left)
	}
	return dst, nil
}

func (t *FactTable) appendRow(dst []byte, values []any) ([]byte, error) {
	if len(values) != len(t.Columns) {
		return nil, fmt.Errorf("a row of %s has %d values and not %d", t.Name, len(values), len(t.Columns))
	}
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	for i, v := range values {
		c, err := t.canonical(i, v)
		if err != nil {
			return nil, err
		}
		dst = appendFactValue(dst, c)
	}
	return dst, nil
}

// AppendFactRow appends a canonical row by itself, for sums over rows: its table and its values as in AppendFacts, without those at
// the end that are nil. A row that was chained before its table got another column is the same row while it has nothing there.
func AppendFactRow(dst []byte, r FactRow) []byte {
	values := r.Values
	for len(values) > 0 && values[len(values)-1] == nil {
		values = values[:len(values)-1]
	}
	dst = appendText(dst, r.Table)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	for _, v := range values {
		dst = appendFactValue(dst, v)
	}
	return dst
}

func appendFactValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return binary.AppendVarint(append(dst, factInt), v)
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, factFloat), math.Float64bits(v))
	case string:
		return appendText(append(dst, factText), v)
	case []byte:
		return append(binary.AppendUvarint(append(dst, factBytes), uint64(len(v))), v...)
	case Hashed:
		return append(append(dst, factHashed), v[:]...)
	}
	return append(dst, factNil)
}

// Canonical gives a row as canonical bytes have it: bools as 0 or 1, hashed columns as Hashed. Decoded rows are so already.
func (t *FactTable) Canonical(r FactRow) (FactRow, error) {
	if len(r.Values) != len(t.Columns) {
		return FactRow{}, fmt.Errorf("a row of %s has %d values and not %d", t.Name, len(r.Values), len(t.Columns))
	}
	out := FactRow{Table: r.Table, Values: make([]any, len(r.Values))}
	for i, v := range r.Values {
		c, err := t.canonical(i, v)
		if err != nil {
			return FactRow{}, err
		}
		out.Values[i] = c
	}
	return out, nil
}

// canonical gives the value of a column as it counts.
func (t *FactTable) canonical(i int, v any) (any, error) {
	hashed := slices.Contains(t.Hashed, t.Columns[i])
	switch v := v.(type) {
	case nil, Hashed:
		return v, nil
	case string:
		if hashed {
			return Hashed(sha256.Sum256([]byte(v))), nil
		}
		return v, nil
	case []byte:
		switch {
		case v == nil:
			return nil, nil
		case hashed:
			return Hashed(sha256.Sum256(v)), nil
		}
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case int64, float64:
		return v, nil
	}
	return nil, fmt.Errorf("%s.%s holds a %T", t.Name, t.Columns[i], v)
}

// DecodeFacts reads the rows of a fact from its canonical bytes and hands each to each, whose error ends it. A row may have fewer
// values than its table has columns by now, where a newer program added some. An error of the bytes is an ErrForm.
func DecodeFacts(canonical []byte, each func(FactRow) error) error {
	in := cursor{rest: canonical}
	if in.byte() != factFormat {
		return fmt.Errorf("%w: unknown version", ErrForm)
	}
	for len(in.rest) > 0 {
		table := string(in.bytes())
		n := in.uvarint()
		for ; n > 0 && !in.bad; n-- {
			r := FactRow{Table: table, Values: in.factValues()}
			if in.bad {
				break
			}
			if err := each(r); err != nil {
				return err
			}
		}
	}
	if in.bad {
		return fmt.Errorf("%w: a fact is damaged", ErrForm)
	}
	return nil
}

func (c *cursor) factValues() []any {
	n := c.uvarint()
	if n == 0 || n > maxFactColumns {
		c.fail()
		return nil
	}
	values := make([]any, n)
	for i := range values {
		values[i] = c.factValue()
	}
	return values
}

func (c *cursor) factValue() any {
	switch c.byte() {
	case factNil:
		return nil
	case factInt:
		return c.varint()
	case factFloat:
		return math.Float64frombits(c.uint64())
	case factText:
		return string(c.bytes())
	case factBytes:
		return append([]byte{}, c.bytes()...)
	case factHashed:
		if len(c.rest) < len(Hashed{}) {
			c.fail()
			return nil
		}
		h := Hashed(c.rest[:len(Hashed{})])
		c.rest = c.rest[len(h):]
		return h
	}
	c.fail()
	return nil
}

// FactTableOf gives the table of a name; found is false for one that is none of FactTables.
func FactTableOf(name string) (t FactTable, found bool) {
	for _, t := range FactTables() {
		if t.Name == name {
			return t, true
		}
	}
	return FactTable{}, false
}

// KeyOf gives the primary key of a row of a table; ok is false where it is not whole numbers.
func (r FactRow) KeyOf(t FactTable) (key []int64, ok bool) {
	key = make([]int64, 0, t.Key)
	for i := range t.Key {
		if i >= len(r.Values) {
			return nil, false
		}
		n, ok := r.Values[i].(int64)
		if !ok {
			return nil, false
		}
		key = append(key, n)
	}
	return key, true
}
