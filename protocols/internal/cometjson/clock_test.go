package cometjson

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"halley"
)

func TestParseStamp(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text string
		want string
		zone bool
	}{
		{"2026-11-21T14:00:00+01:00", "2026-11-21T13:00:00Z", true},
		{"2026-11-21 14:00:00+01:00", "2026-11-21T13:00:00Z", true},
		{"2026-11-21t14:00:00z", "2026-11-21T14:00:00Z", true},
		{"2026-11-21T14:00:00.5Z", "2026-11-21T14:00:00.5Z", true},
		{"2026-11-21T14:00:00.1239999999999Z", "2026-11-21T14:00:00.123Z", true},
		{"2026-11-21T14:00:00-0330", "2026-11-21T17:30:00Z", true},
		{"2026-11-21T14:00:00+02", "2026-11-21T12:00:00Z", true},
		{"2026-11-21T14:00:00", "2026-11-21T14:00:00Z", false},
		{"2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z", true},
		{"2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z", true},
		{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", true},
		{"2026-02-29T00:00:00Z", "", false},
		{"2026-13-01T00:00:00Z", "", false},
		{"2026-00-01T00:00:00Z", "", false},
		{"2026-11-00T00:00:00Z", "", false},
		{"2026-11-21T24:00:00Z", "", false},
		{"2026-11-21T14:60:00Z", "", false},
		{"2026-11-21T14:00:61Z", "", false},
		{"2026-11-21T-0:00:00Z", "", false},
		{"-026-11-21T14:00:00Z", "", false},
		{"2026/11/21T14:00:00Z", "", false},
		{"2026-11-21X14:00:00Z", "", false},
		{"2026-11-21T14:00:00.Z", "", false},
		{"2026-11-21T14:00:00+1:00", "", false},
		{"2026-11-21T14:00:00+24:00", "", false},
		{"2026-11-21T14:00:00+01:60", "", false},
		{"2026-11-21T14:00:00+-1:00", "", false},
		{"2026-11-21T14:00:00 CET", "", false},
		{"2026-11-21T14:00", "", false},
		{"", "", false},
	}
	for _, c := range cases {
		got, ok := parseStamp([]byte(c.text))
		if c.want == "" {
			if ok {
				t.Errorf("parseStamp(%q) gives %v, want none", c.text, got.at)
			}
			continue
		}
		want, err := time.Parse(time.RFC3339Nano, c.want)
		if err != nil {
			t.Fatalf("%q: %v", c.want, err)
		}
		if !ok || got.zone != c.zone || got.at != halley.Millis(want.UnixMilli()) {
			t.Errorf("parseStamp(%q) gives %v (%d), zone %v, %v, want %s, zone %v", c.text, got.at, got.at, got.zone, ok, c.want, c.zone)
		}
	}
}

func TestParseStampAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60, 23*60).Draw(t, "zone"))
		at := time.UnixMilli(rapid.Int64Range(0, int64(halley.LatestMillis)).Draw(t, "at")).In(zone)
		text := at.Format("2006-01-02T15:04:05.999Z07:00")
		got, ok := parseStamp([]byte(text))
		if !ok || got.at != halley.MillisOf(at) || !got.zone {
			t.Fatalf("parseStamp(%q) gives %v, %v, want %v", text, got.at, ok, halley.MillisOf(at))
		}
		again, ok := parseStamp(appendStamp(nil, got.at))
		if !ok || again.at != got.at {
			t.Fatalf("%q is read back as %v, want %v", appendStamp(nil, got.at), again.at, got.at)
		}
	})
}
