// Package ldapsignin checks names and passwords against Active Directory or another directory service, and finds the roles of the
// groups that a person is in. It speaks to the servers that the configuration names, and to no other; it stores nothing, keeps no
// connection open and knows nothing of sessions.
package ldapsignin

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"halley"
	"halley/config"
	"halley/server/access"
	"halley/server/grouproles"
)

const (
	opCheck = "sign in with the directory service"
	// patience bounds everything that is asked of one server for one sign-in.
	patience = 5 * time.Second
	// atOnce bounds the sign-ins that ask at the same time, so that a directory that does not answer holds up no more than these.
	atOnce = 16
	// nameBytes and passwordBytes bound what people type.
	nameBytes     = 400
	passwordBytes = 1024
	// nameMark stands for the name in the filter.
	nameMark = "{name}"
)

// Options are the parts of a Directory.
type Options struct {
	Config config.LDAP
	// Tree gives the organizations as they are now.
	Tree func() grouproles.Tree
	Log  *slog.Logger
}

// Directory is a directory service. Its methods may be called at the same time.
type Directory struct {
	Options
	servers []server
	// groups are those of the configuration, as they are compared.
	groups []group
	// answered is the server that answered last, which is asked first.
	answered atomic.Int32
	turns    chan struct{}
}

// group is a group of the directory that has a role here.
type group struct{ dn, key string }

// New gives a Directory as [ldap] says. It connects to nothing yet; files are read anew for each sign-in. Invalid where a setting
// cannot be used.
func New(o Options) (*Directory, error) {
	d := &Directory{Options: o, turns: make(chan struct{}, atOnce)}
	for _, s := range o.Config.Servers {
		at, err := readServer(s)
		if err != nil {
			return nil, err
		}
		if !at.tls && !o.Config.AllowPlain && !at.loopback {
			at.startTLS = true
		}
		d.servers = append(d.servers, at)
	}
	if len(d.servers) == 0 {
		return nil, invalid("ldap.servers", "name a server", nil)
	}
	if _, err := ldap.CompileFilter(d.filter("x")); err != nil {
		return nil, invalid("ldap.filter", "this is no filter of LDAP", err)
	}
	for _, m := range o.Config.Mappings() {
		key, err := dnKey(m.Group)
		if err != nil {
			return nil, invalid("ldap.groups", "name each group by its distinguished name, such as CN=Users,DC=acme,DC=local", err)
		}
		d.groups = append(d.groups, group{dn: m.Group, key: key})
	}
	for field, dn := range map[string]string{"ldap.people": o.Config.People, "ldap.groups-below": o.Config.GroupsBelow} {
		if _, err := ldap.ParseDN(dn); err != nil {
			return nil, invalid(field, "write a distinguished name, such as OU=People,DC=acme,DC=local", err)
		}
	}
	return d, nil
}

func invalid(field, message string, err error) error {
	return &halley.Error{Kind: halley.Invalid, Op: "set up the directory service", Field: field, Message: message, Err: err}
}

// filter gives the filter that finds a name.
func (d *Directory) filter(name string) string {
	return strings.ReplaceAll(d.Config.Filter, nameMark, ldap.EscapeFilter(name))
}

// Check gives who the name and password belong to, with the roles of their groups. Unauthenticated where they do not fit, and where
// nobody or more than one has that name, or a person is in none of the groups; Unavailable where no server answers.
func (d *Directory) Check(ctx context.Context, name string, password halley.Secret) (access.Outside, error) {
	secret := password.Reveal()
	// A directory takes an empty password as no attempt to prove anything, and says yes.
	if secret == "" || len(secret) > passwordBytes || strings.ContainsRune(secret, 0) {
		return access.Outside{}, refused("the password is empty or too long")
	}
	if strings.TrimSpace(name) == "" || len(name) > nameBytes || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return access.Outside{}, refused("no such name can be")
	}
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-ctx.Done():
		return access.Outside{}, fmt.Errorf("waiting for the directory service: %w", ctx.Err())
	}
	first := int(d.answered.Load())
	var away error
	for i := range d.servers {
		at := (first + i) % len(d.servers)
		found, err := d.checkAt(ctx, d.servers[at], name, secret)
		if err == nil || halley.KindOf(err) == halley.Unauthenticated {
			d.answered.Store(int32(at))
			return found, err
		}
		away = err
		if ctx.Err() != nil {
			break
		}
	}
	return access.Outside{}, away
}

// checkAt asks one server.
func (d *Directory) checkAt(ctx context.Context, at server, name, password string) (access.Outside, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := d.connect(ctx, at)
	if err != nil {
		return access.Outside{}, err
	}
	defer c.end()
	if err = d.bindService(c); err != nil {
		return access.Outside{}, err
	}
	person, err := d.find(c, name)
	if err != nil {
		return access.Outside{}, err
	}
	if err = d.prove(c, person, password); err != nil {
		return access.Outside{}, err
	}
	if d.Config.BindName != "" {
		if err = d.bindService(c); err != nil {
			return access.Outside{}, err
		}
	}
	found := d.outside(person, name)
	if len(d.groups) == 0 {
		return found, nil
	}
	member, err := d.memberships(c, person)
	if err != nil {
		return access.Outside{}, err
	}
	found.Grants = d.grants(ctx, member)
	if len(found.Grants) == 0 {
		d.Log.InfoContext(ctx, "somebody whom the directory service knows is in none of the groups in [ldap] groups", "server", at.String())
		return access.Outside{}, refused("in none of the groups")
	}
	return found, nil
}

// grants gives the roles of the groups that a person is in.
func (d *Directory) grants(ctx context.Context, member map[string]bool) []halley.Grant {
	roles := grouproles.Roles{Section: "[ldap] groups", Mappings: d.Config.Mappings(), Tree: d.Tree, Log: d.Log}
	return roles.Of(ctx, func(m config.Mapping) bool {
		key, err := dnKey(m.Group)
		return err == nil && member[key]
	})
}

// refused says that nobody has proven who they are. The cause is for the log.
func refused(cause string) error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: opCheck, Code: "sign-in-failed",
		Message: "the name or the password is wrong", Err: fmt.Errorf("the directory service: %s", cause),
	}
}

// away says that a server did not answer, or not as it should.
func away(at server, message string, err error) error {
	return &halley.Error{
		Kind: halley.Unavailable, Op: opCheck, Code: "directory-away",
		Message: "the directory server " + at.String() + " " + message, Err: err,
	}
}

var _ access.PasswordSource = (*Directory)(nil)
