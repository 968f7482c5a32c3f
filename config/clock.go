package config

import (
	"fmt"
	"time"
)

// Clock says by what the server's clock is checked, and to whom the server gives its time.
type Clock struct {
	// NTP is the time source, HOST or HOST:PORT; empty for none. It is asked every 15 minutes.
	NTP string `toml:"ntp"`
	// WarnAt is how far the clock may depart from the time source before that is an event and a finding.
	WarnAt Duration `toml:"warn-at"`
	// Serve is HOST:PORT where sensors without another time source may ask for the time (SNTP, UDP); empty for none.
	Serve string `toml:"serve"`
}

// clockDefaults are the values without a file.
func clockDefaults() Clock { return Clock{WarnAt: Duration{2 * time.Second}} }

// timeSource accepts HOST, HOST:PORT or nothing.
func timeSource(s string) string {
	if s == "" || hostName(s) == "" {
		return ""
	}
	if hostPort(s) != "" {
		return fmt.Sprintf("write HOST or HOST:PORT of a time server on your network; %s is neither", quoted(s))
	}
	return ""
}

// timeService accepts HOST:PORT or nothing.
func timeService(s string) string {
	if s == "" {
		return ""
	}
	return hostPort(s)
}
