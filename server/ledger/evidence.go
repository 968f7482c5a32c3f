package ledger

import (
	"bytes"
	"crypto/ed25519"
	"errors"
)

// evidenceBegins is how the list of files of evidence begins. No checkpoint and no tombstone does.
const evidenceBegins = "{\n  \"format\": \"halley-evidence-manifest-"

// errNoEvidence is what SignEvidence gives for another text: the key signs nothing that could be taken for something else.
var errNoEvidence = errors.New("the text is no list of files of evidence")

// SignEvidence signs the list of the files of evidence (see package evidence).
func (k *Keys) SignEvidence(list []byte) (signature []byte, err error) {
	if !bytes.HasPrefix(list, []byte(evidenceBegins)) {
		return nil, errNoEvidence
	}
	return ed25519.Sign(k.private, list), nil
}
