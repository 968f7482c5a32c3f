package maintenance

import (
	"context"
	"time"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

const (
	// marksAtOnce is how many device-hours are rolled up in one piece of work.
	marksAtOnce = 64
	// daysAtOnce is how many device-days are looked up at a time, daysTogether how many are written in one transaction.
	daysAtOnce   = 256
	daysTogether = 16
	// share is the part of its own speed that the work keeps while uploads wait: one in ten; look is how often it looks whether they
	// still do, calm how many looks without one end the pause, longestYield the longest pause.
	share        = 10
	look         = 5 * time.Millisecond
	calm         = 4
	longestYield = 5 * time.Second
)

// work does pieces of work until there are none, the recorder needs the database, or it is time to attend again; then more says
// that it should go on.
func (m *Maintenance) work(ctx context.Context) (more bool, err error) {
	for ctx.Err() == nil && !m.opts.Busy() {
		if m.attendDue() {
			return true, nil
		}
		began := time.Now()
		left, err := m.opts.Store.RollUp(ctx, m.lease, marksAtOnce)
		if err != nil {
			return false, err
		}
		if left == 0 {
			if done, err := m.countDays(ctx); err != nil || done {
				return false, err
			}
		}
		m.yield(ctx, time.Since(began))
	}
	return false, nil
}

// countDays counts a page of days that are due; done says that there are no more. It stops where it is time to attend.
func (m *Maintenance) countDays(ctx context.Context) (done bool, err error) {
	now := halley.MillisOf(time.Now())
	due, err := m.opts.Store.DaysDue(ctx, completeness.SettledBefore(now), daysAtOnce)
	if err != nil || len(due) == 0 {
		m.stale = storage.DeviceDay{}
		return true, err
	}
	if due[0] == m.stale {
		m.stale = storage.DeviceDay{}
		return true, nil // counted just now and still due: not before the next turn
	}
	for first := true; len(due) > 0; first = false {
		if !first && (m.attendDue() || m.opts.Busy()) {
			return false, nil
		}
		began := time.Now()
		n := min(daysTogether, len(due))
		counted, err := m.count(ctx, due[:n], now)
		if err != nil {
			return false, err
		}
		if len(counted) == 0 {
			return true, nil // of a device that this server does not know yet
		}
		if err := m.opts.Store.PutDays(ctx, m.lease, counted); err != nil {
			return false, err
		}
		if first {
			m.stale = due[0]
		}
		due = due[len(counted):]
		m.yield(ctx, time.Since(began))
	}
	return false, nil
}

// count counts days, up to the first of a device that is not known here yet. It stops early where it is time to attend.
func (m *Maintenance) count(ctx context.Context, due []storage.DeviceDay, now halley.Millis) ([]storage.DayCount, error) {
	counted := make([]storage.DayCount, 0, len(due))
	for _, d := range due {
		family, ok := m.opts.Family(d.Device)
		if !ok || len(counted) > 0 && m.attendDue() {
			break
		}
		c, err := completeness.OfDay(ctx, m.opts.Store, family, d, now)
		if err != nil {
			return nil, err
		}
		counted = append(counted, c)
	}
	return counted, nil
}

// yield pauses after a piece of work that took so long, while uploads wait.
func (m *Maintenance) yield(ctx context.Context, took time.Duration) {
	until := time.Now().Add(min(took*(share-1), longestYield))
	if m.opts.Uploads() == 0 {
		return
	}
	t := time.NewTicker(look)
	defer t.Stop()
	for quiet := 0; quiet < calm && time.Now().Before(until); quiet++ {
		if m.opts.Uploads() > 0 {
			quiet = -1
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
