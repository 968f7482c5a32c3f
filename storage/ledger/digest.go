package ledger

import (
	"crypto/sha256"
	"encoding/binary"
)

// The first bytes of what the digests of batches and facts are over.
const (
	batchTag = "halley batch 1\n"
	factTag  = "halley fact 1\n"
)

// Sum gives the digest of a batch: over the digest before, what it says of its journal and its decoding, and its parts, whose own
// digests must be there. Its number and when it was recorded are not in it, so that recording the same again gives the same.
//
// The bytes are: the tag; Previous; node and journal id, each with its length before it; FirstSeq, LastSeq; JournalHash; Decoder,
// Messages, Samples; the number of parts; then Day, Count and Digest of each. All numbers are eight bytes, big-endian.
func (b *Batch) Sum() Digest {
	buf := make([]byte, 0, 256+48*len(b.Parts))
	buf = append(buf, batchTag...)
	buf = append(buf, b.Previous[:]...)
	buf = appendFixedText(buf, b.Node)
	buf = appendFixedText(buf, b.JournalID)
	buf = appendFixed(buf, int64(b.FirstSeq), int64(b.LastSeq))
	buf = append(buf, b.JournalHash[:]...)
	buf = appendFixed(buf, int64(b.Decoder), b.Messages, b.Samples, int64(len(b.Parts)))
	for i := range b.Parts {
		p := &b.Parts[i]
		buf = appendFixed(buf, p.Day, p.Count)
		buf = append(buf, p.Digest[:]...)
	}
	return sha256.Sum256(buf)
}

// Sum gives the digest of a fact whose rows have these canonical bytes: over the tag; Previous; At and Count, each as eight bytes,
// big-endian; and the SHA-256 of the canonical bytes.
func (f *Fact) Sum(canonical []byte) Digest {
	rows := sha256.Sum256(canonical)
	buf := make([]byte, 0, 128)
	buf = append(buf, factTag...)
	buf = append(buf, f.Previous[:]...)
	buf = appendFixed(buf, int64(f.At), f.Count)
	buf = append(buf, rows[:]...)
	return sha256.Sum256(buf)
}

func appendFixed(b []byte, numbers ...int64) []byte {
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

func appendFixedText(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
	return append(b, s...)
}

// MarshalText gives 64 hexadecimal digits, and nothing for the zero Digest.
func (d Digest) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error {
	*d = Digest{}
	if len(text) == 0 {
		return nil
	}
	parsed, err := ParseDigest(string(text))
	*d = parsed
	return err
}
