package rollup

import (
	"encoding/binary"
	"errors"
	"math"
)

// A pack is, for each bucket that is not empty, ascending:
//
//	index   one byte: the bucket's place in the pack, plus 0x80 where the sum follows as a float64
//	form    one byte: the number of decimals of minimum and maximum, or rawForm
//	count   uvarint
//	min     varint of min * 10^decimals, or float64 little-endian under rawForm
//	max     uvarint of (max - min) * 10^decimals, or float64 under rawForm
//	sum     varint of sum * 10^decimals, or float64
//
// Numbers are written as decimals only where that gives back the same bits, so that nothing is lost.
const (
	rawForm = 0xFF
	sumFlag = 0x80
	// maxDecimals and maxMantissa bound what is written as a decimal; below 2^53 every whole number is a float64.
	maxDecimals = 4
	maxMantissa = 1 << 50
)

// errPack is a pack that no version of this program wrote.
var errPack = errors.New("a rollup is damaged")

var powers = [maxDecimals + 1]float64{1, 10, 100, 1000, 10000}

// Encode appends the pack of buckets to dst; nothing where all are empty.
func Encode(dst []byte, buckets []Bucket) []byte {
	for i, b := range buckets {
		if b.Count != 0 {
			dst = encodeBucket(dst, i, b)
		}
	}
	return dst
}

func encodeBucket(dst []byte, index int, b Bucket) []byte {
	for d := range powers {
		low, ok1 := mantissa(b.Min, d)
		high, ok2 := mantissa(b.Max, d)
		if !ok1 || !ok2 {
			continue
		}
		sum, ok := mantissa(b.Sum, d)
		head := byte(index)
		if !ok {
			head |= sumFlag
		}
		dst = append(dst, head, byte(d))
		dst = binary.AppendUvarint(dst, uint64(b.Count))
		dst = binary.AppendVarint(dst, low)
		dst = binary.AppendUvarint(dst, uint64(high-low))
		if ok {
			return binary.AppendVarint(dst, sum)
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.Sum))
	}
	dst = append(dst, byte(index)|sumFlag, rawForm)
	dst = binary.AppendUvarint(dst, uint64(b.Count))
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.Min))
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.Max))
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.Sum))
}

// mantissa gives v * 10^decimals where that is a whole number that gives v back to the bit.
func mantissa(v float64, decimals int) (int64, bool) {
	m := math.Round(v * powers[decimals])
	if m > maxMantissa || m < -maxMantissa {
		return 0, false
	}
	back := m / powers[decimals]
	return int64(m), math.Float64bits(back) == math.Float64bits(v)
}

// Decode reads a pack into buckets, which must have room for the level's steps; buckets that the pack leaves out are emptied.
func Decode(pack []byte, buckets []Bucket) error {
	clear(buckets)
	for len(pack) > 0 {
		index, b, rest, err := decodeBucket(pack)
		if err != nil {
			return err
		}
		if index >= len(buckets) {
			return errPack
		}
		buckets[index], pack = b, rest
	}
	return nil
}

func decodeBucket(pack []byte) (index int, b Bucket, rest []byte, err error) {
	if len(pack) < 2 {
		return 0, b, nil, errPack
	}
	head, form := pack[0], pack[1]
	r := reader{b: pack[2:]}
	b.Count = int64(r.uvarint() & math.MaxInt64)
	switch {
	case form == rawForm:
		b.Min, b.Max = r.float(), r.float()
	case int(form) < len(powers):
		low := r.varint()
		high := low + int64(r.uvarint()&math.MaxInt64)
		b.Min, b.Max = float64(low)/powers[form], float64(high)/powers[form]
	default:
		return 0, b, nil, errPack
	}
	if head&sumFlag != 0 {
		b.Sum = r.float()
	} else {
		b.Sum = float64(r.varint()) / powers[min(int(form), maxDecimals)]
	}
	if r.bad || b.Count == 0 {
		return 0, b, nil, errPack
	}
	return int(head &^ sumFlag), b, r.b, nil
}

// reader takes numbers off the front of b; bad says that one was cut short.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.skip(n)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.skip(n)
	return v
}

func (r *reader) float() float64 {
	if len(r.b) < 8 {
		r.skip(0)
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.b))
	r.skip(8)
	return v
}

func (r *reader) skip(n int) {
	if n <= 0 {
		r.b, r.bad = nil, true
		return
	}
	r.b = r.b[n:]
}
