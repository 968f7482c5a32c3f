// Package decoded hands an upload that was decoded on its way in to those who need it a moment later, so that it is decoded once.
// It holds a bounded number of them and promises nothing: what it no longer has is decoded again from the journal.
package decoded

import (
	"sync/atomic"

	"halley"
)

// slots is how many uploads are held at most. A slot is overwritten by a later upload.
const slots = 8192

// Ring holds the newest uploads by their sequence number. The zero value is ready; its methods may be called at the same time.
type Ring struct {
	slots [slots]atomic.Pointer[held]
}

type held struct {
	seq    uint64
	upload *halley.Upload
}

// Put holds the upload of a journal entry. It must not be changed afterwards.
func (r *Ring) Put(seq uint64, up *halley.Upload) {
	r.slots[seq%slots].Store(&held{seq: seq, upload: up})
}

// Take gives the upload of a journal entry once, if it is still held.
func (r *Ring) Take(seq uint64) (*halley.Upload, bool) {
	slot := &r.slots[seq%slots]
	h := slot.Load()
	if h == nil || h.seq != seq || !slot.CompareAndSwap(h, nil) {
		return nil, false
	}
	return h.upload, true
}
