package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"halley"
	"halley/config"
	"halley/server/access"
	"halley/server/datadir"
)

func userCommand() *command {
	return &command{
		name:    "user",
		summary: "let people in",
		commands: []*command{{
			name:    "first",
			summary: "make another secret for the first sign-in and print its address",
			about: "The address works once and for one hour. It also lies in first-sign-in.txt in the data folder. Works whether the\n" +
				"server runs or not.",
			example: "halley user first --data /var/lib/halley",
			prepare: prepareUserFirst,
		}},
		example: "halley user first",
	}
}

func prepareUserFirst(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "store", "viewer"})
	return func(ctx context.Context, io streams, _ []string) error {
		return withStore(ctx, st, io, func(o opened) error {
			link, err := issueFirstSignIn(o.config, o.data)
			if err != nil {
				return err
			}
			c := change("")
			if err := o.store.NoteAudit(ctx, halley.AuditEntry{Change: c, What: "first-sign-in.issue", On: "first sign-in"}); err != nil {
				return err
			}
			_, err = fmt.Fprintln(io.out, link)
			return err
		})
	}
}

// newFirstSignIn gives the way in of a data folder.
func newFirstSignIn(c config.Config, data *datadir.Dir) *access.FirstSignIn {
	return access.NewFirstSignIn(access.FirstSignInOptions{
		Folder:  data.Path(),
		Address: viewerURL(c.Viewer),
		Write:   func(path string, b []byte) error { return data.WriteFilePrivate(filepath.Base(path), b) },
	})
}

// issueFirstSignIn makes a secret and gives the address that signs in with it.
func issueFirstSignIn(c config.Config, data *datadir.Dir) (string, error) {
	first := newFirstSignIn(c, data)
	secret, err := first.Issue(halley.MillisOf(time.Now()))
	if err != nil {
		return "", err
	}
	return first.Link(secret), nil
}

// viewerURL gives the address that a person on this machine types into a browser.
func viewerURL(v config.Viewer) string {
	host, port, err := net.SplitHostPort(v.Address)
	if err != nil {
		return "https://" + v.Address // Load has refused such a one.
	}
	scheme := "https://"
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.IsLoopback(), host == "localhost":
		if v.PlainOnLoopback {
			scheme = "http://"
		}
	case err == nil && ip.IsUnspecified():
		host = "localhost"
		if len(v.Hosts) > 0 {
			host = v.Hosts[0]
		} else if name, err := os.Hostname(); err == nil && name != "" {
			host = name
		}
	}
	return scheme + net.JoinHostPort(host, port)
}
