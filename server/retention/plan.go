package retention

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

const (
	// MinAgeDays is for how many whole days a day must be over before it can be removed: what devices keep for a while still comes.
	MinAgeDays = 7
	// PlanLife is for how long a plan can be carried out. Who comes later looks at it anew.
	PlanLife = 30 * 24 * time.Hour
	// maxWhy bounds the reason, in characters.
	maxWhy = 200
)

// The acts in the audit trail.
const (
	actPlan = "retention.plan"
	actDone = "retention.done"
	acts    = "retention.*"
)

// Store is what retention needs of the store.
type Store interface {
	storage.Retention
	// LedgerDays, LedgerKeys and Tombstones are those of ledger.Source.
	LedgerDays(ctx context.Context) (first, last int64, ok bool, err error)
	LedgerKeys(ctx context.Context) ([]ledger.Key, error)
	Tombstones(ctx context.Context) ([]ledger.Tombstone, error)
	// NoteAudit and AuditWhere are those of storage.Registry.
	NoteAudit(ctx context.Context, e halley.AuditEntry) error
	AuditWhere(ctx context.Context, f storage.AuditFilter) ([]halley.AuditEntry, error)
	// Tokens is that of storage.Access.
	Tokens(ctx context.Context) ([]storage.Token, error)
}

// State is how far a plan has come.
type State string

// The states of a plan.
const (
	// Open waits for the second person.
	Open State = "open"
	// Expired was not carried out in time.
	Expired State = "expired"
	// Begun has a tombstone, and its days may not all be gone yet.
	Begun State = "begun"
	// Done is over.
	Done State = "done"
)

// Plan is what one person wants to have removed.
type Plan struct {
	// ID names the plan, in lower case.
	ID string
	// FromDay and ToDay are UTC days since 1970-01-01, half-open.
	FromDay, ToDay int64
	// Rows of message and Parts of the ledger were there when the plan was made.
	Rows, Parts int64
	At          halley.Millis
	By          halley.Actor
	Why         string
	State       State
}

// Retention plans and carries out removals. Its methods may be called at the same time.
type Retention struct{ store Store }

// New gives a Retention over a store.
func New(s Store) *Retention { return &Retention{store: s} }

// planned is what the audit trail keeps of a plan.
type planned struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Rows  int64  `json:"rows"`
	Parts int64  `json:"parts"`
}

// Plan notes that whoever makes the change wants all UTC days before a day removed. It removes nothing. The change says why.
//
// Invalid where the reason is missing or the day is too young; NotFound where nothing is older.
func (r *Retention) Plan(ctx context.Context, before int64, c halley.Change) (Plan, error) {
	const op = "plan a removal"
	why, err := reason(op, c.Why)
	if err != nil {
		return Plan{}, err
	}
	c.Why = why
	if err := known(op, c.Actor); err != nil {
		return Plan{}, err
	}
	if err := oldEnough(op, before, c.At); err != nil {
		return Plan{}, err
	}
	first, _, some, err := r.store.LedgerDays(ctx)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{ID: newID(), FromDay: first, ToDay: before, At: c.At, By: c.Actor, Why: why, State: Open}
	if some && first < before {
		if p.Rows, p.Parts, err = r.store.CountDays(ctx, first, before); err != nil {
			return Plan{}, err
		}
	}
	if p.Rows == 0 {
		return Plan{}, &halley.Error{
			Kind: halley.NotFound, Op: op, Code: "nothing-older", Message: "nothing is stored that was measured before " + ledger.DayText(before),
		}
	}
	text, err := json.Marshal(planned{From: ledger.DayText(p.FromDay), To: ledger.DayText(p.ToDay), Rows: p.Rows, Parts: p.Parts})
	if err != nil {
		return Plan{}, fmt.Errorf("writing the plan: %w", err)
	}
	return p, r.store.NoteAudit(ctx, halley.AuditEntry{Change: c, What: actPlan, On: p.subject(), New: string(text)})
}

// Find gives a plan by its name. NotFound where there is none.
func (r *Retention) Find(ctx context.Context, id string, now halley.Millis) (Plan, error) {
	p := Plan{ID: strings.ToLower(strings.TrimSpace(id))}
	entries, err := r.store.AuditWhere(ctx, storage.AuditFilter{What: acts, On: p.subject(), Limit: pageSize})
	if err != nil {
		return Plan{}, err
	}
	plans, err := r.plansOf(ctx, entries, now)
	if err != nil {
		return Plan{}, err
	}
	if len(plans) == 0 {
		return Plan{}, &halley.Error{
			Kind: halley.NotFound, Op: "find a plan", Code: "no-plan",
			Message: fmt.Sprintf("there is no plan %q: halley retention list shows those that there are", p.ID),
		}
	}
	return plans[0], nil
}

// pageSize is how many acts are read at a time.
const pageSize = 500

// Plans lists all plans, newest first.
func (r *Retention) Plans(ctx context.Context, now halley.Millis) ([]Plan, error) {
	var entries []halley.AuditEntry
	for before := int64(0); ; before = entries[len(entries)-1].ID {
		page, err := r.store.AuditWhere(ctx, storage.AuditFilter{What: acts, Before: before, Limit: pageSize})
		if err != nil {
			return nil, err
		}
		entries = append(entries, page...)
		if len(page) < pageSize {
			return r.plansOf(ctx, entries, now)
		}
	}
}

// plansOf makes plans of acts, newest first.
func (r *Retention) plansOf(ctx context.Context, entries []halley.AuditEntry, now halley.Millis) ([]Plan, error) {
	stones, err := r.store.Tombstones(ctx)
	if err != nil {
		return nil, err
	}
	done := map[string]bool{}
	var plans []Plan
	for _, e := range entries {
		switch e.What {
		case actDone:
			done[e.On] = true
		case actPlan:
			p, err := planOf(e)
			if err != nil {
				return nil, err
			}
			switch _, begun := stoneOf(stones, p); {
			case done[e.On]:
				p.State = Done
			case begun:
				p.State = Begun
			case now-p.At > halley.Millis(PlanLife.Milliseconds()):
				p.State = Expired
			}
			plans = append(plans, p)
		}
	}
	return plans, nil
}

// planOf reads a plan from the act that noted it.
func planOf(e halley.AuditEntry) (Plan, error) {
	var n planned
	if err := json.Unmarshal([]byte(e.New), &n); err != nil {
		return Plan{}, fmt.Errorf("reading the plan of act %d: %w", e.ID, err)
	}
	from, err := ledger.ParseDay(n.From)
	if err != nil {
		return Plan{}, fmt.Errorf("reading the plan of act %d: %w", e.ID, err)
	}
	to, err := ledger.ParseDay(n.To)
	if err != nil {
		return Plan{}, fmt.Errorf("reading the plan of act %d: %w", e.ID, err)
	}
	return Plan{
		ID: strings.TrimPrefix(e.On, subjectPrefix), FromDay: from, ToDay: to, Rows: n.Rows, Parts: n.Parts, At: e.Change.At,
		By: e.Change.Actor, Why: e.Change.Why, State: Open,
	}, nil
}

// stoneOf finds the tombstone of a plan.
func stoneOf(stones []ledger.Tombstone, p Plan) (ledger.Tombstone, bool) {
	for _, t := range stones {
		if t.FromDay == p.FromDay && t.ToDay == p.ToDay && t.ProposedBy == p.By.Name && t.Why == p.Why && t.At >= p.At {
			return t, true
		}
	}
	return ledger.Tombstone{}, false
}

const subjectPrefix = "plan "

func (p *Plan) subject() string { return subjectPrefix + p.ID }

// newID gives a name that people can read to each other.
func newID() string {
	const letters = 8
	return strings.ToLower(rand.Text()[:letters])
}

// reason gives why somebody wants something, as it can stand on one line.
func reason(op, why string) (string, error) {
	why = strings.TrimSpace(why)
	fail := func(message string) (string, error) {
		return "", &halley.Error{Kind: halley.Invalid, Op: op, Field: "why", Message: message}
	}
	switch {
	case why == "":
		return fail("say why the days are to be removed: it stays in the audit trail for ever")
	case len([]rune(why)) > maxWhy:
		return fail(fmt.Sprintf("the reason has at most %d characters", maxWhy))
	case strings.ContainsFunc(why, func(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }):
		return fail("the reason stands on one line")
	}
	return why, nil
}

// known refuses somebody whom nobody could tell from somebody else.
func known(op string, a halley.Actor) error {
	if a.Name == "" || strings.EqualFold(a.Name, "unknown") {
		return &halley.Error{
			Kind: halley.Forbidden, Op: op, Code: "nobody", Message: "Halley cannot tell who asks for this: sign in to the system with your own account",
		}
	}
	return nil
}

// oldEnough refuses days that are not over for long enough.
func oldEnough(op string, before int64, now halley.Millis) error {
	if latest := ledger.DayOf(now) - MinAgeDays; before > latest {
		return &halley.Error{
			Kind: halley.Invalid, Op: op, Field: "before", Code: "too-young",
			Message: fmt.Sprintf("days are removed once they are over for %d days, for devices still send what they kept: %s is the latest date today",
				MinAgeDays, ledger.DayText(latest)),
		}
	}
	return nil
}
