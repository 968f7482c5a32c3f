package sqlkit

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"halley"
)

// audit writes an audit row and gives its id.
func (c *change) audit(ctx context.Context, e halley.AuditEntry) (int64, error) {
	return c.auditAs(ctx, e, sql.NullInt64{})
}

// auditAs writes an audit row of an act with a place in the journal.
func (c *change) auditAs(ctx context.Context, e halley.AuditEntry, seq sql.NullInt64) (int64, error) {
	id, err := c.nextID(ctx, "audit")
	if err != nil {
		return 0, err
	}
	by := e.Change.Actor
	c.moment(e.Change.At)
	c.add(factAudit, id, int64(e.Change.At), by.Kind, by.Name, by.Session, e.What, e.On, e.Old, e.New, e.Change.Why, seq)
	return id, nil
}

// The dialect's list stands between the two parts.
const (
	selectJournaled = `
SELECT a.seq, a.at, a.what, a.actor_name, a.subject
  FROM `
	fromJournaled = ` l
  JOIN audit a ON a.at = CAST(l.value AS bigint)
 WHERE a.seq IS NOT NULL`
)

// journaledAct is what an act of the journal is known by.
type journaledAct struct {
	seq                 int64
	at                  halley.Millis
	what, name, subject string
}

// journaledActs writes the acts of the batch that are not there yet: a journal that is recorded again, also under another id,
// brings them again.
func (a *appender) journaledActs(ctx context.Context) error {
	if len(a.b.Audit) == 0 {
		return nil
	}
	there := map[journaledAct]struct{}{}
	instants := make([]halley.Millis, 0, len(a.b.Audit))
	for i := range a.b.Audit {
		instants = append(instants, a.b.Audit[i].Change.At)
	}
	slices.Sort(instants)
	err := a.each(ctx, func(scan func(...any) error) error {
		var k journaledAct
		err := scan(&k.seq, &k.at, &k.what, &k.name, &k.subject)
		there[k] = struct{}{}
		return err
	}, selectJournaled+a.s.dialect.List+fromJournaled, args("list", numbers(slices.Compact(instants)))...)
	if err != nil {
		return err
	}
	for i := range a.b.Audit {
		e := &a.b.Audit[i]
		k := journaledAct{int64(e.Seq), e.Change.At, e.What, e.Change.Actor.Name, e.On}
		if _, ok := there[k]; ok {
			continue
		}
		there[k] = struct{}{}
		if _, err := a.auditAs(ctx, e.AuditEntry, sql.NullInt64{Int64: k.seq, Valid: true}); err != nil {
			return err
		}
	}
	return nil
}

// asJSON gives the JSON of a small value of this package's own making, which always has one.
func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return strconv.Quote(err.Error())
	}
	return string(b)
}

func onDevice(id halley.DeviceID) string { return "device " + strconv.FormatInt(int64(id), 10) }

// NoteAudit appends an audit row for an act that changes nothing in the store.
func (s *Store) NoteAudit(ctx context.Context, e halley.AuditEntry) error {
	if err := validAudit(&e); err != nil {
		return err
	}
	return s.write(ctx, "write the audit trail", func(ctx context.Context, c *change) error {
		_, err := c.audit(ctx, e)
		return err
	})
}

// validChange holds a change's own texts to what both engines can store.
func validChange(op string, ch halley.Change) error {
	for _, f := range []struct{ field, text string }{
		{"actor", ch.Actor.Kind}, {"actor", ch.Actor.Name}, {"actor", ch.Actor.Session}, {"why", ch.Why},
	} {
		if why := badText(f.text, maxNote); why != "" {
			return &halley.Error{Kind: halley.Invalid, Op: op, Field: f.field, Message: why}
		}
	}
	if !ch.At.Storable() {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "at", Message: "the time must lie in the years 2000 to 2099"}
	}
	return nil
}

func validAudit(e *halley.AuditEntry) error {
	const op = "write the audit trail"
	if err := validChange(op, e.Change); err != nil {
		return err
	}
	for _, f := range []struct{ field, text string }{{"what", e.What}, {"on", e.On}, {"old", e.Old}, {"new", e.New}} {
		if why := badText(f.text, maxNote); why != "" {
			return &halley.Error{Kind: halley.Invalid, Op: op, Field: f.field, Message: why}
		}
	}
	if e.What == "" {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "what", Message: "say what was done"}
	}
	return nil
}

// notFound is what the methods give for an id that is not there.
func notFound(op, what string, id int64) error {
	return &halley.Error{Kind: halley.NotFound, Op: op, Message: fmt.Sprintf("there is no %s %d", what, id)}
}
