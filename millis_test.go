package halley_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"halley"
)

func TestMillisPrintsAndParses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want halley.Millis
		back string
	}{
		"utc":                {"2026-11-21T13:16:00Z", 1795266960000, "2026-11-21T13:16:00.000Z"},
		"with an offset":     {"2026-11-21T14:16:00.5+01:00", 1795266960500, "2026-11-21T13:16:00.500Z"},
		"rounded down":       {"2026-11-21T13:16:00.9999Z", 1795266960999, "2026-11-21T13:16:00.999Z"},
		"before 1970":        {"1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"},
		"first storable":     {"2000-01-01T00:00:00Z", halley.EarliestMillis, "2000-01-01T00:00:00.000Z"},
		"no longer storable": {"2100-01-01T00:00:00Z", halley.LatestMillis, "2100-01-01T00:00:00.000Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := halley.ParseMillis(tt.text)
			if err != nil || got != tt.want || got.String() != tt.back {
				t.Errorf("ParseMillis(%q) = %d %q, %v; want %d %q", tt.text, got, got, err, tt.want, tt.back)
			}
		})
	}
}

func TestMillisRefusesOtherTexts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "yesterday", "2026-11-21", "2026-11-21T13:16:00", "1795266960000"} {
		if _, err := halley.ParseMillis(text); halley.KindOf(err) != halley.Invalid {
			t.Errorf("ParseMillis(%q): got %v, want Invalid", text, err)
		}
	}
}

func TestMillisSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := halley.Millis(rapid.Int64Range(-1e15, 1e15).Draw(t, "m"))
		step := halley.Millis(rapid.Int64Range(1, 1e10).Draw(t, "step"))
		f, c := m.Floor(step), m.Ceil(step)
		if f > m || m-f >= step || f%step != 0 {
			t.Fatalf("%d.Floor(%d) = %d", m, step, f)
		}
		if c < m || c-m >= step || c%step != 0 {
			t.Fatalf("%d.Ceil(%d) = %d", m, step, c)
		}
	})
}

func TestMillisAndTime(t *testing.T) {
	t.Parallel()
	if halley.MillisOf(time.Time{}) != 0 || !halley.Millis(0).Time().IsZero() || halley.Millis(0).String() != "" {
		t.Error("the zero instant is not the zero time")
	}
	at := time.Date(2026, 11, 21, 13, 16, 0, 987654321, time.FixedZone("", 3600))
	if got, want := halley.MillisOf(at).Time(), at.Truncate(time.Millisecond); !got.Equal(want) {
		t.Errorf("MillisOf and back: got %v, want %v", got, want)
	}
	if !halley.EarliestMillis.Storable() || halley.LatestMillis.Storable() || (halley.EarliestMillis - 1).Storable() {
		t.Error("the bounds of what can be stored are not half-open")
	}
}
