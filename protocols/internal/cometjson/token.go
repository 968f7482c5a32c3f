package cometjson

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// TokenKind says what sort of value a Token is.
type TokenKind uint8

// The kinds of value. Absent is the zero Token: the value is not there.
const (
	Absent TokenKind = iota
	Text
	Number
	True
	False
	Null
	Object
	Array
)

// Token is one value as it stands in the body.
type Token struct {
	Kind TokenKind
	// At is its offset in the body.
	At int
	// Raw lies in the body: a text without its quotes and with its escapes, anything else as it stands.
	Raw []byte
	// escaped says that Raw holds escapes; plain that it holds nothing but printable ASCII.
	escaped, plain bool
}

// Given says whether there is a value: not absent and not null.
func (t Token) Given() bool { return t.Kind != Absent && t.Kind != Null }

// Int gives a whole number from lowest to highest. A text that is nothing but a whole number counts as one, true as 1 and
// false as 0, and 60.0 as 60.
func (t Token) Int(lowest, highest int64) (int64, bool) {
	v, ok := t.whole()
	if !ok || v < lowest || v > highest {
		return 0, false
	}
	return v, true
}

func (t Token) whole() (int64, bool) {
	switch t.Kind {
	case True:
		return 1, true
	case False:
		return 0, true
	case Number, Text:
	case Absent, Null, Object, Array:
		return 0, false
	}
	if v, ok := digits(t.Raw); ok {
		return v, true
	}
	if !t.plain || len(t.Raw) == 0 || len(t.Raw) > 32 {
		return 0, false
	}
	// Fractions and exponents are rare; ParseFloat takes words like "inf" and hex floats too, hence the look at the first byte
	// and the comparison with a whole number that int64 and float64 both hold.
	if c := t.Raw[0]; c != '-' && (c < '0' || c > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(t.Raw), 64)
	if err != nil || f < -1<<53 || f > 1<<53 || f != float64(int64(f)) {
		return 0, false
	}
	return int64(f), true
}

// digits reads an optional minus and one to eighteen digits.
func digits(b []byte) (int64, bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var v int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if negative {
		v = -v
	}
	return v, true
}

// Hex reads one to eight hexadecimal digits of a text, of either case.
func (t Token) Hex() (uint32, bool) {
	if t.Kind != Text || len(t.Raw) == 0 || len(t.Raw) > 8 {
		return 0, false
	}
	var v uint32
	for _, c := range t.Raw {
		var d byte
		switch {
		case c >= '0' && c <= '9':
			d = c - '0'
		case c >= 'A' && c <= 'F':
			d = c - 'A' + 10
		case c >= 'a' && c <= 'f':
			d = c - 'a' + 10
		default:
			return 0, false
		}
		v = v<<4 | uint32(d)
	}
	return v, true
}

// Bytes gives a text with its escapes resolved, as bytes in the device's coding, or a number or word as it stands. The result
// may lie in the body.
func (t Token) Bytes() []byte {
	if t.escaped {
		return t.unescaped()
	}
	return t.Raw
}

// shortEscapes are the escapes of one letter.
var shortEscapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// unescaped resolves escapes. Ones that JSON does not know stay as they are: the texts are for people to read.
func (t Token) unescaped() []byte {
	out := make([]byte, 0, len(t.Raw))
	for i := 0; i < len(t.Raw); i++ {
		c := t.Raw[i]
		if c != '\\' || i+1 == len(t.Raw) {
			out = append(out, c)
			continue
		}
		i++
		if s := shortEscapes[t.Raw[i]]; s != 0 {
			out = append(out, s)
			continue
		}
		r, ok := codeUnit(t.Raw[i:])
		if !ok {
			out = append(out, '\\', t.Raw[i])
			continue
		}
		i += 4
		if i+1 < len(t.Raw) && t.Raw[i+1] == '\\' && utf16.IsSurrogate(r) {
			if low, ok := codeUnit(t.Raw[i+2:]); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
				r = utf16.DecodeRune(r, low)
				i += 6
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// codeUnit reads "uXXXX".
func codeUnit(b []byte) (rune, bool) {
	if len(b) < 5 || b[0] != 'u' {
		return 0, false
	}
	v, ok := Token{Kind: Text, Raw: b[1:5]}.Hex()
	return rune(v & 0xFFFF), ok
}
