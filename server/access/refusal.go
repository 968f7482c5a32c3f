package access

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"halley"
)

const (
	// refusalEvery is how often one pair leaves an audit row, mostRefusals how many rows all leave in that time together: so nobody
	// fills the disk by failing. What is not written is counted in the next row.
	refusalEvery = time.Minute
	mostRefusals = 30
	// refusalsKept bounds the pairs whose rows wait.
	refusalsKept = 1000
)

// refusals gather sign-ins that failed until their audit row is due.
type refusals struct {
	mu sync.Mutex
	of map[pair]refused
	// since is when the present minute began, written how many rows were written in it, others how many refusals no row names.
	since   time.Time
	written int
	others  int
}

// refused is what waits of a pair.
type refused struct {
	count int
	// due is when a row may be written.
	due time.Time
}

func newRefusals() *refusals { return &refusals{of: make(map[pair]refused)} }

// refusalRow is one that is due.
type refusalRow struct {
	name          string
	count, others int
}

// add counts a refusal of a pair and gives the row where one may be written now.
func (r *refusals) add(p pair, now time.Time) (refusalRow, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting, known := r.of[p]
	if !known && len(r.of) >= refusalsKept {
		r.sweep(now)
	}
	if !known && len(r.of) >= refusalsKept {
		r.others++
		return refusalRow{}, false
	}
	waiting.count++
	r.of[p] = waiting
	return r.row(p, now)
}

// row gives the row of a pair where it is due and the minute has room.
func (r *refusals) row(p pair, now time.Time) (refusalRow, bool) {
	waiting := r.of[p]
	if waiting.count == 0 || now.Before(waiting.due) {
		return refusalRow{}, false
	}
	if now.Sub(r.since) >= refusalEvery {
		r.since, r.written = now, 0
	}
	if r.written >= mostRefusals {
		return refusalRow{}, false
	}
	r.written++
	row := refusalRow{name: p.name, count: waiting.count, others: r.others}
	r.others = 0
	r.of[p] = refused{due: now.Add(refusalEvery)}
	return row, true
}

// due gives all rows that may be written now.
func (r *refusals) due(now time.Time) []refusalRow {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rows []refusalRow
	for p := range r.of {
		if row, ok := r.row(p, now); ok {
			rows = append(rows, row)
		}
	}
	r.sweep(now)
	return rows
}

// sweep forgets pairs of which nothing waits.
func (r *refusals) sweep(now time.Time) {
	for p, waiting := range r.of {
		if waiting.count == 0 && !now.Before(waiting.due) {
			delete(r.of, p)
		}
	}
}

// NoteRefused has the audit trail say that a sign-in elsewhere was refused, of "" where nobody knows whose it was.
func (a *Access) NoteRefused(ctx context.Context, name string, v Visitor) {
	a.noteRefusal(ctx, newPair(name, v))
}

// noteRefusal notes in the audit that a sign-in was refused: at most a row a minute for each name and address.
func (a *Access) noteRefusal(ctx context.Context, p pair) {
	if row, ok := a.refusals.add(p, time.Now()); ok {
		a.writeRefusal(ctx, row)
	}
}

// writeRefusal writes one row. The address is not in it, for the audit trail is never erased.
func (a *Access) writeRefusal(ctx context.Context, row refusalRow) {
	on := "sign-in"
	if person, ok := a.Directory.Directory().PersonNamed(row.name); ok {
		on = personWord(person.ID)
	}
	what := struct {
		Count  int `json:"count"`
		Others int `json:"others,omitempty"`
	}{row.count, row.others}
	text, err := json.Marshal(what)
	if err == nil {
		err = a.Audit.NoteAudit(context.WithoutCancel(ctx), halley.AuditEntry{
			Change: halley.Change{Actor: halley.Actor{Kind: string(BySession), Name: row.name}, At: halley.MillisOf(time.Now())},
			What:   "session.refuse", On: on, New: string(text),
		})
	}
	if err != nil {
		a.Log.WarnContext(ctx, "a refused sign-in could not be noted in the audit trail", "err", err)
	}
}

// lateSignIns are sign-ins whose time could not be noted yet because the store was away. There are no more than people.
type lateSignIns struct {
	mu sync.Mutex
	at map[halley.PersonID]halley.Millis
}

func newLateSignIns() *lateSignIns { return &lateSignIns{at: make(map[halley.PersonID]halley.Millis)} }

func (l *lateSignIns) add(id halley.PersonID, at halley.Millis) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[id] = at
}

func (l *lateSignIns) take() map[halley.PersonID]halley.Millis {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.at
	l.at = make(map[halley.PersonID]halley.Millis)
	return all
}

// noteSignIn notes when a person signed in last, later where the store is away. The audit trail has it in any case.
func (a *Access) noteSignIn(ctx context.Context, id halley.PersonID, at halley.Millis) {
	switch err := a.People.NoteSignIn(ctx, id, at); {
	case err == nil:
	case halley.KindOf(err) == halley.Unavailable:
		a.late.add(id, at)
	default:
		a.Log.WarnContext(ctx, "the time of a sign-in could not be noted", "err", fmt.Errorf("noting a sign-in: %w", err))
	}
}

// settle writes what waits: refusals that are due, and times of sign-ins.
func (a *Access) settle(ctx context.Context) {
	for _, row := range a.refusals.due(time.Now()) {
		a.writeRefusal(ctx, row)
	}
	for id, at := range a.late.take() {
		a.noteSignIn(ctx, id, at)
	}
}
