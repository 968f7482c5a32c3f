package halley

import (
	"cmp"
	"slices"
)

// Span is a half-open span of time: From lies in it, To does not.
type Span struct{ From, To Millis }

// Overlaps says whether s has an instant in common with one of some spans. None of them may be empty.
func (s Span) Overlaps(spans []Span) bool {
	return slices.ContainsFunc(spans, func(o Span) bool { return s.From < o.To && o.From < s.To })
}

// Within says whether the whole of s lies in one of some spans. UniteSpans joins those of which it could lie in several.
func (s Span) Within(spans []Span) bool {
	return slices.ContainsFunc(spans, func(o Span) bool { return s.From >= o.From && s.To <= o.To })
}

// UniteSpans gives what lies in any of some spans, as a new list: by From, without empty ones, and those that touch or overlap as one.
func UniteSpans(spans ...Span) []Span {
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
