package storage

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// mostPersonName is the longest name of an account, in UTF-16 units: characters, of which rare ones count twice.
const mostPersonName = 100

// PersonName gives the name of an account in the form in which it is kept, and says in plain English why it cannot be one; why is ""
// where it can. Letters are written as one character where there is one (Unicode's normal form C).
func PersonName(name string) (kept, why string) {
	kept = norm.NFC.String(name)
	switch n := len(utf16.Encode([]rune(kept))); {
	case !utf8.ValidString(name):
		return "", "the name is not valid UTF-8"
	case n == 0:
		return "", "the name must not be empty"
	case n > mostPersonName:
		return "", "the name is longer than 100 characters"
	case strings.TrimSpace(kept) != kept || strings.Contains(kept, "  "):
		return "", "the name must not begin or end with a blank or have two in a row"
	case strings.ContainsFunc(kept, notInPersonName):
		return "", "the name may have letters, digits, blanks and . _ - @ +"
	}
	return kept, ""
}

// notInPersonName says whether a character cannot be part of a name: some that Unicode calls letters are not to be seen.
func notInPersonName(r rune) bool {
	if strings.ContainsRune("._-@+ ", r) {
		return false
	}
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// NameKey gives what the names of people are compared by: two names are the same where their keys are. It is Unicode's compatibility
// caseless match (The Unicode Standard, section 3.13, D146), without blanks around it: upper and lower case, composed and decomposed
// letters, and full-width and other forms of one letter are the same in it.
func NameKey(name string) string {
	fold := cases.Fold()
	return norm.NFKD.String(fold.String(norm.NFKD.String(fold.String(norm.NFD.String(strings.TrimSpace(name))))))
}
