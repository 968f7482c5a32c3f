package ldapsignin_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/config"
	"halley/server/access"
	"halley/server/grouproles"
	"halley/server/ldapsignin"
)

// tree knows the organizations of the tests.
type tree map[string]halley.OrganizationID

func (t tree) FindPath(path string) (halley.OrganizationID, bool) {
	id, ok := t[path]
	return id, ok
}

var organizations = tree{"/": 1, "/Acme": 2, "/Acme/Brno": 3}

// lockedLog keeps what is logged.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// settings gives the configuration for a server: LDAPS, the service's account, and the groups of the tests.
func (s *slapd) settings(t *testing.T) config.LDAP {
	t.Helper()
	c := config.Defaults().LDAP
	c.Servers = []string{"ldaps://" + named(t, s.secure)}
	c.Certificate = s.ca
	c.BindName = serviceName
	c.BindPasswordFile = writeFile(t, filepath.Join(t.TempDir(), "password"), s.servicePassword+"\n")
	c.People, c.GroupsBelow = "ou=people,"+suffix, "ou=groups,"+suffix
	// An attribute that this directory does not know matches nothing.
	c.Filter = "(&(objectClass=person)(|(sAMAccountName={name})(uid={name})))"
	c.Groups = []string{
		strings.ToUpper(groupName("acme")) + " -> administrator@/Acme",
		"CN=laboratory , OU=groups,  DC=acme,DC=test -> user@/Acme/Brno",
		groupName("auditors") + " -> guest-administrator@/",
		"cn=unique,ou=groups," + suffix + " -> guest@/Gone",
	}
	return c
}

func directory(t *testing.T, c config.LDAP) (*ldapsignin.Directory, *lockedLog) {
	t.Helper()
	log := &lockedLog{}
	d, err := ldapsignin.New(ldapsignin.Options{
		Config: c, Tree: func() grouproles.Tree { return organizations }, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d, log
}

func check(t *testing.T, d *ldapsignin.Directory, name, password string) (access.Outside, error) {
	t.Helper()
	return d.Check(t.Context(), name, halley.Secret(password))
}

// want fails where err is not of this kind, or shows the password.
func want(t *testing.T, err error, kind halley.Kind, password string) {
	t.Helper()
	if err == nil || halley.KindOf(err) != kind {
		t.Errorf("error = %v, want kind %d", err, kind)
	}
	if err != nil && password != "" && strings.Contains(err.Error(), password) {
		t.Errorf("the error shows the password: %v", err)
	}
}

func TestPeopleOfADirectorySignIn(t *testing.T) {
	t.Parallel()
	for name, memberOf := range map[string]bool{"with memberOf": true, "without memberOf": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startSlapd(t, memberOf)
			d, log := directory(t, s.settings(t))
			jana, err := check(t, d, "JANA", "Jana's password")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(jana.Subject, "entryUUID:") {
				t.Errorf("the subject is %q", jana.Subject)
			}
			again, err := check(t, d, "jana", "Jana's password")
			if err != nil || again.Subject != jana.Subject {
				t.Errorf("the second time the subject is %q, %v", again.Subject, err)
			}
			jana.Subject = ""
			wantJana := access.Outside{
				Source: halley.LDAP, Name: "jana", FullName: "Jana Nováková", Email: "jana@acme.test",
				Grants: []halley.Grant{
					{Role: halley.Administrator, OrganizationID: 2}, // laboratory in brno in acme: three levels
					{Role: halley.User, OrganizationID: 3},
				},
			}
			if diff := cmp.Diff(wantJana, jana); diff != "" {
				t.Errorf("Jana (-want +got):\n%s", diff)
			}
			petr, err := check(t, d, "petr", "Petr's password")
			if err != nil || len(petr.Grants) != 2 {
				t.Errorf("Petr, who is in the loop: %+v, %v", petr, err)
			}
			eva, err := check(t, d, "eva", "Eva's password")
			wantEva := []halley.Grant{{Role: halley.GuestAdministrator, OrganizationID: 1}}
			if diff := cmp.Diff(wantEva, eva.Grants); diff != "" || err != nil {
				t.Errorf("Eva %v (-want +got):\n%s", err, diff)
			}
			if !strings.Contains(log.String(), "path=/Gone") {
				t.Errorf("nobody is told that an organization is not there: %s", log)
			}
		})
	}
}

func TestRefusalsOfADirectory(t *testing.T) {
	t.Parallel()
	s := startSlapd(t, true)
	d, _ := directory(t, s.settings(t))
	for name, tt := range map[string]struct{ name, password string }{
		"wrong password":            {"jana", "Petr's password"},
		"empty password":            {"jana", ""},
		"unknown name":              {"nobody", "Jana's password"},
		"no name":                   {"", "Jana's password"},
		"blanks":                    {"  ", "Jana's password"},
		"every name":                {"*", "Jana's password"},
		"name that begins so":       {"jan*", "Jana's password"},
		"filter injected":           {"jana)(uid=*", "Jana's password"},
		"filter injected, or":       {"x)(|(uid=*", "Jana's password"},
		"filter ended":              {"jana))(&(uid=jana", "Jana's password"},
		"filter ended by NUL":       {"jana\x00", "Jana's password"},
		"escaped star":              {`\2a`, "Jana's password"},
		"distinguished name":        {personName("jana"), "Jana's password"},
		"service account":           {"halley", s.servicePassword},
		"password ended by NUL":     {"jana", "Jana's password\x00"},
		"name without end":          {strings.Repeat("j", 401), "Jana's password"},
		"password without end":      {"jana", strings.Repeat("J", 1025)},
		"name that is no UTF-8":     {"jana\xff", "Jana's password"},
		"another one's name, typed": {"jana,ou=people", "Jana's password"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := check(t, d, tt.name, tt.password)
			want(t, err, halley.Unauthenticated, tt.password)
		})
	}
	t.Run("a name that looks like a filter is a name", func(t *testing.T) {
		t.Parallel()
		odd, err := check(t, d, "odd)(uid=*", "Odd's password")
		if err != nil || odd.FullName != "Odd" || len(odd.Grants) != 2 {
			t.Errorf("%+v, %v", odd, err)
		}
	})
	t.Run("two of one name", func(t *testing.T) {
		t.Parallel()
		c := s.settings(t)
		c.People = suffix
		d, _ := directory(t, c)
		_, err := check(t, d, "twin", "Twin's password")
		want(t, err, halley.Unauthenticated, "Twin's password")
	})
	t.Run("in no group that has a role", func(t *testing.T) {
		t.Parallel()
		d, log := directory(t, s.settings(t))
		_, err := check(t, d, "twin", "Twin's password")
		want(t, err, halley.Unauthenticated, "Twin's password")
		if !strings.Contains(log.String(), "none of the groups") {
			t.Errorf("nobody is told why: %s", log)
		}
	})
}

func TestRolesCanBeLeftToPeopleHere(t *testing.T) {
	t.Parallel()
	s := startSlapd(t, false)
	c := s.settings(t)
	c.Groups = nil
	d, _ := directory(t, c)
	twin, err := check(t, d, "twin", "Twin's password")
	if err != nil || twin.Grants != nil {
		t.Errorf("%+v, %v, want nil grants", twin, err)
	}
}

// TestMembershipEnds has somebody leave a group between two sign-ins.
func TestMembershipEnds(t *testing.T) {
	t.Parallel()
	s := startSlapd(t, true)
	d, _ := directory(t, s.settings(t))
	if _, err := check(t, d, "eva", "Eva's password"); err != nil {
		t.Fatal(err)
	}
	change := ldap.NewModifyRequest(groupName("auditors"), nil)
	change.Replace("member", []string{"cn=nobody"})
	s.changeAs(t, change)
	_, err := check(t, d, "eva", "Eva's password")
	want(t, err, halley.Unauthenticated, "Eva's password")
}

func TestConnectionsAreProtected(t *testing.T) {
	t.Parallel()
	s := startSlapd(t, true)
	other, _, _ := certify(t, t.TempDir())
	for name, tt := range map[string]struct {
		change func(c *config.LDAP)
		wrong  string
	}{
		"a foreign authority":                        {func(c *config.LDAP) { c.Certificate = other }, "not trusted"},
		"the authorities of this system":             {func(c *config.LDAP) { c.Certificate = "" }, "not trusted"},
		"another name than that of the certificate":  {func(c *config.LDAP) { c.Servers = []string{"ldaps://" + s.secure} }, "not trusted"},
		"no certificate in the file":                 {func(c *config.LDAP) { c.Certificate = c.BindPasswordFile }, "holds no certificate"},
		"no file with the certificate":               {func(c *config.LDAP) { c.Certificate += ".gone" }, "cannot be read"},
		"LDAPS to a port without TLS":                {func(c *config.LDAP) { c.Servers = []string{"ldaps://" + named(t, s.plain)} }, "TLS"},
		"this machine without TLS":                   {func(c *config.LDAP) { c.Servers = []string{"ldap://" + s.plain}; c.Certificate = "" }, ""},
		"no file with the service's password":        {func(c *config.LDAP) { c.BindPasswordFile += ".gone" }, "cannot be read"},
		"an empty file with the service's password":  {func(c *config.LDAP) { c.BindPasswordFile = writeFile(t, filepath.Join(t.TempDir(), "p"), "\n") }, "is empty"},
		"the wrong password of the service":          {func(c *config.LDAP) { c.BindPasswordFile = writeFile(t, filepath.Join(t.TempDir(), "p"), "no") }, "bind-name"},
		"no service's account where one is needed":   {func(c *config.LDAP) { c.BindName, c.BindPasswordFile = "", "" }, ""},
		"people below a node that is not there":      {func(c *config.LDAP) { c.People = "ou=gone," + suffix }, "ldap] people"},
		"groups below a node that is not there":      {func(c *config.LDAP) { c.GroupsBelow = "ou=gone," + suffix }, "groups-below"},
		"a second server while the first one is out": {func(c *config.LDAP) { c.Servers = append([]string{"ldaps://127.0.0.1:1"}, c.Servers...) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := s.settings(t)
			tt.change(&c)
			d, _ := directory(t, c)
			_, err := check(t, d, "jana", "Jana's password")
			switch {
			case c.BindName == "":
				// This directory shows nothing to strangers, so nobody is found.
				want(t, err, halley.Unavailable, "Jana's password")
			case tt.wrong == "" && err != nil:
				t.Error(err)
			case tt.wrong != "":
				want(t, err, halley.Unavailable, "Jana's password")
				if err != nil && !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("%v, want %q in it", err, tt.wrong)
				}
			}
		})
	}
}

func TestDirectoryThatIsAwayRefusesNobody(t *testing.T) {
	t.Parallel()
	s := startSlapd(t, true)
	d, _ := directory(t, s.settings(t))
	if _, err := check(t, d, "jana", "Jana's password"); err != nil {
		t.Fatal(err)
	}
	s.stopNow(t)
	_, err := check(t, d, "jana", "Jana's password")
	want(t, err, halley.Unavailable, "Jana's password")
}

func TestSettingsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *config.LDAP){
		"no server":              func(c *config.LDAP) { c.Servers = nil },
		"a server by http":       func(c *config.LDAP) { c.Servers = []string{"http://x"} },
		"a filter that is none":  func(c *config.LDAP) { c.Filter = "(uid{name})" },
		"a group that is no DN":  func(c *config.LDAP) { c.Groups = []string{"users -> user@/"} },
		"people that are no DN":  func(c *config.LDAP) { c.People = "people" },
		"groups that are no DN":  func(c *config.LDAP) { c.GroupsBelow = "groups" },
		"a group without a name": func(c *config.LDAP) { c.Groups = []string{`CN=a,= -> user@/`} },
	} {
		c := config.Defaults().LDAP
		c.Servers, c.People = []string{"ldaps://dc1.acme.test"}, "DC=acme,DC=test"
		change(&c)
		_, err := ldapsignin.New(ldapsignin.Options{Config: c})
		if halley.KindOf(err) != halley.Invalid || err == nil {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func TestPasswordsGoNowhereInTheClear(t *testing.T) {
	t.Parallel()
	c := config.Defaults().LDAP
	c.People = "DC=acme,DC=test"
	c.Servers = []string{"ldaps://dc1.acme.test", "ldap://dc2.acme.test", "ldap://192.0.2.7:3389", "ldap://127.0.0.1", "ldap://[::1]", "ldap://localhost"}
	for plain, wanted := range map[bool][]bool{
		false: {true, true, true, false, false, false},
		true:  {true, false, false, false, false, false},
	} {
		c.AllowPlain = plain
		d, _ := directory(t, c)
		if diff := cmp.Diff(wanted, ldapsignin.NeedsTLS(d)); diff != "" {
			t.Errorf("allow-plain = %v: protected (-want +got):\n%s", plain, diff)
		}
	}
}

func TestConnectionGoesOverToTLS(t *testing.T) {
	t.Parallel()
	s := startSlapd(t, true)
	other, _, _ := certify(t, t.TempDir())
	for name, tt := range map[string]struct{ server, ca, wrong string }{
		"with its authority":      {named(t, s.plain), s.ca, ""},
		"with a foreign one":      {named(t, s.plain), other, "not trusted"},
		"with another name":       {s.plain, s.ca, "not trusted"},
		"where only TLS is heard": {named(t, s.secure), s.ca, "TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := s.settings(t)
			c.Servers, c.Certificate = []string{"ldap://" + tt.server}, tt.ca
			d, _ := directory(t, c)
			ldapsignin.GoOverToTLS(d)
			_, err := check(t, d, "jana", "Jana's password")
			if tt.wrong == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			want(t, err, halley.Unavailable, "Jana's password")
			if err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%v, want %q in it", err, tt.wrong)
			}
		})
	}
}
