package evidence

import (
	"strconv"
	"strings"
	"unicode"

	"halley"
)

// plain gives a text for people: what does not show, or changes how its neighbours show, is written as an escape. Names that devices
// send are hostile.
func plain(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func hidden(r rune) bool { return r != ' ' && !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) }

// field gives a text for a field of CSV. What a spreadsheet would take for a formula is kept from being one.
func field(s string) string {
	s = plain(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

// quoted gives a text as a field of CSV that is written by hand.
func quoted(s string) string {
	s = field(s)
	if strings.ContainsAny(s, ",\"") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// number gives a value with as many digits as it needs.
func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func whole[N ~int | ~int64 | ~int32 | ~uint64](n N) string { return strconv.FormatInt(int64(n), 10) }

// until gives the end of a span, which may last.
func until(at halley.Millis) string {
	if at >= halley.LatestMillis {
		return ""
	}
	return at.String()
}

// yesNo is how a truth is written in CSV.
func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// safeName gives a name that every file system takes: letters, digits and hyphens of ASCII, 40 at most.
func safeName(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case b.Len() >= 40:
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.TrimSuffix(b.String(), "-")
	if name == "" {
		return "place"
	}
	return name
}
