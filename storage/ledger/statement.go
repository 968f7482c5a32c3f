package ledger

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"halley"
)

// The first lines of the texts that are signed, so that one can never be taken for the other.
const (
	checkpointTitle = "halley checkpoint 1"
	tombstoneTitle  = "halley tombstone 1"
)

// nothing stands for a digest or a head that is not there.
const nothing = "none"

// Body gives the text of a checkpoint that is signed: lines of a word, a colon, a blank and a value, each ended by a line feed.
//
//	halley checkpoint 1
//	node: cold-store
//	at: 2026-11-21T14:00:00.000Z
//	kind: hour
//	key: 8f3a6c0d12e4b579
//	previous: (64 hexadecimal digits, or none)
//	fact: 1234 (64 hexadecimal digits, or: fact: none)
//	batch: 5678 (64 hexadecimal digits) cold-store
//
// with a line "batch" for each node, by node. A text that cannot stand in a line is an error.
func (s *Statement) Body() ([]byte, error) {
	l := lines{}
	l.title(checkpointTitle)
	l.text("node", s.Node)
	l.text("at", s.At.String())
	l.text("kind", s.Kind)
	l.text("key", s.KeyID)
	l.text("previous", digestText(s.Previous))
	fact := nothing
	if s.Heads.Fact.ID != 0 {
		fact = strconv.FormatInt(s.Heads.Fact.ID, 10) + " " + s.Heads.Fact.Digest.String()
	}
	l.text("fact", fact)
	heads := slices.SortedFunc(slices.Values(s.Heads.Batches), func(a, b Head) int { return cmp.Compare(a.Node, b.Node) })
	for i, h := range heads {
		if i > 0 && heads[i-1].Node == h.Node {
			return nil, fmt.Errorf("node %q has two heads", h.Node)
		}
		l.text("batch", strconv.FormatInt(h.ID, 10)+" "+h.Digest.String()+" "+h.Node)
	}
	return l.b, l.err
}

// ParseStatement reads the body of a checkpoint. Only what Body writes is taken, to the byte; all else is an ErrForm.
func ParseStatement(body []byte) (Statement, error) {
	r := lineReader{rest: string(body)}
	r.title(checkpointTitle)
	s := Statement{Node: r.text("node"), At: r.instant("at"), Kind: r.text("kind"), KeyID: r.text("key"), Previous: r.digest("previous")}
	if fact := r.text("fact"); fact != nothing {
		id, digest, _ := strings.Cut(fact, " ")
		s.Heads.Fact = Head{ID: r.number(id), Digest: r.parseDigest(digest)}
	}
	for r.rest != "" && !r.bad {
		parts := strings.SplitN(r.text("batch"), " ", 3)
		if len(parts) != 3 {
			r.bad = true
			break
		}
		s.Heads.Batches = append(s.Heads.Batches, Head{ID: r.number(parts[0]), Digest: r.parseDigest(parts[1]), Node: parts[2]})
	}
	// Only one text says the same: who compares two of them may compare bytes.
	if again, err := s.Body(); r.bad || err != nil || !bytes.Equal(again, body) {
		return Statement{}, fmt.Errorf("%w: it is not the text of a checkpoint", ErrForm)
	}
	return s, nil
}

// Removal is what a tombstone says.
type Removal struct {
	// FromDay and ToDay are UTC days since 1970-01-01, half-open.
	FromDay, ToDay           int64
	At                       halley.Millis
	ProposedBy, CarriedOutBy string
	Why                      string
	KeyID                    string
	// Rows and Parts were there to remove.
	Rows, Parts int64
}

// Body gives the text of a tombstone that is signed, in the lines of a checkpoint's:
//
//	halley tombstone 1
//	from: 2024-01-01
//	to: 2025-01-01
//	at: 2026-11-21T14:00:00.000Z
//	proposed-by: anna
//	carried-out-by: ben
//	why: kept for two years as our rule says
//	key: 8f3a6c0d12e4b579
//	rows: 123456
//	parts: 8784
func (r *Removal) Body() ([]byte, error) {
	l := lines{}
	l.title(tombstoneTitle)
	l.text("from", DayText(r.FromDay))
	l.text("to", DayText(r.ToDay))
	l.text("at", r.At.String())
	l.text("proposed-by", r.ProposedBy)
	l.text("carried-out-by", r.CarriedOutBy)
	l.text("why", r.Why)
	l.text("key", r.KeyID)
	l.text("rows", strconv.FormatInt(r.Rows, 10))
	l.text("parts", strconv.FormatInt(r.Parts, 10))
	return l.b, l.err
}

// ParseRemoval reads the body of a tombstone. Only what Body writes is taken, to the byte; all else is an ErrForm.
func ParseRemoval(body []byte) (Removal, error) {
	r := lineReader{rest: string(body)}
	r.title(tombstoneTitle)
	m := Removal{FromDay: r.day("from"), ToDay: r.day("to"), At: r.instant("at")}
	m.ProposedBy, m.CarriedOutBy, m.Why, m.KeyID = r.text("proposed-by"), r.text("carried-out-by"), r.text("why"), r.text("key")
	m.Rows, m.Parts = r.number(r.text("rows")), r.number(r.text("parts"))
	if again, err := m.Body(); r.bad || err != nil || !bytes.Equal(again, body) {
		return Removal{}, fmt.Errorf("%w: it is not the text of a tombstone", ErrForm)
	}
	return m, nil
}

// dayLayout writes a UTC day.
const dayLayout = "2006-01-02"

// DayText writes a UTC day, given as days since 1970-01-01, as 2026-11-21.
func DayText(day int64) string { return dayStart(day).Time().Format(dayLayout) }

// dayStart gives the first instant of a day; never 0, which is no instant.
func dayStart(day int64) halley.Millis {
	if day == 0 {
		return 1
	}
	return halley.Millis(day) * halley.Day
}

// DayOf gives the UTC day of an instant, in days since 1970-01-01.
func DayOf(at halley.Millis) int64 { return int64(at.Floor(halley.Day) / halley.Day) }

// ParseDay reads a day as DayText writes it.
func ParseDay(text string) (int64, error) {
	at, err := halley.ParseMillis(text + "T00:00:00Z")
	if err != nil || len(text) != len(dayLayout) {
		return 0, &halley.Error{
			Kind: halley.Invalid, Op: "read a day", Message: fmt.Sprintf("write a day as 2026-11-21; %q is none", text),
		}
	}
	return DayOf(at), nil
}

// ParseDigest reads what Digest.String writes.
func ParseDigest(text string) (Digest, error) {
	var d Digest
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(d) || hex.EncodeToString(b) != text {
		return d, fmt.Errorf("%w: %q is no SHA-256", ErrForm, text)
	}
	return Digest(b), nil
}

func digestText(d Digest) string {
	if d.IsZero() {
		return nothing
	}
	return d.String()
}

// lines writes texts that are signed.
type lines struct {
	b   []byte
	err error
}

func (l *lines) title(text string) { l.b = append(append(l.b, text...), '\n') }

func (l *lines) text(key, value string) {
	if !fitsLine(value) && l.err == nil {
		l.err = fmt.Errorf("%s cannot be written in one line: %q", key, value)
	}
	l.b = append(append(append(append(l.b, key...), ": "...), value...), '\n')
}

// fitsLine says whether a text can be a value: one line that looks the same wherever it was sent through.
func fitsLine(s string) bool {
	return utf8.ValidString(s) && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

// lineReader reads them. Once something does not fit, bad stays true.
type lineReader struct {
	rest string
	bad  bool
}

func (r *lineReader) line() string {
	line, rest, found := strings.Cut(r.rest, "\n")
	if !found {
		r.bad = true
	}
	r.rest = rest
	return line
}

func (r *lineReader) title(text string) {
	if r.line() != text {
		r.bad = true
	}
}

func (r *lineReader) text(key string) string {
	value, ok := strings.CutPrefix(r.line(), key+": ")
	if !ok {
		r.bad = true
	}
	return value
}

func (r *lineReader) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.bad = true
	}
	return n
}

func (r *lineReader) instant(key string) halley.Millis {
	text := r.text(key)
	if text == "" {
		return 0
	}
	at, err := halley.ParseMillis(text)
	if err != nil {
		r.bad = true
	}
	return at
}

func (r *lineReader) day(key string) int64 {
	day, err := ParseDay(r.text(key))
	if err != nil {
		r.bad = true
	}
	return day
}

func (r *lineReader) digest(key string) Digest {
	text := r.text(key)
	if text == nothing {
		return Digest{}
	}
	return r.parseDigest(text)
}

func (r *lineReader) parseDigest(text string) Digest {
	d, err := ParseDigest(text)
	if err != nil {
		r.bad = true
	}
	return d
}
