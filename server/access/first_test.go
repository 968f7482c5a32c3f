package access_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
)

var at = halley.MillisOf(now)

// first gives a first sign-in over a folder.
func first(folder string) *access.FirstSignIn {
	return access.NewFirstSignIn(access.FirstSignInOptions{
		Folder: folder, Address: "https://localhost:8443/",
		Write: func(path string, data []byte) error { return os.WriteFile(path, data, 0o600) },
	})
}

func issue(t *testing.T, f *access.FirstSignIn) string {
	t.Helper()
	secret, err := f.Issue(at)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// files lists what lies in a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestIssueWritesTheAddressToOpen(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f := first(folder)
	secret := issue(t, f)
	if !regexp.MustCompile(`^[A-Z2-7]{26}$`).MatchString(secret) {
		t.Error("the secret does not have 26 letters of 5 bits")
	}
	text, err := os.ReadFile(filepath.Join(folder, "first-sign-in.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\naddress: https://localhost:8443/#first=" + secret + "\n", "\nsecret: " + secret + "\n",
		"\nissued: 2026-11-21T13:16:00.000Z\n", "\nvalid-until: 2026-11-21T14:16:00.000Z\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("first-sign-in.txt lacks the line of %q", want[1:9])
		}
	}
	if got, want := f.Link(secret), "https://localhost:8443/#first="+secret; got != want {
		t.Error("the link is not the one in the file")
	}
}

func TestRedeem(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		secret func(string) string
		at     halley.Millis
		ok     bool
		left   []string
	}{
		"takes the secret once and removes the file": {at: at, ok: true, left: []string{}},
		"takes it at the last moment":                {at: at + halley.Hour - 1, ok: true, left: []string{}},
		"refuses and removes it after one hour":      {at: at + halley.Hour, left: []string{}},
		"refuses it when the clock was set far back": {at: at - halley.Hour, left: []string{}},
		"refuses another and keeps the file":         {secret: func(string) string { return strings.Repeat("A", 26) }, at: at, left: []string{access.FirstSignInFile}},
		"refuses nothing":                            {secret: func(string) string { return "" }, at: at, left: []string{access.FirstSignInFile}},
		"refuses a part":                             {secret: func(s string) string { return s[:20] }, at: at, left: []string{access.FirstSignInFile}},
		"refuses more":                               {secret: func(s string) string { return s + "A" }, at: at, left: []string{access.FirstSignInFile}},
		"refuses small letters":                      {secret: strings.ToLower, at: at, left: []string{access.FirstSignInFile}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			f := first(folder)
			secret := issue(t, f)
			if tt.secret != nil {
				secret = tt.secret(secret)
			}
			err := f.Redeem(secret, tt.at)
			if tt.ok && err != nil {
				t.Error(err)
			}
			if !tt.ok {
				checkUnauthenticated(t, err, "secret-not-valid")
			}
			if diff := cmp.Diff(tt.left, files(t, folder)); diff != "" {
				t.Errorf("files afterwards (-want +got):\n%s", diff)
			}
			if tt.ok {
				checkUnauthenticated(t, f.Redeem(secret, tt.at), "secret-not-valid")
			}
		})
	}
}

func TestIssueReplacesTheFormerSecret(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	server, command := first(folder), first(folder)
	old := issue(t, server)
	fresh := issue(t, command)
	checkUnauthenticated(t, server.Redeem(old, at), "secret-not-valid")
	if err := server.Redeem(fresh, at); err != nil {
		t.Errorf("a secret that another process made: %v", err)
	}
}

func TestExactlyOneOfManyRedeemersWins(t *testing.T) {
	t.Parallel()
	for range 20 {
		folder := t.TempDir()
		secret := issue(t, first(folder))
		var won, refused atomic.Int32
		var all sync.WaitGroup
		begin := make(chan struct{})
		for range 8 {
			f := first(folder) // As another process would have: no lock is shared, the file decides.
			all.Go(func() {
				<-begin
				switch err := f.Redeem(secret, at); {
				case err == nil:
					won.Add(1)
				case halley.KindOf(err) == halley.Unauthenticated:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		close(begin)
		all.Wait()
		if won.Load() != 1 || refused.Load() != 7 {
			t.Fatalf("%d won and %d were refused, want 1 and 7", won.Load(), refused.Load())
		}
	}
}

// While one process uses a secret another may issue the next one: that one must stay good.
func TestRedeemingLeavesANewerSecretAlone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	whole := func(path string, data []byte) error {
		if err := os.WriteFile(path+".new", data, 0o600); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	}
	command := access.NewFirstSignIn(access.FirstSignInOptions{Folder: folder, Address: "https://localhost", Write: whole})
	for range 300 {
		old := issue(t, command)
		var fresh string
		var both sync.WaitGroup
		both.Go(func() {
			if err := first(folder).Redeem(old, at); err != nil && halley.KindOf(err) != halley.Unauthenticated {
				t.Error(err)
			}
		})
		both.Go(func() { fresh = issue(t, command) })
		both.Wait()
		if err := first(folder).Redeem(fresh, at); err != nil {
			t.Fatalf("the newer secret: %v", err)
		}
	}
}

func TestRedeemRefusesFilesThatSayNothing(t *testing.T) {
	t.Parallel()
	valid := "secret: S\nissued: 2026-11-21T13:16:00Z\nvalid-until: 2026-11-21T14:16:00Z\n"
	tests := map[string]string{
		"empty":            "",
		"no secret":        strings.Replace(valid, "secret: S\n", "", 1),
		"an empty secret":  strings.Replace(valid, "secret: S", "secret: ", 1),
		"no time":          "secret: S\n",
		"a time that none": strings.Replace(valid, "14:16:00Z", "soon", 1),
		"beyond all lines": strings.Repeat("x", 1<<20),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, access.FirstSignInFile), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"", "S"} {
				checkUnauthenticated(t, first(folder).Redeem(secret, at), "secret-not-valid")
			}
		})
	}
}

func TestIssueSweepsWhatACrashLeft(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, access.FirstSignInFile+".claimed-X"), []byte("secret: S\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := first(folder)
	issue(t, f)
	if diff := cmp.Diff([]string{access.FirstSignInFile}, files(t, folder)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if err := f.Withdraw(); err != nil {
		t.Fatal(err)
	}
	if err := f.Withdraw(); err != nil {
		t.Errorf("withdrawing twice: %v", err)
	}
	if diff := cmp.Diff([]string{}, files(t, folder)); diff != "" {
		t.Errorf("files after withdrawing (-want +got):\n%s", diff)
	}
}

func TestIssueSaysThatItCannotWrite(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	f := access.NewFirstSignIn(access.FirstSignInOptions{Folder: t.TempDir(), Write: func(string, []byte) error { return full }})
	if _, err := f.Issue(at); !errors.Is(err, full) {
		t.Errorf("error = %v, want the cause", err)
	}
}
