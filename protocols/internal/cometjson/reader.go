package cometjson

import (
	"bytes"
	"strconv"

	"halley/protocols"
)

// maxDepth is how deep values may lie in one another. The deepest message known has five levels.
const maxDepth = 32

// bom is the byte order mark that some programs put before UTF-8.
var bom = []byte("\xEF\xBB\xBF")

// Reader reads JSON values one after another. The first failure sticks: every later call gives zero values, so that callers
// ask Err once, at the end. It is lenient where nothing can be misunderstood (control characters in texts, leading zeros) and
// strict on structure.
type Reader struct {
	data []byte
	pos  int
	err  *protocols.DecodeError
}

// NewReader gives a reader at the start of body, behind a byte order mark.
func NewReader(body []byte) *Reader {
	r := &Reader{data: body}
	if bytes.HasPrefix(body, bom) {
		r.pos = len(bom)
	}
	return r
}

// Err gives the first failure, or nil.
func (r *Reader) Err() *protocols.DecodeError { return r.err }

// Fail sets the first failure; later ones are not kept.
func (r *Reader) Fail(at int, field, why string) {
	if r.err == nil {
		r.err = &protocols.DecodeError{At: at, Field: field, Why: why}
	}
}

// Within puts the name of the surrounding field before that of a failure, so that it reads "Channels[2].Val".
func (r *Reader) Within(field string) {
	if r.err == nil {
		return
	}
	if r.err.Field != "" {
		field += "." + r.err.Field
	}
	r.err.Field = field
}

// At gives the offset of the next value.
func (r *Reader) At() int {
	r.space()
	return r.pos
}

// Peek gives the first byte of what comes next behind white space; 0 at the end of the body or after a failure.
func (r *Reader) Peek() byte {
	r.space()
	if r.err != nil || r.pos >= len(r.data) {
		return 0
	}
	return r.data[r.pos]
}

// End fails where anything but white space is left.
func (r *Reader) End() {
	if r.Peek() != 0 {
		r.Fail(r.pos, "", "there is more data behind the message")
	}
}

// Done says whether nothing but white space is left.
func (r *Reader) Done() bool {
	r.space()
	return r.pos >= len(r.data)
}

// Open enters an object or an array. It fails where something else stands there.
func (r *Reader) Open(bracket byte, field string) bool {
	c := r.Peek()
	if r.err != nil {
		return false
	}
	if c != bracket {
		r.unexpected(field, "\""+string(rune(bracket))+"\"")
		return false
	}
	r.pos++
	return true
}

// Next goes to the next member of the object or array that closes with bracket; false at its end or after a failure. The
// count is the caller's, from 0, and is raised by one for each member.
func (r *Reader) Next(bracket byte, count *int) bool {
	c := r.Peek()
	switch {
	case r.err != nil:
		return false
	case c == bracket:
		r.pos++
		return false
	case *count > 0 && c == ',':
		r.pos++
		if r.Peek() == bracket {
			r.unexpected("", "a value")
			return false
		}
	case *count > 0:
		r.unexpected("", "\",\" or \""+string(rune(bracket))+"\"")
		return false
	}
	*count++
	return r.err == nil
}

// Key reads the name of a member and its colon. The result lies in the body and is valid until the caller is done with it.
func (r *Reader) Key() []byte {
	if r.Peek() != '"' {
		r.unexpected("", "a name in quotes")
		return nil
	}
	// The names of the known members are short and plain, with the colon right behind them.
	for i := r.pos + 1; i+1 < len(r.data) && !special[r.data[i]]; i++ {
		if r.data[i+1] == '"' && i+2 < len(r.data) && r.data[i+2] == ':' {
			key := r.data[r.pos+1 : i+1]
			r.pos = i + 3
			return key
		}
	}
	t := r.text()
	if r.Peek() != ':' {
		r.unexpected("", "\":\"")
		return nil
	}
	r.pos++
	return t.Bytes()
}

// Value reads one value. Objects and arrays are passed over and given as the part of the body they take.
func (r *Reader) Value() Token {
	c := r.Peek()
	if r.err != nil {
		return Token{}
	}
	switch {
	case c == '"':
		return r.text()
	case c == '{' || c == '[':
		return r.nested(c)
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 't':
		return r.literal("true", True)
	case c == 'f':
		return r.literal("false", False)
	case c == 'n':
		return r.literal("null", Null)
	}
	r.unexpected("", "a value")
	return Token{}
}

func (r *Reader) space() {
	for r.pos < len(r.data) && r.data[r.pos] <= ' ' && isSpace(r.data[r.pos]) {
		r.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// unexpected says what should stand here and what does. One character is shown at most, so that no secret is.
func (r *Reader) unexpected(field, want string) {
	if r.pos >= len(r.data) {
		r.Fail(r.pos, field, "the body ends where "+want+" is expected")
		return
	}
	c := r.data[r.pos]
	found := strconv.QuoteToASCII(string(rune(c)))
	if c >= 0x80 {
		found = "a byte beyond ASCII"
	}
	r.Fail(r.pos, field, found+" stands where "+want+" is expected")
}

// special are the bytes that a plain text does not hold.
var special = func() (s [256]bool) {
	for c := range s {
		s[c] = c < 0x20 || c >= 0x80 || c == '"' || c == '\\'
	}
	return s
}()

// text reads a string. Its opening quote has been seen.
func (r *Reader) text() Token {
	start := r.pos + 1
	t := Token{Kind: Text, At: r.pos, plain: true}
	for i := start; i < len(r.data); i++ {
		c := r.data[i]
		if !special[c] {
			continue
		}
		if c == '"' {
			t.Raw = r.data[start:i]
			r.pos = i + 1
			return t
		}
		t.plain = false
		if c == '\\' {
			t.escaped = true
			i++
		}
	}
	r.pos = len(r.data)
	r.Fail(t.At, "", "the body ends inside a text")
	return Token{}
}

func (r *Reader) number() Token {
	start := r.pos
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			break
		}
		r.pos++
	}
	// No message is a bare number, so one that the body ends with may have been cut.
	if r.pos == len(r.data) {
		r.Fail(start, "", "the body ends inside a number")
		return Token{}
	}
	return Token{Kind: Number, At: start, Raw: r.data[start:r.pos], plain: true}
}

func (r *Reader) literal(word string, k TokenKind) Token {
	start := r.pos
	if !bytes.HasPrefix(r.data[start:], []byte(word)) {
		r.unexpected("", "a value")
		return Token{}
	}
	r.pos += len(word)
	return Token{Kind: k, At: start, Raw: r.data[start:r.pos], plain: true}
}

// nested passes over an object or array without recursion, checking its structure.
func (r *Reader) nested(open byte) Token {
	t := Token{Kind: Array, At: r.pos}
	if open == '{' {
		t.Kind = Object
	}
	var counts [maxDepth]int
	var closers [maxDepth]byte
	depth := 0
	enter := func(c byte) {
		counts[depth], closers[depth] = 0, c+2 // '{' and '}', '[' and ']' are two apart
		depth++
		r.pos++
	}
	enter(open)
	for depth > 0 {
		d := depth - 1
		if !r.Next(closers[d], &counts[d]) {
			if r.err != nil {
				return Token{}
			}
			depth--
			continue
		}
		if closers[d] == '}' {
			r.Key()
		}
		if c := r.Peek(); c != '{' && c != '[' {
			r.Value()
		} else if depth == maxDepth {
			r.Fail(r.pos, "", "values lie too deep in one another")
			return Token{}
		} else {
			enter(c)
		}
	}
	t.Raw = r.data[t.At:r.pos]
	return t
}

// Inside gives a reader of the object or array t, which came from r. Its failures have offsets in the whole body.
func (r *Reader) Inside(t Token) *Reader {
	return &Reader{data: r.data[:t.At+len(t.Raw)], pos: t.At}
}
