package websensor

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of texts, in bytes of UTF-8. Known device names have at most 68 (SDK text xml.txt, T3610-MIB).
const (
	maxSerial   = 32
	maxName     = 128
	maxForm     = 64
	maxQuantity = 64
	maxUnit     = 32
	maxRemark   = 200
	maxRemarks  = 32
	// maxShown is how much of a body's text an error or a remark shows.
	maxShown = 40
)

// clean gives a text of the body as a valid one: bytes that are no UTF-8 and NUL become U+FFFD, and what is beyond the bound
// is cut at a character.
func clean(b []byte, limit int) string {
	plain := len(b) <= limit
	for _, c := range b {
		if c == 0 || c >= utf8.RuneSelf {
			plain = false
		}
	}
	if plain {
		return string(b)
	}
	// A character has at most four bytes, so that nothing behind the bound counts.
	s := strings.ToValidUTF8(string(b[:min(len(b), limit+utf8.UTFMax)]), "\uFFFD")
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	return cutAt(s, limit)
}

// cutAt cuts s to at most limit bytes, at a character.
func cutAt(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// shown gives a name of the body for an error.
func shown(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	s := strconv.Quote(clean(b, maxShown))
	return s[1 : len(s)-1]
}

// quoted gives a text of the body for an error or a remark.
func quoted(b []byte) string { return strconv.Quote(clean(b, maxShown)) }

// isPrintable says whether a serial number can be shown as it is.
func isPrintable(s string) bool {
	for _, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// notAvailable says whether a text stands for no value at all.
func notAvailable(b []byte) bool {
	return len(b) == 0 || bytes.EqualFold(b, []byte("n/a")) || bytes.EqualFold(b, []byte("NA"))
}

// decimal reads a decimal number with a dot: its value and how many digits stand behind the dot.
func decimal(b []byte) (value float64, decimals int, ok bool) {
	if !isDecimal(b) {
		return 0, 0, false
	}
	if _, fraction, found := bytes.Cut(b, []byte(".")); found {
		decimals, _ = digits(fraction)
	}
	value, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsInf(value, 0) {
		return 0, 0, false
	}
	return withoutMinusZero(value), min(decimals, maxDecimals), true
}

// maxDecimals is how many decimal places a channel may have.
const maxDecimals = 10

// longestNumber bounds a number; a double has at most 24 characters, printed in full precision.
const longestNumber = 64

// isDecimal holds ParseFloat, which reads words and hexadecimal numbers too, to [+-]digits[.digits][e[+-]digits].
func isDecimal(b []byte) bool {
	if len(b) > longestNumber {
		return false
	}
	b = sign(b)
	whole, b := digits(b)
	fraction := 0
	if len(b) > 0 && b[0] == '.' {
		fraction, b = digits(b[1:])
	}
	if whole+fraction == 0 {
		return false
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		exponent, rest := digits(sign(b[1:]))
		return exponent > 0 && len(rest) == 0
	}
	return len(b) == 0
}

func sign(b []byte) []byte {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		return b[1:]
	}
	return b
}

func digits(b []byte) (count int, rest []byte) {
	for count < len(b) && b[count] >= '0' && b[count] <= '9' {
		count++
	}
	return count, b[count:]
}

func withoutMinusZero(v float64) float64 {
	if v == 0 {
		return 0
	}
	return v
}

// whole reads a whole number from 0 up to a bound.
func whole(b []byte, limit int) (int, bool) {
	if n, rest := digits(b); n == 0 || n > 9 || len(rest) > 0 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n, n <= limit
}

// errorNumber reads "Err3", "Error 3" and the like.
func errorNumber(b []byte) (uint8, bool) {
	for _, word := range []string{"error", "err"} {
		if len(b) > len(word) && bytes.EqualFold(b[:len(word)], []byte(word)) {
			n, ok := whole(trim(b[len(word):]), math.MaxUint8)
			return uint8(n), ok
		}
	}
	return 0, false
}
