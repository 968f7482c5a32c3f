package sqlserver

import (
	"database/sql/driver"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley/storage/internal/sqlkit"
)

// at gives a row of message with this key.
func at(device, instant, variant int64, part int) *sqlkit.Row {
	r := &sqlkit.Row{Part: part, Slots: 1}
	r.Head[0], r.Head[1], r.Head[2], r.Head[3] = device, instant, variant, int64(part)
	r.Values[0], r.Values[1] = 20.5, int64(0)
	return r
}

func TestHeldRowsAreInOrderAndStayAsTheyWere(t *testing.T) {
	t.Parallel()
	b := &bulk{}
	added := func(r *sqlkit.Row) bool {
		ok, err := b.Message(r)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if _, known := b.Held(sqlkit.Instant{Device: 1, At: 5}); known {
		t.Error("before Expect something is known")
	}
	b.looked = true
	if !added(at(1, 5, 1, 0)) || !added(at(1, 5, 0, 1)) || !added(at(1, 6, 0, 0)) || !added(at(2, 5, 0, 0)) {
		t.Error("a new row was not added")
	}
	before, _ := b.Held(sqlkit.Instant{Device: 1, At: 5})
	if added(at(1, 5, 1, 0)) {
		t.Error("a row whose key is there was added")
	}
	if !added(at(1, 5, 0, 0)) {
		t.Error("a new row was not added")
	}
	keys := func(rows []sqlkit.Row) (list [][2]driver.Value) {
		for _, r := range rows {
			list = append(list, [2]driver.Value{r.Head[2], r.Head[3]})
		}
		return list
	}
	want := [][2]driver.Value{{int64(0), int64(1)}, {int64(1), int64(0)}}
	if diff := cmp.Diff(want, keys(before)); diff != "" {
		t.Errorf("rows that were given out (-want +got):\n%s", diff)
	}
	after, known := b.Held(sqlkit.Instant{Device: 1, At: 5})
	want = [][2]driver.Value{{int64(0), int64(0)}, {int64(0), int64(1)}, {int64(1), int64(0)}}
	if diff := cmp.Diff(want, keys(after)); diff != "" || !known {
		t.Errorf("rows now, known %t (-want +got):\n%s", known, diff)
	}
	if len(b.added) != 5 {
		t.Errorf("%d rows wait to be written, want 5", len(b.added))
	}
}

func TestRowsOfHigherPartsHoldKeysAndValuesOnly(t *testing.T) {
	t.Parallel()
	r := at(1, 5, 0, 1)
	r.Head[4], r.Head[5], r.Head[6], r.Head[22] = int64(7), int64(8), int64(9), int64(90)
	r.Values[2], r.Values[3] = 99.0, int64(1)
	got := (&bulk{}).row(r)
	want := make([]any, messageColumnCount)
	want[0], want[1], want[2], want[3], want[4], want[5] = int64(1), int64(5), int64(0), int64(1), int64(7), int64(8)
	want[sqlkit.HeadCount], want[sqlkit.HeadCount+1] = 20.5, int64(0)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a row of part 1 (-want +got):\n%s", diff)
	}
}

func TestPutsKeepTheRowThatCounts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		table sqlkit.Table
		put   [][]any
		want  [][]any
	}{
		"of rows that are replaced the later": {
			sqlkit.Rollup,
			[][]any{{int64(1), int64(1), int64(5), []byte("a")}, {int64(2), int64(1), int64(5), []byte("b")}, {int64(1), int64(1), int64(5), []byte("c")}},
			[][]any{{int64(1), int64(1), int64(5), []byte("c")}, {int64(2), int64(1), int64(5), []byte("b")}},
		},
		"of rows that stay one": {
			sqlkit.RollupMark,
			[][]any{{int64(1), int64(1), int64(5)}, {int64(1), int64(1), int64(5)}},
			[][]any{{int64(1), int64(1), int64(5)}},
		},
		"of rows that must be new all": {
			sqlkit.Tally,
			[][]any{{int64(1), int64(1), int64(5), int64(1), int64(0)}, {int64(1), int64(1), int64(6), int64(1), int64(0)}},
			[][]any{{int64(1), int64(1), int64(5), int64(1), int64(0)}, {int64(1), int64(1), int64(6), int64(1), int64(0)}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bulk{}
			for _, row := range test.put {
				given := make([]any, len(row))
				copy(given, row)
				if err := b.Put(test.table, given...); err != nil {
					t.Fatal(err)
				}
				clear(given)
			}
			if diff := cmp.Diff(test.want, b.puts[test.table].rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
	b := &bulk{}
	if b.Put(sqlkit.Tally, int64(1)) == nil || b.Put(sqlkit.RollupMark, int64(1), "2", int64(3)) == nil {
		t.Error("a row of other columns was taken")
	}
}

func TestJSONRowsAreArraysOfNumbers(t *testing.T) {
	t.Parallel()
	var j jsonRows
	if got := j.text(); got != "[]" {
		t.Errorf("no rows are %s", got)
	}
	j.row(1, -9223372036854775808)
	j.row(9223372036854775807, 0)
	if got, want := j.text(), "[[1,-9223372036854775808],[9223372036854775807,0]]"; got != want {
		t.Errorf("rows are %s, want %s", got, want)
	}
}

func TestBatchesEndAtGO(t *testing.T) {
	t.Parallel()
	got := batches("one\nGO\n\n go \r\ntwo GO\nthree\nGO")
	if diff := cmp.Diff([]string{"one\n", "two GO\nthree\n"}, got); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestEditionsBoundDatabases(t *testing.T) {
	t.Parallel()
	for want, a := range map[int64]ability{0: {major: 16, edition: 3}, 10 << 30: {major: 16, edition: 4}, 50 << 30: {major: 17, edition: 4}} {
		if got := a.bytes(); got != want {
			t.Errorf("the limit of %+v is %d, want %d", a, got, want)
		}
	}
}
