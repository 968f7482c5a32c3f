package completeness

import (
	"cmp"
	"slices"

	"halley"
)

// united gives what lies in any of some spans: by From, without overlaps and empty ones.
func united(spans ...Span) []Span {
	list := slices.DeleteFunc(slices.Clone(spans), func(s Span) bool { return s.From >= s.To })
	slices.SortFunc(list, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	out := list[:0]
	for _, s := range list {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// common gives what lies in both of two lists that united gave.
func common(a, b []Span) []Span {
	var out []Span
	for i, j := 0, 0; i < len(a) && j < len(b); {
		s := Span{max(a[i].From, b[j].From), min(a[i].To, b[j].To)}
		if s.From < s.To {
			out = append(out, s)
		}
		if a[i].To < b[j].To {
			i++
		} else {
			j++
		}
	}
	return out
}

// outside gives what lies in none of the spans of a list that united gave.
func outside(list []Span) []Span {
	var out []Span
	from := halley.Millis(0)
	for _, s := range list {
		if from < s.From {
			out = append(out, Span{from, s.From})
		}
		from = max(from, s.To)
	}
	return append(out, Span{from, halley.LatestMillis})
}
