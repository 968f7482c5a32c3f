package evidence

import "halley/storage/ledger"

// Keys is the key of a node's ledger.
type Keys interface {
	// SignEvidence signs a list of files, and nothing else.
	SignEvidence(list []byte) (signature []byte, err error)
	Public() ledger.Key
}

// SignWith signs with the key of a node's ledger.
func SignWith(k Keys) func(text []byte) (Signature, error) {
	return func(text []byte) (Signature, error) {
		s, err := k.SignEvidence(text)
		public := k.Public()
		return Signature{KeyID: public.ID, Public: public.Public, Signature: s}, err
	}
}
