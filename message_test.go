package halley_test

import (
	"testing"

	"halley"
)

const received = halley.Millis(1_795_266_960_000)

func TestMeasuredAt(t *testing.T) {
	t.Parallel()
	const hour = halley.Hour
	tests := map[string]struct {
		message halley.Message
		at      halley.Millis
		sent    halley.Millis
	}{
		"no clock": {halley.Message{}, received, 0},
		"valid clock": {
			halley.Message{Clock: halley.ClockValid, Sample: received - hour, Now: received - 1}, received - hour, received - 1,
		},
		"clock not valid keeps the distance": {
			halley.Message{Clock: halley.ClockNotValid, Sample: 1000, Now: 61_000}, received - halley.Minute, 61_000,
		},
		"clock not valid is never ahead": {
			halley.Message{Clock: halley.ClockNotValid, Sample: 61_000, Now: 1000}, received, 1000,
		},
		"local clock": {
			halley.Message{Clock: halley.ClockLocalOrUTC, OffsetMinutes: 120, Sample: received + 2*hour - halley.Minute, Now: received + 2*hour},
			received - halley.Minute, received,
		},
		"clock in UTC": {
			halley.Message{Clock: halley.ClockLocalOrUTC, OffsetMinutes: 120, Sample: received - halley.Minute, Now: received + halley.Second},
			received - halley.Minute, received + halley.Second,
		},
		"convention not known is taken as local": {
			halley.Message{Clock: halley.ClockLocalOrUTC, OffsetMinutes: 120, Sample: received}, received - 2*hour, 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.message.MeasuredAt(received); got != tt.at {
				t.Errorf("MeasuredAt = %v, want %v", got, tt.at)
			}
			if got := tt.message.SentAt(received); got != tt.sent {
				t.Errorf("SentAt = %v, want %v", got, tt.sent)
			}
		})
	}
}

func TestLate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		after            halley.Millis
		interval, buffer int
		want             bool
	}{
		"within a minute":             {halley.Minute, 10, 0, false},
		"beyond a minute":             {halley.Minute + 1, 10, 0, true},
		"within two intervals":        {20 * halley.Minute, 600, 0, false},
		"beyond two intervals":        {20*halley.Minute + 1, 600, 0, true},
		"buffered, within its buffer": {80 * halley.Minute, 600, 6, false},
		"buffered, beyond its buffer": {80*halley.Minute + 1, 600, 6, true},
		"buffered as long as may be":  {100 * 365 * halley.Day, 1<<32 - 1, 1<<32 - 1, false},
		"ahead":                       {-halley.Hour, 60, 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := halley.Late(received, received+tt.after, tt.interval, tt.buffer); got != tt.want {
				t.Errorf("Late after %d ms with interval %d and buffer %d = %v", tt.after, tt.interval, tt.buffer, got)
			}
		})
	}
}
