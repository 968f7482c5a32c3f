package viewerapi

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// formulaSigns are what a spreadsheet takes for the beginning of a formula, with their full-width forms.
const formulaSigns = "=+-@＝＋－＠"

// cellText gives a text that a person or a device chose for a field of CSV. What a spreadsheet would take for a formula is kept from
// being one by an apostrophe, also behind blanks, and control characters and those that turn the direction of writing become blanks;
// the end of a line stays.
func cellText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unprintable(r) {
			return ' '
		}
		return r
	}, s)
	if begin, size := utf8.DecodeRuneInString(strings.TrimLeftFunc(s, unicode.IsSpace)); size > 0 && strings.ContainsRune(formulaSigns, begin) {
		return "'" + s
	}
	return s
}
