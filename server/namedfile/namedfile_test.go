package namedfile_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halley/server/namedfile"
)

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	path := file(t, "12345")
	if got, err := namedfile.Read(path, 5); err != nil || string(got) != "12345" {
		t.Errorf("of at most 5 bytes: %q and %v", got, err)
	}
	if got, err := namedfile.Read(path, 4); err == nil || !strings.Contains(err.Error(), "is larger than 4 bytes") {
		t.Errorf("of at most 4 bytes: %q and %v", got, err)
	}
	if _, err := namedfile.Read(path+".gone", 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a file that is not there: %v", err)
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		content, want string
		err           error
	}{
		"the one line":                        {"hunter2", "hunter2", nil},
		"without its end":                     {"hunter2\n", "hunter2", nil},
		"as Windows writes it":                {"\uFEFFhunter2\r\n", "hunter2", nil},
		"the first of several":                {"hunter2\nand more\n", "hunter2", nil},
		"blanks are part of it":               {" hunter 2 \n", " hunter 2 ", nil},
		"nothing in the file":                 {"", "", namedfile.ErrEmpty},
		"nothing in the first line":           {"\r\nhunter2\n", "", namedfile.ErrEmpty},
		"nothing but the mark of byte orders": {"\uFEFF", "", namedfile.ErrEmpty},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := namedfile.Line(file(t, tt.content))
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%q and %v, want %q and %v", got, err, tt.want, tt.err)
			}
		})
	}
	if _, err := namedfile.Line(file(t, strings.Repeat("a", 1<<20+1))); err == nil {
		t.Error("a line of more than a megabyte is taken")
	}
}

func TestAuthorities(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
	pool, err := namedfile.Authorities(file(t, "# ours\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.Certificate().Verify(x509.VerifyOptions{Roots: pool}); err != nil {
		t.Errorf("the certificate of the file is not believed: %v", err)
	}
	if _, err := namedfile.Authorities(file(t, "no certificate")); !errors.Is(err, namedfile.ErrNoCertificate) {
		t.Errorf("of a text: %v", err)
	}
	if _, err := namedfile.Authorities(file(t, "") + ".gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a file that is not there: %v", err)
	}
}
