package viewerapi

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"halley"
	"halley/server/access"
)

const (
	// refusalsAgain is how long a caller who is refused the same operation again leaves no further act.
	refusalsAgain = halley.Minute
	// refusalsMost bounds what is remembered of that.
	refusalsMost = 10_000
)

// refusals counts who was refused what lately, so that nobody fills the disk with refusals.
type refusals struct {
	mu   sync.Mutex
	seen map[string]refusal
}

// refusal is when an act was left of it, and how many there were since that one does not tell of.
type refusal struct {
	at    halley.Millis
	count int
}

// tell counts a refusal, and gives how many an act is to tell of; 0 for none now.
func (f *refusals) tell(key string, now halley.Millis) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	last, known := f.seen[key]
	if known && now >= last.at && now-last.at < refusalsAgain {
		last.count++
		f.seen[key] = last
		return 0
	}
	if !known && len(f.seen) >= refusalsMost {
		for k, s := range f.seen {
			if now < s.at || now-s.at >= refusalsAgain {
				delete(f.seen, k)
			}
		}
		if len(f.seen) >= refusalsMost {
			clear(f.seen) // An act too many is better than one too few.
		}
	}
	if f.seen == nil {
		f.seen = make(map[string]refusal)
	}
	f.seen[key] = refusal{at: now}
	return last.count + 1
}

// noteRefusal notes that the caller was refused something that changes something, once a minute for each caller and operation. It
// was refused whether or not that can be noted.
func (a *API) noteRefusal(r *http.Request, op *operation, err error) {
	kind := halley.KindOf(err)
	if kind != halley.Forbidden && kind != halley.NotFound {
		return
	}
	caller, _ := access.CallerFrom(r.Context())
	now := halley.MillisOf(time.Now())
	count := a.refusals.tell(string(caller.Kind)+"\n"+caller.Name+"\n"+op.ID, now)
	if count == 0 {
		return
	}
	on := "operation " + op.ID
	if t, ok := pathThing(r, op.Scope); ok && t.id > 0 {
		on = t.String()
	}
	details, merr := json.Marshal(struct {
		Operation string `json:"operation"`
		Status    int    `json:"status"`
		Code      string `json:"code"`
		Count     int    `json:"count"`
	}{op.ID, problemOf(err).Status, problemOf(err).Code, count})
	if merr == nil {
		merr = a.Audit.NoteAudit(r.Context(), halley.AuditEntry{
			Change: change(r, now, ""), What: "access.refuse", On: on, New: string(details),
		})
	}
	if merr != nil {
		a.Log.LogAttrs(r.Context(), slog.LevelError, "a refusal could not be audited",
			slog.String("operation", op.ID), slog.String("error", merr.Error()))
	}
}
