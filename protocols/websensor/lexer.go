package websensor

import (
	"bytes"
	"unicode/utf8"

	"halley/protocols"
)

// Bounds of a document. The deepest known is four elements deep and has three attributes.
const (
	maxDepth      = 32
	maxAttributes = 32
)

// token says what the lexer stands behind.
type token uint8

const (
	tokenEOF token = iota
	tokenStart
	tokenEnd
	tokenText
)

// span is a piece of the source.
type span struct{ from, to int }

// qualified is a name as written, with the place where it begins behind its prefix.
type qualified struct {
	span
	local int
}

// attribute is a name as written and a value as written, between its quotes.
type attribute struct {
	name  qualified
	value span
}

// lexer reads an XML 1.0 document token by token, without copying. It holds to the rules of well-formed documents (tags that
// match, attributes that are quoted and differ, references, comments, CDATA sections, processing instructions) with four
// exceptions: a DTD is refused; prefixes need not be declared; white space may come before the declaration; and characters that
// XML excludes are left to the user of the text, so that a broken device name costs no sample.
type lexer struct {
	src []byte
	pos int
	// open are the names, with their prefixes, of the elements around pos.
	open  [maxDepth]qualified
	depth int
	// closing says that the start tag just given was an empty element: its end comes next.
	closing bool
	rooted  bool
	// attributes are those of the start tag just given.
	attributes [maxAttributes]attribute
	attributed int
	// text is the text just given: a part of src, or of scratch where references or line ends had to be replaced.
	text    []byte
	scratch []byte
}

// next goes on to the next token. Comments and processing instructions are passed over.
func (l *lexer) next() (token, *protocols.DecodeError) {
	if l.closing {
		l.closing = false
		l.depth--
		return tokenEnd, nil
	}
	for l.pos < len(l.src) {
		if l.src[l.pos] != '<' {
			return l.characters()
		}
		switch l.peek(1) {
		case '/':
			return tokenEnd, l.endTag()
		case '?':
			if err := l.instruction(); err != nil {
				return tokenEOF, err
			}
		case '!':
			if l.follows("<![CDATA[") {
				return l.cdata()
			}
			if err := l.comment(); err != nil {
				return tokenEOF, err
			}
		default:
			return tokenStart, l.startTag()
		}
	}
	switch {
	case l.depth > 0:
		return tokenEOF, l.fail("the body ends inside of this element")
	case !l.rooted:
		return tokenEOF, l.fail("there is no element")
	}
	return tokenEOF, nil
}

// name gives the innermost open element's local name; after a start tag that is its own.
func (l *lexer) name() []byte {
	if l.depth == 0 {
		return nil
	}
	return l.local(l.open[l.depth-1])
}

// attribute gives the value of an attribute of the start tag just given, by its local name.
func (l *lexer) attribute(name string) (value []byte, found bool) {
	for _, a := range l.attributes[:l.attributed] {
		if string(l.local(a.name)) == name {
			return l.piece(a.value), true
		}
	}
	return nil, false
}

func (l *lexer) piece(s span) []byte { return l.src[s.from:s.to:s.to] }

func (l *lexer) local(q qualified) []byte { return l.src[q.local:q.to:q.to] }

// peek gives the byte at a distance, or 0 behind the end.
func (l *lexer) peek(distance int) byte {
	if l.pos+distance < len(l.src) {
		return l.src[l.pos+distance]
	}
	return 0
}

func (l *lexer) follows(s string) bool {
	return len(l.src)-l.pos >= len(s) && string(l.src[l.pos:l.pos+len(s)]) == s
}

func (l *lexer) space() (found bool) {
	for l.pos < len(l.src) && isSpace(l.src[l.pos]) {
		l.pos++
		found = true
	}
	return found
}

// fail gives an error at pos, in the innermost open element.
func (l *lexer) fail(why string) *protocols.DecodeError {
	return &protocols.DecodeError{At: min(l.pos, len(l.src)), Field: shown(l.name()), Why: why}
}

// startTag reads "<name attribute='value' ...>" or "<name .../>".
func (l *lexer) startTag() *protocols.DecodeError {
	at := l.pos
	l.pos++
	name, ok := l.qualifiedName()
	switch {
	case !ok:
		return l.fail("there is no name after <")
	case l.depth == 0 && l.rooted:
		l.pos = at
		return l.fail("there is a second root element")
	case l.depth == maxDepth:
		l.pos = at
		return l.fail("the elements are nested too deeply")
	}
	l.rooted = true
	l.open[l.depth] = name
	l.depth++
	l.attributed = 0
	for {
		spaced := l.space()
		switch {
		case l.peek(0) == '>':
			l.pos++
			return nil
		case l.follows("/>"):
			l.pos += 2
			l.closing = true
			return nil
		case !spaced:
			return l.fail("the start tag is not closed")
		}
		if err := l.readAttribute(); err != nil {
			return err
		}
	}
}

func (l *lexer) readAttribute() *protocols.DecodeError {
	name, ok := l.qualifiedName()
	if !ok {
		return l.fail("the start tag is not closed")
	}
	if l.attributed == maxAttributes {
		return l.fail("there are too many attributes")
	}
	for _, a := range l.attributes[:l.attributed] {
		if bytes.Equal(l.piece(a.name.span), l.piece(name.span)) {
			return l.fail("an attribute comes twice")
		}
	}
	l.space()
	if l.peek(0) != '=' {
		return l.fail("an attribute has no value")
	}
	l.pos++
	l.space()
	return l.attributeValue(name)
}

// attributeValue reads a value in quotes, which must be free of < and of bad references.
func (l *lexer) attributeValue(name qualified) *protocols.DecodeError {
	quote := l.peek(0)
	if quote != '"' && quote != '\'' {
		return l.fail("an attribute's value is not quoted")
	}
	l.pos++
	value := span{l.pos, l.pos}
	for ; l.pos < len(l.src) && l.src[l.pos] != quote; l.pos++ {
		switch l.src[l.pos] {
		case '<':
			return l.fail("an attribute's value holds <")
		case '&':
			_, size := reference(l.src[l.pos:])
			if size == 0 {
				return l.fail(badReference)
			}
			l.pos += size - 1
		}
	}
	if l.pos >= len(l.src) {
		return l.fail("an attribute's value is not closed")
	}
	value.to = l.pos
	l.pos++
	l.attributes[l.attributed] = attribute{name, value}
	l.attributed++
	return nil
}

// endTag reads "</name>", which must match the start tag to the letter.
func (l *lexer) endTag() *protocols.DecodeError {
	if l.depth == 0 {
		return l.fail("there is an end tag without a start tag")
	}
	at := l.pos
	l.pos += 2
	name, ok := l.qualifiedName()
	if !ok || !bytes.Equal(l.piece(name.span), l.piece(l.open[l.depth-1].span)) {
		l.pos = at
		return l.fail("another end tag was expected")
	}
	l.space()
	if l.peek(0) != '>' {
		return l.fail("the end tag is not closed")
	}
	l.pos++
	l.depth--
	return nil
}

// qualifiedName reads "name" or "prefix:name".
func (l *lexer) qualifiedName() (name qualified, ok bool) {
	from, src := l.pos, l.src
	to, begin, ascii := from, from, true
	for ; to < len(src); to++ {
		switch c := src[to]; {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_':
		case '0' <= c && c <= '9' || c == '-' || c == '.':
			if to == begin {
				return name, false
			}
		case c == ':':
			if to == from || begin != from {
				return name, false
			}
			begin = to + 1
		case c >= utf8.RuneSelf:
			ascii = false
		default:
			l.pos = to
			return qualified{span{from, to}, begin}, to > begin && (ascii || utf8.Valid(src[from:to]))
		}
	}
	l.pos = to
	return qualified{span{from, to}, begin}, false
}

// instruction passes over "<?target ...?>". A declaration is no instruction, but reads the same; it comes first or not at all.
func (l *lexer) instruction() *protocols.DecodeError {
	at := l.pos
	l.pos += 2
	target, ok := l.qualifiedName()
	if !ok {
		return l.fail("there is no name after <?")
	}
	if bytes.EqualFold(l.piece(target.span), []byte("xml")) && len(trimLeft(l.src[:at])) > 0 {
		return l.fail("the XML declaration is not at the beginning")
	}
	end := bytes.Index(l.src[l.pos:], []byte("?>"))
	if end < 0 || end > 0 && !isSpace(l.src[l.pos]) {
		return l.fail("a processing instruction is not closed")
	}
	l.pos += end + 2
	return nil
}

// comment passes over "<!--...-->" and refuses all else that begins with "<!".
func (l *lexer) comment() *protocols.DecodeError {
	if !l.follows("<!--") {
		if l.follows("<!DOCTYPE") {
			return l.fail("a document type definition is not accepted")
		}
		return l.fail("there is something unknown after <!")
	}
	end := bytes.Index(l.src[l.pos+4:], []byte("--"))
	if end < 0 {
		return l.fail("a comment is not closed")
	}
	l.pos += 4 + end + 2
	if l.peek(0) != '>' {
		return l.fail("a comment holds --")
	}
	l.pos++
	return nil
}
