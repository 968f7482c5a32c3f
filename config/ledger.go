package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Ledger says how the proof is kept that nothing was changed.
type Ledger struct {
	// CheckpointEvery is how often a checkpoint is signed besides those of a start and of each UTC day.
	CheckpointEvery Duration `toml:"checkpoint-every"`
	// Outside are the places out of this machine to which checkpoints go: file:FOLDER, mailto:ADDRESS, syslog://HOST[:PORT] (UDP),
	// syslog+tcp://HOST[:PORT], syslog+tls://HOST[:PORT].
	Outside []string `toml:"outside"`
	// VerifyAt is when it is verified each day, HH:MM in the machine's time zone; empty for not by itself.
	VerifyAt string `toml:"verify-at"`
}

func ledgerDefaults() Ledger {
	return Ledger{CheckpointEvery: Duration{time.Hour}, Outside: []string{}, VerifyAt: "03:30"}
}

// PlaceKind is how a checkpoint goes out.
type PlaceKind string

// The kinds of places.
const (
	PlaceFolder    PlaceKind = "file"
	PlaceMail      PlaceKind = "mailto"
	PlaceSyslog    PlaceKind = "syslog"
	PlaceSyslogTCP PlaceKind = "syslog+tcp"
	PlaceSyslogTLS PlaceKind = "syslog+tls"
)

// Place is one of Ledger.Outside.
type Place struct {
	Kind PlaceKind
	// Text is the place as it is configured.
	Text string
	// Target is a folder, a mail address or HOST:PORT.
	Target string
}

// standardPort gives the port of a way of syslog; "" for what is no syslog.
func (k PlaceKind) standardPort() string {
	switch k {
	case PlaceSyslog, PlaceSyslogTCP:
		return "514"
	case PlaceSyslogTLS:
		return "6514"
	case PlaceFolder, PlaceMail:
	}
	return ""
}

// Places gives the places of Outside. What is no place is left out: Load has refused it.
func (l *Ledger) Places() []Place {
	list := make([]Place, 0, len(l.Outside))
	for _, text := range l.Outside {
		if p, why := parsePlace(text); why == "" {
			list = append(list, p)
		}
	}
	return list
}

func outsidePlace(s string) string {
	_, why := parsePlace(s)
	return why
}

func parsePlace(s string) (p Place, why string) {
	const form = "write file:FOLDER, mailto:ADDRESS, syslog://HOST:PORT, syslog+tcp://HOST:PORT or syslog+tls://HOST:PORT"
	scheme, rest, found := strings.Cut(s, ":")
	p = Place{Kind: PlaceKind(scheme), Text: s, Target: rest}
	switch {
	case !found:
		return p, form + "; " + quoted(s) + " is none"
	case p.Kind == PlaceFolder:
		p.Target, why = folderOf(rest)
		return p, why
	case p.Kind == PlaceMail:
		return p, mailAddress(rest)
	case p.Kind.standardPort() == "":
		return p, form + "; " + quoted(s) + " is none"
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return p, fmt.Sprintf("write %s://HOST:PORT and nothing else; %s is something else", scheme, quoted(s))
	}
	port := u.Port()
	if port == "" {
		port = p.Kind.standardPort()
	}
	p.Target = net.JoinHostPort(u.Hostname(), port)
	return p, hostPort(p.Target)
}

// folderOf reads what follows file:, as a path or in the form of an address with three slashes.
func folderOf(rest string) (folder, why string) {
	folder = rest
	if path, isAddress := strings.CutPrefix(rest, "///"); isAddress {
		folder = "/" + path
		if windowsDisk.MatchString(path) {
			folder = path
		}
	}
	if !filepath.IsAbs(folder) && !windowsDisk.MatchString(folder) && !strings.HasPrefix(folder, `\\`) && !strings.HasPrefix(folder, "/") {
		return "", fmt.Sprintf(`name a folder with its whole path, such as 'file:\\server\share\halley' or "file:/mnt/auditor"; %s is none`, quoted(rest))
	}
	return folder, ""
}

var windowsDisk = regexp.MustCompile(`^[A-Za-z]:[\\/]`)

func mailAddress(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return fmt.Sprintf("write a mail address such as qa@example.org; %s is none", quoted(s))
	}
	return ""
}

// ledgerTogether finds places that cannot be reached with the rest of the configuration.
func ledgerTogether(c *Config) []Mistake {
	var found []Mistake
	places := c.Ledger.Places()
	byMail := slices.ContainsFunc(places, func(p Place) bool { return p.Kind == PlaceMail })
	if byMail && (c.Mail.Server == "" || c.Mail.From == "") {
		found = append(found, Mistake{Key: "ledger.outside", Why: "checkpoints by e-mail need mail.server and mail.from as well"})
	}
	for i, p := range places {
		if slices.ContainsFunc(places[:i], func(o Place) bool { return o.Kind == p.Kind && o.Target == p.Target }) {
			found = append(found, Mistake{Key: "ledger.outside", Why: quoted(p.Text) + " is named twice; keep one"})
		}
		if p.Kind == PlaceFolder && within(p.Target, c.Data) {
			found = append(found, Mistake{Key: "ledger.outside", Why: quoted(p.Text) + " lies in the data folder; name a folder on another machine"})
		}
	}
	return found
}

// within says whether a path lies in a folder or is it.
func within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}
