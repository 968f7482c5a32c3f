package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Every check gives what is wrong with a value and what to write instead, or "".

func anyText(string) string { return "" }

func notEmpty(why string) func(string) string {
	return func(s string) string {
		if strings.TrimSpace(s) == "" {
			return why
		}
		return ""
	}
}

// maxNodeName bounds the name that stands in every batch.
const maxNodeName = 64

func nodeName(s string) string {
	for _, r := range s {
		if !nodeRune(r) {
			return fmt.Sprintf("a node name holds letters, digits, points, hyphens and underscores; %s has others", quoted(s))
		}
	}
	if len(s) > maxNodeName {
		return fmt.Sprintf("a node name has at most %d characters", maxNodeName)
	}
	return ""
}

func nodeRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_'
}

// nodeFrom makes a node name of the name of the machine.
func nodeFrom(hostName string) string {
	short, _, _ := strings.Cut(hostName, ".")
	name := strings.Map(func(r rune) rune {
		if nodeRune(r) {
			return r
		}
		return -1
	}, strings.ToLower(short))
	if name == "" {
		return "halley"
	}
	return name[:min(len(name), maxNodeName)]
}

func hostPort(s string) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Sprintf("write HOST:PORT, such as 127.0.0.1:8443 or [::1]:8443; %s is none", quoted(s))
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Sprintf("a port is a number from 0 (any free one) to 65535; %s is none", quoted(port))
	}
	if host == "" {
		return "name the address to listen on; 0.0.0.0 is every IPv4 address of this machine, [::] every address"
	}
	return hostName(host)
}

func listenAddress(s string) string {
	if _, rest, found := strings.Cut(s, "://"); found {
		if !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
			return fmt.Sprintf("write http://HOST:PORT or https://HOST:PORT; %s is neither", quoted(s))
		}
		s = rest
		if strings.Contains(s, "/") {
			return "a listener takes every path: leave out what follows the port"
		}
	}
	return hostPort(s)
}

// hostName accepts an IP address, also with a zone, or a DNS name.
func hostName(s string) string {
	if _, err := netip.ParseAddr(s); err == nil {
		return ""
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || strings.IndexFunc(label, func(r rune) bool { return r == '.' || !nodeRune(r) }) >= 0 {
			return fmt.Sprintf("write an IP address or a host name without port; %s is neither", quoted(s))
		}
	}
	return ""
}

func oneOf(words ...string) func(string) string {
	return func(s string) string {
		if slices.Contains(words, s) {
			return ""
		}
		why := `write one of "` + strings.Join(words, `", "`) + `"; ` + quoted(s) + " is none"
		if near := nearest(s, words); near != "" {
			why += fmt.Sprintf("; did you mean %q?", near)
		}
		return why
	}
}

func between[N int | int64](least, most N) func(N) string {
	return func(n N) string {
		if n < least || n > most {
			return fmt.Sprintf("write a number from %d to %d; this is %d", least, most, n)
		}
		return ""
	}
}

func lasting(least, most time.Duration) func(time.Duration) string {
	return func(d time.Duration) string {
		if d < least || d > most {
			return fmt.Sprintf("write a length of time from %s to %s; this is %s", least, most, d)
		}
		return ""
	}
}

// together finds what single settings cannot show: what does not go with what. Each mistake carries its key.
func together(c *Config) []Mistake {
	var found []Mistake
	pairs := []struct{ certificate, key, table string }{
		{c.Viewer.Certificate, c.Viewer.Key, "viewer"},
		{c.Devices.Certificate, c.Devices.Key, "devices"},
	}
	for _, p := range pairs {
		switch {
		case p.certificate != "" && p.key == "":
			found = append(found, Mistake{Key: p.table + ".certificate", Why: "a certificate needs its private key: set " + p.table + ".key as well"})
		case p.certificate == "" && p.key != "":
			found = append(found, Mistake{Key: p.table + ".key", Why: "a private key needs its certificate: set " + p.table + ".certificate as well"})
		}
	}
	found = append(found, storeTogether(&c.Store)...)
	found = append(found, backupTogether(&c.Backup)...)
	found = append(found, mailTogether(&c.Mail)...)
	found = append(found, accountsTogether(&c.Accounts)...)
	found = append(found, ldapTogether(&c.LDAP)...)
	found = append(found, oidcTogether(&c.OIDC)...)
	found = append(found, ledgerTogether(c)...)
	if len(c.Devices.Listen) == 0 {
		found = append(found, Mistake{Key: "devices.listen", Why: "name at least one address, or no device can reach this server"})
	}
	seen := map[string]string{c.Viewer.Address: "the viewer"}
	for _, l := range c.Devices.Listen {
		_, address := SplitListen(l)
		if strings.HasSuffix(address, ":0") {
			continue
		}
		if other, taken := seen[address]; taken {
			found = append(found, Mistake{Key: "devices.listen", Why: fmt.Sprintf("%s is the address of %s already; give each its own port", address, other)})
		}
		seen[address] = "another listener"
	}
	if c.Devices.ArrayBodyBytes < c.Devices.BodyBytes {
		found = append(found, Mistake{Key: "devices.array-body-bytes", Why: fmt.Sprintf("must not be less than devices.body-bytes, %d", c.Devices.BodyBytes)})
	}
	if c.Quarantine.Bytes < c.Quarantine.DeviceBytes {
		found = append(found, Mistake{Key: "quarantine.bytes", Why: fmt.Sprintf("must not be less than quarantine.device-bytes, %d", c.Quarantine.DeviceBytes)})
	}
	return found
}

// SplitListen gives of one of Devices.Listen whether it speaks TLS, and its HOST:PORT.
func SplitListen(s string) (tls bool, address string) {
	if rest, ok := strings.CutPrefix(s, "https://"); ok {
		return true, rest
	}
	return false, strings.TrimPrefix(s, "http://")
}
