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
		summary: "let people in: add and list accounts, give a new password, disable",
		commands: []*command{
			{
				name:    "first",
				summary: "make another secret for the first sign-in and print its address",
				about: "The address works once and for one hour, while there is no account. It also lies in first-sign-in.txt in the data\n" +
					"folder. Works whether the server runs or not.",
				example: "halley user first --data /var/lib/halley",
				prepare: prepareUserFirst,
			},
			{
				name:    "add",
				summary: "add an account; its password is read from standard input",
				about: "A terminal is asked for the password twice and shows nothing; of anything else the first line is taken. The role\n" +
					"view-by-measured-places needs --place for each place. Works whether the server runs or not; a running server lets\n" +
					"the person in within two seconds.",
				example: "halley user add --data /var/lib/halley --name jana --role user --organization /Acme/Brno < password.txt",
				prepare: prepareUserAdd,
			},
			{
				name:    "reset",
				summary: "print a one-time address by which a person chooses another password",
				about: "The address works once and for one hour. With --second-factor it also removes the person's authenticator, passkeys\n" +
					"and recovery codes, for somebody who has lost them.",
				example: "halley user reset --data /var/lib/halley --name jana --reason \"called from the laboratory\"",
				prepare: prepareUserReset,
			},
			{
				name:    "list",
				summary: "list the accounts with their roles",
				example: "halley user list --data /var/lib/halley",
				prepare: prepareUserList,
			},
			{
				name:    "disable",
				summary: "disable an account and end its sessions",
				about: "Tokens that the person made work on; it names them. Works whether the server runs or not; a running server signs the\n" +
					"person out within seconds.",
				example: "halley user disable --data /var/lib/halley --name jana --reason \"on leave\"",
				prepare: prepareUserDisable,
			},
		},
		example: "halley user add --name jana --role administrator",
	}
}

func prepareUserFirst(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "store", "viewer"})
	return func(ctx context.Context, io streams, _ []string) error {
		return withStore(ctx, st, io, func(o opened) error {
			people, err := o.store.People(ctx)
			if err != nil {
				return err
			}
			if len(people) > 0 {
				return errAccountsExist()
			}
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

// errAccountsExist says what to do instead of a first sign-in.
func errAccountsExist() error {
	return &halley.Error{
		Kind: halley.Conflict, Op: "make a first sign-in", Code: "accounts-exist",
		Message: "there are accounts already: halley user list shows them, and halley user reset --name NAME gives one a new password",
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
