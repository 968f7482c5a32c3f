package websensor

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"halley/protocols"
)

const badReference = "there is an & that begins no known character reference"

// characters reads the text up to the next "<". Outside of the root element it must be white space.
func (l *lexer) characters() (token, *protocols.DecodeError) {
	from, plain := l.pos, true
scan:
	for ; l.pos < len(l.src); l.pos++ {
		switch l.src[l.pos] {
		case '<':
			break scan
		case '&', '\r':
			plain = false
		case ']':
			if l.follows("]]>") {
				return tokenText, l.fail("the text holds ]]>")
			}
		}
	}
	l.text = l.src[from:l.pos:l.pos]
	if l.depth == 0 {
		if rest := trimLeft(l.text); len(rest) > 0 {
			l.pos -= len(rest)
			return tokenText, l.fail("there is text outside of the root element")
		}
	}
	if plain {
		return tokenText, nil
	}
	return tokenText, l.replace(from)
}

// replace makes the text anew, with references and line ends replaced; from is where it begins.
func (l *lexer) replace(from int) *protocols.DecodeError {
	raw, begin := l.text, len(l.scratch)
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '&':
			r, size := reference(raw[i:])
			if size == 0 {
				l.pos = from + i
				return l.fail(badReference)
			}
			l.scratch = utf8.AppendRune(l.scratch, r)
			i += size - 1
		case '\r':
			if i+1 == len(raw) || raw[i+1] != '\n' {
				l.scratch = append(l.scratch, '\n')
			}
		default:
			l.scratch = append(l.scratch, raw[i])
		}
	}
	l.text = l.scratch[begin:len(l.scratch):len(l.scratch)]
	return nil
}

// cdata reads "<![CDATA[...]]>", which is text as it stands, but for its line ends.
func (l *lexer) cdata() (token, *protocols.DecodeError) {
	if l.depth == 0 {
		return tokenText, l.fail("there is text outside of the root element")
	}
	from := l.pos + len("<![CDATA[")
	end := bytes.Index(l.src[from:], []byte("]]>"))
	if end < 0 {
		return tokenText, l.fail("a CDATA section is not closed")
	}
	l.pos = from + end + len("]]>")
	l.text = l.src[from : from+end : from+end]
	if bytes.IndexByte(l.text, '\r') >= 0 {
		begin := len(l.scratch)
		for i, c := range l.text {
			switch {
			case c != '\r':
				l.scratch = append(l.scratch, c)
			case i+1 == len(l.text) || l.text[i+1] != '\n':
				l.scratch = append(l.scratch, '\n')
			}
		}
		l.text = l.scratch[begin:len(l.scratch):len(l.scratch)]
	}
	return tokenText, nil
}

// leaf reads the text of the element whose start tag was just given, up to and with its end tag. An element in it is an error.
func (l *lexer) leaf() ([]byte, *protocols.DecodeError) {
	var all []byte
	for {
		kind, err := l.next()
		switch {
		case err != nil:
			return nil, err
		case kind == tokenEnd:
			return trim(all), nil
		case kind != tokenText:
			return nil, l.fail("there is an element where a value was expected")
		}
		all = join(all, l.text)
	}
}

// inner passes over the element whose start tag was just given, up to and with its end tag, and gives what is in it as written.
func (l *lexer) inner() ([]byte, *protocols.DecodeError) {
	from, to := l.pos, l.pos
	for depth := 1; depth > 0; {
		to = l.pos
		kind, err := l.next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case tokenStart:
			depth++
		case tokenEnd:
			depth--
		case tokenText, tokenEOF:
		}
	}
	return trim(l.src[from:to:to]), nil
}

// longestJoined is where a text that comes in pieces is cut, so that very many pieces take no quadratic time. No field holds as
// much.
const longestJoined = 4096

// join puts two texts together, without copying where one is empty.
func join(a, b []byte) []byte {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0 || len(a) >= longestJoined:
		return a
	}
	// Without room behind the first this copies, and leaves source and scratch alone.
	return append(slices.Clip(a), b[:min(len(b), longestJoined-len(a))]...)
}

// reference reads the character reference at the beginning of s: one of the five of XML, or a number. A size of 0 means that
// there is none.
func reference(s []byte) (r rune, size int) {
	end := bytes.IndexByte(s[:min(len(s), longestReference)], ';')
	if end < 2 {
		return 0, 0
	}
	switch string(s[1:end]) {
	case "lt":
		r = '<'
	case "gt":
		r = '>'
	case "amp":
		r = '&'
	case "apos":
		r = '\''
	case "quot":
		r = '"'
	default:
		if s[1] != '#' {
			return 0, 0
		}
		if r = number(s[2:end]); !isCharacter(r) {
			return 0, 0
		}
	}
	return r, end + 1
}

// longestReference holds "&#x10FFFF;" and leading zeros.
const longestReference = 32

// number reads the digits of a numeric reference, "65" or "x41"; -1 where they are none.
func number(s []byte) rune {
	base := rune(10)
	if len(s) > 0 && s[0] == 'x' {
		base, s = 16, s[1:]
	}
	if len(s) == 0 {
		return -1
	}
	n := rune(0)
	for _, c := range s {
		d := digit(c)
		if d < 0 || d >= base {
			return -1
		}
		if n = n*base + d; n > utf8.MaxRune {
			return -1
		}
	}
	return n
}

// digit gives the value of a hexadecimal digit, or -1.
func digit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

// isCharacter says whether XML 1.0 allows r (production 2, Char).
func isCharacter(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// trim leaves out the white space of XML at both ends.
func trim(b []byte) []byte {
	b = trimLeft(b)
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func trimLeft(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
