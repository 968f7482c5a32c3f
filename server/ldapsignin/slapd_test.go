package ldapsignin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	suffix      = "dc=acme,dc=test"
	rootName    = "cn=root," + suffix
	rootSecret  = "the root of the test"
	serviceName = "cn=halley,ou=services," + suffix
	// startWithin bounds how long slapd may take until it answers.
	startWithin = 20 * time.Second
)

// slapd is a directory server of OpenLDAP on this machine's loopback, with a folder of its own.
type slapd struct {
	folder          string
	plain, secure   string
	ca              string
	cmd             *exec.Cmd
	memberOf        bool
	servicePassword string
}

// findSlapd gives the path of slapd, or skips.
func findSlapd(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("HALLEY_TEST_SLAPD"), "slapd", "/usr/sbin/slapd", "/usr/local/libexec/slapd"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("sign-in with a directory service was not tested: slapd is not installed (apt install slapd)")
	return ""
}

// certify makes a certificate authority and a certificate of it for localhost, and gives their files.
func certify(t *testing.T, folder string) (ca, certificate, key string) {
	t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &caKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: authority.NotBefore,
		NotAfter: authority.NotAfter, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, authority, &leafKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		return writeFile(t, filepath.Join(folder, name), string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	}
	return write("ca.pem", "CERTIFICATE", caDER), write("server.pem", "CERTIFICATE", leafDER), write("server.key", "PRIVATE KEY", keyDER)
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// freeAddress gives an address of the loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startSlapd starts a server with the people and groups of the tests; memberOf has it keep that attribute.
func startSlapd(t *testing.T, memberOf bool) *slapd {
	t.Helper()
	program := findSlapd(t)
	s := &slapd{folder: t.TempDir(), memberOf: memberOf, servicePassword: "service " + rand.Text()}
	ca, certificate, key := certify(t, s.folder)
	s.ca = ca
	if err := os.Mkdir(filepath.Join(s.folder, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("@FOLDER", s.folder, "@CERTIFICATE", certificate, "@KEY", key, "@CA", ca).Replace(slapdConf)
	if memberOf {
		text = strings.Replace(text, "moduleload back_mdb\n", "moduleload back_mdb\nmoduleload memberof\n", 1) + "overlay memberof\nmemberof-group-oc groupOfNames\n"
	}
	conf := writeFile(t, filepath.Join(s.folder, "slapd.conf"), text)
	// Between finding a free port and taking it somebody else may take it.
	for attempt := range 5 {
		s.plain, s.secure = freeAddress(t), freeAddress(t)
		if s.run(t, program, conf) {
			s.fill(t)
			return s
		}
		t.Logf("attempt %d to start slapd failed", attempt+1)
	}
	log, _ := os.ReadFile(filepath.Join(s.folder, "log"))
	t.Fatalf("slapd does not start:\n%s", log)
	return nil
}

// run starts the program and waits until it answers.
func (s *slapd) run(t *testing.T, program, conf string) bool {
	t.Helper()
	log, err := os.Create(filepath.Join(s.folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.CommandContext(t.Context(), program, "-d", "0", "-f", conf, "-h", "ldap://"+s.plain+"/ ldaps://"+s.secure+"/")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err = s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	t.Cleanup(func() { s.stop(); <-ended })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(startWithin); time.Now().Before(end); {
		select {
		case err := <-ended:
			ended <- err
			return false
		case <-tick.C:
		}
		if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.secure); err == nil {
			return conn.Close() == nil
		}
	}
	return false
}

// stop ends the server.
func (s *slapd) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
	}
}

// stopNow ends the server and waits until nobody listens.
func (s *slapd) stopNow(t *testing.T) {
	t.Helper()
	s.stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.plain)
		if err != nil {
			return
		}
		if err = conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// fill adds people and groups.
func (s *slapd) fill(t *testing.T) {
	t.Helper()
	conn, err := ldap.DialURL("ldaps://"+s.secure, ldap.DialWithTLSConfig(&tls.Config{
		RootCAs: pool(t, s.ca), ServerName: "localhost", MinVersion: tls.VersionTLS12,
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err = conn.Bind(rootName, rootSecret); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.entries() {
		if err = add(conn, e); err != nil {
			t.Fatalf("adding %s: %v", e.dn, err)
		}
	}
}

// entry is one entry of the directory.
type entry struct {
	dn         string
	attributes map[string][]string
}

func person(uid, name, password string) entry {
	return entry{"uid=" + uid + ",ou=people," + suffix, map[string][]string{
		"objectClass": {"inetOrgPerson"}, "uid": {uid}, "cn": {name}, "sn": {name}, "displayName": {name},
		"mail": {uid + "@acme.test"}, "userPassword": {password},
	}}
}

func groupOf(name string, members ...string) entry {
	return entry{groupName(name), map[string][]string{"objectClass": {"groupOfNames"}, "cn": {name}, "member": members}}
}

func groupName(name string) string { return "cn=" + name + ",ou=groups," + suffix }

func personName(uid string) string { return "uid=" + uid + ",ou=people," + suffix }

func unit(name string) entry {
	return entry{"ou=" + name + "," + suffix, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {name}}}
}

// entries are the people and groups of the tests. laboratory is in brno, which is in acme; acme is in world, and world in laboratory:
// a loop.
func (s *slapd) entries() []entry {
	all := []entry{
		{suffix, map[string][]string{"objectClass": {"dcObject", "organization"}, "dc": {"acme"}, "o": {"Acme"}}},
		unit("people"), unit("groups"), unit("services"), unit("elsewhere"),
		{serviceName, map[string][]string{
			"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"halley"}, "userPassword": {s.servicePassword},
		}},
		person("jana", "Jana Nováková", "Jana's password"), person("petr", "Petr", "Petr's password"),
		person("eva", "Eva", "Eva's password"), person("twin", "Twin", "Twin's password"),
		person("odd)(uid=*", "Odd", "Odd's password"),
		groupOf("laboratory", personName("jana"), personName("odd)(uid=*")), groupOf("brno", groupName("laboratory")),
		groupOf("acme", groupName("brno")), groupOf("world", groupName("acme"), personName("petr")),
		groupOf("auditors", personName("eva")), groupOf("nobody", "cn=nobody"),
		{"cn=unique,ou=groups," + suffix, map[string][]string{
			"objectClass": {"groupOfUniqueNames"}, "cn": {"unique"}, "uniqueMember": {personName("eva")},
		}},
		{"uid=twin,ou=elsewhere," + suffix, person("twin", "Twin", "Other password").attributes},
	}
	return all
}

// add adds one entry; the loop of groups is closed by the last one.
func add(conn *ldap.Conn, e entry) error {
	request := ldap.NewAddRequest(e.dn, nil)
	for name, values := range e.attributes {
		request.Attribute(name, values)
	}
	if err := conn.Add(request); err != nil {
		return err
	}
	if e.dn != groupName("world") {
		return nil
	}
	change := ldap.NewModifyRequest(groupName("laboratory"), nil)
	change.Add("member", []string{groupName("world")})
	return conn.Modify(change)
}

// changeAs changes attributes of an entry as the root.
func (s *slapd) changeAs(t *testing.T, change *ldap.ModifyRequest) {
	t.Helper()
	conn, err := ldap.DialURL("ldap://" + s.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err = errors.Join(conn.Bind(rootName, rootSecret), conn.Modify(change)); err != nil {
		t.Fatal(err)
	}
}

func pool(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(content) {
		t.Fatalf("no certificate in %s", file)
	}
	return p
}

// slapdConf shows entries to the account of the service alone, as Active Directory shows them to who signed in.
const slapdConf = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile @FOLDER/pid
argsfile @FOLDER/args
TLSCACertificateFile @CA
TLSCertificateFile @CERTIFICATE
TLSCertificateKeyFile @KEY
database mdb
maxsize 16777216
suffix "` + suffix + `"
rootdn "` + rootName + `"
rootpw "` + rootSecret + `"
directory @FOLDER/db
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=people,` + suffix + `" by dn.exact="` + serviceName + `" read by anonymous auth by * none
access to * by dn.exact="` + serviceName + `" read by anonymous auth by * none
`

// named gives an address of the loopback with the name that stands in the certificate.
func named(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("localhost", port)
}
