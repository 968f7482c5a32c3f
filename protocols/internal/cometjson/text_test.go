package cometjson_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/protocols"
	"halley/protocols/internal/cometjson"
)

func TestString(t *testing.T) {
	t.Parallel()
	bytes8 := cometjson.TextLimits{Field: "F", Bytes: 8}
	runes3 := cometjson.TextLimits{Field: "F", Bytes: 12, Runes: 3}
	cases := []struct {
		name    string
		body    string
		limits  cometjson.TextLimits
		want    string
		remarks []string
	}{
		{"a short text", `"abc"`, bytes8, "abc", nil},
		{"a text of the full length", `"abcdefgh"`, bytes8, "abcdefgh", nil},
		{"a text too long", `"abcdefghi"`, bytes8, "abcdefgh", []string{"F: is too long and was cut"}},
		{"a character on the border", `"abcdefgé"`, bytes8, "abcdefg", []string{"F: is too long and was cut"}},
		{"three characters", `"€€€"`, runes3, "€€€", nil},
		{"four characters", `"€€€€"`, runes3, "€€€", []string{"F: is too long and was cut"}},
		{"four letters", `"abcd"`, runes3, "abc", []string{"F: is too long and was cut"}},
		{"a NUL", `"a\u0000b"`, bytes8, "ab", []string{"F: NUL characters are left out"}},
		{"no UTF-8", "\"\xe8\"", bytes8, "\uFFFD", []string{"F: is not UTF-8; what cannot be read was replaced"}},
		{"a code page", "\"\xe8\"", cometjson.TextLimits{Field: "F", Bytes: 8, CodePage: true}, "č", []string{"F: is not UTF-8 and was read as windows-1250"}},
		{"UTF-8 where a code page may be", `"č"`, cometjson.TextLimits{Field: "F", Bytes: 8, CodePage: true}, "č", nil},
		{"a secret too long", `"abcdefghi"`, cometjson.TextLimits{Bytes: 8, Silent: true}, "abcdefgh", nil},
		{"a number", `12.5`, bytes8, "12.5", nil},
		{"null", `null`, bytes8, "", nil},
		{"an object", `{}`, bytes8, "", []string{"F: is not a text"}},
		{"a common text", `"%RH"`, bytes8, "%RH", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var m cometjson.Remarks
			got := cometjson.NewReader([]byte(c.body+" ")).Value().String(c.limits, &m)
			if got != c.want {
				t.Errorf("String of %s gives %q, want %q", c.body, got, c.want)
			}
			if diff := cmp.Diff(c.remarks, m.List()); diff != "" {
				t.Errorf("remarks on %s (-want +got):\n%s", c.body, diff)
			}
		})
	}
}

func TestStringIsAlwaysCleanAndBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOf(rapid.Byte().Filter(func(b byte) bool { return b != '"' && b != '\\' })).Draw(t, "raw")
		limits := cometjson.TextLimits{
			Field: "F", Bytes: rapid.IntRange(0, 20).Draw(t, "bytes"), Runes: rapid.IntRange(0, 8).Draw(t, "runes"),
			CodePage: rapid.Bool().Draw(t, "code page"),
		}
		var m cometjson.Remarks
		got := cometjson.NewReader([]byte(`"`+string(raw)+`"`)).Value().String(limits, &m)
		if !utf8.ValidString(got) || strings.Contains(got, "\x00") || len(got) > limits.Bytes {
			t.Fatalf("%q gives %q", raw, got)
		}
		if limits.Runes > 0 && utf8.RuneCountInString(got) > limits.Runes {
			t.Fatalf("%q gives %q, more than %d characters", raw, got, limits.Runes)
		}
		if got != string(raw) && len(m.List()) == 0 {
			t.Fatalf("%q became %q without a remark", raw, got)
		}
	})
}

func TestRemarksAreBounded(t *testing.T) {
	t.Parallel()
	var m cometjson.Remarks
	m.AddUnknown([]byte(strings.Repeat("\xff", 1000)))
	for range 100 {
		m.AddUnknown([]byte("key"))
	}
	if n := len(m.List()); n != 4 {
		t.Errorf("%d remarks on unknown fields, want 4", n)
	}
	for i := range 100 {
		m.Add("field "+strconv.Itoa(i), strings.Repeat("é", 200))
	}
	list := m.List()
	if len(list) != 16 || list[15] != "further remarks are left out" {
		t.Errorf("%d remarks, the last %q, want 16 and a last that says so", len(list), list[len(list)-1])
	}
	for _, r := range list {
		if len(r) > 160 || !utf8.ValidString(r) || strings.ContainsAny(r, "\r\n") {
			t.Errorf("remark %q", r)
		}
	}
}

func TestQuantityOf(t *testing.T) {
	t.Parallel()
	cases := []struct{ unit, name, want string }{
		{"°C", "Temperature", halley.Temperature},
		{"°C", "", halley.Temperature},
		{"C", "Cold room", halley.Temperature},
		{"°F", "Fridge", halley.Temperature},
		{"F", "DEW POINT", halley.DewPoint},
		{"°C", "Rosný bod", halley.DewPoint},
		{"°C", "Taupunkt", halley.DewPoint},
		{"%RH", "Fridge", halley.Humidity},
		{"% rh", "", halley.Humidity},
		{"%", "Rel. humidity", halley.Humidity},
		{"hPa", "x", halley.Pressure},
		{"kPa", "x", halley.Pressure},
		{"mBar", "x", halley.Pressure},
		{"inHg", "x", halley.Pressure},
		{"PSI", "x", halley.Pressure},
		{"ppm", "x", halley.CO2},
		{"g/m3", "x", halley.AbsoluteHumidity},
		{"g/m³", "x", halley.AbsoluteHumidity},
		{"g/kg", "Specific humidity", halley.SpecificHumidity},
		{"g/kg", "Mixing ratio", halley.MixingRatio},
		{"g/kg", "", halley.MixingRatio},
		{"kJ/kg", "x", halley.SpecificEnthalpy},
		{"mA", "Loop", halley.Current},
		{"m/s", "Wind", "Wind"},
		{"", "Index", "Index"},
		{"", "", ""},
	}
	for _, c := range cases {
		if got := cometjson.QuantityOf(c.unit, c.name); got != c.want {
			t.Errorf("QuantityOf(%q, %q) gives %q, want %q", c.unit, c.name, got, c.want)
		}
	}
}

func TestAnswerIsWhatADeviceReads(t *testing.T) {
	t.Parallel()
	for _, o := range []protocols.Outcome{protocols.Stored, protocols.Unavailable, protocols.Refused, protocols.NotUnderstood} {
		reply := cometjson.Answer(200, o)
		var got struct {
			Result  bool
			Message string
		}
		if err := json.Unmarshal(reply.Body, &got); err != nil {
			t.Errorf("%s: %v", reply.Body, err)
		}
		if got.Result != (o == protocols.Stored) || got.Message != o.Reason() || len(got.Message) > 100 {
			t.Errorf("the answer for %q is %s", o.Reason(), reply.Body)
		}
	}
}
