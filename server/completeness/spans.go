package completeness

import "halley"

// common gives what lies in both of two lists that halley.UniteSpans gave.
func common(a, b []halley.Span) []halley.Span {
	var out []halley.Span
	for i, j := 0, 0; i < len(a) && j < len(b); {
		s := halley.Span{From: max(a[i].From, b[j].From), To: min(a[i].To, b[j].To)}
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

// outside gives what lies in none of the spans of a list that halley.UniteSpans gave.
func outside(list []halley.Span) []halley.Span {
	var out []halley.Span
	from := halley.Millis(0)
	for _, s := range list {
		if from < s.From {
			out = append(out, halley.Span{From: from, To: s.From})
		}
		from = max(from, s.To)
	}
	return append(out, halley.Span{From: from, To: halley.LatestMillis})
}
