package sessions_test

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"halley"
	"halley/storage"
)

// database keeps sessions as the contract of storage says, in memory.
type database struct {
	mu   sync.Mutex
	fail error
	rows map[string]storage.Session
	// gone are people who were deleted.
	gone map[halley.PersonID]bool
}

func newDatabase() *database {
	return &database{rows: map[string]storage.Session{}, gone: map[halley.PersonID]bool{}}
}

// failWith has every call fail from now on; nil ends it.
func (d *database) failWith(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

// deletePerson ends the sessions of a person as a deletion does.
func (d *database) deletePerson(id halley.PersonID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone[id] = true
	for hash, x := range d.rows {
		if x.PersonID == id {
			delete(d.rows, hash)
		}
	}
}

func (d *database) Session(_ context.Context, hash string, now halley.Millis) (data []byte, found bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x, there := d.rows[hash]
	if d.fail != nil || !there || now >= x.ExpiresAt {
		return nil, false, d.fail
	}
	return x.Data, true, nil
}

func (d *database) SaveSession(_ context.Context, x storage.Session) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, there := d.rows[x.Hash]
	switch {
	case d.fail != nil:
		return d.fail
	case d.gone[x.PersonID], x.Renews && !there:
		return &halley.Error{Kind: halley.NotFound, Op: "save a session"}
	}
	x.Renews = false
	d.rows[x.Hash] = x
	return nil
}

func (d *database) DeleteSession(_ context.Context, hash string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	delete(d.rows, hash)
	return nil
}

func (d *database) PersonSessions(_ context.Context, person halley.PersonID, now halley.Millis) ([]storage.Session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return nil, d.fail
	}
	list := []storage.Session{}
	for _, x := range d.rows {
		if now < x.ExpiresAt && (person == 0 || person == x.PersonID) {
			list = append(list, x)
		}
	}
	slices.SortFunc(list, func(a, b storage.Session) int {
		return cmp.Or(cmp.Compare(a.ExpiresAt, b.ExpiresAt), cmp.Compare(a.Hash, b.Hash))
	})
	return list, nil
}
