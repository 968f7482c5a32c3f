package export

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"halley"
	"halley/storage/ledger"
)

// The files of an export.
const (
	manifestFile    = "manifest.json"
	samplesFolder   = "samples"
	ledgerFolder    = "ledger"
	partsFolder     = "ledger/parts"
	settingsFolder  = "settings"
	batchesFile     = "ledger/batches.jsonl"
	factsFile       = "ledger/facts.jsonl"
	checkpointsFile = "ledger/checkpoints.jsonl"
	keysFile        = "ledger/keys.jsonl"
	tombstonesFile  = "ledger/tombstones.jsonl"
	devicesFile     = "ledger/devices.jsonl"
)

// format is what a manifest says first.
const format = "halley export 1"

// Manifest says what an export holds.
type Manifest struct {
	Format string `json:"format"`
	// MadeAt is when, Version by which program.
	MadeAt  string `json:"made_at"`
	Version string `json:"version"`
	// From and To bound the UTC days whose samples are in it, half-open, as 2026-11-21; both empty where there are none.
	From string `json:"from"`
	To   string `json:"to"`
	// Messages, Samples, Batches, Facts and Checkpoints are in it.
	Messages    int64 `json:"messages"`
	Samples     int64 `json:"samples"`
	Batches     int64 `json:"batches"`
	Facts       int64 `json:"facts"`
	Checkpoints int64 `json:"checkpoints"`
}

// batchLine is a batch as a line of JSON. The id comes first in every line, so that it can be read by itself.
type batchLine struct {
	ID          int64         `json:"id"`
	Node        string        `json:"node"`
	JournalID   string        `json:"journal_id"`
	FirstSeq    uint64        `json:"first_seq"`
	LastSeq     uint64        `json:"last_seq"`
	JournalHash ledger.Digest `json:"journal_hash"`
	RecordedAt  int64         `json:"recorded_at"`
	Decoder     int           `json:"decoder"`
	Messages    int64         `json:"messages"`
	Samples     int64         `json:"samples"`
	Digest      ledger.Digest `json:"digest"`
	Previous    ledger.Digest `json:"previous_digest"`
	Parts       []partLine    `json:"parts,omitempty"`
}

type partLine struct {
	// ID is the batch; it is left out within a batch.
	ID     int64         `json:"id,omitempty"`
	Day    string        `json:"day"`
	Count  int64         `json:"count"`
	Digest ledger.Digest `json:"digest"`
	Pack   []byte        `json:"pack,omitempty"`
}

type factLine struct {
	ID       int64         `json:"id"`
	At       int64         `json:"at"`
	Count    int64         `json:"count"`
	Digest   ledger.Digest `json:"digest"`
	Previous ledger.Digest `json:"previous_digest"`
	Pack     []byte        `json:"pack"`
}

type checkpointLine struct {
	ID        int64  `json:"id"`
	Node      string `json:"node"`
	At        int64  `json:"at"`
	Kind      string `json:"kind"`
	KeyID     string `json:"key_id"`
	Body      []byte `json:"body"`
	Signature []byte `json:"signature"`
}

type keyLine struct {
	ID        string `json:"key_id"`
	Node      string `json:"node"`
	Public    []byte `json:"public_key"`
	CreatedAt int64  `json:"created_at"`
}

type tombstoneLine struct {
	ID           int64  `json:"id"`
	FromDay      string `json:"from_day"`
	ToDay        string `json:"to_day"`
	At           int64  `json:"at"`
	ProposedBy   string `json:"proposed_by"`
	CarriedOutBy string `json:"carried_out_by"`
	Why          string `json:"why"`
	KeyID        string `json:"key_id"`
	Body         []byte `json:"body"`
	Signature    []byte `json:"signature"`
}

type deviceLine struct {
	ID     int64  `json:"id"`
	Family string `json:"family"`
	Serial string `json:"serial"`
}

func lineOfBatch(b *ledger.Batch) batchLine {
	l := batchLine{
		ID: b.ID, Node: b.Node, JournalID: b.JournalID, FirstSeq: b.FirstSeq, LastSeq: b.LastSeq, JournalHash: b.JournalHash,
		RecordedAt: int64(b.RecordedAt), Decoder: b.Decoder, Messages: b.Messages, Samples: b.Samples, Digest: b.Digest, Previous: b.Previous,
	}
	for i := range b.Parts {
		p := &b.Parts[i]
		l.Parts = append(l.Parts, partLine{Day: ledger.DayText(p.Day), Count: p.Count, Digest: p.Digest})
	}
	return l
}

func (l *batchLine) batch() (ledger.Batch, error) {
	b := ledger.Batch{
		ID: l.ID, Node: l.Node, JournalID: l.JournalID, FirstSeq: l.FirstSeq, LastSeq: l.LastSeq, JournalHash: l.JournalHash,
		RecordedAt: halley.Millis(l.RecordedAt), Decoder: l.Decoder, Messages: l.Messages, Samples: l.Samples, Digest: l.Digest,
		Previous: l.Previous,
	}
	for i := range l.Parts {
		p, err := l.Parts[i].part(l.ID)
		if err != nil {
			return ledger.Batch{}, err
		}
		b.Parts = append(b.Parts, p)
	}
	return b, nil
}

func (l *partLine) part(batch int64) (ledger.Part, error) {
	day, err := ledger.ParseDay(l.Day)
	if err != nil {
		return ledger.Part{}, err
	}
	return ledger.Part{Batch: batch, Day: day, Count: l.Count, Digest: l.Digest, Pack: l.Pack}, nil
}

// A value of a fact in JSON: whole numbers as numbers, texts as texts, absent as null; all else as an object of one member that says
// what it is, for JSON would not tell 8 from 8.0.
const (
	kindNumber = "number"
	kindBits   = "float64"
	kindBytes  = "bytes"
	kindText   = "text"
	kindHashed = "sha256"
)

// encodeValue gives what stands for a value in JSON.
func encodeValue(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) || v == 0 && math.Signbit(v) {
			return map[string]string{kindBits: strconv.FormatUint(math.Float64bits(v), 16)}
		}
		return map[string]json.Number{kindNumber: json.Number(strconv.FormatFloat(v, 'g', -1, 64))}
	case string:
		if !utf8.ValidString(v) {
			return map[string]string{kindText: base64.StdEncoding.EncodeToString([]byte(v))}
		}
		return v
	case []byte:
		return map[string]string{kindBytes: base64.StdEncoding.EncodeToString(v)}
	case ledger.Hashed:
		return map[string]string{kindHashed: ledger.Digest(v).String()}
	}
	return v
}

// decodeValue reads what encodeValue gave, from JSON that was read with numbers as json.Number.
func decodeValue(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return v, nil
	case json.Number:
		return v.Int64()
	case map[string]any:
		for kind, content := range v {
			if len(v) == 1 {
				return decodeObject(kind, content)
			}
		}
	}
	return nil, fmt.Errorf("%w: a value of a setting", ledger.ErrForm)
}

func decodeObject(kind string, content any) (any, error) {
	if n, ok := content.(json.Number); ok && kind == kindNumber {
		return n.Float64()
	}
	text, ok := content.(string)
	if !ok {
		return nil, fmt.Errorf("%w: a value of a setting", ledger.ErrForm)
	}
	switch kind {
	case kindBits:
		bits, err := strconv.ParseUint(text, 16, 64)
		return math.Float64frombits(bits), err
	case kindBytes:
		return base64.StdEncoding.DecodeString(text)
	case kindText:
		b, err := base64.StdEncoding.DecodeString(text)
		return string(b), err
	case kindHashed:
		d, err := ledger.ParseDigest(text)
		return ledger.Hashed(d), err
	}
	return nil, fmt.Errorf("%w: a value of a setting", ledger.ErrForm)
}

// dayFile names the file of a day.
func dayFile(folder string, day int64, ending string) string {
	return folder + "/" + ledger.DayText(day) + ending
}

// escapes writes what a reader of CSV need not keep.
var escapes, unescapes = strings.NewReplacer(`\`, `\\`, "\r", `\r`), strings.NewReplacer(`\\`, `\`, `\r`, "\r")

// sheetText makes a text safe to open as a sheet: one that a sheet would take for a formula gets an apostrophe before it, and so does
// one that begins with an apostrophe. One with a carriage return, or that begins with a backslash, gets an apostrophe and a backslash
// before it, its backslashes are written as two and its carriage returns as \r.
func sheetText(s string) string {
	switch {
	case s == "":
		return ""
	case s[0] == '\\' || strings.ContainsRune(s, '\r'):
		return `'\` + escapes.Replace(s)
	case strings.ContainsRune("=+-@\t'", rune(s[0])):
		return "'" + s
	}
	return s
}

// plainText undoes sheetText.
func plainText(s string) string {
	if escaped, ok := strings.CutPrefix(s, `'\`); ok {
		return unescapes.Replace(escaped)
	}
	return strings.TrimPrefix(s, "'")
}
