package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley/storage/ledger"
)

func decodeFacts(canonical []byte) ([]ledger.FactRow, error) {
	var rows []ledger.FactRow
	err := ledger.DecodeFacts(canonical, func(r ledger.FactRow) error {
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

func goldenFacts() []ledger.FactRow {
	return []ledger.FactRow{
		{Table: "channel", Values: []any{int64(7), int64(3), int64(1), "temperature", "°C"}},
		{Table: "limit", Values: []any{
			int64(1), int64(2), "temperature", "°C", "high", "alarm", int64(1_763_700_000_000), 8.5, 0.0, int64(60_000), int64(12),
		}},
		{Table: "token", Values: []any{int64(1), "grafana", []byte("a hash"), "reader", int64(0), int64(1_763_700_000_000), nil, nil, nil}},
		{Table: "audit", Values: []any{
			int64(12), int64(1_763_700_000_000), "session", "anna", "k3", "limit.set", "place 2", nil, `{"value":8.5}`, "too warm", nil,
		}},
		{Table: "proof", Values: []any{int64(1), int64(5), "a", "verify", true, "{}", int64(12)}},
	}
}

func TestFactsComeBackFromTheirCanonicalBytes(t *testing.T) {
	t.Parallel()
	canonical, err := ledger.AppendFacts(nil, goldenFacts())
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeFacts(canonical)
	if err != nil {
		t.Fatal(err)
	}
	in := goldenFacts()
	in[2].Values[2] = ledger.Hashed(sha256.Sum256([]byte("a hash")))
	in[4].Values[4] = int64(1)
	// In the order of FactTables.
	want := []ledger.FactRow{in[3], in[0], in[1], in[2], in[4]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	f := ledger.Fact{At: 1_763_700_000_000, Count: 5, Previous: ledger.Digest{1}}
	holdGolden(t, "testdata/fact.golden", "# Canonical bytes of a fact, its digest after one that begins with 01. They never change.\n"+
		hexLines(canonical)+"digest "+f.Sum(canonical).String()+"\n")
}

func TestFactsWithoutAFormAreRefused(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]ledger.FactRow{
		"another table":      {{Table: "message", Values: []any{int64(1)}}},
		"too few values":     {{Table: "layout", Values: []any{int64(1)}}},
		"another type":       {{Table: "layout", Values: []any{int64(1), 5}}},
		"a hash of a number": {{Table: "layout", Values: []any{int64(1), struct{}{}}}},
	} {
		if _, err := ledger.AppendFacts(nil, rows); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestDifferentFactsHaveDifferentBytes(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Int64Range(0, 2), func(n int64) any { return n }),
		rapid.Map(rapid.Float64Range(0, 2), func(f float64) any { return f }),
		rapid.Map(rapid.StringN(0, 2, 4), func(s string) any { return s }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 2), func(b []byte) any { return append([]byte{}, b...) }),
	)
	row := rapid.Custom(func(t *rapid.T) ledger.FactRow {
		table := rapid.SampledFrom(ledger.FactTables()).Draw(t, "table")
		if len(table.Hashed) > 0 {
			table, _ = ledger.FactTableOf("layout")
		}
		r := ledger.FactRow{Table: table.Name}
		for range table.Columns {
			r.Values = append(r.Values, value.Draw(t, "value"))
		}
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		a, err := ledger.AppendFacts(nil, []ledger.FactRow{row.Draw(t, "a")})
		if err != nil {
			t.Fatal(err)
		}
		b, err := ledger.AppendFacts(nil, []ledger.FactRow{row.Draw(t, "b")})
		if err != nil {
			t.Fatal(err)
		}
		rowsA, errA := decodeFacts(a)
		rowsB, errB := decodeFacts(b)
		if errA != nil || errB != nil || cmp.Equal(rowsA, rowsB) != bytes.Equal(a, b) {
			t.Fatalf("%x and %x decode to %v (%v) and %v (%v)", a, b, rowsA, errA, rowsB, errB)
		}
	})
}

func FuzzDecodeFacts(f *testing.F) {
	canonical, err := ledger.AppendFacts(nil, goldenFacts())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(canonical)
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := decodeFacts(b); err != nil && !errors.Is(err, ledger.ErrForm) {
			t.Fatalf("%v, want an ErrForm", err)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	p, err := ledger.NewPacker()
	if err != nil {
		f.Fatal(err)
	}
	u, err := ledger.NewUnpacker()
	if err != nil {
		f.Fatal(err)
	}
	pack, err := p.Pack(nil, encode(goldenLines()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pack)
	f.Fuzz(func(t *testing.T, b []byte) {
		canonical, err := u.Unpack(nil, b)
		if err != nil && !errors.Is(err, ledger.ErrForm) {
			t.Fatalf("%v, want an ErrForm", err)
		}
		if len(canonical) > ledger.MaxCanonicalBytes {
			t.Fatalf("unpacked to %d bytes", len(canonical))
		}
	})
}

func TestPacksAreBounded(t *testing.T) {
	t.Parallel()
	p, err := ledger.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	u, err := ledger.NewUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	most := make([]byte, ledger.MaxCanonicalBytes)
	pack, err := p.Pack(nil, most)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := u.Unpack(nil, pack); err != nil || len(got) != len(most) {
		t.Errorf("the longest part unpacks to %d bytes, %v", len(got), err)
	}
	if _, err := p.Pack(nil, append(most, 0)); !errors.Is(err, ledger.ErrTooLong) {
		t.Errorf("packing a longer part: %v, want ErrTooLong", err)
	}
	// Two frames one behind the other are twice as long.
	if got, err := u.Unpack(nil, append(pack, pack...)); !errors.Is(err, ledger.ErrForm) {
		t.Errorf("a pack of %d bytes: %v, want an ErrForm", len(got), err)
	}
	small, err := p.Pack([]byte("before"), encode(goldenLines()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := u.Unpack([]byte("x"), small[len("before"):])
	if err != nil || !bytes.Equal(got[1:], encode(goldenLines())) {
		t.Errorf("unpacking behind other bytes gives %x, %v", got, err)
	}
}

func TestTheTablesAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.FromSlash("../../docs/ledger.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, table := range ledger.FactTables() {
		want.WriteString("| `" + table.Name + "` |")
		for _, c := range table.Columns {
			want.WriteString(" " + c)
			if slices.Contains(table.Hashed, c) {
				want.WriteString("*")
			}
		}
		want.WriteString(" |\n")
	}
	_, got, _ := strings.Cut(string(text), "| table | columns |\n|---|---|\n")
	got, _, _ = strings.Cut(got, "\n\n")
	if diff := cmp.Diff(strings.TrimSpace(want.String()), got); diff != "" {
		t.Errorf("the tables in docs/ledger.md (-want +got):\n%s", diff)
	}
}

func TestARowFromBeforeAColumnWasAddedIsTheSameWhileNothingIsThere(t *testing.T) {
	t.Parallel()
	sum := func(values ...any) string {
		return string(ledger.AppendFactRow(nil, ledger.FactRow{Table: "place", Values: values}))
	}
	if sum(int64(1), int64(2)) != sum(int64(1), int64(2), nil) {
		t.Error("a column that is empty makes another row of it")
	}
	if sum(int64(1), int64(2)) == sum(int64(1), int64(2), int64(0)) {
		t.Error("a column that holds something makes no other row of it")
	}
	if sum(int64(1), nil, int64(2)) == sum(int64(1), int64(2)) {
		t.Error("an empty column in between does not count")
	}
}
