// Package pki keeps the certificate by which the server proves who it is: the administrator's own, or a self-signed one made
// at first start. A certificate whose file changed is taken without a restart.
//
// It opens no listener and asks no other machine.
package pki

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"halley"
)

// checkEvery is how long a certificate serves before its files are looked at again.
const checkEvery = 10 * time.Second

// Options say where the certificate comes from.
type Options struct {
	// Certificate and Key are PEM files of the administrator's: the certificate first and its chain behind it. Both are empty
	// for a self-signed one.
	Certificate, Key string
	// Folder keeps the self-signed certificate with its private key; it is made where it is missing.
	Folder string
	// Hosts are further names of this server, for a self-signed certificate.
	Hosts []string
	// Log hears of certificates that were made, taken or refused.
	Log *slog.Logger
}

// Identity is the certificate in use. Its methods may be called at the same time.
type Identity struct {
	options Options

	mu      sync.Mutex
	current *tls.Certificate
	seen    stamp
	// checked is when the files were looked at last.
	checked time.Time
	// failed is the last reason for not taking a changed file, so that it is logged once.
	failed string
}

// Open loads the certificate, or makes the self-signed one where there is none yet or it ends soon.
func Open(o Options) (*Identity, error) {
	i := &Identity{options: o, checked: time.Now()}
	if err := i.load(i.checked); err != nil {
		return nil, err
	}
	return i, nil
}

// TLS gives the configuration of a listener: TLS 1.2 at least (there are devices that know no newer one), and the certificate
// of the moment.
func (i *Identity) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			i.mu.Lock()
			defer i.mu.Unlock()
			i.refresh(time.Now())
			return i.current, nil
		},
	}
}

// Fingerprint gives SHA-256 of the certificate as browsers show it: pairs of capital hexadecimal digits with colons.
func (i *Identity) Fingerprint() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return fingerprint(i.current)
}

// Ends gives when the certificate ends.
func (i *Identity) Ends() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.current.Leaf.NotAfter
}

// SelfSigned says whether the certificate was made by this server.
func (i *Identity) SelfSigned() bool { return i.options.Certificate == "" }

// refresh looks at the files from time to time. A change that cannot be taken is logged, and the former certificate serves on.
func (i *Identity) refresh(now time.Time) {
	if now.Sub(i.checked) < checkEvery {
		return
	}
	i.checked = now
	s, err := i.stamp()
	if err == nil && s == i.seen && !i.endsSoon(now) {
		return
	}
	before := fingerprint(i.current)
	if err == nil {
		err = i.load(now)
	}
	if err != nil {
		if err.Error() != i.failed {
			i.failed = err.Error()
			i.options.Log.Error("a changed certificate cannot be taken, the former one serves on", "error", err)
		}
		return
	}
	i.failed = ""
	if after := fingerprint(i.current); after != before {
		i.options.Log.Info("a changed certificate is in use", "fingerprint", after, "ends", i.current.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
}

// endsSoon says whether the certificate is one of our own that needs a successor.
func (i *Identity) endsSoon(now time.Time) bool {
	return i.SelfSigned() && now.After(i.current.Leaf.NotAfter.Add(-renewBefore))
}

// load takes the certificate from its files.
func (i *Identity) load(now time.Time) error {
	if i.SelfSigned() {
		if err := i.ensureSelfSigned(now); err != nil {
			return err
		}
	}
	s, err := i.stamp()
	if err != nil {
		return unreadable(err)
	}
	certificateFile, keyFile := i.files()
	loaded, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	if err != nil {
		return unreadable(err)
	}
	if now.After(loaded.Leaf.NotAfter) {
		i.options.Log.Warn("the certificate has ended; browsers and devices will refuse it",
			"file", certificateFile, "ended", loaded.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	i.current, i.seen = &loaded, s
	return nil
}

// files gives where certificate and key lie; the self-signed ones lie in one file, so that they cannot come apart.
func (i *Identity) files() (certificate, key string) {
	if i.SelfSigned() {
		return i.selfSignedFile(), i.selfSignedFile()
	}
	return i.options.Certificate, i.options.Key
}

// stamp tells one state of the files from another.
type stamp struct {
	certificate, key         time.Time
	certificateSize, keySize int64
}

func (i *Identity) stamp() (stamp, error) {
	certificateFile, keyFile := i.files()
	c, err := os.Stat(certificateFile)
	if err != nil {
		return stamp{}, err
	}
	k, err := os.Stat(keyFile)
	if err != nil {
		return stamp{}, err
	}
	return stamp{certificate: c.ModTime(), key: k.ModTime(), certificateSize: c.Size(), keySize: k.Size()}, nil
}

func unreadable(err error) error {
	return &halley.Error{
		Kind: halley.Unavailable, Op: "load the certificate",
		Message: "check that certificate and private key are PEM files that belong together and that this account may read them",
		Err:     err,
	}
}

// fingerprint gives SHA-256 of the certificate itself.
func fingerprint(c *tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	pairs := make([]string, len(sum))
	for n, b := range sum {
		pairs[n] = strings.ToUpper(hex.EncodeToString([]byte{b}))
	}
	return strings.Join(pairs, ":")
}

// String says what the identity is, for a person.
func (i *Identity) String() string {
	kind := "own certificate"
	if i.SelfSigned() {
		kind = "self-signed certificate"
	}
	return fmt.Sprintf("%s, SHA-256 %s, until %s", kind, i.Fingerprint(), i.Ends().UTC().Format(time.DateOnly))
}
