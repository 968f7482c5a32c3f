package viewerapi

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"halley"
	"halley/server/access"
	"halley/storage"
)

const (
	// reviewsMost is how many reviews a list holds; unreviewedMost is where the count of acts that nobody looked at ends.
	reviewsMost, unreviewedMost = 100, 10_000
)

// reviewView is a mark on the audit trail.
type reviewView struct {
	ID   int64  `json:"id"`
	UpTo int64  `json:"up_to"`
	At   Time   `json:"at"`
	Who  string `json:"who"`
	Note string `json:"note"`
}

func newReviewView(r halley.Review) reviewView {
	return reviewView{ID: r.ID, UpTo: r.UpTo, At: Time(r.At), Who: r.Who, Note: r.Note}
}

// listReviews lists the marks on the audit trail, newest first, and how many acts came after the newest.
func (a *API) listReviews(w http.ResponseWriter, r *http.Request) error {
	if q := newQuery(r); q.err != nil {
		return q.err
	}
	reviews, err := a.People.Records.Reviews(r.Context(), reviewsMost)
	if err != nil {
		return err
	}
	page := struct {
		Reviews    []reviewView `json:"reviews"`
		Unreviewed int64        `json:"unreviewed"`
	}{Reviews: make([]reviewView, 0, len(reviews))}
	all := rightsOf(r).Everywhere(halley.PermitAuditRead)
	for _, review := range reviews {
		if !all {
			review.Note = "" // It is of the whole trail, and may name what this caller must not know of.
		}
		page.Reviews = append(page.Reviews, newReviewView(review))
	}
	var upTo int64
	if len(reviews) > 0 {
		upTo = reviews[0].UpTo
	}
	if page.Unreviewed, err = a.unreviewed(r, upTo, all); err != nil {
		return err
	}
	return writeJSON(w, page)
}

// unreviewed counts the acts behind an entry that the caller may see, as far as unreviewedMost.
func (a *API) unreviewed(r *http.Request, upTo int64, all bool) (n int64, err error) {
	f := storage.AuditFilter{Limit: 1}
	if all {
		newest, err := a.Audit.AuditWhere(r.Context(), f)
		if err != nil || len(newest) == 0 {
			return 0, err
		}
		return min(max(newest[0].ID-upTo, 0), unreviewedMost), nil // Acts are numbered from 1 without gaps.
	}
	rights := rightsOf(r)
	f.Limit = auditLooked
	var c auditChoice
	if c.tokens, err = a.nodesOfTokens(r.Context()); err != nil {
		return 0, err
	}
	for range unreviewedMost / auditLooked {
		page, err := a.Audit.AuditWhere(r.Context(), f)
		if err != nil {
			return 0, err
		}
		for i := range page {
			if page[i].ID <= upTo {
				return n, nil
			}
			if c.lets(rights, &page[i]) {
				n++
			}
		}
		if len(page) < f.Limit {
			break
		}
		f.Before = page[len(page)-1].ID
	}
	return n, nil
}

// addReview marks the audit trail as looked through up to an entry. 409 where there is none, or a later one is marked.
func (a *API) addReview(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		UpTo int64  `json:"up_to"`
		Note string `json:"note"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	switch {
	case in.UpTo < 1:
		return invalid("up_to", "name the entry up to which the trail was looked through")
	case utf8.RuneCountInString(in.Note) > whyRunes || strings.ContainsFunc(in.Note, unprintable):
		return invalid("note", "write at most 1000 characters without control characters")
	}
	caller, _ := access.CallerFrom(r.Context())
	now := halley.MillisOf(time.Now())
	review, err := a.People.Records.AddReview(r.Context(), halley.Review{UpTo: in.UpTo, At: now, Who: caller.Name, Note: in.Note}, change(r, now, ""))
	if err != nil {
		return err
	}
	return writeCreated(w, newReviewView(review))
}
