package sqlserver_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage/sqlserver"
)

// target is what a DSN means that says nothing but a user and the host db1.
func target(change func(*sqlserver.Target)) sqlserver.Target {
	t := sqlserver.Target{
		Host: "db1", Database: "halley", User: "ferdinand", Encrypt: "true", Protocol: "tcp", AppName: "Halley",
		MultiSubnet: true, DialSeconds: 5, ReadSeconds: 30,
	}
	if change != nil {
		change(&t)
	}
	return t
}

func TestWhatADSNMeans(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dsn  halley.Secret
		want sqlserver.Target
	}{
		"safe defaults": {"sqlserver://ferdinand@db1", target(nil)},
		"user, password, port and database": {
			"sqlserver://ferdinand:hunter2@db1:1533?database=samples",
			target(func(w *sqlserver.Target) { w.Password, w.Port, w.Database = "hunter2", 1533, "samples" }),
		},
		"signs in a password": {
			"sqlserver://ferdinand:a%40b%3A%2F%23%25@db1",
			target(func(w *sqlserver.Target) { w.Password = "a@b:/#%" }),
		},
		"a Windows account with its domain": {
			`sqlserver://SITE%5Cferdinand:hunter2@db1`,
			target(func(w *sqlserver.Target) { w.User, w.Password = `SITE\ferdinand`, "hunter2" }),
		},
		"an instance":             {"sqlserver://ferdinand@db1/SQLEXPRESS", target(func(w *sqlserver.Target) { w.Instance = "SQLEXPRESS" })},
		"an address of version 6": {"sqlserver://ferdinand@[fd00::5]:1433", target(func(w *sqlserver.Target) { w.Host, w.Port = "fd00::5", 1433 })},
		"this machine":            {"sqlserver://ferdinand@.", target(func(w *sqlserver.Target) { w.Host = "localhost" })},
		"a port beside an instance": {
			"sqlserver://ferdinand@db1:1533/SQLEXPRESS",
			target(func(w *sqlserver.Target) {
				w.Instance, w.Port = "SQLEXPRESS", 1533
				w.Warnings = []string{"the port 1533 is used and the instance SQLEXPRESS is not asked for; a database is named by ?database="}
			}),
		},
		"names in any case": {
			"sqlserver://ferdinand@db1?Database=x&ENCRYPT=Mandatory&trustServerCertificate=false&App+Name=Line+2",
			target(func(w *sqlserver.Target) { w.Database, w.AppName = "x", "Line 2" }),
		},
		"strict encryption": {"sqlserver://ferdinand@db1?encrypt=strict", target(func(w *sqlserver.Target) { w.Encrypt = "strict" })},
		"no encryption on this machine": {
			"sqlserver://ferdinand@127.0.0.1?encrypt=disable",
			target(func(w *sqlserver.Target) { w.Host, w.Encrypt = "127.0.0.1", "disable" }),
		},
		"no encryption over a network": {
			"sqlserver://ferdinand@db1?encrypt=disable",
			target(func(w *sqlserver.Target) {
				w.Encrypt = "disable"
				w.Warnings = []string{"the connection to db1 is not encrypted (encrypt=disable): anyone on the way can read and change what Halley stores, and its password"}
			}),
		},
		"a certificate": {
			"sqlserver://ferdinand@db1?serverCertificate=db.pem&hostNameInCertificate=db.example.org",
			target(func(w *sqlserver.Target) { w.CertificateFile, w.CertificateName = "db.pem", "db.example.org" }),
		},
		"a mirror": {
			"sqlserver://ferdinand@db1?failoverpartner=db2",
			target(func(w *sqlserver.Target) { w.FailOverPartner = "db2" }),
		},
		"a listener of one network": {
			"sqlserver://ferdinand@db1?multisubnetfailover=false",
			target(func(w *sqlserver.Target) { w.MultiSubnet = false }),
		},
		"other waiting times": {
			"sqlserver://ferdinand@db1?dial+timeout=20&connection+timeout=120",
			target(func(w *sqlserver.Target) { w.DialSeconds, w.ReadSeconds = 20, 120 }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := sqlserver.ParseDSN(sqlserver.Options{DSN: test.dsn})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestKerberosNeedsNoPassword(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows signs in with its own means")
	}
	got, err := sqlserver.ParseDSN(sqlserver.Options{
		DSN: "sqlserver://ferdinand@db1?authenticator=krb5&krb5-keytabfile=/etc/halley/halley.keytab&krb5-realm=EXAMPLE.ORG&ServerSPN=MSSQLSvc/db1:1433",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := target(func(w *sqlserver.Target) {
		w.Integrated, w.Keytab, w.ServerSPN = true, "/etc/halley/halley.keytab", "MSSQLSvc/db1:1433"
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPasswordFileWinsOverTheDSN(t *testing.T) {
	t.Parallel()
	got, err := sqlserver.ParseDSN(sqlserver.Options{DSN: "sqlserver://ferdinand:hunter2@db1", PasswordFile: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"the password in [store] password-file is used, the one in the DSN is not; take it out of the DSN"}
	if diff := cmp.Diff(want, got.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestBadDSNsAreExplained(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[halley.Secret]string{
		"":                                                             "dsn: write sqlserver://USER",
		"halley.db":                                                    "dsn: write sqlserver://USER",
		"mssql://ferdinand:hunter2@db1":                                "dsn: write sqlserver://USER",
		"sqlserver:ferdinand:hunter2@db1":                              "dsn: write sqlserver://USER",
		"sqlserver://ferdinand:hun%ter2@db1":                           "dsn: this cannot be read",
		"sqlserver://ferdinand:hun#ter2@db1":                           "dsn: this cannot be read",
		"sqlserver://ferdinand:hunter2@":                               "dsn: the host is missing",
		"sqlserver://:hunter2@db1":                                     "dsn: there is a password without a user",
		"sqlserver://ferdinand@db1/a/b":                                "dsn: what follows the host is the name of an instance",
		"sqlserver://ferdinand@db1:70000":                              "dsn: invalid tcp port",
		"sqlserver://ferdinand@db1?a=1;b=2":                            "dsn: what follows the question mark cannot be read",
		"sqlserver://ferdinand@db1?databse=x":                          `dsn: "databse": there is no such parameter; did you mean database?`,
		"sqlserver://ferdinand@db1?encryption=x":                       `dsn: "encryption": there is no such parameter; did you mean encrypt?`,
		"sqlserver://ferdinand@db1?multisubnet=1":                      `dsn: "multisubnet": there is no such parameter`,
		"sqlserver://ferdinand@db1?Initial+Catalog=x":                  `dsn: "Initial Catalog": there is no such parameter; did you mean database?`,
		"sqlserver://ferdinand@db1?Integrated+Security=true":           `dsn: "Integrated Security": there is no such parameter; leave the user out`,
		"sqlserver://ferdinand@db1?database=x&Database=y":              "stands there twice; keep one",
		"sqlserver://ferdinand@db1?encrypt=true&encrypt=true":          "stands there twice; keep one",
		"sqlserver://ferdinand@db1?password=hunter2":                   `dsn: "password": write user, password, host and port as`,
		"sqlserver://ferdinand@db1?user+id=ferdinand":                  `dsn: "user id": write user, password, host and port as`,
		"sqlserver://ferdinand@db1?applicationintent=ReadOnly":         `dsn: "applicationintent": Halley writes`,
		"sqlserver://ferdinand@db1?timezone=Europe%2FPrague":           `dsn: "timezone": Halley sets this itself`,
		"sqlserver://ferdinand@db1?log=63":                             `dsn: "log": the log of Halley has its own settings`,
		"sqlserver://ferdinand@db1?TrustServerCertificate=true":        "dsn: TrustServerCertificate lets anyone",
		"sqlserver://ferdinand@db1?trustservercertificate=yes":         "dsn: TrustServerCertificate lets anyone",
		"sqlserver://ferdinand@db1?encrypt=optional":                   "dsn: encrypt is true, strict",
		"sqlserver://ferdinand@db1?encrypt=false":                      "dsn: encrypt is true, strict",
		"sqlserver://ferdinand@db1?tlsmin=1.0":                         "dsn: tlsmin is 1.2 or 1.3",
		"sqlserver://ferdinand@db1?encrypt=disable&certificate=db.pem": "dsn: a certificate is named, but encrypt=disable",
		"sqlserver://ferdinand@db1?certificate=a&servercertificate=b":  "name two files",
		"sqlserver://ferdinand@db1?protocol=carrier-pigeon":            "dsn: protocol is one of tcp, admin",
		"sqlserver://ferdinand@db1?authenticator=magic":                "dsn: authenticator is one of",
		"sqlserver://ferdinand@db1?dial+timeout=0":                     "dsn: dial timeout is a number of seconds from 1 to 60",
		"sqlserver://ferdinand@db1?connection+timeout=never":           "dsn: connection timeout is a number of seconds from 1 to 600",
		"sqlserver://ferdinand@db1?keepalive=0":                        "dsn: keepalive is a number of seconds from 1 to 3600",
	} {
		t.Run(fmt.Sprintf("%q", dsn.Reveal()), func(t *testing.T) {
			t.Parallel()
			_, err := sqlserver.Open(t.Context(), sqlserver.Options{DSN: dsn})
			if halley.KindOf(err) != halley.Invalid {
				t.Fatalf("the error is %v", err)
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			for _, secret := range []string{"hunter2", "hun%ter2", "ferdinand"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows %s: %v", secret, err)
				}
			}
		})
	}
}

func TestAUserMustBeNamedWhereTheSystemHasNone(t *testing.T) {
	t.Parallel()
	_, err := sqlserver.ParseDSN(sqlserver.Options{DSN: "sqlserver://db1"})
	if runtime.GOOS == "windows" {
		if err != nil {
			t.Errorf("on Windows the account of the process signs in: %v", err)
		}
		return
	}
	e, ok := errors.AsType[*halley.Error](err)
	if !ok || e.Kind != halley.Invalid || !strings.Contains(e.Message, "the user is missing") || !strings.Contains(e.Message, "authenticator=krb5") {
		t.Errorf("got %v", err)
	}
}

func TestOptionsThatContradictAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options sqlserver.Options
		want    string
	}{
		"two certificates":                  {sqlserver.Options{DSN: "sqlserver://u@db1?certificate=a.pem", CertificateFile: "b.pem"}, "name two files"},
		"a certificate that is not there":   {sqlserver.Options{DSN: "sqlserver://u@db1", CertificateFile: "missing.pem"}, "certificate: the file cannot be read"},
		"a password file that is not there": {sqlserver.Options{DSN: "sqlserver://u@db1", PasswordFile: "missing"}, "password-file: the file cannot be opened"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sqlserver.Check(test.options)
			if halley.KindOf(err) != halley.Invalid || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestCheckShowsWhereAndNotWho(t *testing.T) {
	t.Parallel()
	got, err := sqlserver.Check(sqlserver.Options{DSN: "sqlserver://ferdinand:hunter2@db1/SQLEXPRESS?encrypt=disable"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Address != `db1\SQLEXPRESS` || got.Database != "halley" || len(got.Warnings) != 1 {
		t.Errorf("got %+v", got)
	}
	if shown := fmt.Sprint(got); strings.Contains(shown, "hunter2") || strings.Contains(shown, "ferdinand") {
		t.Errorf("it shows who signs in: %s", shown)
	}
}

func TestOpeningDoesNotNeedTheServer(t *testing.T) {
	t.Parallel()
	s, err := sqlserver.Open(t.Context(), sqlserver.Options{DSN: "sqlserver://u:p@127.0.0.1:1?database=x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzDSN(f *testing.F) {
	for _, dsn := range []string{"sqlserver://u:p@h:1/i?database=d&encrypt=strict", "sqlserver://[::1]", "sqlserver://h?a=b", "x"} {
		f.Add(dsn)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		got, err := sqlserver.ParseDSN(sqlserver.Options{DSN: halley.Secret(dsn)})
		if err != nil {
			if halley.KindOf(err) != halley.Invalid {
				t.Errorf("the error is not Invalid: %v", err)
			}
			return
		}
		if got.Host == "" || got.Database == "" || got.Encrypt == "" {
			t.Errorf("%q was taken as %+v", dsn, got)
		}
	})
}

func TestSharedMemoryNeedsNoEncryption(t *testing.T) {
	t.Parallel()
	const dsn = "sqlserver://./SQLEXPRESS?protocol=lpc"
	got, err := sqlserver.ParseDSN(sqlserver.Options{DSN: dsn})
	if runtime.GOOS != "windows" {
		if halley.KindOf(err) != halley.Invalid || !strings.Contains(err.Error(), "protocol is one of tcp, admin on this system") {
			t.Errorf("got %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	want := target(func(w *sqlserver.Target) {
		w.Host, w.Instance, w.User, w.Encrypt, w.Protocol, w.Integrated = "localhost", "SQLEXPRESS", "", "disable", "lpc", true
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
