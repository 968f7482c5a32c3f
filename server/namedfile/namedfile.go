// Package namedfile reads the files that a configuration or a command names: certificates to believe, passwords and the like. Every
// reading is bounded, for what is named may be anything, also something without an end.
//
// It writes none and keeps no content.
package namedfile

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// fileBytes bounds a file with one line, or with certificates.
const fileBytes = 1 << 20

var (
	// ErrEmpty is for a file whose first line is empty.
	ErrEmpty = errors.New("it is empty")
	// ErrNoCertificate is for a file that can be read, but holds no certificate as PEM.
	ErrNoCertificate = errors.New("it holds no certificate")
)

// Read gives what a file holds: at most most bytes, else an error. Errors name the file; the caller says what it is for.
func Read(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(content) > most {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return content, nil
}

// Line gives the first line of a file, without its end and a byte order mark. ErrEmpty where nothing is in it.
func Line(path string) (string, error) {
	content, err := Read(path, fileBytes)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(string(content), "\uFEFF"), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", ErrEmpty
	}
	return line, nil
}

// Authorities gives the certificates of a file to believe in. ErrNoCertificate where it holds none.
func Authorities(path string) (*x509.CertPool, error) {
	text, err := Read(path, fileBytes)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, ErrNoCertificate
	}
	return pool, nil
}
