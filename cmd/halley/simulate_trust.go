package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// trustFingerprint trusts exactly the certificate with this SHA-256, written in hexadecimal digits with or without colons.
func trustFingerprint(text string) (*tls.Config, error) {
	want, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(text))
	if err != nil || len(want) != sha256.Size {
		return nil, misuse("--fingerprint is SHA-256 of a certificate: 64 hexadecimal digits, with or without colons")
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection is stricter: it takes one certificate alone
		VerifyConnection: func(state tls.ConnectionState) error {
			got := sha256.Sum256(state.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(got[:], want) != 1 {
				return errors.New("the server has another certificate than the one of --fingerprint")
			}
			return nil
		},
	}, nil
}

// readEntryPoints reads lines "SERIAL URL" or "SERIAL PATH"; empty lines and those that begin with # do not count. No error shows
// what a line holds, for it is secret.
func readEntryPoints(file string) (map[string]string, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the entry points: %w", err)
	}
	defer f.Close()
	paths := make(map[string]string)
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		words := strings.Fields(line)
		if len(words) != 2 {
			return nil, misuse("--entry-point-file: line %d is not a serial number and a URL", n)
		}
		u, err := url.Parse(words[1])
		if err != nil || len(u.Path) < 2 {
			return nil, misuse("--entry-point-file: line %d has no path behind the serial number", n)
		}
		paths[words[0]] = u.EscapedPath()
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the entry points: %w", err)
	}
	return paths, nil
}
