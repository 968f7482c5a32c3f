package cometjson_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/protocols/internal/cometjson"
)

func TestValueOf(t *testing.T) {
	t.Parallel()
	sensorError := func(n uint8) cometjson.Value {
		return cometjson.Value{Quality: halley.QualityOf(halley.SensorError, n)}
	}
	odd := cometjson.Value{Quality: halley.QualityOf(halley.SensorError, 0), Odd: true}
	cases := []struct {
		name string
		bits uint32
		want cometjson.Value
	}{
		{"the vendor's 21.3", 0x41aa6666, cometjson.Value{Number: 21.3}},
		{"the vendor's 20.3", 0x41A26666, cometjson.Value{Number: 20.3}},
		{"the vendor's 72.0442", 0x429016A0, cometjson.Value{Number: 72.04419}},
		{"a whole number", 0x42340000, cometjson.Value{Number: 45}},
		{"minus zero", 0x80000000, cometjson.Value{}},
		{"the largest", 0x7F7FFFFF, cometjson.Value{Number: 3.4028235e38}},
		{"the smallest", 0x00000001, cometjson.Value{Number: 1e-45}},
		{"two to the 24th", 0x4B800000, cometjson.Value{Number: 16777216}},
		{"beyond two to the 24th", 0x4B800001, cometjson.Value{Number: 16777218}},
		{"error 0", 0xFF810000, sensorError(0)},
		{"error 53", 0xFF810035, sensorError(53)},
		{"error 255", 0xFF8100FF, sensorError(255)},
		{"a NaN behind the errors", 0xFF810100, odd},
		{"a NaN before the errors", 0xFF80FFFF, odd},
		{"another NaN", 0x7FC00000, odd},
		{"infinity", 0x7F800000, odd},
		{"minus infinity", 0xFF800000, odd},
	}
	for _, c := range cases {
		if diff := cmp.Diff(c.want, cometjson.ValueOf(c.bits)); diff != "" {
			t.Errorf("%s, %08X (-want +got):\n%s", c.name, c.bits, diff)
		}
		if v := cometjson.ValueOf(c.bits).Number; math.Signbit(v) {
			t.Errorf("%s, %08X gives minus zero", c.name, c.bits)
		}
	}
}

func TestEverySingleKeepsItsBits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.Uint32().Draw(t, "bits")
		v := cometjson.ValueOf(bits)
		if !v.Quality.HasValue() {
			return
		}
		if got := math.Float32bits(float32(v.Number)); got != bits && bits != 1<<31 {
			t.Fatalf("%08X gives %v, which is %08X", bits, v.Number, got)
		}
		want, err := strconv.ParseFloat(strconv.FormatFloat(float64(math.Float32frombits(bits)), 'g', -1, 32), 64)
		if err != nil || want != v.Number {
			t.Fatalf("%08X gives %v, want %v", bits, v.Number, want)
		}
	})
}

func TestAgrees(t *testing.T) {
	t.Parallel()
	good := func(v float64) cometjson.Value { return cometjson.Value{Number: v} }
	bad := func(n uint8) cometjson.Value {
		return cometjson.Value{Quality: halley.QualityOf(halley.SensorError, n)}
	}
	cases := []struct {
		shown string
		v     cometjson.Value
		want  bool
	}{
		{"20.3", good(20.3), true},
		{"72.0442", good(72.04419), true},
		{"22.3", good(22.3125), true},
		{"22.4", good(22.35), true},
		{"22.3", good(22.35), true},
		{"22.4", good(22.3125), false},
		{"22", good(22.49), true},
		{"23", good(22.49), false},
		{"-0.0", good(-0.04), true},
		{"-5.1", good(-5.1), true},
		{"5.1", good(-5.1), false},
		{"+5.1", good(5.1), true},
		{"9,8", good(9.8), true},
		{" 51.2 ", good(51.2), true},
		{"1013.25", good(1013.25), true},
		{"100000", good(99999.99), true},
		{"3.4e+38", good(3.4e38), true},
		{"3.5e+38", good(3.4e38), false},
		{"1.2.3", good(1.2), false},
		{"12.8 °C", good(12.8), false},
		{"-", good(0), false},
		{"", good(12.8), true},
		{"n/a", good(12.8), false},
		{"Error4", good(4), false},
		{"", bad(4), true},
		{"n/a", bad(0x35), true},
		{"N/A", bad(4), true},
		{"Error4", bad(4), true},
		{"Error 4", bad(4), true},
		{"error 04", bad(4), true},
		{"Error53", bad(0x35), true},
		{"Error35", bad(0x35), true},
		{"ErrorFF", bad(255), true},
		{"Error5", bad(4), false},
		{"Error300", bad(44), false},
		{"Error", bad(4), false},
		{"Err", bad(4), false},
		{"4", bad(4), false},
	}
	for _, c := range cases {
		if got := cometjson.Agrees([]byte(c.shown), c.v); got != c.want {
			t.Errorf("Agrees(%q, %+v) gives %v, want %v", c.shown, c.v, got, c.want)
		}
	}
}

func TestPrintedValuesAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float32Range(-1e6, 1e6).Draw(t, "value")
		decimals := rapid.IntRange(0, 6).Draw(t, "decimals")
		shown := strconv.FormatFloat(float64(v), 'f', decimals, 32)
		if !cometjson.Agrees([]byte(shown), cometjson.ValueOf(math.Float32bits(v))) {
			t.Fatalf("%v does not agree with %q", v, shown)
		}
		other := strconv.FormatFloat(float64(v)+3*math.Pow10(-decimals)+math.Abs(float64(v))*1e-5, 'f', decimals, 64)
		if cometjson.Agrees([]byte(other), cometjson.ValueOf(math.Float32bits(v))) {
			t.Fatalf("%v agrees with %q", v, other)
		}
	})
}

func TestAppendValue(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		v     float64
		q     halley.Quality
		want  string
		fails bool
	}{
		{"a value", 21.3, 0, "41AA6666", false},
		{"a value with marks", 21.3, halley.QualityOf(halley.Good, 0).WithAlarms(halley.AlarmHigh, 0) | halley.Test, "41AA6666", false},
		{"a sensor error", 0, halley.QualityOf(halley.SensorError, 0x35), "FF810035", false},
		{"not a number", math.NaN(), 0, "", true},
		{"beyond the largest single", 1e39, 0, "", true},
		{"above the range", 0, halley.QualityOf(halley.AboveRange, 0), "", true},
		{"a reason that is not known", 0, 15, "", true},
	}
	for _, c := range cases {
		got, ok := cometjson.AppendValue(nil, c.v, c.q)
		if string(got) != c.want || ok == c.fails {
			t.Errorf("%s gives %q, %v, want %q, %v", c.name, got, ok, c.want, !c.fails)
		}
	}
}

func TestAlarmMarks(t *testing.T) {
	t.Parallel()
	cases := []struct {
		state, mode int64
		want        halley.AlarmMark
	}{
		{0, 0, halley.AlarmNone},
		{0, 1, halley.AlarmNone},
		{0, 2, halley.AlarmNone},
		{1, 0, halley.AlarmActive},
		{1, 1, halley.AlarmLow},
		{1, 2, halley.AlarmHigh},
	}
	for _, c := range cases {
		if got := cometjson.AlarmMark(c.state, c.mode); got != c.want {
			t.Errorf("AlarmMark(%d, %d) gives %d, want %d", c.state, c.mode, got, c.want)
		}
		state, mode := cometjson.AlarmNumbers(c.want)
		if got := cometjson.AlarmMark(int64(state), int64(mode)); got != c.want {
			t.Errorf("AlarmNumbers(%d) gives %d, %d, which is %d", c.want, state, mode, got)
		}
	}
}
