package viewerapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

// gapCauseView is why messages of a device are missing in a span, as a person said.
type gapCauseView struct {
	ID    int64  `json:"id"`
	From  Time   `json:"from"`
	To    Time   `json:"to"`
	Cause string `json:"cause"`
	saidView
}

func viewOfGapCause(g storage.GapCause) gapCauseView {
	return gapCauseView{
		ID: g.ID, From: Time(g.From), To: Time(g.To), Cause: g.Cause, saidView: saidView{Note: g.Note, By: g.By, At: Time(g.At)},
	}
}

// listGapCauses lists what people said of a period of a device, in the order in which they said it, as far as the device was then where
// the caller may see values. 404 where the device is not there.
func (a *API) listGapCauses(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "from", "to")
	from, to := q.instant("from", halley.EarliestMillis), q.instant("to", halley.LatestMillis)
	if q.err != nil {
		return q.err
	}
	d, err := a.pathDevice(r)
	if err != nil {
		return err
	}
	list, err := a.Completeness.GapCauses(r.Context(), d.ID, from, to)
	if err != nil {
		return err
	}
	seen := deviceSpans(rightsOf(r), halley.PermitSampleRead, d.ID, halley.Span{From: halley.EarliestMillis, To: halley.LatestMillis})
	views := make([]gapCauseView, 0, len(list))
	for _, g := range list {
		if !(halley.Span{From: g.From, To: g.To}).Overlaps(seen) {
			continue
		}
		views = append(views, viewOfGapCause(g))
	}
	return writeJSON(w, struct {
		GapCauses []gapCauseView `json:"gap_causes"`
	}{views})
}

// addGapCause notes why messages of a device are missing in a span, signed by the caller. 404 where the device is not there.
func (a *API) addGapCause(w http.ResponseWriter, r *http.Request) error {
	d, err := a.pathDevice(r)
	if err != nil {
		return err
	}
	var in struct {
		From  string `json:"from"`
		To    string `json:"to"`
		Cause string `json:"cause"`
		Note  string `json:"note"`
	}
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	g := storage.GapCause{Device: d.ID, Cause: in.Cause, Note: strings.TrimSpace(in.Note)}
	if g.From, err = bodyInstant("from", in.From); err != nil {
		return err
	}
	if g.To, err = bodyInstant("to", in.To); err != nil {
		return err
	}
	if g.From >= g.To {
		return invalid("from", "from must lie before to")
	}
	if err = checkGapCause(&g); err != nil {
		return err
	}
	may := deviceSpans(rightsOf(r), halley.PermitGapExplain, d.ID, halley.Span{From: halley.EarliestMillis, To: halley.LatestMillis})
	if !(halley.Span{From: g.From, To: g.To}).Within(may) {
		return &halley.Error{
			Kind: halley.Forbidden, Op: "explain a gap", Code: "permission-missing", Field: "from",
			Message: "the device was elsewhere in a part of this time: explain only when it was at your places",
		}
	}
	g, err = a.Completeness.AddGapCause(r.Context(), g, change(r, halley.MillisOf(time.Now()), g.Note))
	if err != nil {
		return err
	}
	return writeCreated(w, viewOfGapCause(g))
}

// bodyInstant reads an instant of a body.
func bodyInstant(field, text string) (halley.Millis, error) {
	m, err := halley.ParseMillis(text)
	if err != nil || !m.Storable() {
		return 0, invalid(field, "write a time as 2026-11-21T14:16:00Z")
	}
	return m, nil
}

// checkGapCause checks what a person says.
func checkGapCause(g *storage.GapCause) error {
	switch {
	case !completeness.Cause(g.Cause).Sayable():
		return invalid("cause",
			"write one of no-network, server-refused, server-down, restart-or-off, switched-off, cache-cleared; unknown takes back what was said")
	case g.Note == "" && g.Cause == string(completeness.SwitchedOff):
		return &halley.Error{
			Kind: halley.Invalid, Op: "read the request", Code: "reason-required", Field: "note",
			Message: "say who switched it off and why, in 1 to 500 characters",
		}
	case utf8.RuneCountInString(g.Note) > reasonRunes || strings.ContainsFunc(g.Note, unprintable):
		return invalid("note", "write a note of at most 500 characters without control characters")
	}
	return nil
}

// writeCreated answers 201 with what was made.
func writeCreated(w http.ResponseWriter, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	return writeBody(w, "application/json", text)
}
