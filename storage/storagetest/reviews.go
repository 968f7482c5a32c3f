package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"halley"
)

func reviewTests() []test {
	return []test{
		{"the audit trail is marked as reviewed, only forward", reviews},
	}
}

func reviews(t *testing.T, p *plot) {
	p.person(t, "eva")
	p.person(t, "adam")
	acts := p.acts(t)
	want := halley.Review{UpTo: acts[0].ID, Note: "looked at all °"}
	got, err := p.AddReview(t.Context(), want, By("Jana Malá"))
	must(t, "AddReview", err)
	want.ID, want.Who, want.At = got.ID, "Jana Malá", By("").At
	equal(t, "added", want, got)
	again, err := p.AddReview(t.Context(), halley.Review{UpTo: acts[0].ID, Who: "mallory"}, at(halley.Hour, ""))
	must(t, "a second person", err)
	equal(t, "who and when", []any{"eva", By("").At + halley.Hour}, []any{again.Who, again.At})
	later, err := p.AddReview(t.Context(), halley.Review{UpTo: acts[1].ID}, By("eva"))
	must(t, "a later one", err)
	_, err = p.AddReview(t.Context(), halley.Review{UpTo: acts[0].ID}, By("eva"))
	wantCode(t, "one before the last", err, halley.Conflict, "reviewed-already")
	_, err = p.AddReview(t.Context(), halley.Review{UpTo: 1 << 40}, By("eva"))
	wantCode(t, "an entry that is not there", err, halley.Conflict, "no-such-entry")
	_, err = p.AddReview(t.Context(), halley.Review{UpTo: acts[1].ID, Note: strings.Repeat("é", 4001)}, By("eva"))
	wantKind(t, "a note too long", err, halley.Invalid)
	p.reopen(t)
	list, err := p.Reviews(t.Context(), 3)
	must(t, "Reviews", err)
	equal(t, "reviews", []halley.Review{later, again, want}, list)
	list, err = p.Reviews(t.Context(), 1)
	must(t, "Reviews", err)
	equal(t, "the newest", []halley.Review{later}, list)
	equal(t, "audit", []string{"person.add", "person.add", "audit.review", "audit.review", "audit.review"}, p.whats(t))
	equal(t, "acted on", fmt.Sprintf("audit %d", acts[0].ID), p.acts(t)[2].On)
}
