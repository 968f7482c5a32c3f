package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/pki"
)

// journal is a logger that keeps its lines.
func journal() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, nil)), &b
}

func open(t *testing.T, o pki.Options) *pki.Identity {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	i, err := pki.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// served gives the certificate that a listener would show now.
func served(t *testing.T, i *pki.Identity) *x509.Certificate {
	t.Helper()
	c, err := i.TLS().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf
}

func TestFirstStartMakesACertificate(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data", "keys")
	log, lines := journal()
	i := open(t, pki.Options{Folder: folder, Hosts: []string{"halley.example.org", "192.0.2.7"}, Log: log})
	c := served(t, i)

	for _, host := range []string{"halley.example.org", "192.0.2.7", "localhost", "127.0.0.1", "::1"} {
		if err := c.VerifyHostname(host); err != nil {
			t.Errorf("the certificate does not name %s: %v", host, err)
		}
	}
	if name, err := os.Hostname(); err == nil && c.VerifyHostname(name) != nil {
		t.Errorf("the certificate does not name this machine, %s", name)
	}
	if key, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("the key is a %T, want ECDSA P-256", c.PublicKey)
	}
	if got, want := c.NotAfter.Sub(c.NotBefore), 825*24*time.Hour+time.Hour; got != want {
		t.Errorf("it lasts %s, want %s", got, want)
	}
	sum := sha256.Sum256(c.Raw)
	if got := strings.ToLower(strings.ReplaceAll(i.Fingerprint(), ":", "")); got != hex.EncodeToString(sum[:]) {
		t.Errorf("fingerprint %s, want %x", got, sum)
	}
	if !i.SelfSigned() || !i.Ends().Equal(c.NotAfter) || !strings.Contains(i.String(), "self-signed") {
		t.Errorf("it calls itself %s", i)
	}
	if !strings.Contains(lines.String(), "self-signed certificate was made") {
		t.Errorf("the log does not tell:\n%s", lines)
	}
}

func TestKeyIsForThisAccountAlone(t *testing.T) {
	t.Parallel()
	if os.PathSeparator == '\\' {
		t.Skip("Windows has no permission bits")
	}
	folder := filepath.Join(t.TempDir(), "keys")
	open(t, pki.Options{Folder: folder})
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]os.FileMode{".": mode(t, folder)}
	for _, f := range files {
		got[f.Name()] = mode(t, filepath.Join(folder, f.Name()))
	}
	if diff := cmp.Diff(map[string]os.FileMode{".": 0o700, "viewer.pem": 0o600}, got); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestSecondStartKeepsTheCertificate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first := open(t, pki.Options{Folder: folder}).Fingerprint()
	if second := open(t, pki.Options{Folder: folder}).Fingerprint(); second != first {
		t.Errorf("the second start shows %s, want %s", second, first)
	}
	named := open(t, pki.Options{Folder: folder, Hosts: []string{"new.example.org"}})
	if named.Fingerprint() == first {
		t.Error("a further host in the configuration did not make a new certificate")
	}
}

func TestUnusableFileIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "viewer.pem")
	write(t, file, "not a certificate")
	_, err := pki.Open(pki.Options{Folder: folder, Log: slog.New(slog.DiscardHandler)})
	if halley.KindOf(err) != halley.Unavailable {
		t.Errorf("got %v, want an error of kind Unavailable", err)
	}
	if b, readErr := os.ReadFile(file); readErr != nil || string(b) != "not a certificate" {
		t.Errorf("the file holds %q now (%v)", b, readErr)
	}
}

func TestFolderThatCannotBeMadeIsTold(t *testing.T) {
	t.Parallel()
	occupied := filepath.Join(t.TempDir(), "file")
	write(t, occupied, "")
	_, err := pki.Open(pki.Options{Folder: filepath.Join(occupied, "keys"), Log: slog.New(slog.DiscardHandler)})
	if halley.KindOf(err) != halley.Unavailable {
		t.Errorf("got %v, want an error of kind Unavailable", err)
	}
}

// pair makes a certificate of one's own and gives its two files.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	folder := t.TempDir()
	open(t, pki.Options{Folder: folder})
	b, err := os.ReadFile(filepath.Join(folder, "viewer.pem"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest := pem.Decode(b)
	certificate, key = filepath.Join(folder, "c.pem"), filepath.Join(folder, "k.pem")
	write(t, certificate, strings.TrimSuffix(string(b), string(rest)))
	write(t, key, string(rest))
	return certificate, key
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestGivenCertificateIsUsed(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t)
	folder := filepath.Join(t.TempDir(), "keys")
	i := open(t, pki.Options{Certificate: certificate, Key: key, Folder: folder})
	if i.SelfSigned() || !strings.HasPrefix(i.String(), "own certificate, SHA-256 ") {
		t.Errorf("it calls itself %s", i)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("a folder for keys was made (%v)", err)
	}
}

func TestWrongPairIsRefused(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t)
	_, otherKey := pair(t)
	missing := filepath.Join(t.TempDir(), "missing")
	for name, o := range map[string]pki.Options{
		"key of another certificate": {Certificate: certificate, Key: otherKey},
		"no certificate file":        {Certificate: missing, Key: key},
		"no key file":                {Certificate: certificate, Key: missing},
		"exchanged":                  {Certificate: key, Key: certificate},
	} {
		o.Log = slog.New(slog.DiscardHandler)
		if _, err := pki.Open(o); halley.KindOf(err) != halley.Unavailable || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: got %v, want an error of kind Unavailable", name, err)
		}
	}
}

func TestEndedCertificateIsTold(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t)
	synctest.Test(t, func(t *testing.T) {
		// The bubble's clock begins in the year 2000 and is moved to the year 2100.
		<-time.After(100 * 365 * 24 * time.Hour)
		log, lines := journal()
		open(t, pki.Options{Certificate: certificate, Key: key, Log: log})
		if !strings.Contains(lines.String(), "certificate has ended") {
			t.Errorf("the log does not tell:\n%s", lines)
		}
	})
}

func TestChangedFilesAreTakenWithoutARestart(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t)
	nextCertificate, nextKey := pair(t)
	synctest.Test(t, func(t *testing.T) {
		log, lines := journal()
		i := open(t, pki.Options{Certificate: certificate, Key: key, Log: log})
		first := served(t, i)

		move(t, nextCertificate, certificate)
		if got := served(t, i); !got.Equal(first) {
			t.Error("the file was looked at before its time")
		}
		<-time.After(time.Minute)
		if got := served(t, i); !got.Equal(first) {
			t.Error("a certificate without its key was taken")
		}
		<-time.After(time.Minute)
		served(t, i)
		if got := strings.Count(lines.String(), "cannot be taken"); got != 1 {
			t.Errorf("the log tells of the half pair %d times, want once:\n%s", got, lines)
		}

		move(t, nextKey, key)
		<-time.After(time.Minute)
		if got := served(t, i); got.Equal(first) {
			t.Error("the new pair was not taken")
		}
		if !strings.Contains(lines.String(), "a changed certificate is in use") {
			t.Errorf("the log does not tell of the new pair:\n%s", lines)
		}
	})
}

func TestVanishedFileLeavesTheCertificateInUse(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t)
	synctest.Test(t, func(t *testing.T) {
		i := open(t, pki.Options{Certificate: certificate, Key: key})
		first := served(t, i)
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if got := served(t, i); !got.Equal(first) {
			t.Error("another certificate is in use")
		}
	})
}

func TestSelfSignedCertificateIsRenewedInTime(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		i := open(t, pki.Options{Folder: folder})
		first := served(t, i)
		<-time.After(790 * 24 * time.Hour)
		if got := served(t, i); !got.Equal(first) {
			t.Error("it was renewed 35 days before its end, want 30")
		}
		<-time.After(6 * 24 * time.Hour)
		next := served(t, i)
		if next.Equal(first) || !next.NotAfter.After(first.NotAfter) {
			t.Errorf("29 days before its end it still serves until %s", next.NotAfter)
		}
	})
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestListenerSpeaksTLS12AndNewerOnly(t *testing.T) {
	t.Parallel()
	i := open(t, pki.Options{Folder: t.TempDir()})
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		err := handshake(t, i, version)
		if got := err == nil; got != want {
			t.Errorf("%s: connected %v, want %v (%v)", tls.VersionName(version), got, want, err)
		}
	}
}

// handshake connects in memory with exactly one version.
func handshake(t *testing.T, i *pki.Identity, version uint16) error {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(served(t, i))
	near, far := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer far.Close()
		if err := tls.Server(far, i.TLS()).HandshakeContext(t.Context()); err != nil {
			t.Logf("the server says: %v", err)
		}
	}()
	client := tls.Client(near, &tls.Config{ServerName: "localhost", RootCAs: roots, MinVersion: version, MaxVersion: version})
	err := client.HandshakeContext(t.Context())
	near.Close()
	<-ended
	return err
}
