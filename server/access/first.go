package access

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"halley"
)

// FirstSignInFile is the file in the data folder that holds the secret of the first sign-in.
const FirstSignInFile = "first-sign-in.txt"

const (
	// firstValid is how long the secret can be used.
	firstValid = halley.Hour
	// clockSlack forgives a clock that was set back a little between making and using the secret.
	clockSlack = 5 * halley.Minute
	// firstFileBytes bounds what is read of the file.
	firstFileBytes = 4096
	// claimedSuffix marks a file whose secret is being used.
	claimedSuffix = ".claimed-"
)

// FirstSignIn is the way in while no account exists: a secret of 128 bits that works once, within one hour, and lies in a file
// that only the owner of the data folder can read. Several processes may share the folder: the file decides.
type FirstSignIn struct {
	path    string
	address string
	write   func(path string, data []byte) error
	mu      sync.Mutex
}

// FirstSignInOptions says where the secret lies and how people use it.
type FirstSignInOptions struct {
	// Folder is the data folder.
	Folder string
	// Address is where people open the viewer, such as "https://localhost:8443".
	Address string
	// Write writes a file whole or not at all, readable by its owner alone.
	Write func(path string, data []byte) error
}

// NewFirstSignIn gives the first sign-in of a data folder. It reads and writes nothing yet.
func NewFirstSignIn(o FirstSignInOptions) *FirstSignIn {
	return &FirstSignIn{
		path:    filepath.Join(o.Folder, FirstSignInFile),
		address: strings.TrimRight(o.Address, "/"),
		write:   o.Write,
	}
}

// Path gives the file that holds the secret.
func (f *FirstSignIn) Path() string { return f.path }

// Link gives the address that signs in with this secret. The secret stands behind "#", which browsers never send.
func (f *FirstSignIn) Link(secret string) string { return f.address + "/#first=" + secret }

// Issue makes a new secret, in place of the former one, valid for one hour from now.
func (f *FirstSignIn) Issue(now halley.Millis) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep()
	secret := rand.Text()
	text := fmt.Sprintf("# Open this address in a browser to sign in to Halley for the first time.\n"+
		"# It works once, until the time below. `halley user first` makes another.\n"+
		"address: %s\nsecret: %s\nissued: %s\nvalid-until: %s\n",
		f.Link(secret), secret, now, now+firstValid)
	if err := f.write(f.path, []byte(text)); err != nil {
		return "", fmt.Errorf("write %s: %w", f.path, err)
	}
	return secret, nil
}

// Withdraw removes the secret, where there is one.
func (f *FirstSignIn) Withdraw() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep()
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("withdraw the first sign-in: %w", err)
	}
	return nil
}

// Redeem uses the secret up: of several attempts at one time exactly one succeeds. Unauthenticated where the secret is wrong,
// used or expired.
func (f *FirstSignIn) Redeem(secret string, now halley.Millis) error {
	claimed, err := f.claim(secret, now)
	if err != nil {
		return err
	}
	return f.discard(claimed)
}

// claim takes the secret away from everybody else and gives the name under which it waits for discard or restore. Renaming the
// file decides who wins, also between processes.
func (f *FirstSignIn) claim(secret string, now halley.Millis) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	held, err := readFirst(f.path)
	if err != nil {
		return "", err
	}
	if !held.matches(secret) {
		return "", errSecretNotValid()
	}
	if !held.validAt(now) {
		if err = os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("remove an expired first sign-in: %w", err)
		}
		return "", errSecretNotValid()
	}
	claimed := f.path + claimedSuffix + rand.Text()
	err = os.Rename(f.path, claimed)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errSecretNotValid()
	case err != nil:
		return "", fmt.Errorf("claim the first sign-in: %w", err)
	}
	// Another process may have put a new secret there between reading and renaming: that one is not ours to use up.
	taken, err := readFirst(claimed)
	if err == nil && !taken.matches(secret) {
		return "", errors.Join(errSecretNotValid(), f.restore(claimed))
	}
	return claimed, err
}

// discard removes a claimed secret for good. The Issue of another process may have swept it away before.
func (f *FirstSignIn) discard(claimed string) error {
	if err := os.Remove(claimed); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the used first sign-in: %w", err)
	}
	return nil
}

// restore puts a claimed secret back, unless a newer one has come in its place.
func (f *FirstSignIn) restore(claimed string) error {
	err := os.Link(claimed, f.path)
	if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("put the first sign-in back: %w", err)
	}
	return f.discard(claimed)
}

// sweep removes claimed secrets that a crash left behind. They can no longer be used; a failure leaves them for the next time.
func (f *FirstSignIn) sweep() {
	left, err := filepath.Glob(f.path + claimedSuffix + "*")
	if err != nil {
		return
	}
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// firstSecret is what the file says.
type firstSecret struct {
	secret         string
	issued, expiry halley.Millis
}

func (s firstSecret) matches(secret string) bool {
	return s.secret != "" && subtle.ConstantTimeCompare([]byte(s.secret), []byte(secret)) == 1
}

func (s firstSecret) validAt(now halley.Millis) bool {
	return now >= s.issued-clockSlack && now < s.expiry
}

// readFirst reads the file. Unauthenticated where there is none or it says nothing of use.
func readFirst(path string) (firstSecret, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return firstSecret{}, errSecretNotValid()
	}
	if err != nil {
		return firstSecret{}, fmt.Errorf("open the first sign-in: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, firstFileBytes))
	if err != nil {
		return firstSecret{}, fmt.Errorf("read the first sign-in: %w", err)
	}
	return parseFirst(data)
}

// parseFirst reads the lines "name: value" of the file.
func parseFirst(data []byte) (firstSecret, error) {
	var held firstSecret
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		var err error
		switch name {
		case "secret":
			held.secret = value
		case "issued":
			held.issued, err = halley.ParseMillis(value)
		case "valid-until":
			held.expiry, err = halley.ParseMillis(value)
		}
		if err != nil {
			return firstSecret{}, errSecretNotValid()
		}
	}
	if held.secret == "" || held.issued == 0 || held.expiry == 0 {
		return firstSecret{}, errSecretNotValid()
	}
	return held, nil
}

func errSecretNotValid() error {
	return &halley.Error{
		Kind: halley.Unauthenticated, Op: "sign in", Code: "secret-not-valid",
		Message: "this secret is wrong, used or older than one hour: make another with `halley user first`",
	}
}
