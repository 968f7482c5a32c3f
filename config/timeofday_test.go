package config_test

import (
	"testing"
	"time"

	"halley/config"
)

func TestTimesOfDay(t *testing.T) {
	t.Parallel()
	prague, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Fatal(err)
	}
	half := config.TimeOfDay{Hour: 2, Minute: 30}
	tests := map[string]struct{ now, next, last time.Time }{
		"before it": {
			time.Date(2026, 11, 22, 1, 0, 0, 0, prague), time.Date(2026, 11, 22, 2, 30, 0, 0, prague), time.Date(2026, 11, 21, 2, 30, 0, 0, prague),
		},
		"at it": {
			time.Date(2026, 11, 22, 2, 30, 0, 0, prague), time.Date(2026, 11, 23, 2, 30, 0, 0, prague), time.Date(2026, 11, 22, 2, 30, 0, 0, prague),
		},
		"behind it, at the end of a month": {
			time.Date(2026, 11, 30, 2, 31, 0, 0, prague), time.Date(2026, 12, 1, 2, 30, 0, 0, prague), time.Date(2026, 11, 30, 2, 30, 0, 0, prague),
		},
		"on the day whose clock leaves it out": {
			time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC).In(prague), time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC), time.Date(2026, 3, 28, 1, 30, 0, 0, time.UTC),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := half.Next(tt.now); !got.Equal(tt.next) {
				t.Errorf("next is %v, want %v", got, tt.next)
			}
			if got := half.Last(tt.now); !got.Equal(tt.last) {
				t.Errorf("last was %v, want %v", got, tt.last)
			}
		})
	}
	for _, wrong := range []string{"", "2:30", "24:00", "02:60", "02:30:00", "noon"} {
		if got, ok := config.ParseTimeOfDay(wrong); ok {
			t.Errorf("%q is read as %+v", wrong, got)
		}
	}
}
