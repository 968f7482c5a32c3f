package sqlserver_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"halley"
	"halley/storage/sqlserver"
)

func passwordFile(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "store-password")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAPasswordIsTheOneLineOfItsFile(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]halley.Secret{
		"hunter2":                   "hunter2",
		"hunter2\n":                 "hunter2",
		"hunter2\r\n":               "hunter2",
		"\xEF\xBB\xBFžluťoučký kůň": "žluťoučký kůň",
		" both ends \n":             " both ends ",
	} {
		got, err := sqlserver.ReadPassword(passwordFile(t, content))
		if err != nil || got != want {
			t.Errorf("%q gives %q (%v), want %q", content, got.Reveal(), err, want.Reveal())
		}
	}
}

func TestABadPasswordFileIsExplained(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                               "holds no password",
		"\n":                             "holds no password",
		"hunter2\nxyzzy\n":               "holds more than one line",
		"\xFF\xFEh\x00u\x00":             "is not UTF-8 text",
		"hunter\xE92":                    "is not UTF-8 text",
		strings.Repeat("hunter2", 80):    "holds more than 512 bytes",
		strings.Repeat("hunter2", 10000): "is too large for a password",
		"halley-protected-password-1\nhunter2!\n":     "was protected on another machine, or is damaged",
		"halley-protected-password-1\r\naHVudGVyMg==": "was protected on another machine, or is damaged",
	} {
		_, err := sqlserver.ReadPassword(passwordFile(t, content))
		if halley.KindOf(err) != halley.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: got %v, want %s", content, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "xyzzy")) {
			t.Errorf("%.30q: the error shows the content: %v", content, err)
		}
	}
	if _, err := sqlserver.ReadPassword(t.TempDir()); halley.KindOf(err) != halley.Invalid {
		t.Errorf("a folder: got %v", err)
	}
}

func TestAPasswordThatOthersMayReadIsRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has access lists instead of modes")
	}
	for mode, refused := range map[os.FileMode]bool{0o400: false, 0o600: false, 0o640: false, 0o440: false, 0o644: true, 0o604: true, 0o602: true} {
		name := passwordFile(t, "hunter2")
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		_, err := sqlserver.ReadPassword(name)
		if got := err != nil; got != refused {
			t.Errorf("mode %04o: got %v", mode, err)
		}
		if refused && !strings.Contains(err.Error(), "chmod o= FILE") {
			t.Errorf("mode %04o: the error does not say what to do: %v", mode, err)
		}
	}
}

func TestASealedPasswordIsReadAgain(t *testing.T) {
	t.Parallel()
	content, sealed, err := sqlserver.SealPassword("a\tstränge 🔑 one")
	if err != nil {
		t.Fatal(err)
	}
	if sealed != (runtime.GOOS == "windows") {
		t.Errorf("sealed is %v on %s", sealed, runtime.GOOS)
	}
	if sealed && strings.Contains(string(content), "one") {
		t.Errorf("the password can be read in %q", content)
	}
	if got, err := sqlserver.ReadPassword(passwordFile(t, string(content))); err != nil || got != "a\tstränge 🔑 one" {
		t.Errorf("read again it is %q (%v)", got.Reveal(), err)
	}
}

func TestWhatIsNoPasswordIsNotSealed(t *testing.T) {
	t.Parallel()
	for _, password := range []halley.Secret{"", "two\nlines", halley.Secret(strings.Repeat("x", 513)), "nul\x00"} {
		if content, _, err := sqlserver.SealPassword(password); halley.KindOf(err) != halley.Invalid || content != nil {
			t.Errorf("%.10q: got %v", password.Reveal(), err)
		}
	}
}
