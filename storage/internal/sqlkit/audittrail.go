package sqlkit

import (
	"context"
	"math"
	"strings"

	"halley"
	"halley/storage"
)

const (
	selectAudit = `
SELECT audit_id, at, actor_kind, actor_name, actor_session, what, subject, old_value, new_value, why
  FROM audit
 WHERE audit_id < @before`

	newestAudit = " ORDER BY audit_id DESC"
)

// Audit lists newest first, with ids below before, at most limit.
func (s *Store) Audit(ctx context.Context, before int64, limit int) ([]halley.AuditEntry, error) {
	return s.AuditWhere(ctx, storage.AuditFilter{Before: before, Limit: limit})
}

// AuditWhere lists newest first what a filter lets through.
func (s *Store) AuditWhere(ctx context.Context, f storage.AuditFilter) ([]halley.AuditEntry, error) {
	if f.Before <= 0 {
		f.Before = math.MaxInt64
	}
	where, values := auditConditions(f)
	list := []halley.AuditEntry{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var e halley.AuditEntry
		by := &e.Change.Actor
		err := scan(&e.ID, &e.Change.At, &by.Kind, &by.Name, &by.Session, &e.What, &e.On, &e.Old, &e.New, &e.Change.Why)
		list = append(list, e)
		return err
	}, selectAudit+where+newestAudit+s.dialect.Limit, append(values, args("before", f.Before, "limit", max(f.Limit, 1))...)...)
	if err != nil {
		return nil, s.fail("list the audit trail", err)
	}
	return list, nil
}

// auditConditions gives the conditions of a filter. Texts are compared with a point behind them too: SQL Server takes no notice of
// blanks at the end of a text.
func auditConditions(f storage.AuditFilter) (where string, values []any) {
	var b strings.Builder
	add := func(condition string, pairs ...any) {
		b.WriteString(" AND ")
		b.WriteString(condition)
		values = append(values, args(pairs...)...)
	}
	if f.Who != "" {
		add("actor_name = @who AND CONCAT(actor_name, '.') = CONCAT(@who, '.')", "who", f.Who)
	}
	if f.On != "" {
		add("subject = @subject AND CONCAT(subject, '.') = CONCAT(@subject, '.')", "subject", f.On)
	}
	if prefix, many := strings.CutSuffix(f.What, "*"); many {
		if prefix != "" {
			// In binary order all that begin with the prefix lie between it and the highest character behind it.
			add("what >= @low AND what < @high", "low", prefix, "high", prefix+"\U0010FFFF")
		}
	} else if f.What != "" {
		add("what = @what AND CONCAT(what, '.') = CONCAT(@what, '.')", "what", f.What)
	}
	if f.From > 0 {
		add("at >= @from", "from", int64(f.From))
	}
	if f.To > 0 {
		add("at < @to", "to", int64(f.To))
	}
	return b.String(), values
}
