package ledger

import (
	"crypto/sha256"
	"hash"
)

// Encoder makes the canonical bytes of a part from its rows, which must come in their order: devices by family and serial, the
// rows of each by At, Variant and Part. The zero Encoder is ready. It is for one goroutine.
type Encoder struct {
	state rowState
	b     []byte
	rows  int64
}

// Reset makes the Encoder ready for another part and keeps its memory. What Bytes gave is no longer valid.
func (e *Encoder) Reset() {
	e.state.reset()
	e.b, e.rows = e.b[:0], 0
}

// Add adds a row. It keeps nothing of r.
func (e *Encoder) Add(d Device, r *Row) {
	if len(e.b) == 0 {
		e.b = append(e.b, rowFormat)
	}
	e.b = e.state.append(e.b, &d, r)
	e.rows++
}

// Rows says how many rows were added.
func (e *Encoder) Rows() int64 { return e.rows }

// Bytes gives the canonical bytes of what was added, valid until Reset or Add; nil without a row.
func (e *Encoder) Bytes() []byte { return e.b }

// Sum gives the digest of the part.
func (e *Encoder) Sum() Digest { return PartSum(e.b) }

// PartSum gives the digest of a part from its canonical bytes.
func PartSum(canonical []byte) Digest { return sha256.Sum256(canonical) }

// Scratch is room that the Hashes of one goroutine share. The zero Scratch is ready.
type Scratch struct{ b []byte }

// Hash computes the digest of a part from its rows, in the same order as an Encoder, without keeping them: it takes some 600 bytes.
// It is for one goroutine.
type Hash struct {
	state   rowState
	sum     hash.Hash
	scratch *Scratch
	rows    int64
}

// NewHash gives the Hash of a part without rows. Those that share a scratch are used by one goroutine; nil makes one.
func NewHash(scratch *Scratch) *Hash {
	if scratch == nil {
		scratch = &Scratch{}
	}
	return &Hash{sum: sha256.New(), scratch: scratch}
}

// Add adds a row. It keeps nothing of r.
func (h *Hash) Add(d Device, r *Row) {
	b := h.scratch.b[:0]
	if h.rows == 0 {
		b = append(b, rowFormat)
	}
	b = h.state.append(b, &d, r)
	h.rows++
	h.scratch.b = b
	// A hash.Hash never fails to write.
	_, _ = h.sum.Write(b)
}

// Rows says how many rows were added.
func (h *Hash) Rows() int64 { return h.rows }

// Sum gives the digest of what was added; more can be added afterwards.
func (h *Hash) Sum() Digest {
	var d Digest
	h.sum.Sum(d[:0])
	return d
}
