package ledger

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"halley"
)

// KeyID gives the name of a public key: the first 16 hexadecimal digits of its SHA-256.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// Sign makes a checkpoint of a statement, whose KeyID it sets to that of the key.
func Sign(s Statement, key ed25519.PrivateKey) (Checkpoint, error) {
	public, _ := key.Public().(ed25519.PublicKey)
	s.KeyID = KeyID(public)
	body, err := s.Body()
	if err != nil {
		return Checkpoint{}, err
	}
	return Checkpoint{
		Node: s.Node, At: s.At, Kind: s.Kind, KeyID: s.KeyID, Body: body, Signature: ed25519.Sign(key, body),
	}, nil
}

// SignRemoval makes a tombstone of what is to be removed, whose KeyID it sets to that of the key.
func SignRemoval(r Removal, key ed25519.PrivateKey) (Tombstone, error) {
	public, _ := key.Public().(ed25519.PublicKey)
	r.KeyID = KeyID(public)
	body, err := r.Body()
	if err != nil {
		return Tombstone{}, err
	}
	return Tombstone{
		FromDay: r.FromDay, ToDay: r.ToDay, At: r.At, ProposedBy: r.ProposedBy, CarriedOutBy: r.CarriedOutBy, Why: r.Why,
		KeyID: r.KeyID, Body: body, Signature: ed25519.Sign(key, body),
	}, nil
}

// SignatureHolds says whether a signature over a body was made with the key of this public key.
func SignatureHolds(public, body, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, body, signature)
}

// Check holds a checkpoint against itself and the public key that it names: its signature, and that its other fields say what its
// body says. It gives the statement.
func (c *Checkpoint) Check(public []byte) (Statement, error) {
	s, err := c.Statement()
	if err != nil {
		return s, err
	}
	if KeyID(public) != c.KeyID || !SignatureHolds(public, c.Body, c.Signature) {
		return s, fmt.Errorf("%w: the signature does not fit", ErrForm)
	}
	return s, nil
}

// Statement gives what a checkpoint says, and an ErrForm where its body is no statement or its other fields say something else. It
// checks no signature.
func (c *Checkpoint) Statement() (Statement, error) {
	s, err := ParseStatement(c.Body)
	if err != nil {
		return Statement{}, err
	}
	if s.Node != c.Node || s.At != c.At || s.Kind != c.Kind || s.KeyID != c.KeyID {
		return s, fmt.Errorf("%w: its row says something else than its text", ErrForm)
	}
	return s, nil
}

// Check holds a tombstone against itself and the public key that it names: its signature, and that its other fields say what its
// body says. It gives what it says.
func (t *Tombstone) Check(public []byte) (Removal, error) {
	r, err := ParseRemoval(t.Body)
	if err != nil {
		return Removal{}, err
	}
	same := Removal{
		FromDay: t.FromDay, ToDay: t.ToDay, At: t.At, ProposedBy: t.ProposedBy, CarriedOutBy: t.CarriedOutBy, Why: t.Why,
		KeyID: t.KeyID, Rows: r.Rows, Parts: r.Parts,
	}
	if r != same {
		return r, fmt.Errorf("%w: its row says something else than its text", ErrForm)
	}
	if KeyID(public) != t.KeyID || !SignatureHolds(public, t.Body, t.Signature) {
		return r, fmt.Errorf("%w: the signature does not fit", ErrForm)
	}
	return r, nil
}

// BodySum gives what the next checkpoint of the node names as Previous.
func (c *Checkpoint) BodySum() Digest { return sha256.Sum256(c.Body) }

// signaturePrefix begins the line of a checkpoint's file behind its body.
const signaturePrefix = "signature: "

// Text gives the checkpoint as it is kept outside: its body, and a line with the signature.
func (c *Checkpoint) Text() []byte {
	return slices.Concat(c.Body, []byte(signaturePrefix+base64.StdEncoding.EncodeToString(c.Signature)+"\n"))
}

// ParseCheckpoints finds the checkpoints in a text, such as a file that Text wrote, several of them in a row, or a saved e-mail that
// holds some: lines may end with CR LF, and other lines may stand around. It checks no signature. A text without a checkpoint, or
// with one that is damaged, is an ErrForm.
func ParseCheckpoints(text []byte) ([]Checkpoint, error) {
	var list []Checkpoint
	var body []byte
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case string(line) == checkpointTitle:
			body = append([]byte(nil), checkpointTitle+"\n"...)
		case body == nil:
		case bytes.HasPrefix(line, []byte(signaturePrefix)):
			c, err := checkpointOf(body, string(line[len(signaturePrefix):]))
			if err != nil {
				return nil, err
			}
			list, body = append(list, c), nil
		default:
			body = append(append(body, line...), '\n')
		}
	}
	if body != nil || len(list) == 0 {
		return nil, fmt.Errorf("%w: there is no whole checkpoint in it", ErrForm)
	}
	return list, nil
}

func checkpointOf(body []byte, signature string) (Checkpoint, error) {
	s, err := ParseStatement(body)
	if err != nil {
		return Checkpoint{}, err
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(signature))
	if err != nil || len(sig) != ed25519.SignatureSize {
		return Checkpoint{}, fmt.Errorf("%w: the signature is damaged", ErrForm)
	}
	return Checkpoint{Node: s.Node, At: s.At, Kind: s.Kind, KeyID: s.KeyID, Body: body, Signature: sig}, nil
}

// keyTitle begins the line of a public key.
const keyTitle = "halley-ledger-key"

// Text gives a public key as one line: a word, the key in base64, when it was made, and the node's name.
func (k *Key) Text() []byte {
	return fmt.Appendf(nil, "%s %s %s %s\n", keyTitle, base64.StdEncoding.EncodeToString(k.Public), k.CreatedAt, k.Node)
}

// ParseKeys reads public keys, one a line as Text writes them. Empty lines and lines that begin with # are left out. A text without
// a key, or with another line, is an ErrForm.
func ParseKeys(text []byte) ([]Key, error) {
	var keys []Key
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.SplitN(line, " ", 4)
		if len(parts) != 4 || parts[0] != keyTitle || !fitsLine(parts[3]) {
			return nil, fmt.Errorf("%w: a line is no public key of Halley's ledger", ErrForm)
		}
		public, err := base64.StdEncoding.Strict().DecodeString(parts[1])
		if err != nil || len(public) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: a public key is damaged", ErrForm)
		}
		k := Key{ID: KeyID(public), Node: parts[3], Public: public}
		if parts[2] != "" {
			if k.CreatedAt, err = halley.ParseMillis(parts[2]); err != nil {
				return nil, fmt.Errorf("%w: the time of a public key is damaged", ErrForm)
			}
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: there is no public key in it", ErrForm)
	}
	return keys, nil
}
