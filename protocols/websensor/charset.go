package websensor

import (
	"bytes"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"halley"
	"halley/protocols"
)

// byteOrderMark is U+FEFF in UTF-8.
func byteOrderMark() []byte { return []byte("\xEF\xBB\xBF") }

// utf8Body gives the body in UTF-8 and how many bytes before it were left out. The documents know UTF-8 only; a single-byte
// character set is accepted where the declaration names it. A byte order mark outdoes the declaration.
func utf8Body(body []byte) (text []byte, skipped int, err *protocols.DecodeError) {
	if bytes.HasPrefix(body, byteOrderMark()) {
		return body[len(byteOrderMark()):], len(byteOrderMark()), nil
	}
	name := declaredCharset(body)
	if len(name) == 0 || isUTF8(name) || isASCII(body) {
		return body, 0, nil
	}
	set := charsetOf(string(bytes.ToLower(name)))
	if set == nil {
		return nil, 0, &protocols.DecodeError{At: halley.Unknown, Why: "the character set " + quoted(name) + " is not supported"}
	}
	decoded, failure := set.NewDecoder().Bytes(body)
	if failure != nil {
		return nil, 0, &protocols.DecodeError{At: halley.Unknown, Why: "the text is not of the character set " + quoted(name)}
	}
	return decoded, halley.Unknown, nil
}

// declaredCharset gives the encoding of the XML declaration, or nothing.
func declaredCharset(body []byte) []byte {
	head := trimLeft(body[:min(len(body), look)])
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return nil
	}
	end := bytes.Index(head, []byte("?>"))
	if end < 0 {
		return nil
	}
	_, rest, found := bytes.Cut(head[:end], []byte("encoding"))
	if !found {
		return nil
	}
	rest = trimLeft(rest)
	if len(rest) == 0 || rest[0] != '=' {
		return nil
	}
	rest = trimLeft(rest[1:])
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return nil
	}
	if end = bytes.IndexByte(rest[1:], rest[0]); end < 0 {
		return nil
	}
	return rest[1 : 1+end]
}

func isUTF8(name []byte) bool {
	return bytes.EqualFold(name, []byte("utf-8")) || bytes.EqualFold(name, []byte("utf8")) ||
		bytes.EqualFold(name, []byte("us-ascii")) || bytes.EqualFold(name, []byte("ascii"))
}

func isASCII(body []byte) bool {
	for _, c := range body {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// charsetOf gives a single-byte character set by its name in lower case, or nil. All of them hold ASCII in its place. The list
// is our own, for the ready indexes bring the large tables of Asian sets with them.
func charsetOf(name string) *charmap.Charmap {
	if part, found := strings.CutPrefix(name, "iso-8859-"); found {
		return map[string]*charmap.Charmap{
			"1": charmap.ISO8859_1, "2": charmap.ISO8859_2, "3": charmap.ISO8859_3, "4": charmap.ISO8859_4, "5": charmap.ISO8859_5,
			"6": charmap.ISO8859_6, "7": charmap.ISO8859_7, "8": charmap.ISO8859_8, "9": charmap.ISO8859_9, "10": charmap.ISO8859_10,
			"13": charmap.ISO8859_13, "14": charmap.ISO8859_14, "15": charmap.ISO8859_15, "16": charmap.ISO8859_16,
		}[part]
	}
	if page, found := strings.CutPrefix(name, "windows-"); found {
		return map[string]*charmap.Charmap{
			"874": charmap.Windows874, "1250": charmap.Windows1250, "1251": charmap.Windows1251, "1252": charmap.Windows1252,
			"1253": charmap.Windows1253, "1254": charmap.Windows1254, "1255": charmap.Windows1255, "1256": charmap.Windows1256,
			"1257": charmap.Windows1257, "1258": charmap.Windows1258,
		}[page]
	}
	return nil
}
