package sqlkit

import (
	"context"
	"slices"

	"halley"
)

// removal is a tombstone as far as the rest of the store minds: the UTC days [from, to) whose rows are gone, or going.
type removal struct {
	from, to int64
	at       halley.Millis
}

const selectRemovals = "SELECT from_day, to_day, at FROM tombstone ORDER BY tombstone_id"

// removals are the tombstones of a store; most have none.
type removals []removal

func (l removals) scan(scan func(...any) error) (removals, error) {
	var r removal
	err := scan(&r.from, &r.to, &r.at)
	return append(l, r), err
}

// cover says whether a UTC day lies in a tombstone.
func (l removals) cover(day int64) bool {
	return slices.ContainsFunc(l, func(r removal) bool { return day >= r.from && day < r.to })
}

// removals reads the tombstones once a transaction.
func (c *change) removals(ctx context.Context) (removals, error) {
	if c.gone != nil {
		return c.gone, nil
	}
	list := removals{}
	err := c.each(ctx, func(scan func(...any) error) (err error) {
		list, err = list.scan(scan)
		return err
	}, selectRemovals)
	c.gone = list
	return list, err
}

// removals reads the tombstones.
func (s *Store) removals(ctx context.Context) (list removals, err error) {
	err = s.query(ctx, func(scan func(...any) error) (err error) {
		list, err = list.scan(scan)
		return err
	}, selectRemovals)
	return list, err
}

// removed says whether an instant lies in a day that retention has removed.
func (a *appender) removed(at halley.Millis) bool {
	return len(a.gone) > 0 && a.gone.cover(int64(at/halley.Day))
}
