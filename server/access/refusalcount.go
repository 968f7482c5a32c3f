package access

import (
	"sync"
	"time"
)

// refusalsKept bounds what waits for its row, and what is remembered of those that were written.
const refusalsKept = 1000

// refusals gather what was refused until its audit row is due, so that nobody fills the disk by being refused. K is what one row is
// about. What is not written at once is counted in the next row of the same.
type refusals[K comparable] struct {
	// most is how many rows all leave in a minute together.
	most int

	mu sync.Mutex
	of map[K]waiting
	// since is when the present minute began, written how many rows were written in it, others how many refusals no row names.
	since   time.Time
	written int
	others  int
}

// waiting is what waits of one K.
type waiting struct {
	// on is what was refused last, every how often a row of it may be written.
	on    string
	every time.Duration
	count int
	// due is when a row may be written.
	due time.Time
}

// refusalRow is one that is due.
type refusalRow[K comparable] struct {
	of            K
	on            string
	count, others int
}

func newRefusals[K comparable](most int) *refusals[K] {
	return &refusals[K]{most: most, of: make(map[K]waiting)}
}

// add counts a refusal of k, which concerned on and leaves a row every so often, and gives the row where one may be written now.
func (r *refusals[K]) add(k K, on string, every time.Duration, now time.Time) (refusalRow[K], bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.of[k]
	if !known && len(r.of) >= refusalsKept {
		r.sweep(now)
	}
	if !known && len(r.of) >= refusalsKept {
		r.others++
		return refusalRow[K]{}, false
	}
	r.of[k] = waiting{on: on, every: every, count: before.count + 1, due: before.due}
	return r.row(k, now)
}

// row gives the row of k where it is due and the minute has room.
func (r *refusals[K]) row(k K, now time.Time) (refusalRow[K], bool) {
	w := r.of[k]
	if w.count == 0 || now.Before(w.due) {
		return refusalRow[K]{}, false
	}
	if now.Sub(r.since) >= time.Minute {
		r.since, r.written = now, 0
	}
	if r.written >= r.most {
		return refusalRow[K]{}, false
	}
	r.written++
	row := refusalRow[K]{of: k, on: w.on, count: w.count, others: r.others}
	r.others = 0
	r.of[k] = waiting{every: w.every, due: now.Add(w.every)}
	return row, true
}

// due gives all rows that may be written now.
func (r *refusals[K]) due(now time.Time) []refusalRow[K] {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rows []refusalRow[K]
	for k := range r.of {
		if row, ok := r.row(k, now); ok {
			rows = append(rows, row)
		}
	}
	r.sweep(now)
	return rows
}

// sweep forgets those of which nothing waits.
func (r *refusals[K]) sweep(now time.Time) {
	for k, w := range r.of {
		if w.count == 0 && !now.Before(w.due) {
			delete(r.of, k)
		}
	}
}
