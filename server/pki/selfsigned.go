package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"halley"
	"halley/server/datadir"
)

const (
	// lifetime is the longest that browsers take from an authority of one's own.
	lifetime = 825 * 24 * time.Hour
	// renewBefore is how long before its end a self-signed certificate is replaced.
	renewBefore = 30 * 24 * time.Hour
	// backdate lets machines whose clocks are behind take a new certificate.
	backdate = time.Hour
)

func (i *Identity) selfSignedFile() string { return filepath.Join(i.options.Folder, "viewer.pem") }

// ensureSelfSigned makes the self-signed certificate where there is none, where it ends soon, or where it lacks a name that
// the configuration gives.
func (i *Identity) ensureSelfSigned(now time.Time) error {
	file := i.selfSignedFile()
	var reason string
	switch have, err := tls.LoadX509KeyPair(file, file); {
	case errors.Is(err, fs.ErrNotExist):
		reason = "there was none"
	case err != nil:
		// A file that is there and cannot be used may be the administrator's: it is not written over.
		return unreadable(err)
	case now.After(have.Leaf.NotAfter.Add(-renewBefore)):
		reason = "the former one ends"
	case !covers(have.Leaf, i.options.Hosts):
		reason = "the configuration names further hosts"
	default:
		return nil
	}
	text, err := makeSelfSigned(now, names(i.options.Hosts))
	if err != nil {
		return unmade(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return unmade(err)
	}
	if err := datadir.WritePrivate(file, text); err != nil {
		return unmade(err)
	}
	i.options.Log.Info("a self-signed certificate was made", "reason", reason, "file", file)
	return nil
}

func unmade(err error) error {
	return &halley.Error{
		Kind: halley.Unavailable, Op: "make a self-signed certificate",
		Message: "check that this account may write the folder for keys", Err: err,
	}
}

// covers says whether a certificate holds all these hosts.
func covers(c *x509.Certificate, hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(h string) bool { return c.VerifyHostname(strings.TrimSuffix(h, ".")) != nil })
}

// names gives every name and address of this machine, the further hosts first. What the system does not tell is left out.
func names(hosts []string) []string {
	list := slices.Clone(hosts)
	if name, err := os.Hostname(); err == nil && name != "" {
		list = append(list, name)
	}
	list = append(list, "localhost", "127.0.0.1", "::1")
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return list
	}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLinkLocalUnicast() {
			list = append(list, p.Addr().Unmap().String())
		}
	}
	return list
}

// makeSelfSigned gives certificate and private key as PEM.
func makeSelfSigned(now time.Time, names []string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Halley", Organization: []string{"self-signed by this server"}},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range names {
		n = strings.TrimSuffix(n, ".")
		if ip := net.ParseIP(n); ip != nil {
			if !slices.ContainsFunc(template.IPAddresses, ip.Equal) {
				template.IPAddresses = append(template.IPAddresses, ip)
			}
		} else if !slices.Contains(template.DNSNames, n) {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}
