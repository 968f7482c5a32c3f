package ledger

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"halley"
	"halley/server/datadir"
	form "halley/storage/ledger"
)

const opKeys = "open the signing key"

// pemType is how the private key's file names its content (PKCS 8).
const pemType = "PRIVATE KEY"

// Keys is a node's signing key. Its private half never leaves its file and this process.
type Keys struct {
	private ed25519.PrivateKey
	public  form.Key
	made    bool
	former  bool
}

// KeysFolder gives where keys lie: what [keys] path says, else the folder keys in the data folder.
func KeysFolder(path, data string) string {
	if path != "" {
		return path
	}
	return filepath.Join(data, "keys")
}

// Open reads the signing key of a node from the keys folder, and makes one where there is none: ledger-NODE.key, for the folder's
// owner alone, and ledger-NODE.pub beside it, which may be given to anybody. The public keys of former signing keys stay in that
// file, so that what they signed can still be checked. A key that is there and cannot be read is an error and is left as it is.
func Open(dir, node string) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, keysError("check that this account may write the folder for keys", err)
	}
	private, at, err := readPrivate(filepath.Join(dir, "ledger-"+node+".key"))
	made := errors.Is(err, fs.ErrNotExist)
	if made {
		at = halley.MillisOf(time.Now())
		private, err = makePrivate(filepath.Join(dir, "ledger-"+node+".key"))
	}
	if err != nil {
		return nil, err
	}
	public, _ := private.Public().(ed25519.PublicKey)
	k := &Keys{private: private, made: made, public: form.Key{ID: form.KeyID(public), Node: node, Public: public, CreatedAt: at}}
	if err := k.publish(filepath.Join(dir, "ledger-"+node+".pub")); err != nil {
		return nil, err
	}
	return k, nil
}

func keysError(message string, err error) error {
	return &halley.Error{Kind: halley.Unavailable, Op: opKeys, Code: "ledger-key", Message: message, Err: err}
}

// readPrivate reads a private key and since when its file is there.
func readPrivate(path string) (ed25519.PrivateKey, halley.Millis, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, 0, fs.ErrNotExist
		}
		return nil, 0, keysError("check that this account may read "+path, err)
	}
	const damaged = " is no signing key: put the file back from where it is kept, or move it away, and a new key is made"
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return nil, 0, keysError(path+damaged, nil)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, 0, keysError(path+damaged, nil) // the library's text might show of the key
	}
	at := halley.MillisOf(time.Now())
	if info, err := os.Stat(path); err == nil {
		at = halley.MillisOf(info.ModTime())
	}
	return private, at, nil
}

func makePrivate(path string) (ed25519.PrivateKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	if err := datadir.WritePrivate(path, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})); err != nil {
		return nil, keysError("check that this account may write the folder for keys", err)
	}
	return private, nil
}

// publish makes sure that the file of public keys has this one, and takes its date from there.
func (k *Keys) publish(path string) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return keysError("check that this account may read "+path, err)
	}
	if len(text) > 0 {
		known, err := form.ParseKeys(text)
		if err != nil {
			return keysError(path+" is not a file of public keys: move it away, and it is made anew", err)
		}
		k.former = slices.ContainsFunc(known, func(o form.Key) bool { return o.ID != k.public.ID })
		if i := slices.IndexFunc(known, func(o form.Key) bool { return o.ID == k.public.ID }); i >= 0 {
			k.public.CreatedAt = known[i].CreatedAt
			return nil
		}
		if text[len(text)-1] != '\n' {
			text = append(text, '\n')
		}
	}
	if err := datadir.WritePrivate(path, append(text, k.public.Text()...)); err != nil {
		return keysError("check that this account may write the folder for keys", err)
	}
	return nil
}

// Public gives the public key.
func (k *Keys) Public() form.Key { return k.public }

// Made says that Open found no private key and made this one.
func (k *Keys) Made() bool { return k.made }

// Lost says that Open made this key although the node had one before: its private half is gone.
func (k *Keys) Lost() bool { return k.made && k.former }

// Sign signs the statement of a checkpoint.
func (k *Keys) Sign(s form.Statement) (form.Checkpoint, error) {
	c, err := form.Sign(s, k.private)
	if err != nil {
		return form.Checkpoint{}, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return c, nil
}

// SignRemoval signs the removal of days as a tombstone.
func (k *Keys) SignRemoval(r form.Removal) (form.Tombstone, error) {
	t, err := form.SignRemoval(r, k.private)
	if err != nil {
		return form.Tombstone{}, fmt.Errorf("signing a tombstone: %w", err)
	}
	return t, nil
}

// TrustedKeys gives the public keys in a keys folder, of this node and of others whose .pub files were put there. It is empty where
// there are none.
func TrustedKeys(dir string) ([]form.Key, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, keysError("check that this account may read "+dir, err)
	}
	var keys []form.Key
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "ledger-") || !strings.HasSuffix(e.Name(), ".pub") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, keysError("check that this account may read "+path, err)
		}
		found, err := form.ParseKeys(text)
		if err != nil {
			return nil, keysError(path+" is not a file of public keys", err)
		}
		keys = append(keys, found...)
	}
	return keys, nil
}
