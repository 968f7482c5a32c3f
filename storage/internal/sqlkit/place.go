package sqlkit

import (
	"context"
	"slices"

	"halley"
)

const selectPlaceNames = `
SELECT p.place_id, p.name
  FROM place_description p
 WHERE p.place_id BETWEEN @low AND @high
   AND p.number = (SELECT MAX(n.number) FROM place_description n WHERE n.place_id = p.place_id)`

// PlaceNames gives the names of these places, leaving out what is not there.
func (s *Store) PlaceNames(ctx context.Context, ids []halley.PlaceID) (map[halley.PlaceID]string, error) {
	names := make(map[halley.PlaceID]string, len(ids))
	if len(ids) == 0 {
		return names, nil
	}
	wanted := make(map[halley.PlaceID]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	err := s.query(ctx, func(scan func(...any) error) error {
		var id halley.PlaceID
		var name string
		err := scan(&id, &name)
		if wanted[id] {
			names[id] = name
		}
		return err
	}, selectPlaceNames, args("low", int64(slices.Min(ids)), "high", int64(slices.Max(ids)))...)
	return names, s.fail("read the names of places", err)
}
