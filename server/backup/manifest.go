package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"halley"
	"halley/storage/ledger"
)

const (
	// manifestFormat is the version of the manifest and of what lies beside it.
	manifestFormat = 1
	// manifestName is its file.
	manifestName = "manifest.json"
	// maxManifestBytes bounds it.
	maxManifestBytes = 4 << 20
	// nameTime prints the instant in a backup's name.
	nameTime = "20060102T150405Z"
)

// Part says what a piece holds.
type Part string

// The parts of a backup, in the order in which they are taken.
const (
	PartStore         Part = "store"
	PartJournal       Part = "journal"
	PartConfiguration Part = "configuration"
	PartKeys          Part = "keys"
)

// Manifest says what a backup is.
type Manifest struct {
	Format int `json:"format"`
	// Name is the backup's own, that of its folder.
	Name string `json:"name"`
	// Version is the program's that wrote it, Node the server's name.
	Version string `json:"halley"`
	Node    string `json:"node"`
	// Began is when it was begun. Every batch that the store held at StoreAt is in it, every entry that the journal held at End.
	Began   time.Time `json:"began"`
	StoreAt time.Time `json:"store_at"`
	End     time.Time `json:"end"`
	Store   StoreInfo `json:"store"`
	Journal Journal   `json:"journal"`
	Heads   Heads     `json:"ledger"`
	// Recipients are the public keys to which the pieces are encrypted; none where they are not.
	Recipients []string `json:"recipients"`
	Pieces     []Piece  `json:"pieces"`
	// Digest is the SHA-256 of this text with an empty digest.
	Digest string `json:"digest"`
}

// StoreInfo is the store's part of a backup.
type StoreInfo struct {
	// Kind is "sqlite" or "sqlserver"; "" for a backup of the journal alone.
	Kind string `json:"kind"`
	// Samples and LastBatch are how far it goes: at least, where the store wrote the backup itself.
	Samples   int64 `json:"samples"`
	LastBatch int64 `json:"last_batch"`
	// RecordedSeq is how far this journal was recorded in it.
	RecordedSeq uint64 `json:"recorded_seq"`
}

// Journal is the journal's part of a backup.
type Journal struct {
	Origin string `json:"origin"`
	ID     string `json:"id"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	// Hash is the running hash after Last, hexadecimal.
	Hash string `json:"hash"`
}

// Heads are the ends of the ledger's chains, as text.
type Heads struct {
	Batches []Head `json:"batches"`
	Fact    Head   `json:"fact"`
}

// Head is the end of a chain.
type Head struct {
	Node   string `json:"node,omitempty"`
	ID     int64  `json:"id"`
	Digest string `json:"digest"`
}

// Piece is one file of a backup.
type Piece struct {
	Name string `json:"name"`
	Part Part   `json:"part"`
	// Bytes and SHA256 are those of the file as it lies there.
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Content is about how many bytes it takes once it is opened.
	Content int64 `json:"content_bytes"`
}

// Encrypted says that only the holder of a key can read it.
func (m *Manifest) Encrypted() bool { return len(m.Recipients) > 0 }

// Bytes is what the pieces take in all.
func (m *Manifest) Bytes() (n int64) {
	for _, p := range m.Pieces {
		n += p.Bytes
	}
	return n
}

// content is about what the pieces take once they are opened.
func (m *Manifest) content() (n int64) {
	for _, p := range m.Pieces {
		n += p.Content
	}
	return n
}

// piece gives the piece of a part.
func (m *Manifest) piece(part Part) (Piece, bool) {
	for _, p := range m.Pieces {
		if p.Part == part {
			return p, true
		}
	}
	return Piece{}, false
}

// encode gives the text with its digest.
func (m *Manifest) encode() ([]byte, error) {
	m.Digest = ""
	bare, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("describing the backup: %w", err)
	}
	sum := sha256.Sum256(bare)
	m.Digest = hex.EncodeToString(sum[:])
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("describing the backup: %w", err)
	}
	return append(text, '\n'), nil
}

// decodeManifest reads a manifest and makes sure that it is whole and names nothing outside its folder.
func decodeManifest(text []byte) (Manifest, error) {
	const op = "read a backup"
	damaged := func(why string) (Manifest, error) {
		return Manifest{}, &halley.Error{
			Kind: halley.Invalid, Op: op, Code: CodeDamaged, Message: "the file " + manifestName + " is damaged (" + why + "): choose another backup",
		}
	}
	var m Manifest
	if err := json.Unmarshal(bytes.TrimSpace(text), &m); err != nil {
		return damaged("it cannot be read")
	}
	if m.Format > manifestFormat {
		return Manifest{}, &halley.Error{
			Kind: halley.Invalid, Op: op, Code: "backup-newer",
			Message: fmt.Sprintf("the backup %s was written by a newer version (%s): use that one", m.Name, m.Version),
		}
	}
	said := m.Digest
	if _, err := m.encode(); err != nil || m.Digest != said {
		return damaged("its digest does not fit")
	}
	if _, ok := parseName(m.Name); !ok {
		return damaged("it names no backup")
	}
	for _, p := range m.Pieces {
		if p.Name != pieceName(p.Part, len(m.Recipients) > 0) || p.Bytes < 0 {
			return damaged("it names files that no backup has")
		}
	}
	return m, nil
}

// pieceName names the file of a part.
func pieceName(part Part, encrypted bool) string {
	name := string(part)
	if part != PartStore {
		name += ".tar"
	}
	name += ".zst"
	if encrypted {
		name += ".age"
	}
	return name
}

// pieceNames are the names of all files that a backup may hold but for its manifest.
func pieceNames() []string {
	var names []string
	for _, p := range []Part{PartStore, PartJournal, PartConfiguration, PartKeys} {
		names = append(names, pieceName(p, false), pieceName(p, true))
	}
	return names
}

var nameForm = regexp.MustCompile(`^halley-[A-Za-z0-9._-]+-(\d{8}T\d{6}Z)$`)

// newName names a backup.
func newName(node string, at time.Time) string {
	return "halley-" + node + "-" + at.UTC().Format(nameTime)
}

// parseName gives the instant in a backup's name.
func parseName(name string) (at time.Time, ok bool) {
	m := nameForm.FindStringSubmatch(name)
	if m == nil {
		return time.Time{}, false
	}
	at, err := time.Parse(nameTime, m[1])
	return at, err == nil
}

// isOf says whether a name is that of a backup of a node.
func isOf(node, name string) bool {
	rest, found := strings.CutPrefix(name, "halley-"+node+"-")
	return found && len(rest) == len(nameTime) && nameForm.MatchString(name)
}

// headsOf gives the ends of chains as a manifest has them.
func headsOf(h ledger.Heads) Heads {
	text := func(h ledger.Head) Head { return Head{Node: h.Node, ID: h.ID, Digest: h.Digest.String()} }
	out := Heads{Batches: make([]Head, 0, len(h.Batches)), Fact: text(h.Fact)}
	for _, b := range h.Batches {
		out.Batches = append(out.Batches, text(b))
	}
	return out
}

// ledgerHeads gives the ends of chains that a manifest has.
func (h Heads) ledgerHeads() (ledger.Heads, error) {
	var out ledger.Heads
	var err error
	if out.Fact, err = h.Fact.ledgerHead(); err != nil {
		return ledger.Heads{}, err
	}
	for _, b := range h.Batches {
		head, err := b.ledgerHead()
		if err != nil {
			return ledger.Heads{}, err
		}
		out.Batches = append(out.Batches, head)
	}
	return out, nil
}

func (h Head) ledgerHead() (ledger.Head, error) {
	b, err := hex.DecodeString(h.Digest)
	out := ledger.Head{Node: h.Node, ID: h.ID}
	if err != nil || len(b) != len(out.Digest) {
		return ledger.Head{}, fmt.Errorf("the digest %q is none", h.Digest)
	}
	copy(out.Digest[:], b)
	return out, nil
}
