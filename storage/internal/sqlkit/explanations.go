package sqlkit

import (
	"context"
	"slices"

	"halley"
	"halley/storage"
)

const (
	selectInterruptions = `
SELECT node, kind, from_at, to_at
  FROM interruption
 WHERE to_at > @from AND from_at < @to
 ORDER BY from_at, node, kind`

	// The dialect's list stands between the two parts.
	selectInterrupted = `
SELECT i.node, i.kind, i.from_at
  FROM `
	fromInterrupted = ` l
  JOIN interruption i ON i.from_at = CAST(l.value AS bigint)`

	selectGapCauses = `
SELECT g.gap_cause_id, g.from_at, g.to_at, g.cause, g.note, a.actor_name, a.at
  FROM gap_cause g
  JOIN audit a ON a.audit_id = g.audit_id
 WHERE g.device_id = @device AND g.to_at > @from AND g.from_at < @to
 ORDER BY g.gap_cause_id`
)

// Interruptions lists those that touch [from, to), by from, then node.
func (s *Store) Interruptions(ctx context.Context, from, to halley.Millis) ([]storage.Interruption, error) {
	list := []storage.Interruption{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var i storage.Interruption
		err := scan(&i.Node, &i.Kind, &i.From, &i.To)
		list = append(list, i)
		return err
	}, selectInterruptions, args("from", int64(from), "to", int64(to))...)
	if err != nil {
		return nil, s.fail("list interruptions", err)
	}
	return list, nil
}

// interrupted is what an interruption is known by.
type interrupted struct {
	node string
	kind storage.InterruptionKind
	from halley.Millis
}

// interruptions adds those that the batch tells of and that are not there yet.
func (a *appender) interruptions(ctx context.Context) error {
	if len(a.b.Interruptions) == 0 {
		return nil
	}
	instants := make([]halley.Millis, 0, len(a.b.Interruptions))
	for _, i := range a.b.Interruptions {
		instants = append(instants, i.From)
	}
	slices.Sort(instants)
	there := map[interrupted]struct{}{}
	err := a.each(ctx, func(scan func(...any) error) error {
		var k interrupted
		err := scan(&k.node, &k.kind, &k.from)
		there[k] = struct{}{}
		return err
	}, selectInterrupted+a.s.dialect.List+fromInterrupted, args("list", numbers(slices.Compact(instants)))...)
	if err != nil {
		return err
	}
	for _, i := range a.b.Interruptions {
		k := interrupted{i.Node, i.Kind, i.From}
		if _, ok := there[k]; ok {
			continue
		}
		there[k] = struct{}{}
		id, err := a.nextID(ctx, "interruption")
		if err != nil {
			return err
		}
		a.add(factInterruption, id, i.Node, string(i.Kind), int64(i.From), int64(i.To))
	}
	return nil
}

// checkInterruptions holds those of a batch to what can be stored.
func checkInterruptions(op string, list []storage.Interruption) error {
	for _, i := range list {
		known := i.Kind == storage.ServerDown || i.Kind == storage.ServerRefused
		if !known || i.Node == "" || badText(i.Node, maxText) != "" || !i.From.Storable() || !i.To.Storable() || i.From >= i.To {
			return &halley.Error{Kind: halley.Invalid, Op: op, Field: "interruptions", Message: "an interruption needs a node, a kind and a span"}
		}
	}
	return nil
}

// AddGapCause notes why messages of a device are missing.
func (s *Store) AddGapCause(ctx context.Context, g storage.GapCause, ch halley.Change) (storage.GapCause, error) {
	const op = "say why messages are missing"
	if err := validGapCause(op, &g, ch); err != nil {
		return storage.GapCause{}, err
	}
	g.By, g.At = ch.Actor.Name, ch.At
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		var key halley.DeviceKey
		found, err := c.one(ctx, []any{&key.Family, &key.Serial}, selectKey, args("device", int64(g.Device))...)
		if err != nil {
			return err
		}
		if !found {
			return notFound(op, "device", int64(g.Device))
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{Change: ch, What: "gap.explain", On: onDevice(g.Device), New: asJSON(map[string]any{
			"from": g.From.String(), "to": g.To.String(), "cause": g.Cause,
		})})
		if err != nil {
			return err
		}
		if g.ID, err = c.nextID(ctx, "gap_cause"); err == nil {
			c.add(factGapCause, g.ID, int64(g.Device), int64(g.From), int64(g.To), g.Cause, g.Note, auditID)
		}
		return err
	})
	if err != nil {
		return storage.GapCause{}, err
	}
	return g, nil
}

func validGapCause(op string, g *storage.GapCause, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	if !g.From.Storable() || !g.To.Storable() || g.From >= g.To {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "to", Message: "give a span in the years 2000 to 2099 that ends after it begins"}
	}
	if g.Cause == "" || badText(g.Cause, maxSerial) != "" {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "cause", Message: "give a cause"}
	}
	if why := badText(g.Note, maxNote); why != "" {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "note", Message: why}
	}
	return nil
}

// GapCauses lists those of a device that touch [from, to), by id.
func (s *Store) GapCauses(ctx context.Context, device halley.DeviceID, from, to halley.Millis) ([]storage.GapCause, error) {
	list := []storage.GapCause{}
	err := s.query(ctx, func(scan func(...any) error) error {
		g := storage.GapCause{Device: device}
		err := scan(&g.ID, &g.From, &g.To, &g.Cause, &g.Note, &g.By, &g.At)
		list = append(list, g)
		return err
	}, selectGapCauses, args("device", int64(device), "from", int64(from), "to", int64(to))...)
	if err != nil {
		return nil, s.fail("list causes", err)
	}
	return list, nil
}
