package sqlserver

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"halley"
)

// distrust says why a certificate is not believed.
type distrust string

// The reasons.
const (
	// fallbackCertificate is the one that SQL Server makes anew at every start where it was given none.
	fallbackCertificate distrust = "fallback"
	wrongName           distrust = "wrong-name"
	unknownAuthority    distrust = "unknown-authority"
	expired             distrust = "expired"
	notYetValid         distrust = "not-yet-valid"
	notPinned           distrust = "not-pinned"
	otherwiseWrong      distrust = "other"
)

// fallbackName is the common name of the certificate that SQL Server makes for itself.
const fallbackName = "SSL_Self_Signed_Fallback"

// certificateError is a server's certificate that is not believed.
type certificateError struct {
	reason distrust
	// certificate is what the server showed; host what it was held against.
	certificate *x509.Certificate
	host        string
	err         error
}

// Error gives one line.
func (e *certificateError) Error() string {
	return fmt.Sprintf("the certificate of %s is not trusted (%s): %v", e.host, e.reason, e.err)
}

// Unwrap gives the cause.
func (e *certificateError) Unwrap() error { return e.err }

// trust is what a server's certificate is held against.
type trust struct {
	// named are the certificates of the file; none for what the system trusts.
	named []*x509.Certificate
	// name must stand in the certificate; "" for the name of the host.
	name string
}

// readTrust reads the file of certificates, PEM or DER.
func readTrust(file, name string) (trust, error) {
	if file == "" {
		return trust{name: name}, nil
	}
	fail := func(err error, message string) (trust, error) {
		return trust{}, &halley.Error{
			Kind: halley.Invalid, Op: "read the certificate of SQL Server", Field: "certificate", Message: message, Err: err,
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return fail(err, "the file cannot be read")
	}
	found, err := certificates(content)
	if err != nil || len(found) == 0 {
		return fail(err, file+" holds no certificate that can be read; export it as PEM (Base-64) or DER")
	}
	return trust{named: found, name: name}, nil
}

// certificates reads all of a PEM file, or the one of a DER file.
func certificates(content []byte) ([]*x509.Certificate, error) {
	if !bytes.Contains(content, []byte("-----BEGIN")) {
		return x509.ParseCertificates(content)
	}
	var found []*x509.Certificate
	for rest := content; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

// check says whether the server of a connection to host is the right one. A certificate of the file itself is believed whatever
// its name and dates are, as Microsoft's own drivers do: nobody else has its key.
func (t trust) check(cs tls.ConnectionState, host string) error {
	if t.name != "" {
		host = t.name
	}
	leaf := cs.PeerCertificates[0] // crypto/tls refuses a server without
	authorities := x509.NewCertPool()
	signers := 0
	for _, c := range t.named {
		if c.Equal(leaf) {
			return nil
		}
		if c.IsCA {
			authorities.AddCert(c)
			signers++
		}
	}
	refuse := func(reason distrust, err error) error {
		if leaf.Subject.CommonName == fallbackName {
			reason = fallbackCertificate
		}
		return &certificateError{reason: reason, certificate: leaf, host: host, err: err}
	}
	if host == "" {
		return refuse(otherwiseWrong, errors.New("there is no name to hold it against")) // crypto/x509 would take any name
	}
	opts := x509.VerifyOptions{DNSName: strings.Trim(host, "[]"), Intermediates: x509.NewCertPool()}
	if len(t.named) > 0 {
		if signers == 0 {
			return refuse(notPinned, errors.New("it is another one than the file holds"))
		}
		opts.Roots = authorities
	}
	for _, c := range cs.PeerCertificates[1:] {
		opts.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(opts); err != nil {
		return refuse(reasonOf(err, leaf), err)
	}
	return nil
}

// reasonOf sorts what crypto/x509 says.
func reasonOf(err error, leaf *x509.Certificate) distrust {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return wrongName
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return unknownAuthority
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		// The standard library has one reason for both ends.
		if time.Now().Before(leaf.NotBefore) {
			return notYetValid
		}
		return expired
	}
	return otherwiseWrong
}

// names lists what a certificate may be called by.
func names(c *x509.Certificate) string {
	all := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		all = append(all, c.Subject.CommonName)
	}
	const most = 5
	if len(all) > most {
		all = append(all[:most], "…")
	}
	return strings.Join(all, ", ")
}
