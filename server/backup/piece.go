package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"halley"
)

const (
	// zstdWindow bounds the memory that compressing and reading a piece take, in bytes.
	zstdWindow = 4 << 20
	// zstdMemory is the most that reading may take: a damaged piece could ask for any.
	zstdMemory = 64 << 20
	// maxKeyFile bounds a file with keys.
	maxKeyFile = 1 << 20

	// CodeDamaged is Invalid: a backup is not as it was written.
	CodeDamaged = "backup-damaged"
	// CodeKey is Forbidden: a backup is encrypted, and the key that opens it is not at hand.
	CodeKey = "backup-key"
	// CodeTarget is Unavailable: the place of the backups cannot be reached, or takes nothing more.
	CodeTarget = "backup-target"
)

// meter counts and digests what goes through.
type meter struct {
	bytes int64
	sum   hash.Hash
}

func newMeter() *meter { return &meter{sum: sha256.New()} }

// Write counts p.
func (m *meter) Write(p []byte) (int, error) {
	m.bytes += int64(len(p))
	return m.sum.Write(p)
}

func (m *meter) digest() string { return hex.EncodeToString(m.sum.Sum(nil)) }

// seal writes content to w: compressed, and encrypted where there are recipients.
func seal(w io.Writer, recipients []age.Recipient, content func(io.Writer) error) (err error) {
	if len(recipients) > 0 {
		locked, err := age.Encrypt(w, recipients...)
		if err != nil {
			return fmt.Errorf("encrypting: %w", err)
		}
		if err := compress(locked, content); err != nil {
			return err
		}
		if err := locked.Close(); err != nil {
			return fmt.Errorf("encrypting: %w", err)
		}
		return nil
	}
	return compress(w, content)
}

func compress(w io.Writer, content func(io.Writer) error) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow))
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	if err := content(z); err != nil {
		return errors.Join(err, z.Close())
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	return nil
}

// unseal hands the content of a piece to read, and makes sure that all of the piece is as the manifest says. What read did before
// an error is to be thrown away. read may stop before the end.
func unseal(ctx context.Context, from io.Reader, p Piece, keys []age.Identity, read func(io.Reader) error) error {
	source := &sourceReader{ctx: ctx, r: from, meter: newMeter()}
	err := open(source, strings.HasSuffix(p.Name, ".age"), keys, read)
	if local, ok := errors.AsType[*localError](err); ok {
		return local.err
	}
	if source.err == nil {
		_, _ = io.Copy(io.Discard, source) // its error is in source
	}
	switch {
	case source.err != nil:
		return fmt.Errorf("reading %s: %w", p.Name, source.err)
	case source.meter.bytes != p.Bytes:
		return damagedPiece(p, fmt.Errorf("it has %d bytes instead of %d", source.meter.bytes, p.Bytes))
	case source.meter.digest() != p.SHA256:
		return damagedPiece(p, errors.Join(errors.New("its digest is not the one of the manifest"), err))
	case codeOf(err) == CodeKey:
		return err // and not a beginning that is damaged, which looks the same
	case err != nil:
		return damagedPiece(p, err)
	}
	return nil
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*halley.Error](err); ok {
		return e.Code
	}
	return ""
}

// open reads through the layers of a piece.
func open(from io.Reader, encrypted bool, keys []age.Identity, read func(io.Reader) error) error {
	if encrypted {
		if len(keys) == 0 {
			return errNoKey("the backup is encrypted: name the file with the key that opens it, with --identity")
		}
		opened, err := age.Decrypt(from, keys...)
		if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
			return errNoKey("the key does not open this backup: name the file with the private key of one of its recipients")
		}
		if err != nil {
			return fmt.Errorf("decrypting: %w", err)
		}
		from = opened
	}
	z, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(zstdMemory))
	if err != nil {
		return fmt.Errorf("decompressing: %w", err)
	}
	defer z.Close()
	return read(z)
}

// verifyPiece reads a piece as it lies there and compares its digest: all that can be done without a key.
func verifyPiece(ctx context.Context, from io.Reader, p Piece) error {
	m := newMeter()
	if _, err := io.Copy(io.Discard, &sourceReader{ctx: ctx, r: from, meter: m}); err != nil {
		return fmt.Errorf("reading %s: %w", p.Name, err)
	}
	if m.bytes != p.Bytes || m.digest() != p.SHA256 {
		return damagedPiece(p, errors.New("its digest is not the one of the manifest"))
	}
	return nil
}

func errNoKey(message string) error {
	return &halley.Error{Kind: halley.Forbidden, Op: "open a backup", Code: CodeKey, Message: message}
}

func damagedPiece(p Piece, err error) error {
	return &halley.Error{
		Kind: halley.Invalid, Op: "open a backup", Code: CodeDamaged,
		Message: p.Name + " is damaged: it is not as it was written. Choose another backup", Err: err,
	}
}

// sourceReader measures what is read and remembers an error of the place that it comes from, to be told from damage.
type sourceReader struct {
	ctx   context.Context //nolint:containedctx // an io.Reader takes none, and this one lives for one call
	r     io.Reader
	meter *meter
	err   error
}

// Read reads on.
func (s *sourceReader) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	_, _ = s.meter.Write(p[:n]) // a digest takes everything
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// localError is a failure of this machine while a piece is read: neither the piece nor its source is at fault.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }

func (e *localError) Unwrap() error { return e.err }

// ParseRecipients reads the public keys to which backups are encrypted.
func ParseRecipients(keys []string) ([]age.Recipient, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	list, err := age.ParseRecipients(strings.NewReader(strings.Join(keys, "\n")))
	if err != nil {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: "read the recipients", Field: "backup.recipients",
			Message: `a recipient is a public key of age, "age1..."; halley backup key makes a pair`, Err: err,
		}
	}
	return list, nil
}

// ReadKeys reads a file with private keys of age, for the account of this process.
func ReadKeys(path string) ([]age.Identity, error) {
	const op = "read a key"
	f, err := os.Open(path)
	if err != nil {
		return nil, &halley.Error{Kind: halley.Forbidden, Op: op, Code: CodeKey, Message: "the key file " + path + " cannot be read", Err: err}
	}
	keys, err := age.ParseIdentities(io.LimitReader(f, maxKeyFile))
	if err = errors.Join(err, f.Close()); err != nil {
		// What the parser says may repeat the key.
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: op, Code: CodeKey,
			Message: path + ` holds no private key of age: it should have a line that begins with "AGE-SECRET-KEY-"`,
		}
	}
	return keys, nil
}

// NewKey makes a pair of keys and gives the text of a file with the private one, and the public one.
func NewKey() (file, public string, err error) {
	k, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", fmt.Errorf("making a key: %w", err)
	}
	public = k.Recipient().String()
	return "# The private key that opens backups of Halley. Keep it apart from the server.\n# public key: " + public + "\n" + k.String() + "\n", public, nil
}
