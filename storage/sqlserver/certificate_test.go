package sqlserver_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"halley"
	"halley/storage/sqlserver"
)

// issuer signs certificates for tests.
type issuer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newIssuer makes an authority.
func newIssuer(t *testing.T) *issuer {
	t.Helper()
	made := sign(t, nil, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.BasicConstraintsValid = "Authority of the house", true, true
		c.KeyUsage, c.IPAddresses, c.DNSNames = x509.KeyUsageCertSign, nil, nil
	})
	return &issuer{certificate: made.Leaf, key: made.PrivateKey.(*ecdsa.PrivateKey)}
}

// sign makes a certificate for 127.0.0.1, signed by by or by itself.
func sign(t *testing.T, by *issuer, change func(*x509.Certificate)) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "db1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"db1"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(c)
	}
	parent, parentKey := c, key
	if by != nil {
		parent, parentKey = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// try connects once and gives the error.
func try(t *testing.T, o sqlserver.Options, n sqlserver.Network) error {
	t.Helper()
	db, _, err := sqlserver.Pool(o, n, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return db.PingContext(t.Context())
}

func TestOnlyTheRightCertificateIsBelieved(t *testing.T) {
	t.Parallel()
	house := newIssuer(t)
	signed := sign(t, house, nil)
	itself := sign(t, nil, nil)
	asAuthority := sign(t, nil, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid, c.IPAddresses = true, true, nil })
	otherName := sign(t, house, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"db2.example.org"} })
	over := sign(t, house, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	early := sign(t, house, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
	})
	fallback := sign(t, nil, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IPAddresses, c.DNSNames = "SSL_Self_Signed_Fallback", nil, nil
	})
	otherFallback := sign(t, nil, func(c *x509.Certificate) { c.Subject.CommonName = "SSL_Self_Signed_Fallback" })
	overAndPinned := sign(t, nil, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	byHouse := house.certificate.Raw

	for name, test := range map[string]struct {
		shown *tls.Certificate
		file  [][]byte
		extra string
		code  string
	}{
		"signed by the named authority":         {signed, [][]byte{byHouse}, "", ""},
		"pinned":                                {itself, [][]byte{itself.Certificate[0]}, "", ""},
		"pinned, which names an authority too":  {asAuthority, [][]byte{asAuthority.Certificate[0]}, "", ""},
		"pinned, over":                          {overAndPinned, [][]byte{overAndPinned.Certificate[0]}, "", ""},
		"one of two pinned":                     {itself, [][]byte{signed.Certificate[0], itself.Certificate[0]}, "", ""},
		"another name that was expected":        {otherName, [][]byte{byHouse}, "&hostNameInCertificate=db2.example.org", ""},
		"signed by nobody we know":              {signed, nil, "", "certificate-unknown-authority"},
		"signed by itself":                      {itself, nil, "", "certificate-unknown-authority"},
		"signed by itself, beside an authority": {itself, [][]byte{byHouse}, "", "certificate-unknown-authority"},
		"another one than the pinned":           {itself, [][]byte{signed.Certificate[0]}, "", "certificate-not-pinned"},
		"signed by the pinned one's authority":  {signed, [][]byte{otherName.Certificate[0]}, "", "certificate-not-pinned"},
		"for another name":                      {otherName, [][]byte{byHouse}, "", "certificate-wrong-name"},
		"not for the name that was expected":    {signed, [][]byte{byHouse}, "&hostNameInCertificate=db9", "certificate-wrong-name"},
		"over":                                  {over, [][]byte{byHouse}, "", "certificate-expired"},
		"too early":                             {early, [][]byte{byHouse}, "", "certificate-not-yet-valid"},
		"made anew at every start":              {fallback, nil, "", "certificate-fallback"},
		"made anew since it was pinned":         {fallback, [][]byte{otherFallback.Certificate[0]}, "", "certificate-fallback"},
	} {
		for _, strict := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", strict"}[strict], func(t *testing.T) {
				t.Parallel()
				s := (&fakeServer{certificate: test.shown, strict: strict}).start(t)
				o := sqlserver.Options{DSN: halley.Secret("sqlserver://u:hunter2@" + s.address() + "?database=x" + test.extra)}
				if strict {
					o.DSN += "&encrypt=strict"
				}
				if test.file != nil {
					o.CertificateFile = certificateFile(t, test.file...)
				}
				err := try(t, o, sqlserver.Network{})
				code := ""
				if e, ok := errors.AsType[*halley.Error](err); ok {
					code = e.Code
				}
				if code != test.code || (err == nil) != (test.code == "") {
					t.Fatalf("got code %q, want %q: %v", code, test.code, err)
				}
				logins, _ := s.seen()
				if told := len(logins) > 0; told != (test.code == "") {
					t.Errorf("the password was told: %v", told)
				}
				for _, l := range logins {
					if !l.Encrypted || l.Password != "hunter2" {
						t.Errorf("the server got %+v", l)
					}
				}
			})
		}
	}
}

func TestACertificateFileIsReadAsItIs(t *testing.T) {
	t.Parallel()
	own := sign(t, nil, nil)
	s := (&fakeServer{certificate: own}).start(t)
	name := filepath.Join(t.TempDir(), "export.cer")
	if err := os.WriteFile(name, own.Certificate[0], 0o600); err != nil {
		t.Fatal(err)
	}
	o := sqlserver.Options{DSN: halley.Secret("sqlserver://u:p@" + s.address()), CertificateFile: name}
	if err := try(t, o, sqlserver.Network{}); err != nil {
		t.Errorf("DER: %v", err)
	}
	for what, content := range map[string]string{"nothing": "", "a text": "x", "a key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlserver.Check(o); halley.KindOf(err) != halley.Invalid || !strings.Contains(err.Error(), "holds no certificate") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

func TestTheCertificateOfThePartnerIsHeldAgainstItsOwnName(t *testing.T) {
	t.Parallel()
	house := newIssuer(t)
	second := sign(t, house, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"db2"} })
	s := (&fakeServer{certificate: second}).start(t)
	n := sqlserver.Network{
		Lookup: func(_ context.Context, host string) ([]string, error) {
			if host == "db2" {
				return []string{"127.0.0.1"}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.address())
		},
	}
	o := sqlserver.Options{
		DSN: "sqlserver://u:p@db1:1433?failoverpartner=db2", CertificateFile: certificateFile(t, house.certificate.Raw),
	}
	if err := try(t, o, n); err != nil {
		t.Error(err)
	}
}
