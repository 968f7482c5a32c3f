package journal

import (
	"crypto/sha256"
	"encoding/binary"
)

// row is one flush as it lies in a file.
type row struct {
	first  uint64
	count  int
	micros int64
	hash   [sha256.Size]byte
	pack   []byte
}

// last gives the sequence number of the row's last entry.
func (r *row) last() uint64 { return r.first + uint64(r.count) - 1 }

// chainStart gives the running hash of a journal that holds nothing yet.
func chainStart(id string) [sha256.Size]byte {
	return sha256.Sum256([]byte("halley journal " + id))
}

// chain gives the running hash after r, from the one before.
func chain(previous [sha256.Size]byte, r *row) [sha256.Size]byte {
	var numbers [16]byte
	binary.BigEndian.PutUint64(numbers[:8], r.first)
	binary.BigEndian.PutUint64(numbers[8:], uint64(r.count))
	h := sha256.New()
	h.Write(previous[:])
	h.Write(numbers[:])
	h.Write(r.pack)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}
