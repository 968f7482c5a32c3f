package cometjson

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// TextLimits say how a text is read.
type TextLimits struct {
	// Field names the text in remarks.
	Field string
	// Bytes is the longest, in bytes of UTF-8; longer ones are cut at the border of a character.
	Bytes int
	// Runes is the longest in characters, where the maker counts these; 0 is no such bound.
	Runes int
	// CodePage says that text which is not UTF-8 is in windows-1250 (see package modem).
	CodePage bool
	// Silent adds no remarks: for secrets.
	Silent bool
}

// String gives a token's text as valid UTF-8 without NUL and within the limits, with a remark where it had to be changed. A
// number or word is given as it stands; anything else is "" with a remark.
func (t Token) String(l TextLimits, m *Remarks) string {
	if t.Kind == Text && t.plain && len(t.Raw) <= l.Bytes && (l.Runes == 0 || len(t.Raw) <= l.Runes) {
		return common(t.Raw)
	}
	if t.Kind == Object || t.Kind == Array {
		l.remark(m, "is not a text")
		return ""
	}
	if !t.Given() {
		return ""
	}
	return l.clean(t.Bytes(), m)
}

func (l TextLimits) remark(m *Remarks, why string) {
	if !l.Silent {
		m.Add(l.Field, why)
	}
}

// clean makes any bytes a text.
func (l TextLimits) clean(b []byte, m *Remarks) string {
	if s := common(b); len(s) <= l.Bytes && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		if l.Runes == 0 || utf8.RuneCountInString(s) <= l.Runes {
			return s
		}
	}
	s := string(b)
	if !utf8.ValidString(s) {
		s = l.toUTF8(s, m)
	}
	if strings.IndexByte(s, 0) >= 0 {
		l.remark(m, "NUL characters are left out")
		s = strings.ReplaceAll(s, "\x00", "")
	}
	limit := l.Bytes
	if l.Runes > 0 {
		limit = min(limit, bytesOf(s, l.Runes))
	}
	if len(s) > limit {
		l.remark(m, "is too long and was cut")
		s = cut(s, limit)
	}
	return s
}

func (l TextLimits) toUTF8(s string, m *Remarks) string {
	if l.CodePage {
		if out, err := charmap.Windows1250.NewDecoder().String(s); err == nil {
			l.remark(m, "is not UTF-8 and was read as windows-1250")
			return out
		}
	}
	l.remark(m, "is not UTF-8; what cannot be read was replaced")
	return strings.ToValidUTF8(s, "\uFFFD")
}

// bytesOf gives how many bytes the first n characters of s take.
func bytesOf(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// common gives the text of b. The texts that nearly every message carries are not copied anew each time.
func common(b []byte) string {
	switch string(b) {
	case "":
		return ""
	case "°C":
		return "°C"
	case "°F":
		return "°F"
	case "%RH":
		return "%RH"
	case "%":
		return "%"
	case "hPa":
		return "hPa"
	case "ppm":
		return "ppm"
	case "Temperature":
		return "Temperature"
	case "Relative humidity":
		return "Relative humidity"
	case "Rel. humidity":
		return "Rel. humidity"
	case "Dew point":
		return "Dew point"
	case "Pressure":
		return "Pressure"
	}
	return string(b)
}
