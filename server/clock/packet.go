package clock

import (
	"encoding/binary"
	"math"
	"time"
)

// packetBytes is the length of a packet without extensions (RFC 4330, section 4).
const packetBytes = 48

// The modes and the versions that are understood.
const (
	modeClient, modeServer = 3, 4
	oldestVersion, ourOwn  = 1, 4
	// precision is minus 10 as a signed byte: about a millisecond, which is what the coarsest supported clock shows.
	precision = 0xF6
)

// packet is the answer of a time service.
type packet struct {
	version, stratum uint8
	// poll is the client's own.
	poll                      uint8
	rootDelay, rootDispersion time.Duration
	reference                 [4]byte
	checked                   time.Time
	// origin is the client's transmit time, as it came.
	origin            [8]byte
	receive, transmit time.Time
}

// request reads what a client asks; ok is false for anything but a client's request of exactly 48 bytes.
func request(b []byte) (p packet, ok bool) {
	if len(b) != packetBytes {
		return packet{}, false
	}
	version, mode := b[0]>>3&7, b[0]&7
	if mode != modeClient || version < oldestVersion || version > ourOwn {
		return packet{}, false
	}
	p = packet{version: version, poll: b[2]}
	copy(p.origin[:], b[40:48])
	return p, true
}

// append writes the answer behind b: always 48 bytes.
func (p *packet) append(b []byte) []byte {
	b = append(b, p.version<<3|modeServer, p.stratum, p.poll, precision)
	b = binary.BigEndian.AppendUint32(b, short(p.rootDelay))
	b = binary.BigEndian.AppendUint32(b, short(p.rootDispersion))
	b = append(b, p.reference[:]...)
	b = binary.BigEndian.AppendUint64(b, timestamp(p.checked))
	b = append(b, p.origin[:]...)
	b = binary.BigEndian.AppendUint64(b, timestamp(p.receive))
	return binary.BigEndian.AppendUint64(b, timestamp(p.transmit))
}

// timestamp gives seconds since 1900 with 32 binary places; what is beyond 2036 begins anew, as the protocol says.
func timestamp(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	const from1900to1970 = 2_208_988_800
	seconds := uint64(t.Unix()+from1900to1970) & math.MaxUint32
	fraction := uint64(t.Nanosecond()) << 32 / 1e9
	return seconds<<32 | fraction
}

// short gives seconds with 16 binary places, never negative.
func short(d time.Duration) uint32 {
	s := max(d, 0).Seconds() * (1 << 16)
	return uint32(min(s, math.MaxUint32))
}
