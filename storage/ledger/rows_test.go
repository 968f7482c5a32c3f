package ledger_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/storage/ledger"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// line is a row with its device, as a part lists them.
type line struct {
	Device ledger.Device
	Row    ledger.Row
}

func encode(lines []line) []byte {
	var e ledger.Encoder
	for i := range lines {
		e.Add(lines[i].Device, &lines[i].Row)
	}
	return bytes.Clone(e.Bytes())
}

func decode(canonical []byte) ([]line, error) {
	var lines []line
	d := ledger.NewDecoder(canonical)
	for {
		device, row, err := d.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		lines = append(lines, line{device, *row})
	}
}

// bits makes floats comparable to the bit, not-a-number too.
var bits = cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })

// anyInt draws numbers near each other and numbers at the ends.
func anyInt(t *rapid.T, name string) int64 {
	return rapid.OneOf(rapid.Int64Range(-3, 300), rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64})).Draw(t, name)
}

func anyOptional(t *rapid.T, name string) ledger.Int {
	if !rapid.Bool().Draw(t, name+" is there") {
		return ledger.Int{}
	}
	return ledger.Int{N: anyInt(t, name), Valid: true}
}

func anyFloat(t *rapid.T, name string) ledger.Float {
	if !rapid.Bool().Draw(t, name+" is there") {
		return ledger.Float{}
	}
	v := rapid.OneOf(
		rapid.Map(rapid.Int64Range(-5000, 5000), func(n int64) float64 { return float64(n) / 10 }),
		rapid.Map(rapid.Int64(), func(n int64) float64 { return float64(n) / 1e6 }),
		rapid.Map(rapid.Uint64(), math.Float64frombits),
		rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1 << 53, 1<<53 + 2, math.MaxFloat64, math.Inf(1), math.NaN(), 5e-324}),
	).Draw(t, name)
	return ledger.Float{F: v, Valid: true}
}

func anyRow(t *rapid.T) ledger.Row {
	r := ledger.Row{At: halley.Millis(anyInt(t, "at"))}
	if rapid.Bool().Draw(t, "keyed") {
		r.Variant, r.Part = anyInt(t, "variant"), rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64()).Draw(t, "part")
	}
	if rapid.Bool().Draw(t, "with head") {
		for i := range r.Head {
			r.Head[i] = anyOptional(t, "head")
		}
	}
	for i := range r.Values {
		r.Values[i], r.Qualities[i] = anyFloat(t, "value"), anyOptional(t, "quality")
	}
	for range rapid.IntRange(0, ledger.Slots).Draw(t, "channels") {
		r.Channels = append(r.Channels, ledger.Channel{
			Number: rapid.IntRange(0, 2).Draw(t, "number"), Quantity: rapid.SampledFrom([]string{"", "temperature", "t"}).Draw(t, "quantity"),
			Unit: rapid.SampledFrom([]string{"", "°C", "C"}).Draw(t, "unit"),
		})
	}
	return r
}

func anyLines(t *rapid.T) []line {
	devices := rapid.SampledFrom([]ledger.Device{
		{Family: "wifi", Serial: "00000001"}, {Family: "wifi", Serial: "00000002"}, {Family: "modem", Serial: "00000001"}, {},
	})
	lines := make([]line, rapid.IntRange(0, 6).Draw(t, "rows"))
	for i := range lines {
		lines[i] = line{devices.Draw(t, "device"), anyRow(t)}
		// Rows that resemble the one before are what the form is made for.
		if i > 0 && rapid.Bool().Draw(t, "alike") {
			alike := lines[i-1]
			for range rapid.IntRange(0, 3).Draw(t, "differences") {
				j := rapid.IntRange(0, ledger.Slots-1).Draw(t, "slot")
				alike.Row.Values[j], alike.Row.Qualities[j] = anyFloat(t, "value"), anyOptional(t, "quality")
				alike.Row.Head[rapid.IntRange(0, ledger.HeadCount-1).Draw(t, "column")] = anyOptional(t, "head")
			}
			alike.Row.At += halley.Millis(rapid.Int64Range(0, 2).Draw(t, "later"))
			lines[i] = alike
		}
	}
	return lines
}

func TestRowsComeBackFromTheirCanonicalBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyLines(t)
		canonical := encode(want)
		got, err := decode(canonical)
		if err != nil {
			t.Fatalf("decoding what was encoded: %v", err)
		}
		if len(want) == 0 {
			want = nil
		}
		if diff := cmp.Diff(want, got, bits, equateEmptyChannels); diff != "" {
			t.Fatalf("rows after encoding and decoding (-want +got):\n%s", diff)
		}
		h := ledger.NewHash(nil)
		for i := range want {
			h.Add(want[i].Device, &want[i].Row)
		}
		if h.Sum() != ledger.PartSum(canonical) || h.Rows() != int64(len(want)) {
			t.Fatalf("the running hash gives %v over %d rows, the bytes give %v over %d", h.Sum(), h.Rows(), ledger.PartSum(canonical), len(want))
		}
	})
}

// equateEmptyChannels makes no list the same as an empty one.
var equateEmptyChannels = cmp.FilterValues(
	func(a, b []ledger.Channel) bool { return len(a) == 0 && len(b) == 0 }, cmp.Comparer(func(_, _ []ledger.Channel) bool { return true }),
)

func TestDifferentRowsHaveDifferentBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyLines(t), anyLines(t)
		same := cmp.Equal(a, b, bits, equateEmptyChannels)
		if got := bytes.Equal(encode(a), encode(b)); got != same {
			t.Fatalf("the bytes of %v and %v are the same: %v, want %v", a, b, got, same)
		}
	})
}

func TestEveryFieldOfARowIsInItsBytes(t *testing.T) {
	t.Parallel()
	base := typicalLines(3)
	changes := map[string]func(*line){
		"family":   func(l *line) { l.Device.Family = "modem" },
		"serial":   func(l *line) { l.Device.Serial += "1" },
		"at":       func(l *line) { l.Row.At++ },
		"variant":  func(l *line) { l.Row.Variant++ },
		"part":     func(l *line) { l.Row.Part++ },
		"channels": func(l *line) { l.Row.Channels = l.Row.Channels[:1] },
		"number":   func(l *line) { l.Row.Channels = []ledger.Channel{{2, "temperature", "°C"}, {2, "humidity", "%RH"}} },
		"quantity": func(l *line) { l.Row.Channels = []ledger.Channel{{1, "dew-point", "°C"}, {2, "humidity", "%RH"}} },
		"unit":     func(l *line) { l.Row.Channels = []ledger.Channel{{1, "temperature", "°F"}, {2, "humidity", "%RH"}} },
	}
	for i, name := range ledger.HeadColumns() {
		changes[name] = func(l *line) { l.Row.Head[i].N++ }
		changes[name+" gone"] = func(l *line) { l.Row.Head[i] = ledger.Int{} }
	}
	for i := range ledger.Slots {
		name := string(rune('1' + i))
		changes["value "+name] = func(l *line) { l.Row.Values[i] = ledger.Float{F: 77.7, Valid: true} }
		changes["value 0 "+name] = func(l *line) { l.Row.Values[i] = ledger.Float{F: 0, Valid: !l.Row.Values[i].Valid} }
		changes["quality "+name] = func(l *line) { l.Row.Qualities[i] = ledger.Int{N: 7, Valid: true} }
		changes["quality 0 "+name] = func(l *line) { l.Row.Qualities[i] = ledger.Int{N: 0, Valid: !l.Row.Qualities[i].Valid} }
	}
	seen := map[string]string{string(encode(base)): "nothing"}
	for name, change := range changes {
		for at := range base {
			lines := typicalLines(3)
			change(&lines[at])
			b := string(encode(lines))
			if other, ok := seen[b]; ok && (name[:2] != other[:2] || !strings.Contains(name, " ")) {
				t.Errorf("after a change of %s in row %d the bytes are those after a change of %s", name, at, other)
			}
			seen[b] = name
		}
	}
	lines := typicalLines(3)
	lines[1].Row.Layout = 99
	if !bytes.Equal(encode(lines), encode(base)) {
		t.Error("the number of a layout is in the bytes")
	}
}

// typicalLines are rows as WiFi sensors with two channels send them, n of each of two devices.
func typicalLines(n int) []line {
	channels := []ledger.Channel{{Number: 1, Quantity: "temperature", Unit: "°C"}, {Number: 2, Quantity: "humidity", Unit: "%RH"}}
	var lines []line
	for device := range 2 {
		for i := range n {
			at := int64(1_763_700_000_000) + int64(i)*10_000
			r := ledger.Row{At: halley.Millis(at), Layout: int64(device + 1), Channels: channels}
			for j, v := range []int64{
				int64(1000 + 2*i + device), 0, 1, 1, at + 300, at + 412, int64(i + 1), 0, 0, 0, 10, 0, 3, 1, 255, int64(-60 - i%3), 88,
			} {
				r.Head[j] = ledger.Int{N: v, Valid: true}
			}
			r.Values[0] = ledger.Float{F: float64(200+i%7-device) / 10, Valid: true}
			r.Values[1] = ledger.Float{F: float64(450+i%5) / 10, Valid: true}
			r.Qualities[0], r.Qualities[1] = ledger.Int{Valid: true}, ledger.Int{Valid: true}
			lines = append(lines, line{ledger.Device{ID: halley.DeviceID(device + 1), Family: "wifi", Serial: "0000000" + string(rune('1'+device))}, r})
		}
	}
	return lines
}

// goldenLines use every feature of the form.
func goldenLines() []line {
	lines := typicalLines(3)
	more := typicalLines(3)
	for i := range more {
		more[i].Device.Serial = "10000001"
		more[i].Row.At += 60_000
	}
	more[0].Row.Variant = 1
	more[1].Row.Part, more[1].Row.Head = 1, [ledger.HeadCount]ledger.Int{}
	more[1].Row.At = more[0].Row.At
	more[2].Row.Values[0].F = math.Pi
	more[2].Row.Values[1].F = 21
	more[3].Row.Values[0] = ledger.Float{}
	more[3].Row.Qualities[0].N = 1 | 7<<4
	more[4].Row.Head[ledger.HeadSentAt] = ledger.Int{}
	more[4].Row.Values[2] = ledger.Float{F: -0.000125, Valid: true}
	more[5].Row.Channels = []ledger.Channel{{}, {Number: 2, Quantity: "co2", Unit: "ppm"}}
	return append(lines, more...)
}

func TestCanonicalBytesNeverChange(t *testing.T) {
	t.Parallel()
	canonical := encode(goldenLines())
	text := "# Canonical bytes of a part; the rows are those of goldenLines. These bytes never change: digests of stored batches are over\n" +
		"# such bytes.\n" + hexLines(canonical) + "digest " + ledger.PartSum(canonical).String() + "\n"
	holdGolden(t, "testdata/part.golden", text)
}

func hexLines(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		n := min(len(b), 32)
		s.WriteString(hex.EncodeToString(b[:n]) + "\n")
		b = b[n:]
	}
	return s.String()
}

func holdGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestDamagedBytesAreRefused(t *testing.T) {
	t.Parallel()
	canonical := encode(goldenLines())
	whole, err := decode(canonical)
	if err != nil {
		t.Fatal(err)
	}
	for n := range canonical {
		// Bytes that end between two rows are a shorter part; its digest says that it is not the whole.
		if got, err := decode(canonical[:n]); err == nil && len(got) >= len(whole) {
			t.Errorf("the first %d of %d bytes gave %d rows", n, len(canonical), len(got))
		} else if err != nil && !errors.Is(err, ledger.ErrForm) {
			t.Errorf("the first %d bytes: %v, want an ErrForm", n, err)
		}
	}
	if _, err := decode([]byte{2}); !errors.Is(err, ledger.ErrForm) {
		t.Errorf("an unknown version: %v, want an ErrForm", err)
	}
}

func TestEncoderIsReusable(t *testing.T) {
	t.Parallel()
	want := encode(goldenLines())
	var e ledger.Encoder
	for range 3 {
		for _, l := range goldenLines() {
			e.Add(l.Device, &l.Row)
		}
		if !bytes.Equal(e.Bytes(), want) || e.Rows() != int64(len(goldenLines())) || e.Sum() != ledger.PartSum(want) {
			t.Fatal("an Encoder that was used before gives other bytes")
		}
		e.Reset()
	}
}

func TestAddingARowAllocatesNothing(t *testing.T) {
	lines := typicalLines(50)
	var e ledger.Encoder
	h := ledger.NewHash(nil)
	each := func() {
		e.Reset()
		for i := range lines {
			e.Add(lines[i].Device, &lines[i].Row)
			h.Add(lines[i].Device, &lines[i].Row)
		}
	}
	each()
	if n := testing.AllocsPerRun(20, each); n != 0 {
		t.Errorf("%v allocations for %d rows, want none", n, 2*len(lines))
	}
}

func FuzzDecodeRows(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(encode(goldenLines()))
	f.Add(encode(typicalLines(2)))
	f.Fuzz(func(t *testing.T, canonical []byte) {
		lines, err := decode(canonical)
		if err != nil {
			if !errors.Is(err, ledger.ErrForm) {
				t.Fatalf("%v, want an ErrForm", err)
			}
			return
		}
		again, err := decode(encode(lines))
		if err != nil {
			t.Fatalf("decoding what was encoded: %v", err)
		}
		if diff := cmp.Diff(lines, again, bits, equateEmptyChannels); diff != "" {
			t.Fatalf("rows after encoding and decoding (-want +got):\n%s", diff)
		}
	})
}
