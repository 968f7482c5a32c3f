package completeness

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/storage"
)

// DaysStore is what an overview reads of a store; storage.Store has these methods.
type DaysStore interface {
	Series
	// AllDays lists the days of all devices that were counted; see storage.Completeness.
	AllDays(ctx context.Context, from, to int64, after halley.DeviceID, limit int) ([]storage.DayCount, error)
}

// DaysQuery asks for the days of all devices.
type DaysQuery struct {
	// From and To are UTC days, half-open.
	From, To int64
	Now      halley.Millis
	// Devices are all that are known. One that is not accepted has the days that were counted of it.
	Devices []halley.Device
}

// DeviceDays is the completeness of one device by UTC days.
type DeviceDays struct {
	Device halley.Device
	// Total is the sum of Days.
	Total storage.DayCount
	// Days are ascending. A day of which nothing is known, or that was not counted yet, is left out.
	Days []storage.DayCount
}

const (
	// freshFor is how long what was counted of a day that is not over serves again.
	freshFor = time.Minute
	// openDays is how many days up to today are counted where the store has no row of them: today, and yesterday until it settles.
	openDays = 2
	// countOpenWithin bounds how long one question counts such days. What is not counted then is told as it was counted last, or left
	// out, and comes first at the next question.
	countOpenWithin = 5 * time.Second
	// countedAtOnce is how many devices are counted at one time.
	countedAtOnce = 4
	// daysPage is how many rows are read at a time.
	daysPage = 2000
)

// Overview counts all devices by days: those that are over by what the store keeps, today by what it holds. It remembers today's
// numbers for a minute. Its methods may be called at the same time.
type Overview struct {
	// counting holds a token while somebody counts, so that others wait for what is counted already.
	counting chan struct{}

	mu     sync.Mutex
	recent map[storage.DeviceDay]recent
}

// recent is what was counted of a day that was not over.
type recent struct {
	at    halley.Millis
	count storage.DayCount
}

// NewOverview makes an Overview that remembers nothing.
func NewOverview() *Overview {
	return &Overview{counting: make(chan struct{}, 1), recent: map[storage.DeviceDay]recent{}}
}

// Days gives the days of all devices, worst first: by the share that is missing, then by how many are missing. Devices without a day
// are left out.
func (o *Overview) Days(ctx context.Context, s DaysStore, q DaysQuery) ([]DeviceDays, error) {
	today := int64(q.Now / halley.Day)
	q.To = min(q.To, today+1)
	days, err := storedDays(ctx, s, q.From, q.To)
	if err != nil {
		return nil, err
	}
	if q.To > today+1-openDays {
		if err := o.addOpen(ctx, s, &q, days); err != nil {
			return nil, err
		}
	}
	list := make([]DeviceDays, 0, len(q.Devices))
	for _, d := range q.Devices {
		if len(days[d.ID]) > 0 {
			list = append(list, summed(d, days[d.ID]))
		}
	}
	slices.SortFunc(list, worse)
	return list, nil
}

// storedDays gives the rows of the store by device.
func storedDays(ctx context.Context, s DaysStore, from, to int64) (map[halley.DeviceID][]storage.DayCount, error) {
	days := map[halley.DeviceID][]storage.DayCount{}
	for after := halley.DeviceID(0); from < to; {
		page, err := s.AllDays(ctx, from, to, after, daysPage)
		if err != nil {
			return nil, err
		}
		for _, d := range page {
			days[d.Device] = append(days[d.Device], d)
		}
		if len(page) < daysPage {
			break
		}
		from, after = page[len(page)-1].Day, page[len(page)-1].Device
	}
	return days, nil
}

// addOpen counts the days that are open and adds them to days.
func (o *Overview) addOpen(ctx context.Context, s DaysStore, q *DaysQuery, days map[halley.DeviceID][]storage.DayCount) error {
	select {
	case o.counting <- struct{}{}:
		defer func() { <-o.counting }()
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the caller says what took too long
	}
	bounded, cancel := context.WithTimeout(ctx, countOpenWithin)
	defer cancel()
	var mu sync.Mutex
	g, within := errgroup.WithContext(bounded)
	g.SetLimit(countedAtOnce)
	for _, open := range o.openOf(q, days) {
		g.Go(func() error {
			c, err := o.count(within, s, open.device, open.day, q.Now)
			if err != nil && bounded.Err() != nil && ctx.Err() == nil {
				c, err = open.known, nil
			}
			if err == nil && c.Expected+c.Received+c.Extra+c.Duplicates+c.Conflicts+c.Uncertain > 0 {
				mu.Lock()
				defer mu.Unlock()
				days[open.device.ID] = append(days[open.device.ID], c)
			}
			return err
		})
	}
	return g.Wait() //nolint:wrapcheck // of count
}

// openDay is a day of a device that the store has no row of.
type openDay struct {
	device halley.Device
	day    int64
	// knownAt is when known was counted; 0 for never.
	knownAt halley.Millis
	known   storage.DayCount
}

// openOf gives the days of accepted devices that the store has no row of because they are not over, or were until a moment ago: first
// what was never counted, then what was counted longest ago. What is of another day is forgotten.
func (o *Overview) openOf(q *DaysQuery, days map[halley.DeviceID][]storage.DayCount) []openDay {
	today := int64(q.Now / halley.Day)
	o.mu.Lock()
	defer o.mu.Unlock()
	for d := range o.recent {
		if d.Day <= today-openDays {
			delete(o.recent, d)
		}
	}
	var list []openDay
	for _, d := range q.Devices {
		if d.State != halley.DeviceAccepted {
			continue
		}
		first := max(q.From, today+1-openDays)
		if known := days[d.ID]; len(known) > 0 {
			first = max(first, known[len(known)-1].Day+1)
		}
		for day := first; day < q.To; day++ {
			r := o.recent[storage.DeviceDay{Device: d.ID, Day: day}]
			list = append(list, openDay{device: d, day: day, knownAt: r.at, known: r.count})
		}
	}
	slices.SortStableFunc(list, func(a, b openDay) int { return cmp.Compare(a.knownAt, b.knownAt) })
	return list
}

// count counts a day, or gives what was counted a moment ago.
func (o *Overview) count(ctx context.Context, s DaysStore, d halley.Device, day int64, now halley.Millis) (storage.DayCount, error) {
	key := storage.DeviceDay{Device: d.ID, Day: day}
	o.mu.Lock()
	known, ok := o.recent[key]
	o.mu.Unlock()
	if ok && now >= known.at && now-known.at < halley.Millis(freshFor.Milliseconds()) {
		return known.count, nil
	}
	c, err := OfDay(ctx, s, d.Family, key, now)
	if err != nil {
		return storage.DayCount{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.recent[key] = recent{at: now, count: c}
	return c, nil
}

// summed gives a device with its days in order and their sum.
func summed(d halley.Device, days []storage.DayCount) DeviceDays {
	slices.SortFunc(days, func(a, b storage.DayCount) int { return cmp.Compare(a.Day, b.Day) })
	out := DeviceDays{Device: d, Days: days, Total: storage.DayCount{DeviceDay: storage.DeviceDay{Device: d.ID}}}
	t := &out.Total
	for i := range days {
		c := &days[i]
		t.Expected, t.Received, t.Late = t.Expected+c.Expected, t.Received+c.Received, t.Late+c.Late
		t.Missing, t.Uncertain = t.Missing+c.Missing, t.Uncertain+c.Uncertain
		t.Duplicates, t.Conflicts, t.Extra = t.Duplicates+c.Duplicates, t.Conflicts+c.Conflicts, t.Extra+c.Extra
	}
	return out
}

// worse puts the device first of which more is missing.
func worse(a, b DeviceDays) int {
	return cmp.Or(
		cmp.Compare(share(b.Total), share(a.Total)),
		cmp.Compare(b.Total.Missing, a.Total.Missing),
		cmp.Compare(a.Device.ID, b.Device.ID),
	)
}

func share(c storage.DayCount) float64 {
	if c.Expected == 0 {
		return 0
	}
	return float64(c.Missing) / float64(c.Expected)
}
