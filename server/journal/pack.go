package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"

	"halley"
)

// packVersion is the version of the layout inside a pack.
const packVersion = 1

// entryOverhead bounds what an entry takes in a pack besides its texts and its body: seven varints and four single bytes.
const entryOverhead = 10*9 + 4

// maxPackBytes bounds what a pack may decompress to: more than any group holds.
const maxPackBytes = 4 * maxGroupBytes

// errPack says that a pack cannot be read although its hash is right.
var errPack = errors.New("the entries of a flush cannot be decoded")

// appendEntry adds e to b in the layout of doc.go. Its receive time is given as the difference to the entry before.
func appendEntry(b []byte, e *Entry, delta uint64) []byte {
	b = binary.AppendUvarint(b, delta)
	b = append(b, byte(e.Kind))
	b = appendText(b, string(e.Family))
	b = appendText(b, e.Serial)
	b = binary.AppendVarint(b, e.EntryPoint)
	b = append(b, e.Admission)
	b = appendText(b, e.Quarantine)
	b = binary.AppendVarint(b, e.OriginalMicros)
	b = binary.AppendUvarint(b, e.OriginalSeq)
	b = binary.AppendUvarint(b, uint64(len(e.Body)))
	return append(b, e.Body...)
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decodeEntries reads the entries of a row from its decompressed pack. Their bodies are parts of b.
func decodeEntries(b []byte, r *row) ([]Entry, error) {
	if len(b) == 0 || b[0] != packVersion {
		return nil, fmt.Errorf("%w: unknown layout", errPack)
	}
	if r.count <= 0 || r.count > len(b) {
		return nil, fmt.Errorf("%w: wrong count", errPack)
	}
	d := cursor{rest: b[1:]}
	entries := make([]Entry, r.count)
	var micros int64
	for i := range entries {
		e := &entries[i]
		micros += int64(d.uvarint())
		d.entry(e)
		e.Seq, e.ReceivedMicros = r.first+uint64(i), micros
	}
	switch {
	case d.bad:
		return nil, fmt.Errorf("%w: too short", errPack)
	case len(d.rest) != 0:
		return nil, fmt.Errorf("%w: too long", errPack)
	case entries[0].ReceivedMicros != r.micros:
		return nil, fmt.Errorf("%w: its time is not that of its row", errPack)
	}
	return entries, nil
}

// cursor reads values from the front of rest. Once something does not fit, bad stays true and all values are zero.
type cursor struct {
	rest []byte
	bad  bool
}

func (d *cursor) entry(e *Entry) {
	e.Kind = Kind(d.byte())
	e.Family = halley.Family(d.bytes())
	e.Serial = string(d.bytes())
	e.EntryPoint = d.varint()
	e.Admission = d.byte()
	e.Quarantine = string(d.bytes())
	e.OriginalMicros = d.varint()
	e.OriginalSeq = d.uvarint()
	if body := d.bytes(); len(body) > 0 {
		e.Body = body
	}
}

func (d *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	return v * d.skip(n)
}

func (d *cursor) varint() int64 {
	v, n := binary.Varint(d.rest)
	return v * int64(d.skip(n))
}

// skip moves on by the n bytes of a varint: 1 where that is right, 0 where there was none.
func (d *cursor) skip(n int) uint64 {
	if n <= 0 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return 1
}

func (d *cursor) byte() byte {
	if len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	v := d.rest[0]
	d.rest = d.rest[1:]
	return v
}

func (d *cursor) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
		return nil
	}
	v := d.rest[:n:n]
	d.rest = d.rest[n:]
	return v
}

// DictionaryID gives the id under which frames refer to a dictionary: from its content, outside the ranges that the zstd
// format reserves (RFC 8878, section 5).
func DictionaryID(dictionary []byte) uint32 {
	sum := sha256.Sum256(dictionary)
	return binary.BigEndian.Uint32(sum[:4])&math.MaxInt32 | 1<<16
}

// newEncoder makes the compressor for files with this dictionary. It is for one goroutine. Frames have no checksum of their own:
// the running hash covers the pack, and the dictionary's id its content.
func newEncoder(dictionary []byte) (*zstd.Encoder, error) {
	options := []zstd.EOption{
		zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(1 << 20),
		zstd.WithEncoderCRC(false),
	}
	if len(dictionary) > 0 {
		options = append(options, zstd.WithEncoderDictRaw(DictionaryID(dictionary), dictionary))
	}
	enc, err := zstd.NewWriter(nil, options...)
	if err != nil {
		return nil, fmt.Errorf("preparing the journal's compression: %w", err)
	}
	return enc, nil
}

// newDecoder makes the decompressor for files with this dictionary. It may be used by several goroutines.
func newDecoder(dictionary []byte) (*zstd.Decoder, error) {
	options := []zstd.DOption{
		zstd.WithDecoderConcurrency(2),
		zstd.WithDecoderMaxMemory(maxPackBytes),
	}
	if len(dictionary) > 0 {
		options = append(options, zstd.WithDecoderDictRaw(DictionaryID(dictionary), dictionary))
	}
	dec, err := zstd.NewReader(nil, options...)
	if err != nil {
		return nil, fmt.Errorf("preparing to read the journal: %w", err)
	}
	return dec, nil
}
