package halley_test

import (
	"testing"

	"pgregory.net/rapid"

	"halley"
)

func TestQualityWords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		quality halley.Quality
		late    bool
		want    string
	}{
		"good":          {0, false, "good"},
		"sensor error":  {halley.QualityOf(halley.SensorError, 0x35), false, "error-53"},
		"error zero":    {halley.QualityOf(halley.SensorError, 0), false, "error-0"},
		"above range":   {halley.QualityOf(halley.AboveRange, 7), false, "above-range"},
		"below range":   {halley.QualityOf(halley.BelowRange, 0), false, "below-range"},
		"not ready":     {halley.QualityOf(halley.NotReady, 0), false, "not-ready"},
		"not available": {halley.QualityOf(halley.NotAvailable, 0), false, "not-available"},
		"late":          {0, true, "good late"},
		"all marks": {
			halley.QualityOf(halley.SensorError, 255).WithAlarms(halley.AlarmHigh, halley.AlarmLow) | halley.ClockInvalid | halley.ServerTime | halley.Test,
			true, "error-255 alarm1-high alarm2-low clock-invalid server-time test late",
		},
		"alarm without direction": {halley.Quality(0).WithAlarms(halley.AlarmActive, halley.AlarmNone), false, "good alarm1"},
		"second alarm alone":      {halley.Quality(0).WithAlarms(halley.AlarmNone, halley.AlarmHigh), false, "good alarm2-high"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.quality.Words(tt.late); got != tt.want {
				t.Errorf("Words(%v) = %q, want %q", tt.late, got, tt.want)
			}
		})
	}
}

func TestQualityKeepsItsParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		reason := halley.Reason(rapid.IntRange(0, 5).Draw(t, "reason"))
		number := rapid.Uint8().Draw(t, "number")
		a1, a2 := halley.AlarmMark(rapid.IntRange(0, 3).Draw(t, "alarm 1")), halley.AlarmMark(rapid.IntRange(0, 3).Draw(t, "alarm 2"))
		q := halley.QualityOf(reason, number) | halley.Test
		q = q.WithAlarms(halley.AlarmActive, halley.AlarmActive).WithAlarms(a1, a2)
		if reason != halley.SensorError {
			number = 0
		}
		g1, g2 := q.Alarms()
		if q.Reason() != reason || q.Number() != number || g1 != a1 || g2 != a2 || q&halley.Test == 0 {
			t.Fatalf("quality %b lost a part of reason %d number %d alarms %d %d", q, reason, number, a1, a2)
		}
		if q.HasValue() != (reason == halley.Good) {
			t.Fatalf("HasValue of reason %d is %v", reason, q.HasValue())
		}
	})
}
