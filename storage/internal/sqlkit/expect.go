package sqlkit

import (
	"context"

	"halley"
	"halley/storage"
)

// expecting gathers what the messages of a batch may meet in the database, so that it is looked up at once.
type expecting struct {
	instants   map[Instant]struct{}
	identities map[Identity]struct{}
	out        Expected
}

// expect hands to the bulk what may be there already: the instants not after a device's newest message, and the identities of
// messages whose own instant depends on when they were received. Most batches have none of either.
func (a *appender) expect(ctx context.Context, list []work) error {
	e := expecting{instants: map[Instant]struct{}{}, identities: map[Identity]struct{}{}}
	for _, w := range list {
		if w.u.Admission == storage.Announce || w.d.newest == 0 {
			continue
		}
		for i := range w.u.Messages {
			e.message(&report{d: w.d, u: w.u, m: &w.u.Messages[i]})
		}
	}
	return a.bulk.Expect(ctx, e.out)
}

func (e *expecting) message(r *report) {
	e.instant(r.d, r.m.MeasuredAt(r.u.ReceivedAt))
	if !hasIdentity(r) {
		return
	}
	id := identity(r)
	if _, ok := e.identities[id]; !ok {
		e.identities[id] = struct{}{}
		e.out.Identities = append(e.out.Identities, id)
	}
	if r.m.Clock == halley.ClockNotValid {
		// It may have been stored while its clock was valid.
		e.instant(r.d, r.m.Sample)
	}
}

func (e *expecting) instant(d *device, at halley.Millis) {
	if at > d.newest {
		return
	}
	i := Instant{int64(d.id), int64(at)}
	if _, ok := e.instants[i]; !ok {
		e.instants[i] = struct{}{}
		e.out.Instants = append(e.out.Instants, i)
	}
}
