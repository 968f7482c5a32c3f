package verify

import "halley/storage/ledger"

// keyring holds the public keys that are trusted and those that only the source names.
type keyring struct {
	trusted, named map[string]ledger.Key
	// own are the nodes that have a trusted key.
	own map[string]bool
}

func newKeyring(trusted, named []ledger.Key) keyring {
	k := keyring{trusted: map[string]ledger.Key{}, named: map[string]ledger.Key{}, own: map[string]bool{}}
	for _, key := range trusted {
		key.ID = ledger.KeyID(key.Public)
		k.trusted[key.ID] = key
		k.own[key.Node] = true
	}
	for _, key := range named {
		key.ID = ledger.KeyID(key.Public)
		k.named[key.ID] = key
	}
	return k
}

// byID gives a key; trusted says that it was not read from the source.
func (k *keyring) byID(id string) (key ledger.Key, trusted, found bool) {
	if key, found = k.trusted[id]; found {
		return key, true, true
	}
	key, found = k.named[id]
	return key, false, found
}

// of gives the key that may have signed for a node: where the node has a trusted one, only a trusted one.
func (k *keyring) of(node, id string) (key ledger.Key, trusted, found bool) {
	key, trusted, found = k.byID(id)
	if found && !trusted && k.own[node] || found && key.Node != node {
		return ledger.Key{}, false, false
	}
	return key, trusted, found
}
