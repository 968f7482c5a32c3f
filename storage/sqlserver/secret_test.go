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

func TestAWrittenPasswordIsReadAgain(t *testing.T) {
	t.Parallel()
	name := passwordFile(t, "the old one")
	protected, err := sqlserver.WritePassword(name, "a\tstränge 🔑 one")
	if err != nil {
		t.Fatal(err)
	}
	if protected != (runtime.GOOS == "windows") {
		t.Errorf("protected is %v on %s", protected, runtime.GOOS)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if protected && strings.Contains(string(content), "one") {
		t.Errorf("the password can be read in %q", content)
	}
	if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("the file is %v (%v), want mode 0600", info.Mode(), err)
	}
	if got, err := sqlserver.ReadPassword(name); err != nil || got != "a\tstränge 🔑 one" {
		t.Errorf("read again it is %q (%v)", got.Reveal(), err)
	}
	left, err := os.ReadDir(filepath.Dir(name))
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v (%v), want the file alone", left, err)
	}
}

func TestWhatIsNoPasswordIsNotWritten(t *testing.T) {
	t.Parallel()
	for _, password := range []halley.Secret{"", "two\nlines", halley.Secret(strings.Repeat("x", 513)), "nul\x00"} {
		name := filepath.Join(t.TempDir(), "store-password")
		if _, err := sqlserver.WritePassword(name, password); halley.KindOf(err) != halley.Invalid {
			t.Errorf("%.10q: got %v", password.Reveal(), err)
		}
		if _, err := os.Stat(name); !os.IsNotExist(err) {
			t.Errorf("%.10q: a file was written", password.Reveal())
		}
	}
	if _, err := sqlserver.WritePassword(filepath.Join(t.TempDir(), "no", "folder"), "hunter2"); halley.KindOf(err) != halley.Unavailable {
		t.Errorf("without a folder: got %v", err)
	}
}
