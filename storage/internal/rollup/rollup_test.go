package rollup_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/storage/internal/rollup"
)

func TestLevels(t *testing.T) {
	t.Parallel()
	at, err := halley.ParseMillis("2026-11-21T13:16:59.999Z")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		level rollup.Level
		span  halley.Millis
		start string
	}{
		{"an hour of ten minutes", rollup.Hours, halley.Hour, "2026-11-21T13:00:00.000Z"},
		{"a day of hours", rollup.Days, halley.Day, "2026-11-21T00:00:00.000Z"},
		{"32 days counted from 1970", rollup.Blocks, 32 * halley.Day, "2026-11-11T00:00:00.000Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.level.Span(); got != c.span {
				t.Errorf("Span() = %d, want %d", got, c.span)
			}
			if got := c.level.Start(c.level.Period(at)).String(); got != c.start {
				t.Errorf("Start(Period(%v)) = %s, want %s", at, got, c.start)
			}
		})
	}
	if got := rollup.Raw.Span(); got != 0 {
		t.Errorf("Raw.Span() = %d, want 0", got)
	}
}

func TestLevelFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		width halley.Millis
		want  rollup.Level
	}{
		{"a week is read from days", 7 * halley.Day, rollup.Blocks},
		{"five hours are read from hours", 5 * halley.Hour, rollup.Days},
		{"twenty minutes are read from ten minutes", 20 * halley.Minute, rollup.Hours},
		{"a minute is read from samples", halley.Minute, rollup.Raw},
		{"an odd width is read from samples", halley.Hour + 1, rollup.Raw},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := rollup.LevelFor(c.width); got != c.want {
				t.Errorf("LevelFor(%d) = %d, want %d", c.width, got, c.want)
			}
		})
	}
}

func TestBucketAddsAndMerges(t *testing.T) {
	t.Parallel()
	var a, b, empty rollup.Bucket
	for _, v := range []float64{3, -1.5, 2} {
		a.Add(v)
	}
	b.Add(10)
	a.Merge(empty)
	empty.Merge(a)
	a.Merge(b)
	if diff := cmp.Diff(rollup.Bucket{Count: 4, Min: -1.5, Max: 10, Sum: 13.5}, a); diff != "" {
		t.Errorf("merged bucket (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(rollup.Bucket{Count: 3, Min: -1.5, Max: 3, Sum: 3.5}, empty); diff != "" {
		t.Errorf("empty bucket after Merge (-want +got):\n%s", diff)
	}
}

// value draws what devices send: mostly decimals, sometimes anything finite.
func value() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Map(rapid.Int64Range(-99_999, 99_999), func(n int64) float64 { return float64(n) / 10 }),
		rapid.Map(rapid.Int64Range(-999_999, 999_999), func(n int64) float64 { return float64(n) / 1000 }),
		rapid.Float64Range(-math.MaxFloat64/1e6, math.MaxFloat64/1e6),
		rapid.SampledFrom([]float64{0, math.SmallestNonzeroFloat64, 1e300, -1e-300, 1 << 53, math.MaxFloat32}),
	)
}

func TestDecodeGivesBackTheSameBits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.SampledFrom([]rollup.Level{rollup.Hours, rollup.Days, rollup.Blocks}).Draw(t, "level")
		want := make([]rollup.Bucket, level.Steps())
		for i := range want {
			for range rapid.IntRange(0, 5).Draw(t, "values") {
				want[i].Add(value().Draw(t, "value"))
			}
		}
		got := make([]rollup.Bucket, level.Steps())
		got[0].Add(1)
		if err := rollup.Decode(rollup.Encode(nil, want), got); err != nil {
			t.Fatalf("Decode(Encode(%v)): %v", want, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("Decode(Encode(b)) (-want +got):\n%s", diff)
		}
	})
}

func TestEncodeIsSmall(t *testing.T) {
	t.Parallel()
	b := make([]rollup.Bucket, rollup.Hours.Steps())
	for i := range b {
		for j := range 10 {
			b[i].Add(20 + float64(i+j)/10)
		}
	}
	if got := len(rollup.Encode(nil, b)); got > 6*14 {
		t.Errorf("an hour of tenths takes %d bytes, want at most %d", got, 6*14)
	}
	if got := rollup.Encode(nil, make([]rollup.Bucket, 6)); len(got) != 0 {
		t.Errorf("Encode of empty buckets = %x, want nothing", got)
	}
}

func TestDecodeRefusesDamage(t *testing.T) {
	t.Parallel()
	var b rollup.Bucket
	b.Add(20.3)
	b.Add(math.Pi)
	good := rollup.Encode(nil, []rollup.Bucket{5: b})
	for n := 1; n < len(good); n++ {
		if err := rollup.Decode(good[:n], make([]rollup.Bucket, 6)); err == nil {
			t.Errorf("Decode of %d of %d bytes succeeded", n, len(good))
		}
	}
	if err := rollup.Decode(good, make([]rollup.Bucket, 5)); err == nil {
		t.Error("Decode of a bucket beyond the level succeeded")
	}
	if err := rollup.Decode([]byte{0, 77, 1, 2, 3}, make([]rollup.Bucket, 6)); err == nil {
		t.Error("Decode of an unknown form succeeded")
	}
}

func FuzzDecode(f *testing.F) {
	var b rollup.Bucket
	b.Add(20.3)
	f.Add(rollup.Encode(nil, []rollup.Bucket{b, {}, b}))
	f.Add([]byte{0x80, 0xFF, 1})
	f.Fuzz(func(t *testing.T, pack []byte) {
		buckets := make([]rollup.Bucket, rollup.MaxSteps)
		if err := rollup.Decode(pack, buckets); err != nil {
			return
		}
		again := make([]rollup.Bucket, rollup.MaxSteps)
		if err := rollup.Decode(rollup.Encode(nil, buckets), again); err != nil {
			t.Fatalf("Decode of an encoded pack: %v", err)
		}
	})
}

func BenchmarkDecodeYear(b *testing.B) {
	day := make([]rollup.Bucket, rollup.Days.Steps())
	for i := range day {
		for j := range 60 {
			day[i].Add(20 + float64(i*j%37)/10)
		}
	}
	pack := rollup.Encode(nil, day)
	b.ReportMetric(float64(len(pack)), "bytes/day")
	for b.Loop() {
		for range 366 {
			if err := rollup.Decode(pack, day); err != nil {
				b.Fatal(err)
			}
		}
	}
}
