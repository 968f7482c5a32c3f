package access

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"halley"
)

// The bounds of what is known of a person: names in characters, addresses in bytes.
const (
	personNameRunes = 100
	fullNameRunes   = 200
	emailBytes      = 254
)

// PersonName gives a name as an account has it, or Invalid with the code "name-not-valid" and the field "name".
func PersonName(name string) (string, error) {
	name = norm.NFC.String(name)
	allowed := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || strings.ContainsRune("._-@+ ", r)
	}
	wrong := func(r rune) bool { return !allowed(r) }
	if n := utf8.RuneCountInString(name); !utf8.ValidString(name) || n < 1 || n > personNameRunes ||
		strings.TrimSpace(name) != name || strings.ContainsFunc(name, wrong) {
		return "", &halley.Error{
			Kind: halley.Invalid, Op: "name an account", Code: "name-not-valid", Field: "name",
			Message: "write a name of 1 to 100 letters, digits and . _ - @ + or blanks between them",
		}
	}
	return name, nil
}

// FullName checks how a person is called; "" is none. Invalid with the field "full_name".
func FullName(name string) error {
	if utf8.RuneCountInString(name) > fullNameRunes || shortened(name, fullNameRunes) != name {
		return &halley.Error{
			Kind: halley.Invalid, Op: "describe a person", Code: "not-valid", Field: "full_name",
			Message: "write at most 200 characters without control characters",
		}
	}
	return nil
}

// Email checks an address; "" is none. Invalid with the field "email". Whether it is somebody's is only found out by writing to it.
func Email(address string) error {
	local, host, ok := strings.Cut(address, "@")
	strange := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`<>,;:"()[]\`, r) || r == '@' }
	if address == "" || ok && local != "" && host != "" && len(address) <= emailBytes &&
		shortened(address, emailBytes) == address && !strings.ContainsFunc(local+host, strange) {
		return nil
	}
	return &halley.Error{
		Kind: halley.Invalid, Op: "describe a person", Code: "not-valid", Field: "email",
		Message: "write one address such as jana@example.com, or nothing",
	}
}
