package ledger

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// MaxCanonicalBytes bounds the canonical bytes of a part or a fact. Who writes more must write it in several.
const MaxCanonicalBytes = 64 << 20

// ErrTooLong says that canonical bytes are longer than MaxCanonicalBytes.
var ErrTooLong = errors.New("more rows than one part of the ledger can hold")

// Packer compresses canonical bytes. Several goroutines may use one.
type Packer struct{ enc *zstd.Encoder }

// NewPacker gives a Packer. It has nothing to close.
func NewPacker() (*Packer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("preparing the ledger's compression: %w", err)
	}
	return &Packer{enc: enc}, nil
}

// Pack appends the pack of canonical bytes to dst: one zstd frame, without a checksum of its own, for the digest covers the bytes.
func (p *Packer) Pack(dst, canonical []byte) ([]byte, error) {
	if len(canonical) > MaxCanonicalBytes {
		return dst, ErrTooLong
	}
	return p.enc.EncodeAll(canonical, dst), nil
}

// Unpacker decompresses packs. Several goroutines may use one.
type Unpacker struct{ dec *zstd.Decoder }

// NewUnpacker gives an Unpacker. It has nothing to close.
func NewUnpacker() (*Unpacker, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxCanonicalBytes),
		zstd.WithDecodeAllCapLimit(false), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("preparing to read the ledger: %w", err)
	}
	return &Unpacker{dec: dec}, nil
}

// Unpack appends the canonical bytes of a pack to dst. A pack that is damaged, or would be longer than MaxCanonicalBytes, is an
// ErrForm.
func (u *Unpacker) Unpack(dst, pack []byte) ([]byte, error) {
	b, err := u.dec.DecodeAll(pack, dst)
	if err != nil {
		return dst, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return b, nil
}
