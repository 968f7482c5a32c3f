package viewerapi

import (
	"net/http"
	"time"

	"halley"
)

// completenessView says how complete the messages of a device, or of a place, are over a period.
type completenessView struct {
	From       Time      `json:"from"`
	To         Time      `json:"to"`
	Expected   int64     `json:"expected"`
	Received   int64     `json:"received"`
	Late       int64     `json:"late"`
	Missing    int64     `json:"missing"`
	Uncertain  int64     `json:"uncertain"`
	Duplicates int64     `json:"duplicates"`
	Conflicts  int64     `json:"conflicts"`
	Extra      int64     `json:"extra"`
	Gaps       []gapView `json:"gaps"`
}

// gapView is a span in which messages are missing.
type gapView struct {
	From     Time   `json:"from"`
	To       Time   `json:"to"`
	Messages int64  `json:"messages"`
	Cause    string `json:"cause"`
	*saidView
}

// saidView says which person gave a cause, when and with which note.
type saidView struct {
	Note string `json:"note"`
	By   string `json:"by"`
	At   Time   `json:"at"`
}

// getCompleteness counts what should have come of a device in a period and what came, of the times in which it was where the caller may
// see values. 404 where the device is not there.
func (a *API) getCompleteness(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "from", "to")
	from, to := q.span(halley.MillisOf(time.Now()))
	if q.err != nil {
		return q.err
	}
	d, err := a.pathDevice(r)
	if err != nil {
		return err
	}
	var total CompletenessReport
	for _, s := range deviceSpans(rightsOf(r), halley.PermitSampleRead, d.ID, halley.Span{From: from, To: to}) {
		c, err := a.Completeness.Completeness(r.Context(), d, s.From, s.To)
		if err != nil {
			return err
		}
		total.add(&c)
	}
	return writeCompleteness(w, &total, from, to)
}

// add adds the report on a later time. Duplicates and conflicts are counted by whole days: of a day that belongs to both they count twice.
func (c *CompletenessReport) add(later *CompletenessReport) {
	c.Expected, c.Received, c.Late = c.Expected+later.Expected, c.Received+later.Received, c.Late+later.Late
	c.Missing, c.Uncertain, c.Extra = c.Missing+later.Missing, c.Uncertain+later.Uncertain, c.Extra+later.Extra
	c.Duplicates, c.Conflicts = c.Duplicates+later.Duplicates, c.Conflicts+later.Conflicts
	c.Gaps = append(c.Gaps, later.Gaps...)
}

// getPlaceCompleteness counts what should have come of the devices of a place while they were there, and what came. 404 where the
// place is not there.
func (a *API) getPlaceCompleteness(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "from", "to")
	from, to := q.span(halley.MillisOf(time.Now()))
	if q.err != nil {
		return q.err
	}
	id, err := pathID(r)
	if err != nil {
		return err
	}
	c, err := a.Completeness.PlaceCompleteness(r.Context(), halley.PlaceID(id), from, to)
	if err != nil {
		return err
	}
	return writeCompleteness(w, &c, from, to)
}

// writeCompleteness answers with a report.
func writeCompleteness(w http.ResponseWriter, c *CompletenessReport, from, to halley.Millis) error {
	v := completenessView{
		From: Time(from), To: Time(to), Expected: c.Expected, Received: c.Received, Late: c.Late, Missing: c.Missing,
		Uncertain: c.Uncertain, Duplicates: c.Duplicates, Conflicts: c.Conflicts, Extra: c.Extra,
		Gaps: make([]gapView, 0, len(c.Gaps)),
	}
	for _, g := range c.Gaps {
		view := gapView{From: Time(g.From), To: Time(g.To), Messages: g.Messages, Cause: g.Cause}
		if g.By != "" {
			view.saidView = &saidView{Note: g.Note, By: g.By, At: Time(g.At)}
		}
		v.Gaps = append(v.Gaps, view)
	}
	return writeJSON(w, v)
}
