package completeness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Words says a report in one line of plain English, for any document: "99.8 % of 8,640 expected messages; 12 missing, 3 of them while
// the server was down". The percentage is rounded down, so that 100 % means that nothing is missing.
func (r *Report) Words() string {
	var b strings.Builder
	switch {
	case r.Expected == 0:
		b.WriteString("no messages were expected")
	case r.Missing == 0:
		fmt.Fprintf(&b, "100 %% of %s; none missing", counted(r.Expected, "expected message"))
	default:
		thousandth := r.Received * 1000 / r.Expected
		fmt.Fprintf(&b, "%d.%d %% of %s; %s missing", thousandth/10, thousandth%10,
			counted(r.Expected, "expected message"), thousands(r.Missing))
		b.WriteString(r.why())
	}
	if r.Late > 0 {
		fmt.Fprintf(&b, "; %s came late", thousands(r.Late))
	}
	if r.Uncertain > 0 {
		fmt.Fprintf(&b, "; up to %s more may be missing, for the interval changed", thousands(r.Uncertain))
	}
	return b.String()
}

// why says the causes of what is missing: proven ones first, what is not known last.
func (r *Report) why() string {
	type said struct {
		cause Cause
		by    string
	}
	sums := map[said]int64{}
	var people []string
	for _, g := range r.Gaps {
		k := said{g.Cause, g.By}
		if _, ok := sums[k]; !ok && g.By != "" {
			people = append(people, g.By)
		}
		sums[k] += g.Messages
	}
	var parts []string
	for _, c := range []Cause{ServerDown, ServerRefused, Quarantined, NoNetwork, RestartOrOff, SwitchedOff, CacheCleared, OrderGap} {
		if n := sums[said{c, ""}]; n > 0 {
			parts = append(parts, thousands(n)+" of them "+c.words())
		}
		for i, by := range people {
			if n := sums[said{c, by}]; n > 0 && !slices.Contains(people[:i], by) {
				parts = append(parts, fmt.Sprintf("%s of them %s (as %s says)", thousands(n), c.words(), by))
			}
		}
	}
	switch n := sums[said{Unknown, ""}]; {
	case n > 0 && n == r.Missing:
		return " for a reason that is not known"
	case n > 0:
		parts = append(parts, thousands(n)+" of them for a reason that is not known")
	}
	if len(parts) == 0 {
		return ""
	}
	return ", " + strings.Join(parts, ", ")
}

// words continues "3 of them ...".
func (c Cause) words() string {
	switch c {
	case NoNetwork:
		return "while the device had no network"
	case ServerRefused:
		return "while the server could not store"
	case ServerDown:
		return "while the server was down"
	case RestartOrOff:
		return "before the device restarted, which may have been off"
	case SwitchedOff:
		return "while the device was switched off"
	case CacheCleared:
		return "when the device's configuration was changed, which clears its memory"
	case Quarantined:
		return "received and waiting in quarantine"
	case IntervalChanged:
		return "where the interval changed"
	case OrderGap:
		return "numbered by the device and never received"
	case Unknown:
	}
	return "for a reason that is not known"
}

// counted gives a number with its noun.
func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

// thousands writes a number from 0 on with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
