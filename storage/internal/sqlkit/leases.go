package sqlkit

import (
	"context"
	"database/sql"
	"time"

	"halley"
	"halley/storage"
)

const (
	// The database's clock goes behind each of these, and fromLease or nothing behind the clock.
	selectLease  = "SELECT holder, fence, until_at, "
	selectLeased = "SELECT until_at, "
	fromLease    = " FROM lease WHERE name = @name"
	// ofHolder follows fromLease.
	ofHolder = " AND holder = @holder AND fence = @fence"

	insertLease = "INSERT INTO lease (name, holder, fence, until_at) VALUES (@name, @holder, @fence, @until)"

	updateLease = "UPDATE lease SET holder = @holder, fence = @fence, until_at = @until WHERE name = @name"

	endLease = "UPDATE lease SET until_at = 0 WHERE name = @name AND holder = @holder AND fence = @fence"
)

// TakeLease takes a lease for holder, or renews it where holder has it.
func (s *Store) TakeLease(ctx context.Context, name, holder string, lasting time.Duration) (l storage.Lease, held bool, err error) {
	const op = "take a lease"
	switch {
	case name == "" || badText(name, maxText) != "":
		return l, false, &halley.Error{Kind: halley.Invalid, Op: op, Field: "name", Message: "name the lease"}
	case holder == "" || badText(holder, maxText) != "":
		return l, false, &halley.Error{Kind: halley.Invalid, Op: op, Field: "holder", Message: "say who takes the lease"}
	case lasting <= 0:
		return l, false, &halley.Error{Kind: halley.Invalid, Op: op, Field: "lasting", Message: "a lease lasts for some time"}
	}
	err = s.write(ctx, op, func(ctx context.Context, c *change) (err error) {
		l, held, err = c.takeLease(ctx, storage.Lease{Name: name, Holder: holder}, lasting)
		return err
	})
	if err != nil {
		return storage.Lease{}, false, err
	}
	return l, held, nil
}

func (c *change) takeLease(ctx context.Context, l storage.Lease, lasting time.Duration) (storage.Lease, bool, error) {
	var now halley.Millis
	last := storage.Lease{Name: l.Name}
	found, err := c.one(ctx, []any{&last.Holder, &last.Fence, &last.Until, &now},
		selectLease+c.s.dialect.Now+fromLease, args("name", l.Name)...)
	if err == nil && !found {
		_, err = c.one(ctx, []any{&now}, "SELECT "+c.s.dialect.Now)
	}
	if err != nil {
		return l, false, err
	}
	runs := found && last.Until > now
	if runs && last.Holder != l.Holder {
		return last, false, nil
	}
	// One that has run out may have been looked at as free by others: taken again it is another lease.
	l.Fence, l.Until = last.Fence, now+max(halley.Millis(lasting.Milliseconds()), 1)
	if !runs {
		l.Fence++
	}
	text := insertLease
	if found {
		text = updateLease
	}
	return l, true, c.exec(ctx, text,
		args("name", l.Name, "holder", l.Holder, "fence", l.Fence, "until", int64(l.Until))...)
}

// ReleaseLease ends a lease now, where it is still the holder's.
func (s *Store) ReleaseLease(ctx context.Context, l storage.Lease) error {
	return s.write(ctx, "release a lease", func(ctx context.Context, c *change) error {
		return c.exec(ctx, endLease, leaseArgs(l)...)
	})
}

func leaseArgs(l storage.Lease) []any {
	return args("name", l.Name, "holder", l.Holder, "fence", l.Fence)
}

// under refuses to go on where the lease is not the holder's any more. It is asked inside of each transaction of the work, so
// that one who has lost the lease without knowing changes nothing.
func (c *change) under(ctx context.Context, op string, l storage.Lease) error {
	var until, now sql.NullInt64
	found, err := c.one(ctx, []any{&until, &now}, selectLeased+c.s.dialect.Now+fromLease+ofHolder, leaseArgs(l)...)
	if err != nil {
		return err
	}
	if !found || until.Int64 <= now.Int64 {
		return &halley.Error{
			Kind: halley.Conflict, Op: op, Code: storage.CodeLeaseLost,
			Message: "the lease \"" + l.Name + "\" is another server's by now",
		}
	}
	return nil
}
