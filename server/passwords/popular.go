package passwords

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// commonList is testdata/common.txt, compressed by the test of this file with -update.
//
//go:embed common.txt.gz
var commonList []byte

// common gives the list as a set, folded.
var common = sync.OnceValue(func() map[string]bool {
	text, err := unpack(commonList)
	if err != nil {
		// The list is a part of the program and a test reads it.
		panic(fmt.Sprintf("the list of common passwords cannot be read: %v", err))
	}
	set := make(map[string]bool)
	for line := range strings.Lines(text) {
		if word := strings.TrimSpace(line); word != "" && !strings.HasPrefix(word, "#") {
			set[word] = true
		}
	}
	return set
})

func unpack(packed []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

// folded gives a text without regard to case and to how its letters are composed.
func folded(s string) string { return cases.Fold().String(norm.NFKC.String(s)) }

// looksLike undoes what people write for letters. What may stand for two letters is tried as both.
var looksLike = []*strings.Replacer{
	strings.NewReplacer("0", "o", "1", "i", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "+", "t", "8", "b", "9", "g", "€", "e"),
	strings.NewReplacer("0", "o", "1", "l", "!", "l", "|", "l", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "+", "t", "6", "b", "2", "z"),
}

// isCommon says that a password is on the list, or a word of the list with nothing but what people put before and behind one.
func isCommon(text string) bool {
	word := folded(text)
	set := common()
	if set[word] || monotonous(word) {
		return true
	}
	core, tail := parted(word)
	if set[core] && usual(tail) {
		return true
	}
	for _, letters := range looksLike {
		plain := letters.Replace(word)
		if set[plain] || set[letters.Replace(core)] && usual(tail) {
			return true
		}
		// Signs that stand for letters may be at the ends too.
		for _, piece := range trimmings(word) {
			if set[letters.Replace(piece)] {
				return true
			}
		}
	}
	return false
}

// parted takes from both ends of a word what is no letter, and gives that apart.
func parted(word string) (core, tail string) {
	core = strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) })
	if core == "" {
		return word, ""
	}
	before, behind, _ := strings.Cut(word, core)
	return core, before + behind
}

// trimmings gives a word without one to four characters at its end that are usual there.
func trimmings(word string) []string {
	var list []string
	rest := word
	for range 4 {
		last, size := utf8.DecodeLastRuneInString(rest)
		if size == 0 || unicode.IsLetter(last) {
			break
		}
		rest = rest[:len(rest)-size]
		if utf8.RuneCountInString(rest) >= 4 && usual(word[len(rest):]) {
			list = append(list, rest)
		}
	}
	return list
}

// usual says that a text is what people put before or behind a word to please a rule: up to three signs, and two digits, a year, or
// digits in a row or all alike.
func usual(tail string) bool {
	const mostSigns, mostDigits = 3, 2
	var digits strings.Builder
	signs := 0
	for _, r := range tail {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case unicode.IsLetter(r):
			return false
		default:
			signs++
		}
	}
	d := digits.String()
	if signs > mostSigns {
		return false
	}
	year := len(d) == 4 && (d[:2] == "19" || d[:2] == "20")
	const up, down = "01234567890", "09876543210"
	row := strings.Contains(up, d) || strings.Contains(down, d)
	return len(d) <= mostDigits || year || row || strings.Trim(d, d[:1]) == ""
}

// monotonous says that a text repeats three characters or fewer.
func monotonous(text string) bool {
	const few = 3
	seen := make(map[rune]bool)
	for _, r := range text {
		if seen[r] = true; len(seen) > few {
			return false
		}
	}
	return true
}

// isOwnName says that little is left of a password without the names of the person and of Halley.
func isOwnName(text string, about []string) bool {
	const shortest, enough = 3, 6
	word := folded(text)
	names := []string{"halley"}
	for _, name := range about {
		key := folded(name)
		names = append(names, key)
		names = append(names, strings.FieldsFunc(key, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	for _, form := range []string{word, looksLike[0].Replace(word), looksLike[1].Replace(word)} {
		rest, found := form, false
		for _, name := range names {
			if utf8.RuneCountInString(name) >= shortest && strings.Contains(rest, name) {
				rest, found = strings.ReplaceAll(rest, name, ""), true
			}
		}
		// What is left counts as it was typed: digits and signs there are no letters.
		if found && (utf8.RuneCountInString(rest) < enough || usual(rest)) {
			return true
		}
	}
	return false
}
