package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
	viewerapi "halley/viewer-api"
)

// placesPage is how many rows are read at once.
const placesPage = 1000

// attachedPlaces knows the places and what is attached to them now. What was read is used again until the registry changes.
type attachedPlaces struct {
	mu      sync.Mutex
	version int64
	read    bool
	places  []attachedPlace
}

type attachedPlace struct {
	id           halley.PlaceID
	organization int64
	channels     []halley.ChannelID
}

// Places lists places by id behind after, with the channels that are there now.
func (w watching) Places(ctx context.Context, after halley.PlaceID, limit int) ([]viewerapi.Place, error) {
	all, err := w.attached.list(ctx, w.Store, w.server.Devices().Version())
	if err != nil {
		return nil, err
	}
	begin, _ := slices.BinarySearchFunc(all, after+1, func(p attachedPlace, id halley.PlaceID) int { return cmp.Compare(p.id, id) })
	all = all[begin:min(begin+limit, len(all))]
	ids := make([]halley.PlaceID, len(all))
	for i := range all {
		ids[i] = all[i].id
	}
	names, err := w.PlaceNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]viewerapi.Place, 0, len(all))
	for _, p := range all {
		v := viewerapi.Place{ID: p.id, Name: names[p.id], Organization: p.organization}
		for _, id := range p.channels {
			c, err := w.Channel(ctx, id)
			if err != nil {
				return nil, err
			}
			v.Channels = append(v.Channels, c)
		}
		slices.SortFunc(v.Channels, func(a, b halley.Channel) int {
			return cmp.Or(cmp.Compare(a.DeviceID, b.DeviceID), cmp.Compare(a.Number, b.Number), cmp.Compare(a.ID, b.ID))
		})
		// A channel that ended measures nothing any more; the one in its place is there too.
		v.Channels = slices.DeleteFunc(v.Channels, func(c halley.Channel) bool { return c.Ended })
		list = append(list, v)
	}
	return list, nil
}

// list gives all places by id, as they are at this version of the registry.
func (a *attachedPlaces) list(ctx context.Context, store ledger.Source, version int64) ([]attachedPlace, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.read && a.version == version {
		return a.places, nil
	}
	places, err := readPlaces(ctx, store, halley.MillisOf(time.Now()))
	if err != nil {
		return nil, err
	}
	a.places, a.version, a.read = places, version, true
	return places, nil
}

// readPlaces reads all places by id, and what is attached to each at an instant.
func readPlaces(ctx context.Context, store ledger.Source, now halley.Millis) ([]attachedPlace, error) {
	var places []attachedPlace
	err := eachRow(ctx, store, "place", func(v []any) {
		id, _ := v[0].(int64)
		organization, _ := v[1].(int64)
		places = append(places, attachedPlace{id: halley.PlaceID(id), organization: organization})
	})
	if err != nil {
		return nil, err
	}
	// Of the rows of a channel the one counts that began last, and of several that began at once the last.
	type stay struct{ from, place int64 }
	newest := map[halley.ChannelID]stay{}
	err = eachRow(ctx, store, "attachment", func(v []any) {
		channel, _ := v[1].(int64)
		from, _ := v[2].(int64)
		place, _ := v[3].(int64)
		if before, ok := newest[halley.ChannelID(channel)]; halley.Millis(from) <= now && (!ok || from >= before.from) {
			newest[halley.ChannelID(channel)] = stay{from, place}
		}
	})
	if err != nil {
		return nil, err
	}
	for channel, s := range newest {
		i, found := slices.BinarySearchFunc(places, halley.PlaceID(s.place), func(p attachedPlace, id halley.PlaceID) int { return cmp.Compare(p.id, id) })
		if found {
			places[i].channels = append(places[i].channels, channel)
		}
	}
	return places, nil
}

// eachRow hands the rows of a dated table to each, by key.
func eachRow(ctx context.Context, store ledger.Source, name string, each func(values []any)) error {
	tables := ledger.FactTables()
	i := slices.IndexFunc(tables, func(t ledger.FactTable) bool { return t.Name == name })
	if i < 0 {
		return fmt.Errorf("reading rows: there is no table %s", name)
	}
	var after []int64
	for {
		page, err := store.FactRows(ctx, tables[i], after, placesPage)
		if err != nil {
			return err
		}
		for _, r := range page {
			each(r.Values)
		}
		if len(page) < placesPage {
			return nil
		}
		after = make([]int64, tables[i].Key)
		for k := range after {
			after[k], _ = page[len(page)-1].Values[k].(int64)
		}
	}
}

var _ ledger.Source = storage.Store(nil)
