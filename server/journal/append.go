package journal

import (
	"context"
	"fmt"

	"halley"
)

// Bounds of an entry.
const (
	// MaxBodyBytes is the longest body that Append takes.
	MaxBodyBytes = 8 << 20
	// MaxTextBytes is the longest family, serial number or quarantine word.
	MaxTextBytes = 1024
)

// Bounds of a group.
const (
	maxGroupEntries = 4096
	maxGroupBytes   = 8 << 20
	// maxGroups is how many groups may wait; callers beyond them wait outside.
	maxGroups = 4
	// maxSpareBytes is the largest buffer that is kept for a later group, maxSpare how many are: one group gathers while another is
	// written.
	maxSpareBytes = 1 << 20
	maxSpare      = 2
)

// group is what shares one flush.
type group struct {
	// entries is the pack before compression.
	entries []byte
	count   int
	// firstMicros and lastMicros are the receive times of the first and last entry.
	firstMicros, lastMicros int64

	// done is closed when first and err are set.
	done  chan struct{}
	first uint64
	err   error
}

// place is where an entry went.
type place struct {
	*group
	index  int
	micros int64
}

// Append stores e and returns it with Seq and ReceivedMicros once it is on stable storage. All callers that wait at one time
// share a flush. It keeps nothing of e.
//
// Errors are *halley.Error: Unavailable where the journal is closed, its disk is full, or it cannot be written: then nothing of
// the entry is in the journal, unless the disk failed (Options.Fail), where only the next Open can tell. Invalid or TooLarge
// where the entry is out of bounds. A caller whose ctx ends while it waits gets the error of ctx; its entry may be stored all
// the same.
func (j *Journal) Append(ctx context.Context, e Entry) (Entry, error) {
	return j.append(ctx, &e, j.clock.now)
}

func (j *Journal) append(ctx context.Context, e *Entry, now func() instant) (Entry, error) {
	if err := checkEntry(e); err != nil {
		return Entry{}, err
	}
	j.waiting.Add(1)
	defer j.waiting.Add(-1)
	p, err := j.join(ctx, e, now)
	if err != nil {
		return Entry{}, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return Entry{}, fmt.Errorf("%s: %w", opAppend, ctx.Err())
	}
	if p.err != nil {
		return Entry{}, p.err
	}
	stored := *e
	stored.Seq, stored.ReceivedMicros = p.first+uint64(p.index), p.micros
	return stored, nil
}

func checkEntry(e *Entry) error {
	if e.Kind == 0 {
		return &halley.Error{Kind: halley.Invalid, Op: opAppend, Field: "Kind", Message: "give the entry a kind"}
	}
	if len(e.Family) > MaxTextBytes || len(e.Serial) > MaxTextBytes || len(e.Quarantine) > MaxTextBytes {
		return &halley.Error{
			Kind: halley.TooLarge, Op: opAppend,
			Message: fmt.Sprintf("family, serial number and quarantine word have at most %d bytes each", MaxTextBytes),
		}
	}
	if len(e.Body) > MaxBodyBytes {
		return &halley.Error{
			Kind: halley.TooLarge, Op: opAppend, Field: "Body", Message: fmt.Sprintf("a body has at most %d bytes", MaxBodyBytes),
		}
	}
	return nil
}

// join adds e to the group that gathers, and waits where too many wait already. The entry is encoded here, in the caller's
// goroutine, so that the writer only has to compress.
func (j *Journal) join(ctx context.Context, e *Entry, now func() instant) (place, error) {
	for {
		if err := ctx.Err(); err != nil {
			return place{}, fmt.Errorf("%s: %w", opAppend, err)
		}
		p, room, err := j.tryJoin(e, now)
		if err != nil || room == nil {
			return p, err
		}
		select {
		case <-room:
		case <-ctx.Done():
		}
	}
}

// tryJoin gives a channel to wait on where there is no room.
func (j *Journal) tryJoin(e *Entry, now func() instant) (p place, room <-chan struct{}, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return place{}, nil, errClosed(opAppend)
	case j.fatal != nil:
		return place{}, nil, j.fatal
	}
	g := j.gathering(e)
	if g == nil {
		if j.room == nil {
			j.room = make(chan struct{})
		}
		return place{}, j.room, nil
	}
	at := now()
	if from, to, stepped := j.clock.step(at); stepped {
		event, err := clockStepEntry(from, to)
		if err != nil {
			return place{}, nil, err
		}
		g.add(&event, j.clock.receive(at))
	}
	p = place{group: g, index: g.count, micros: j.clock.receive(at)}
	g.add(e, p.micros)
	j.nudge()
	return p, nil, nil
}

// gathering gives the group that e can join; nil where there is none. The caller holds mu.
func (j *Journal) gathering(e *Entry) *group {
	size := entryBytes(e)
	if n := len(j.queue); n > 0 {
		if g := j.queue[n-1]; g.count+2 <= maxGroupEntries && len(g.entries)+size <= maxGroupBytes {
			return g
		}
		if n >= maxGroups {
			return nil
		}
	}
	g := &group{entries: append(j.spareBuffer(), packVersion), done: make(chan struct{})}
	j.queue = append(j.queue, g)
	return g
}

// spareBuffer gives a buffer that a group was written from, empty, or nil. The caller holds mu.
func (j *Journal) spareBuffer() []byte {
	last := len(j.spare) - 1
	if last < 0 {
		return nil
	}
	b := j.spare[last]
	j.spare = j.spare[:last]
	return b[:0]
}

// entryBytes bounds what e takes in a group, with an event for a step of the clock before it.
func entryBytes(e *Entry) int {
	return 2*entryOverhead + 128 + len(e.Family) + len(e.Serial) + len(e.Quarantine) + len(e.Body)
}

// add appends an entry that was received at micros.
func (g *group) add(e *Entry, micros int64) {
	if g.count == 0 {
		g.firstMicros = micros
	}
	g.entries = appendEntry(g.entries, e, uint64(micros-g.lastMicros))
	g.lastMicros = micros
	g.count++
}

// nudge tells the writer that there is something to do. The caller holds mu.
func (j *Journal) nudge() {
	select {
	case j.work <- struct{}{}:
	default:
	}
}
