package passwords

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	saltBytes = 16
	keyBytes  = 32
	// phcPrefix begins a hash of Argon2id of version 1.3, the only one that is written and read.
	phcPrefix = "$argon2id$v=19$"
)

// Parameters say how much work one hash is.
type Parameters struct {
	// MemoryKiB is the memory that one hash takes, in KiB; Passes how often it is gone through, Lanes in how many parts.
	MemoryKiB, Passes uint32
	Lanes             uint8
}

// Standard gives what new hashes are made with: the least that OWASP recommends for Argon2id, 19 MiB in two passes.
func Standard() Parameters { return Parameters{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1} }

// The bounds of what is read: a hash that asks for more was not written by us, and must not take the memory.
const (
	mostMemoryKiB = 256 * 1024
	mostPasses    = 16
	mostLanes     = 8
)

// weakerThan says that a hash of p is less work than one of q.
func (p Parameters) weakerThan(q Parameters) bool {
	return p.MemoryKiB < q.MemoryKiB || p.Passes < q.Passes
}

// valid says that p can be worked with.
func (p Parameters) valid() bool {
	return p.MemoryKiB >= 8*uint32(p.Lanes) && p.MemoryKiB <= mostMemoryKiB && p.Passes >= 1 && p.Passes <= mostPasses &&
		p.Lanes >= 1 && p.Lanes <= mostLanes
}

// hashed is a hash in its parts.
type hashed struct {
	Parameters
	salt, key []byte
}

// newHash hashes a password with a salt of its own.
func newHash(p Parameters, password []byte) hashed {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // it never fails
	return hashed{Parameters: p, salt: salt, key: argon2.IDKey(password, salt, p.Passes, p.MemoryKiB, p.Lanes, keyBytes)}
}

// matches hashes a password with the same salt and compares.
func (h hashed) matches(password []byte) bool {
	key := argon2.IDKey(password, h.salt, h.Passes, h.MemoryKiB, h.Lanes, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1
}

// String gives the PHC form.
func (h hashed) String() string {
	return fmt.Sprintf("%sm=%d,t=%d,p=%d$%s$%s", phcPrefix, h.MemoryKiB, h.Passes, h.Lanes,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

// errNotAHash says that a text is no hash in PHC form. It does not repeat the text.
var errNotAHash = errors.New("this is no Argon2id hash in PHC form")

// parseHash reads what String gives.
func parseHash(phc string) (hashed, error) {
	rest, ok := strings.CutPrefix(phc, phcPrefix)
	fields := strings.Split(rest, "$")
	if !ok || len(fields) != 3 {
		return hashed{}, errNotAHash
	}
	p, ok := parseParameters(fields[0])
	if !ok {
		return hashed{}, errNotAHash
	}
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(fields[1])
	key, keyErr := base64.RawStdEncoding.Strict().DecodeString(fields[2])
	if saltErr != nil || keyErr != nil || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 {
		return hashed{}, errNotAHash
	}
	return hashed{Parameters: p, salt: salt, key: key}, nil
}

// parseParameters reads "m=19456,t=2,p=1".
func parseParameters(s string) (p Parameters, ok bool) {
	fields := strings.Split(s, ",")
	if len(fields) != 3 {
		return Parameters{}, false
	}
	var numbers [3]uint32
	for i, name := range []string{"m=", "t=", "p="} {
		text, found := strings.CutPrefix(fields[i], name)
		n, err := strconv.ParseUint(text, 10, 32)
		if !found || err != nil || strconv.FormatUint(n, 10) != text {
			return Parameters{}, false
		}
		numbers[i] = uint32(n)
	}
	if numbers[2] > mostLanes {
		return Parameters{}, false
	}
	p = Parameters{MemoryKiB: numbers[0], Passes: numbers[1], Lanes: uint8(numbers[2])}
	return p, p.valid()
}
