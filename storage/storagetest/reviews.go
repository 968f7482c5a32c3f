package storagetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"halley"
	"halley/storage"
)

func reviewTests() []test {
	return []test{
		{"the audit trail is marked as reviewed, only forward", reviews},
		{"acts are numbered without a gap, whatever fails between them", actNumbers},
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

// actNumbers has several write at once, of whom some fail. What counts acts by their numbers, as the review does, relies on it.
func actNumbers(t *testing.T, p *plot) {
	const writers, each = 4, 5
	var wait sync.WaitGroup
	for n := range writers {
		wait.Go(func() {
			for i := range each {
				if err := p.NoteAudit(t.Context(), halley.AuditEntry{Change: By("eva"), What: "proof.run", On: p.name("act")}); err != nil {
					t.Errorf("NoteAudit: %v", err)
				}
				over, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					cancel()
				}
				_, err := p.CreateToken(over, storage.Token{
					Name: p.name("token"), Hash: p.hash(byte(n*each + i)), Role: halley.Reader, OrganizationID: 1 << 40,
				}, By("eva"))
				cancel()
				if err == nil {
					t.Error("a token of an organization that is not there was made")
				}
			}
		})
	}
	wait.Wait()
	for i, act := range p.acts(t) {
		if want := p.lastAct + 1 + int64(i); act.ID != want {
			t.Fatalf("act %d has the number %d, want %d", i, act.ID, want)
		}
	}
	if n := len(p.acts(t)); n != writers*each {
		t.Errorf("%d acts, want %d", n, writers*each)
	}
}
