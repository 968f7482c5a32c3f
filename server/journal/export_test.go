package journal

import (
	"context"
	"database/sql"
	"time"
)

// SeverityFatal and the others let tests name what severityOf gives.
const (
	SeverityPassing  = passing
	SeverityDiskFull = diskFull
	SeverityFatal    = fatal
)

// SeverityOf is severityOf.
func SeverityOf(err error) int { return int(severityOf(err)) }

// WithOpened gives options whose journal hands the connection of every file that it writes to opened.
func WithOpened(options Options, opened func(*sql.DB)) Options {
	options.opened = opened
	return options
}

// AppendTogether appends entries that all share one flush.
func AppendTogether(ctx context.Context, j *Journal, entries []Entry) error {
	g := &group{entries: []byte{packVersion}, done: make(chan struct{})}
	j.mu.Lock()
	for i := range entries {
		g.add(&entries[i], j.clock.receive(j.clock.now()))
	}
	j.queue = append(j.queue, g)
	j.nudge()
	j.mu.Unlock()
	select {
	case <-g.done:
		return g.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AppendAt appends an entry when the wall clock shows an instant, so long after the journal was opened.
func AppendAt(ctx context.Context, j *Journal, e Entry, wall time.Time, since time.Duration) (Entry, error) {
	return j.append(ctx, &e, func() instant { return instant{wall: wall.UnixMicro(), mono: since} })
}

// Opened gives when the journal was opened, as its clock has it.
func Opened(j *Journal) time.Time { return j.clock.opened }

// EncodeEntries gives a pack's content before compression.
func EncodeEntries(entries []Entry) []byte {
	g := &group{entries: []byte{packVersion}}
	for i := range entries {
		g.add(&entries[i], entries[i].ReceivedMicros)
	}
	return g.entries
}

// DecodeEntries reads a pack's content of so many entries.
func DecodeEntries(b []byte, first uint64, count int, micros int64) ([]Entry, error) {
	return decodeEntries(b, &row{first: first, count: count, micros: micros})
}
