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
	actRefused = "session.refuse"
	// refusalEvery is how often one pair leaves an audit row, mostRefusals how many rows all leave in that time together.
	refusalEvery = time.Minute
	mostRefusals = 30
)

// NoteRefused has the audit trail say that a sign-in elsewhere was refused, of "" where nobody knows whose it was.
func (a *Access) NoteRefused(ctx context.Context, name string, v Visitor) {
	a.noteRefusal(ctx, newPair(name, v))
}

// noteRefusal notes in the audit that a sign-in was refused: at most a row a minute for each name and address.
func (a *Access) noteRefusal(ctx context.Context, p pair) {
	if row, ok := a.refusals.add(p, "", refusalEvery, time.Now()); ok {
		a.writeRefusal(ctx, row)
	}
}

// writeRefusal writes one row. The address is not in it, for the audit trail is never erased.
func (a *Access) writeRefusal(ctx context.Context, row refusalRow[pair]) {
	on := "sign-in"
	if person, ok := a.Directory.Directory().PersonNamed(row.of.name); ok {
		on = personWord(person.ID)
	}
	a.writeRefused(ctx, halley.Actor{Kind: string(BySession), Name: row.of.name}, actRefused, on, struct {
		Count  int `json:"count"`
		Others int `json:"others,omitempty"`
	}{row.count, row.others})
}

// writeRefused writes a row about something that was refused, with its figures. Whoever was refused has gone by then, perhaps.
func (a *Access) writeRefused(ctx context.Context, actor halley.Actor, what, on string, figures any) {
	text, err := json.Marshal(figures)
	if err == nil {
		err = a.Audit.NoteAudit(context.WithoutCancel(ctx), halley.AuditEntry{
			Change: halley.Change{Actor: actor, At: halley.MillisOf(time.Now())}, What: what, On: on, New: string(text),
		})
	}
	if err != nil {
		a.Log.WarnContext(ctx, "a refusal could not be noted in the audit trail", "what", what, "err", err)
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
	for _, row := range a.denied.due(time.Now()) {
		a.writeDenied(ctx, row)
	}
	for id, at := range a.late.take() {
		a.noteSignIn(ctx, id, at)
	}
}
