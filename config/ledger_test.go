package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley/config"
)

func TestPlacesOutsideAreTold(t *testing.T) {
	t.Parallel()
	l := config.Ledger{Outside: []string{
		"file:/mnt/auditor", "file:///mnt/auditor", `file:\\server\share\halley`, "file:///C:/checkpoints", `file:D:\checkpoints`,
		"mailto:qa@example.org", "syslog://log.example.org", "syslog+tcp://10.0.0.5:601/", "syslog+tls://[fd00::1]",
	}}
	want := []config.Place{
		{Kind: config.PlaceFolder, Text: l.Outside[0], Target: "/mnt/auditor"},
		{Kind: config.PlaceFolder, Text: l.Outside[1], Target: "/mnt/auditor"},
		{Kind: config.PlaceFolder, Text: l.Outside[2], Target: `\\server\share\halley`},
		{Kind: config.PlaceFolder, Text: l.Outside[3], Target: "C:/checkpoints"},
		{Kind: config.PlaceFolder, Text: l.Outside[4], Target: `D:\checkpoints`},
		{Kind: config.PlaceMail, Text: l.Outside[5], Target: "qa@example.org"},
		{Kind: config.PlaceSyslog, Text: l.Outside[6], Target: "log.example.org:514"},
		{Kind: config.PlaceSyslogTCP, Text: l.Outside[7], Target: "10.0.0.5:601"},
		{Kind: config.PlaceSyslogTLS, Text: l.Outside[8], Target: "[fd00::1]:6514"},
	}
	if diff := cmp.Diff(want, l.Places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}
