package ledger_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/ledger"
	form "halley/storage/ledger"
)

func openKeys(t *testing.T, dir string) *ledger.Keys {
	t.Helper()
	k, err := ledger.Open(dir, "line-2")
	if err != nil {
		t.Fatalf("opening the key: %v", err)
	}
	return k
}

func TestASigningKeyIsMadeOnceAndForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	first, again := openKeys(t, dir), openKeys(t, dir)
	if !first.Made() || first.Lost() || again.Made() || again.Lost() {
		t.Errorf("made %v, then %v; lost %v, %v", first.Made(), again.Made(), first.Lost(), again.Lost())
	}
	if diff := cmp.Diff(first.Public(), again.Public()); diff != "" {
		t.Errorf("the public key after a start (-first +second):\n%s", diff)
	}
	for _, name := range []string{"ledger-line-2.key", "ledger-line-2.pub"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); filepath.Separator == '/' && mode != 0o600 {
			t.Errorf("%s has the mode %o", name, mode)
		}
	}
	trusted, err := ledger.TrustedKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]form.Key{first.Public()}, trusted); diff != "" {
		t.Errorf("trusted keys (-want +got):\n%s", diff)
	}
}

func TestWhatAKeySignsIsCheckedByItsPublicHalf(t *testing.T) {
	t.Parallel()
	k := openKeys(t, t.TempDir())
	c, err := k.Sign(form.Statement{Node: "line-2", At: 1_700_000_000_000, Kind: "hour"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(k.Public().Public); err != nil || c.KeyID != k.Public().ID {
		t.Errorf("check of a checkpoint by key %s: %v", c.KeyID, err)
	}
	r, err := k.SignRemoval(form.Removal{FromDay: 1, ToDay: 2, At: 1_700_000_000_000, ProposedBy: "anna", CarriedOutBy: "ben", Why: "rule"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(k.Public().Public); err != nil {
		t.Errorf("check of a tombstone: %v", err)
	}
}

func TestALostKeyIsReplacedAndWhatItSignedCanStillBeChecked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	former := openKeys(t, dir).Public()
	if err := os.Remove(filepath.Join(dir, "ledger-line-2.key")); err != nil {
		t.Fatal(err)
	}
	fresh := openKeys(t, dir)
	if !fresh.Lost() || fresh.Public().ID == former.ID {
		t.Errorf("lost %v, the key is %s and was %s", fresh.Lost(), fresh.Public().ID, former.ID)
	}
	trusted, err := ledger.TrustedKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]form.Key{former, fresh.Public()}, trusted); diff != "" {
		t.Errorf("trusted keys (-want +got):\n%s", diff)
	}
}

func TestAKeyThatCannotBeReadIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ file, text string }{
		"the private one is no PEM":       {"ledger-line-2.key", "secret words"},
		"the private one is another kind": {"ledger-line-2.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
		"the public file is another's":    {"ledger-line-2.pub", "something else\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, tc.file)
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := ledger.Open(dir, "line-2")
			e := new(halley.Error)
			if !errors.As(err, &e) || e.Kind != halley.Unavailable || e.Message == "" || bytes.Contains([]byte(err.Error()), []byte("secret")) {
				t.Errorf("open: %v, want Unavailable without what is in the file", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != tc.text {
				t.Errorf("the file holds %q, %v", got, err)
			}
		})
	}
}

func TestAPublicFileThatWasRemovedIsMadeAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := openKeys(t, dir)
	if err := os.Remove(filepath.Join(dir, "ledger-line-2.pub")); err != nil {
		t.Fatal(err)
	}
	again := openKeys(t, dir)
	trusted, err := ledger.TrustedKeys(dir)
	if err != nil || len(trusted) != 1 || trusted[0].ID != k.Public().ID || again.Made() {
		t.Errorf("trusted keys %v, %v, made %v", trusted, err, again.Made())
	}
}

func TestThereAreNoTrustedKeysWithoutAFolder(t *testing.T) {
	t.Parallel()
	if keys, err := ledger.TrustedKeys(filepath.Join(t.TempDir(), "none")); len(keys) != 0 || err != nil {
		t.Errorf("keys %v, %v", keys, err)
	}
}
