package passwords

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"halley"
)

// Longest is the longest password in characters.
const Longest = 200

// Rule says which passwords may be chosen. Common ones, and those made of the person's own name, never may.
type Rule struct {
	// Length is the least in characters.
	Length int
	// Digit, Upper, Lower and Special say that at least one such character must be in it. Special is what is no letter, digit or blank.
	Digit, Upper, Lower, Special bool
}

// Check says whether a password may be chosen; about are names of the person: of the account, in full, the address. The error is
// Invalid with the code "password-refused" and says every part of the rule that is not met.
func (r Rule) Check(password halley.Secret, about ...string) error {
	text := norm.NFKC.String(password.Reveal())
	if why := r.lacks(text); why != "" {
		return refused(why)
	}
	switch {
	case isCommon(text):
		return refused("this password is one that many people use, or nearly so, and would be guessed first: choose another")
	case isOwnName(text, about):
		return refused("this password is little more than your name or Halley's: choose another")
	}
	return nil
}

// lacks says which part of the rule is not met, or "".
func (r Rule) lacks(text string) string {
	n := utf8.RuneCountInString(text)
	var missing []string
	for _, part := range []struct {
		wanted bool
		is     func(rune) bool
		name   string
	}{
		{r.Digit, unicode.IsDigit, "a digit"},
		{r.Upper, unicode.IsUpper, "an upper-case letter"},
		{r.Lower, unicode.IsLower, "a lower-case letter"},
		{r.Special, special, "a special character such as . - ! or #"},
	} {
		if part.wanted && !strings.ContainsFunc(text, part.is) {
			missing = append(missing, part.name)
		}
	}
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "use characters that can be typed"
	case n > Longest || len(text) > longestBytes:
		return fmt.Sprintf("use at most %d characters", Longest)
	case n < r.Length && len(missing) > 0:
		return fmt.Sprintf("use at least %d characters, and %s", r.Length, listed(missing))
	case n < r.Length:
		return fmt.Sprintf("use at least %d characters", r.Length)
	case len(missing) > 0:
		return "it lacks " + listed(missing)
	}
	return ""
}

func special(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) }

// listed gives "a, b and c".
func listed(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}

func refused(why string) error {
	return &halley.Error{Kind: halley.Invalid, Op: "choose a password", Code: "password-refused", Field: "password", Message: why}
}
