package viewerapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"halley"
	"halley/server/access"
	"halley/storage"
)

const (
	// auditUsual and auditMost are how many acts a list holds.
	auditUsual, auditMost = 100, 1000
	// viewsAgain is how long a caller who looks at the same thing again leaves no further act.
	viewsAgain = 10 * halley.Minute
	// viewsMost bounds what is remembered of that.
	viewsMost = 10_000
)

// Audit is the trail of acts.
type Audit interface {
	// NoteAudit keeps an act that changes nothing in the store. It is kept when this returns, also while the store is away.
	NoteAudit(ctx context.Context, e halley.AuditEntry) error
	// AuditWhere lists newest first what a filter lets through; storage.Registry has it.
	AuditWhere(ctx context.Context, f storage.AuditFilter) ([]halley.AuditEntry, error)
}

// auditView is a page of the trail.
type auditView struct {
	Entries []auditEntryView `json:"entries"`
	Next    *string          `json:"next"`
}

// auditEntryView is one act.
type auditEntryView struct {
	ID      int64  `json:"id"`
	At      Time   `json:"at"`
	Who     string `json:"who"`
	Kind    string `json:"kind"`
	Session string `json:"session"`
	What    string `json:"what"`
	On      string `json:"on"`
	Old     string `json:"old"`
	New     string `json:"new"`
	Why     string `json:"why"`
}

// listAudit lists who did what, newest first.
func (a *API) listAudit(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "before", "limit", "who", "what", "on", "from", "to", "organization_id", "sub", "q")
	f := storage.AuditFilter{
		Before: q.number("before", 1, 1<<62, 0), Who: q.text("who", nameRunes), What: q.text("what", nameRunes), On: q.text("on", nameRunes),
	}
	given := q.number("limit", 1, auditMost, 0)
	if q.values.Get("from") != "" {
		f.From = q.instant("from", 0)
	}
	if q.values.Get("to") != "" {
		f.To = q.instant("to", 0)
	}
	if q.err == nil && f.To != 0 && f.From >= f.To {
		q.fail("from", "from must lie before to")
	}
	choice, err := a.auditChoiceOf(r, q)
	if err != nil {
		return err
	}
	if wantsCSV(r.Header.Values("Accept")) {
		return a.writeAuditCSV(w, r, auditExport{f, choice, given})
	}
	if f.Limit = auditUsual; given != 0 {
		f.Limit = int(given)
	}
	entries, next, err := a.auditSeen(r.Context(), rightsOf(r), f, choice)
	if err != nil {
		return err
	}
	page := auditView{Entries: make([]auditEntryView, 0, len(entries))}
	if next != 0 {
		text := strconv.FormatInt(next, 10)
		page.Next = &text
	}
	for i := range entries {
		e := &entries[i]
		by := &e.Change.Actor
		page.Entries = append(page.Entries, auditEntryView{
			ID: e.ID, At: Time(e.Change.At), Who: by.Name, Kind: by.Kind, Session: by.Session, What: e.What, On: e.On, Old: e.Old,
			New: e.New, Why: e.Change.Why,
		})
	}
	return writeJSON(w, page)
}

// auditExport is what to take away: all that filter and choice let through, unless most is above 0.
type auditExport struct {
	storage.AuditFilter
	choice auditChoice
	most   int64
}

// writeAuditCSV streams what is to be taken away. That is itself an act.
func (a *API) writeAuditCSV(w http.ResponseWriter, r *http.Request, x auditExport) error {
	filter, err := auditFilterText(r, x.AuditFilter)
	if err != nil {
		return err
	}
	if x.Limit = auditMost; x.most > 0 {
		x.Limit = int(x.most)
	}
	entries, next, err := a.auditSeen(r.Context(), rightsOf(r), x.AuditFilter, x.choice)
	if err != nil {
		return err
	}
	if x.most > 0 {
		next = 0
	}
	if err := a.noteAct(r, "audit.export", "audit", filter); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="audit.csv"`)
	h.Set("Cache-Control", "no-store")
	if err := a.writeAuditPages(w, r, x, auditPage{entries, next}); err != nil {
		return &begunError{cause: err}
	}
	return nil
}

// auditPage is some of the trail; next is the id below which the next one begins, 0 where there is none.
type auditPage struct {
	entries []halley.AuditEntry
	next    int64
}

// writeAuditPages writes a page and those behind it.
func (a *API) writeAuditPages(w http.ResponseWriter, r *http.Request, x auditExport, page auditPage) error {
	connection := http.NewResponseController(w)
	if err := unhurried(connection); err != nil {
		return err
	}
	var text bytes.Buffer
	c := csv.NewWriter(&text)
	_ = c.Write([]string{"id", "at", "who", "kind", "session", "what", "on", "old", "new", "why"}) // a buffer takes everything
	for {
		for i := range page.entries {
			e := &page.entries[i]
			by := &e.Change.Actor
			_ = c.Write([]string{
				strconv.FormatInt(e.ID, 10), e.Change.At.String(), cellText(by.Name), by.Kind, cellText(by.Session), cellText(e.What),
				cellText(e.On), cellText(e.Old), cellText(e.New), cellText(e.Change.Why),
			})
		}
		c.Flush()
		if err := allow(connection, pageDeadline); err != nil {
			return err
		}
		if _, err := w.Write(text.Bytes()); err != nil {
			return err
		}
		if page.next == 0 {
			return nil
		}
		text.Reset()
		x.Before = page.next
		var err error
		if page.entries, page.next, err = a.auditSeen(r.Context(), rightsOf(r), x.AuditFilter, x.choice); err != nil {
			return err
		}
	}
}

// noteAct notes an act of the caller. It must be noted before it is done.
func (a *API) noteAct(r *http.Request, what, on, details string) error {
	return a.Audit.NoteAudit(r.Context(), halley.AuditEntry{
		Change: change(r, halley.MillisOf(time.Now()), ""), What: what, On: on, New: details,
	})
}

// noteView notes that the caller looks at what a device sent, once for a while for each caller and device.
func (a *API) noteView(r *http.Request, on, details string) error {
	now := halley.MillisOf(time.Now())
	if !a.views.first(callerOf(r)+"\n"+on+"\n"+details, now) {
		return nil
	}
	if err := a.noteAct(r, "upload.read", on, details); err != nil {
		a.views.forget(callerOf(r) + "\n" + on + "\n" + details)
		return err
	}
	return nil
}

// noteExport notes that the caller takes samples away. A program that asks again and again leaves one act for a while.
func (a *API) noteExport(r *http.Request, on string, from, to halley.Millis) error {
	caller, _ := access.CallerFrom(r.Context())
	key := callerOf(r) + "\nexport " + on
	if caller.Kind == access.ByToken && !a.views.first(key, halley.MillisOf(time.Now())) {
		return nil
	}
	err := a.noteAct(r, "samples.export", on, fmt.Sprintf(`{"from":%q,"to":%q}`, from, to))
	if err != nil {
		a.views.forget(key)
	}
	return err
}

// callerOf tells one caller from the others.
func callerOf(r *http.Request) string {
	caller, _ := access.CallerFrom(r.Context())
	return string(caller.Kind) + "\n" + caller.Name + "\n" + caller.Session
}

// views remembers who looked at what lately.
type views struct {
	mu   sync.Mutex
	seen map[string]halley.Millis
}

// first says that this was not seen for a while, and remembers it.
func (v *views) first(key string, now halley.Millis) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if at, ok := v.seen[key]; ok && now >= at && now-at < viewsAgain {
		return false
	}
	if v.seen == nil || len(v.seen) >= viewsMost {
		v.sweep(now)
	}
	v.seen[key] = now
	return true
}

// sweep forgets what is old, and everything where that is not enough: an act too many is better than one too few.
func (v *views) sweep(now halley.Millis) {
	for key, at := range v.seen {
		if now < at || now-at >= viewsAgain {
			delete(v.seen, key)
		}
	}
	if v.seen == nil || len(v.seen) >= viewsMost {
		v.seen = make(map[string]halley.Millis)
	}
}

func (v *views) forget(key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.seen, key)
}
