package halley_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"halley"
)

func TestUniteSpans(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ give, want []halley.Span }{
		"none of none":                     {nil, nil},
		"empty ones go":                    {[]halley.Span{{From: 5, To: 5}, {From: 7, To: 6}}, nil},
		"apart they stay, by time":         {[]halley.Span{{From: 7, To: 9}, {From: 1, To: 3}}, []halley.Span{{From: 1, To: 3}, {From: 7, To: 9}}},
		"those that touch are one":         {[]halley.Span{{From: 3, To: 5}, {From: 1, To: 3}}, []halley.Span{{From: 1, To: 5}}},
		"those that overlap are one":       {[]halley.Span{{From: 1, To: 4}, {From: 3, To: 5}, {From: 6, To: 7}}, []halley.Span{{From: 1, To: 5}, {From: 6, To: 7}}},
		"one in another one adds nothing":  {[]halley.Span{{From: 1, To: 9}, {From: 3, To: 5}, {From: 8, To: 10}}, []halley.Span{{From: 1, To: 10}}},
		"an empty one joins no neighbours": {[]halley.Span{{From: 1, To: 3}, {From: 4, To: 4}, {From: 5, To: 6}}, []halley.Span{{From: 1, To: 3}, {From: 5, To: 6}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := append([]halley.Span(nil), tt.give...)
			if diff := cmp.Diff(tt.want, halley.UniteSpans(tt.give...), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("united (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(given, tt.give); diff != "" {
				t.Errorf("what was given changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestSpansAmongOthers(t *testing.T) {
	t.Parallel()
	others := []halley.Span{{From: 10, To: 20}, {From: 30, To: 40}}
	tests := map[string]struct {
		span             halley.Span
		overlaps, within bool
	}{
		"before all":        {halley.Span{From: 1, To: 10}, false, false},
		"over the edge":     {halley.Span{From: 9, To: 11}, true, false},
		"the whole of one":  {halley.Span{From: 10, To: 20}, true, true},
		"a part of one":     {halley.Span{From: 31, To: 39}, true, true},
		"between":           {halley.Span{From: 20, To: 30}, false, false},
		"from one to other": {halley.Span{From: 15, To: 35}, true, false},
		"behind all":        {halley.Span{From: 40, To: 50}, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.span.Overlaps(others); got != tt.overlaps {
				t.Errorf("overlaps: %v, want %v", got, tt.overlaps)
			}
			if got := tt.span.Within(others); got != tt.within {
				t.Errorf("within: %v, want %v", got, tt.within)
			}
		})
	}
}
