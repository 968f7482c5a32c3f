package sqlserver_test

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"halley"
	"halley/storage/sqlserver"
)

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		panic(err)
	}
	return port
}

// instances is what SQL Server Browser answers for one instance; an empty port means that its TCP/IP is off.
func instances(name, port string) []byte {
	text := "ServerName;DB1;InstanceName;" + name + ";IsClustered;No;Version;16.0.1000.6"
	if port != "" {
		text += ";tcp;" + port
	}
	text += ";;"
	return append(binary.LittleEndian.AppendUint16([]byte{5}, uint16(len(text))), text...)
}

// startBrowser answers every question for all instances, except the first one where there are two answers and the first is nil.
func startBrowser(t *testing.T, answers ...[]byte) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		b := make([]byte, 64)
		for i := 0; ; i++ {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			answer := answers[min(i, len(answers)-1)]
			if n == 1 && b[0] == 3 && answer != nil {
				_, _ = c.WriteTo(answer, from)
			}
		}
	})
	t.Cleanup(func() {
		_ = c.Close()
		wait.Wait()
	})
	return c.LocalAddr().String()
}

// viaBrowser is the machine's own network with SQL Server Browser elsewhere.
func viaBrowser(address string) sqlserver.Network {
	return sqlserver.Network{Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
		if network == "udp" && portOf(to) == "1434" {
			to = address
		}
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}}
}

// outline gives the outcomes with their sentences, a line each; advice is indented.
func outline(r sqlserver.Report) string {
	var b strings.Builder
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "%s %s", s.Outcome, s.Text)
		if s.Code != "" {
			fmt.Fprintf(&b, " [%s]", s.Code)
		}
		b.WriteString("\n")
		for _, a := range s.Advice {
			fmt.Fprintf(&b, "  %s\n", a)
		}
	}
	return b.String()
}

// says checks that a report holds these texts in this order, and no secret.
func says(t *testing.T, r sqlserver.Report, ok bool, texts ...string) {
	t.Helper()
	rest := outline(r)
	if r.OK() != ok {
		t.Errorf("it passes: %v, want %v", r.OK(), ok)
	}
	for _, secret := range []string{"hunter2", "ferdinand"} {
		if strings.Contains(rest, secret) {
			t.Errorf("the report shows %s", secret)
		}
	}
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Fatalf("%q is not in its place in:\n%s", text, outline(r))
		}
		rest = after
	}
}

func TestDiagnosisOfTheWayToTheServer(t *testing.T) {
	t.Parallel()
	nowhere := closedPort(t)
	here := (&fakeServer{}).start(t)
	garbage := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) })
	unknown := sqlserver.Network{Lookup: func(_ context.Context, host string) ([]string, error) {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}}
	known := sqlserver.Network{
		Lookup: func(context.Context, string) ([]string, error) { return []string{"10.0.0.5"}, nil },
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
		},
	}
	for name, test := range map[string]struct {
		dsn     string
		network sqlserver.Network
		texts   []string
	}{
		"a bad DSN": {
			"db1",
			sqlserver.Network{},
			[]string{"failed dsn: write sqlserver://USER", "skipped not tried: the password, the certificate file, the name of the host"},
		},
		"an unknown name": {"sqlserver://ferdinand:hunter2@db.invalid", unknown, []string{
			"ok the DSN means the database halley on db.invalid", "ok the password stands in the DSN",
			"failed this machine cannot find the address of db.invalid", "nslookup db.invalid", "skipped not tried: the instance, the port",
		}},
		"TCP/IP is off": {"sqlserver://ferdinand:hunter2@" + nowhere, sqlserver.Network{}, []string{
			"failed nothing listens at 127.0.0.1:", "[refused]", "SQL Server (MSSQLSERVER)", "enable TCP/IP: Express installs with it off", "Restart the service",
			"skipped not tried: the connection, the database, the tables",
		}},
		"a firewall": {"sqlserver://ferdinand:hunter2@db1:1533", known, []string{
			"ok the name db1 means 10.0.0.5", "failed db1:1533 does not answer; the machine is off, or a firewall", "[no-answer]", "New-NetFirewallRule", "-LocalPort 1533",
		}},
		"another program": {"sqlserver://ferdinand:hunter2@" + garbage, sqlserver.Network{}, []string{
			"ok 127.0.0.1:" + portOf(garbage) + " takes connections", "failed there is no encrypted connection", "skipped not tried: the database, the tables",
		}},
		"Browser is off": {"sqlserver://ferdinand:hunter2@127.0.0.1/SQLEXPRESS", viaBrowser(startBrowser(t, nil)), []string{
			"failed SQL Server Browser on 127.0.0.1 (UDP 1434) does not answer, so nobody tells the port of SQLEXPRESS",
			"start the service \"SQL Server Browser\"", "Protocols for SQLEXPRESS", "skipped not tried: the port",
		}},
		"another instance": {"sqlserver://ferdinand:hunter2@127.0.0.1/halley", viaBrowser(startBrowser(t, instances("SQLEXPRESS", "49172"))), []string{
			"failed 127.0.0.1 has no instance halley; it has: SQLEXPRESS", "a database is named by ?database=NAME",
		}},
		"an instance without TCP/IP": {"sqlserver://ferdinand:hunter2@127.0.0.1/sqlexpress", viaBrowser(startBrowser(t, instances("SQLEXPRESS", ""))), []string{
			"failed the instance sqlexpress runs, but its TCP/IP is off", "Protocols for sqlexpress enable TCP/IP",
		}},
		"a lost question, an instance": {
			"sqlserver://ferdinand:hunter2@127.0.0.1/SQLEXPRESS?encrypt=disable",
			viaBrowser(startBrowser(t, nil, instances("SQLEXPRESS", portOf(here.address())))),
			[]string{
				"ok SQL Server Browser tells that the instance SQLEXPRESS listens on port " + portOf(here.address()),
				"ok 127.0.0.1:" + portOf(here.address()) + " takes connections", "note the connection is not encrypted", "ok SQL Server lets Halley in",
			},
		},
		"a Browser that is none": {"sqlserver://ferdinand:hunter2@127.0.0.1/SQLEXPRESS", viaBrowser(startBrowser(t, []byte("x"))), []string{
			"failed SQL Server Browser on 127.0.0.1 (UDP 1434) does not answer",
		}},
		"a Browser that is cut short": {
			"sqlserver://ferdinand:hunter2@127.0.0.1/SQLEXPRESS", viaBrowser(startBrowser(t, instances("SQLEXPRESS", "49172")[:30])),
			[]string{"failed SQL Server Browser on 127.0.0.1 (UDP 1434) does not answer"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			says(t, sqlserver.DiagnoseOver(t.Context(), sqlserver.Options{DSN: halley.Secret(test.dsn)}, test.network), false, test.texts...)
		})
	}
}

func TestDiagnosisOfTheCertificate(t *testing.T) {
	t.Parallel()
	house := newIssuer(t)
	refusing := func(string) []refusal { return []refusal{{18456, 14, "Login failed for user 'ferdinand'."}} }
	signed := sign(t, house, nil)
	fallback := sign(t, nil, func(c *x509.Certificate) { c.Subject.CommonName = "SSL_Self_Signed_Fallback" })
	hostile := sign(t, nil, func(c *x509.Certificate) { c.Subject.CommonName = "a\x1b[2Jb\u202e" })
	for name, test := range map[string]struct {
		server *fakeServer
		file   [][]byte
		texts  []string
	}{
		"a fallback": {&fakeServer{certificate: fallback}, nil, []string{
			"failed 127.0.0.1:", "shows a certificate that SQL Server makes anew at every start", "[certificate-fallback]", "1. Get a certificate for the name 127.0.0.1",
			"New-SelfSignedCertificate", "2. Let the account of the service \"SQL Server (MSSQLSERVER)\" read its private key", "3. Choose it",
			"4. Export it without the private key", "skipped not tried: the database, the tables",
		}},
		"an unknown authority": {&fakeServer{certificate: signed}, nil, []string{
			"failed the certificate of 127.0.0.1:", "is signed by Authority of the house, which this machine does not trust", "[store] certificate = \"FILE\"",
		}},
		"an odd authority": {&fakeServer{certificate: hostile}, nil, []string{"is signed by a?[2Jb?, which this machine does not trust"}},
		"a trusted one, and a wrong password": {&fakeServer{certificate: signed, refuse: refusing}, [][]byte{house.certificate.Raw}, []string{
			"names an authority: Authority of the house", "ok the connection is encrypted; the certificate is for db1, 127.0.0.1, signed by Authority of the house",
			"failed SQL Server does not let this login in", "(SQL Server error 18456, state 1, class 14)", "error log of SQL Server",
		}},
		"a pinned one, and no database": {
			&fakeServer{certificate: signed, refuse: func(string) []refusal { return []refusal{{4060, 11, "x"}, {18456, 14, "x"}} }},
			[][]byte{signed.Certificate[0]},
			[]string{
				"names the certificate of the server: db1", "ok the connection is encrypted, and the server shows the certificate that",
				"ok SQL Server knows this login", "failed the database halley is not there on 127.0.0.1:", "Run halley init",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := sqlserver.Options{DSN: halley.Secret("sqlserver://ferdinand:hunter2@" + test.server.start(t).address())}
			if test.file != nil {
				o.CertificateFile = certificateFile(t, test.file...)
			}
			says(t, sqlserver.Diagnose(t.Context(), o), false, test.texts...)
		})
	}
}

func TestDiagnosisOfThePassword(t *testing.T) {
	t.Parallel()
	o := sqlserver.Options{DSN: "sqlserver://ferdinand@127.0.0.1", PasswordFile: passwordFile(t, "")}
	says(t, sqlserver.Diagnose(t.Context(), o), false, "failed password-file: ", "holds no password", "skipped not tried: the certificate file")
	o = sqlserver.Options{DSN: halley.Secret("sqlserver://ferdinand@" + closedPort(t)), PasswordFile: passwordFile(t, "hunter2")}
	says(t, sqlserver.Diagnose(t.Context(), o), false, "ok the password is read from "+o.PasswordFile)
	o.PasswordFile = ""
	says(t, sqlserver.Diagnose(t.Context(), o), false, "note there is no password")
	o.CertificateFile = passwordFile(t, "x")
	says(t, sqlserver.Diagnose(t.Context(), o), false, "failed certificate: ", "holds no certificate")
}

func TestSupportedVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"13.0.4001.0": true, "13.0.1601.5": false, "12.0.6024.0": false, "14.0.1000.169": true, "16.0.1000.6": true, "17.0.700.9": true, "": false, "x.y.z": false,
	} {
		if got := sqlserver.IsSupported(version); got != want {
			t.Errorf("%q: got %v, want %v", version, got, want)
		}
	}
}

func TestDiagnosisOfADatabase(t *testing.T) {
	t.Parallel()
	u := engine(t)
	name := noDatabase(t, u)
	o := sqlserver.Options{DSN: at(u, name)}
	report := sqlserver.Diagnose(t.Context(), o)
	if report.OK() || !strings.Contains(outline(report), "failed the database "+name+" is not there on") {
		t.Fatalf("without the database:\n%s", outline(report))
	}
	if _, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	report = sqlserver.Diagnose(t.Context(), o)
	if !report.OK() || !strings.Contains(outline(report), "ok the tables are there and of this version") ||
		!strings.Contains(outline(report), "ok this login has all rights that the server needs") {
		t.Errorf("with the database:\n%s", outline(report))
	}
}
