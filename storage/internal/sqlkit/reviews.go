package sqlkit

import (
	"context"
	"strconv"

	"halley"
)

const (
	selectReviews = "SELECT audit_review_id, up_to, at, who, note FROM audit_review ORDER BY audit_review_id DESC"

	selectReviewed = "SELECT COALESCE(MAX(up_to), 0) FROM audit_review"

	selectAct = "SELECT COUNT(*) FROM audit WHERE audit_id = @act"
)

// Reviews lists the marks on the audit trail, newest first, at most limit.
func (s *Store) Reviews(ctx context.Context, limit int) ([]halley.Review, error) {
	list := []halley.Review{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var r halley.Review
		err := scan(&r.ID, &r.UpTo, &r.At, &r.Who, &r.Note)
		list = append(list, r)
		return err
	}, selectReviews+s.dialect.Limit, args("limit", max(limit, 1))...)
	if err != nil {
		return nil, s.fail("list the reviews of the audit trail", err)
	}
	return list, nil
}

// AddReview marks the audit trail as looked through up to an entry, by whoever makes the change.
func (s *Store) AddReview(ctx context.Context, r halley.Review, ch halley.Change) (halley.Review, error) {
	const op = "mark the audit trail as reviewed"
	if err := validChange(op, ch); err != nil {
		return halley.Review{}, err
	}
	if why := badText(r.Note, maxNote); why != "" {
		return halley.Review{}, unfit(op, "note", why)
	}
	if why := badText(ch.Actor.Name, maxText); why != "" {
		return halley.Review{}, unfit(op, "who", why)
	}
	r.At, r.Who = ch.At, ch.Actor.Name
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		var there, reviewed int64
		if _, err := c.one(ctx, []any{&there}, selectAct, args("act", r.UpTo)...); err != nil {
			return err
		}
		if _, err := c.one(ctx, []any{&reviewed}, selectReviewed); err != nil {
			return err
		}
		switch {
		case there == 0:
			return &halley.Error{Kind: halley.Conflict, Op: op, Code: "no-such-entry", Field: "up_to", Message: "the audit trail has no such entry"}
		case reviewed > r.UpTo:
			return &halley.Error{
				Kind: halley.Conflict, Op: op, Code: "reviewed-already", Field: "up_to", Message: "a later entry is marked already",
			}
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "audit.review", On: "audit " + strconv.FormatInt(r.UpTo, 10), New: asJSON(map[string]any{"up_to": r.UpTo}),
		})
		if err != nil {
			return err
		}
		if r.ID, err = c.nextID(ctx, "audit_review"); err == nil {
			c.add(factAuditReview, r.ID, r.UpTo, int64(r.At), r.Who, r.Note, auditID)
		}
		return err
	})
	if err != nil {
		return halley.Review{}, err
	}
	return r, nil
}
