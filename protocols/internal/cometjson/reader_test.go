package cometjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley/protocols"
	"halley/protocols/internal/cometjson"
)

// readAll reads every value of a body.
func readAll(body string) *cometjson.Reader {
	r := cometjson.NewReader([]byte(body))
	for r.Err() == nil && !r.Done() {
		r.Value()
	}
	return r
}

func TestReaderFails(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, body string
		at         int
		why        string
	}{
		{"at the end of an object", `{"a":1`, 5, "the body ends inside a number"},
		{"at the end of an array", `[1 ,`, 4, "the body ends where a value is expected"},
		{"inside a text", `["abc`, 1, "the body ends inside a text"},
		{"behind a backslash", `["abc\`, 1, "the body ends inside a text"},
		{"where a text closes only in an escape", `["abc\"`, 1, "the body ends inside a text"},
		{"at a comma too many", `[1,]`, 3, `"]" stands where a value is expected`},
		{"at a comma that is missing", `[1 2]`, 3, `"2" stands where "," or "]" is expected`},
		{"at a first comma", `[,1]`, 1, `"," stands where a value is expected`},
		{"at a name without quotes", `{a:1}`, 1, `"a" stands where a name in quotes is expected`},
		{"at a colon that is missing", `{"a" 1}`, 5, `"1" stands where ":" is expected`},
		{"at a bracket of the other sort", `[1}`, 2, `"}" stands where "," or "]" is expected`},
		{"at a word that is not known", `[nil]`, 1, `"n" stands where a value is expected`},
		{"at a byte beyond ASCII", "[\xff]", 1, "a byte beyond ASCII stands where a value is expected"},
		{"at a bare closing bracket", `]`, 0, `"]" stands where a value is expected`},
		{"at a depth of 33", strings.Repeat("[", 33), 32, "values lie too deep in one another"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := &protocols.DecodeError{At: c.at, Why: c.why}
			if diff := cmp.Diff(want, readAll(c.body).Err()); diff != "" {
				t.Errorf("reading %q (-want +got):\n%s", c.body, diff)
			}
		})
	}
}

func TestReaderReadsWhatIsValid(t *testing.T) {
	t.Parallel()
	values := rapid.Custom(drawValue)
	rapid.Check(t, func(t *rapid.T) {
		body, err := json.MarshalIndent(values.Draw(t, "value"), "", strings.Repeat(" ", rapid.IntRange(0, 2).Draw(t, "indent")))
		if err != nil {
			t.Fatalf("Marshal: %v", err)
		}
		text := string(body) + " "
		if err := readAll(text).Err(); err != nil {
			t.Fatalf("reading %s fails: %v", text, err)
		}
	})
}

// drawValue draws a value of JSON a few levels deep.
func drawValue(t *rapid.T) any {
	switch rapid.IntRange(0, 6).Draw(t, "sort") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Float64Range(-1e12, 1e12).Draw(t, "number")
	case 3:
		return rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return rapid.Custom(drawValue) }), 0, 3).Draw(t, "array")
	case 4:
		return rapid.MapOfN(rapid.String(), rapid.Deferred(func() *rapid.Generator[any] { return rapid.Custom(drawValue) }), 0, 3).Draw(t, "object")
	}
	return rapid.String().Draw(t, "text")
}

func TestReaderKeepsTheFirstFailure(t *testing.T) {
	t.Parallel()
	r := cometjson.NewReader([]byte("[}"))
	r.Value()
	r.Fail(0, "other", "a second failure")
	r.Within("inner")
	r.Within("outer")
	want := &protocols.DecodeError{At: 1, Field: "outer.inner", Why: `"}" stands where a value is expected`}
	if diff := cmp.Diff(want, r.Err()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Peek() != 0 || r.Open('[', "") || r.Value().Given() {
		t.Error("a reader that failed goes on reading")
	}
}

func TestInsideKeepsOffsetsOfTheBody(t *testing.T) {
	t.Parallel()
	r := cometjson.NewReader([]byte(`[0,[1,x]]`))
	count := 0
	r.Open('[', "")
	r.Next(']', &count)
	r.Value()
	r.Next(']', &count)
	at := r.At()
	inner := r.Inside(cometjson.Token{Kind: cometjson.Array, At: at, Raw: []byte(`[1,x]`)})
	inner.Value()
	want := &protocols.DecodeError{At: 6, Why: `"x" stands where a value is expected`}
	if diff := cmp.Diff(want, inner.Err()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInt(t *testing.T) {
	t.Parallel()
	cases := []struct {
		body string
		want int64
		ok   bool
	}{
		{`7`, 7, true},
		{`-7`, -7, true},
		{`007`, 7, true},
		{`"7"`, 7, true},
		{`7.0`, 7, true},
		{`7e2`, 700, true},
		{`"7e2"`, 700, true},
		{`true`, 1, true},
		{`false`, 0, true},
		{`1000`, 1000, true},
		{`1001`, 0, false},
		{`-1001`, 0, false},
		{`7.5`, 0, false},
		{`1e300`, 0, false},
		{`"seven"`, 0, false},
		{`"inf"`, 0, false},
		{`"-inf"`, 0, false},
		{`"0x7"`, 0, false},
		{`" 7"`, 0, false},
		{`""`, 0, false},
		{`"\u0037"`, 0, false},
		{`-`, 0, false},
		{`null`, 0, false},
		{`[7]`, 0, false},
		{`{}`, 0, false},
		{`99999999999999999999999`, 0, false},
	}
	for _, c := range cases {
		r := cometjson.NewReader([]byte(c.body + " "))
		if got, ok := r.Value().Int(-1000, 1000); got != c.want || ok != c.ok {
			t.Errorf("Int of %s gives %d, %v, want %d, %v", c.body, got, ok, c.want, c.ok)
		}
	}
}

func TestHex(t *testing.T) {
	t.Parallel()
	cases := []struct {
		body string
		want uint32
		ok   bool
	}{
		{`"FF8100aB"`, 0xFF8100AB, true},
		{`"A"`, 10, true},
		{`"00000000"`, 0, true},
		{`""`, 0, false},
		{`"123456789"`, 0, false},
		{`"12 4"`, 0, false},
		{`"-1"`, 0, false},
		{`12`, 0, false},
		{`null`, 0, false},
	}
	for _, c := range cases {
		if got, ok := cometjson.NewReader([]byte(c.body + " ")).Value().Hex(); got != c.want || ok != c.ok {
			t.Errorf("Hex of %s gives %X, %v, want %X, %v", c.body, got, ok, c.want, c.ok)
		}
	}
}

func TestReadPair(t *testing.T) {
	t.Parallel()
	cases := []struct {
		body    string
		want    cometjson.Pair
		remarks int
		fails   bool
	}{
		{`[1,2] `, cometjson.Pair{1, 2}, 0, false},
		{`["1",true] `, cometjson.Pair{1, 1}, 0, false},
		{`[1] `, cometjson.Pair{1, 0}, 1, false},
		{`[] `, cometjson.Pair{}, 1, false},
		{`[1,2,3] `, cometjson.Pair{1, 2}, 1, false},
		{`[3,1] `, cometjson.Pair{0, 1}, 1, false},
		{`7 `, cometjson.Pair{}, 1, false},
		{`null `, cometjson.Pair{}, 0, false},
		{`[1,2`, cometjson.Pair{1, 0}, 0, true},
		{`"x`, cometjson.Pair{}, 0, true},
	}
	for _, c := range cases {
		var m cometjson.Remarks
		r := cometjson.NewReader([]byte(c.body))
		got := r.ReadPair("Alarm", 2, &m)
		if got != c.want || len(m.List()) != c.remarks || (r.Err() != nil) != c.fails {
			t.Errorf("ReadPair of %s gives %v, remarks %q, error %v, want %v, %d remarks, failing %v",
				c.body, got, m.List(), r.Err(), c.want, c.remarks, c.fails)
		}
	}
}

func TestTypeOf(t *testing.T) {
	t.Parallel()
	cases := []struct {
		body string
		want int64
		ok   bool
	}{
		{`{"JsonType":2,"Sn":`, 2, true},
		{`{"Sn":"1","JsonType":5}`, 5, true},
		{"\xef\xbb\xbf\r\n{\t\"JsonType\" :\n 5}", 5, true},
		{`{"JsonType":"5"}`, 5, true},
		{`{"Desc":"JsonType","JsonType":5}`, 5, true},
		{`{"Desc":"\"JsonType\":2","JsonType":5}`, 5, true},
		{`{"JsonType":2`, 0, false},
		{`{"JsonType":`, 0, false},
		{`{"JsonType"`, 0, false},
		{`{"JsonType":{}}`, 0, false},
		{`{"Type":2}`, 0, false},
		{`[1,6]`, 0, false},
		{``, 0, false},
	}
	for _, c := range cases {
		if got, ok := cometjson.TypeOf([]byte(c.body)); got != c.want || ok != c.ok {
			t.Errorf("TypeOf(%s) gives %d, %v, want %d, %v", c.body, got, ok, c.want, c.ok)
		}
	}
}

func TestWrittenTextsAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		var w cometjson.Writer
		w.Text("", text)
		var standard string
		if err := json.Unmarshal(w.Bytes(), &standard); err != nil || standard != text {
			t.Fatalf("encoding/json reads %s as %q, %v, want %q", w.Bytes(), standard, err, text)
		}
		if got := string(cometjson.NewReader(w.Bytes()).Value().Bytes()); got != text {
			t.Fatalf("Bytes of %s gives %q, want %q", w.Bytes(), got, text)
		}
	})
}

func TestTextsOfOthersAreReadAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		body, err := json.Marshal(text)
		if err != nil {
			t.Fatalf("Marshal: %v", err)
		}
		if got := string(cometjson.NewReader(body).Value().Bytes()); got != text {
			t.Fatalf("Bytes of %s gives %q, want %q", body, got, text)
		}
	})
}

func TestEscapes(t *testing.T) {
	t.Parallel()
	cases := []struct{ body, want string }{
		{`"a\/b\b\f\n\r\t"`, "a/b\b\f\n\r\t"},
		{`"\u00e9\u20AC"`, "é€"},
		{`"\ud83c\udf21"`, "🌡"},
		{`"\ud83c"`, "\uFFFD"},
		{`"\ud83cx"`, "\uFFFDx"},
		{`"\ud83c\n"`, "\uFFFD\n"},
		{`"\ud83c\u0041"`, "\uFFFDA"},
		{`"\u12"`, `\u12`},
		{`"\x41"`, `\x41`},
	}
	for _, c := range cases {
		if got := string(cometjson.NewReader([]byte(c.body)).Value().Bytes()); got != c.want {
			t.Errorf("Bytes of %s gives %q, want %q", c.body, got, c.want)
		}
	}
}
